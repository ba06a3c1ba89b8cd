//! One process of many does what has to be done by one.

use std::sync::Arc;

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
