//! A Citus cluster whose nodes don't fit together.

use shardwise::config::NodeOverride;
use shardwise::doctor::Subject;
use shardwise::health::Verdict;
use shardwise::{Cluster, Config, unscoped_sql};

use super::{examine, fine, found};
use crate::citus::stage;
use crate::support::citus::{can_run, shared};
use crate::support::direct::{connect, connect_at};
use crate::support::place::Place;
use crate::support::proxy::Proxy;

#[tokio::test]
async fn a_node_of_the_cluster_s_own_list_that_can_t_be_reached_from_here() {
    let Some(citus) = shared("doctor::cluster::a_node_of_the_cluster_s_own_list_that_can_t_be_reached_from_here").await
    else {
        return;
    };
    let config = Place::Citus(citus).prepared().await;
    let [coordinator, _, worker] = config.contact_points() else { panic!("{config:?}") };
    let (coordinator, worker) = (coordinator.clone(), worker.clone());
    let proxy = Proxy::to(worker.port).await;
    let over = NodeOverride { port: Some(proxy.port), ..NodeOverride::default() };
    // The configuration names the coordinator alone: the worker is known from the metadata.
    let config = config.with_contact_points([coordinator]).unwrap().with_node(worker, over);
    let at = format!("127.0.0.1:{}", proxy.port);
    fine(&examine(&config).await, Subject::Connection);
    proxy.close();
    let diagnosis = examine(&config).await;
    let finding = found(&diagnosis, Subject::LogIn, Verdict::Critical, "");
    assert_eq!(finding.node.as_deref(), Some(at.as_str()));
    // Where nobody listens at all, it is the connection.
    let nobody = NodeOverride { port: Some(crate::support::programs::free_port()), ..NodeOverride::default() };
    let diagnosis = examine(&config.clone().with_node(worker_of(citus), nobody)).await;
    let finding = found(&diagnosis, Subject::Connection, Verdict::Critical, "refused");
    assert!(
        finding.tried.contains("pg_dist_node") && finding.fix.as_ref().unwrap().contains("citus_update_node"),
        "{finding}"
    );
    proxy.open();
    fine(&examine(&config).await, Subject::LogIn);
}

fn worker_of(citus: &shardwise::local::CitusCluster) -> shardwise::config::Endpoint {
    citus.workers()[1].config().contact_points()[0].clone()
}

#[tokio::test]
async fn metadata_that_a_worker_has_not() {
    let Some(citus) = shared("doctor::cluster::metadata_that_a_worker_has_not").await else { return };
    let config = Place::Citus(citus).prepared().await;
    fine(&examine(&config).await, Subject::Metadata);
    let worker = worker_of(citus);
    let coordinator = connect(citus.coordinator(), config.database()).await.unwrap();
    let node = format!("'{}', {}", worker.host, worker.port);
    coordinator.batch_execute(&format!("SELECT stop_metadata_sync_to_node({node})")).await.unwrap();
    let without = examine(&config).await;
    found(&without, Subject::Metadata, Verdict::Warning, "it does not have the metadata");
    coordinator.batch_execute(&format!("SELECT start_metadata_sync_to_node({node})")).await.unwrap();
    fine(&examine(&config).await, Subject::Metadata);

    // One that has other metadata than the coordinator.
    let session = connect_at(&worker, &config, config.database()).await.unwrap();
    session
        .batch_execute(
            "DELETE FROM pg_dist_placement WHERE placementid = (SELECT max(placementid) FROM pg_dist_placement)",
        )
        .await
        .unwrap();
    found(&examine(&config).await, Subject::Metadata, Verdict::Critical, "not the same");
    coordinator.batch_execute(&format!("SELECT start_metadata_sync_to_node({node})")).await.unwrap();
    fine(&examine(&config).await, Subject::Metadata);
}

#[tokio::test]
async fn what_shards_are_moved_and_split_by() {
    let name = "doctor::cluster::what_shards_are_moved_and_split_by";
    if !can_run(name).await {
        return;
    }
    let citus = shardwise::local::citus(1).own().start().await.unwrap();
    let config = stage::config(&citus).await;
    fine(&examine(&config).await, Subject::Decoding);
    let worker = &citus.workers()[0];
    let session = connect(worker, config.database()).await.unwrap();
    let rows =
        session.query("SELECT setting FROM pg_settings WHERE name = 'output_plugin_libraries'", &[]).await.unwrap();
    if let Some(row) = rows.first() {
        let before: String = row.get(0);
        session.batch_execute("ALTER SYSTEM SET output_plugin_libraries = 'pgoutput'").await.unwrap();
        session.batch_execute("SELECT pg_reload_conf()").await.unwrap();
        let is_so = async |wanted: Verdict| super::worst(&examine(&config).await, Subject::Decoding) == wanted;
        stage::until(async || is_so(Verdict::Warning).await).await;
        found(&examine(&config).await, Subject::Decoding, Verdict::Warning, "no shard can be split");
        session.batch_execute(&format!("ALTER SYSTEM SET output_plugin_libraries = {before}")).await.unwrap();
        session.batch_execute("SELECT pg_reload_conf()").await.unwrap();
        stage::until(async || is_so(Verdict::Ok).await).await;
    } else {
        eprintln!("this PostgreSQL has no output_plugin_libraries");
    }
    let replica = shardwise::local::citus(1).own().setting("wal_level", "replica").start().await.unwrap();
    found(
        &examine(&stage::config(&replica).await).await,
        Subject::Decoding,
        Verdict::Warning,
        "`wal_level` is replica",
    );
}

/// An update that was done on one node alone, a time zone that one has.
#[tokio::test]
async fn nodes_that_are_not_alike() {
    let Some(citus) = shared("doctor::cluster::nodes_that_are_not_alike").await else { return };
    let config = Place::Citus(citus).prepared().await;
    let worker = worker_of(citus);
    let session = connect_at(&worker, &config, config.database()).await.unwrap();
    let well = examine(&config).await;
    fine(&well, Subject::Versions);
    fine(&well, Subject::Locale);
    let version: String =
        session.query_one("SELECT extversion FROM pg_extension WHERE extname = 'citus'", &[]).await.unwrap().get(0);
    session.batch_execute("UPDATE pg_extension SET extversion = '12.1-1' WHERE extname = 'citus'").await.unwrap();
    let old = examine(&config).await;
    found(&old, Subject::Versions, Verdict::Warning, "the extension citus is 12.1-1, and its library");
    found(&old, Subject::Versions, Verdict::Warning, &format!("Citus {version}: "));
    session
        .batch_execute(&format!("UPDATE pg_extension SET extversion = '{version}' WHERE extname = 'citus'"))
        .await
        .unwrap();
    fine(&examine(&config).await, Subject::Versions);

    // Citus would set it on all nodes.
    session.batch_execute("SET citus.enable_ddl_propagation = off").await.unwrap();
    session
        .batch_execute(&format!("ALTER DATABASE {} SET timezone = 'America/New_York'", config.database()))
        .await
        .unwrap();
    found(&examine(&config).await, Subject::Locale, Verdict::Warning, "America/New_York");
    session.batch_execute(&format!("ALTER DATABASE {} RESET timezone", config.database())).await.unwrap();
    fine(&examine(&config).await, Subject::Locale);
}

#[tokio::test]
async fn encodings_that_differ() {
    // Two servers that one configuration names as one.
    let one = shardwise::local::single().setting("work_mem", "5MB").start().await.unwrap();
    let other = shardwise::local::single().setting("work_mem", "5MB").start().await.unwrap();
    let database = "CREATE DATABASE shop TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C' ENCODING";
    crate::support::direct::on(&one, &format!("{database} 'UTF8'")).await;
    crate::support::direct::on(&other, &format!("{database} 'LATIN1'")).await;
    let both = [&one, &other].map(|server| server.config().contact_points()[0].clone());
    let config: Config = one.config().with_database("shop").with_contact_points(both).unwrap();
    let diagnosis = examine(&config).await;
    found(&diagnosis, Subject::Locale, Verdict::Warning, "LATIN1");
    found(&diagnosis, Subject::Role, Verdict::Critical, "it is taken for a standby, and takes writes");
    crate::support::direct::on(&other, "DROP DATABASE shop").await;
    crate::support::direct::on(&other, &format!("{database} 'UTF8'")).await;
    fine(&examine(&config).await, Subject::Locale);
}

#[tokio::test]
async fn keys_that_the_server_hashes_in_its_own_way() {
    let Some(citus) = shared("doctor::cluster::keys_that_the_server_hashes_in_its_own_way").await else { return };
    let config = Place::Citus(citus).prepared().await;
    let cluster = Cluster::connect(config.clone()).await.unwrap();
    let coordinator = cluster.coordinator();
    fine(&examine(&config).await, Subject::Hash);
    coordinator.execute(unscoped_sql!("CREATE TABLE padded (code character(20) PRIMARY KEY)")).await.unwrap();
    coordinator.query(unscoped_sql!("SELECT create_distributed_table('padded', 'code')")).await.unwrap();
    found(&examine(&config).await, Subject::Hash, Verdict::Warning, "the server is asked for the hash");
    coordinator.execute(unscoped_sql!("DROP TABLE padded")).await.unwrap();
    fine(&examine(&config).await, Subject::Hash);
}
