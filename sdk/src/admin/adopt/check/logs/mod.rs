//! Statements in a server's log, of whichever form. Pure but for reading on.
//!
//! What servers write of a statement is its text and how long it took: with `log_min_duration_statement` on one line, with
//! `log_statement` and `log_duration` on two, with auto_explain above its plan. Values of parameters stand on lines of their own, which are
//! not read.

mod csvlog;
mod jsonlog;
mod message;
mod stderr;

use std::collections::HashMap;
use std::io::{self, BufRead};

use message::Said;

/// A statement that was logged.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Logged {
    /// As it was sent.
    pub(super) text: String,
    /// How often: not at all where this line only tells how long another one took.
    pub(super) calls: u64,
    /// How long it took.
    pub(super) ms: f64,
    /// Whether auto_explain tells of it, perhaps besides the server itself.
    pub(super) is_plan: bool,
}

/// How much of a log was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Extent {
    /// Statements of the database that was asked for.
    pub(super) statements: u64,
    /// Statements of others.
    pub(super) of_others: u64,
}

/// A longer statement is cut off, and then can't be read.
const LONGEST: usize = 1 << 20;

/// Hands on each statement of a log. A form that has the database's name leaves out those of others than `database`.
pub(super) fn read(
    input: &mut dyn BufRead,
    database: Option<&str>,
    each: &mut dyn FnMut(Logged),
) -> io::Result<Extent> {
    let mut reader = Reader { database, each, last: HashMap::new(), extent: Extent::default() };
    let begin = input.fill_buf()?.to_vec();
    match begin.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => jsonlog::read(input, &mut reader)?,
        _ if csvlog::is_one(&begin) => csvlog::read(input, &mut reader)?,
        _ => stderr::read(input, &mut reader)?,
    }
    Ok(reader.extent)
}

struct Reader<'r> {
    database: Option<&'r str>,
    each: &'r mut dyn FnMut(Logged),
    /// What a process has sent last, where its duration comes on another line.
    last: HashMap<String, String>,
    extent: Extent,
}

impl Reader<'_> {
    /// Takes a message of a process.
    fn take(&mut self, process: &str, database: Option<&str>, message: &str) {
        let Some(said) = message::said(message) else { return };
        if let (Some(wanted), Some(database)) = (self.database, database.filter(|name| !name.is_empty()))
            && wanted != database
        {
            self.extent.of_others += u64::from(!matches!(said, Said::Took(_)));
            return;
        }
        let logged = match said {
            Said::Statement(text) => {
                self.last.insert(process.to_owned(), text.to_owned());
                Logged { text: text.to_owned(), calls: 1, ms: 0.0, is_plan: false }
            }
            Said::Timed { text, ms, is_run } => {
                Logged { text: text.to_owned(), calls: u64::from(is_run), ms, is_plan: false }
            }
            Said::Took(ms) => match self.last.remove(process) {
                Some(text) => Logged { text, calls: 0, ms, is_plan: false },
                None => return,
            },
            Said::Plan { text, ms } => Logged { text, calls: 1, ms, is_plan: true },
        };
        self.extent.statements += logged.calls;
        (self.each)(logged);
    }
}

/// Reads a line into `line`, without its end. Returns whether there was one.
fn next_line(input: &mut dyn BufRead, line: &mut String) -> io::Result<bool> {
    let mut bytes = Vec::new();
    line.clear();
    if input.read_until(b'\n', &mut bytes)? == 0 {
        return Ok(false);
    }
    while bytes.last().is_some_and(|last| matches!(last, b'\n' | b'\r')) {
        bytes.pop();
    }
    line.push_str(&String::from_utf8_lossy(&bytes));
    Ok(true)
}

#[cfg(test)]
#[path = "logs_tests.rs"]
mod tests;
