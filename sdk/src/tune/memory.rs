//! The sum of all memory.

use serde::Serialize;

use super::Size;
use super::connections::Connections;
use super::machine::{Machine, Workload};
use super::parallel::Parallel;
use super::setting::{Lines, Value, source};
use super::vacuum;

/// What `work_mem` is not to be below: some thousand rows.
const LEAST_WORK_MEM: Size = Size::kb(256);
/// The default since version 15; a hash table that does not fit costs more than a sort that does not.
const HASH_MEM_MULTIPLIER: u64 = 2;
/// The launchers and writers that every server has, with room to spare.
const SERVERS_OWN: u64 = 10;

/// All memory of the machine, and who may take how much of it when all take it at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Memory {
    /// All that there is.
    pub ram: Size,
    /// For the system, and for files that are being read and written: a tenth, 128 MB at least.
    pub system: Size,
    /// `shared_buffers`: a quarter.
    pub shared_buffers: Size,
    /// The other shared memory: descriptors of buffers, locks, `wal_buffers`, what the server notes of each process.
    pub shared: Size,
    /// The page tables by which processes reach shared memory: one entry of 8 bytes per page and process.
    pub page_tables: Size,
    /// What each process has for itself, busy or not: caches of the catalog, prepared statements.
    pub processes: Size,
    /// `autovacuum_max_workers` × `autovacuum_work_mem`.
    pub autovacuum: Size,
    /// `maintenance_work_mem` of as many commands as may be under way at once: one, or on Citus one for each shard that a command is
    /// run on at a time.
    pub maintenance: Size,
    /// `max_wal_senders` × `logical_decoding_work_mem`, where shards are moved by it.
    pub decoding: Size,
    /// What is left for sorts and hashes: never less than they take with this `work_mem`.
    pub queries: Size,
    /// How many processes may sort and hash at once: `max_connections` + `max_parallel_workers`.
    pub sorting: u64,
    /// How many sorts and hashes each of them may have at once.
    pub nodes: u64,
    /// `hash_mem_multiplier`: how many times `work_mem` a hash may take.
    pub hash_mem_multiplier: u64,
    /// `work_mem`: what a sort may take.
    pub work_mem: Size,
}

impl Memory {
    /// What all take together at worst; never more than there is.
    ///
    /// `sorting` × `nodes` × `hash_mem_multiplier` × `work_mem`, and all the rest.
    #[must_use]
    pub fn worst_case(&self) -> Size {
        self.besides_queries().plus(self.of_queries())
    }

    /// What sorts and hashes take at worst.
    #[must_use]
    pub fn of_queries(&self) -> Size {
        self.work_mem.times(self.takers())
    }

    fn takers(&self) -> u64 {
        self.sorting.saturating_mul(self.nodes).saturating_mul(self.hash_mem_multiplier)
    }

    fn besides_queries(&self) -> Size {
        let parts = [
            self.system,
            self.shared_buffers,
            self.shared,
            self.page_tables,
            self.processes,
            self.autovacuum,
            self.maintenance,
            self.decoding,
        ];
        parts.into_iter().fold(Size::default(), Size::plus)
    }

    /// `None` where it does not do for that many connections.
    pub(super) fn of(machine: &Machine, connections: &Connections, parallel: &Parallel) -> Option<Self> {
        let ram = machine.ram;
        let shared_buffers = ram.over(4).rounded();
        let vacuuming = vacuum::workers(machine);
        let of_server = parallel.processes - parallel.workers + parallel.senders + parallel.io_workers;
        let of_server = of_server + vacuuming + SERVERS_OWN;
        let sorting = connections.most + parallel.workers;
        let processes = sorting + of_server;
        let shared = shared(machine, shared_buffers, connections, processes);
        let pages = if machine.has_huge_pages() { Size::mb(2) } else { Size::kb(4) };
        let page_table = shared_buffers.plus(shared).over(pages.as_bytes()).times(8);
        let decoders = if machine.role.is_citus() { parallel.senders } else { 0 };
        let mut memory = Self {
            ram,
            system: ram.over(10).max(Size::mb(128)),
            shared_buffers,
            shared,
            page_tables: page_table.times(processes),
            processes: of_connection(machine).times(sorting).plus(of_server_process(machine).times(of_server)),
            autovacuum: autovacuum_work_mem(machine).times(vacuuming),
            maintenance: maintenance_work_mem(machine, connections).times(commands(machine, connections)),
            decoding: decoding_work_mem(machine).times(decoders),
            queries: Size::default(),
            sorting,
            nodes: nodes(machine.workload),
            hash_mem_multiplier: HASH_MEM_MULTIPLIER,
            work_mem: Size::default(),
        };
        memory.queries = ram.minus(memory.besides_queries());
        let each = memory.queries.over(memory.takers());
        memory.work_mem = each.min(most_work_mem(machine.workload)).rounded();
        (memory.work_mem >= LEAST_WORK_MEM).then_some(memory)
    }

    pub(super) fn lines(&self, machine: &Machine, connections: &Connections, lines: &mut Lines) {
        let reason =
            "A quarter of the memory: more is seldom better, for PostgreSQL relies on the system's cache as well.";
        lines.size("shared_buffers", self.shared_buffers, source::RESOURCES, reason);
        let (pages, reason) = match machine.has_huge_pages() {
            true => (
                "on",
                "They are reserved, and page tables are counted as small; the server does not start without them.",
            ),
            false => (
                "try",
                "Taken where they are reserved; without them each connection has a large page table, which is counted.",
            ),
        };
        lines.add("huge_pages", Value::Word(pages), source::HUGE_PAGES, reason);
        let Self { sorting, nodes, hash_mem_multiplier, .. } = *self;
        let reason = format!(
            "{sorting} processes (max_connections + max_parallel_workers) × {nodes} sorts or hashes × {hash_mem_multiplier} \
             (hash_mem_multiplier) × {} = {}: what is left of the memory, or as much as such work can use.",
            self.work_mem,
            self.of_queries()
        );
        lines.size("work_mem", self.work_mem, source::SUM, reason);
        let reason =
            "The default since version 15: a hash table that does not fit costs more than a sort that does not.";
        lines.add("hash_mem_multiplier", Value::Real(2.0), source::RESOURCES, reason);
        let commands = commands(machine, connections);
        let reason = match commands {
            1 => "For the making of indexes: a twentieth of the memory, up to where more is of no use.".to_owned(),
            _ => format!(
                "For the making of indexes, on up to {commands} shards at once: a twentieth of the memory for all."
            ),
        };
        lines.size("maintenance_work_mem", maintenance_work_mem(machine, connections), source::RESOURCES, reason);
        let reason = match machine.version < 17 {
            true => "Of each worker: a twentieth of the memory for all. Before version 17 none uses more than 1 GB.",
            false => "Of each worker: a twentieth of the memory for all.",
        };
        lines.size("autovacuum_work_mem", autovacuum_work_mem(machine), source::VACUUM, reason);
        if machine.role.is_citus() {
            let reason = "Of each process that reads the log for a move of shards.";
            lines.size("logical_decoding_work_mem", decoding_work_mem(machine), source::RESOURCES, reason);
        }
        let reason = "What is committed while the log is being written gathers there; the default stops at 16 MB.";
        lines.size("wal_buffers", wal_buffers(self.shared_buffers), source::WAL, reason);
    }

    /// How many huge pages all shared memory takes.
    pub(super) fn huge_pages(&self) -> u64 {
        self.shared_buffers.plus(self.shared).as_bytes().div_ceil(Size::mb(2).as_bytes())
    }
}

/// Shared memory beside the buffers. The factors are above what `postgres -C shared_memory_size` of versions 15 says for servers of
/// 256 MB to 4 TB, and the tests hold them against the server.
fn shared(machine: &Machine, buffers: Size, connections: &Connections, processes: u64) -> Size {
    const FIXED: Size = Size::mb(24);
    // What the server notes of a process; from version 18 on, of its reads as well.
    let process = if machine.version >= 18 { Size::kb(64) } else { Size::kb(32) };
    const LOCK: Size = Size::bytes(512);
    let holders = processes + connections.prepared;
    let locks = LOCK.times(holders.saturating_mul(connections.locks));
    let of_citus = if machine.role.is_citus() { Size::mb(64) } else { Size::default() };
    let of_processes = process.times(holders);
    let parts = [buffers.over(32), wal_buffers(buffers), of_processes, locks, of_citus];
    parts.into_iter().fold(FIXED, Size::plus)
}

/// What a connection's process has for itself, beyond the pages that it shares with the postmaster. Measured with version 15: 1 to 2 MB
/// after some prepared statements on a few tables. It grows with the tables that it has seen, and with Citus by their shards.
fn of_connection(machine: &Machine) -> Size {
    if machine.role.is_citus() { Size::mb(8) } else { Size::mb(4) }
}

/// The same of one of the server's own. Measured: a quarter to a half of 1 MB; Citus's daemons are connections without a client.
fn of_server_process(machine: &Machine) -> Size {
    if machine.role.is_citus() { Size::mb(2) } else { Size::mb(1) }
}

fn wal_buffers(buffers: Size) -> Size {
    buffers.over(32).clamp(Size::mb(1), Size::mb(64)).rounded()
}

/// A twentieth for all workers.
fn autovacuum_work_mem(machine: &Machine) -> Size {
    let most = if machine.version < 17 { Size::gb(1) } else { Size::gb(2) };
    machine.ram.over(20 * vacuum::workers(machine)).clamp(Size::mb(1), most).rounded()
}

/// A twentieth for all commands.
fn maintenance_work_mem(machine: &Machine, connections: &Connections) -> Size {
    let most = if machine.workload == Workload::Analytics { Size::gb(8) } else { Size::gb(2) };
    machine.ram.over(20 * commands(machine, connections)).clamp(Size::mb(1), most).rounded()
}

/// Citus makes an index on several shards at once.
fn commands(machine: &Machine, connections: &Connections) -> u64 {
    if machine.role.is_citus() { connections.statement_pool } else { 1 }
}

fn decoding_work_mem(machine: &Machine) -> Size {
    machine.ram.over(1024).clamp(Size::mb(1), Size::mb(64)).rounded()
}

/// How many sorts and hashes a query has at once.
fn nodes(workload: Workload) -> u64 {
    match workload {
        Workload::Oltp => 2,
        Workload::Mixed => 3,
        Workload::Analytics => 4,
    }
}

/// More than such work can use, and what is not used is the system's cache.
fn most_work_mem(workload: Workload) -> Size {
    match workload {
        Workload::Oltp => Size::mb(64),
        Workload::Mixed => Size::mb(256),
        Workload::Analytics => Size::gb(4),
    }
}
