//! Where a command's answer goes, and in which form.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

use super::failure::Failure;
use super::screen::Screen;

/// In which form commands answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// Tables and words, for a person
    Table,
    /// One JSON document, on one line
    Json,
}

impl Format {
    /// What is asked for, else JSON for whoever is no terminal.
    pub(super) fn or_by_terminal(asked: Option<Self>) -> Self {
        match asked {
            Some(format) => format,
            None if io::stdout().is_terminal() => Self::Table,
            None => Self::Json,
        }
    }
}

/// An answer: it serializes for scripts, and shows itself to a person.
pub(super) trait Answer: Serialize {
    /// Puts it on the screen.
    fn show(&self, screen: &mut Screen);
}

/// Standard output.
#[derive(Debug)]
pub(super) struct Output {
    /// The form of what a command answers.
    pub(super) format: Format,
    /// Whether the form was asked for by name.
    is_asked: bool,
    /// Whether whoever read it has had enough: `| head`. That is no failure, and what was begun goes on.
    is_closed: AtomicBool,
}

impl Output {
    pub(super) fn new(asked: Option<Format>) -> Self {
        let (format, is_asked) = (Format::or_by_terminal(asked), asked.is_some());
        Self { format, is_asked, is_closed: AtomicBool::new(false) }
    }

    /// Whether nobody reads any more.
    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }

    /// Prints a command's answer: one document, or what a person can read.
    pub(super) fn answer(&self, answer: &impl Answer) -> Result<(), Failure> {
        match self.format {
            Format::Json => self.json(answer),
            Format::Table => {
                let mut screen = Screen::new(width());
                answer.show(&mut screen);
                self.write(&screen.into_text())
            }
        }
    }

    /// Prints what is a file in its own right: as it is, also into a pipe, unless JSON was asked for by name.
    pub(super) fn file(&self, text: impl Display, json: &impl Serialize) -> Result<(), Failure> {
        match (self.format, self.is_asked) {
            (Format::Json, true) => self.json(json),
            _ => self.write(&text.to_string()),
        }
    }

    fn json(&self, answer: &impl Serialize) -> Result<(), Failure> {
        let mut document = serde_json::to_string(answer).map_err(|error| {
            Failure::new(super::Exit::Failed, format!("the answer can't be written as JSON: {error}"))
        })?;
        document.push('\n');
        self.write(&document)
    }

    /// Clears the terminal for what comes next, where there is one.
    pub(super) fn clear(&self) -> Result<(), Failure> {
        if self.format == Format::Table && io::stdout().is_terminal() {
            return self.write("\x1b[H\x1b[2J");
        }
        Ok(())
    }

    fn write(&self, text: &str) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.is_closed.store(true, Ordering::Relaxed);
                Ok(())
            }
            written => written
                .map_err(|error| Failure::new(super::Exit::Failed, format!("the output can't be written: {error}"))),
        }
    }
}

/// Columns of the terminal that is written to; `None` where it is none.
fn width() -> Option<u16> {
    let terminal = console::Term::stdout();
    terminal.size_checked().map(|(_, columns)| columns).filter(|_| io::stdout().is_terminal())
}
