//! What the planner is told of the machine.

use super::Size;
use super::machine::{Disk, Machine, Workload};
use super::setting::{Lines, Value, source};

pub(super) fn lines(machine: &Machine, lines: &mut Lines) {
    let cache = Size::bytes(machine.ram.as_bytes() / 4).times(3).rounded();
    let reason = "Three quarters of the memory: what shared_buffers and the system's cache hold together. Nothing is allocated by it.";
    lines.size("effective_cache_size", cache, source::PLANNING, reason);
    of_disk(machine, lines);
    let (target, reason) = match machine.workload {
        Workload::Oltp => (100, "The default: lookups by key need no finer statistics, and planning stays fast."),
        Workload::Mixed => (200, "Reports join on columns of uneven distribution."),
        Workload::Analytics => (500, "Bad estimates cost minutes there, and planning is a small part."),
    };
    lines.count("default_statistics_target", target, source::PLANNING, reason);
    let (jit, reason) = match machine.workload {
        Workload::Oltp => (false, "Compiling takes longer than a short statement, and is done again by each session."),
        Workload::Mixed => (true, "For reports alone: see jit_above_cost."),
        Workload::Analytics => (true, "Long queries spend most of their time in expressions."),
    };
    lines.add("jit", Value::Flag(jit), source::JIT, reason);
    if machine.workload == Workload::Mixed {
        let reason =
            "Five times the default: what a short statement of some thousand rows costs must not have it compiled.";
        lines.count("jit_above_cost", 500_000, source::JIT, reason);
    }
    let reason = "So that EXPLAIN and the statistics tell how long reads and writes take; pg_test_timing tells whether the clock is \
                  fast enough.";
    lines.add("track_io_timing", Value::Flag(true), source::STATISTICS, reason);
}

fn of_disk(machine: &Machine, lines: &mut Lines) {
    let (cost, reason) = match machine.disk {
        Disk::Nvme | Disk::Ssd => (1.1, "Flash reads any page nearly as fast as the next one."),
        Disk::Network => (1.5, "Any page takes a round trip, of which reading ahead saves some."),
        Disk::Hdd => (4.0, "The default: the arm has to move."),
    };
    lines.add("random_page_cost", Value::Real(cost), source::PLANNING, reason);
    let (at_once, reason) = match machine.disk {
        Disk::Nvme => (256, "Flash has hundreds of reads under way at once."),
        Disk::Ssd => (200, "Flash has hundreds of reads under way at once."),
        Disk::Network => (200, "Many round trips at once hide how long each takes."),
        Disk::Hdd => (2, "One arm reads one place at a time."),
    };
    lines.count("effective_io_concurrency", at_once, source::RESOURCES, reason);
    let reason = "The same for vacuum and for recovery, which reads ahead as well.";
    lines.count("maintenance_io_concurrency", at_once.max(10), source::RESOURCES, reason);
}
