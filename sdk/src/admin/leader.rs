//! One process of many does what has to be done by one, in the background.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::debug;

use super::desk::Desk;
use crate::cluster::Core;
use crate::error::Result;

/// A session that has an advisory lock, or tries to get it.
pub(super) struct Leader {
    core: Arc<Core>,
    lock: i64,
    /// What it is about, for the log.
    what: &'static str,
    desk: Option<Desk>,
}

impl Leader {
    pub(super) fn new(core: Arc<Core>, lock: i64, what: &'static str) -> Self {
        Self { core, lock, what, desk: None }
    }

    /// Whether this process has the lock, by a session that is still there.
    pub(super) async fn leads(&mut self) -> Result<bool> {
        if let Some(desk) = &self.desk {
            match desk.batch("SELECT 1").await {
                Ok(()) => return Ok(true),
                // Its lock went with it.
                Err(error) => debug!(%error, "the session that {} is lost", self.what),
            }
            self.desk = None;
        }
        let desk = Desk::open(&self.core).await?;
        let leads = desk.try_turn(self.lock).await?;
        self.desk = leads.then_some(desk);
        if !leads {
            debug!("another process {}", self.what);
        }
        Ok(leads)
    }
}

/// A task at work, and what it has come to; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Background<S> {
    latest: watch::Receiver<S>,
    task: JoinHandle<()>,
}

impl<S: Clone + Default> Background<S> {
    /// Starts it; it tells what it has come to.
    pub(super) fn start<F: Future<Output = ()> + Send + 'static>(work: impl FnOnce(watch::Sender<S>) -> F) -> Self {
        let (told, latest) = watch::channel(S::default());
        Self { latest, task: tokio::spawn(work(told)) }
    }

    pub(super) fn status(&self) -> S {
        self.latest.borrow().clone()
    }

    /// Waits until this is so of what it has come to.
    pub(super) async fn wait_for(&self, is_so: impl FnMut(&S) -> bool) -> S {
        // It is told for as long as the task lives, and this aborts it.
        match self.latest.clone().wait_for(is_so).await {
            Ok(status) => status.clone(),
            Err(_) => self.status(),
        }
    }
}

impl<S> Drop for Background<S> {
    fn drop(&mut self) {
        self.task.abort();
    }
}
