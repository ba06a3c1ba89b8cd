//! Visitors who go on until they are stopped.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::encore::{Encore, Guests};
use super::player::Player;
use super::stats::{Outcome, Stats};

/// Operations under way at once, in each crowd.
const AT_ONCE: u64 = 8;
/// The time between two operations of one of them: the machine has something else to do as well.
const BREATH: Duration = Duration::from_millis(10);

/// What goes on in the background of an act.
#[derive(Debug)]
pub struct Traffic {
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
    /// Counts and times.
    pub stats: Arc<Stats>,
}

impl Traffic {
    /// Sets the crowds going, each for itself: one that waits for its database does not keep the others waiting.
    ///
    /// # Errors
    /// As [`Stats::new`].
    pub fn start(player: &Arc<Player>, crowds: impl IntoIterator<Item = Guests>, seed: u64) -> anyhow::Result<Self> {
        let (stop, stats, mut tasks) = (watch::Sender::new(false), Arc::new(Stats::new()?), JoinSet::new());
        for crowd in crowds {
            for _ in 0..AT_ONCE {
                let (player, stats, stopped) = (player.clone(), stats.clone(), stop.subscribe());
                let seed = seed.wrapping_add(u64::try_from(tasks.len())?);
                let mut encore = Encore::new(crowd.clone(), seed);
                tasks.spawn(async move {
                    while !*stopped.borrow()
                        && let Some(operation) = encore.next()
                    {
                        player.play_another(operation, &stats).await;
                        tokio::time::sleep(BREATH).await;
                    }
                });
            }
        }
        Ok(Self { tasks, stop, stats })
    }

    /// Lets them finish what is under way.
    pub async fn stop(mut self) -> Arc<Stats> {
        self.stop.send_replace(true);
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                self.stats.ended("player", Outcome::Failed(error.to_string()));
            }
        }
        self.stats
    }
}
