//! The service as a process of its own.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// How long the service may take to listen, and to drain.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running service. Killed when it is dropped; it ends by itself when this process dies, as its standard input ends
/// then.
#[derive(Debug)]
pub struct ServiceProcess {
    child: Child,
    base: String,
}

impl ServiceProcess {
    /// Starts `program serve` on a free port of the loopback. These variables say where its data is; without any it finds
    /// the configuration as [`Config::load`](shardwise::Config::load) does in this process.
    ///
    /// # Errors
    /// When it does not start, or does not listen in time.
    pub async fn start(program: &Path, environment: Vec<(&'static str, OsString)>) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        command.args(["serve", "--listen", "127.0.0.1:0", "--until-stdin-ends"]);
        // Not as arguments: those are visible to every user of the machine.
        command.env_remove("DATABASE_URL").envs(environment);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().with_context(|| format!("starting {}", program.display()))?;
        let stdout = child.stdout.take().context("the service's standard output")?;
        let mut line = String::new();
        let mut stdout = BufReader::new(stdout);
        tokio::time::timeout(PATIENCE, stdout.read_line(&mut line)).await.context("the service does not listen")??;
        let Some(address) = line.trim().strip_prefix("listening on ") else {
            bail!("the service ended before it listened: see its log");
        };
        Ok(Self { child, base: format!("http://{address}") })
    }

    /// The address, such as `http://127.0.0.1:41234`.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Tells it to stop, and waits until it has drained.
    ///
    /// # Errors
    /// When it does not end in time, or not well.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        kill_process(pid.context("the service has ended already")?, Signal::TERM).context("stopping the service")?;
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await.context("the service does not stop")??;
        ensure!(status.success(), "the service ended with {status}");
        Ok(())
    }
}
