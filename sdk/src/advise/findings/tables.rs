//! Tables that are large, that will be, and that waste room.

use std::time::Duration;

use crate::advise::advice::{Finding, FindingKind, Severity};
use crate::advise::evidence::{Measured, Table, TableUsage};
use crate::advise::figure::{Amount, Figure, grouped, long, real, share, size};
use crate::advise::level::whole as rounded;
use crate::advise::options::AdviceOptions;
use crate::advise::usage::Whole;

pub(super) fn find(whole: &Whole<'_>, options: &AdviceOptions, found: &mut Vec<Finding>) {
    for (table, usage) in whole.tables() {
        found.extend(not_partitioned(table, &usage));
        if !table.is_view() {
            found.extend(big(whole, table, &usage, options));
        }
        found.extend(bloat(whole, table, &usage, options));
    }
}

/// The entity says so, and the table is not.
fn not_partitioned(table: &Table, usage: &TableUsage) -> Option<Finding> {
    let entity = table.entity.as_ref()?;
    let column = entity.partition_column.filter(|_| !table.is_partitioned())?;
    let why = format!("`{}` has `partition_by` on {column}, and the table is not partitioned", entity.name);
    let finding = Finding::new(FindingKind::NotPartitioned, Severity::Warning, table.label(), why)
        .with([Figure::count("rows", usage.rows, "pg_class.reltuples")])
        .action(convert(entity.name));
    Some(finding)
}

fn convert(entity: &str) -> String {
    format!("cluster.admin().partitions(&schema).convert::<{entity}>() — while it is read and written")
}

fn big(whole: &Whole<'_>, table: &Table, usage: &TableUsage, options: &AdviceOptions) -> Option<Finding> {
    let rows = Figure::count("rows", usage.rows, "pg_class.reltuples");
    let bytes = Figure::bytes("size", usage.bytes + usage.index_bytes, "pg_table_size and its indexes");
    let to_do = |finding: Finding| match table.entity.as_ref() {
        Some(entity) if entity.partition_column.is_some() => finding.action(convert(entity.name)),
        Some(entity) => {
            let column = table.times.first().map_or("created_at", String::as_str);
            finding.action(format!(
                "`#[entity(…, partition_by = monthly({column}))]` on `{}`, then {}",
                entity.name,
                convert(entity.name)
            ))
        }
        None => finding.action(format!("PARTITION BY RANGE ({})", table.times.first().map_or("…", String::as_str))),
    };
    if table.is_partitioned() {
        return None;
    }
    if usage.rows >= options.big_rows {
        let why = format!("it has more than {} rows and is one table", grouped(options.big_rows));
        return Some(to_do(
            Finding::new(FindingKind::BigTable, Severity::Warning, table.label(), why).with([rows, bytes]),
        ));
    }
    let growth = whole.growth(table).filter(|growth| growth.over >= options.settled)?;
    let left = real(options.big_rows.saturating_sub(usage.rows));
    let when = Duration::try_from_secs_f64(left / growth.per_second).ok()?;
    if when > options.horizon {
        return None;
    }
    let why = format!(
        "it will have {} rows in {}, if it goes on as in the {} that are counted",
        grouped(options.big_rows),
        long(when),
        long(growth.over)
    );
    let rate = Figure::new(
        "rows per day",
        Amount::Count(rounded(growth.per_second * 86_400.0)),
        "pg_stat_all_tables: n_tup_ins - n_tup_del",
    );
    let finding = Finding::new(FindingKind::GrowingTable, Severity::Warning, table.label(), why).with([
        rows,
        rate,
        Figure::time("until then", when, "the same"),
        bytes,
    ]);
    Some(to_do(finding))
}

fn bloat(whole: &Whole<'_>, table: &Table, usage: &TableUsage, options: &AdviceOptions) -> Option<Finding> {
    if usage.bytes < options.small_bytes {
        return None;
    }
    let dead = share(usage.dead, usage.dead + usage.live);
    let mut evidence = vec![
        Figure::bytes("size", usage.bytes, "pg_table_size"),
        Figure::count("dead rows", usage.dead, "pg_stat_all_tables.n_dead_tup"),
        Figure::percent("dead rows", dead, "pg_stat_all_tables.n_dead_tup"),
    ];
    let mut reasons = Vec::new();
    if dead >= options.bloat {
        reasons.push(
            "dead rows that VACUUM has not removed (the counter is estimated, and renewed by ANALYZE and VACUUM)"
                .to_owned(),
        );
    }
    match measured(whole, table) {
        Some(Measured { bytes, waste }) => {
            evidence.push(Figure::percent("dead or free", share(waste, bytes), "pgstattuple_approx"));
            if share(waste, bytes) >= options.bloat {
                reasons.push(format!("{} are dead or free, as measured", size(waste)));
            }
        }
        None => {
            let free = share(usage.free, usage.estimated);
            if usage.estimated > 0 {
                evidence.push(Figure::percent("free, estimated", free, "pg_stats and pg_class.relpages"));
            }
            if usage.estimated >= options.small_bytes && free >= options.bloat {
                reasons.push(format!(
                    "about {} that its rows don't need, by the width of the rows that ANALYZE saw: right to a fifth \
                     or so, and as old as its last ANALYZE",
                    size(usage.free)
                ));
            }
        }
    }
    if reasons.is_empty() {
        return None;
    }
    let at = table.at();
    let finding = Finding::new(FindingKind::Bloat, Severity::Warning, table.label(), reasons.join("; "))
        .with(evidence)
        .action(format!(
            "VACUUM (ANALYZE) {at}; and look why autovacuum did not: autovacuum_vacuum_scale_factor, long \
                        transactions, slots"
        ))
        .action(format!(
            "pg_repack, or VACUUM FULL {at} in a maintenance window, gives the room back to the disk; \
                        VACUUM alone gives it to new rows"
        ));
    let has_tool = whole.primaries().any(|(_, server)| server.has("pgstattuple"));
    Some(match measured(whole, table) {
        Some(_) => finding,
        None if has_tool => finding.action(format!(
            "SELECT * FROM pgstattuple_approx('{at}') measures it, reading what VACUUM left something in"
        )),
        None => finding.action("CREATE EXTENSION pgstattuple: with it, it can be measured (`measures_bloat`)"),
    })
}

fn measured(whole: &Whole<'_>, table: &Table) -> Option<Measured> {
    let key = (table.schema.clone(), table.name.clone());
    let all = whole.evidence.nodes.iter().filter_map(|node| node.measured.get(&key));
    all.copied().reduce(|one, other| Measured { bytes: one.bytes + other.bytes, waste: one.waste + other.waste })
}
