//! How many connections there may be, and what they may lock.

use super::machine::{Machine, Workload};
use super::setting::{Lines, Value, source};

/// `superuser_reserved_connections`: PostgreSQL's own default, beside what clients may take.
const SUPERUSER: u64 = 3;
/// The table, its key and two more indexes: what a statement locks of a table.
const RELATIONS: u64 = 4;
/// How many tables a statement joins.
const JOINED: u64 = 4;
/// PostgreSQL's own default of `max_locks_per_transaction`.
const LOCKS: u64 = 64;

/// The numbers of connections.
#[derive(Debug, Clone, Copy)]
pub(super) struct Connections {
    clients: u64,
    /// `max_connections`: clients, other nodes of Citus, and superusers.
    pub(super) most: u64,
    /// `max_prepared_transactions`.
    pub(super) prepared: u64,
    /// `max_locks_per_transaction`.
    pub(super) locks: u64,
    /// From one node to another one.
    shared_pool: u64,
    /// By one statement on many shards.
    pub(super) statement_pool: u64,
}

impl Connections {
    pub(super) fn of(machine: &Machine) -> Self {
        let clients = u64::from(machine.connections);
        let (others, cpus) = (machine.role.others(), u64::from(machine.cpus));
        let statement_pool = match machine.workload {
            Workload::Analytics => cpus.clamp(4, 64),
            Workload::Oltp | Workload::Mixed => cpus.clamp(2, 16),
        };
        // All other nodes together get as many as clients do, and each enough for one statement on many shards.
        let shared_pool = (clients / others.max(1)).max(statement_pool);
        let most = clients + others * shared_pool + SUPERUSER;
        let prepared = if machine.role.is_citus() { 2 * most } else { 0 };
        Self { clients, most, prepared, locks: locks(machine, most + prepared), shared_pool, statement_pool }
    }

    pub(super) fn lines(&self, machine: &Machine, lines: &mut Lines) {
        let Self { clients, most, .. } = *self;
        let of_citus = most - clients - SUPERUSER;
        let reason = match of_citus {
            0 => format!(
                "The {clients} planned, and {SUPERUSER} for superusers. Who needs more puts a pooler before it."
            ),
            _ => format!("The {clients} of clients, {of_citus} from other nodes, and {SUPERUSER} for superusers."),
        };
        lines.count("max_connections", most, source::CONNECTIONS, reason);
        let reason = "So that somebody can still log in and look when all others are taken.";
        lines.count("superuser_reserved_connections", SUPERUSER, source::CONNECTIONS, reason);
        if self.locks != LOCKS {
            let reason = format!(
                "A statement locks each partition and index that it can't rule out: {} partitions, {} shards of a table here.",
                machine.partitions, machine.shards
            );
            lines.count("max_locks_per_transaction", self.locks, source::LOCKS, reason);
        }
        let libraries: Vec<_> =
            machine.role.is_citus().then_some("citus").into_iter().chain(machine.more_libraries()).collect();
        if !libraries.is_empty() {
            let reason = match machine.role.is_citus() {
                true => "Citus has to be the first one: it hooks in behind nobody.",
                false => "As it was asked for.",
            };
            lines.add("shared_preload_libraries", Value::Text(libraries.join(",")), source::CITUS, reason);
        }
        if machine.role.is_citus() {
            self.lines_of_citus(lines);
        }
    }

    fn lines_of_citus(&self, lines: &mut Lines) {
        let reason = "A write on several shards is prepared on each node before it is committed, on as many connections as there may \
                      be; twice that for those which a crash left and that wait for recovery.";
        lines.count("max_prepared_transactions", self.prepared, source::CITUS, reason);
        let reason =
            "What is beyond it is kept for connections between the nodes, without which statements of others hang.";
        lines.count("citus.max_client_connections", self.clients, source::CITUS, reason);
        let reason = "What all sessions of this node together may open to another one: its part of what that one keeps for others. \
                      The same on all nodes.";
        lines.count("citus.max_shared_pool_size", self.shared_pool, source::CITUS, reason);
        let reason = "One statement on many shards runs on so many of a worker's CPUs at once.";
        lines.count("citus.max_adaptive_executor_pool_size", self.statement_pool, source::CITUS, reason);
    }
}

/// All share one table of locks, which has so many places per transaction: it has to do for one statement of a tenant in each of
/// them, and for two that touch all shards.
fn locks(machine: &Machine, transactions: u64) -> u64 {
    let (shards, partitions) = (u64::from(machine.shards), u64::from(machine.partitions));
    let tables = if partitions > 1 { partitions + 1 } else { 1 };
    let of_a_tenant = tables * RELATIONS * JOINED;
    let of_all_shards = (2 * shards * of_a_tenant).div_ceil(transactions);
    of_a_tenant.max(of_all_shards).max(LOCKS).next_multiple_of(LOCKS)
}

#[cfg(test)]
mod tests {
    use super::super::{Role, Size};
    use super::{Connections, Machine};

    #[test]
    fn all_other_nodes_together_get_as_many_as_clients() {
        for workers in [1, 2, 7, 64] {
            for role in [Role::Coordinator { workers }, Role::Worker { workers }] {
                let machine = Machine::new(Size::gb(64), 16).with_connections(200).with_role(role);
                let connections = Connections::of(&machine);
                let others = u64::from(workers);
                assert_eq!(connections.most, 200 + others * connections.shared_pool + 3);
                assert!(connections.shared_pool * others <= 200.max(others * connections.statement_pool));
                assert!(connections.shared_pool >= connections.statement_pool);
            }
        }
    }

    #[test]
    fn partitions_take_locks() {
        let locks =
            |shards, partitions| Connections::of(&Machine::new(Size::gb(64), 16).with_shards(shards, partitions)).locks;
        assert_eq!((locks(1, 1), locks(1, 36), locks(1, 120)), (64, 640, 1984));
        // Of all shards the whole table of locks has to hold two statements.
        let (most, all) = (103, 2 * 64 * 37 * 16);
        assert!(locks(64, 36) * most >= all && (locks(64, 36) - 64) * most < all);
    }
}
