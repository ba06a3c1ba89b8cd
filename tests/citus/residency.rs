//! What must not leave a region does not: every connection that the client opens goes through a proxy that counts.

use std::collections::BTreeMap;

use futures_util::TryStreamExt as _;
use shardwise::local::{CitusCluster, Server};
use shardwise::topology::Role;
use shardwise::{Cluster, Config, ErrorKind, Mode, Region, Residency, Route, Tenant, Uuid, sql, unscoped_sql};

use super::placement_stage::{self, Note};
use super::stage::{self, until};
use crate::support::citus::{can_run, shared};
use crate::support::model::{Entry, Festival, Wallet};
use crate::support::proxy::Proxy;
use crate::support::unchecked;

struct Stage {
    cluster: Cluster,
    /// The same database, past the proxies.
    config: Config,
    proxies: BTreeMap<u16, Proxy>,
}

/// A client in the EU that is bound to it, with a proxy in front of each node.
async fn strict(local: &CitusCluster) -> Stage {
    let config = stage::config(local).await;
    let (proxied, proxies) = stage::proxied(local, config.clone()).await;
    let proxied = proxied.with_regions([Region::EU, Region::US]).unwrap().with_local_region(Region::EU).unwrap();
    let cluster = Cluster::connect(proxied.with_residency(Residency::Strict).unwrap()).await.unwrap();
    Stage { cluster, config, proxies }
}

impl Stage {
    /// The proxies of a region's nodes, as the client knows them.
    fn of(&self, region: Region, role: Role) -> Vec<&Proxy> {
        let topology = self.cluster.topology();
        let nodes = topology.nodes().iter().filter(|node| node.region == Some(region) && node.role == role);
        let ports: Vec<u16> = nodes.map(|node| node.port).collect();
        self.proxies.values().filter(|proxy| ports.contains(&proxy.port)).collect()
    }

    fn assert_nothing_went_to(&self, region: Region) {
        let outside = self.of(region, Role::Worker);
        assert_eq!(outside.len(), 1);
        assert_eq!(outside[0].accepted(), 0, "a connection was opened to {region}");
    }
}

/// Whatever a tenant can do.
async fn everything(fest: &Tenant) -> shardwise::Result<()> {
    let wallet = Wallet::new(*fest.key(), 10);
    fest.insert(&wallet).await?;
    fest.get::<Wallet>(wallet.id).await?;
    fest.update_columns::<Wallet>(wallet.id).add(Wallet::BALANCE, 1).run().await?;
    fest.insert_many(&[Wallet::new(*fest.key(), 1), Wallet::new(*fest.key(), 2)]).await?;
    let id = wallet.id;
    fest.transaction(async |tx| {
        tx.update_columns::<Wallet>(id).add(Wallet::BALANCE, 1).run().await?;
        let entry = Entry {
            festival_id: *tx.key(),
            id: Uuid::new_v4(),
            wallet_id: id,
            amount: 1,
            created_at: jiff::Timestamp::now(),
        };
        tx.insert(&entry).await
    })
    .await?;
    let query = || sql!("SELECT id FROM wallets WHERE festival_id = :festival_id", entities(Wallet));
    assert_eq!(
        fest.query(query()).await?.len(),
        fest.query_stream(query()).await?.try_collect::<Vec<_>>().await?.len()
    );
    assert!(fest.select::<Wallet>().stream().await?.try_collect::<Vec<_>>().await?.len() >= 3);
    let mut copy = fest.copy_in::<Wallet>().await?;
    copy.send(&Wallet::new(*fest.key(), 7)).await?;
    copy.finish().await?;
    assert!(fest.copy_out::<Wallet>().await?.try_collect::<Vec<_>>().await?.iter().any(|wallet| wallet.balance == 7));
    assert_eq!(fest.get::<Wallet>(wallet.id).await?.balance, 12);
    Ok(())
}

#[tokio::test]
async fn nothing_of_a_strict_tenant_leaves_its_region() {
    let Some(local) = shared("nothing_of_a_strict_tenant_leaves_its_region").await else { return };
    let stage = strict(local).await;
    let fest = stage::tenant_in(&stage.cluster, Region::EU).await;
    everything(&fest).await.unwrap();
    for _ in 0..3 {
        stage.cluster.refresh().await.unwrap();
        stage.cluster.health().await.unwrap();
        stage.cluster.directory::<Festival>().find(*fest.key()).await.unwrap();
    }
    assert_eq!(stage.cluster.metrics().tenant_routes.keys().collect::<Vec<_>>(), [&"owner"]);
    stage.assert_nothing_went_to(Region::US);

    // Its worker gone, the coordinator passes statements on: it stands in the region. Without it, there is no way.
    stage.of(Region::EU, Role::Worker)[0].close();
    until(async || {
        fest.route().is_ok_and(|route| route == Route::Coordinator) || fest.count::<Wallet>().await.is_err()
    })
    .await;
    until(async || fest.count::<Wallet>().await.is_ok()).await;
    stage.of(Region::EU, Role::Coordinator)[0].close();
    until(async || fest.count::<Wallet>().await.is_err()).await;
    let error = fest.count::<Wallet>().await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    assert!(stage.cluster.refresh().await.is_err(), "the layout is not read elsewhere either");
    stage.assert_nothing_went_to(Region::US);
}

#[tokio::test]
async fn a_tenant_whose_data_lie_outside_its_home_region_is_refused() {
    let Some(local) = shared("a_tenant_whose_data_lie_outside_its_home_region_is_refused").await else { return };
    let stage = strict(local).await;
    let plain = Cluster::connect(stage.config.clone()).await.unwrap();
    let astray = stage::tenant_at_home(&plain, Region::US, Region::EU).await;

    let error = stage.cluster.tenant(*astray.key()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Residency);
    assert!(error.to_string().contains("the tenant's data lie in us, and its home region is eu"), "{error}");
    let error = stage.cluster.tenant(Uuid::new_v4()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Residency);
    assert!(error.to_string().contains("the tenant has no home region"), "{error}");
    stage.assert_nothing_went_to(Region::US);

    // A handle of its own may ask for more, or less, than the configuration.
    assert!(astray.clone().with_residency(Residency::Prefer).await.is_ok());
    assert_eq!(astray.clone().with_residency(Residency::Strict).await.unwrap_err().kind(), ErrorKind::Residency);
}

/// The same without proxies, by what the servers themselves write down of each connection.
#[tokio::test]
async fn the_servers_of_another_region_never_hear_of_a_strict_client() {
    let test = "the_servers_of_another_region_never_hear_of_a_strict_client";
    if !can_run(test).await {
        return;
    }
    let settings = [("log_connections", "on"), ("logging_collector", "on"), ("log_destination", "stderr")];
    let local = shardwise::local::citus(2).regions([Region::EU, Region::US]);
    let local = settings.into_iter().fold(local, |local, (name, value)| local.setting(name, value));
    let local = local.start().await.unwrap();
    let plain = stage::config(&local).await;
    let strict = plain.clone().with_application_name("strict-client").with_regions([Region::EU, Region::US]).unwrap();
    let strict = strict.with_local_region(Region::EU).unwrap().with_residency(Residency::Strict).unwrap();
    let cluster = Cluster::connect(strict).await.unwrap();
    let fest = stage::tenant_in(&cluster, Region::EU).await;
    everything(&fest).await.unwrap();
    stage::move_away(&local, &plain, &fest).await;
    assert_eq!(fest.count::<Wallet>().await.unwrap_err().kind(), ErrorKind::Residency);
    cluster.refresh().await.unwrap();
    assert_eq!(fest.count::<Wallet>().await.unwrap_err().kind(), ErrorKind::Residency);
    stage::move_away(&local, &plain, &fest).await;
    until(async || fest.count::<Wallet>().await.is_ok()).await;
    local.coordinator().kill().await.unwrap();
    everything(&fest).await.unwrap();
    cluster.refresh().await.unwrap();
    local.workers()[0].kill().await.unwrap();
    assert!(fest.count::<Wallet>().await.is_err() && cluster.refresh().await.is_err());

    assert_eq!(connections_of(&local.workers()[1], "strict-client").await, 0);
    assert!(connections_of(&local.workers()[1], "mover").await == 0, "it went to the coordinator");
    local.workers()[0].restart().await.unwrap();
    assert!(connections_of(&local.workers()[0], "strict-client").await > 0);
}

/// How many connections a server's log has under this name.
async fn connections_of(server: &Server, name: &str) -> i64 {
    let cluster = Cluster::connect(server.config().with_mode(Mode::Single)).await.unwrap();
    let lines = unscoped_sql!(
        "SELECT count(*) FROM pg_ls_logdir() file, \
         regexp_matches(pg_read_file('log/' || file.name), 'connection authorized: .* application_name=' || :name, 'g')",
        name = name
    );
    let (lines,): (i64,) = cluster.coordinator().query_one_as(lines).await.unwrap();
    lines
}

/// The node vouches for one shard: a text that may use others is not sent.
#[tokio::test]
async fn a_text_of_a_strict_tenant_says_which_tables_it_uses() {
    let Some(local) = shared("a_text_of_a_strict_tenant_says_which_tables_it_uses").await else { return };
    let stage = strict(local).await;
    let fest = stage::tenant_in(&stage.cluster, Region::EU).await;
    let silent = unchecked("SELECT id FROM wallets WHERE festival_id = :id").bind("id", *fest.key());
    let refused = fest.query(silent).await.unwrap_err();
    assert!(refused.to_string().contains("add `.entity::<…>()`"), "{refused}");
    let plain = Cluster::connect(stage.config.clone()).await.unwrap();
    plain.admin().apply(&placement_stage::schema()).await.unwrap();
    stage.cluster.refresh().await.unwrap();
    let mixed = unchecked("SELECT 1 FROM wallets WHERE festival_id = :festival_id").entity::<Wallet>().entity::<Note>();
    let refused = fest.query(mixed).await.unwrap_err();
    assert!(refused.to_string().contains("several co-location groups"), "{refused}");
    assert_eq!(fest.query(sql!("SELECT 1")).await.unwrap().len(), 1);
}

/// What the client believes of the nodes' regions does not count.
#[tokio::test]
async fn the_node_knows_the_regions_itself() {
    let Some(local) = shared("the_node_knows_the_regions_itself").await else { return };
    let stage = strict(local).await;
    let fest = stage::tenant_in(&stage.cluster, Region::EU).await;
    assert_eq!(fest.count::<Wallet>().await.unwrap(), 0);
    let plain = Cluster::connect(stage.config.clone()).await.unwrap();
    let port = i32::from(stage::port_of(&plain, stage::owner(&plain, &fest)));
    let node = unscoped_sql!("SELECT nodeid FROM pg_dist_node WHERE nodeport = :port", port = port);
    let (node,): (i32,) = plain.coordinator().query_one_as(node).await.unwrap();
    let other = unscoped_sql!("UPDATE shardwise.node_regions SET region = 'us' WHERE node_id = :node", node = node);
    plain.coordinator().execute(other).await.unwrap();
    assert_eq!(fest.count::<Wallet>().await.unwrap_err().kind(), ErrorKind::Residency);
}

#[tokio::test]
async fn a_node_that_no_longer_has_the_shard_does_not_pass_a_strict_statement_on() {
    let test = "a_node_that_no_longer_has_the_shard_does_not_pass_a_strict_statement_on";
    let Some(local) = shared(test).await else { return };
    let stage = strict(local).await;
    let fest = stage::tenant_in(&stage.cluster, Region::EU).await;
    everything(&fest).await.unwrap();
    let plain = Cluster::connect(stage.config.clone()).await.unwrap();
    let witness = plain.tenant(*fest.key()).await.unwrap();
    let before = witness.count::<Wallet>().await.unwrap();
    // Behind the client's back, to the other region.
    stage::move_away(local, &stage.config, &fest).await;

    let wallet = Wallet::new(*fest.key(), 1);
    let refused = fest.insert(&wallet).await.unwrap_err();
    assert_eq!((refused.kind(), refused.is_outcome_unknown()), (ErrorKind::Residency, false), "{refused:?}");
    let refused = fest.transaction(async |tx| tx.insert(&wallet).await).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Residency, "{refused:?}");
    assert_eq!(fest.count::<Wallet>().await.unwrap_err().kind(), ErrorKind::Residency);
    assert_eq!(fest.copy_out::<Wallet>().await.unwrap_err().kind(), ErrorKind::Residency);
    stage.assert_nothing_went_to(Region::US);
    assert!(!stage.cluster.metrics().tenant_routes.contains_key("forwarded"));
    assert_eq!(witness.count::<Wallet>().await.unwrap(), before, "nothing was written");

    stage::move_away(local, &stage.config, &fest).await;
    until(async || fest.count::<Wallet>().await.is_ok()).await;
    everything(&fest).await.unwrap();
    stage.assert_nothing_went_to(Region::US);
}

/// The first refusal is not the last word: the node may know better where in the region the shard is.
#[tokio::test]
async fn a_strict_statement_follows_its_shard_within_the_region() {
    let test = "a_strict_statement_follows_its_shard_within_the_region";
    let Some(local) = shared(test).await else { return };
    let stage = strict(local).await;
    let fest = stage::tenant_in(&stage.cluster, Region::EU).await;
    let plain = Cluster::connect(stage.config.clone()).await.unwrap();
    stage::isolate(&plain, &fest).await;
    // The shard that the client knows is gone, and its successor in the same place.
    let retries = stage.cluster.metrics().retries;
    everything(&fest).await.unwrap();
    assert!(stage.cluster.metrics().retries > retries);
}

#[tokio::test]
async fn what_is_bound_to_a_region_keeps_its_shard_there_until_it_ends() {
    let Some(local) = shared("what_is_bound_to_a_region_keeps_its_shard_there_until_it_ends").await else { return };
    let config = stage::config(local).await;
    let cluster = Cluster::connect(config.clone()).await.unwrap();
    let fest = stage::tenant_in(&cluster, Region::EU).await.pinned(Region::EU).unwrap();
    let (started, go) = tokio::sync::oneshot::channel();
    let (finish, finished) = tokio::sync::oneshot::channel();
    let bound = tokio::spawn({
        let fest = fest.clone();
        async move {
            fest.transaction(|tx| async move {
                // A transaction begins with its first statement.
                tx.count::<Wallet>().await?;
                started.send(()).unwrap();
                finished.await.unwrap();
                tx.insert(&Wallet::new(*tx.key(), 1)).await
            })
            .await
        }
    });
    go.await.unwrap();
    let (mover, tenant, ports) = (config.clone(), fest.clone(), stage::worker_ports(local));
    let moving = tokio::spawn(async move { stage::move_between(&mover, &tenant, &ports).await });
    // It has copied the rows, and waits for us to end.
    until(async || stage::waits_for_a_lock(&cluster).await).await;
    assert!(!moving.is_finished());
    finish.send(()).unwrap();
    bound.await.unwrap().unwrap();
    moving.await.unwrap();
    assert_eq!(fest.count::<Wallet>().await.unwrap_err().kind(), ErrorKind::Residency);
}
