//! Autovacuum: how many, how soon, how fast.

use super::machine::{Disk, Machine, Workload};
use super::setting::{Lines, Value, source};

/// `autovacuum_max_workers`: a quarter of the CPUs, within reason.
pub(super) fn workers(machine: &Machine) -> u64 {
    (u64::from(machine.cpus) / 4).clamp(3, 10)
}

pub(super) fn lines(machine: &Machine, lines: &mut Lines) {
    let workers = workers(machine);
    let reason = "A quarter of the CPUs, three at least: one large table must not keep all others waiting.";
    lines.count("autovacuum_max_workers", workers, source::VACUUM, reason);
    let limit = match machine.disk {
        Disk::Nvme => 3000,
        Disk::Ssd => 2000,
        Disk::Network => 1000,
        Disk::Hdd => 400,
    };
    let reason =
        "What all of them together may read and write before they pause: the default of 200 is of times without flash.";
    lines.count("autovacuum_vacuum_cost_limit", limit, source::VACUUM, reason);
    let (dead, changed) = match machine.workload {
        Workload::Oltp => (0.02, 0.01),
        Workload::Mixed => (0.05, 0.02),
        Workload::Analytics => (0.1, 0.05),
    };
    let reason =
        "The default waits until a fifth of a table is dead, which a large one reaches seldom and pays for long.";
    lines.add("autovacuum_vacuum_scale_factor", Value::Real(dead), source::VACUUM, reason);
    let reason = "Rows that only come need it too: for scans of the index alone, and to freeze them in small parts.";
    lines.add("autovacuum_vacuum_insert_scale_factor", Value::Real(dead), source::VACUUM, reason);
    let reason = "Statistics grow old sooner than rows die.";
    lines.add("autovacuum_analyze_scale_factor", Value::Real(changed), source::VACUUM, reason);
}
