//! Waiting in line: first come, first served, bounded in time and in number.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::{Error, Limit, Result};

/// So many may be in at once; the others wait in line.
pub(super) struct Turns {
    semaphore: Semaphore,
    all: u32,
    waiting: AtomicU32,
    max_waiting: u32,
    limit: Duration,
    closed: AtomicBool,
}

/// Somebody's turn, given back when it is dropped.
pub(super) struct Turn<'a>(SemaphorePermit<'a>);

impl Turn<'_> {
    /// It is given back by [`Turns::give_back`].
    pub(super) fn keep(self) {
        self.0.forget();
    }
}

impl Turns {
    /// `limit` is the time that one may wait.
    pub(super) fn new(all: u32, max_waiting: u32, limit: Duration) -> Self {
        let permits = usize::try_from(all).unwrap_or(Semaphore::MAX_PERMITS);
        let (semaphore, waiting, closed) = (Semaphore::new(permits), AtomicU32::new(0), AtomicBool::new(false));
        Self { semaphore, all, waiting, max_waiting, limit, closed }
    }

    /// Waits in line.
    ///
    /// # Errors
    /// [`ErrorKind::Overloaded`](crate::ErrorKind::Overloaded) where too many wait already, the limit of `checkout` where it
    /// takes too long, and `Closed`.
    pub(super) async fn take(&self) -> Result<Turn<'_>> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Error::closed());
        }
        // Who waits is served before: then there is nothing to be had here.
        if let Ok(permit) = self.semaphore.try_acquire() {
            return Ok(Turn(permit));
        }
        let _waits = Waits::new(self)?;
        match tokio::time::timeout(self.limit, self.semaphore.acquire()).await {
            Ok(Ok(_)) if self.closed.load(Ordering::Acquire) => Err(Error::closed()),
            Ok(Ok(permit)) => Ok(Turn(permit)),
            Ok(Err(_)) => Err(Error::closed()),
            Err(_) => Err(Error::timed_out(Limit::Checkout, self.limit)),
        }
    }

    /// For a turn that was kept.
    pub(super) fn give_back(&self) {
        self.semaphore.add_permits(1);
    }

    /// How many are in, how many wait, and how many may be in at once.
    pub(super) fn usage(&self) -> (u32, u32, u32) {
        let free = u32::try_from(self.semaphore.available_permits()).unwrap_or(u32::MAX);
        (self.all.saturating_sub(free), self.waiting.load(Ordering::Acquire), self.all)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Waits until all turns are given back, at most for `patience`. Nobody gets one any more.
    pub(super) async fn close(&self, patience: Duration) {
        self.closed.store(true, Ordering::Release);
        drop(tokio::time::timeout(patience, self.semaphore.acquire_many(self.all)).await);
        self.semaphore.close();
    }
}

/// One who waits.
struct Waits<'a>(&'a AtomicU32);

impl<'a> Waits<'a> {
    fn new(turns: &'a Turns) -> Result<Self> {
        if turns.waiting.fetch_add(1, Ordering::AcqRel) >= turns.max_waiting {
            turns.waiting.fetch_sub(1, Ordering::AcqRel);
            return Err(Error::overloaded(turns.max_waiting));
        }
        Ok(Self(&turns.waiting))
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
