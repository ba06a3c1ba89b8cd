//! The write-ahead log and checkpoints.

use std::time::Duration;

use super::Size;
use super::machine::{Disk, Machine, Workload};
use super::setting::{Lines, Value, source};

pub(super) fn lines(machine: &Machine, lines: &mut Lines) {
    if machine.role.is_citus() {
        let reason = "Shards are moved and split by logical replication.";
        lines.add("wal_level", Value::Word("logical"), source::WAL, reason);
    } else {
        lines.add("wal_level", Value::Word("replica"), source::WAL, "The default: enough for standbys and backups.");
    }
    let longest = if machine.workload == Workload::Analytics { Size::gb(64) } else { Size::gb(32) };
    let most = machine.ram.over(4).clamp(Size::gb(1), longest).rounded();
    let reason = "How much is written between two checkpoints under load: each checkpoint has whole pages logged anew. The log takes \
                  that much room, and a crash's recovery reads it.";
    lines.size("max_wal_size", most, source::WAL_TUNING, reason);
    let reason = "Kept for reuse, so that the next peak makes no new files.";
    lines.size("min_wal_size", most.over(4).rounded(), source::WAL_TUNING, reason);
    let minutes = if machine.workload == Workload::Analytics { 30 } else { 15 };
    let reason = "With less to do, a checkpoint comes after this time.";
    lines.add("checkpoint_timeout", Value::Time(Duration::from_secs(minutes * 60)), source::WAL_TUNING, reason);
    let reason = "Its writes are spread over nearly all the time until the next one.";
    lines.add("checkpoint_completion_target", Value::Real(0.9), source::WAL_TUNING, reason);
    compression(machine, lines);
}

fn compression(machine: &Machine, lines: &mut Lines) {
    let (value, reason) = match (machine.version >= 15, machine.disk) {
        (true, _) => (
            Value::Word("lz4"),
            "Whole pages shrink to a half or less for little work; write pglz where the server is built without lz4.",
        ),
        // What has pglz alone takes CPU for it, which flash does not repay.
        (false, Disk::Nvme) => (Value::Flag(false), "Before version 15 it takes more of the CPUs than flash saves."),
        (false, Disk::Ssd | Disk::Hdd | Disk::Network) => {
            (Value::Flag(true), "Whole pages shrink to a half or less, and the log is what this disk waits for.")
        }
    };
    lines.add("wal_compression", value, source::WAL, reason);
}
