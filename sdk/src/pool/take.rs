//! Which connection somebody wants of a node's pool.

use super::pace::{Pace, PaceKey};
use super::shared::Traffic;
use super::{Lease, Line, NodePool};
use crate::error::Result;

/// What somebody wants of a pool.
pub(crate) trait Take: Sync {
    type Line: Send;

    /// With `patience` a server that can't be reached is tried again until the time is over, for it may be just starting.
    /// Without, it is told at once: there is another one to go to.
    fn take(&self, pool: &NodePool, patience: bool) -> impl Future<Output = Result<Self::Line>> + Send;
}

/// A connection for exclusive use.
pub(crate) struct Exclusively;

impl Take for Exclusively {
    type Line = Lease;

    async fn take(&self, pool: &NodePool, patience: bool) -> Result<Lease> {
        pool.checkout(patience).await
    }
}

/// A place on a shared connection for this statement, if it is known to be brief or likely to be; else a connection for
/// exclusive use.
#[derive(Clone, Copy)]
pub struct ForStatement {
    pub(crate) key: PaceKey,
    pub(crate) traffic: Traffic,
    /// Whether it counts as brief before it has run once.
    pub(crate) is_likely_brief: bool,
    /// Whether it is under way on another connection: then it goes to none that has anything to do.
    pub(crate) is_second: bool,
}

impl Take for ForStatement {
    type Line = Line;

    async fn take(&self, pool: &NodePool, patience: bool) -> Result<Line> {
        let is_brief = match pool.pace(self.key) {
            Pace::Fast => true,
            Pace::Unknown => self.is_likely_brief,
            Pace::Slow => false,
        };
        if is_brief && let Some(share) = pool.share(self.traffic, self.is_second).await? {
            return Ok(Line::Shared(share));
        }
        // Also while no shared connection is open yet: it is told here why none can be opened. On the heap: the way that most
        // take must not be as large.
        Box::pin(pool.checkout(patience)).await.map(Line::Own)
    }
}
