//! The partitioned table beside the source.

use std::collections::BTreeSet;

use tokio_postgres::types::Type;

use super::source::Source;
use super::{NEW, OLD, along, mirror};
use crate::admin::locks::{self, Lock, Mode};
use crate::admin::partitions::default;
use crate::admin::partitions::ground::{Ground, Parent, refused};
use crate::admin::partitions::window;
use crate::admin::wire::{column, micros, only};
use crate::error::Result;
use crate::schema::partition::{self, Span};
use crate::schema::{Bound, Interval, ddl, names, quote_ident, quote_literal, quote_qualified};

/// Each is a table on each shard.
const MOST_PARTITIONS: usize = 1_000;

/// What takes the source's rows.
pub(super) struct Shadow {
    name: String,
    /// Its name as SQL text.
    pub(super) at: String,
    pub(super) spans: Vec<Span>,
    /// The name of its default partition: rows may come that no span takes.
    pub(super) default: String,
    pub(super) was_there: bool,
}

impl Shadow {
    /// The name of one of its partitions, as SQL text.
    pub(super) fn part(name: &str) -> String {
        quote_qualified(Some(NEW), name)
    }
}

/// The partitions for the rows that the source has, beside those of the parent.
pub(super) async fn spans(ground: &Ground, parent: &Parent, source: &Source) -> Result<Vec<Span>> {
    let unit = match parent.def.partition.map(|partition| partition.interval) {
        Some(Interval::Daily) => "day",
        Some(Interval::Weekly) => "week",
        Some(Interval::Yearly) => "year",
        Some(Interval::Monthly) | None => "month",
    };
    let column_name = parent.column();
    let start = micros(&format!("pg_catalog.date_trunc('{unit}', {column_name}::timestamptz)"));
    let sql = format!("SELECT DISTINCT {start} FROM {} WHERE pg_catalog.isfinite({column_name})", source.at);
    let mut starts = BTreeSet::new();
    for row in ground.ask(&sql).await? {
        starts.insert(Bound::from_micros(column(&row, 0)?));
    }
    if starts.len() > MOST_PARTITIONS {
        return Err(refused(format!(
            "the rows of {} lie in {} intervals, and more than {MOST_PARTITIONS} partitions are too many to plan statements \
             with: give the entity a longer interval",
            source.at,
            starts.len()
        )));
    }
    let live = parent.bounds();
    let intervals = starts.into_iter().filter_map(|start| partition::around(parent.def, start));
    let parts = intervals.flat_map(|span| window::uncovered(&live, span.bounds));
    Ok(parts.filter_map(|bounds| partition::cover(parent.def, bounds)).flatten().collect())
}

/// Makes it, or finds it made: with these partitions and a default one, the parent's foreign keys and protection, and the
/// triggers that write to it; and what else the source has.
pub(super) async fn ensure(
    ground: &Ground,
    parent: &Parent,
    source: &Source,
    name: String,
    spans: Vec<Span>,
) -> Result<Shadow> {
    let mut shadow =
        Shadow { at: quote_qualified(Some(NEW), &name), name, spans, default: default::name(parent), was_there: false };
    match read(ground, &source.at).await? {
        Some(has_begun) => {
            shadow.was_there = true;
            shadow.spans = spans_of(ground, source, &shadow.name).await?;
            check_triggers(ground, source, has_begun).await?;
        }
        None => create(ground, parent, source, &shadow).await?,
    }
    add_foreign_keys(ground, parent, source, &shadow).await?;
    if !triggers_are_on(ground, source).await? {
        // A default partition has what its parent has.
        if source.at == parent.at {
            along::take(ground, parent, source, &shadow).await?;
        }
        begin_mirror(ground, parent, source, &shadow).await?;
    }
    Ok(shadow)
}

/// The partitions that it was made with, but for the default one.
async fn spans_of(ground: &Ground, source: &Source, name: &str) -> Result<Vec<Span>> {
    let found = ground.read_relations(&[(NEW.to_owned(), name.to_owned())]).await?;
    let Some(shadow) = found.into_iter().next() else {
        return Err(refused(format!(
            "{NEW}.conversions has {}, and its copy is gone: drop the schema {NEW} with CASCADE, and run it again",
            source.at
        )));
    };
    let named =
        shadow.partitions.iter().filter_map(|part| Some(Span { name: part.name.clone(), bounds: part.bounds()? }));
    let mut spans: Vec<Span> = named.collect();
    spans.sort_by_key(|span| span.bounds.from);
    Ok(spans)
}

/// Whether any rows were copied of this table, whose name is SQL text; `None` where nothing has begun.
pub(super) async fn read(ground: &Ground, source: &str) -> Result<Option<bool>> {
    let table = format!("{NEW}.conversions");
    if !ground.has_table(&table).await? {
        return Ok(None);
    }
    let sql = format!("SELECT tenant IS NOT NULL FROM {table} WHERE source = $1");
    let rows = ground.desk.query(&sql, &[(&source, Type::TEXT)]).await?;
    rows.first().map(|row| column(row, 0)).transpose()
}

async fn check_triggers(ground: &Ground, source: &Source, has_begun: bool) -> Result<()> {
    if has_begun && !triggers_are_on(ground, source).await? {
        return Err(refused(format!(
            "the triggers of {} that write to its copy are gone or off: drop the schema {NEW} with CASCADE, and run it again",
            source.at
        )));
    }
    Ok(())
}

async fn triggers_are_on(ground: &Ground, source: &Source) -> Result<bool> {
    column(only(&ground.ask(&mirror::is_on(&source.at)).await?)?, 0)
}

/// The statements that make it, without foreign keys and triggers.
pub(super) fn statements(ground: &Ground, parent: &Parent, source: &Source, shadow: &Shadow) -> Vec<String> {
    let (def, at) = (parent.def, &shadow.at);
    let mut statements = vec![
        format!("CREATE SCHEMA IF NOT EXISTS {NEW}"),
        format!("CREATE SCHEMA IF NOT EXISTS {OLD}"),
        format!(
            "CREATE TABLE IF NOT EXISTS {NEW}.conversions (source text PRIMARY KEY, tenant text, last_key text[], \
             copied bigint NOT NULL DEFAULT 0, began timestamptz NOT NULL DEFAULT pg_catalog.now())"
        ),
        ddl::create_table(def, at),
    ];
    statements.extend(def.indexes.iter().map(|index| ddl::create_index(def, index, at)));
    for span in &shadow.spans {
        statements.push(format!(
            "CREATE TABLE {} PARTITION OF {at} ({}) {}",
            Shadow::part(&span.name),
            parent.check_of(span.bounds),
            parent.for_values(Some(span.bounds))
        ));
    }
    statements.push(format!("CREATE TABLE {} PARTITION OF {at} DEFAULT", Shadow::part(&shadow.default)));
    statements.extend(ground.distribute(parent, at));
    statements.extend(ground.protection_of_table(parent, &parent.label, at));
    for name in shadow.spans.iter().map(|span| &span.name).chain([&shadow.default]) {
        statements.extend(ground.protection(parent, name, &Shadow::part(name)));
    }
    statements.extend(source.facts.grants.iter().map(|grant| format!("GRANT {}", grant.replacen("%s", at, 1))));
    if !source.facts.is_owned {
        statements.push(format!("ALTER TABLE {at} OWNER TO {}", quote_ident(&source.facts.owner)));
    }
    statements
}

async fn create(ground: &Ground, parent: &Parent, source: &Source, shadow: &Shadow) -> Result<()> {
    let mut statements = statements(ground, parent, source, shadow);
    statements.push(format!("INSERT INTO {NEW}.conversions (source) VALUES ({})", quote_literal(&source.at)));
    let made = ground.execute(&statements).await;
    made.map_err(|error| error.during(format!("make the partitioned copy of {}", source.at)))
}

/// Empty as it is, it makes nobody wait for them; the tables that they point at are locked for a moment.
async fn add_foreign_keys(ground: &Ground, parent: &Parent, source: &Source, shadow: &Shadow) -> Result<()> {
    let found = ground.read_relations(&[(NEW.to_owned(), shadow.name.clone())]).await?;
    let has: Vec<&str> = found.iter().flat_map(|shadow| &shadow.constraints).map(|known| known.name.as_str()).collect();
    let missing =
        parent.def.foreign_keys.iter().filter(|key| !has.contains(&names::foreign_key(parent.def, key).as_str()));
    let statements: Vec<String> = missing.map(|key| ddl::add_foreign_key(parent.def, key, &shadow.at)).collect();
    if statements.is_empty() {
        return Ok(());
    }
    let change = locks::Change {
        title: format!("give the copy of {} its foreign keys", source.at),
        targets: parent.targets(Mode::ShareRowExclusive),
        own: Vec::new(),
        still: None,
        statements,
    };
    ground.change(&change).await
}

async fn begin_mirror(ground: &Ground, parent: &Parent, source: &Source, shadow: &Shadow) -> Result<()> {
    let server = ground.target.server();
    let statements = server.allow_triggers(mirror::begin(parent, &source.at, &shadow.at, server));
    let change = locks::Change {
        title: format!("write changes of {} to its copy as well", source.at),
        targets: Vec::new(),
        own: vec![Lock::new(&source.at, Mode::ShareRowExclusive)],
        still: None,
        statements,
    };
    ground.change(&change).await
}
