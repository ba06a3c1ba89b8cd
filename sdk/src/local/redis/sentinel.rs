//! A Redis with a replica, and Sentinels that put the replica in its place.

use std::time::Duration;

use tokio::process::Command;
use tokio::time::Instant;

use super::super::failed;
use super::super::folder::Folder;
use super::super::listener::Listener;
use super::super::recipe::free_port;
use super::server::{RedisServer, find, redis};
use crate::config::{RedisConfig, RedisEndpoint, RedisMode};
use crate::error::Result;

/// By which the Sentinels know the primary.
const NAME: &str = "local";

/// So many, of which most have to agree.
const SENTINELS: usize = 3;

/// Starts a Redis, a replica of it, and three Sentinels, who promote the replica half a second after the primary was lost.
///
/// # Errors
/// [`ErrorKind::Local`](crate::ErrorKind::Local) where Redis is not installed or does not start.
pub async fn redis_sentinels() -> Result<RedisSentinels> {
    let primary = redis().start().await?;
    let RedisEndpoint { host, port } = primary.endpoint().clone();
    let replica =
        redis().setting("replicaof", format!("{host} {port}")).setting("repl-diskless-sync-delay", "0").start().await?;
    let program = find("redis-server")?;
    let mut sentinels = Vec::with_capacity(SENTINELS);
    for _ in 0..SENTINELS {
        let (folder, own_port) = (Folder::new()?, free_port()?);
        let settings = format!(
            "port {own_port}\nbind 127.0.0.1\ndir {}\nsentinel monitor {NAME} {host} {port} 2\n\
             sentinel down-after-milliseconds {NAME} 500\nsentinel failover-timeout {NAME} 2000\n",
            folder.path().display()
        );
        let file = folder.write("sentinel.conf", &settings)?;
        let command = [program.clone(), file.display().to_string(), "--sentinel".to_owned()];
        sentinels.push(Listener::start("Redis Sentinel", folder, &command, own_port).await?);
    }
    let all = RedisSentinels { primary, replica, sentinels };
    all.agree().await?;
    Ok(all)
}

/// A Redis, its replica, and their Sentinels. When it is dropped, they end.
#[derive(Debug)]
pub struct RedisSentinels {
    primary: RedisServer,
    replica: RedisServer,
    sentinels: Vec<Listener>,
}

impl RedisSentinels {
    /// How the primary is found, whichever it is.
    #[must_use]
    pub fn config(&self) -> RedisConfig {
        RedisConfig {
            mode: RedisMode::Sentinel,
            endpoints: self.endpoints(),
            master: Some(NAME.to_owned()),
            ..RedisConfig::single(self.primary.endpoint().clone())
        }
    }

    /// The server that is the primary at first.
    #[must_use]
    pub fn primary(&self) -> &RedisServer {
        &self.primary
    }

    /// The one that follows it.
    #[must_use]
    pub fn replica(&self) -> &RedisServer {
        &self.replica
    }

    fn endpoints(&self) -> Vec<RedisEndpoint> {
        let endpoint = |listener: &Listener| {
            let at = listener.endpoint();
            RedisEndpoint { host: at.host.clone(), port: at.port }
        };
        self.sentinels.iter().map(endpoint).collect()
    }

    /// Waits until all Sentinels know the replica and each other: before that they promote nobody.
    async fn agree(&self) -> Result<()> {
        const PATIENCE: Duration = Duration::from_secs(20);
        let (program, began) = (find("redis-cli")?, Instant::now());
        for RedisEndpoint { port, .. } in self.endpoints() {
            loop {
                let mut ask = Command::new(&program);
                ask.args(["-p", &port.to_string(), "SENTINEL", "MASTER", NAME]);
                let told = ask.output().await.map_err(|error| failed("redis-cli can't be started").caused_by(error))?;
                let told = String::from_utf8_lossy(&told.stdout);
                let mut lines = told.lines();
                let mut number = |name: &str| {
                    lines.by_ref().find(|line| *line == name)?;
                    lines.next()?.parse::<usize>().ok()
                };
                if number("num-slaves") == Some(1) && number("num-other-sentinels") == Some(SENTINELS - 1) {
                    break;
                }
                if began.elapsed() > PATIENCE {
                    return Err(failed("the Sentinels don't find each other"));
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(())
    }
}
