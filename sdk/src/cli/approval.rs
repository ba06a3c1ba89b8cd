//! Nothing is changed that somebody may miss unless somebody says so.

use std::io::{self, IsTerminal as _, Write as _};

use super::exit::Exit;
use super::failure::Failure;

/// What commands take that change data, and can tell before what they would change.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Approval {
    /// Change nothing, and say what would be changed; ends with 3 where that is anything
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Do not ask: for scripts
    #[arg(long, short)]
    yes: bool,
}

/// What commands take that change data.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Yes {
    /// Do not ask: for scripts
    #[arg(long, short)]
    yes: bool,
}

impl Approval {
    /// Goes on only if somebody wants `what`: by `--yes`, or on the terminal.
    pub(super) async fn ask(&self, what: &str) -> Result<(), Failure> {
        ask(self.yes, what, ", or see with --dry-run what would happen").await
    }
}

impl Yes {
    /// The same.
    pub(super) async fn ask(&self, what: &str) -> Result<(), Failure> {
        ask(self.yes, what, "").await
    }
}

async fn ask(yes: bool, what: &str, otherwise: &str) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(unconfirmed(format!("this would {what}: confirm it with --yes{otherwise}; nothing was done")));
    }
    if answer(format!("This will {what}. Go on? [y/N] ")).await? {
        return Ok(());
    }
    Err(unconfirmed("nothing was done".to_owned()))
}

fn unconfirmed(message: String) -> Failure {
    Failure::new(Exit::Unconfirmed, message)
}

async fn answer(question: String) -> Result<bool, Failure> {
    let (tell, told) = tokio::sync::oneshot::channel();
    // Not by the runtime, which would wait at its end for a line that never comes.
    std::thread::spawn(move || {
        let asked = write!(io::stderr(), "{question}").and_then(|()| io::stderr().flush());
        let mut line = String::new();
        let read = asked.and_then(|()| io::stdin().read_line(&mut line));
        let is_yes = matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes");
        // Who asked may be gone.
        drop(tell.send(read.map(|_| is_yes)));
    });
    match told.await {
        Ok(Ok(is_yes)) => Ok(is_yes),
        Ok(Err(error)) => Err(Failure::new(Exit::Failed, format!("the terminal can't be asked: {error}"))),
        Err(_) => Ok(false),
    }
}
