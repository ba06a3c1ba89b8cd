//! The shell that runs a server and outlives this process by just as long as it takes to clean up.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::watch;

use super::failed;
use super::folder::Folder;
use crate::error::Result;

pub(super) const SCRIPT: &str = include_str!("supervisor.sh");

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
    commands: Mutex<Option<File>>,
    life: watch::Receiver<Life>,
    log: Arc<Mutex<Vec<String>>>,
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
        folder.hand_over();
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failed("/bin/sh was started without pipes"));
        };
        // Collected, lest it stay a zombie.
        Ok(Self::spoken_to(stdin.into(), stdout.into(), move || drop(child.wait())))
    }

    /// One that reads its commands here and writes its answers there.
    pub(super) fn spoken_to(commands: OwnedFd, answers: OwnedFd, afterwards: impl FnOnce() + Send + 'static) -> Self {
        let (tell, life) = watch::channel(Life::Ended);
        let log = Arc::new(Mutex::new(Vec::new()));
        let written = log.clone();
        thread::spawn(move || {
            for answer in BufReader::new(File::from(answers)).lines().map_while(Result::ok) {
                let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(line) = answer.strip_prefix("log: ") {
                    written.push(line.to_owned());
                } else if let Some(pid) = answer.strip_prefix("started ").and_then(|pid| pid.parse().ok()) {
                    written.clear();
                    tell.send_replace(Life::Running(pid));
                } else {
                    tell.send_replace(Life::Ended);
                }
            }
            afterwards();
            tell.send_replace(Life::Gone);
        });
        Self { commands: Mutex::new(Some(commands.into())), life, log }
    }

    /// What the server wrote last, before it ended.
    pub(super) fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
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

    pub(super) fn tell(&self, command: &str) -> Result<()> {
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
