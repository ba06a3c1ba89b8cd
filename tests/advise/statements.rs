//! Slow statements, and what could keep what they compute.

use shardwise::advise::{AdviceOptions, FindingKind, Rung, State, Topic};
use shardwise::local::{self, CitusCluster, Server};
use shardwise::{Cluster, Config};

use super::stage::{options, until};
use crate::support::citus::can_run;
use crate::support::direct::connect_at;
use crate::support::schema;

/// A constant that is not to be shown. (The driver logs what is sent by hand, so it is none of `support/secrets.rs`.)
const VALUE: &str = "a-name-that-is-not-shown";

/// Slow even where nothing is.
const SLOW: &str =
    "SELECT balance, count(*), pg_sleep(0.3) FROM wallets WHERE note = 'PLACE' OR note IS NULL GROUP BY balance";

async fn is_found_until_it_is_forgotten(config: Config, nodes: Vec<Config>) {
    let on = async |sql: &str| {
        for node in &nodes {
            let there = connect_at(&node.contact_points()[0], &config, config.database()).await.unwrap();
            there.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        }
    };
    let cluster = Cluster::connect(config.clone()).await.unwrap();
    let schema = schema();
    cluster.admin().apply(&schema).await.unwrap();
    let options = AdviceOptions { users: Some(5_000), slow: std::time::Duration::from_millis(200), ..options() };
    // Nobody keeps them yet.
    let advice = cluster.admin().advise(&schema, &options).await.unwrap();
    let queries = advice.item(Topic::Queries).unwrap();
    assert_eq!(queries.state, State::Unknown, "{advice}");
    assert_eq!(queries.actions.last().unwrap(), "CREATE EXTENSION pg_stat_statements;");
    assert_eq!(advice.item(Topic::MaterializedViews).unwrap().state, State::Unknown);
    let by_hand = connect_at(&config.contact_points()[0], &config, config.database()).await.unwrap();
    // Citus makes it on the workers as well.
    by_hand.batch_execute("CREATE EXTENSION pg_stat_statements").await.unwrap();
    on("SELECT pg_stat_statements_reset()").await;
    let quick =
        until(&cluster, &schema, &options, |advice| advice.item(Topic::Queries).unwrap().state == State::There).await;
    assert_eq!(quick.item(Topic::MaterializedViews).unwrap().state, State::NotNeededYet, "{quick}");

    let slow = SLOW.replace("PLACE", VALUE);
    by_hand
        .batch_execute(
            "INSERT INTO wallets (festival_id, id, balance, tag) VALUES (gen_random_uuid(), gen_random_uuid(), 1, 'x')",
        )
        .await
        .unwrap();
    by_hand.batch_execute(&slow).await.unwrap();
    // What is kept as it was written, with what it sets.
    by_hand.batch_execute(&format!("DO $$ BEGIN PERFORM pg_sleep(0.3), '{}'; END $$", VALUE)).await.unwrap();
    let found =
        until(&cluster, &schema, &options, |advice| advice.found(FindingKind::SlowStatement).next().is_some()).await;
    let all: Vec<_> = found.found(FindingKind::SlowStatement).collect();
    assert!(all.iter().any(|finding| finding.subject.contains("GROUP BY balance")), "{found}");
    let text = format!("{found}{}", serde_json::to_string(&found).unwrap());
    assert!(!text.contains(VALUE), "a value is shown");
    println!("{}", all[0]);
    assert_eq!(found.item(Topic::MaterializedViews).unwrap().state, State::Missing, "{found}");
    assert_eq!(found.next, Some(Rung::QueriesAndIndexes));
    // There is one.
    by_hand.batch_execute("CREATE MATERIALIZED VIEW balances AS SELECT 1 AS balance").await.unwrap();
    let advice = cluster.admin().advise(&schema, &options).await.unwrap();
    assert_eq!(advice.item(Topic::MaterializedViews).unwrap().why, "balances");
    on("SELECT pg_stat_statements_reset()").await;
    until(&cluster, &schema, &options, |advice| advice.found(FindingKind::SlowStatement).next().is_none()).await;
}

#[tokio::test]
async fn slow_ones_are_found_on_one_server() {
    let server: Server =
        local::single().setting("shared_preload_libraries", "pg_stat_statements").start().await.unwrap();
    is_found_until_it_is_forgotten(server.config(), vec![server.config()]).await;
}

#[tokio::test]
async fn slow_ones_are_found_on_citus() {
    if !can_run("advise::statements::slow_ones_are_found_on_citus").await {
        return;
    }
    let citus: CitusCluster =
        local::citus(1).setting("shared_preload_libraries", "citus,pg_stat_statements").start().await.unwrap();
    let config = citus.fresh_database().await.unwrap();
    let nodes = std::iter::once(citus.coordinator()).chain(citus.workers()).map(Server::config).collect();
    is_found_until_it_is_forgotten(config, nodes).await;
}
