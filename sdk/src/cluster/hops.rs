//! The nodes that a statement would try, one after the other, and whether they can be reached.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Core, replicas};
use crate::config::Consistency;
use crate::error::{Error, ErrorKind, Result};
use crate::route::Route;
use crate::routing::{Need, Sight, Target};
use crate::topology::{Node, NodeIndex, Position};

/// A node that answers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reached {
    /// Whether a pooler in transaction mode stands before it.
    pub(crate) is_pooled: bool,
    /// From the question to the answer, on a connection that was there.
    pub(crate) round_trip: Duration,
}

/// As if every node were up, and no standby fresh.
struct AllUp;

impl Sight for AllUp {
    fn is_up(&self, _: NodeIndex) -> bool {
        true
    }

    fn is_fresh(&self, _: NodeIndex, _: Consistency, _: Option<Position>) -> bool {
        false
    }
}

impl Core {
    /// All nodes that a statement would try now, in order; those that could not be reached a moment ago are not among them.
    pub(crate) async fn hops(self: &Arc<Self>, target: Target, need: Need) -> Result<Vec<(Arc<Node>, Route)>> {
        if !replicas::are_watched(self) && self.ask(target, need).wants_replica() {
            Box::pin(replicas::watch(self)).await;
        }
        let state = self.state();
        let mut plan = self.plan(&state, target, need)?;
        let mut hops: Vec<(Arc<Node>, Route)> = Vec::new();
        while let Some(hop) = plan.next(&state.topology, &self.sight(&state)) {
            let node = state.topology.node(hop.node);
            // The second time it would be tried it would have failed before.
            if hops.iter().all(|(known, _)| known != node) {
                hops.push((node.clone(), hop.route));
            }
        }
        Ok(hops)
    }

    /// Those that it would try, were they not known to be out of reach; each with why it is.
    pub(crate) fn lost(&self, target: Target, need: Need) -> Result<Vec<(Arc<Node>, Option<Error>)>> {
        let state = self.state();
        let (mut plan, mut lost) = (self.plan(&state, target, need)?, Vec::new());
        while let Some(hop) = plan.next(&state.topology, &AllUp) {
            let station = state.station(hop.node);
            if !station.is_up() {
                lost.push((station.node().clone(), station.last_failure()));
            }
        }
        Ok(lost)
    }

    /// Connects to a node anew, and asks for an answer. One that can't be reached is gone around from then on.
    pub(crate) async fn reach(self: &Arc<Self>, node: &Arc<Node>) -> Result<Reached> {
        let state = self.state();
        let station = state.stations().iter().find(|station| station.node() == node);
        let station = station.ok_or_else(|| Error::new(ErrorKind::Connect, "the cluster's nodes have just changed"))?;
        let asked = async {
            let connection = station.pool(&self.config)?.dedicated().await?;
            let started = Instant::now();
            connection.client().simple_query("SELECT 1").await.map_err(Error::postgres)?;
            Ok(Reached { is_pooled: connection.is_pooled(), round_trip: started.elapsed() })
        };
        asked.await.map_err(|error: Error| error.on(node)).inspect_err(|error| {
            station.could_not_be_reached(error.clone(), &self.config);
        })
    }
}
