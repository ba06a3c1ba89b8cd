//! Where statements go: to the owner, by pins, around nodes that can't be reached, and after a shard has moved.

use std::time::Duration;

use shardwise::config::{Timeouts, TopologyConfig, Watch};
use shardwise::{Cluster, ErrorKind, Pin, Region, Route, unscoped_sql};

use super::stage::{self, Load, until};
use crate::support::citus::shared;
use crate::support::model::{Entry, Festival, Seat, Wallet};
use crate::support::unchecked;

#[tokio::test]
async fn every_verb_of_a_tenant_runs_on_the_owner() {
    let Some(local) = shared("every_verb_of_a_tenant_runs_on_the_owner").await else { return };
    let cluster = stage::cluster(local).await;
    let mut statements = 0;
    for region in [Region::EU, Region::US, Region::EU, Region::US] {
        let fest = stage::tenant_in(&cluster, region).await;
        assert_eq!((fest.route().unwrap(), fest.region()), (Route::Owner, Some(region)));
        assert_eq!(stage::runs_at(&fest).await, stage::port_of(&cluster, stage::owner(&cluster, &fest)));
        let mut wallets = stage::wallets(&fest, 5).await;
        assert_eq!(fest.get::<Wallet>(wallets[0].id).await.unwrap(), wallets[0]);
        let ids: Vec<_> = wallets.iter().map(|wallet| wallet.id).collect();
        assert_eq!(fest.get_many::<Wallet>(&ids).await.unwrap().len(), 5);
        wallets[0].balance = 100;
        fest.update(&wallets[0]).await.unwrap();
        fest.upsert(&wallets[1]).await.unwrap();
        assert!(fest.exists::<Wallet>(wallets[2].id).await.unwrap());
        assert!(fest.delete::<Wallet>(wallets[2].id).await.unwrap());
        assert_eq!(fest.count::<Wallet>().await.unwrap(), 4);
        assert_eq!(fest.select::<Wallet>().sum(Wallet::BALANCE).await.unwrap(), 100 + 1 + 3 + 4);
        fest.insert(&Seat { festival_id: *fest.key(), stage: "main".into(), number: 1, taken: true }).await.unwrap();
        statements += 11;
        let wallet = wallets[3].clone();
        fest.transaction(async |tx| {
            tx.update_columns::<Wallet>(wallet.id).add(Wallet::BALANCE, 5).run().await?;
            let entry = Entry {
                festival_id: wallet.festival_id,
                id: wallet.id,
                wallet_id: wallet.id,
                amount: 5,
                created_at: jiff::Timestamp::now(),
            };
            tx.insert(&entry).await
        })
        .await
        .unwrap();
        statements += 2;
    }
    // All connections to workers are watched: none of these was passed on.
    assert_eq!(cluster.metrics().tenant_routes, [("owner", statements)].into());
}

/// By a plan that fits all values the server would keep some 30 kB of each execution, until the session ends.
#[tokio::test]
async fn a_server_keeps_nothing_of_what_it_ran() {
    let Some(local) = shared("a_server_keeps_nothing_of_what_it_ran").await else { return };
    let cluster = stage::cluster(local).await;
    let fest = stage::tenant_in(&cluster, Region::US).await;
    let wallets = stage::wallets(&fest, 5).await;
    // All on one connection.
    let outcome = fest.transaction(async |tx| {
        let mut kept = Vec::new();
        for executions in [200, 2_000] {
            for at in 0..executions {
                let wallet = &wallets[at % wallets.len()];
                tx.get::<Wallet>(wallet.id).await?;
                tx.update_columns::<Wallet>(wallet.id).add(Wallet::BALANCE, 1).run().await?;
            }
            let memory = unchecked("SELECT sum(total_bytes)::int8 FROM pg_backend_memory_contexts");
            kept.push(tx.query_one_as::<(i64,)>(memory).await?.0);
        }
        Ok::<_, shardwise::Error>(kept)
    });
    let kept = outcome.await.unwrap();
    println!("{kept:?} bytes after 400 and 4,400 statements");
    assert!(kept[1] - kept[0] < 4 << 20, "{kept:?}");
}

#[tokio::test]
async fn reference_rows_are_read_nearby_and_written_through_the_coordinator() {
    let Some(local) = shared("reference_rows_are_read_nearby_and_written_through_the_coordinator").await else {
        return;
    };
    let config = stage::config(local).await.with_local_region(Region::US).unwrap();
    let cluster = Cluster::connect(config).await.unwrap();
    let fest = stage::tenant_in(&cluster, Region::EU).await;
    let before = cluster.metrics();
    assert_eq!(cluster.reference().get::<Festival>(*fest.key()).await.unwrap().region, Region::EU);
    let (port,): (i32,) = cluster.reference().query_one_as(unchecked("SELECT inet_server_port()")).await.unwrap();
    assert_eq!(vec![u16::try_from(port).unwrap()], stage::ports_in(&cluster, Region::US));
    let mut festival = cluster.reference().get::<Festival>(*fest.key()).await.unwrap();
    festival.name = "of another name".to_owned();
    cluster.reference().update(&festival).await.unwrap();
    let (before, after) = (before.routes, cluster.metrics().routes);
    let new = |route| after.get(route).copied().unwrap_or(0) - before.get(route).copied().unwrap_or(0);
    assert_eq!((new("nearest"), new("coordinator"), new("owner")), (3, 1, 0));
}

#[tokio::test]
async fn pins_say_where() {
    let Some(local) = shared("pins_say_where").await else { return };
    let config = stage::config(local).await.with_local_region(Region::US).unwrap();
    let cluster = Cluster::connect(config).await.unwrap();
    let fest = stage::tenant_in(&cluster, Region::EU).await;
    stage::wallets(&fest, 3).await;
    let ports = |region| stage::ports_in(&cluster, region);

    let eu = fest.clone().pinned(Region::EU).unwrap();
    assert_eq!((eu.route().unwrap(), vec![stage::runs_at(&eu).await]), (Route::Owner, ports(Region::EU)));
    assert_eq!(eu.count::<Wallet>().await.unwrap(), 3);

    let refused = fest.clone().pinned(Region::US).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Residency);
    assert!(refused.to_string().contains("the tenant's data lie in eu, and the pin asks for us"), "{refused}");

    let coordinator = fest.clone().pinned(Pin::Coordinator).unwrap();
    assert_eq!(coordinator.route().unwrap(), Route::Coordinator);
    assert_eq!(coordinator.count::<Wallet>().await.unwrap(), 3);

    let before = cluster.metrics().tenant_routes.get("forwarded").copied().unwrap_or(0);
    let any = fest.pinned(Pin::Any).unwrap();
    assert_eq!((any.route().unwrap(), vec![stage::runs_at(&any).await]), (Route::Forwarded, ports(Region::US)));
    assert_eq!(any.count::<Wallet>().await.unwrap(), 3);
    assert_eq!(cluster.metrics().tenant_routes["forwarded"] - before, 2);
}

#[tokio::test]
async fn a_node_that_cannot_be_reached_is_gone_around_and_found_again() {
    let Some(local) = shared("a_node_that_cannot_be_reached_is_gone_around_and_found_again").await else { return };
    let (config, proxies) = stage::proxied(local, stage::config(local).await).await;
    let cluster = Cluster::connect(config).await.unwrap();
    let fest = stage::tenant_in(&cluster, Region::US).await;
    stage::wallets(&fest, 3).await;
    let behind = proxies.values().find(|proxy| proxy.port == stage::port_of(&cluster, stage::owner(&cluster, &fest)));
    let behind = behind.expect("the client knows the owner by its proxy");

    behind.close();
    // The first statement may meet a connection that has just broken. It was never sent, and goes elsewhere.
    until(async || fest.count::<Wallet>().await.is_ok()).await;
    for balance in 0..20 {
        let wallet = Wallet::new(*fest.key(), balance);
        fest.insert(&wallet).await.unwrap();
        assert_ne!(fest.route().unwrap(), Route::Owner);
    }
    assert!(cluster.metrics().detours > 0);
    assert_eq!(fest.count::<Wallet>().await.unwrap(), 23);

    behind.open();
    until(async || fest.route().unwrap() == Route::Owner).await;
    assert_eq!(fest.count::<Wallet>().await.unwrap(), 23);
}

/// As a worker in a private network is: packets to it are dropped, and nobody says no.
#[tokio::test]
async fn a_node_that_never_answers_is_gone_around() {
    let Some(local) = shared("a_node_that_never_answers_is_gone_around").await else { return };
    let plain = stage::config(local).await;
    let fest = stage::tenant_in(&Cluster::connect(plain.clone()).await.unwrap(), Region::US).await;
    stage::wallets(&fest, 3).await;
    let (config, proxies) = stage::proxied(local, plain).await;
    let short = Timeouts { connect: Duration::from_millis(300), ..Timeouts::default() };
    let cluster = Cluster::connect(config.with_timeouts(short).unwrap()).await.unwrap();
    let fest = cluster.tenant(*fest.key()).await.unwrap();
    let owner = stage::port_of(&cluster, stage::owner(&cluster, &fest));
    proxies.values().find(|proxy| proxy.port == owner).unwrap().fall_silent();
    // More than a pool has, all at once.
    let counts = futures_util::future::join_all((0..64).map(|_| fest.count::<Wallet>())).await;
    for count in counts {
        assert_eq!(count.unwrap(), 3);
    }
    assert_ne!(fest.route().unwrap(), Route::Owner);
}

#[tokio::test]
async fn contact_points_need_not_be_the_coordinator_nor_known_by_that_name() {
    let test = "contact_points_need_not_be_the_coordinator_nor_known_by_that_name";
    let Some(local) = shared(test).await else { return };
    let config = stage::config(local).await;
    let port = local.workers()[0].config().contact_points()[0].port;
    let worker = config.clone().with_contact_points([format!("localhost:{port}").parse().unwrap()]).unwrap();
    let cluster = Cluster::connect(worker).await.unwrap();
    let topology = cluster.topology();
    assert_eq!(topology.nodes().len(), 3);
    let node = topology.nodes().iter().find(|node| node.port == port).unwrap();
    assert_eq!(node.host, "localhost", "the address that worked is kept");
    let fest = stage::tenant_in(&cluster, Region::EU).await;
    assert_eq!(fest.route().unwrap(), Route::Owner);
}

#[tokio::test]
async fn a_moved_shard_is_noticed_by_the_statement_that_was_passed_on() {
    let Some(local) = shared("a_moved_shard_is_noticed_by_the_statement_that_was_passed_on").await else { return };
    let config = stage::config(local).await;
    // Nothing is read by time.
    let cluster = Cluster::connect(config.clone()).await.unwrap();
    let fest = stage::tenant_in(&cluster, Region::US).await;
    stage::wallets(&fest, 3).await;
    let (old, before) = (stage::owner(&cluster, &fest), cluster.metrics());
    stage::move_away(local, &config, &fest).await;

    assert_eq!(stage::owner(&cluster, &fest), old, "behind its back");
    assert_eq!(fest.count::<Wallet>().await.unwrap(), 3, "a hop, never a wrong answer");
    until(async || stage::owner(&cluster, &fest) != old).await;
    assert_eq!(fest.count::<Wallet>().await.unwrap(), 3);
    let after = cluster.metrics();
    assert_eq!((after.tenant_routes["forwarded"], after.refreshes - before.refreshes), (1, 1));
    assert_eq!(fest.region(), Some(Region::EU));
}

#[tokio::test]
async fn a_moved_shard_is_noticed_by_asking_for_the_version() {
    let Some(local) = shared("a_moved_shard_is_noticed_by_asking_for_the_version").await else { return };
    let asking = TopologyConfig { probe_interval: Duration::from_millis(50), watch: Watch::Off, ..stage::watched() };
    let config = stage::config(local).await.with_topology(asking).unwrap();
    let cluster = Cluster::connect(config.clone()).await.unwrap();
    let fest = stage::tenant_in(&cluster, Region::US).await;
    let old = stage::owner(&cluster, &fest);
    stage::move_away(local, &config, &fest).await;
    until(async || stage::owner(&cluster, &fest) != old).await;
    assert_eq!(stage::runs_at(&fest).await, stage::port_of(&cluster, stage::owner(&cluster, &fest)));
    // A node's region is no part of Citus' metadata.
    let region = unscoped_sql!("UPDATE shardwise.node_regions SET region = 'ap' WHERE region = 'us'");
    cluster.coordinator().execute(region).await.unwrap();
    until(async || stage::ports_in(&cluster, Region::constant("ap")).len() == 1).await;
}

#[tokio::test]
async fn twenty_moves_under_load_make_no_error() {
    let Some(local) = shared("twenty_moves_under_load_make_no_error").await else { return };
    let config = stage::config(local).await;
    let cluster = Cluster::connect(config.clone()).await.unwrap();
    let fest = stage::tenant_in(&cluster, Region::US).await;
    let wallets = stage::wallets(&fest, 8).await;
    let load = Load::on(&fest, &wallets);
    let admin = Cluster::connect(config).await.unwrap();
    for _ in 0..20 {
        stage::move_by(&admin, &stage::worker_ports(local), &fest).await;
        // Within one reading of the layout the routes are right again.
        let server = unscoped_sql!(
            "SELECT nodeport FROM pg_dist_node JOIN pg_dist_placement USING (groupid) \
             WHERE shardid = get_shard_id_for_distribution_column('wallets', :id::uuid)",
            id = *fest.key()
        );
        let (port,): (i32,) = admin.across_shards("a test").query_one_as(server).await.unwrap();
        until(async || i32::from(stage::port_of(&cluster, stage::owner(&cluster, &fest))) == port).await;
    }
    let played = load.stop().await;
    assert!(played.errors.is_empty(), "{:?}", played.errors.first());
    stage::assert_books(&fest, &wallets, &played).await;
    assert!(cluster.metrics().tenant_routes["forwarded"] > 0, "they were noticed by detours");
}
