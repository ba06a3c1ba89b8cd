//! What the program ends with, for scripts.

use std::process::ExitCode;

use crate::error::{ErrorKind, Limit};
use crate::health::Verdict;

/// How a command has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exit {
    /// All is well, or all was done.
    Fine,
    /// It failed: the error says why, and what has taken effect.
    Failed,
    /// The command was called wrongly. Nothing was done.
    Usage,
    /// Something was found: differences, misplaced tenants, warnings, or changes that are still to be made.
    Found,
    /// It would change data, and nobody has confirmed that. Nothing was done.
    Unconfirmed,
    /// A node can't be reached, or refuses the log-in.
    Unreachable,
    /// The configuration is wrong. Nothing was done.
    Config,
    /// Something critical was found: somebody should look at it now.
    Critical,
    /// It was interrupted by SIGINT.
    Interrupted,
    /// It was ended by SIGTERM.
    Terminated,
}

impl Exit {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Fine,
        Self::Failed,
        Self::Usage,
        Self::Found,
        Self::Unconfirmed,
        Self::Unreachable,
        Self::Config,
        Self::Critical,
        Self::Interrupted,
        Self::Terminated,
    ];

    /// The number that a shell sees.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Found => 3,
            Self::Unconfirmed => 4,
            Self::Unreachable => 5,
            Self::Config => 6,
            Self::Critical => 7,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// What it means, in a few words.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Fine => "all is well, or all was done",
            Self::Failed => "it failed",
            Self::Usage => "it was called wrongly; nothing was done",
            Self::Found => "differences, misplaced tenants or warnings were found, or changes are still to be made",
            Self::Unconfirmed => "it would change data, and was not confirmed (--yes); nothing was done",
            Self::Unreachable => "a node can't be reached, or refuses the log-in",
            Self::Config => "the configuration is wrong; nothing was done",
            Self::Critical => "something critical was found",
            Self::Interrupted => "it was interrupted (SIGINT)",
            Self::Terminated => "it was ended (SIGTERM)",
        }
    }

    /// What a verdict ends with.
    pub(super) fn of_verdict(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Unknown | Verdict::Ok => Self::Fine,
            Verdict::Warning => Self::Found,
            Verdict::Critical => Self::Critical,
        }
    }

    /// What an error of this kind ends with.
    pub(super) fn of(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Config => Self::Config,
            ErrorKind::Connect | ErrorKind::ConnectionLost | ErrorKind::Timeout(Limit::Connect) => Self::Unreachable,
            _ => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The paragraph below `--help`.
pub(super) fn help() -> String {
    let lines = Exit::ALL.iter().map(|exit| format!("  {:>3}  {}", exit.code(), exit.meaning()));
    format!("Exit codes:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn each_has_a_number_of_its_own() {
        let mut codes: Vec<u8> = Exit::ALL.iter().map(|exit| exit.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 130, 143]);
    }
}
