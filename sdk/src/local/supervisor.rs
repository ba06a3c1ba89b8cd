//! The shell that runs a server and outlives this process by just as long as it takes to clean up.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;

use tokio::sync::watch;

use super::failed;
use super::folder::Folder;
use crate::error::Result;

const SCRIPT: &str = include_str!("supervisor.sh");

/// What is known of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// Not started yet, or ended.
    Ended,
    /// The server's process.
    Running(u32),
    /// The supervisor has ended, and the folder is gone.
    Gone,
}

/// A supervisor. When it is dropped, its server ends and its folder goes.
#[derive(Debug)]
pub(super) struct Supervisor {
    folder: PathBuf,
    commands: Mutex<Option<ChildStdin>>,
    life: watch::Receiver<Life>,
}

impl Supervisor {
    /// Takes the folder over, to run this command in it when it is told to.
    pub(super) fn new(folder: Folder, server: &[String]) -> Result<Self> {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", SCRIPT, "shardwise-supervisor"]).arg(folder.path()).args(server);
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        // A group of its own: Ctrl-C on the terminal is for us, and what we do about it may still need the server.
        shell.process_group(0).current_dir(folder.path());
        // Our own has certificates and passwords that a standby would take for the primary's.
        shell.env("HOME", folder.path());
        if let Some(owner) = folder.owner() {
            shell.uid(owner.uid).gid(owner.gid);
        }
        let mut child = shell.spawn().map_err(|error| failed("/bin/sh can't be started").caused_by(error))?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let (tell, life) = watch::channel(Life::Ended);
        thread::spawn(move || {
            for line in stdout.into_iter().flat_map(|stdout| BufReader::new(stdout).lines()).map_while(Result::ok) {
                let started = line.strip_prefix("started ").and_then(|pid| pid.parse().ok());
                tell.send_replace(started.map_or(Life::Ended, Life::Running));
            }
            // Collected, lest it stay a zombie.
            drop(child.wait());
            tell.send_replace(Life::Gone);
        });
        Ok(Self { folder: folder.hand_over(), commands: Mutex::new(stdin), life })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the server wrote last: the reason, where it did not start.
    pub(super) fn log(&self) -> String {
        const LINES: usize = 8;
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }

    pub(super) fn life(&self) -> Life {
        *self.life.borrow()
    }

    /// Starts the server's process. Whether it takes connections is another question.
    pub(super) async fn start(&self) -> Result<()> {
        self.tell("start")?;
        self.until(|life| life != Life::Ended).await;
        Ok(())
    }

    /// Sends the server a signal that ends it, and waits until it has.
    pub(super) async fn end_with(&self, signal: &str) -> Result<()> {
        if matches!(self.life(), Life::Running(_)) {
            self.tell(signal)?;
            self.until(|life| !matches!(life, Life::Running(_))).await;
        }
        Ok(())
    }

    /// Ends everything, and waits until the folder is gone.
    pub(super) async fn finish(&self) {
        drop(self.commands.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.until(|life| life == Life::Gone).await;
    }

    /// Waits for the server's end.
    pub(super) async fn ended(&self) {
        self.until(|life| !matches!(life, Life::Running(_))).await;
    }

    fn tell(&self, command: &str) -> Result<()> {
        let mut commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        let told = commands.as_mut().map(|pipe| writeln!(pipe, "{command}").and_then(|()| pipe.flush()));
        match told {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(failed("the server's supervisor has ended: was it killed?").caused_by(error)),
            None => Err(failed("the server was stopped")),
        }
    }

    async fn until(&self, reached: impl Fn(Life) -> bool) {
        // An error means that the thread which tells has ended, and so has the supervisor.
        drop(self.life.clone().wait_for(|life| reached(*life)).await);
    }
}
