//! Counts allocations: see `benchmarks/memory.rs`, which starts this. The library does not name the counting allocator, so this
//! program alone has it.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use shardwise::local::CitusCluster;
use shardwise::{Cluster, Region, Route, Schema, Tenant, Uuid};
use shardwise_bench::benchmarks::memory::{
    DIRECTORY, MARK, RESULTS, ROUTE, ROUTE_ALLOCATIONS, ROUTE_FEW, SESSION, SESSION_ALLOCATIONS,
};
use shardwise_bench::model::Wallet;
use shardwise_bench::numbers::count;
use shardwise_bench::rows;
use shardwise_bench::servers::{self, session};
use shardwise_bench::verdict::Verdict;
use tokio::runtime::{Builder, Runtime};

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let rounds: usize = words.next().context("how many rounds?")?.parse()?;
    let wanted: Vec<String> = words.collect();
    let is_wanted = |name: &str| wanted.iter().any(|wanted| wanted == name);
    // One thread for everything: the counter counts a thread's.
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let citus = runtime.block_on(servers::citus(|citus| citus.regions([Region::EU])))?;
    if RESULTS.into_iter().filter(|name| *name != DIRECTORY).any(is_wanted) {
        for verdict in routes(&runtime, &citus, rounds)?.into_iter().filter(|verdict| is_wanted(&verdict.name)) {
            hand_on(&verdict)?;
        }
    }
    if is_wanted(DIRECTORY) {
        hand_on(&directory(&runtime, &citus)?)?;
    }
    // Before the runtime, in which it was started.
    drop(citus);
    Ok(())
}

fn hand_on(verdict: &Verdict) -> Result<()> {
    println!("{MARK}{} {}", verdict.name, serde_json::to_string(verdict)?);
    Ok(())
}

/// Route decisions with few and many shards.
fn routes(runtime: &Runtime, citus: &CitusCluster, rounds: usize) -> Result<[Verdict; 5]> {
    let of = |shards| runtime.block_on(with_shards(citus, shards));
    let (few, many) = (of(32)?, of(4_096)?);
    let keys: Vec<Uuid> = (0..KEYS).map(|_| Uuid::new_v4()).collect();
    let tenants = runtime.block_on(tenants(&many, &keys))?;
    let all = (0..=rounds).map(|_| Ok([owners(&few, &keys)?, owners(&many, &keys)?, sessions(&tenants)?]));
    // The first round warms up.
    let all: Vec<_> = all.skip(1).collect::<Result<_>>()?;
    let times = |of: usize| all.iter().map(|round| round[of].nanoseconds).collect::<Vec<_>>();
    let allocated = |of: &[usize]| all.iter().flat_map(|round| of.iter().map(|&of| round[of].allocations)).sum::<f64>();
    Ok([
        Verdict::alone(ROUTE, "ns", &times(1)),
        Verdict::alone(ROUTE_FEW, "ns", &times(0)),
        Verdict::alone(ROUTE_ALLOCATIONS, "allocations", &[allocated(&[0, 1])]),
        Verdict::alone(SESSION, "ns", &times(2)),
        Verdict::alone(SESSION_ALLOCATIONS, "allocations", &[allocated(&[2])]),
    ])
}

async fn with_shards(citus: &CitusCluster, shards: u32) -> Result<Cluster> {
    let config = citus.fresh_database().await?.with_shard_count(Some(shards))?;
    let begun = Instant::now();
    let cluster = servers::prepare(&config, &Schema::new().with::<Wallet>()).await?;
    let known = cluster.topology().shard_maps().first().map_or(0, |map| map.shards().len());
    ensure!(u32::try_from(known)? == shards, "there are {known} shards");
    println!("{shards} shards: made in {:.1} s", begun.elapsed().as_secs_f64());
    Ok(cluster)
}

/// So many that none is in the processor's caches for the sake of the round before.
const KEYS: usize = 200_000;

struct Decisions {
    nanoseconds: f64,
    allocations: f64,
}

/// What of a route decision can be had through the public API for a key: the latest topology (an atomic load and a count of
/// references), the key's hash, the search for its shard, and the shard's owner.
fn owners(cluster: &Cluster, keys: &[Uuid]) -> Result<Decisions> {
    decisions(keys, |key| {
        let topology = cluster.topology();
        black_box(topology.shard_of(key.into()).and_then(|shard| shard.owner)).is_some()
    })
}

/// The other part, which comes with each statement: a session knows its key's hash, and finds by the latest topology the nodes
/// that could serve it, of which it takes the first that is not down.
fn sessions(tenants: &[Tenant]) -> Result<Decisions> {
    decisions(tenants, |tenant| black_box(tenant.route()).is_ok_and(|route| route == Route::Owner))
}

async fn tenants(cluster: &Cluster, keys: &[Uuid]) -> Result<Vec<Tenant>> {
    let mut tenants = Vec::with_capacity(keys.len());
    for key in keys {
        tenants.push(cluster.tenant(*key).await?);
    }
    Ok(tenants)
}

fn decisions<T>(all: &[T], decide: impl Fn(&T) -> bool) -> Result<Decisions> {
    let (mut decided, mut elapsed) = (0, Duration::ZERO);
    let allocated = allocation_counter::measure(|| {
        let begun = Instant::now();
        decided = all.iter().filter(|one| decide(one)).count();
        elapsed = begun.elapsed();
    });
    ensure!(decided == all.len(), "{decided} of {} have an owner", all.len());
    let allocations = count(usize::try_from(allocated.count_total)?);
    Ok(Decisions { nanoseconds: elapsed.as_secs_f64() * 1e9 / count(all.len()), allocations })
}

/// What is kept when the home regions of a million festivals were looked up. Tenants are bound to their home region, for
/// otherwise nothing is kept of a festival at all.
fn directory(runtime: &Runtime, citus: &CitusCluster) -> Result<Verdict> {
    const FESTIVALS: usize = 1_000_000;
    const FIRST: usize = 10_000;
    let ids: Vec<Uuid> = (0..FESTIVALS).map(|_| Uuid::new_v4()).collect();
    let cluster = runtime.block_on(with_festivals(citus, &ids))?;
    let (first, others) = ids.split_at(FIRST);
    // Opens the connections, prepares the statement, makes what there is once.
    runtime.block_on(rows::look_up(&cluster, first))?;
    let mut outcome = Ok(());
    let begun = Instant::now();
    let kept = allocation_counter::measure(|| outcome = runtime.block_on(rows::look_up(&cluster, others)));
    outcome?;
    println!("{FESTIVALS} festivals: looked up in {:.1} s", begun.elapsed().as_secs_f64());
    is_all_kept(runtime, &cluster, &ids)?;
    let bytes = count(usize::try_from(kept.bytes_current)?) / count(others.len());
    Ok(Verdict::alone(DIRECTORY, "bytes", &[bytes]))
}

async fn with_festivals(citus: &CitusCluster, ids: &[Uuid]) -> Result<Cluster> {
    let (config, cluster) = rows::at_home(citus, ids.len()).await?;
    let begun = Instant::now();
    let owners = servers::Owners::of(&cluster, &config)?;
    rows::festivals(&session(&owners.coordinator).await?, ids, Region::EU).await?;
    println!("{} festivals: stored in {:.1} s", ids.len(), begun.elapsed().as_secs_f64());
    Ok(cluster)
}

/// Whether a second look asks the server nothing: what is not kept would cost no memory.
fn is_all_kept(runtime: &Runtime, cluster: &Cluster, ids: &[Uuid]) -> Result<()> {
    let before = cluster.metrics().routes;
    runtime.block_on(rows::look_up(cluster, ids))?;
    let statements = |routes: BTreeMap<_, u64>| routes.values().sum::<u64>();
    let asked = statements(cluster.metrics().routes) - statements(before);
    ensure!(asked == 0, "a second look at {} festivals asked the server for {asked}", ids.len());
    Ok(())
}
