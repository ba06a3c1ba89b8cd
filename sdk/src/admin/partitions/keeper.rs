//! Keeps the partitions while the service runs.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tracing::{info, warn};

use super::{Changes, Partitions};
use crate::admin::leader::{Background, Leader};
use crate::cluster::Core;
use crate::error::{Error, ErrorKind};
use crate::random;

/// The advisory lock of the process that keeps a database's partitions: "partkeep" as a number.
const LOCK: i64 = 0x7061_7274_6b65_6570;

/// What a keeper does.
#[derive(Debug, Clone)]
#[must_use]
pub struct KeeperOptions {
    every: Duration,
    ahead: usize,
    retention: Option<Retention>,
}

#[derive(Debug, Clone, Copy)]
enum Retention {
    Drop(Duration),
    Detach(Duration),
}

impl Default for KeeperOptions {
    /// Every hour: three partitions ahead, gaps and the default partition. Nothing is dropped.
    fn default() -> Self {
        Self { every: Duration::from_secs(3_600), ahead: 3, retention: None }
    }
}

impl KeeperOptions {
    /// How long a round is after the other; less by up to a tenth, so that many processes don't ask at once.
    pub fn every(self, interval: Duration) -> Self {
        Self { every: interval, ..self }
    }

    /// How many partitions are ready after the current one.
    pub fn ahead(self, partitions: usize) -> Self {
        Self { ahead: partitions, ..self }
    }

    /// Drops the partitions whose rows are all older than this.
    pub fn drop_older_than(self, age: Duration) -> Self {
        Self { retention: Some(Retention::Drop(age)), ..self }
    }

    /// Detaches them in place of that.
    pub fn detach_older_than(self, age: Duration) -> Self {
        Self { retention: Some(Retention::Detach(age)), ..self }
    }
}

/// A keeper at work; it ends when this is dropped. Made by [`Partitions::keep`].
#[derive(Debug)]
pub struct Keeper(Background<KeeperStatus>);

/// What a keeper has come to.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct KeeperStatus {
    /// Whether it is this process that keeps the partitions.
    pub is_leader: bool,
    /// How many rounds it has been through as such.
    pub rounds: u64,
    /// When a round last ended without an error.
    pub last_success: Option<SystemTime>,
    /// What the last round changed.
    pub changes: Vec<Arc<Changes>>,
    /// What went wrong in the last round.
    pub errors: Vec<Arc<Error>>,
}

impl Keeper {
    pub(super) fn start(core: Arc<Core>, partitions: Partitions, options: KeeperOptions) -> Self {
        Self(Background::start(|told| async move {
            let leader = Leader::new(core, LOCK, "keeps the partitions");
            let mut rounds = Rounds { partitions, options, leader, told };
            while rounds.go().await {}
        }))
    }

    /// What it has come to.
    #[must_use]
    pub fn status(&self) -> KeeperStatus {
        self.0.status()
    }

    /// Waits until this is so of what it has come to.
    pub async fn wait_for(&self, is_so: impl FnMut(&KeeperStatus) -> bool) -> KeeperStatus {
        self.0.wait_for(is_so).await
    }
}

struct Rounds {
    partitions: Partitions,
    options: KeeperOptions,
    leader: Leader,
    told: watch::Sender<KeeperStatus>,
}

impl Rounds {
    /// One round, and the time until the next. Whether there is one.
    async fn go(&mut self) -> bool {
        match self.leader.leads().await {
            Ok(leads) => {
                self.told.send_modify(|status| status.is_leader = leads);
                if leads {
                    self.round().await;
                }
            }
            Err(error) if error.kind() == ErrorKind::Closed => return false,
            Err(error) => {
                warn!(%error, "the partitions can't be kept");
                self.told.send_modify(|status| {
                    status.is_leader = false;
                    status.errors = vec![Arc::new(error)];
                });
            }
        }
        tokio::time::sleep(random::up_to_a_tenth_less(self.options.every)).await;
        true
    }

    /// What is needed first, first: rows that can't be inserted are worse than those that stay too long.
    async fn round(&self) {
        let partitions = &self.partitions;
        let outcomes = [
            partitions.finish_detaching().await,
            partitions.create_future(self.options.ahead).await,
            partitions.fill_gaps().await,
            partitions.drain_default().await,
            match self.options.retention {
                Some(Retention::Drop(age)) => partitions.drop_older_than(age).await,
                Some(Retention::Detach(age)) => partitions.detach_older_than(age).await,
                None => Ok(Changes::default()),
            },
        ];
        let (mut changes, mut errors) = (Vec::new(), Vec::new());
        for outcome in outcomes {
            match outcome {
                Ok(done) if done.is_empty() => {}
                Ok(done) => {
                    info!("{done}");
                    changes.push(Arc::new(done));
                }
                Err(error) => {
                    warn!(%error, "a part of keeping the partitions failed");
                    errors.push(Arc::new(error));
                }
            }
        }
        self.told.send_modify(|status| {
            status.rounds += 1;
            if errors.is_empty() {
                status.last_success = Some(SystemTime::now());
            }
            (status.changes, status.errors) = (changes, errors);
        });
    }
}

impl fmt::Debug for Rounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rounds").field("options", &self.options).finish_non_exhaustive()
    }
}
