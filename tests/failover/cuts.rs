//! Connections that are cut at any moment: whatever was on its way in either direction is lost.

use std::time::Duration;

use shardwise::config::Policy;
use shardwise::{Cluster, Config, Uuid, unscoped_sql};

use crate::faults::ledger::{Told, schema};
use crate::faults::writers::Writers;
use crate::support::place::Place;
use crate::support::proxy::Proxy;

const CUTS: u32 = 40;

/// Writes through a proxy that cuts all connections again and again.
async fn cut(config: Config, looking: Config) {
    let proxy = Proxy::to(config.contact_points()[0].port).await;
    let config = config.with_contact_points([format!("127.0.0.1:{}", proxy.port).parse().unwrap()]).unwrap();
    let tenant = Uuid::new_v4();
    let cluster = Cluster::connect(config).await.unwrap();
    let writers = Writers::start(&[cluster.tenant(tenant).await.unwrap()], 12).await;
    for cut in 0..CUTS {
        writers.until_more(20).await;
        tokio::time::sleep(Duration::from_micros(u64::from(cut) * 137)).await;
        proxy.close();
        proxy.open();
    }
    let ledger = writers.stop().await;
    assert!(ledger.count(Told::Unknown) > 0, "no cut hit anything");
    println!("{:?}", ledger.hold_against(&Cluster::connect(looking).await.unwrap()).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_told_wrongly() {
    let config = Place::Single.prepared_with(schema()).await;
    cut(config.clone(), config).await;
}

/// With the tenant told in each statement's own transaction.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_told_wrongly_with_row_level_security() {
    let role = format!("cuts_{}", Uuid::new_v4().simple());
    let owner = Place::Single.empty().await.with_policy(Policy::row_level_security(&role)).unwrap();
    let cluster = Cluster::connect(owner.clone()).await.unwrap();
    cluster.admin().apply(&schema()).await.unwrap();
    let login = unscoped_sql!(
        "DO $$ BEGIN EXECUTE (SELECT format('CREATE ROLE cuts_login LOGIN IN ROLE %I', rolname) FROM pg_roles \
         WHERE rolname LIKE 'cuts\\_%' AND NOT rolcanlogin ORDER BY oid DESC LIMIT 1); END $$"
    );
    cluster.coordinator().execute(login).await.unwrap();
    let config = owner.with_user("cuts_login");
    cut(config.clone(), config).await;
}
