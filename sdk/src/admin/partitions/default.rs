//! The default partition: makes one where somebody wants it, and moves its rows to where they belong.
//!
//! As long as it has rows of an interval, that interval's partition can't be there: PostgreSQL looks for them. So the rows
//! change places in the transaction that attaches the partition, under locks that keep everybody from the table. How that is
//! done depends on how many there are: a few are moved; where the default partition has rows of this interval alone, it
//! becomes the partition itself, and no row is moved.

use super::changes::{Action, Change};
use super::create::{attach, standalone};
use super::ground::{Ground, Parent, refused};
use super::work::Rest;
use super::{convert, window};
use crate::admin::inspect::LivePartition;
use crate::admin::locks::{self, Lock, Mode};
use crate::admin::wire::{column, micros, only};
use crate::error::Result;
use crate::schema::partition::{self, Span};
use crate::schema::{Bound, Bounds, names, quote_ident, quote_qualified};

/// So many rows are moved while the table is locked: less than a second's work.
const MOST_MOVED: u64 = 20_000;

pub(super) fn name(parent: &Parent) -> String {
    names::partition(parent.def, "default")
}

/// Makes the default partition, where there is none.
pub(super) async fn create(ground: &Ground, parent: &Parent, changes: &mut Vec<Change>) -> Result<()> {
    if parent.default_partition().is_some() {
        return Ok(());
    }
    let name = name(parent);
    let mut change = parent.change(Action::CreateDefault, &name, None);
    change.statements = standalone(ground, parent, &name).await?;
    let span = Span { name, bounds: Bounds { from: Bound::Min, to: Bound::Max } };
    let mut how = attach(parent, &span, Vec::new());
    how.title = format!("create the default partition of {}", parent.label);
    how.statements = vec![parent.attach(&span.name, None)];
    ground.make(change, how, changes).await
}

/// Drops the default partition, where it has no rows.
pub(super) async fn drop_empty(ground: &Ground, parent: &Parent, changes: &mut Vec<Change>) -> Result<()> {
    let Some(default) = parent.default_partition() else { return Ok(()) };
    let is_empty = format!("SELECT count(*) = 0 FROM (SELECT 1 FROM {} LIMIT 1) one", default.at());
    if !column::<bool>(only(&ground.ask(&is_empty).await?)?, 0)? {
        return Ok(());
    }
    let how = locks::Change {
        title: format!("drop the default partition of {}, which has no rows", parent.label),
        targets: Vec::new(),
        own: parent.closed_with(&[default.at()]),
        still: Some(is_empty),
        statements: vec![format!("DROP TABLE {}", default.at())],
    };
    ground.make(parent.change(Action::Drop, &default.name, None), how, changes).await
}

/// Moves all rows of the default partition to partitions of their own.
pub(super) async fn drain(ground: &Ground, parent: &Parent, changes: &mut Vec<Change>) -> Result<Rest> {
    let Some(default) = parent.default_partition() else { return Ok(Rest::Nothing) };
    if end_split(ground, parent, default, changes).await? == Rest::Again {
        return Ok(Rest::Again);
    }
    let mut covered = parent.bounds();
    // What is made in one round is not asked for in the next: each starts at the first row that is left.
    while let Some(first) = first_row(ground, parent, default, &covered).await? {
        let Some(interval) = partition::around(parent.def, first) else {
            let message = format!("{} has rows from {first}: change or delete them", default.name);
            return Err(refused(message));
        };
        let of_row = |bounds: &Bounds| bounds.from <= first && first < bounds.to;
        let bounds = window::uncovered(&covered, interval.bounds).into_iter().find(of_row).unwrap_or(interval.bounds);
        for span in partition::cover(parent.def, bounds).unwrap_or_default() {
            covered.push(span.bounds);
            if carve(ground, parent, default, &span, changes).await? == Rest::Again {
                return Ok(Rest::Again);
            }
        }
    }
    Ok(Rest::Nothing)
}

/// The time of a row in the default partition, of those that no partition covers or will cover.
async fn first_row(
    ground: &Ground,
    parent: &Parent,
    default: &LivePartition,
    covered: &[Bounds],
) -> Result<Option<Bound>> {
    let not_covered: Vec<String> =
        covered.iter().map(|bounds| format!(" AND NOT ({})", parent.within(*bounds))).collect();
    let sql = format!(
        "SELECT {} FROM {} WHERE pg_catalog.isfinite({}){}",
        micros(&format!("min({})::timestamptz", parent.column())),
        default.at(),
        parent.column(),
        not_covered.concat()
    );
    Ok(asked(ground, &sql).await?.map(Bound::from_micros))
}

/// Ends a split that was begun and broken off: triggers write all changes twice until then.
pub(super) async fn end_split(
    ground: &Ground,
    parent: &Parent,
    default: &LivePartition,
    changes: &mut Vec<Change>,
) -> Result<Rest> {
    if !convert::has_begun(ground, default).await? {
        return Ok(Rest::Nothing);
    }
    convert::split_default(ground, parent, default, changes).await?;
    Ok(Rest::Again)
}

/// Makes a partition of a table that has a default partition, with the rows that are there.
pub(super) async fn carve(
    ground: &Ground,
    parent: &Parent,
    default: &LivePartition,
    span: &Span,
    changes: &mut Vec<Change>,
) -> Result<Rest> {
    let within = parent.within(span.bounds);
    let count = |condition: &str| format!("SELECT count(*) FROM {} WHERE {condition}", default.at());
    let rows = asked(ground, &count(&within)).await?.unwrap_or_default().unsigned_abs();
    if rows == 0 {
        match move_rows(ground, parent, default, span, 0, changes).await {
            // Some have come since they were counted.
            Err(error) if error.is_check_violation() => {}
            outcome => return outcome.map(|()| Rest::Nothing),
        }
    }
    if rows <= MOST_MOVED {
        move_rows(ground, parent, default, span, rows.max(1), changes).await?;
        return Ok(Rest::Nothing);
    }
    check_rows_can_move(parent)?;
    let others = asked(ground, &count(&format!("NOT ({within})"))).await?.unwrap_or_default();
    if others == 0 {
        adopt(ground, parent, default, span, rows, changes).await?;
    } else {
        convert::split_default(ground, parent, default, changes).await?;
    }
    Ok(Rest::Again)
}

/// Moved rows are deleted in one table and inserted in another, as far as triggers and foreign keys can tell.
fn check_rows_can_move(parent: &Parent) -> Result<()> {
    let what = if let Some(trigger) = parent.relation.triggers.first() {
        format!("the trigger {trigger} would take that for a delete")
    } else if let Some(table) = parent.relation.referenced_by.first() {
        format!("a foreign key of {table} points at them")
    } else {
        return Ok(());
    };
    Err(refused(format!("the rows in the default partition of {} can't be moved: {what}; drop it first", parent.label)))
}

async fn move_rows(
    ground: &Ground,
    parent: &Parent,
    default: &LivePartition,
    span: &Span,
    rows: u64,
    changes: &mut Vec<Change>,
) -> Result<()> {
    if rows > 0 {
        check_rows_can_move(parent)?;
    }
    let action = if rows == 0 { Action::Create } else { Action::CreateWithRows };
    let mut change = parent.change(action, &span.name, Some(span.bounds));
    change.rows = Some(rows);
    change.statements = standalone(ground, parent, &span.name).await?;
    let (new, within) = (quote_qualified(Some(&parent.relation.schema), &span.name), parent.within(span.bounds));
    let columns = parent.written_columns();
    let moved = vec![
        format!(
            "INSERT INTO {new} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {} WHERE {within}",
            default.at()
        ),
        format!("DELETE FROM {} WHERE {within}", default.at()),
    ];
    let mut how = attach(parent, span, if rows == 0 { Vec::new() } else { moved });
    // A reader that has the list of partitions already must not look for moved rows where they were.
    let mode = if rows == 0 { Mode::ShareUpdateExclusive } else { Mode::AccessExclusive };
    how.own = vec![Lock::new(&parent.at, mode), Lock::new(default.at(), Mode::AccessExclusive)];
    how.still = Some(parent.still_has(default));
    ground.make(change, how, changes).await
}

/// The default partition has rows of this interval alone.
async fn adopt(
    ground: &Ground,
    parent: &Parent,
    default: &LivePartition,
    span: &Span,
    rows: u64,
    changes: &mut Vec<Change>,
) -> Result<()> {
    // The name of the new one is free when the old one has its own.
    let fresh = names::partition(parent.def, "default_next");
    let mut change = parent.change(Action::AdoptDefault, &span.name, Some(span.bounds));
    change.rows = Some(rows);
    change.statements = standalone(ground, parent, &fresh).await?;
    let schema = &parent.relation.schema;
    let statements = vec![
        format!("ALTER TABLE {} DETACH PARTITION {}", parent.at, default.at()),
        format!("ALTER TABLE {} RENAME TO {}", default.at(), quote_ident(&span.name)),
        format!("ALTER TABLE {} RENAME TO {}", quote_qualified(Some(schema), &fresh), quote_ident(&default.name)),
        parent.attach(&span.name, Some(span.bounds)),
        parent.attach(&default.name, None),
    ];
    let how = locks::Change {
        title: format!("make {} of the default partition of {}", span.name, parent.label),
        targets: parent.targets(Mode::AccessExclusive),
        own: parent.closed_with(&[default.at()]),
        still: Some(parent.still_has(default)),
        statements,
    };
    ground.make(change, how, changes).await
}

/// A number; `None` where there is none.
async fn asked(ground: &Ground, sql: &str) -> Result<Option<i64>> {
    column(only(&ground.ask(sql).await?)?, 0)
}
