//! The two roles: they may log in or not, and nothing besides.

use super::state::{Role, State};
use crate::admin::diff::{Difference, Object, Side};
use crate::admin::need::{Act, Need};
use crate::admin::plan::{Refusal, StepKind};
use crate::schema::policy;

/// What only a superuser gives and takes.
const OF_SUPERUSERS: [&str; 3] = ["SUPERUSER", "BYPASSRLS", "REPLICATION"];

/// What has to change about a role.
pub(super) fn needs(state: &State, name: &str) -> Vec<Need> {
    match state.found.roles.iter().find(|role| role.name == name) {
        None => vec![missing(state, name)],
        Some(role) => attributes(state, role).into_iter().chain(memberships(role)).collect(),
    }
}

fn missing(state: &State, name: &str) -> Need {
    let runner = &state.found.runner;
    let sql = policy::create_role(name);
    let act = if runner.makes_roles {
        Act::step(StepKind::Role, format!("make the role {name}"), vec![sql])
    } else {
        Act::Refusal(Refusal {
            title: format!("the role {name} must be made, and {} may make none", runner.name),
            fix: format!("run as a role with CREATEROLE: {sql}"),
        })
    };
    Need { difference: Some(difference(Side::Missing, name, None, None)), act }
}

fn attributes(state: &State, role: &Role) -> Option<Need> {
    let Role { name, excess, .. } = role;
    if excess.is_empty() {
        return None;
    }
    let runner = &state.found.runner;
    let without: Vec<String> = excess.iter().map(|attribute| format!("NO{attribute}")).collect();
    let without: Vec<&str> = without.iter().map(String::as_str).collect();
    let sql = policy::alter_role(name, &without);
    let may = match excess.iter().any(|attribute| OF_SUPERUSERS.contains(&attribute.as_str())) {
        true => runner.is_superuser,
        false => runner.makes_roles,
    };
    let act = if may {
        Act::step(StepKind::Role, format!("take {} from the role {name}", excess.join(", ")), vec![sql])
    } else {
        Act::Refusal(Refusal {
            title: format!("the role {name} has {}, which {} may not take from it", excess.join(", "), runner.name),
            fix: format!("run as a superuser: {sql}"),
        })
    };
    let (wanted, live) = (Some(without.join(" ")), Some(excess.join(" ")));
    Some(Need { difference: Some(difference(Side::Different, name, wanted, live)), act })
}

/// With the rights of another role it could do more than its grants say.
fn memberships(role: &Role) -> Option<Need> {
    let Role { name, memberships, .. } = role;
    if memberships.is_empty() {
        return None;
    }
    let list = memberships.join(", ");
    let statements = memberships.iter().map(|of| policy::leave_role(name, of)).collect();
    let act = Act::step(StepKind::Role, format!("take the role {name} out of {list}"), statements);
    let (wanted, live) = (Some("a member of no role".to_owned()), Some(format!("a member of {list}")));
    Some(Need { difference: Some(difference(Side::Different, name, wanted, live)), act })
}

fn difference(side: Side, name: &str, wanted: Option<String>, live: Option<String>) -> Difference {
    Difference { side, object: Object::Role, owner: String::new(), name: name.to_owned(), wanted, live }
}
