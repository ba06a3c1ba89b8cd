//! Sixty-four sessions in several processes read and write the same few rows, while Redis is killed, stopped and emptied and a
//! process is killed and others are stopped: no session is given anything older than it has written, and nobody anything older than
//! its time. The same sessions on a cache without leases do see old rows: so the check can fail.
//!
//! A row is a number that each write raises by one. Each session notes what it was told, with the time; what it read must not be
//! below its own last number, nor below one that anybody was told of longer ago than a row is kept.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use shardwise::config::{CacheConfig, CacheStore, RedisConfig};
use shardwise::local::{self, RedisServer};
use shardwise::{Cluster, Config, Entity, Error, Schema, Tenant, Uuid};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use super::stage::cache;
use crate::child;
use crate::support::place::Place;
use crate::support::secrets;

#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(table = "counters", distributed_by = festival_id, cache = read_through(ttl = "2s", negative = "1s"))]
struct Counter {
    festival_id: Uuid,
    #[entity(key)]
    id: i64,
    version: i64,
}

#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(table = "gauges", distributed_by = festival_id, cache = write_through(ttl = "2s"))]
struct Gauge {
    festival_id: Uuid,
    #[entity(key)]
    id: i64,
    version: i64,
}

const TTL: Duration = Duration::from_secs(2);
/// Rows of each of the two.
const ROWS: i64 = 3;
const PROCESSES: usize = 3;
const SESSIONS: usize = 22;

/// What a process is told.
struct Orders {
    database: String,
    redis: u16,
    store: String,
    tenant: Uuid,
    seed: u64,
    notes: String,
}

impl Orders {
    fn text(&self) -> String {
        let Self { database, redis, store, tenant, seed, notes } = self;
        format!("{database} {redis} {store} {tenant} {seed} {notes}")
    }

    fn read(text: &str) -> Self {
        let mut words = text.split(' ');
        let mut next = || words.next().unwrap();
        Self {
            database: next().to_owned(),
            redis: next().parse().unwrap(),
            store: next().to_owned(),
            tenant: next().parse().unwrap(),
            seed: next().parse().unwrap(),
            notes: next().to_owned(),
        }
    }

    async fn tenant(&self) -> (Cluster, Tenant) {
        let config = Config::from_url(&self.database).unwrap();
        let redis = RedisConfig::single(format!("127.0.0.1:{}", self.redis).parse().unwrap());
        let store = match self.store.as_str() {
            "redis" => CacheStore::Redis,
            "two_tier" => CacheStore::TwoTier,
            _ => CacheStore::Off,
        };
        let settings = CacheConfig { response_limit: Duration::from_millis(100), ..cache(store, redis) };
        let cluster = Cluster::connect(config.with_cache(settings).unwrap()).await.unwrap();
        let tenant = cluster.tenant(self.tenant).await.unwrap();
        (cluster, tenant)
    }
}

/// A process of sessions. It ends when it is killed, or when its folder has a file `end`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_with_sessions() {
    let Some(told) = child::told() else { return };
    let orders = Arc::new(Orders::read(&told));
    let (cluster, tenant) = orders.tenant().await;
    let sessions = (0..SESSIONS as u64).map(|number| {
        let (tenant, orders) = (tenant.clone(), orders.clone());
        tokio::spawn(async move { session(&tenant, &orders, number).await })
    });
    let sessions: Vec<_> = sessions.collect();
    println!("answer: began");
    let mut stale = 0;
    for session in sessions {
        stale += session.await.unwrap();
    }
    let counts = cluster.metrics().cache;
    println!("answer: {stale} {} {counts:?}", counts.hits_memory + counts.hits_redis);
}

/// Reads and writes, and counts what it is given that is older than what it has written.
async fn session(tenant: &Tenant, orders: &Orders, number: u64) -> u64 {
    let mut random = StdRng::seed_from_u64(orders.seed ^ (number << 32));
    let (mut own, mut stale, mut notes) = (BTreeMap::new(), 0, String::new());
    let file = format!("{}-{number}", orders.notes);
    let end = Path::new(&orders.notes).parent().unwrap().join("end");
    while !end.exists() {
        for _ in 0..50 {
            let row = (random.random_bool(0.5), random.random_range(0..ROWS));
            if random.random_bool(0.05) {
                if let Some(version) = write(tenant, row, random.random_range(0..10)).await {
                    let told = micros();
                    own.insert(row, version);
                    writeln!(notes, "w {told} {} {} {version}", u8::from(row.0), row.1).unwrap();
                }
            } else {
                let began = micros();
                let version = match row.0 {
                    true => tenant.get::<Counter>(row.1).await.unwrap().version,
                    false => tenant.get::<Gauge>(row.1).await.unwrap().version,
                };
                writeln!(notes, "r {began} {} {} {version}", u8::from(row.0), row.1).unwrap();
                if own.get(&row).is_some_and(|own| version < *own) {
                    stale += 1;
                    println!("answer: STALE {row:?}: read {version}, wrote {:?}", own.get(&row));
                }
            }
            if random.random_bool(0.3) {
                tokio::time::sleep(Duration::from_micros(random.random_range(0..3_000))).await;
            }
        }
        // What is told now is there although the process is killed.
        let mut all = tokio::fs::OpenOptions::new().create(true).append(true).open(&file).await.unwrap();
        all.write_all(notes.as_bytes()).await.unwrap();
        all.flush().await.unwrap();
        notes.clear();
    }
    stale
}

/// Raises the row's number in one of several ways; `None` where it was rolled back.
async fn write(tenant: &Tenant, (is_counter, id): (bool, i64), way: u32) -> Option<i64> {
    if is_counter {
        let raise = |tenant: &Tenant| tenant.update_columns::<Counter>(id).add(Counter::VERSION, 1);
        match way {
            0 => {
                let raised = tenant.transaction(async |tx| {
                    let row = tx.update_columns::<Counter>(id).add(Counter::VERSION, 1).returning().await?;
                    Ok::<_, Error>(row.unwrap().version)
                });
                Some(raised.await.unwrap())
            }
            1 => {
                let rolled_back = tenant.transaction(async |tx| {
                    tx.update_columns::<Counter>(id).add(Counter::VERSION, 1).returning().await?;
                    Err::<(), _>(tx.get::<Counter>(-1).await.unwrap_err())
                });
                assert!(rolled_back.await.is_err_and(|error| error.kind() == shardwise::ErrorKind::NotFound));
                None
            }
            _ => Some(raise(tenant).returning().await.unwrap().unwrap().version),
        }
    } else {
        let raised = match way {
            0 => {
                let raised = tenant
                    .transaction(async |tx| tx.update_columns::<Gauge>(id).add(Gauge::VERSION, 1).returning().await);
                raised.await.unwrap()
            }
            _ => tenant.update_columns::<Gauge>(id).add(Gauge::VERSION, 1).returning().await.unwrap(),
        };
        Some(raised.unwrap().version)
    }
}

/// Of all processes of this machine alike.
fn micros() -> u128 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros()
}

async fn prepared() -> (Config, Uuid) {
    let schema = Schema::new().with::<Counter>().with::<Gauge>();
    let config = Place::Single.prepared_with(schema).await;
    let cluster = Cluster::connect(config.clone()).await.unwrap();
    let id = secrets::id();
    let tenant = cluster.tenant(id).await.unwrap();
    for row in 0..ROWS {
        tenant.insert(&Counter { festival_id: id, id: row, version: 0 }).await.unwrap();
        tenant.insert(&Gauge { festival_id: id, id: row, version: 0 }).await.unwrap();
    }
    (config, id)
}

fn seed() -> u64 {
    let seed = std::env::var("TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
    println!("TEST_SEED={seed}");
    seed
}

#[tokio::test]
async fn no_session_reads_what_is_older_than_what_it_wrote_with_redis() {
    strike("redis").await;
}

#[tokio::test]
async fn no_session_reads_what_is_older_than_what_it_wrote_with_two_tiers() {
    strike("two_tier").await;
}

/// Has the sessions run while things are lost, and holds against each other what they were told.
async fn strike(store: &str) {
    let seed = seed();
    let mut random = StdRng::seed_from_u64(seed);
    let ((config, tenant), folder) = (prepared().await, tempfile::tempdir().unwrap());
    let redis = local::redis().start().await.unwrap();
    let endpoint = &config.contact_points()[0];
    let database = format!("postgres://{}@{}:{}/{}", config.user(), endpoint.host, endpoint.port, config.database());
    let start = |number: u64| {
        let orders = Orders {
            database: database.clone(),
            redis: redis.endpoint().port,
            store: store.to_owned(),
            tenant,
            seed: seed.wrapping_add(number),
            notes: folder.path().join(number.to_string()).display().to_string(),
        };
        let mut child = child::start("cache::consistency::child_with_sessions", &orders.text(), folder.path(), &[]);
        assert_eq!(child::answer(&mut child), "began");
        child
    };
    let mut processes: Vec<Child> = (0..PROCESSES as u64).map(&start).collect();
    let seconds = std::env::var("TEST_SECONDS").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(20);
    let (end, mut strikes, mut killed) = (Instant::now() + Duration::from_secs(seconds), BTreeMap::new(), 0);
    while Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(random.random_range(100..1_500))).await;
        let what = strike_once(&mut random, &redis, &mut processes).await;
        if what == "a process was killed" {
            killed += 1;
            let number = (PROCESSES + killed) as u64;
            let place = processes.iter_mut().position(|process| process.try_wait().unwrap().is_some());
            processes[place.unwrap()] = start(number);
        }
        *strikes.entry(what).or_insert(0) += 1;
    }
    std::fs::write(folder.path().join("end"), "").unwrap();
    let (mut stale, mut hits) = (0, 0);
    for process in &mut processes {
        // Lines of what was stale come before the last one.
        let answer = child::answer(process);
        println!("{answer}");
        let mut numbers = answer.split(' ').map_while(|number| number.parse::<u64>().ok());
        stale += numbers.next().unwrap_or(1);
        hits += numbers.next().unwrap_or(0);
        process.wait().unwrap();
    }
    println!("{store}: {strikes:?}");
    let found = Found::read(folder.path());
    println!("{store}: {found:?}, {hits} kept, older than the session's own write: {stale}");
    assert_eq!((stale, found.too_old), (0, 0));
    assert!(found.reads > 5_000 && found.writes > 300 && hits > 1_000, "too little to tell: {found:?}");
}

async fn strike_once(random: &mut StdRng, redis: &RedisServer, processes: &mut [Child]) -> &'static str {
    let pause = Duration::from_millis(random.random_range(20..400));
    let which = random.random_range(0..processes.len());
    match random.random_range(0..10) {
        0 | 1 => {
            redis.kill().await.unwrap();
            tokio::time::sleep(pause).await;
            redis.restart().await.unwrap();
            "Redis was killed"
        }
        2 => {
            say(redis, "SAVE\r\n").await;
            tokio::time::sleep(pause).await;
            redis.kill().await.unwrap();
            redis.restart().await.unwrap();
            "Redis was killed, and had saved"
        }
        3 | 4 => {
            redis.pause().unwrap();
            tokio::time::sleep(pause).await;
            redis.resume().unwrap();
            "Redis was stopped"
        }
        5 => {
            say(redis, "FLUSHALL\r\n").await;
            "Redis was emptied"
        }
        6 => {
            processes[which].kill().unwrap();
            processes[which].wait().unwrap();
            "a process was killed"
        }
        _ => {
            signal(&processes[which], "STOP");
            tokio::time::sleep(pause).await;
            signal(&processes[which], "CONT");
            "a process was stopped"
        }
    }
}

fn signal(process: &Child, name: &str) {
    let sent = std::process::Command::new("kill").args(["-s", name, &process.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

async fn say(redis: &RedisServer, command: &str) -> String {
    let mut socket = TcpStream::connect(("127.0.0.1", redis.endpoint().port)).await.unwrap();
    socket.write_all(command.as_bytes()).await.unwrap();
    let mut line = String::new();
    BufReader::new(socket).read_line(&mut line).await.unwrap();
    line
}

/// What the notes of all sessions tell together.
#[derive(Debug, Default)]
struct Found {
    reads: usize,
    writes: usize,
    /// Reads of what somebody had been told before they began to be old: no harm within its time.
    old: usize,
    /// For how long the oldest had been so.
    oldest: Duration,
    /// Those of what had been old for longer than it may be kept.
    too_old: usize,
}

impl Found {
    fn read(folder: &Path) -> Self {
        let mut found = Self::default();
        // When somebody was told of each number.
        let mut told: BTreeMap<(u8, i64), BTreeMap<i64, u128>> = BTreeMap::new();
        let mut reads = Vec::new();
        for file in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            // Whoever was killed in the middle of a line is not heard to its end.
            let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
            for line in whole.lines() {
                let words: Vec<&str> = line.split(' ').collect();
                let [kind, time, table, row, version] = words[..] else { continue };
                let (time, row) = (time.parse::<u128>().unwrap(), (table.parse().unwrap(), row.parse().unwrap()));
                let version: i64 = version.parse().unwrap();
                match kind {
                    "w" => {
                        found.writes += 1;
                        told.entry(row).or_default().insert(version, time);
                    }
                    _ => reads.push((time, row, version)),
                }
            }
        }
        // From when on a number was old at the latest: when somebody was told of a higher one.
        let old_from: BTreeMap<(u8, i64), Vec<(i64, u128)>> = told
            .into_iter()
            .map(|(row, versions)| {
                let mut earliest = u128::MAX;
                let from = versions.into_iter().rev().map(|(version, time)| {
                    earliest = earliest.min(time);
                    (version, earliest)
                });
                let mut from: Vec<_> = from.collect();
                from.reverse();
                (row, from)
            })
            .collect();
        for (began, row, version) in reads {
            found.reads += 1;
            let Some(versions) = old_from.get(&row) else { continue };
            let next = versions.partition_point(|(known, _)| *known <= version);
            let Some((_, from)) = versions.get(next) else { continue };
            if began > *from {
                let for_long = Duration::from_micros(u64::try_from(began - from).unwrap());
                found.old += 1;
                found.oldest = found.oldest.max(for_long);
                found.too_old += usize::from(for_long > TTL);
            }
        }
        found
    }
}

/// A cache as it is often written: look, load, put; and remove after a write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_leases_sessions_do_read_what_is_older_than_what_they_wrote() {
    let seed = seed();
    let (config, id) = prepared().await;
    let redis = Arc::new(local::redis().start().await.unwrap());
    let cluster = Cluster::connect(config).await.unwrap();
    let tenant = cluster.tenant(id).await.unwrap();
    let stale = Arc::new(AtomicU64::new(0));
    let end = Instant::now() + Duration::from_secs(60);
    let sessions = (0..64_u64).map(|number| {
        let (tenant, redis, stale) = (tenant.clone(), redis.clone(), stale.clone());
        tokio::spawn(async move {
            let mut random = StdRng::seed_from_u64(seed ^ (number << 32));
            let (mut own, mut reads) = (BTreeMap::new(), 0_u64);
            while stale.load(Ordering::Relaxed) < 3 && Instant::now() < end {
                let row = random.random_range(0..ROWS);
                if random.random_bool(0.25) {
                    let raised = write(&tenant, (true, row), 5).await.unwrap();
                    say(&redis, &format!("DEL {row}\r\n")).await;
                    own.insert(row, raised);
                    continue;
                }
                reads += 1;
                let version =
                    naive_read(&tenant, &redis, row, Duration::from_micros(random.random_range(0..3_000))).await;
                if own.get(&row).is_some_and(|own| version < *own) {
                    stale.fetch_add(1, Ordering::Relaxed);
                }
            }
            reads
        })
    });
    let mut reads = 0;
    for session in sessions.collect::<Vec<_>>() {
        reads += session.await.unwrap();
    }
    let stale = stale.load(Ordering::Relaxed);
    println!("without leases: {stale} of {reads} reads were older than the session's own write");
    assert!(stale > 0);
}

async fn naive_read(tenant: &Tenant, redis: &RedisServer, row: i64, pause: Duration) -> i64 {
    let mut socket = BufReader::new(TcpStream::connect(("127.0.0.1", redis.endpoint().port)).await.unwrap());
    socket.write_all(format!("GET {row}\r\n").as_bytes()).await.unwrap();
    let mut line = String::new();
    socket.read_line(&mut line).await.unwrap();
    if !line.starts_with("$-1") {
        line.clear();
        socket.read_line(&mut line).await.unwrap();
        return line.trim().parse().unwrap();
    }
    let version = tenant.get::<Counter>(row).await.unwrap().version;
    tokio::time::sleep(pause).await;
    socket.write_all(format!("SET {row} {version} PX 2000\r\n").as_bytes()).await.unwrap();
    socket.read_line(&mut line).await.unwrap();
    version
}
