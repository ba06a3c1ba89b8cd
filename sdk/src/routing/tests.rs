//! Plans, node by node, and what a decision costs on a large cluster.

use std::collections::HashMap;
use std::time::Instant;

use super::{Access, Ask, Intent, Need, Pin, Plan, Sight, Target};
use crate::config::{Consistency, Otherwise};
use crate::error::ErrorKind;
use crate::key::{KeyRef, KeyType};
use crate::schema::{Colocation, Kind, Table};
use crate::topology::hash::hash;
use crate::topology::{Hashing, Node, NodeIndex, Place, Position, Region, Residency, Role, Shard, ShardMap, Topology};

static WALLETS: Table = table("Wallet", "wallets");
/// Of a co-location group of its own.
static LOGS: Table = table("Log", "logs");

const fn table(entity: &'static str, name: &'static str) -> Table {
    Table {
        entity,
        schema: None,
        name,
        kind: Kind::Distributed { column: "festival_id", colocated_with: Colocation::Default },
        columns: &[],
        key: &[],
        primary_key: &[],
        uniques: &[],
        indexes: &[],
        foreign_keys: &[],
        checks: &[],
        partition: None,
        rollup: None,
        view: None,
    }
}

fn node(id: i32, role: Role, region: Option<Region>) -> Node {
    Node { id, group: id, role, region, ..Node::single(format!("node-{id}"), 5432, region) }
}

/// `count` shards of even ranges, dealt out to the workers in turn from `first` on.
fn shards(count: i64, workers: usize, first: usize) -> Vec<Shard> {
    let width = (1_i64 << 32) / count;
    let small = |number: i64| i32::try_from(number).expect("within a hash");
    (0..count)
        .map(|number| {
            let min = i64::from(i32::MIN) + number * width;
            let at = 1 + (first + usize::try_from(number).expect("small")) % workers;
            Shard { id: 100_000 + number, min: small(min), max: small(min + width - 1), owner: NodeIndex::new(at) }
        })
        .collect()
}

/// A coordinator in the EU and workers by turns in the EU and the US.
fn cluster(workers: usize, count: i64) -> Topology {
    let region = |at: usize| Some(if at.is_multiple_of(2) { Region::EU } else { Region::US });
    let worker = |at: usize| node(i32::try_from(at + 1).expect("small"), Role::Worker, region(at));
    let nodes = std::iter::once(node(0, Role::Coordinator, Some(Region::EU))).chain((0..workers).map(worker)).collect();
    let map = |group, first| ShardMap::new(group, Some(KeyType::Uuid), Hashing::Client, shards(count, workers, first));
    let tables =
        [("wallets", 0), ("tickets", 0), ("logs", 1)].map(|(name, map)| (name.to_owned(), Place::Distributed(map)));
    let places = HashMap::from([("public".to_owned(), HashMap::from(tables))]);
    Topology::new(nodes, vec![map(1, 0), map(2, 1)], "public".to_owned(), places, Vec::new())
}

/// A hash in the shard of this number, of four.
fn hash_in(shard: i32) -> i32 {
    i32::MIN.wrapping_add(shard.wrapping_mul(1 << 30)).wrapping_add(7)
}

fn ask(target: Target, table: Option<&'static Table>) -> Ask {
    Ask { target, need: Need::new(table, Access::Read), local: Some(Region::EU), seed: 0 }
}

fn tenant(hash: i32) -> Target {
    Target { key: Some((KeyType::Uuid, Some(hash))), ..Target::new(Intent::Tenant) }
}

/// All nodes are up but these; standbys are fresh.
struct Down<'a>(&'a [usize]);

impl Sight for Down<'_> {
    fn is_up(&self, at: NodeIndex) -> bool {
        !self.0.contains(&at.get())
    }

    fn is_fresh(&self, _: NodeIndex, consistency: Consistency, _: Option<Position>) -> bool {
        consistency != Consistency::Primary
    }
}

/// The whole plan as text: `3:owner 1:forwarded …`.
fn plan(topology: &Topology, ask: Ask, down: &[usize]) -> String {
    let mut plan = Plan::new(topology, ask).expect("a plan");
    let hops = std::iter::from_fn(|| plan.next(topology, &Down(down)));
    hops.map(|hop| format!("{}:{}", hop.node.get(), hop.route)).collect::<Vec<_>>().join(" ")
}

fn refused(topology: &Topology, target: Target) -> String {
    let error = Plan::new(topology, ask(target, None)).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Residency);
    error.to_string()
}

// Node 0 is the coordinator (EU); 1 and 3 are workers in the EU, 2 and 4 in the US. Shard n lies on node n + 1.
#[test]
fn the_owner_comes_first_then_its_region_then_the_coordinator_then_the_rest() {
    let topology = cluster(4, 4);
    let eu = ask(tenant(hash_in(0)), Some(&WALLETS));
    assert_eq!(plan(&topology, eu, &[]), "1:owner 3:forwarded 0:coordinator 2:forwarded 4:forwarded");
    let us = ask(tenant(hash_in(3)), Some(&WALLETS));
    assert_eq!(plan(&topology, us, &[]), "4:owner 2:forwarded 0:coordinator 1:forwarded 3:forwarded");
    assert_eq!(plan(&topology, us, &[4, 2, 3]), "0:coordinator 1:forwarded", "what is down is left out");
    assert_eq!(plan(&topology, us, &[0, 1, 2, 3, 4]), "");
}

#[test]
fn a_table_of_another_group_has_its_own_owner() {
    let topology = cluster(4, 4);
    assert!(plan(&topology, ask(tenant(hash_in(0)), Some(&LOGS)), &[]).starts_with("2:owner"));
    assert!(plan(&topology, ask(tenant(hash_in(0)), None), &[]).starts_with("1:owner"), "where most tables are");
}

#[test]
fn a_key_without_a_shard_goes_to_the_coordinator() {
    let topology = cluster(2, 4);
    let unknown = Target { key: Some((KeyType::Text, Some(0))), ..Target::new(Intent::Tenant) };
    assert!(plan(&topology, ask(unknown, None), &[]).contains("0:coordinator"));
    let empty = Topology::new(Vec::new(), Vec::new(), String::new(), HashMap::new(), Vec::new());
    assert_eq!(plan(&empty, ask(tenant(0), None), &[]), "");
}

#[test]
fn pins_narrow_the_plan() {
    let topology = cluster(4, 4);
    let pinned = |pin| ask(Target { pin, ..tenant(hash_in(3)) }, None);
    assert_eq!(plan(&topology, pinned(Pin::Coordinator), &[]), "0:coordinator");
    assert_eq!(plan(&topology, pinned(Region::US.into()), &[]), "4:owner 2:forwarded");
    assert_eq!(plan(&topology, pinned(Pin::Any), &[]), "1:forwarded 3:forwarded 2:forwarded 4:owner 0:coordinator");
    let error = refused(&topology, Target { pin: Region::EU.into(), ..tenant(hash_in(3)) });
    assert!(error.contains("lie in us, and the pin asks for eu"), "{error}");
}

#[test]
fn strict_residency_has_no_node_outside_in_its_plan() {
    let topology = cluster(4, 4);
    let strict = |home, hash| Target { residency: Residency::Strict, home, ..tenant(hash) };
    let at_home = ask(strict(Some(Region::US), hash_in(3)), None);
    assert_eq!(plan(&topology, at_home, &[]), "4:owner 2:forwarded", "the coordinator stands in the EU");
    assert_eq!(plan(&topology, at_home, &[4, 2]), "");
    let eu = ask(strict(Some(Region::EU), hash_in(0)), None);
    assert_eq!(plan(&topology, eu, &[]), "1:owner 3:forwarded 0:coordinator");
    assert!(refused(&topology, strict(Some(Region::EU), hash_in(3))).contains("lie in us, and its home region is eu"));
    assert!(refused(&topology, strict(None, hash_in(3))).contains("has no home region"));
    let prefer = Target { residency: Residency::Prefer, home: Some(Region::EU), ..tenant(hash_in(3)) };
    assert_eq!(plan(&topology, ask(prefer, None), &[4]), "1:forwarded 3:forwarded 0:coordinator 2:forwarded");
}

#[test]
fn reference_rows_are_read_nearby_and_written_on_the_coordinator() {
    let topology = cluster(4, 4);
    let read = ask(Target::new(Intent::Reference), None);
    assert_eq!(plan(&topology, read, &[]), "1:nearest 3:nearest 2:nearest 4:nearest 0:coordinator");
    let write = Ask { need: Need::new(None, Access::Write), ..read };
    assert_eq!(plan(&topology, write, &[]), "0:coordinator");
    let strict = Target { residency: Residency::Strict, ..Target::new(Intent::Reference) };
    assert_eq!(plan(&topology, ask(strict, None), &[]), "1:nearest 3:nearest 0:coordinator");
}

/// The same cluster with two standbys of each worker: of node n they are the nodes 3 + 2n and 4 + 2n; one of them stands in
/// each region.
fn with_standbys() -> Topology {
    let plain = cluster(4, 4);
    let standby = |at: usize| {
        let (group, region) = (i32::try_from(1 + at / 2).expect("small"), [Region::EU, Region::US][at % 2]);
        let host = format!("standby-{at}");
        Node { group, role: Role::Replica, ..Node::single(host, 5432, Some(region)) }
    };
    let nodes = plain.nodes().iter().map(|node| Node::clone(node)).chain((0..8).map(standby)).collect();
    let maps = plain.shard_maps().to_vec();
    let places = [("wallets", 0), ("logs", 1)].map(|(name, map)| (name.to_owned(), Place::Distributed(map)));
    let places = HashMap::from([("public".to_owned(), HashMap::from(places))]);
    Topology::new(nodes, maps, "public".to_owned(), places, Vec::new())
}

#[test]
fn reads_come_from_a_near_standby_of_the_owner_then_from_another() {
    let topology = with_standbys();
    let reading = |consistency| Target { consistency, ..tenant(hash_in(0)) };
    let primary = Consistency::replica_ok(std::time::Duration::from_secs(1), Otherwise::Primary);
    let read = ask(reading(primary), Some(&WALLETS));
    assert_eq!(
        plan(&topology, read, &[]),
        "5:replica 6:replica 1:owner 3:forwarded 0:coordinator 2:forwarded 4:forwarded"
    );
    assert!(plan(&topology, read, &[5]).starts_with("6:replica 1:owner"));
    let fail = Consistency::replica_ok(std::time::Duration::from_secs(1), Otherwise::Fail);
    assert_eq!(plan(&topology, ask(reading(fail), Some(&WALLETS)), &[5]), "6:replica");
    assert_eq!(plan(&topology, ask(reading(fail), Some(&WALLETS)), &[5, 6]), "");
    let write = Ask { need: Need::new(Some(&WALLETS), Access::Write), ..read };
    assert!(plan(&topology, write, &[]).starts_with("1:owner"));
    let logs = ask(reading(Consistency::Session), Some(&LOGS));
    assert!(plan(&topology, logs, &[]).starts_with("7:replica 8:replica 2:owner"), "of another group");
    let strict = Target { residency: Residency::Strict, home: Some(Region::EU), ..reading(primary) };
    assert!(plan(&topology, ask(strict, None), &[]).starts_with("1:owner"), "a standby can't vouch for a region");
    let reference = Target { consistency: Consistency::Session, ..Target::new(Intent::Reference) };
    let near = plan(&topology, ask(reference, None), &[]);
    assert!(["5:", "7:", "9:", "11:"].iter().any(|first| near.starts_with(first)), "{near}");
}

#[test]
fn one_server_serves_everything() {
    let single = |region| Topology::single(Node::single("db".to_owned(), 5432, region), []);
    for intent in [Intent::Tenant, Intent::Reference, Intent::Coordinator] {
        assert_eq!(plan(&single(None), ask(Target::new(intent), None), &[]), "0:single");
    }
    assert_eq!(plan(&single(None), ask(Target::new(Intent::Analytics), None), &[]), "0:analytics");
    let pinned = Target { pin: Region::EU.into(), ..tenant(0) };
    assert_eq!(plan(&single(Some(Region::EU)), ask(pinned, None), &[]), "0:single");
    assert!(refused(&single(Some(Region::US)), pinned).contains("lie in us"));
    assert!(refused(&single(None), pinned).contains("not known in which region"));
}

/// 50 nodes and 4,096 shards per group: what it takes, and what a decision costs.
#[test]
fn a_decision_on_a_large_cluster_allocates_nothing() {
    const DECISIONS: u32 = 100_000;
    let mut topology = None;
    let memory = allocation_counter::measure(|| topology = Some(cluster(50, 4_096)));
    let topology = topology.expect("built");
    let keys: Vec<_> = (0..1_000).map(|_| uuid::Uuid::new_v4()).collect();
    let (mut decided, started) = (0, Instant::now());
    let cost = allocation_counter::measure(|| {
        for key in keys.iter().cycle().take(usize::try_from(DECISIONS).expect("small")) {
            let target = tenant(hash(KeyRef::Uuid(key)));
            let mut plan = Plan::new(&topology, ask(target, Some(&WALLETS))).expect("a plan");
            decided += u32::from(plan.next(&topology, &Down(&[])).is_some());
        }
    });
    let each = started.elapsed() / DECISIONS;
    assert_eq!((decided, cost.count_total), (DECISIONS, 0), "decisions, and allocations by them");
    assert!(memory.bytes_current < 1_000_000, "{} bytes", memory.bytes_current);
    // Shown by --nocapture; a time decides nothing.
    #[allow(clippy::print_stdout)]
    {
        println!("50 nodes, 2 x 4096 shards: {} bytes; {each:?} for a hash and a decision", memory.bytes_current);
    }
}
