//! Whether a tenant's data may leave its home region.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What happens to a tenant whose data can't be reached within its home region.
///
/// The home region is what the tenant's row in the directory says: the reference entity with the `region` field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Residency {
    /// Regions don't matter for correctness: any node may pass a statement on.
    #[default]
    Off,
    /// Nodes of the home region come first.
    Prefer,
    /// Nothing leaves the home region: a statement that could is an error
    /// ([`ErrorKind::Residency`](crate::ErrorKind::Residency)), and no node outside is ever connected to for it.
    Strict,
}

impl Residency {
    /// The name that the configuration has.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Prefer => "prefer",
            Self::Strict => "strict",
        }
    }
}

impl fmt::Display for Residency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
