//! A table that is not partitioned becomes one that is.

use std::time::Duration;

use tokio::time::Instant;

use super::copy::Copying;
use super::shadow::{self, Shadow};
use super::source::Source;
use super::verify::verify;
use super::{Conversion, ConvertOptions, LOCK, OLD, along, swap};
use crate::admin::partitions::ground::{Ground, Parent, refused};
use crate::admin::placement;
use crate::admin::steps::Steps;
use crate::error::Result;
use crate::schema::{partition, quote_qualified};

pub(in crate::admin::partitions) async fn convert(
    ground: &Ground,
    parent: &Parent,
    options: &ConvertOptions,
    steps: &mut Steps<'_>,
) -> Result<Conversion> {
    if ground.is_dry_run {
        return run(ground, parent, options, steps).await;
    }
    take_turn(ground).await?;
    let outcome = run(ground, parent, options, steps).await;
    end_turn(ground).await;
    outcome
}

async fn run(ground: &Ground, parent: &Parent, options: &ConvertOptions, steps: &mut Steps<'_>) -> Result<Conversion> {
    let since = Instant::now();
    if parent.relation.is_partitioned() {
        return Err(refused(format!("{} is partitioned already", parent.label)));
    }
    let (schema, name) = (&parent.relation.schema, &parent.relation.name);
    let source = Source::read(ground, parent, schema, name, parent.at.clone()).await?;
    source.check(ground, parent)?;
    check_columns(parent)?;
    let old = quote_qualified(Some(OLD), name);
    if ground.has_table(&old).await? {
        return Err(refused(format!("there is a {old} from an earlier time: drop it first")));
    }

    let mut spans = shadow::spans(ground, parent, &source).await?;
    for span in partition::window(parent.def, ground.session.today, partition::AHEAD) {
        if !spans.contains(&span) {
            spans.push(span);
        }
    }
    let mut conversion = Conversion {
        table: parent.label.clone(),
        is_dry_run: ground.is_dry_run,
        was_resumed: false,
        partitions: names(&spans),
        rows: None,
        copied: 0,
        old_table: old,
        took: since.elapsed(),
    };
    if ground.is_dry_run {
        return Ok(conversion);
    }
    ground.take_turn(steps).await?;
    let shadow = shadow::ensure(ground, parent, &source, name.clone(), spans).await?;
    // Copying takes long, and services that start apply their schema.
    ground.end_turn().await?;
    let copied = Copying { ground, parent, source: &source, shadow: &shadow.at, options }.run(steps).await?;
    steps.aside("compare the table with its copy");
    let rows = verify(ground, parent, &source, &shadow.at).await?;
    ground.take_turn(steps).await?;
    along::check(ground, &source, &shadow).await?;
    steps.aside("put the partitioned table in its place");
    swap::table(ground, parent, &source, &shadow).await?;
    ground.end_turn().await?;
    let Shadow { spans, was_there, .. } = shadow;
    (conversion.partitions, conversion.was_resumed) = (names(&spans), was_there);
    (conversion.rows, conversion.copied, conversion.took) = (Some(rows), copied, since.elapsed());
    Ok(conversion)
}

fn names(spans: &[partition::Span]) -> Vec<String> {
    spans.iter().map(|span| span.name.clone()).collect()
}

/// The copy is made from the entity.
fn check_columns(parent: &Parent) -> Result<()> {
    let (def, live) = (parent.def, &parent.relation.columns);
    let unknown = live.iter().find(|column| def.column(&column.name).is_none());
    let missing = def.columns.iter().find(|column| live.iter().all(|live| live.name != column.name));
    let what = match (unknown, missing) {
        (Some(column), _) => format!("the column {}, which no entity knows", column.name),
        (None, Some(column)) => format!("no column {}", column.name),
        (None, None) => return Ok(()),
    };
    Err(refused(format!(
        "{} has {what}: bring the table and the entity together first; `diff` tells all",
        parent.label
    )))
}

/// Two that copy one table would only be in each other's way, and shards have to stay where they are. One that was just broken
/// off has its lock for a moment yet.
pub(super) async fn take_turn(ground: &Ground) -> Result<()> {
    const PATIENCE: Duration = Duration::from_secs(5);
    let others = [(LOCK, "putting rows of this database into partitions"), (placement::LOCK, "moving shards")];
    let since = Instant::now();
    for (lock, does) in others {
        while !ground.desk.try_turn(lock).await? {
            if since.elapsed() > PATIENCE {
                return Err(refused(format!("somebody else is {does}: wait for that, and run it again")));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    Ok(())
}

pub(super) async fn end_turn(ground: &Ground) {
    for lock in [placement::LOCK, LOCK] {
        // Where the session is lost, so is the lock.
        drop(ground.desk.end_turn(lock).await);
    }
}
