//! Whose reads keep to which standby, and what happens when one is lost.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use shardwise::config::{Consistency, Otherwise};
use shardwise::{Tenant, Uuid};

use super::Stage;
use crate::support::unchecked;

const TENANTS: usize = 300;

/// The port of the server that a tenant's reads come from.
async fn port(fest: &Tenant) -> i32 {
    fest.query_one_as::<(i32,)>(unchecked("SELECT inet_server_port()")).await.unwrap().0
}

async fn ports(tenants: &[Tenant]) -> Vec<i32> {
    let mut ports = Vec::new();
    for fest in tenants {
        ports.push(port(fest).await);
    }
    ports
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_standby_moves_its_own_tenants_alone() {
    let stage = Stage::with_standbys(3).await;
    let cluster = stage.cluster().await;
    let consistency = Consistency::replica_ok(Duration::from_secs(30), Otherwise::Fail);
    let mut tenants = Vec::new();
    for _ in 0..TENANTS {
        tenants.push(cluster.tenant(Uuid::new_v4()).await.unwrap().with_consistency(consistency));
    }
    let before = ports(&tenants).await;
    assert_eq!(ports(&tenants).await, before, "they keep to theirs");
    let again = stage.cluster().await;
    let other = again.tenant(*tenants[0].key()).await.unwrap().with_consistency(consistency);
    assert_eq!(port(&other).await, before[0], "in every process alike");
    let mut shares: HashMap<i32, usize> = HashMap::new();
    before.iter().for_each(|port| *shares.entry(*port).or_default() += 1);
    assert!(shares.len() == 3 && shares.values().all(|share| *share > 60), "{shares:?}");

    // Under load: readers of all tenants, none of which meets an error.
    let (stop, reads) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let readers: Vec<_> = (0..8)
        .map(|reader| {
            let (tenants, stop, reads) = (tenants.clone(), stop.clone(), reads.clone());
            tokio::spawn(async move {
                for fest in tenants.iter().cycle().skip(reader * 31) {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    fest.count::<crate::support::model::Wallet>().await.unwrap();
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let lost = &stage.primary.standbys()[1];
    let lost_port = i32::from(lost.config().contact_points()[0].port);
    lost.kill().await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let after = ports(&tenants).await;
    stop.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.await.unwrap();
    }
    let moved: Vec<_> = before.iter().zip(&after).filter(|(before, after)| before != after).collect();
    println!(
        "{} of {TENANTS} tenants moved, {} reads under way, none failed",
        moved.len(),
        reads.load(Ordering::Relaxed)
    );
    assert_eq!(moved.len(), shares[&lost_port], "its own, all of them");
    assert!(moved.iter().all(|(before, _)| **before == lost_port));
    let places: std::collections::HashSet<_> = moved.iter().map(|(_, after)| **after).collect();
    assert_eq!(places.len(), 2, "to both of the others");

    lost.restart().await.unwrap();
    let back = async {
        while ports(&tenants).await != before {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), back).await.expect("they come back");
}
