//! A primary is lost, and a standby takes its place, while services go on writing. What was acknowledged is kept outside of the
//! database, and held against it afterwards.

mod citus;
mod cuts;
mod names;
mod single;

use std::time::Duration;

use shardwise::Cluster;
use shardwise::local::Server;
use tokio::time::Instant;

use crate::faults::writers::Writers;

/// Kills the primary and promotes its standby a little later. Returns when that takes writes.
pub async fn fail_over(primary: &Server, standby: &Server) -> Instant {
    primary.kill().await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    standby.promote().await.unwrap();
    Instant::now()
}

/// Ends the writers, and holds their ledger against what is there.
pub async fn account(writers: Writers, cluster: &Cluster, since: Instant) {
    let ledger = writers.stop().await;
    println!("writes went on {:?} after the promotion or the start", ledger.recovered_after(since));
    println!("{:?}", ledger.hold_against(cluster).await);
}
