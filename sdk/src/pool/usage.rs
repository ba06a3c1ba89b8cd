//! How much of a pool is in use.

use super::shared::Shared;
use super::{NodePool, Traffic};
use crate::health::Usage;

impl NodePool {
    /// Of each kind of places there is.
    pub(crate) fn usages(&self) -> Vec<Usage> {
        let (in_use, waiting, limit) = self.0.turns.usage();
        let idle = self.0.pool.state().connections.saturating_sub(in_use);
        let exclusive = Usage { kind: "exclusive", in_use, idle, waiting, limit };
        let shared = [(&self.0.reads, Traffic::Reads), (&self.0.writes, Traffic::Writes)];
        let shared = shared.into_iter().filter_map(|(shared, traffic)| Some(of_shared(shared.as_ref()?, traffic)));
        std::iter::once(exclusive).chain(shared).collect()
    }
}

fn of_shared(shared: &Shared, traffic: Traffic) -> Usage {
    let kind = match traffic {
        Traffic::Reads => "shared_reads",
        Traffic::Writes => "shared_writes",
    };
    let (in_use, waiting, limit) = shared.usage();
    let idle = shared.connections().saturating_mul(shared.depth()).saturating_sub(in_use);
    Usage { kind, in_use, idle, waiting, limit }
}
