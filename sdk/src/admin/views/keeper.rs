//! Refreshes views while the service runs.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tracing::{info, warn};

use super::handle::{Refresh, Views};
use crate::admin::leader::{Background, Leader};
use crate::error::{Error, ErrorKind, Result};
use crate::random;

/// The advisory lock of the process that refreshes a database's views: "viewkeep" as a number.
const LOCK: i64 = 0x7669_6577_6b65_6570;

/// How long a round is after the other at most: another process may have ended meanwhile.
const LONGEST: Duration = Duration::from_secs(30);
const SHORTEST: Duration = Duration::from_millis(100);

/// A keeper at work; it ends when this is dropped. Made by [`Views::keep`].
#[derive(Debug)]
pub struct ViewKeeper(Background<ViewKeeperStatus>);

/// What a keeper has come to.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ViewKeeperStatus {
    /// Whether it is this process that refreshes the views.
    pub is_leader: bool,
    /// How many rounds it has been through as such.
    pub rounds: u64,
    /// How many refreshes it has made.
    pub refreshes: u64,
    /// Those of the last round.
    pub refreshed: Vec<Refresh>,
    /// What went wrong in the last round.
    pub errors: Vec<Arc<Error>>,
}

impl ViewKeeper {
    pub(super) fn start(views: Views) -> Self {
        Self(Background::start(|told| async move {
            let leader = Leader::new(views.core.clone(), LOCK, "refreshes the views");
            let mut rounds = Rounds { views, leader, told };
            while rounds.go().await {}
        }))
    }

    /// What it has come to.
    #[must_use]
    pub fn status(&self) -> ViewKeeperStatus {
        self.0.status()
    }

    /// Waits until this is so of what it has come to.
    pub async fn wait_for(&self, is_so: impl FnMut(&ViewKeeperStatus) -> bool) -> ViewKeeperStatus {
        self.0.wait_for(is_so).await
    }
}

struct Rounds {
    views: Views,
    leader: Leader,
    told: watch::Sender<ViewKeeperStatus>,
}

impl Rounds {
    /// One round, and the time until the next. Whether there is one.
    async fn go(&mut self) -> bool {
        let pause = match self.round().await {
            Ok(pause) => pause,
            Err(error) if error.kind() == ErrorKind::Closed => return false,
            Err(error) => {
                warn!(%error, "the views can't be kept");
                self.told.send_modify(|status| {
                    status.is_leader = false;
                    status.errors = vec![Arc::new(error)];
                });
                LONGEST
            }
        };
        tokio::time::sleep(random::up_to_a_tenth_less(pause.clamp(SHORTEST, LONGEST))).await;
        true
    }

    /// Refreshes what is older than it may be. Returns how long the next one may wait.
    async fn round(&mut self) -> Result<Duration> {
        let leads = self.leader.leads().await?;
        self.told.send_modify(|status| status.is_leader = leads);
        let shortest = self.views.tables.iter().filter_map(|table| table.view.as_ref()?.every).min().unwrap_or(LONGEST);
        if !leads {
            return Ok(shortest);
        }
        let (mut refreshed, mut errors, mut next) = (Vec::new(), Vec::new(), LONGEST);
        let tables = self.views.tables.clone();
        for (table, info) in tables.iter().zip(self.views.list().await?) {
            let Some(every) = info.every else { continue };
            if info.is_stale() {
                match self.views.refresh_table(table).await {
                    Ok(refresh) => {
                        info!(view = info.name, took = ?refresh.took, "refreshed");
                        refreshed.push(refresh);
                    }
                    Err(error) => {
                        warn!(%error, view = info.name, "a view could not be refreshed");
                        errors.push(Arc::new(error));
                    }
                }
                next = next.min(every);
            } else {
                next = next.min(every.saturating_sub(info.age.unwrap_or_default()));
            }
        }
        self.told.send_modify(|status| {
            status.rounds += 1;
            status.refreshes += u64::try_from(refreshed.len()).unwrap_or_default();
            (status.refreshed, status.errors) = (refreshed, errors);
        });
        Ok(next)
    }
}

impl fmt::Debug for Rounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rounds").field("views", &self.views).finish_non_exhaustive()
    }
}
