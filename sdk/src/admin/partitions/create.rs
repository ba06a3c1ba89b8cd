//! Makes partitions: a table of its own first, which nobody uses yet, and then it is attached.

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::changes::{Action, Change};
use super::default;
use super::ground::{Ground, Parent, refused};
use super::window;
use super::work::Rest;
use crate::admin::locks::{self, Lock, Mode};
use crate::admin::wire::{column, query};
use crate::error::Result;
use crate::schema::partition::{self, Span};
use crate::schema::{Bounds, ddl, quote_qualified};

/// So many partitions at most are made to fill one gap.
const MOST: u128 = 2_000;

/// The partition of the current interval and so many after it.
pub(super) async fn future(ground: &Ground, parent: &Parent, ahead: usize, changes: &mut Vec<Change>) -> Result<Rest> {
    let spans = partition::window(parent.def, ground.session.today, ahead);
    let (Some(first), Some(last)) = (spans.first(), spans.last()) else { return Ok(Rest::Nothing) };
    let window = Bounds { from: first.bounds.from, to: last.bounds.to };
    missing(ground, parent, window::uncovered(&parent.bounds(), window), changes).await
}

/// What lies between partitions and has none.
pub(super) async fn gaps(ground: &Ground, parent: &Parent, changes: &mut Vec<Change>) -> Result<Rest> {
    let gaps = window::gaps(&parent.bounds());
    if let Some(gap) = gaps.iter().find(|gap| is_boundless(parent, gap)) {
        return Err(refused(format!(
            "{} has no partition {gap}, which is room for more than {MOST}: one that lies far away was made for a row whose time is wrong. \
             Put that right and drop the partition, or detach it",
            parent.label
        )));
    }
    missing(ground, parent, gaps, changes).await
}

/// Whether a gap is none that anybody has left by mistake.
fn is_boundless(parent: &Parent, gap: &Bounds) -> bool {
    let interval = parent.def.partition.map_or(1, |partition| partition.interval.shortest().as_micros()).max(1);
    let micros = i128::from(gap.to.micros()) - i128::from(gap.from.micros());
    micros.unsigned_abs() / interval > MOST
}

async fn missing(ground: &Ground, parent: &Parent, parts: Vec<Bounds>, changes: &mut Vec<Change>) -> Result<Rest> {
    let spans: Vec<Span> =
        parts.into_iter().filter_map(|bounds| partition::cover(parent.def, bounds)).flatten().collect();
    if let (Some(default), Some(_)) = (parent.default_partition(), spans.first())
        && default::end_split(ground, parent, default, changes).await? == Rest::Again
    {
        return Ok(Rest::Again);
    }
    for span in spans {
        match parent.default_partition() {
            None => one(ground, parent, &span, changes).await?,
            Some(default) => {
                if default::carve(ground, parent, default, &span, changes).await? == Rest::Again {
                    return Ok(Rest::Again);
                }
            }
        }
    }
    Ok(Rest::Nothing)
}

/// One partition, of a table without a default partition.
async fn one(ground: &Ground, parent: &Parent, span: &Span, changes: &mut Vec<Change>) -> Result<()> {
    let mut change = parent.change(Action::Create, &span.name, Some(span.bounds));
    change.statements = standalone(ground, parent, &span.name).await?;
    let how = attach(parent, span, Vec::new());
    ground.make(change, how, changes).await
}

/// A table of its own with the columns of the parent, on Citus co-located with it, that no role may reach. Returns the
/// statements; in a dry run they are not executed. One that is there already from an earlier try, and empty, is taken.
pub(super) async fn standalone(ground: &Ground, parent: &Parent, name: &str) -> Result<Vec<String>> {
    let schema = &parent.relation.schema;
    let (label, at) = (ground.session.label(schema, name), quote_qualified(Some(schema), name));
    let mut statements = Vec::new();
    let is_there = ground.desk.send(is_there(ground.desk.client(), parent, &label, &at)).await?;
    if !is_there {
        statements.push(ddl::create_standalone_partition(&at, &parent.at));
        statements.extend(ground.distribute(parent, &at));
        statements.extend(ground.protection(parent, &label, &at));
    }
    if !ground.is_dry_run {
        let made = ground.execute(&statements).await;
        made.map_err(|error| error.during(format!("create the partition {label} of {}", parent.label)))?;
    }
    Ok(statements)
}

/// Whether there is a table of this name that can be taken.
async fn is_there(client: &Client, parent: &Parent, label: &str, at: &str) -> Result<bool> {
    const FOUND: &str =
        "SELECT c.relkind = 'r' AND NOT c.relispartition FROM pg_catalog.pg_class c WHERE c.oid = to_regclass($1)";
    let found = query(client, FOUND, &[(&at, Type::TEXT)]).await?;
    let Some(row) = found.first() else { return Ok(false) };
    let is_free: bool = column(row, 0)?;
    if is_free && query(client, &format!("SELECT 1 FROM {at} LIMIT 1"), &[]).await?.is_empty() {
        return Ok(true);
    }
    Err(refused(format!(
        "the partition {label} of {} can't be made, for something else has this name: attach it with `attach`, rename it, \
         or drop it",
        parent.label
    )))
}

/// Attaches a table of its own; `before` are statements under the same locks, before it.
pub(super) fn attach(parent: &Parent, span: &Span, before: Vec<String>) -> locks::Change {
    let mut statements = before;
    statements.push(parent.attach(&span.name, Some(span.bounds)));
    // Its foreign keys are made by that, with triggers on the tables that they point at.
    locks::Change {
        title: format!("create the partition {} of {}, {}", span.name, parent.label, span.bounds),
        targets: parent.targets(Mode::ShareRowExclusive),
        own: vec![Lock::new(&parent.at, Mode::ShareUpdateExclusive)],
        still: None,
        statements,
    }
}
