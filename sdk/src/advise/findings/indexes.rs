//! Indexes that are missing, and those that are there for nothing.

use std::borrow::Cow;
use std::time::Duration;

use crate::advise::advice::{Finding, FindingKind, Severity};
use crate::advise::evidence::{ForeignKey, Index, Table, TableUsage};
use crate::advise::figure::{Figure, long};
use crate::advise::options::AdviceOptions;
use crate::advise::usage::{IndexWhole, Whole};

pub(super) fn find(whole: &Whole<'_>, options: &AdviceOptions, found: &mut Vec<Finding>) {
    for (table, usage) in whole.tables() {
        found.extend(foreign_keys(table, &usage, options));
        found.extend(scans(table, &usage, options));
        for index in &table.indexes {
            let used = whole.index(table, &index.name);
            let finding = invalid(table, index, used)
                .or_else(|| duplicate(table, index, used))
                .or_else(|| unused(whole, table, &usage, index, used, options));
            found.extend(finding);
        }
    }
}

/// A delete of the row that it points at looks for rows that point there, and so does a join.
fn foreign_keys<'a>(
    table: &'a Table,
    usage: &'a TableUsage,
    options: &'a AdviceOptions,
) -> impl Iterator<Item = Finding> + 'a {
    let bare = table.foreign_keys.iter().filter(|key| !table.indexes.iter().any(|index| serves(table, key, index)));
    bare.map(move |key| {
        let is_large = usage.rows >= options.few_rows;
        let columns = key.columns.join(", ");
        let why = format!(
            "no index begins with {columns}, by which {} points at {}: a delete there, and a join, reads the whole \
             table{}",
            key.name,
            key.target,
            if is_large { "" } else { "; it has few rows still" }
        );
        let severity = if is_large { Severity::Warning } else { Severity::Note };
        let subject = format!("{} ({columns})", table.label());
        Finding::new(FindingKind::MissingIndex, severity, subject, why)
            .with([
                Figure::count("rows", usage.rows, "pg_class.reltuples"),
                Figure::count("sequential scans", usage.scans, "pg_stat_all_tables.seq_scan"),
            ])
            .action(create(table, &key.columns))
    })
}

/// Whether an index finds the rows of one value of the key: its first columns are the key's, in whatever order. The distribution column
/// may be left out, for all rows of a shard have few values of it.
fn serves(table: &Table, key: &ForeignKey, index: &Index) -> bool {
    // One on `x IS NOT NULL` has all that a key points with.
    let is_whole = index
        .predicate
        .as_ref()
        .is_none_or(|predicate| key.columns.iter().any(|column| *predicate == format!("({column} IS NOT NULL)")));
    if !is_whole || !index.is_valid || !matches!(index.method.as_str(), "btree" | "hash") {
        return false;
    }
    let first: Vec<&String> =
        index.keys.iter().map(|key| &key.text).take_while(|text| key.columns.contains(text)).collect();
    let distribution = table.entity.as_ref().and_then(|entity| entity.distribution_column);
    let is_alone = key.columns.len() == 1;
    key.columns
        .iter()
        .all(|column| first.contains(&column) || (!is_alone && distribution == Some(name_of(column).as_ref())))
}

/// A column's name, of the SQL text that the server writes for it.
fn name_of(column: &str) -> Cow<'_, str> {
    match column.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\"").into(),
        None => column.into(),
    }
}

/// How to make an index, without keeping writers waiting where PostgreSQL can do that.
fn create(table: &Table, columns: &[String]) -> String {
    let list = columns.join(", ");
    let at = table.at();
    let attribute = table.entity.as_ref().map(|entity| {
        let field =
            columns.last().and_then(|last| entity.fields.get(name_of(last).as_ref())).copied().unwrap_or_default();
        format!(" (and `#[entity(index)]` on `{}::{field}`, so that the schema knows it)", entity.name)
    });
    let attribute = attribute.unwrap_or_default();
    if table.is_partitioned() {
        // CREATE INDEX CONCURRENTLY is refused on a partitioned table.
        return format!(
            "CREATE INDEX ON {at} ({list}); -- writers wait; on plain PostgreSQL make it ON ONLY {at}, then \
             CONCURRENTLY on each partition, and \
             attach these{attribute}"
        );
    }
    format!("CREATE INDEX CONCURRENTLY ON {at} ({list});{attribute}")
}

/// A scan of each part counts, so the bound is for each.
fn scans(table: &Table, usage: &TableUsage, options: &AdviceOptions) -> Option<Finding> {
    let TableUsage { scans, scanned, parts, index_scans, .. } = *usage;
    let average = scanned.checked_div(scans).unwrap_or_default();
    let is_often = scans >= options.scans.saturating_mul(parts.max(1)) && scans > 0;
    if table.is_view() || !is_often || average < options.scanned_rows || usage.rows < options.few_rows {
        return None;
    }
    let why = "it is read from its beginning to its end, over and over. Making an index and dumping the table count \
               as well, and on Citus each \
               shard by itself";
    let finding = Finding::new(FindingKind::SequentialScans, Severity::Warning, table.label(), why)
        .with([
            Figure::count("sequential scans", scans, "pg_stat_all_tables.seq_scan"),
            Figure::count("rows read by each", average, "pg_stat_all_tables.seq_tup_read"),
            Figure::count("scans of its indexes", index_scans, "pg_stat_all_indexes.idx_scan"),
            Figure::count("rows", usage.rows, "pg_class.reltuples"),
        ])
        .action(
            "find the statement (pg_stat_statements, auto_explain), look at EXPLAIN (ANALYZE, BUFFERS), and make an \
             index on what it asks for",
        );
    Some(finding)
}

/// What CREATE INDEX CONCURRENTLY left when it was broken off. Each write keeps it up to date all the same.
fn invalid(table: &Table, index: &Index, used: IndexWhole) -> Option<Finding> {
    if index.is_valid && !used.is_broken_on_a_node {
        return None;
    }
    let why = "it was left half made: no query uses it, and each write keeps it up to date";
    let (at, name) = (table.at(), index_at(table, index));
    let finding = Finding::new(FindingKind::InvalidIndex, Severity::Warning, label(table, index), why)
        .with([Figure::bytes("size", used.bytes, "pg_relation_size")])
        .action(if table.is_partitioned() {
            format!(
                "attach an index for each partition of {at} (ALTER INDEX {name} ATTACH PARTITION …), or DROP \
                     INDEX {name};"
            )
        } else {
            // Citus has it on some nodes alone.
            format!("DROP INDEX CONCURRENTLY IF EXISTS {name}; and make it again")
        });
    Some(finding)
}

/// One whose work another one does: with the same columns first, in the same order, over the same rows.
fn duplicate(table: &Table, index: &Index, used: IndexWhole) -> Option<Finding> {
    if index.is_unique || index.is_kept {
        return None;
    }
    let other = table.indexes.iter().find(|other| replaces(other, index))?;
    let is_same = other.keys.len() == index.keys.len();
    let why = if is_same {
        format!("{} is on the same columns", other.name)
    } else {
        format!("{} begins with the same columns, and serves whatever this one does", other.name)
    };
    Some(drop_it(FindingKind::DuplicateIndex, Severity::Warning, table, index, used, why))
}

/// Whether all that `index` is good for, `other` does as well. Of two that are alike, the one with the later name goes.
fn replaces(other: &Index, index: &Index) -> bool {
    if other.name == index.name || !other.is_valid || other.method != index.method || other.predicate != index.predicate
    {
        return false;
    }
    let has_included = index
        .included
        .iter()
        .all(|column| other.included.contains(column) || other.keys.iter().any(|key| key.text == *column));
    // Only a B-tree finds by its first columns alone what it finds by all.
    let begins_alike = match index.method.as_str() {
        "btree" => other.keys.starts_with(&index.keys),
        _ => other.keys == index.keys,
    };
    let is_alike = other.keys.len() == index.keys.len() && other.included.len() == index.included.len();
    let goes_first = other.is_unique || other.is_kept || other.name < index.name;
    has_included && begins_alike && (!is_alike || goes_first)
}

/// One that nobody has used since it is counted, of a table that somebody has used.
fn unused(
    whole: &Whole<'_>,
    table: &Table,
    usage: &TableUsage,
    index: &Index,
    used: IndexWhole,
    options: &AdviceOptions,
) -> Option<Finding> {
    let counted_for = whole.counted_for?;
    let last = used.last_scan.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let is_unused = match last {
        Some(last) => last >= options.unused_after,
        None => used.scans == 0 && counted_for >= options.unused_after,
    };
    let is_used = usage.scans + usage.index_scans > 0;
    let serves_a_key = table.foreign_keys.iter().any(|key| serves(table, key, index));
    if index.is_unique || index.is_kept || serves_a_key || !is_unused || !is_used || used.bytes < options.small_bytes {
        return None;
    }
    let mut why = match last {
        Some(last) => format!("it was last used {} ago", long(last)),
        None => format!("it was not used in the {} that are counted", long(counted_for)),
    };
    if !whole.since_is_known {
        why += ", as old as the server's counters are at most";
    }
    why += "; when it was made, PostgreSQL does not tell, and what runs once a year may need it";
    // Those that did not tell may use it.
    let silent: Vec<&str> = whole.silent.iter().map(|node| node.name.as_str()).collect();
    if !silent.is_empty() {
        why += &format!("; {} did not tell whether they use it", silent.join(", "));
    }
    let severity = if silent.is_empty() { Severity::Warning } else { Severity::Note };
    Some(drop_it(FindingKind::UnusedIndex, severity, table, index, used, why))
}

fn drop_it(
    kind: FindingKind,
    severity: Severity,
    table: &Table,
    index: &Index,
    used: IndexWhole,
    why: String,
) -> Finding {
    let name = index_at(table, index);
    // An index of a partitioned table can't be dropped concurrently.
    let drop =
        if table.is_partitioned() { format!("DROP INDEX {name};") } else { format!("DROP INDEX CONCURRENTLY {name};") };
    let entity = table.entity.as_ref().map(|entity| {
        format!(" (take it from `{}` first where it is declared there, or the next apply makes it again)", entity.name)
    });
    Finding::new(kind, severity, label(table, index), why)
        .with([
            Figure::count("scans", used.scans, "pg_stat_all_indexes.idx_scan"),
            Figure::bytes("size", used.bytes, "pg_relation_size"),
        ])
        .action(format!("{drop}{}", entity.unwrap_or_default()))
}

fn label(table: &Table, index: &Index) -> String {
    format!("{} on {}", index.name, table.label())
}

fn index_at(table: &Table, index: &Index) -> String {
    crate::schema::quote_qualified(Some(&table.schema), &index.name)
}
