//! Tasks that write all the time, in every way there is, and write down what they are told.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use shardwise::{Error, Tenant, Transaction, Uuid};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::ledger::{Entry, Ledger, Line, Told};
use crate::support::model::Wallet;

/// Nobody writes for so long after an error: a server that is gone refuses thousands of writes a second.
const AFTER_AN_ERROR: Duration = Duration::from_millis(10);

/// How long a hang may last before it is called one.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Writers {
    tenants: Vec<Tenant>,
    tasks: JoinSet<()>,
    stop: Arc<AtomicBool>,
    shared: Arc<Shared>,
}

/// How the writers write.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Between two writes.
    pub between: Duration,
    /// Inside of a transaction, between its statements.
    pub within: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { between: Duration::from_millis(1), within: Duration::ZERO }
    }
}

struct Shared {
    ledger: Mutex<Ledger>,
    /// By tenant.
    acknowledged: Vec<AtomicUsize>,
    /// Of the journal's lines.
    numbers: AtomicI64,
}

impl Writers {
    /// So many of them, each for one of the tenants and with a counter of its own.
    pub async fn start(tenants: &[Tenant], count: usize) -> Self {
        Self::at_pace(tenants, count, Pace::default()).await
    }

    pub async fn at_pace(tenants: &[Tenant], count: usize, pace: Pace) -> Self {
        let shared = Shared {
            ledger: Mutex::default(),
            acknowledged: tenants.iter().map(|_| AtomicUsize::new(0)).collect(),
            numbers: AtomicI64::new(0),
        };
        let stop = Arc::new(AtomicBool::new(false));
        let mut writers = Self { tenants: tenants.to_vec(), tasks: JoinSet::new(), stop, shared: Arc::new(shared) };
        let stop = writers.stop.clone();
        let tasks = writers.spawn(count, pace, &stop).await;
        writers.tasks = tasks;
        writers
    }

    /// So many more for so long, without a pause between their writes.
    pub async fn more(&self, count: usize, time: Duration) {
        let stop = Arc::new(AtomicBool::new(false));
        let pace = Pace { between: Duration::ZERO, within: Duration::ZERO };
        let mut tasks = self.spawn(count, pace, &stop).await;
        tokio::time::sleep(time).await;
        stop.store(true, Ordering::Relaxed);
        ended(&mut tasks).await;
    }

    pub fn acknowledged(&self) -> usize {
        self.shared.acknowledged.iter().map(|of_one| of_one.load(Ordering::Relaxed)).sum()
    }

    pub fn errors(&self) -> u64 {
        self.shared.ledger.lock().unwrap().errors.values().sum()
    }

    /// How often errors were met whose kind or SQLSTATE is called so.
    pub fn errors_like(&self, name: &str) -> u64 {
        self.shared.ledger.lock().unwrap().errors_like(name)
    }

    /// Waits until so many more are acknowledged, of each tenant.
    pub async fn until_more(&self, more: usize) {
        let counts = || self.shared.acknowledged.iter().map(|of_one| of_one.load(Ordering::Relaxed));
        let goals: Vec<usize> = counts().map(|count| count + more).collect();
        self.until(|| counts().zip(&goals).all(|(count, goal)| count >= *goal)).await;
    }

    /// Waits until it is so.
    pub async fn until(&self, is_so: impl Fn() -> bool) {
        let wait = async {
            while !is_so() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, wait).await.is_err() {
            panic!("writers don't get on: {:?}", self.shared.ledger.lock().unwrap().errors);
        }
    }

    pub async fn stop(mut self) -> Ledger {
        self.stop.store(true, Ordering::Relaxed);
        ended(&mut self.tasks).await;
        std::mem::take(&mut *self.shared.ledger.lock().unwrap())
    }

    async fn spawn(&self, count: usize, pace: Pace, stop: &Arc<AtomicBool>) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        for task in 0..count {
            let of = task % self.tenants.len();
            let (fest, stop, shared) = (self.tenants[of].clone(), stop.clone(), self.shared.clone());
            let mut counter = shared.counter(&fest).await;
            tasks.spawn(async move {
                let mut round = task;
                while !stop.load(Ordering::Relaxed) {
                    round += 1;
                    let number = shared.numbers.fetch_add(1, Ordering::Relaxed);
                    let write = Write::new(&fest, counter, number, round);
                    let began = Instant::now();
                    let outcome = write.run(&fest, pace.within).await;
                    let entry = write.told(&fest, began, &outcome);
                    shared.note(of, entry, outcome.as_ref().err());
                    if entry.told == Told::Unknown && entry.counter.is_some() {
                        // Else what is in doubt of one addition would hide what became of the others.
                        counter = shared.counter(&fest).await;
                    }
                    tokio::time::sleep(if outcome.is_ok() { pace.between } else { AFTER_AN_ERROR }).await;
                }
            });
        }
        tasks
    }
}

/// Waits for tasks that were told to stop: whatever they wait for has a time limit.
async fn ended(tasks: &mut JoinSet<()>) {
    let all = async {
        while let Some(task) = tasks.join_next().await {
            task.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, all).await.expect("a write hangs");
}

impl Shared {
    /// A wallet to count in. There may be more writers than the pool bears, and a fault may be under way: who is not let in tries
    /// again.
    async fn counter(&self, fest: &Tenant) -> Uuid {
        let end = Instant::now() + PATIENCE;
        loop {
            let counter = Wallet::new(*fest.key(), 0);
            let Err(error) = fest.insert(&counter).await else {
                self.ledger.lock().unwrap().counters.push((*fest.key(), counter.id));
                return counter.id;
            };
            let may_go_on = error.is_retryable() || error.is_outcome_unknown();
            assert!(may_go_on && Instant::now() < end, "{error:?}");
            tokio::time::sleep(AFTER_AN_ERROR).await;
        }
    }

    fn note(&self, of: usize, entry: Entry, error: Option<&Error>) {
        self.ledger.lock().unwrap().write_down(entry, error);
        self.acknowledged[of].fetch_add(usize::from(error.is_none()), Ordering::Relaxed);
    }
}

/// One of the ways to write, and what with.
struct Write {
    way: usize,
    row: Wallet,
    other: Wallet,
    line: Line,
    counter: Uuid,
}

impl Write {
    const WAYS: usize = 9;

    fn new(fest: &Tenant, counter: Uuid, number: i64, round: usize) -> Self {
        let line = Line { festival_id: *fest.key(), serial: 0, number };
        let wallet = || Wallet::new(*fest.key(), 1);
        Self { way: round % Self::WAYS, row: wallet(), other: wallet(), line, counter }
    }

    async fn run(&self, fest: &Tenant, pause: Duration) -> Result<(), Error> {
        let Self { way, row, other, line, counter } = self;
        let add = fest.update_columns::<Wallet>(*counter).add(Wallet::BALANCE, 1);
        match way {
            0 => fest.insert(row).await,
            1 => fest.insert(line).await,
            2 => add.run().await.map(|is_there| assert!(is_there, "the counter is gone")),
            3 => fest.pipeline().insert(row).change(&add).commit().await,
            4 => {
                fest.transaction(async |tx: Transaction| {
                    tx.insert(row).await?;
                    tokio::time::sleep(pause).await;
                    tx.insert(line).await
                })
                .await
            }
            5 => {
                fest.transaction(async |tx: Transaction| {
                    tx.get::<Wallet>(*counter).await?;
                    tokio::time::sleep(pause).await;
                    tx.pipeline().insert(line).change(&add).commit().await
                })
                .await
            }
            6 => fest.insert_many(&[row.clone(), other.clone()]).await.map(|stored| assert_eq!(stored, 2)),
            7 => {
                let mut copy = fest.copy_in::<Wallet>().await?;
                copy.send(row).await?;
                copy.send(other).await?;
                copy.finish().await.map(|stored| assert_eq!(stored, 2))
            }
            _ => {
                fest.transaction(async |tx: Transaction| {
                    let add = tx.update_columns::<Wallet>(*counter).add(Wallet::BALANCE, 1);
                    assert!(add.run().await?, "the counter is gone");
                    tokio::time::sleep(pause).await;
                    tx.insert(row).await
                })
                .await
            }
        }
    }

    fn told(&self, fest: &Tenant, began: Instant, outcome: &Result<(), Error>) -> Entry {
        let told = match outcome {
            Ok(()) => Told::Acknowledged,
            Err(error) if error.is_outcome_unknown() => Told::Unknown,
            Err(_) => Told::Refused,
        };
        let (row, other, line) = (Some(self.row.id), Some(self.other.id), Some(self.line.number));
        let (rows, line, counter) = match self.way {
            0 => ([row, None], None, None),
            1 => ([None, None], line, None),
            2 => ([None, None], None, Some(self.counter)),
            4 => ([row, None], line, None),
            5 => ([None, None], line, Some(self.counter)),
            6 | 7 => ([row, other], None, None),
            _ => ([row, None], None, Some(self.counter)),
        };
        Entry { tenant: *fest.key(), rows, line, counter, told, began, ended: Instant::now() }
    }
}
