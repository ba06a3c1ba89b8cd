//! Routes: what happened to a statement on its way.

use std::fmt;

/// The way that a statement took to its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Route {
    /// The only server of a cluster in single mode.
    Single,
    /// The Citus coordinator.
    Coordinator,
}

impl Route {
    /// The name that logs, spans and metrics carry.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Coordinator => "coordinator",
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
