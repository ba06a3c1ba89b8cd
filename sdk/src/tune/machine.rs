//! The machine, and the work that it is for.

use std::error::Error as StdError;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Size, Tuning, tuning};
use crate::error::Result;

/// A machine that runs one PostgreSQL server and little else, and what that server has to do.
///
/// ```
/// use shardwise::tune::{Machine, Role, Workload};
///
/// let worker = Machine::new("32GB".parse()?, 8)
///     .with_connections(200)
///     .with_workload(Workload::Mixed)
///     .with_role(Role::Worker { workers: 4 })
///     .with_shards(16, 12);
/// let tuning = worker.tune()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Machine {
    /// Its memory, from 256 MB on.
    pub ram: Size,
    /// Its processors, as the operating system counts them.
    pub cpus: u32,
    /// What the data lie on.
    #[serde(default)]
    pub disk: Disk,
    /// How many connections of clients are busy at the same time.
    #[serde(default = "Machine::usual_connections")]
    pub connections: u32,
    /// What these do.
    #[serde(default)]
    pub workload: Workload,
    /// What the server does in its cluster.
    #[serde(default)]
    pub role: Role,
    /// PostgreSQL's major version, 13 to 18.
    #[serde(default = "Machine::usual_version")]
    pub version: u32,
    /// Whether huge pages are reserved on it: [`Tuning::kernel`] tells how many it takes. The server does not start then where
    /// there are fewer. Without them each process needs a five-hundredth of `shared_buffers` for its page table, which is the whole
    /// memory where hundreds of them have gigabytes: so `None` reserves them from 32 GB of memory on.
    #[serde(default)]
    pub huge_pages: Option<bool>,
    /// How many shards of a table this node has: 1 without Citus.
    #[serde(default = "Machine::one")]
    pub shards: u32,
    /// How many partitions a table has: 1 where it has none.
    #[serde(default = "Machine::one")]
    pub partitions: u32,
    /// More `shared_preload_libraries`; Citus comes before them where the role wants it.
    #[serde(default)]
    pub libraries: Vec<String>,
}

impl Machine {
    /// A machine with 100 connections of mixed work on one server of PostgreSQL 15, with its data on an SSD.
    #[must_use]
    pub fn new(ram: Size, cpus: u32) -> Self {
        Self {
            ram,
            cpus,
            disk: Disk::default(),
            connections: Self::usual_connections(),
            workload: Workload::default(),
            role: Role::default(),
            version: Self::usual_version(),
            huge_pages: None,
            shards: 1,
            partitions: 1,
            libraries: Vec::new(),
        }
    }

    fn usual_connections() -> u32 {
        100
    }

    fn usual_version() -> u32 {
        15
    }

    fn one() -> u32 {
        1
    }

    /// With its data on such a disk.
    #[must_use]
    pub fn with_disk(self, disk: Disk) -> Self {
        Self { disk, ..self }
    }

    /// With so many connections that are busy at the same time.
    #[must_use]
    pub fn with_connections(self, connections: u32) -> Self {
        Self { connections, ..self }
    }

    /// For this kind of work.
    #[must_use]
    pub fn with_workload(self, workload: Workload) -> Self {
        Self { workload, ..self }
    }

    /// In this place of its cluster.
    #[must_use]
    pub fn with_role(self, role: Role) -> Self {
        Self { role, ..self }
    }

    /// With this major version of PostgreSQL.
    #[must_use]
    pub fn with_version(self, version: u32) -> Self {
        Self { version, ..self }
    }

    /// With huge pages reserved, or not.
    #[must_use]
    pub fn with_huge_pages(self, huge_pages: bool) -> Self {
        Self { huge_pages: Some(huge_pages), ..self }
    }

    /// Whether they are reserved, where nobody has said so as well.
    pub(super) fn has_huge_pages(&self) -> bool {
        self.huge_pages.unwrap_or(self.ram >= Size::gb(32))
    }

    /// With so many shards of a table on this node, and so many partitions of each.
    #[must_use]
    pub fn with_shards(self, shards: u32, partitions: u32) -> Self {
        Self { shards, partitions, ..self }
    }

    /// With these `shared_preload_libraries` as well.
    #[must_use]
    pub fn with_libraries(self, libraries: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { libraries: libraries.into_iter().map(Into::into).collect(), ..self }
    }

    /// What the server's configuration should say.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for a machine that there is not, and for one that can't bear so many
    /// connections: the message tells how many it bears.
    pub fn tune(&self) -> Result<Tuning> {
        tuning::of(self)
    }

    /// The libraries that come behind Citus.
    pub(super) fn more_libraries(&self) -> impl Iterator<Item = &str> {
        self.libraries.iter().map(String::as_str).filter(|name| *name != "citus")
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ram, cpus, disk, connections, workload, role, version, .. } = self;
        write!(
            f,
            "PostgreSQL {version}, {role}: {ram} of memory, {cpus} CPUs, {disk}, {connections} connections, {workload}"
        )
    }
}

/// A word that is not among those that there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownWord {
    word: String,
    what: &'static str,
    known: &'static str,
}

impl fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no {}: write one of {}", self.word, self.what, self.known)
    }
}

impl StdError for UnknownWord {}

/// An enum of words, which are read and printed alike.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal, { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        #[non_exhaustive]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            /// All that there are.
            pub const ALL: &[Self] = &[$(Self::$variant),+];
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $word),+ })
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(UnknownWord {
                        word: word.chars().take(40).collect(),
                        what: $what,
                        known: concat!($($word, " "),+).trim_ascii_end(),
                    }),
                }
            }
        }
    };
}

words!(
    /// What the data lie on.
    Disk, "disk", {
        /// Flash on the PCI bus.
        Nvme = "nvme",
        /// Flash behind SATA or SAS.
        #[default]
        Ssd = "ssd",
        /// A disk that turns.
        Hdd = "hdd",
        /// A volume that is reached over the network, such as those of clouds.
        Network = "network",
    }
);

words!(
    /// What the connections do.
    Workload, "workload", {
        /// Many short transactions on few rows each.
        Oltp = "oltp",
        /// Short transactions, and reports among them.
        #[default]
        Mixed = "mixed",
        /// Few long queries over many rows.
        Analytics = "analytics",
    }
);

/// What a server does in its cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// PostgreSQL without Citus.
    #[default]
    Single,
    /// The Citus coordinator of so many workers.
    Coordinator {
        /// How many workers there are.
        workers: u32,
    },
    /// One of so many Citus workers.
    Worker {
        /// How many workers there are, this one among them.
        workers: u32,
    },
}

impl Role {
    /// How many other nodes connect to this one; 0 without Citus.
    pub(super) fn others(self) -> u64 {
        match self {
            Self::Single => 0,
            // The workers; or the other workers and the coordinator.
            Self::Coordinator { workers } | Self::Worker { workers } => u64::from(workers),
        }
    }

    pub(super) fn is_citus(self) -> bool {
        self != Self::Single
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Single => f.write_str("a single server"),
            Self::Coordinator { workers } => write!(f, "the Citus coordinator of {workers} workers"),
            Self::Worker { workers } => write!(f, "one of {workers} Citus workers"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Disk, Machine, Role, Size, Workload};

    #[test]
    fn words_print_as_they_are_read() {
        for disk in Disk::ALL {
            assert_eq!(disk.to_string().parse(), Ok(*disk));
            assert_eq!(serde_json::to_string(disk).ok(), Some(format!("\"{disk}\"")));
        }
        for workload in Workload::ALL {
            assert_eq!(workload.to_string().parse(), Ok(*workload));
        }
        let error = "floppy".parse::<Disk>().expect_err("no disk").to_string();
        assert_eq!(error, "\"floppy\" is no disk: write one of nvme ssd hdd network");
    }

    #[test]
    fn a_machine_is_read_as_it_is_written() {
        let machine =
            Machine::new(Size::gb(64), 16).with_role(Role::Worker { workers: 3 }).with_libraries(["auto_explain"]);
        let text = serde_json::to_string(&machine).expect("it is written");
        assert_eq!(serde_json::from_str::<Machine>(&text).expect("it is read"), machine);
        let short = serde_json::from_str::<Machine>(r#"{"ram": "64GB", "cpus": 16}"#).expect("the rest has defaults");
        assert_eq!(short, Machine::new(Size::gb(64), 16));
        assert!(serde_json::from_str::<Machine>(r#"{"ram": "64GB", "cpus": 16, "disc": "ssd"}"#).is_err());
    }
}
