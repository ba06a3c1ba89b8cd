//! Writers under way, and a ledger of what they were told.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use shardwise::{Cluster, Error, Tenant, Transaction, Uuid};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::support::model::Wallet;

/// What writers were told of each row.
#[derive(Default)]
pub struct Ledger {
    pub acknowledged: HashSet<Uuid>,
    /// With an error whose outcome is known: it is not there.
    pub refused: HashSet<Uuid>,
    pub unknown: HashSet<Uuid>,
    /// How often each kind of error was met.
    pub errors: BTreeMap<String, u64>,
    pub times: Vec<Instant>,
}

/// Tasks that write all the time.
pub struct Writers {
    tasks: JoinSet<()>,
    stop: Arc<AtomicBool>,
    ledger: Arc<Mutex<Ledger>>,
}

impl Writers {
    /// So many of them, in turns by a statement, a transaction and a pipeline.
    pub fn start(fest: &Tenant, count: usize) -> Self {
        let (stop, ledger) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Ledger::default())));
        let mut tasks = JoinSet::new();
        for task in 0..count {
            let (fest, stop, ledger) = (fest.clone(), stop.clone(), ledger.clone());
            tasks.spawn(async move {
                let mut round = task;
                while !stop.load(Ordering::Relaxed) {
                    round += 1;
                    let wallet = Wallet::new(*fest.key(), 1);
                    let outcome = write(&fest, &wallet, round).await;
                    ledger.lock().unwrap().write_down(wallet.id, outcome);
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            });
        }
        Self { tasks, stop, ledger }
    }

    pub fn acknowledged(&self) -> usize {
        self.ledger.lock().unwrap().acknowledged.len()
    }

    /// Waits until so many more are acknowledged.
    pub async fn until_more(&self, more: usize) {
        let goal = self.acknowledged() + more;
        let wait = async {
            while self.acknowledged() < goal {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), wait).await.expect("writers don't get on");
    }

    pub async fn stop(mut self) -> Ledger {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(task) = self.tasks.join_next().await {
            task.unwrap();
        }
        std::mem::take(&mut *self.ledger.lock().unwrap())
    }
}

async fn write(fest: &Tenant, wallet: &Wallet, round: usize) -> Result<(), Error> {
    match round % 4 {
        0 => fest.insert(wallet).await,
        1 => fest.transaction(async |tx: Transaction| tx.insert(wallet).await).await,
        2 => fest.pipeline().insert(wallet).update(wallet).commit().await,
        _ => {
            fest.transaction(async |tx: Transaction| {
                tx.count::<Wallet>().await?;
                tx.pipeline().insert(wallet).commit().await
            })
            .await
        }
    }
}

impl Ledger {
    fn write_down(&mut self, id: Uuid, outcome: Result<(), Error>) {
        match outcome {
            Ok(()) => {
                self.acknowledged.insert(id);
                self.times.push(Instant::now());
            }
            Err(error) => {
                let code = error.code().map_or_else(String::new, |code| format!(" {}", code.code()));
                *self.errors.entry(format!("{:?}{code}", error.kind())).or_default() += 1;
                let set = if error.is_outcome_unknown() { &mut self.unknown } else { &mut self.refused };
                set.insert(id);
            }
        }
    }

    /// Holds it against what is there: nothing acknowledged is lost, and nothing is there of which was said that it is not.
    pub async fn hold_against(&self, cluster: &Cluster, tenant: Uuid) {
        let fest = cluster.tenant(tenant).await.unwrap();
        let there: Vec<Uuid> = fest.select::<Wallet>().all().await.unwrap().iter().map(|wallet| wallet.id).collect();
        let there: HashSet<Uuid> = there.into_iter().collect();
        let lost = self.acknowledged.difference(&there).count();
        let refused = self.refused.intersection(&there).count();
        println!(
            "{} acknowledged, {lost} lost; {} refused, {refused} of them there; {} of unknown outcome; errors {:?}",
            self.acknowledged.len(),
            self.refused.len(),
            self.unknown.len(),
            self.errors
        );
        assert_eq!((lost, refused), (0, 0));
    }

    /// How long it took from then until something was acknowledged.
    pub fn recovered_after(&self, since: Instant) -> Duration {
        self.times.iter().filter(|time| **time >= since).min().map_or(Duration::MAX, |first| *first - since)
    }
}
