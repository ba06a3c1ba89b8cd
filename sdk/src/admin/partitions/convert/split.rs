//! A default partition with many rows of several intervals.

use std::time::Instant;

use super::copy::Copying;
use super::source::Source;
use super::table::{end_turn, take_turn};
use super::verify::verify;
use super::{ConvertOptions, shadow, swap};
use crate::admin::inspect::LivePartition;
use crate::admin::partitions::changes::{Action, Change};
use crate::admin::partitions::ground::{Ground, Parent};
use crate::admin::steps::Steps;
use crate::error::Result;
use crate::schema::names;
use crate::schema::partition::Span;

/// Whether that was begun, and not ended.
pub(in crate::admin::partitions) async fn has_begun(ground: &Ground, default: &LivePartition) -> Result<bool> {
    Ok(shadow::read(ground, &default.at()).await?.is_some())
}

/// Makes the partitions that it has rows for; what has no place in them is in the new default partition.
pub(in crate::admin::partitions) async fn split_default(
    ground: &Ground,
    parent: &Parent,
    default: &LivePartition,
    changes: &mut Vec<Change>,
) -> Result<()> {
    let since = Instant::now();
    let source = Source::read(ground, parent, &default.schema, &default.name, default.at()).await?;
    let spans = shadow::spans(ground, parent, &source).await?;
    if ground.is_dry_run {
        changes.extend(spans.iter().map(|span| parent.change(Action::CreateWithRows, &span.name, Some(span.bounds))));
        return Ok(());
    }
    take_turn(ground).await?;
    let outcome = copy_and_swap(ground, parent, &source, spans).await;
    end_turn(ground).await;
    let (spans, statements) = outcome?;
    for span in spans {
        let mut change = parent.change(Action::CreateWithRows, &span.name, Some(span.bounds));
        (change.statements, change.took) = (statements.clone(), Some(since.elapsed()));
        changes.push(change);
    }
    Ok(())
}

/// Returns the partitions that were made, and the statements that put them in their place.
async fn copy_and_swap(
    ground: &Ground,
    parent: &Parent,
    source: &Source,
    spans: Vec<Span>,
) -> Result<(Vec<Span>, Vec<String>)> {
    let shadow = shadow::ensure(ground, parent, source, names::partition(parent.def, "rows"), spans).await?;
    let mut silent = |_: crate::admin::Progress<'_>| {};
    let (mut steps, options) = (Steps::new(&mut silent), ConvertOptions::default());
    // Copying takes long, and services that start apply their schema.
    ground.end_turn().await?;
    let copying = async {
        Copying { ground, parent, source, shadow: &shadow.at, options: &options }.run(&mut steps).await?;
        verify(ground, parent, source, &shadow.at).await
    };
    let copied = copying.await;
    // Failed or not: other tables may come after this one.
    ground.take_turn(&mut steps).await?;
    copied?;
    let swap = swap::default(ground, parent, source, &shadow);
    ground.change(&swap).await?;
    Ok((shadow.spans, swap.statements))
}
