//! What goes to standard error when a command does not end well.

use std::error::Error as StdError;
use std::fmt;

use serde_json::{Value, json};

use super::exit::Exit;
use super::output::Format;
use crate::error::Error;

/// Why a command has ended.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) exit: Exit,
    message: String,
    source: Option<Error>,
}

impl Failure {
    pub(super) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), source: None }
    }

    /// The command was called wrongly: the message names the fix.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// The same, with what it was about before it.
    #[must_use]
    pub(super) fn during(self, what: &str) -> Self {
        let message = if self.message.is_empty() { what.to_owned() } else { format!("{what}: {}", self.message) };
        Self { message, ..self }
    }

    /// Writes it to standard error. Where that can't be written there is nobody to tell.
    pub(super) fn tell(&self, format: Format) {
        use std::io::Write as _;
        let text = match format {
            Format::Json => self.json().to_string(),
            Format::Table => format!("{} {self}", console::style("error:").for_stderr().red().bold()),
        };
        drop(writeln!(std::io::stderr(), "{text}"));
    }

    fn json(&self) -> Value {
        let causes: Vec<String> = causes(self.source.as_ref()).map(|cause| cause.to_string()).collect();
        let error = self.source.as_ref();
        json!({ "error": {
            "exit_code": self.exit.code(),
            "kind": error.map(|error| error.kind().as_str()),
            "message": self.headline(),
            "causes": causes,
            "sqlstate": error.and_then(Error::code).map(|code| code.code()),
            "node": error.and_then(Error::node),
            "route": error.and_then(Error::route).map(|route| route.as_str()),
        } })
    }

    fn headline(&self) -> String {
        match &self.source {
            Some(error) if self.message.is_empty() => error.to_string(),
            Some(error) => format!("{}: {error}", self.message),
            None => self.message.clone(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { exit: Exit::of(error.kind()), message: String::new(), source: Some(error) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline())?;
        causes(self.source.as_ref()).try_for_each(|cause| write!(f, "\n  because {cause}"))
    }
}

/// What lies beneath an error, the nearest first.
fn causes(error: Option<&Error>) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    let first = error.and_then(|error| error.source());
    std::iter::successors(first, |&cause| cause.source())
}

#[cfg(test)]
mod tests {
    use super::{Exit, Failure};
    use crate::error::{Error, ErrorKind};

    #[test]
    fn causes_are_told_in_both_forms() {
        let cause = std::io::Error::other("no route to host");
        let failure = Failure::from(Error::new(ErrorKind::Connect, "db-1 can't be reached").caused_by(cause));
        assert_eq!(failure.exit, Exit::Unreachable);
        assert!(failure.to_string().ends_with("\n  because no route to host"), "{failure}");
        let json = failure.json();
        assert_eq!(json["error"]["exit_code"], 5);
        assert_eq!(json["error"]["kind"], "connect");
        assert_eq!(json["error"]["causes"], serde_json::json!(["no route to host"]));
    }
}
