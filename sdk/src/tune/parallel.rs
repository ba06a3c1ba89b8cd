//! Processes beside those of connections.

use super::machine::{Disk, Machine, Workload};
use super::setting::{Lines, Value, source};

/// Citus's own workers: a daemon per database, and those of moves and splits in the background.
const CITUS: u64 = 16;
/// The launcher of logical replication, and what extensions bring.
const OTHERS: u64 = 4;
/// PostgreSQL's own default of `max_worker_processes`.
const LEAST: u64 = 8;
/// The most that PostgreSQL takes (`MAX_PARALLEL_WORKER_LIMIT`).
const MOST: u64 = 1024;

/// The numbers of processes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parallel {
    /// `max_parallel_workers`: of all queries together.
    pub(super) workers: u64,
    per_gather: u64,
    per_command: u64,
    /// `max_worker_processes`.
    pub(super) processes: u64,
    /// `max_wal_senders`, and `max_replication_slots`.
    pub(super) senders: u64,
    replication: u64,
    /// `io_workers`, from version 18 on.
    pub(super) io_workers: u64,
}

impl Parallel {
    pub(super) fn of(machine: &Machine) -> Self {
        let (cpus, citus) = (u64::from(machine.cpus), machine.role.is_citus());
        let workers = if cpus == 1 { 0 } else { cpus.min(MOST) };
        let half = cpus / 2;
        let per_gather = match (machine.workload, citus) {
            (Workload::Oltp, _) => half.min(2),
            // Each shard has a connection for itself already.
            (_, true) => half.min(2),
            (Workload::Mixed, false) => half.min(4),
            (Workload::Analytics, false) => half.min(MOST),
        };
        let per_command = if machine.workload == Workload::Analytics { half.min(8) } else { half.min(4) };
        let (replication, senders) = if citus { (8, 16) } else { (4, 10) };
        let processes = (workers + replication + OTHERS + if citus { CITUS } else { 0 }).max(LEAST);
        let io_workers = match (machine.version >= 18, machine.disk) {
            (false, _) => 0,
            (true, Disk::Hdd) => 3,
            (true, Disk::Nvme | Disk::Ssd | Disk::Network) => (cpus / 4).clamp(3, 32),
        };
        Self { workers, per_gather, per_command, processes, senders, replication, io_workers }
    }

    pub(super) fn lines(&self, machine: &Machine, lines: &mut Lines) {
        let reason = "What all queries together may have at once: one per CPU.";
        lines.count("max_parallel_workers", self.workers, source::RESOURCES, reason);
        let reason = match machine.workload {
            Workload::Oltp => "Short statements gain nothing from helpers, and each connection is at work already.",
            _ if machine.role.is_citus() => {
                "Citus spreads a query over its shards, each of which has a connection already."
            }
            Workload::Mixed => {
                "A report may have up to half of the CPUs, four at most: the others are for short statements."
            }
            Workload::Analytics => "A query may have half of the CPUs: a second one still finds some.",
        };
        lines.count("max_parallel_workers_per_gather", self.per_gather, source::RESOURCES, reason);
        let reason = "For the making of one index; they share its maintenance_work_mem.";
        lines.count("max_parallel_maintenance_workers", self.per_command, source::RESOURCES, reason);
        let reason = match machine.role.is_citus() {
            true => {
                "Those of parallel queries, of logical replication, which moves shards, and of Citus's daemons and background tasks."
            }
            false => "Those of parallel queries, of logical replication, and some for extensions.",
        };
        lines.count("max_worker_processes", self.processes, source::RESOURCES, reason);
        if machine.role.is_citus() {
            let reason = "Shards are moved and split by logical replication, several at once.";
            lines.count("max_logical_replication_workers", self.replication, source::REPLICATION, reason);
        }
        let reason = "For standbys, backups, and moves of shards.";
        lines.count("max_wal_senders", self.senders, source::REPLICATION, reason);
        lines.count("max_replication_slots", self.senders, source::REPLICATION, "One for each that is sent the log.");
        if machine.version >= 18 {
            let reason =
                "Reads that are asked for in advance: by processes, which every build has (io_uring is not in all).";
            lines.add("io_method", Value::Word("worker"), source::RESOURCES, reason);
            lines.count("io_workers", self.io_workers, source::RESOURCES, "A quarter of the CPUs reads in advance.");
        }
    }
}
