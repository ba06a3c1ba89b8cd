//! Faults at random, one after the other, for as long as one likes: see `ci/soak`. It has a process to itself, so that what it takes
//! of the machine is the client's alone.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use shardwise::{Cluster, unscoped_sql};
use tokio::time::Instant;

use super::ledger::Found;
use super::process::Usage;
use super::stage::{CONNECTIONS, Figures, Stage, UnderLoad, Wanted};
use super::writers::Pace;
use super::{limits, network, servers};
use crate::support::protocol::Message;
use crate::support::proxy::{End, Hole, Moment};

/// What one process may grow by for good. The ledger of each round is forgotten.
const MEMORY_IN_KB: i64 = 64 * 1024;

/// What a connection of the client's has open in this process: its own end, and the proxy's two.
const OF_EACH_CONNECTION: usize = 3;
/// Beside the pool's there are those that ask each server how it is.
const OF_EACH_NODE: usize = (CONNECTIONS as usize + 2) * OF_EACH_CONNECTION;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    KilledOwner,
    KilledSession,
    KilledStandby,
    KilledCoordinator,
    Resets,
    BlackHole,
    Jitter,
    HalfOpen,
    MaxConnections,
    Terminations,
    IdleInTransaction,
    Overload,
}

impl Fault {
    const ALL: [Self; 12] = [
        Self::KilledOwner,
        Self::KilledSession,
        Self::KilledStandby,
        Self::KilledCoordinator,
        Self::Resets,
        Self::BlackHole,
        Self::Jitter,
        Self::HalfOpen,
        Self::MaxConnections,
        Self::Terminations,
        Self::IdleInTransaction,
        Self::Overload,
    ];

    async fn strike(self, stage: &Stage, random: &mut StdRng, overload: Duration) -> Figures {
        let (is_of_sessions, name) = (self == Self::IdleInTransaction, format!("{self:?}"));
        let pace = if is_of_sessions { limits::IDLING } else { Pace::default() };
        let strike = async |load: &UnderLoad| self.under(stage, load, random, overload).await;
        if !is_of_sessions {
            return stage.strike(&name, pace, strike).await;
        }
        // It holds for sessions that begin after it, and as long as they last.
        limits::limit_idling(stage, 50).await;
        limits::end_sessions(stage).await;
        let figures = stage.strike(&name, pace, strike).await;
        limits::end_sessions(stage).await;
        figures
    }

    async fn under(self, stage: &Stage, load: &UnderLoad, random: &mut StdRng, overload: Duration) -> Instant {
        let second = Duration::from_secs(1);
        let (all, owner) = (&stage.servers, stage.servers.owner());
        match self {
            Self::KilledOwner => servers::kill_for(owner, second).await,
            Self::KilledSession => servers::kill_a_session(stage).await,
            Self::KilledStandby => servers::kill_the_standby(stage, load).await,
            // On a single server that is the owner.
            Self::KilledCoordinator => servers::kill_for(all.primaries()[0], second).await,
            Self::Resets => {
                for _ in 0..20 {
                    let message = Message::ALL.choose(random).copied().unwrap();
                    let moment = Moment::ALL.choose(random).copied().unwrap();
                    network::reset(stage, load, message, moment).await;
                }
                Instant::now()
            }
            Self::BlackHole => {
                let hole = [Hole::Both, Hole::ToClient, Hole::ToServer].choose(random).copied().unwrap();
                network::black_hole(stage, load, hole).await
            }
            Self::Jitter => network::jitter(stage, load).await,
            Self::HalfOpen => {
                network::half_open(stage, load, [End::Client, End::Server].choose(random).copied().unwrap()).await
            }
            Self::MaxConnections => limits::take_all_connections(stage, load, second).await,
            Self::Terminations => limits::terminate(stage, load, second).await,
            Self::IdleInTransaction => limits::idle(stage, load).await,
            Self::Overload => limits::overload(stage, load, overload).await,
        }
    }
}

/// All rounds of one fault.
#[derive(Default)]
struct Sum {
    rounds: usize,
    found: Found,
    errors: u64,
    slowest: Duration,
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "as long as one likes: run it by ci/soak"]
async fn soak() {
    let time = Duration::from_secs(setting("SOAK_SECONDS").unwrap_or(3_600));
    let seed = setting("SOAK_SEED").unwrap_or_else(rand::random);
    println!("SOAK for {} s, SOAK_SEED={seed}", time.as_secs());
    let mut random = StdRng::seed_from_u64(seed);
    let mut stages = vec![Stage::single(Wanted::SMALL_WITH_STANDBYS).await];
    stages.extend(Stage::citus("faults::soak::soak", Wanted::SMALL_WITH_STANDBYS).await);
    let most_open =
        Usage::now().descriptors + stages.iter().map(|stage| stage.proxies().count() * OF_EACH_NODE).sum::<usize>();
    // One client for all of them: what it does not give back after a fault adds up.
    for stage in &mut stages {
        stage.client = Some(Cluster::connect(stage.config.clone()).await.unwrap());
    }
    // A minute, where there is an hour.
    let overload = (time / 10).clamp(Duration::from_secs(2), Duration::from_secs(60));

    let (began, mut sums, mut quiet) = (Instant::now(), BTreeMap::<(String, Fault), Sum>::new(), Vec::new());
    while began.elapsed() < time {
        let mut turns: Vec<_> = stages.iter().flat_map(|stage| Fault::ALL.map(|fault| (stage, fault))).collect();
        turns.shuffle(&mut random);
        for (stage, fault) in turns {
            if began.elapsed() >= time {
                break;
            }
            let figures = fault.strike(stage, &mut random, overload).await;
            sums.entry((stage.to_string(), fault)).or_default().add(&figures);
            forget(stage).await;
            quiet.push(Usage::now());
        }
    }
    for ((stage, fault), sum) in &sums {
        println!(
            "SOAK {stage:6} {fault:18} {:4} rounds {:8} acknowledged, {} lost, {} doubled, {} torn {:7} refused, {} there {:6} \
             unknown, {} there {:7} errors, back after {} ms at most",
            sum.rounds,
            sum.found.acknowledged,
            sum.found.lost,
            sum.found.doubled,
            sum.found.torn,
            sum.found.refused,
            sum.found.refused_but_there,
            sum.found.unknown,
            sum.found.unknown_but_there,
            sum.errors,
            sum.slowest.as_millis(),
            fault = format!("{fault:?}"),
        );
    }
    assert_flat(&quiet, most_open);
}

impl Sum {
    fn add(&mut self, figures: &Figures) {
        self.rounds += 1;
        self.found += &figures.found;
        self.errors += figures.errors.values().sum::<u64>();
        self.slowest = self.slowest.max(figures.back_after);
    }
}

/// Nobody wants the rows any more.
async fn forget(stage: &Stage) {
    let cluster = Cluster::connect(stage.straight.clone()).await.unwrap();
    cluster.coordinator().execute(unscoped_sql!("TRUNCATE wallets, entries, lines")).await.unwrap();
    cluster.close(Duration::from_secs(5)).await;
}

/// Between two rounds nobody uses the client: what the process has then, it has for good. It may warm up in a third of them.
fn assert_flat(quiet: &[Usage], most_open: usize) {
    let (early, late) = quiet.split_at(quiet.len().div_ceil(3));
    assert!(!late.is_empty(), "too short to tell anything");
    let memory = |of: &[Usage]| of.iter().map(|usage| usage.memory).max().unwrap();
    let descriptors = |of: &[Usage]| of.iter().map(|usage| usage.descriptors).max().unwrap();
    println!(
        "SOAK {} rounds: memory {} kB, then {} kB; descriptors {}, then {}, of {most_open}",
        quiet.len(),
        memory(early),
        memory(late),
        descriptors(early),
        descriptors(late)
    );
    assert!(memory(late) <= memory(early) + MEMORY_IN_KB, "memory grows");
    assert!(descriptors(quiet) <= most_open, "descriptors stay open");
}
