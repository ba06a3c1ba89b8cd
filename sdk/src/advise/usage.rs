//! What all nodes have and did, taken together.

use std::collections::BTreeMap;
use std::time::Duration;

use super::evidence::{Evidence, Node, Table, TableUsage};
use super::figure::real;
use super::options::AdviceOptions;

/// What all nodes have of all tables.
pub(super) struct Whole<'a> {
    pub(super) evidence: &'a Evidence,
    tables: BTreeMap<(&'a str, &'a str), TableUsage>,
    growths: BTreeMap<(&'a str, &'a str), Growth>,
    indexes: BTreeMap<(&'a str, &'a str, String), IndexWhole>,
    /// By co-location group: of each node its bytes, and of each shard.
    pub(super) groups: BTreeMap<i32, Group<'a>>,
    /// For how long all of them have counted.
    pub(super) counted_for: Option<Duration>,
    /// Whether that is since somebody reset the counters, and not since the server began.
    pub(super) since_is_known: bool,
    /// Nodes that did not tell of their tables.
    pub(super) silent: Vec<&'a Node>,
    pub(super) sizes_are_exact: bool,
}

/// How an index was used everywhere.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct IndexWhole {
    pub(super) scans: u64,
    pub(super) bytes: u64,
    /// How long ago it was last used, where a server tells.
    pub(super) last_scan: Option<f64>,
    pub(super) is_broken_on_a_node: bool,
}

/// How fast a table grows: what its primaries have gained, each in the time that it has counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Growth {
    /// Rows per second.
    pub(super) per_second: f64,
    /// The shortest of these times.
    pub(super) over: Duration,
}

/// The shards of tables that are together.
#[derive(Debug, Default)]
pub(super) struct Group<'a> {
    pub(super) nodes: BTreeMap<&'a str, u64>,
    pub(super) shards: Vec<(&'a str, &'a str, u64)>,
}

impl<'a> Whole<'a> {
    pub(super) fn of(evidence: &'a Evidence) -> Self {
        let mut whole = Self {
            evidence,
            tables: BTreeMap::new(),
            growths: BTreeMap::new(),
            indexes: BTreeMap::new(),
            groups: BTreeMap::new(),
            counted_for: None,
            since_is_known: true,
            silent: Vec::new(),
            sizes_are_exact: true,
        };
        let described = evidence.tables.as_deref().unwrap_or_default();
        for node in &evidence.nodes {
            whole.node(node, described);
        }
        // One that has nothing of a group is the emptiest of it.
        let takers = evidence.nodes.iter().filter(|node| node.is_primary() && node.takes_shards && node.usage.is_ok());
        for node in takers {
            for group in whole.groups.values_mut() {
                group.nodes.entry(&node.name).or_default();
            }
        }
        whole
    }

    fn node(&mut self, node: &'a Node, described: &'a [Table]) {
        let Ok(usage) = &node.usage else {
            self.silent.push(node);
            return;
        };
        let age = node.server.as_ref().ok().and_then(super::evidence::Server::counted_for);
        if let Ok(server) = &node.server {
            // The youngest counter is what all can be held against.
            self.counted_for = match (self.counted_for, age) {
                (Some(other), Some(age)) => Some(other.min(age)),
                (other, age) => other.or(age),
            };
            self.since_is_known &= server.since_is_known;
        }
        self.sizes_are_exact &= usage.sizes_are_exact;
        for table in &usage.tables {
            let whole = self.tables.entry((&table.schema, &table.name)).or_default();
            add(whole, table, node.is_primary());
            if let (true, Some(over)) = (node.is_primary(), age) {
                self.grow(table, over);
            }
        }
        for index in &usage.indexes {
            let table = described.iter().find(|table| table.schema == index.schema && table.name == index.table);
            let name = table.map_or_else(|| index.name.clone(), |table| name_of(table, &index.name).to_owned());
            let whole = self.indexes.entry((&index.schema, &index.table, name)).or_default();
            whole.scans += index.scans;
            whole.last_scan = [whole.last_scan, index.last_scan].into_iter().flatten().reduce(f64::min);
            whole.is_broken_on_a_node |= !index.is_valid;
            if node.is_primary() {
                whole.bytes += index.bytes;
            }
        }
        if !node.is_primary() {
            return;
        }
        for (colocation, low, bytes) in &usage.shards {
            let group = self.groups.entry(*colocation).or_default();
            *group.nodes.entry(&node.name).or_default() += bytes;
            group.shards.push((&node.name, low, *bytes));
        }
    }

    fn grow(&mut self, table: &'a TableUsage, over: Duration) {
        if over.is_zero() {
            return;
        }
        let per_second = (real(table.inserted) - real(table.deleted)) / over.as_secs_f64();
        let growth = self.growths.entry((&table.schema, &table.name)).or_insert(Growth { per_second: 0.0, over });
        // Where each has all of it, the most is all.
        let all = match table.is_everywhere {
            true => growth.per_second.max(per_second),
            false => growth.per_second + per_second,
        };
        *growth = Growth { per_second: all, over: growth.over.min(over) };
    }

    /// How fast a table grows, where it does.
    pub(super) fn growth(&self, table: &Table) -> Option<Growth> {
        let growth = self.growths.get(&(table.schema.as_str(), table.name.as_str())).copied();
        growth.filter(|growth| growth.per_second > 0.0)
    }

    fn table<'b>(&'b self, table: &'b Table) -> Option<&'b TableUsage> {
        self.tables.get(&(table.schema.as_str(), table.name.as_str()))
    }

    pub(super) fn index(&self, table: &Table, index: &str) -> IndexWhole {
        self.indexes.get(&(table.schema.as_str(), table.name.as_str(), index.to_owned())).copied().unwrap_or_default()
    }

    /// The tables, with what is known of them.
    pub(super) fn tables(&self) -> impl Iterator<Item = (&'a Table, TableUsage)> + '_ {
        let tables = self.evidence.tables.as_deref().unwrap_or_default();
        tables.iter().map(|table| (table, self.table(table).cloned().unwrap_or_default()))
    }

    /// The nodes that take writes and that told of themselves.
    pub(super) fn primaries(&self) -> impl Iterator<Item = (&'a Node, &'a super::evidence::Server)> + '_ {
        self.servers().filter(|(node, _)| node.is_primary())
    }

    pub(super) fn servers(&self) -> impl Iterator<Item = (&'a Node, &'a super::evidence::Server)> + '_ {
        self.evidence.nodes.iter().filter_map(|node| Some((node, node.server.as_ref().ok()?)))
    }
}

/// Standbys have the same rows, and are scanned by others.
fn add(whole: &mut TableUsage, part: &TableUsage, is_primary: bool) {
    whole.scans += part.scans;
    whole.scanned += part.scanned;
    whole.index_scans += part.index_scans;
    if !is_primary {
        return;
    }
    whole.is_everywhere |= part.is_everywhere;
    // Where each has all of it, the most is all.
    let merge: fn(u64, u64) -> u64 = if whole.is_everywhere { Ord::max } else { std::ops::Add::add };
    for (whole, part) in [
        (&mut whole.rows, part.rows),
        (&mut whole.live, part.live),
        (&mut whole.dead, part.dead),
        (&mut whole.inserted, part.inserted),
        (&mut whole.deleted, part.deleted),
        (&mut whole.bytes, part.bytes),
        (&mut whole.index_bytes, part.index_bytes),
        (&mut whole.estimated, part.estimated),
        (&mut whole.free, part.free),
    ] {
        *whole = merge(*whole, part);
    }
    whole.parts += part.parts;
}

/// The index of a table that a shard's index is a part of. Citus cuts a long name off for the shard's number, and puts eight digits of its hash
/// there.
fn name_of<'a>(table: &'a Table, name: &'a str) -> &'a str {
    const HASH: usize = "_12345678".len();
    if table.indexes.iter().any(|index| index.name == name) {
        return name;
    }
    let Some(start) = name.len().checked_sub(HASH).and_then(|at| name.get(..at)) else { return name };
    let mut alike = table.indexes.iter().filter(|index| index.name.starts_with(start) && !start.is_empty());
    match (alike.next(), alike.next()) {
        (Some(one), None) => &one.name,
        _ => name,
    }
}

/// How much there is of everything.
#[derive(Debug, Clone, Default)]
pub(super) struct Totals {
    /// Of clients; `None` where no server told.
    pub(super) sessions: Option<u64>,
    pub(super) rate: Option<(f64, Rate)>,
    pub(super) bytes: u64,
    /// The table of most rows.
    pub(super) largest: Option<(String, u64)>,
}

/// From what a rate of statements is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rate {
    Statements,
    Transactions,
    Watched,
}

impl Rate {
    pub(super) fn source(self) -> &'static str {
        match self {
            Self::Statements => "pg_stat_statements",
            Self::Transactions | Self::Watched => "pg_stat_database",
        }
    }

    pub(super) fn caution(self) -> &'static str {
        match self {
            Self::Statements => "on average since they are counted, which the peak is above",
            Self::Transactions => {
                "transactions, on average since they are counted: each may have several statements, and the peak is \
                 above"
            }
            Self::Watched => "transactions that ended while they were watched: each may have several statements",
        }
    }
}

impl Totals {
    pub(super) fn of(whole: &Whole<'_>, options: &AdviceOptions) -> Self {
        let sessions = whole.servers().map(|(_, server)| server.sessions.clients).reduce(|one, other| one + other);
        let sum = |rates: Vec<f64>| rates.into_iter().reduce(|one, other| one + other);
        let settled = options.settled.as_secs_f64().max(1.0);
        let average = |count: u64, since: Option<f64>| Some(real(count) / since.filter(|seconds| *seconds >= settled)?);
        let statements = |node: &Node| {
            let statements = node.statements.as_ref()?.as_ref().ok()?;
            average(statements.calls, statements.since)
        };
        let transactions = |node: &Node| {
            let server = node.server.as_ref().ok()?;
            average(server.transactions, server.since)
        };
        let watched = |node: &Node| {
            let (count, time) = node.watched?;
            Some(real(count) / time.as_secs_f64().max(0.001))
        };
        let nodes = &whole.evidence.nodes;
        let rates = [
            (sum(nodes.iter().filter_map(statements).collect()), Rate::Statements),
            (sum(nodes.iter().filter_map(transactions).collect()), Rate::Transactions),
            (sum(nodes.iter().filter_map(watched).collect()), Rate::Watched),
        ];
        let rates = rates.into_iter().filter_map(|(rate, from)| Some((rate?, from)));
        let largest = whole.tables().filter(|(table, _)| !table.is_view()).max_by_key(|(_, usage)| usage.rows);
        Self {
            sessions,
            rate: rates.max_by(|(one, _), (other, _)| one.total_cmp(other)),
            bytes: whole.tables.values().map(|table| table.bytes + table.index_bytes).sum(),
            largest: largest.map(|(table, usage)| (table.label(), usage.rows)),
        }
    }
}
