//! A program that stands before servers: started, and waited for until it takes connections.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::Instant;

use super::failed;
use super::folder::Folder;
use super::supervisor::{Life, Supervisor};
use crate::config::Endpoint;
use crate::error::Result;

/// One that runs. When it is dropped, it ends.
#[derive(Debug)]
pub(super) struct Listener {
    endpoint: Endpoint,
    supervisor: Supervisor,
}

impl Listener {
    /// Starts a program that listens on this port of the loopback.
    pub(super) async fn start(name: &str, folder: Folder, command: &[String], port: u16) -> Result<Self> {
        const PATIENCE: Duration = Duration::from_secs(10);
        let supervisor = Supervisor::new(folder, command)?;
        supervisor.start().await?;
        let listener = Self { endpoint: Endpoint { host: "127.0.0.1".to_owned(), port }, supervisor };
        let Endpoint { host, port } = &listener.endpoint;
        let started = Instant::now();
        while TcpStream::connect((host.as_str(), *port)).await.is_err() {
            if started.elapsed() > PATIENCE || listener.supervisor.life() == Life::Ended {
                return Err(failed(format!("{name} does not start: {}", listener.supervisor.log())));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(listener)
    }

    /// Where it listens.
    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
}
