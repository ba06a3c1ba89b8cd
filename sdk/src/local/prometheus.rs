//! Prometheus, as it is installed.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::failed;
use super::folder::Folder;
use super::listener::Listener;
use super::program;
use super::recipe::free_port;
use crate::config::Endpoint;
use crate::error::Result;

/// Starts Prometheus with these rules, such as [`render::prometheus_rules`](crate::render::prometheus_rules) makes. It scrapes
/// `/metrics` of each of these addresses, and evaluates the rules, at this interval. What it has collected goes with it.
///
/// ```no_run
/// # use std::time::Duration;
/// # use shardwise::config::{Endpoint, Thresholds};
/// # async fn f(service: Endpoint) -> shardwise::Result<()> {
/// let rules = shardwise::render::prometheus_rules(&Thresholds::default());
/// let prometheus = shardwise::local::prometheus([service], &rules, Duration::from_secs(1)).await?;
/// println!("http://{}/alerts", prometheus.endpoint());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`ErrorKind::Local`](crate::ErrorKind::Local) where it is not installed or does not start, with what is wrong with the rules.
pub async fn prometheus(
    services: impl IntoIterator<Item = Endpoint>,
    rules: &str,
    interval: Duration,
) -> Result<Prometheus> {
    let path = program::find("prometheus", "Prometheus is not installed: apt-get install prometheus")?;
    let (folder, port) = (Folder::new()?, free_port()?);
    let rules = folder.write("rules.yml", rules)?;
    let targets: Vec<String> = services.into_iter().map(|service| format!("'{service}'")).collect();
    let interval = interval.as_millis();
    let settings = format!(
        "global:\n  scrape_interval: {interval}ms\n  scrape_timeout: {interval}ms\n  evaluation_interval: {interval}ms\n\
         rule_files: ['{}']\nscrape_configs:\n  - job_name: service\n    static_configs:\n      - targets: [{}]\n",
        rules.display(),
        targets.join(", ")
    );
    let settings = folder.write("prometheus.yml", &settings)?;
    let command = [
        path.display().to_string(),
        format!("--config.file={}", settings.display()),
        format!("--storage.tsdb.path={}", folder.path().join("data").display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
        "--log.level=warn".to_owned(),
    ];
    let listener = Listener::start("Prometheus", folder, &command, port).await?;
    let started = Instant::now();
    while !is_ready(listener.endpoint()).await {
        if started.elapsed() > PATIENCE {
            return Err(failed(format!("Prometheus is not ready after {PATIENCE:?}")));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(Prometheus(listener))
}

/// It listens before it has read what it has collected so far.
const PATIENCE: Duration = Duration::from_secs(30);

async fn is_ready(endpoint: &Endpoint) -> bool {
    let asked = async {
        let mut stream = TcpStream::connect((endpoint.host.as_str(), endpoint.port)).await?;
        stream.write_all(b"GET /-/ready HTTP/1.0\r\n\r\n").await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    asked.await.is_ok_and(|answer| answer.split(' ').nth(1) == Some("200"))
}

/// A running Prometheus. When it is dropped, it ends.
#[derive(Debug)]
pub struct Prometheus(Listener);

impl Prometheus {
    /// Where its pages and its API are.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        self.0.endpoint()
    }
}
