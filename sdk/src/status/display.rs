//! A status as text for a terminal.

use std::fmt;

use super::humane::{bytes, count, of_count, span};
use super::model::{Group, Homes, NodeStatus, PoolStatus, Reach, RegionStatus, ReplicaLag, Status};
use crate::health::Verdict;
use crate::topology::Region;

/// A part of the text.
pub(crate) enum Block {
    Gap,
    Line(String),
    Table(Vec<&'static str>, Vec<Vec<String>>),
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.blocks().iter().try_for_each(|block| match block {
            Block::Gap => writeln!(f),
            Block::Line(line) => writeln!(f, "{line}"),
            Block::Table(head, rows) => table(f, head, rows),
        })
    }
}

impl Status {
    /// Its text, for whoever lays out tables otherwise.
    pub(crate) fn blocks(&self) -> Vec<Block> {
        let Self { database, mode, verdict, sdk, .. } = self;
        let from = self.local_region.map_or_else(String::new, |region| format!(", seen from {region}"));
        let taken = humantime::format_rfc3339_seconds(self.taken_at);
        let head = format!("{database} is {verdict}: {mode}, {taken}{from}, shardwise {}", sdk.version);
        let mut text = Text(vec![Block::Line(head)]);
        text.table(&NODES, self.nodes.iter().map(node_row));
        for node in &self.nodes {
            if let Reach::Down(why) | Reach::NotAsked(why) = &node.reach {
                text.line(format!("{}: {why}", node.name));
            }
        }
        text.table(&LOADS, self.nodes.iter().map(load_row));
        if self.regions.iter().any(|region| region.region.is_some()) {
            text.table(&REGIONS, self.regions.iter().map(region_row));
        }
        text.table(&GROUPS, self.groups.iter().map(group_row));
        if !self.reference_tables.is_empty() {
            text.line(format!("on every node: {}", self.reference_tables.join(", ")));
        }
        let pools = self.nodes.iter().flat_map(|node| node.pools.iter().map(move |pool| pool_row(node, pool)));
        text.table(&POOLS, pools);
        self.residency(&mut text);
        self.rest(&mut text);
        text.gap();
        text.line(of_count(as_u64(self.checks.len()), "check", "checks"));
        for check in self.checks.iter().filter(|check| check.verdict >= Verdict::Warning) {
            text.line(check.to_string());
        }
        for verdict in [Verdict::Ok, Verdict::Unknown] {
            let alike = as_u64(self.checks.iter().filter(|check| check.verdict == verdict).count());
            if alike > 0 {
                text.line(format!("{} {verdict}", count(alike)));
            }
        }
        text.0
    }

    fn residency(&self, text: &mut Text) {
        let residency = &self.residency;
        if residency.directories.is_empty() && residency.homes == Homes::NotAsked {
            return;
        }
        text.gap();
        text.line(format!("residency: {}", residency.residency));
        for directory in &residency.directories {
            text.line(format!("home regions of {} keys are in {}", directory.key, directory.table));
        }
        match &residency.homes {
            Homes::NotAsked => {}
            Homes::Unknown { why } => text.line(format!("which tenants have data elsewhere can't be told: {why}")),
            Homes::Audited { tenants, outside, examples } => {
                let (outside, tenants) = (count(*outside), count(*tenants));
                text.line(format!("{outside} of {tenants} tenants have data outside their home region"));
                for tenant in examples.iter().take(10) {
                    let elsewhere: Vec<String> = tenant.regions.iter().map(|region| place(*region)).collect();
                    let size = bytes(tenant.bytes);
                    let (key, home, at) = (&tenant.key, tenant.home, elsewhere.join(", "));
                    text.line(format!("  {key}: at home in {home}, in {at}: {} rows, {size}", count(tenant.rows)));
                }
            }
        }
    }

    /// What has a line each.
    fn rest(&self, text: &mut Text) {
        text.gap();
        if let Some(age) = self.topology_age {
            text.line(format!("layout last found to be so {} ago", span(age)));
        }
        let redis = match self.cache.redis_is_given_up {
            None => "",
            Some(false) => ", Redis answers",
            Some(true) => ", Redis is given up until it answers again",
        };
        text.line(format!("cache: {}{redis}", self.cache.store));
        text.line(format!("tries that are left: {} of 100", self.retries_left));
        for node in &self.nodes {
            if let Some(why) = &node.breaker {
                text.line(format!("gone around: {}: {why}", node.name));
            }
        }
        if let Some(schema) = &self.sdk.schema {
            text.line(format!("schema {schema}"));
        }
    }
}

struct Text(Vec<Block>);

impl Text {
    fn line(&mut self, line: String) {
        self.0.push(Block::Line(line));
    }

    fn gap(&mut self) {
        self.0.push(Block::Gap);
    }

    /// Below a gap; nothing where there are no rows.
    fn table<const N: usize>(&mut self, head: &[&'static str; N], rows: impl Iterator<Item = Vec<String>>) {
        let rows: Vec<_> = rows.collect();
        if !rows.is_empty() {
            self.0.extend([Block::Gap, Block::Table(head.to_vec(), rows)]);
        }
    }
}

const NODES: [&str; 7] = ["node", "role", "region", "state", "median", "worst", "lag"];

fn node_row(node: &NodeStatus) -> Vec<String> {
    let times = node.round_trips;
    vec![
        node.name.clone(),
        node.role.to_string(),
        node.region.map_or_else(|| "-".to_owned(), |region| region.to_string()),
        match node.reach {
            Reach::Up if node.breaker.is_some() => "gone around".to_owned(),
            Reach::Up => "up".to_owned(),
            Reach::Down(_) => "down".to_owned(),
            Reach::NotAsked(_) => "not asked".to_owned(),
        },
        or_dash(times.map(|times| span(times.median))),
        or_dash(times.map(|times| span(times.worst))),
        or_dash(node.lag.map(lag)),
    ]
}

/// Apart from the nodes: a terminal of 80 columns has room for both.
const LOADS: [&str; 4] = ["on", "sessions", "shards", "bytes"];

fn load_row(node: &NodeStatus) -> Vec<String> {
    vec![
        node.name.clone(),
        or_dash(node.connections.map(|sessions| format!("{} of {}", sessions.used, sessions.limit))),
        count(node.shards),
        or_dash(node.bytes.map(bytes)),
    ]
}

const REGIONS: [&str; 4] = ["region", "nodes", "shards", "bytes"];

fn region_row(region: &RegionStatus) -> Vec<String> {
    let down = if region.down > 0 { format!(" ({} down)", region.down) } else { String::new() };
    vec![place(region.region), format!("{}{down}", region.nodes), count(region.shards), bytes(region.bytes)]
}

const GROUPS: [&str; 4] = ["group", "key", "shards", "tables"];

fn group_row(group: &Group) -> Vec<String> {
    let key = group.key.unwrap_or("other").to_owned();
    vec![group.colocation.to_string(), key, count(as_u64(group.shards.len())), group.tables.join(", ")]
}

const POOLS: [&str; 6] = ["pool of", "for", "kind", "in use", "idle", "waiting"];

fn pool_row(node: &NodeStatus, pool: &PoolStatus) -> Vec<String> {
    let used = format!("{} of {}", pool.in_use, pool.limit);
    let [idle, waiting] = [pool.idle, pool.waiting].map(|number| number.to_string());
    vec![node.name.clone(), pool.purpose.to_owned(), pool.kind.to_owned(), used, idle, waiting]
}

fn place(region: Option<Region>) -> String {
    region.map_or_else(|| "no region".to_owned(), |region| region.to_string())
}

/// How far a standby is behind, in words.
pub(super) fn lag(lag: ReplicaLag) -> String {
    match lag {
        ReplicaLag::AtMost(lag) => format!("≤ {}", span(lag)),
        ReplicaLag::AtLeast(lag) => format!("≥ {}", span(lag)),
        ReplicaLag::Unknown => "unknown".to_owned(),
    }
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "-".to_owned())
}

fn as_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// Columns that are as wide as they have to be, below their names.
fn table(f: &mut fmt::Formatter<'_>, head: &[&str], rows: &[Vec<String>]) -> fmt::Result {
    let width = |text: &str| text.chars().count();
    let mut widths: Vec<usize> = head.iter().map(|name| width(name)).collect();
    for row in rows {
        for (widest, text) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(width(text));
        }
    }
    let head: Vec<String> = head.iter().map(|name| (*name).to_owned()).collect();
    for row in std::iter::once(&head).chain(rows) {
        let cells = row.iter().zip(&widths).map(|(text, &width)| format!("{text:width$}"));
        writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}
