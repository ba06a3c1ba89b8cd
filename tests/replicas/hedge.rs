//! Reads that take longer than most are sent to a second place, and the first answer counts.

use std::time::{Duration, Instant};

use shardwise::config::{PoolConfig, ReadsConfig};
use shardwise::local::Server;
use shardwise::{Cluster, Config, Tenant, Uuid};

use super::{FRESH, Stage};
use crate::support::direct::{address, connect, on};
use crate::support::model::Wallet;

/// Wallets are read through a view that waits for ten seconds: on the server with this port, and there for one reader at a
/// time. A primary counts them, for one that is cancelled meanwhile is not seen to wait.
const SLOW: &str = "ALTER TABLE wallets RENAME TO all_wallets; CREATE TABLE slow_at (port int NOT NULL); \
    CREATE SEQUENCE waited; \
    CREATE FUNCTION waits() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN \
        IF inet_server_port() = (SELECT port FROM slow_at) AND pg_try_advisory_xact_lock(1) THEN \
            IF NOT pg_is_in_recovery() THEN PERFORM nextval('waited'); END IF; PERFORM pg_sleep(10); END IF; \
        RETURN true; END $$; \
    CREATE VIEW wallets AS SELECT * FROM all_wallets WHERE waits()";

/// As many reads as it takes to know how long they take.
const ENOUGH: usize = 64;

async fn stage(standbys: usize) -> (Stage, Config, Wallet) {
    let stage = Stage::with_standbys(standbys).await;
    let wallet = Wallet::new(Uuid::new_v4(), 1);
    stage.cluster().await.tenant(wallet.festival_id).await.unwrap().insert(&wallet).await.unwrap();
    on(&stage.primary, SLOW).await;
    let reads = ReadsConfig { hedge_percentile: Some(90), ..ReadsConfig::default() };
    // What takes long is not moved: it waits.
    let pool = PoolConfig { shared_limit: Duration::from_secs(20), ..PoolConfig::default() };
    let config = stage.config.clone().with_reads(reads).unwrap().with_pool(pool).unwrap();
    (stage, config, wallet)
}

fn port_of(server: &Server) -> u16 {
    address(server).port
}

async fn read(fest: &Tenant, wallet: &Wallet, times: usize) {
    for _ in 0..times {
        assert_eq!(fest.get::<Wallet>(wallet.id).await.unwrap(), *wallet);
    }
}

/// Whether a read has waited, or waits, on this primary.
async fn one_waited_at(server: &Server) -> bool {
    let client = connect(server, server.config().database()).await.unwrap();
    client.query_one("SELECT is_called FROM waited", &[]).await.unwrap().get(0)
}

/// Whether a read waits on this server.
async fn one_waits_at(server: &Server) -> bool {
    let client = connect(server, server.config().database()).await.unwrap();
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND state = 'active'";
    client.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) > 0
}

#[tokio::test]
async fn a_slow_answer_of_one_connection_is_not_waited_for() {
    let (stage, config, wallet) = stage(0).await;
    let cluster = Cluster::connect(config).await.unwrap();
    let fest = cluster.tenant(wallet.festival_id).await.unwrap();
    read(&fest, &wallet, ENOUGH).await;
    let hedged_before = cluster.metrics().hedges;
    on(&stage.primary, &format!("INSERT INTO slow_at VALUES ({})", port_of(&stage.primary))).await;
    let began = Instant::now();
    read(&fest, &wallet, 1).await;
    // The first one waits for ten seconds.
    assert!(began.elapsed() < Duration::from_secs(5), "it was waited for: {:?}", began.elapsed());
    assert!(one_waited_at(&stage.primary).await, "it went to no slow one");
    assert!(cluster.metrics().hedges > hedged_before);

    // Nothing that may not be done twice is: the slow one is waited for.
    on(&stage.primary, "UPDATE slow_at SET port = 0").await;
    let hedged_before = cluster.metrics().hedges;
    let changed = fest.update_columns::<Wallet>(wallet.id).set(Wallet::BALANCE, 2).run().await;
    changed.unwrap();
    fest.transaction(async |tx: shardwise::Transaction| tx.get::<Wallet>(wallet.id).await).await.unwrap();
    assert_eq!(cluster.metrics().hedges, hedged_before);
}

#[tokio::test]
async fn a_slow_standby_is_not_waited_for_where_there_is_another() {
    let (stage, config, wallet) = stage(2).await;
    let cluster = Cluster::connect(config).await.unwrap();
    let fest = cluster.tenant(wallet.festival_id).await.unwrap().with_consistency(FRESH);
    super::caught_up(&fest, async |fest| fest.find::<Wallet>(wallet.id).await.is_ok_and(|found| found.is_some())).await;
    read(&fest, &wallet, 2 * ENOUGH).await;
    let sleeps = "SELECT inet_server_port()";
    let (usual,): (i32,) = fest.query_one_as(crate::support::unchecked(sleeps).entity::<Wallet>()).await.unwrap();
    on(&stage.primary, &format!("INSERT INTO slow_at VALUES ({usual})")).await;
    let slow = stage.primary.standbys().iter().find(|standby| i32::from(port_of(standby)) == usual).unwrap();
    // Until it has arrived there.
    let mut reads = 0;
    while !one_waits_at(slow).await {
        read(&fest, &wallet, 1).await;
        reads += 1;
        assert!(reads < 10_000, "no read of the slow standby was overtaken");
    }
    assert!(cluster.metrics().hedges > 0);
    // All came from standbys: the primary was not asked in their place.
    assert_eq!(cluster.metrics().fallbacks, 0);
    assert!(!one_waits_at(&stage.primary).await);
}
