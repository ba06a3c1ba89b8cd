//! What has to change until the views are what they are declared to be. Pure.

use super::placed;
use super::state::{Found, State};
use crate::admin::diff::{Difference, Object, Side};
use crate::admin::inspect::Session;
use crate::admin::need::{Act, Need};
use crate::admin::plan::{Refusal, Step, StepKind};
use crate::config::Policy;
use crate::schema::Table;
use crate::schema::view::PlacedView;

pub(in crate::admin) fn needs(
    session: &Session,
    policy: &Policy,
    views: &[&'static Table],
    state: &State,
) -> Vec<Need> {
    // Rows of all tenants are for the role that may read those.
    let readers: Vec<String> = match policy {
        Policy::RowLevelSecurity { analytics_role: Some(role), .. } => vec![role.clone()],
        Policy::RowLevelSecurity { analytics_role: None, .. } | Policy::None => Vec::new(),
    };
    let placed = views.iter().filter_map(|table| placed(session, table));
    placed.zip(&state.0).filter_map(|(view, found)| need(session, &view, found.as_ref(), &readers)).collect()
}

fn need(session: &Session, view: &PlacedView<'_>, found: Option<&Found>, readers: &[String]) -> Option<Need> {
    let label = session.label(&view.schema, view.table.name);
    let difference = |side: Side, wanted: Option<String>, live: Option<&str>| {
        Some(Difference {
            side,
            object: Object::View,
            owner: label.clone(),
            name: String::new(),
            wanted,
            live: live.map(str::to_owned),
        })
    };
    let step = |title: String| {
        let grants = found.map_or(&[][..], |found| &found.grants);
        let owner = found.and_then(|found| found.other_owner.as_deref());
        Act::Step(Box::new(Step::of(StepKind::CreateView, title, view.create(readers, grants, owner)).outside()))
    };
    let definition = view.definition();
    match found {
        None => Some(Need {
            difference: difference(Side::Missing, Some(definition), None),
            act: step(format!("make the materialized view {label}")),
        }),
        Some(found) if found.kind != "m" => Some(Need {
            difference: difference(Side::Different, Some("a materialized view".to_owned()), Some("something else")),
            act: Act::Refusal(Refusal {
                title: format!("{label} must be a materialized view, and is something else"),
                fix: "rename or drop what has this name, or give the view another `name`".to_owned(),
            }),
        }),
        Some(found) => {
            let has_key = found.key.as_ref().is_some_and(|key| key == view.table.primary_key);
            let is = match (found.mark(view), has_key) {
                (Some(_), true) => return None,
                (None, _) => "of another definition",
                (Some(_), false) => "without its unique index",
            };
            Some(Need {
                difference: difference(Side::Different, Some(definition), Some(is)),
                act: step(format!("make the materialized view {label} anew, for it is {is}")),
            })
        }
    }
}
