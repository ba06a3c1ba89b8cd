//! One server and its standbys: which of them takes writes. When the primary is lost, and a standby is promoted, it is found among
//! the contact points and the standbys that the configuration lists.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use super::standbys;
use crate::config::{Config, Endpoint, Mode};
use crate::error::{Error, ErrorKind, Result};
use crate::pool::connect_once;
use crate::topology::{Node, Topology};

/// How long a server may take to tell, while others wait: one that is gone may not answer at all.
pub(super) const PATIENCE: Duration = Duration::from_millis(500);

/// The timeline that it writes to, of which each promotion begins a new one; null for a standby.
const LOOK: &str = "SELECT CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN \
                    ('x' || pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8))::bit(32)::int8 END";

/// Whether there is more than one server to look at.
pub(super) fn is_possible(config: &Config) -> bool {
    candidates(config).nth(1).is_some()
}

/// Where the primary may be: at a contact point, or where none of them can serve at a standby, which may have been promoted. On
/// Citus a standby is one of any node's.
pub(super) fn candidates(config: &Config) -> impl Iterator<Item = &Endpoint> {
    let standbys = config.replicas.iter().filter(|_| config.mode != Mode::Citus);
    config.contact_points.iter().chain(standbys)
}

/// Asks all of them at once. `current` is the primary as it was known last, and `latest` the latest timeline that was seen, below
/// which none is a primary any more: an old one that was started again takes writes that nobody would find. Zero where none was
/// seen yet.
///
/// # Errors
/// [`ErrorKind::Connect`] where none takes writes.
pub(super) async fn look(config: &Config, current: &Node, latest: &mut i64, patience: Duration) -> Result<Topology> {
    let asked = candidates(config).map(|endpoint| async move {
        let told = tokio::time::timeout(patience, timeline(config, endpoint)).await;
        (endpoint, told.ok().and_then(Result::ok).flatten())
    });
    let (mut asked, mut told) = (asked.collect::<FuturesUnordered<_>>(), Vec::new());
    while let Some((endpoint, timeline)) = asked.next().await {
        told.push((endpoint, timeline));
        // A later one than was ever seen was promoted just now: nobody waits for the one that is lost.
        if *latest > 0 && timeline.is_some_and(|timeline| timeline > *latest) {
            break;
        }
    }
    let is_current = |endpoint: &Endpoint| {
        let node = single(config, endpoint);
        (node.host.as_str(), node.port) == (current.host.as_str(), current.port)
    };
    let primary = told
        .iter()
        .filter_map(|(endpoint, timeline)| Some((*endpoint, (*timeline)?)))
        .filter(|(_, timeline)| *timeline >= *latest)
        .max_by_key(|(endpoint, timeline)| (*timeline, is_current(endpoint)));
    let Some((primary, timeline)) = primary else {
        let message =
            "none of the `contact_points` and `replicas` takes writes: promote a standby, or start the primary";
        return Err(Error::new(ErrorKind::Connect, message));
    };
    *latest = timeline;
    let others = candidates(config).filter(|endpoint| *endpoint != primary);
    let standbys = others.map(|endpoint| standbys::of_single(config, endpoint));
    Ok(Topology::single(single(config, primary), standbys))
}

/// The timeline that it writes to; `None` for a standby.
async fn timeline(config: &Config, endpoint: &Endpoint) -> Result<Option<i64>> {
    let session = connect_once(config, Arc::new(single(config, endpoint))).await?;
    let row = session.client().query_typed_one(LOOK, &[]).await.map_err(Error::postgres)?;
    row.try_get(0).map_err(Error::postgres)
}

/// The one server at this address.
fn single(config: &Config, endpoint: &Endpoint) -> Node {
    let Endpoint { host, port } = config.address_of(endpoint).unwrap_or_else(|| endpoint.clone());
    Node::single(host, port, config.region_of(endpoint).or(config.local_region))
}
