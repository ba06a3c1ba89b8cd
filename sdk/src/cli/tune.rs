//! `tune`: a server's configuration for its machine and its work.

use clap::ValueEnum;

use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use crate::tune::{Disk, Machine, Role, Size, Workload};

/// The machine and its work.
#[derive(clap::Args)]
pub(super) struct Command {
    /// Its memory, with the unit: 64GB
    #[arg(long, value_name = "SIZE")]
    ram: Size,
    /// Its processors, as `nproc` counts them
    #[arg(long, value_name = "NUMBER")]
    cpus: u32,
    /// What the data lie on: nvme, ssd, hdd or network
    #[arg(long, value_name = "KIND", default_value_t = Disk::default())]
    disk: Disk,
    /// How many connections of clients are busy at the same time
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    connections: u32,
    /// What these do: oltp, mixed or analytics
    #[arg(long, value_name = "KIND", default_value_t = Workload::default())]
    workload: Workload,
    /// What the server is in its cluster
    #[arg(long, value_enum, default_value_t = Place::Single)]
    role: Place,
    /// How many workers there are, for a coordinator or a worker
    #[arg(long, value_name = "NUMBER", required_if_eq_any = [("role", "coordinator"), ("role", "worker")])]
    workers: Option<u32>,
    /// PostgreSQL's major version
    #[arg(long, value_name = "NUMBER", default_value_t = 15)]
    postgres: u32,
    /// Whether huge pages are reserved; by the memory where it is not said
    #[arg(long, value_name = "BOOL")]
    huge_pages: Option<bool>,
    /// How many shards of a table the node has
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    shards: u32,
    /// How many partitions a table has
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    partitions: u32,
    /// One more of shared_preload_libraries
    #[arg(long, value_name = "NAME")]
    library: Vec<String>,
}

/// A [`Role`] without its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Place {
    /// PostgreSQL without Citus
    Single,
    /// The Citus coordinator
    Coordinator,
    /// A Citus worker
    Worker,
}

impl Command {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let workers = self.workers.unwrap_or_default();
        let role = match self.role {
            Place::Single if self.workers.is_some() => {
                return Err(Failure::usage(
                    "--workers is for --role coordinator and --role worker: leave it out, or say which",
                ));
            }
            Place::Single => Role::Single,
            Place::Coordinator => Role::Coordinator { workers },
            Place::Worker => Role::Worker { workers },
        };
        let machine = Machine::new(self.ram, self.cpus)
            .with_disk(self.disk)
            .with_connections(self.connections)
            .with_workload(self.workload)
            .with_role(role)
            .with_version(self.postgres)
            .with_shards(self.shards, self.partitions)
            .with_libraries(self.library);
        let machine = match self.huge_pages {
            Some(huge_pages) => machine.with_huge_pages(huge_pages),
            None => machine,
        };
        // Of a machine that there can't be the arguments are to blame, and no file.
        let tuning = machine.tune().map_err(|error| Failure::usage(error.to_string()))?;
        context.output().file(&tuning, &tuning)?;
        Ok(Exit::Fine)
    }
}
