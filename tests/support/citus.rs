//! What the tests of Citus share: whether they can run, and one cluster for the whole run.

use std::io::Write as _;

use shardwise::Region;
use shardwise::local::{self, CitusCluster};
use tokio::sync::{Mutex, MutexGuard, OnceCell};

/// The run's cluster: a coordinator and a worker in 'eu', a worker in 'us'. It ends with the process.
///
/// `None` where there is no Citus; the test then returns.
pub async fn shared(test: &str) -> Option<&'static CitusCluster> {
    static CLUSTER: OnceCell<CitusCluster> = OnceCell::const_new();
    if !can_run(test).await {
        return None;
    }
    let start = || async { local::citus(2).regions([Region::EU, Region::US]).start().await.unwrap() };
    Some(CLUSTER.get_or_init(start).await)
}

/// Taken by whoever splits shards on the shared cluster, or distributes a table concurrently: Citus names the replication
/// slots for it without the database, and a server has each name once.
pub async fn splitting() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::const_new(());
    ONE.lock().await
}

/// Whether a test can run that starts a cluster of its own. Counted for `ci/test`.
pub async fn can_run(test: &str) -> bool {
    static OFFERED: OnceCell<bool> = OnceCell::const_new();
    let offered = *OFFERED.get_or_init(|| async { local::offers_citus().await.unwrap() }).await;
    if !offered {
        eprintln!("SKIPPED {test}: there is no Citus here");
    }
    if let Some(tally) = std::env::var_os("TEST_CITUS_TALLY") {
        let mut tally = std::fs::OpenOptions::new().append(true).open(tally).unwrap();
        writeln!(tally, "{} {test}", if offered { "ran" } else { "skipped" }).unwrap();
    }
    offered
}
