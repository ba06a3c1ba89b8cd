//! A Redis Cluster.

use std::time::Duration;

use tokio::process::Command;
use tokio::time::Instant;

use super::super::failed;
use super::server::{RedisServer, find, redis};
use crate::config::{RedisConfig, RedisEndpoint, RedisMode};
use crate::error::Result;

/// Starts a Redis Cluster of three primaries, each with a replica.
///
/// # Errors
/// [`ErrorKind::Local`](crate::ErrorKind::Local) where Redis is not installed or does not start.
pub async fn redis_cluster() -> Result<RedisCluster> {
    const NODES: usize = 6;
    let mut nodes = Vec::with_capacity(NODES);
    for _ in 0..NODES {
        let node = redis()
            .setting("cluster-enabled", "yes")
            .setting("cluster-node-timeout", "1000")
            .setting("repl-diskless-sync-delay", "0")
            // The other primaries serve their keys while one is lost.
            .setting("cluster-require-full-coverage", "no");
        nodes.push(node.start().await?);
    }
    let cluster = RedisCluster { nodes };
    let addresses = cluster.nodes.iter().map(|node| node.endpoint().to_string());
    let create = ["--cluster", "create"].map(str::to_owned).into_iter().chain(addresses);
    let create = create.chain(["--cluster-replicas", "1", "--cluster-yes"].map(str::to_owned));
    cluster.cli(create.collect()).await?;
    cluster.agrees().await?;
    Ok(cluster)
}

/// A running cluster. When it is dropped, its nodes end.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// How it is reached.
    #[must_use]
    pub fn config(&self) -> RedisConfig {
        let endpoints = self.nodes.iter().map(|node| node.endpoint().clone()).collect();
        RedisConfig { mode: RedisMode::Cluster, endpoints, ..RedisConfig::single(self.nodes[0].endpoint().clone()) }
    }

    /// Its nodes: the primaries first.
    #[must_use]
    pub fn nodes(&self) -> &[RedisServer] {
        &self.nodes
    }

    /// Waits until each node knows that all is well, and each primary its replica.
    async fn agrees(&self) -> Result<()> {
        const PATIENCE: Duration = Duration::from_secs(20);
        let began = Instant::now();
        for node in &self.nodes {
            let RedisEndpoint { port, .. } = node.endpoint();
            let ask = |words: &[&str]| {
                let words = words.iter().map(|word| (*word).to_owned());
                ["-p".to_owned(), port.to_string()].into_iter().chain(words).collect::<Vec<_>>()
            };
            loop {
                let is_well = self.cli(ask(&["CLUSTER", "INFO"])).await?.contains("cluster_state:ok");
                let followers = self.cli(ask(&["CLUSTER", "NODES"])).await?.matches("slave").count();
                if is_well && followers == self.nodes.len() / 2 {
                    break;
                }
                if began.elapsed() > PATIENCE {
                    return Err(failed("the nodes of the Redis Cluster don't find each other"));
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(())
    }

    async fn cli(&self, arguments: Vec<String>) -> Result<String> {
        let output = Command::new(find("redis-cli")?).args(arguments).output().await;
        let output = output.map_err(|error| failed("redis-cli can't be started").caused_by(error))?;
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() { Ok(told) } else { Err(failed(format!("redis-cli failed: {told}"))) }
    }
}
