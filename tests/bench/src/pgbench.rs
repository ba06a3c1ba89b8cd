//! pgbench, PostgreSQL's own load: a client in C that reads one row by key over and over. What the servers do when next to
//! nothing is done in front of them.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures_util::future::try_join_all;
use tokio::process::Command;

use crate::load::Sample;
use crate::model::{Key, READ};
use crate::servers::{CONNECTIONS, Owners};

/// Whether it is there.
pub async fn is_installed() -> bool {
    Command::new("pgbench").arg("--version").output().await.is_ok_and(|output| output.status.success())
}

/// A round on all nodes at once, with everybody's number of connections to each, in the prepared protocol.
///
/// # Errors
/// When it fails.
pub async fn read(owners: &Owners, keys: &[Key], time: Duration) -> Result<Sample> {
    let of_node = |at| keys.iter().find(|key| key.owner == at).context("a node without a row");
    let nodes = owners.urls.iter().enumerate().map(|(at, url)| async move { one(url, of_node(at)?, time).await });
    let rates = try_join_all(nodes).await?;
    let per_second: f64 = rates.iter().sum();
    // It tells the mean alone.
    let all = f64::from(CONNECTIONS) * crate::numbers::count(rates.len());
    Ok(Sample { per_second, median: all / per_second * 1e6, p99: f64::NAN, client: f64::NAN })
}

async fn one(url: &str, key: &Key, time: Duration) -> Result<f64> {
    let script = tempfile::NamedTempFile::new()?;
    fs::write(script.path(), READ.replace("$1", ":festival_id").replace("$2", ":id") + ";\n")?;
    let mut pgbench = Command::new("pgbench");
    pgbench.args(["--no-vacuum", "--protocol=prepared", "--jobs=1"]);
    pgbench.arg(format!("--client={CONNECTIONS}"));
    // It knows whole seconds, and connects within them.
    pgbench.arg(format!("--time={}", time.as_secs_f64().ceil().max(2.0)));
    pgbench.arg(format!("--define=festival_id={}", key.festival_id)).arg(format!("--define=id={}", key.id));
    pgbench.arg("--file").arg(script.path()).arg(url);
    let output = pgbench.output().await?;
    let (told, complaint) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "pgbench: {complaint}");
    let rate = told.lines().find_map(|line| line.strip_prefix("tps = "));
    let rate = rate.and_then(|rest| rest.split(' ').next()).and_then(|rate| rate.parse().ok());
    rate.context("pgbench has done nothing: the machine is busy with something else")
}
