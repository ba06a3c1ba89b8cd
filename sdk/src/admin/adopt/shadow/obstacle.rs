//! What is in the way of a shadow. Pure.

use std::fmt;

use serde::Serialize;

/// Something that has to be otherwise before a shadow can begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Obstacle {
    /// What it is, in a sentence.
    pub what: String,
    /// The statement that removes it, where one does.
    pub fix: Option<String>,
    /// Whether that statement is for the old side.
    pub on_old: bool,
}

impl Obstacle {
    pub(super) fn of(what: String) -> Self {
        Self { what, fix: None, on_old: false }
    }

    pub(super) fn on_old(self, fix: String) -> Self {
        Self { fix: Some(fix), on_old: true, ..self }
    }

    pub(super) fn on_new(self, fix: String) -> Self {
        Self { fix: Some(fix), ..self }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        let side = if self.on_old { "old" } else { "new" };
        self.fix.as_ref().map_or(Ok(()), |fix| write!(f, ": run `{fix}` on the {side} side"))
    }
}
