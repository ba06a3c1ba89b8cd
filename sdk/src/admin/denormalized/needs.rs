//! What has to change until denormalised columns follow what they are declared to follow. Pure.

use super::state::{Found, State};
use crate::admin::consent::Permission;
use crate::admin::diff::{Difference, Object, Side};
use crate::admin::inspect::{Live, Relation, Session};
use crate::admin::need::{Act, Need};
use crate::admin::plan::{Phase, Refusal, Step, StepKind};
use crate::admin::target::Target;
use crate::admin::wanted::{Wanted, WantedTable};
use crate::schema::denormalized::{Copies, EVERY, Piece, depth};
use crate::schema::{quote_ident, quote_qualified};

/// The state was read for the wanted tables, in their order.
pub(in crate::admin) fn needs(
    session: &Session,
    target: Target,
    wanted: &Wanted,
    live: &Live,
    state: &State,
) -> Vec<Need> {
    let mut needs = Vec::new();
    // What others follow is filled before them.
    let mut tables: Vec<(usize, &WantedTable)> = wanted.tables.iter().enumerate().collect();
    tables.sort_by_key(|(_, table)| depth(table.table));
    for (nth, table) in tables {
        let copies = Copies::of(table.table, &session.schema);
        let pieces = copies.as_ref().map(|copies| copies.pieces(target.server())).unwrap_or_default();
        let of_table = state.0.iter().filter(|found| found.table == Some(nth));
        let was_kept = of_table.clone().next().is_some();
        let left: Vec<&Found> = of_table.filter(|found| !pieces.iter().any(|piece| found.is(piece))).collect();
        needs.extend(left.into_iter().map(|found| leftover(target, table, found, copies.is_some())));
        if let Some(copies) = copies {
            Keeper { target, wanted, live, state, table, copies, pieces, was_kept }.add_to(&mut needs);
        }
        let orphans = state.0.iter().filter(|found| found.table.is_none() && is_on(found, table));
        needs.extend(orphans.map(|found| orphan(target, table, found)));
    }
    needs
}

struct Keeper<'a> {
    target: Target,
    wanted: &'a Wanted,
    live: &'a Live,
    state: &'a State,
    table: &'a WantedTable,
    copies: Copies<'a>,
    pieces: Vec<Piece>,
    /// Whether something has kept columns of the table before.
    was_kept: bool,
}

impl Keeper<'_> {
    fn add_to(&self, needs: &mut Vec<Need>) {
        let server = self.target.server();
        let (mark, filled) = (self.copies.mark(server), self.copies.filled_mark(server));
        let relation = self.live.relation(&self.table.schema, self.table.table.name);
        let is_kept = self.state.keeps(&self.copies, &self.pieces, server);
        if !is_kept {
            // Before columns are dropped that they watch.
            let found: Vec<&Found> = self.pieces.iter().filter_map(|piece| self.state.piece(piece)).collect();
            needs.extend(found.iter().map(|found| Need {
                difference: None,
                act: Act::Step(Box::new(drop_trigger(self.target, found, "to make it anew"))),
            }));
            needs.push(self.keep(relation.is_none(), &mark, &filled));
        }
        // Of a table that is made with its triggers all rows have them.
        let Some(relation) = relation else { return };
        needs.extend(self.overwrites(relation));
        let is_filled = is_kept && self.state.is_filled(&self.pieces, &filled);
        let may_be_null = |name: &str| relation.column(name).is_none_or(|column| !column.not_null);
        let columns = self.copies.columns().map(|(_, column, _)| column);
        let to_forbid = columns.filter(|column| !column.nullable && may_be_null(column.name));
        let forbid: Vec<String> = to_forbid.map(|column| self.copies.forbid_null(column.name)).collect();
        // Where NULL was let in, it may have come in.
        if !is_filled || !forbid.is_empty() {
            needs.push(self.fill(forbid, &filled));
        }
    }

    /// What a column has that was not denormalised before is somebody's.
    fn overwrites(&self, relation: &Relation) -> Option<Need> {
        let columns = self.copies.columns().map(|(_, column, _)| column.name);
        let there: Vec<&str> = columns.filter(|name| relation.column(name).is_some()).collect();
        if self.was_kept || there.is_empty() {
            return None;
        }
        let (label, permission) = (&self.table.label, Permission::Overwrite(self.table.label.clone()));
        let refusal = Refusal {
            title: format!(
                "what {} of {label} has would be replaced by what {} has, for it was not denormalised before",
                there.join(", "),
                self.sources().join(", ")
            ),
            fix: format!("allow it with {}, or give the denormalised field another name", permission.call()),
        };
        Some(Need { difference: None, act: Act::Unless { permission, rows_of: self.copies.at.clone(), refusal } })
    }

    /// All of it anew: one mark stands for all.
    fn keep(&self, is_new: bool, mark: &str, filled: &str) -> Need {
        let mut statements = Vec::new();
        for (nth, piece) in self.pieces.iter().enumerate() {
            let on = quote_qualified(Some(&piece.on.0), &piece.on.1);
            statements.extend(self.copies.create_function(piece, self.target.server()));
            // Whose mark is gone is not found by it.
            statements.push(format!("DROP TRIGGER IF EXISTS {} ON {on}", quote_ident(&piece.trigger)));
            statements.push(piece.create_trigger.clone());
            statements.push(Copies::set_mark(piece, if is_new && nth == 0 { filled } else { mark }));
        }
        let title = format!("have {} of {} follow {}", self.names(), self.table.label, self.sources().join(", "));
        let mut step = Step::of(StepKind::KeepCopies, title, self.target.server().allow_triggers(statements));
        step.touches = vec![self.table.label.clone()];
        let of_links = self.copies.links.iter().map(|link| (link.key.target)());
        step.touches.extend(of_links.filter_map(|table| self.wanted.of(table)).map(|source| source.label.clone()));
        let found = self.pieces.iter().any(|piece| self.state.piece(piece).is_some());
        let side = if found { Side::Different } else { Side::Missing };
        let name = self.pieces.first().map(|piece| piece.trigger.clone()).unwrap_or_default();
        Need { difference: Some(difference(side, self.table, name)), act: Act::Step(Box::new(step)) }
    }

    fn fill(&self, forbid: Vec<String>, filled: &str) -> Need {
        let title = format!("give all rows of {} their {}", self.table.label, self.names());
        let warning = (!forbid.is_empty())
            .then(|| format!("at the end all rows of {} are looked at, while nobody can use it", self.table.label));
        let marked = self.pieces.first().map(|own| Copies::set_mark(own, filled));
        let statements = self.copies.fills(EVERY).into_iter().chain(forbid).chain(marked).collect();
        let mut step = Step::of(StepKind::FillCopies, title, statements);
        (step.phase, step.object, step.warning) = (Phase::Filling, Some(self.copies.at.clone()), warning);
        step.touches = vec![self.table.label.clone()];
        let difference = Difference {
            wanted: Some("in all rows".to_owned()),
            live: Some("perhaps not in all".to_owned()),
            ..difference(Side::Different, self.table, self.names())
        };
        Need { difference: Some(difference), act: Act::Step(Box::new(step)) }
    }

    fn names(&self) -> String {
        self.copies.columns().map(|(_, column, _)| column.name).collect::<Vec<_>>().join(", ")
    }

    fn sources(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for link in &self.copies.links {
            let name = (link.key.target)().name.to_owned();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }
}

/// One that nothing wants any more. Where no column of the table is denormalised any more, another service may still want it: so it goes
/// on overruling what is written until somebody allows to drop it.
fn leftover(target: Target, table: &WantedTable, found: &Found, is_changed: bool) -> Need {
    let why = format!("which keeps columns of {} that no entity has denormalised", table.label);
    let step = Box::new(drop_trigger(target, found, &why));
    let difference = difference(Side::Unknown, table, found.trigger.clone());
    let permission = Permission::DropTrigger(table.label.clone(), found.trigger.clone());
    let act = if is_changed { Act::Step(step) } else { Act::Allowed(permission, step) };
    Need { difference: Some(difference), act }
}

fn difference(side: Side, table: &WantedTable, name: String) -> Difference {
    let (object, owner) = (Object::Denormalized, table.label.clone());
    Difference { side, object, owner, name, wanted: None, live: None }
}

fn is_on(found: &Found, table: &WantedTable) -> bool {
    found.on.0 == table.schema && found.on.1 == table.table.name
}

/// One that would have each change of the table fail, for what it keeps is gone.
fn orphan(target: Target, table: &WantedTable, found: &Found) -> Need {
    let difference = difference(Side::Unknown, table, found.trigger.clone());
    let step = drop_trigger(target, found, "which keeps columns of a table that is gone");
    Need { difference: Some(difference), act: Act::Step(Box::new(step)) }
}

fn drop_trigger(target: Target, found: &Found, why: &str) -> Step {
    let (on, function) =
        (quote_qualified(Some(&found.on.0), &found.on.1), quote_qualified(Some(&found.function.0), &found.function.1));
    let statements = vec![
        format!("DROP TRIGGER {} ON {on}", quote_ident(&found.trigger)),
        format!("DROP FUNCTION IF EXISTS {function}()"),
    ];
    let title = format!("drop the trigger {} on {on}, {why}", found.trigger);
    Step::of(StepKind::DropTrigger, title, target.server().allow_triggers(statements))
}
