//! A tenant moves to another region while it is written: its shard is split off and moved, and so is that of the rollup.

use shardwise::Region;

use super::stage::{DIFFERING, DailyStats, WalletMonth};
use crate::citus::placement_stage::{self as stage, Busy, placement};
use crate::support::direct;

#[tokio::test]
async fn a_busy_tenants_rollup_moves_with_it() {
    const REGIONS: [Region; 2] = [Region::EU, Region::US];
    let Some(local) = stage::own("a_busy_tenants_rollup_moves_with_it", &REGIONS).await else { return };
    let cluster = stage::cluster(&local).await;
    let schema = stage::schema().with::<DailyStats>().with::<WalletMonth>();
    cluster.admin().apply(&schema).await.unwrap();
    let tenant = stage::tenant(&cluster, Region::US, Region::US).await;
    let neighbour = stage::tenant(&cluster, Region::US, Region::US).await;
    let (busy, other) = (Busy::with(&tenant, 6).await, Busy::with(&neighbour, 2).await);
    let config = local.coordinator().config();
    let by_hand =
        direct::connect_at(&config.contact_points()[0], &config, &stage::database(&cluster).await).await.unwrap();
    let differing = async || by_hand.query_one(DIFFERING, &[]).await.unwrap().get::<_, i64>(0);
    busy.pay(50).await;
    assert_eq!(differing().await, 0);
    for region in [Region::EU, Region::US] {
        placement(&cluster).relocate(*tenant.key(), region).await.unwrap();
        assert_eq!(differing().await, 0, "moved to {region}");
        busy.pay(50).await;
        assert_eq!(differing().await, 0, "and paid there");
    }
    let (payments, neighbours) = (busy.finish().await, other.finish().await);
    assert_eq!(differing().await, 0);
    for found in [
        cluster.admin().rollups(&schema).verify::<DailyStats>().await.unwrap(),
        cluster.admin().rollups(&schema).verify::<WalletMonth>().await.unwrap(),
    ] {
        assert!(found.is_exact(), "{found}");
    }
    let plan = cluster.admin().plan(&schema).await.unwrap();
    assert!(plan.is_empty(), "{plan}");
    println!(
        "ROLLUPS citus: moved there and back during {payments} payments, and {neighbours} of a neighbour; 0 groups differ"
    );
}
