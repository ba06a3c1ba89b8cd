//! What a command did, or would do.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::schema::Bounds;

/// What a command did, partition by partition; of a [dry run](super::Partitions::dry_run), what it would do. Its `Display`
/// is for a person; it serializes for scripts.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Changes {
    pub(super) changes: Vec<Change>,
    pub(super) is_dry_run: bool,
}

/// One partition's change.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Change {
    /// What is done with it.
    pub action: Action,
    /// The partitioned table.
    pub table: String,
    /// The partition.
    pub partition: String,
    /// What it covers; `None` for a default partition.
    pub bounds: Option<Bounds>,
    /// How many rows are concerned, where they were counted.
    pub rows: Option<u64>,
    /// How much it takes on disk, with its indexes, in bytes, on all nodes; where it was asked.
    pub bytes: Option<u64>,
    /// The statements that tell how, without those that take the locks.
    pub statements: Vec<String>,
    /// How long it took; `None` in a dry run.
    #[serde(rename = "took_ms", serialize_with = "crate::json::some_millis")]
    pub took: Option<Duration>,
}

/// What is done with a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// It is made.
    Create,
    /// It is made, and the rows that the default partition has for it are moved there.
    CreateWithRows,
    /// The default partition is made.
    CreateDefault,
    /// The default partition, which has rows for nothing else, becomes it; there is a new, empty default partition.
    AdoptDefault,
    /// It is dropped with its rows.
    Drop,
    /// It becomes a table of its own.
    Detach,
    /// A table becomes it.
    Attach,
}

impl Changes {
    /// Whether there was nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The changes, in order.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Whether nothing was changed.
    #[must_use]
    pub fn is_dry_run(&self) -> bool {
        self.is_dry_run
    }

    /// The names of the partitions that something is done with.
    pub fn partitions(&self) -> impl Iterator<Item = &str> {
        self.changes.iter().map(|change| change.partition.as_str())
    }
}

impl Action {
    fn words(self) -> [&'static str; 2] {
        match self {
            Self::Create => ["create", "created"],
            Self::CreateWithRows => {
                ["create with rows of the default partition", "created with rows of the default partition"]
            }
            Self::CreateDefault => ["create as the default partition", "created as the default partition"],
            Self::AdoptDefault => ["make of the default partition", "made of the default partition"],
            Self::Drop => ["drop", "dropped"],
            Self::Detach => ["detach", "detached"],
            Self::Attach => ["attach", "attached"],
        }
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("nothing to do\n");
        }
        self.changes.iter().try_for_each(|change| writeln!(f, "{change}"))
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [would, did] = self.action.words();
        match self.took {
            Some(took) => write!(f, "{} of {}: {did} in {took:.0?}", self.partition, self.table)?,
            None => write!(f, "{} of {}: would {would}", self.partition, self.table)?,
        }
        if let Some(bounds) = &self.bounds {
            write!(f, ", {bounds}")?;
        }
        if let Some(rows) = self.rows {
            write!(f, ", {rows} rows")?;
        }
        match self.bytes {
            Some(bytes) => write!(f, ", {bytes} bytes"),
            None => Ok(()),
        }
    }
}
