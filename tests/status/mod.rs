//! One picture of a cluster, and what is made of it.

mod picture;
mod report;

use std::time::Duration;

use shardwise::local::CitusCluster;
use shardwise::{Cluster, Config, Region, Tenant};

use crate::citus::stage;
use crate::support::model::{Entry, Wallet};

/// A cluster of its own with a coordinator, a worker in each of two regions, and a standby of each.
async fn with_standbys(test: &str) -> Option<(CitusCluster, Config)> {
    if !crate::support::citus::can_run(test).await {
        return None;
    }
    let regions = [Region::EU, Region::US];
    let local = shardwise::local::citus(2).own().regions(regions).standbys().start().await.unwrap();
    let config = stage::config(&local).await;
    Some((local, config))
}

/// Festivals of different sizes in both regions, and one that lies in one and is at home in the other.
async fn play(cluster: &Cluster) -> Tenant {
    for at in 0..12_i64 {
        let region = if at % 3 == 0 { Region::US } else { Region::EU };
        fill(&stage::tenant_in(cluster, region).await, 20 * (at + 1) * (at + 1)).await;
    }
    let outside = stage::tenant_at_home(cluster, Region::US, Region::EU).await;
    fill(&outside, 3).await;
    outside
}

async fn fill(tenant: &Tenant, count: i64) {
    let note = Some("x".repeat(200));
    let wallets: Vec<_> = (0..count).map(|n| Wallet { note: note.clone(), ..Wallet::new(*tenant.key(), n) }).collect();
    for some in wallets.chunks(1_000) {
        tenant.insert_many(some).await.unwrap();
    }
    let entries: Vec<_> = wallets.iter().take(500).map(|wallet| Entry::new(wallet, 1)).collect();
    tenant.insert_many(&entries).await.unwrap();
}

/// Waits until a picture is so.
async fn until(cluster: &Cluster, is_so: impl Fn(&shardwise::Status) -> bool) -> shardwise::Status {
    let wait = async {
        loop {
            let status = cluster.status().await;
            if is_so(&status) {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    match tokio::time::timeout(Duration::from_secs(60), wait).await {
        Ok(status) => status,
        Err(_) => panic!("{}", cluster.status().await),
    }
}
