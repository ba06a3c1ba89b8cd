//! What has to change until rollups follow their sources. Pure.

use super::covered::covered;
use super::placed;
use super::state::{Found, State};
use crate::admin::diff::{Difference, Object, Side};
use crate::admin::inspect::{Live, Session};
use crate::admin::need::{Act, Need};
use crate::admin::plan::{Refusal, Step, StepKind};
use crate::admin::target::Target;
use crate::admin::wanted::{Wanted, WantedTable};
use crate::schema::literal;
use crate::schema::policy;
use crate::schema::rollup::{Placed, Trigger};
use crate::schema::trigger::Server;

/// The mark of a rollup that was made, and does not have the rows yet that were in the source before.
const BEGUN: &str = "shardwise: rollup, begun";
/// The mark of one that has all.
const COMPLETE: &str = "shardwise: rollup, complete";
/// The mark of one that was complete, and has missed something since.
const INTERRUPTED: &str = "shardwise: rollup, interrupted";
/// The first server on which a view can go by its reader's rights and policies.
const READS_AS_READER: i32 = 150_000;

pub(in crate::admin) fn needs(
    session: &Session,
    target: Target,
    wanted: &Wanted,
    live: &Live,
    state: &State,
) -> Vec<Need> {
    let rollups = wanted.tables.iter().filter_map(|table| Some((table, placed(session, table.table)?)));
    let mut needs = Vec::new();
    for ((table, placed), found) in rollups.zip(&state.found) {
        let label = session.label(&placed.schema, placed.rollup.view.name);
        Keeper { session, target, wanted, live, state, table, placed, found, label }.add_to(&mut needs);
    }
    needs
}

struct Keeper<'a> {
    session: &'a Session,
    target: Target,
    wanted: &'a Wanted,
    live: &'a Live,
    state: &'a State,
    /// The table behind it.
    table: &'a WantedTable,
    placed: Placed<'a>,
    found: &'a Found,
    /// Its name in messages.
    label: String,
}

impl Keeper<'_> {
    fn add_to(&self, needs: &mut Vec<Need>) {
        let as_reader = !self.state.readers.is_empty();
        if let Some(refusal) = self.refusal(as_reader) {
            return needs.push(Need { difference: None, act: Act::Refusal(refusal) });
        }
        let mut differences = Vec::new();
        let mut statements = self.view(as_reader, &mut differences);
        let following = self.following(&mut differences);
        let is_new = self.live.relation(&self.table.schema, self.table.table.name).is_none();
        let source = (self.placed.rollup.of)();
        let source_schema = source.schema.unwrap_or(&self.session.schema);
        let source_is_new = self.live.relation(source_schema, source.name).is_none();
        let mark = self.found.mark.as_deref();
        // What was complete has missed what was written while something of it was not as it should be; whose mark is lost, may have.
        let missed = match mark {
            None if is_new => false,
            Some(BEGUN) => false,
            Some(COMPLETE) => !following.is_empty(),
            _ => true,
        };
        if !following.is_empty() {
            statements.extend(following);
            statements.push(self.set_mark(match (missed, source_is_new) {
                (true, _) => INTERRUPTED,
                (false, true) => COMPLETE,
                (false, false) => BEGUN,
            }));
        }
        if !statements.is_empty() {
            let title = format!("have {} follow the rows of {}", self.label, source.name);
            let mut step = Step::of(StepKind::CreateRollup, title, statements);
            step.touches = vec![self.table.label.clone()];
            step.touches.extend(self.wanted.of(source).map(|source| source.label.clone()));
            let mut differences = differences.into_iter();
            needs.push(Need { difference: differences.next(), act: Act::Step(Box::new(step)) });
            needs.extend(differences.map(|difference| Need { difference: Some(difference), act: Act::Nothing }));
        }
        let is_complete = mark == Some(COMPLETE) && !missed;
        if !is_complete && !source_is_new {
            needs.push(self.fill(missed, is_new));
        }
        needs.extend(self.grants());
    }

    fn refusal(&self, as_reader: bool) -> Option<Refusal> {
        let (view, label) = (&self.placed.view, &self.label);
        if let Some(found) = &self.found.view
            && found.kind != "v"
        {
            return Some(Refusal {
                title: format!("{label} must be the view of a rollup, and is something else"),
                fix: "rename or drop what has this name, or give the rollup another `table`".to_owned(),
            });
        }
        if as_reader && self.session.version < READS_AS_READER {
            return Some(Refusal {
                title: format!(
                    "the view {view} can't hold its readers to a tenant's rows: PostgreSQL {} has views go by their owner's rights",
                    self.session.version / 10_000
                ),
                fix: "use PostgreSQL 15 or newer, or no rollups with row level security".to_owned(),
            });
        }
        None
    }

    fn view(&self, as_reader: bool, differences: &mut Vec<Difference>) -> Vec<String> {
        let create = self.placed.create_view(as_reader);
        let wanted = self.table.view.clone().unwrap_or_default();
        let Some(found) = &self.found.view else {
            differences.push(self.difference(Side::Missing, "", Some(wanted), None));
            return vec![create];
        };
        let definition = found.definition.as_deref().unwrap_or_default();
        let is = unqualified(definition, &self.placed.schema, self.table.table.name);
        if is == wanted && found.as_reader == as_reader {
            return Vec::new();
        }
        let describe = |text: &str, as_reader: bool| {
            format!(
                "{}{}",
                text.split_whitespace().collect::<Vec<_>>().join(" "),
                if as_reader { " (as its reader)" } else { "" }
            )
        };
        let texts = (Some(describe(&wanted, as_reader)), Some(describe(&is, found.as_reader)));
        differences.push(self.difference(Side::Different, "", texts.0, texts.1));
        let grants = self.state.readers.iter().map(|role| self.grant(role));
        [format!("DROP VIEW {}", self.placed.view), create].into_iter().chain(grants).collect()
    }

    /// The function and the triggers. Where the function changes, nobody who wrote by the old one may still be at work when the
    /// rollup is repaired: hence the lock, which making a trigger takes by itself.
    fn following(&self, differences: &mut Vec<Difference>) -> Vec<String> {
        let (placed, function) = (&self.placed, self.placed.function());
        let server = self.target.server();
        let mut statements = Vec::new();
        if !self.has_function(server, differences) {
            let exists = self.live_source();
            statements.extend(exists.then(|| format!("LOCK TABLE ONLY {} IN SHARE ROW EXCLUSIVE MODE", placed.source)));
            statements.extend(placed.create_function(server));
        }
        for trigger in placed.rollup.triggers() {
            let live = self.found.triggers.iter().find(|live| live.name == trigger.name);
            let fits =
                live.is_some_and(|live| live.fires && live.events == trigger.events() && live.calls == Some(true));
            if fits {
                continue;
            }
            let side = if live.is_some() { Side::Different } else { Side::Missing };
            differences.push(self.difference(side, &trigger.name, None, None));
            statements.extend(live.map(|_| trigger.drop(&placed.source)));
            statements.push(trigger.create(&placed.source, &function));
        }
        server.allow_triggers(statements)
    }

    fn live_source(&self) -> bool {
        let source = (self.placed.rollup.of)();
        self.live.relation(source.schema.unwrap_or(&self.session.schema), source.name).is_some()
    }

    fn has_function(&self, server: Server, differences: &mut Vec<Difference>) -> bool {
        let name = self.placed.rollup.function_name();
        let Some(found) = &self.found.function else {
            differences.push(self.difference(Side::Missing, &name, None, None));
            return false;
        };
        let is_closed = found.is_definers && !found.is_open;
        let is_ours = found.body == self.placed.function_body() && is_closed && found.settings == server.settings();
        if !is_ours {
            differences.push(self.difference(Side::Different, &name, None, None));
        }
        is_ours
    }

    /// Adds what the rollup lacks, beside whoever writes: see [`Placed::correct`].
    fn fill(&self, was_complete: bool, is_new: bool) -> Need {
        let source = (self.placed.rollup.of)();
        let relation = self.live.relation(source.schema.unwrap_or(&self.session.schema), source.name);
        // What partitions have taken along that were dropped since it was complete is to stay.
        let covered = relation.filter(|_| was_complete).and_then(|relation| covered(self.placed.rollup, relation));
        let correct = self.placed.correct(None, covered.as_deref());
        let title = match was_complete {
            true => format!("add to {} what it has missed", self.label),
            false => format!("add to {} the rows that {} has", self.label, source.name),
        };
        let step = Step::of(StepKind::FillRollup, title, vec![correct, self.set_mark(COMPLETE)]).outside();
        let texts = ("all rows of its source".to_owned(), "some of them".to_owned());
        let difference = (!is_new).then(|| self.difference(Side::Different, "", Some(texts.0), Some(texts.1)));
        Need { difference, act: Act::Step(Box::new(step)) }
    }

    fn grants(&self) -> Vec<Need> {
        let has = |role: &String| {
            self.found.view.as_ref().is_some_and(|view| view.readers.iter().any(|reader| reader == role))
        };
        let lacking = self.state.readers.iter().filter(|role| !has(role));
        lacking
            .map(|role| {
                let title = format!("let {role} SELECT {}", self.label);
                let act = Act::step(StepKind::Grant, title, vec![self.grant(role)]);
                let difference = self.found.view.as_ref().map(|_| Difference {
                    side: Side::Missing,
                    object: Object::Grant,
                    owner: self.label.clone(),
                    name: role.clone(),
                    wanted: Some("SELECT".to_owned()),
                    live: None,
                });
                Need { difference, act }
            })
            .collect()
    }

    fn grant(&self, role: &str) -> String {
        policy::grant(&["SELECT"], &format!("TABLE {}", self.placed.view), role)
    }

    fn set_mark(&self, mark: &str) -> String {
        format!("COMMENT ON TABLE {} IS {}", self.placed.parts, literal(mark))
    }

    fn difference(&self, side: Side, name: &str, wanted: Option<String>, live: Option<String>) -> Difference {
        let squeeze = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
        Difference {
            side,
            object: Object::Rollup,
            owner: self.label.clone(),
            name: name.to_owned(),
            wanted: wanted.map(squeeze),
            live: live.map(squeeze),
        }
    }
}

impl Trigger {
    /// `pg_trigger.tgtype` of a trigger for each statement.
    fn events(&self) -> i16 {
        let [before, insert, delete, update, truncate] = [2, 4, 8, 16, 32];
        match self.event {
            "AFTER INSERT" => insert,
            "AFTER UPDATE" => update,
            "AFTER DELETE" => delete,
            _ => before | truncate,
        }
    }
}

/// A view's definition as it reads where the table behind it is in the search path.
fn unqualified(definition: &str, schema: &str, table: &str) -> String {
    let quoted = crate::schema::quote_ident(schema);
    let plain = definition.replace(&format!("FROM {schema}.{table}"), &format!("FROM {table}"));
    plain.replace(&format!("FROM {quoted}.{table}"), &format!("FROM {table}"))
}
