//! Nodes of Citus that lose each other, while they pass statements on: the client can't reach the owner itself, and asks another
//! node. What that one knows of the write is what the client is told.

use shardwise::config::{Endpoint, NodeOverride};
use shardwise::{Cluster, Route};
use tokio::time::Instant;

use super::limits::terminate;
use super::network::reset;
use super::servers::kill_for;
use super::stage::{Stage, UnderLoad, Wanted};
use super::writers::Pace;
use crate::support::direct::address;
use crate::support::protocol::Message;
use crate::support::proxy::Moment;

/// A stage on which nodes reach the owner through its proxy, and the client does not reach it at all.
async fn apart(test: &str) -> Option<Stage> {
    let stage = Stage::citus(test, Wanted::PLAIN).await?;
    let owner = address(stage.servers.owner());
    let known = Endpoint { port: stage.proxies[&owner.port].port, ..owner.clone() };
    stage.on_all(&format!("UPDATE pg_dist_node SET nodeport = {} WHERE nodeport = {}", known.port, owner.port)).await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = stage.config.clone().with_node(known, NodeOverride { port: Some(nobody), ..NodeOverride::default() });
    Some(Stage { config, ..stage })
}

fn passed_on(cluster: &Cluster) -> u64 {
    let owner = Route::Owner.as_str();
    cluster.metrics().tenant_routes.iter().filter(|(route, _)| **route != owner).map(|(_, count)| count).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_passed_on_is_lost_on_its_way() {
    let Some(stage) = apart("faults::between::what_was_passed_on_is_lost_on_its_way").await else { return };
    let strike = async |load: &UnderLoad| {
        assert!(passed_on(&load.cluster) > 0);
        for moment in Moment::ALL.into_iter().cycle().take(40) {
            for message in [Message::Execute, Message::Begin, Message::Commit] {
                reset(&stage, load, message, moment).await;
            }
        }
        Instant::now()
    };
    let figures = stage.strike("resets between nodes", Pace::default(), strike).await;
    assert!(figures.found.unknown > 10, "nobody was in doubt: {figures}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owner_of_what_was_passed_on_is_killed() {
    let Some(stage) = apart("faults::between::the_owner_of_what_was_passed_on_is_killed").await else { return };
    let strike = async |load: &UnderLoad| {
        assert!(passed_on(&load.cluster) > 0);
        let mut over = Instant::now();
        for _ in 0..5 {
            load.writers.until_more(20).await;
            over = kill_for(stage.servers.owner(), std::time::Duration::ZERO).await;
        }
        over
    };
    stage.strike("kill -9 of an owner that is passed on to", Pace::default(), strike).await;
}

/// Whoever passes a write on, and is ended while it waits, does not know what became of it either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_passes_writes_on_is_ended() {
    let Some(stage) = apart("faults::between::who_passes_writes_on_is_ended").await else { return };
    let strike = async |load: &UnderLoad| terminate(&stage, load, std::time::Duration::from_secs(4)).await;
    stage.strike("storm of pg_terminate_backend on those who pass on", Pace::default(), strike).await;
}
