//! What the server says of the connections with one application name.

use shardwise::{Cluster, Mode, unscoped_sql};

#[derive(Debug, Clone, Copy)]
pub struct Activity {
    pub connections: i64,
    /// Statements that run now.
    pub active: i64,
    /// Connections inside a transaction.
    pub in_transaction: i64,
}

impl Activity {
    /// On all nodes together.
    pub async fn of(cluster: &Cluster, name: &str) -> Self {
        let name = name.to_owned();
        let counts = match cluster.mode() {
            Mode::Citus => unscoped_sql!(
                "SELECT sum((result::json ->> 0)::int8)::int8, sum((result::json ->> 1)::int8)::int8, \
                 sum((result::json ->> 2)::int8)::int8 FROM run_command_on_all_nodes(format($command$ \
                 SELECT json_build_array(count(*), \
                 count(*) FILTER (WHERE state = 'active' AND backend_type = 'client backend'), \
                 count(*) FILTER (WHERE xact_start IS NOT NULL OR state LIKE 'idle in transaction%%')) \
                 FROM pg_stat_activity WHERE application_name = %L AND query NOT LIKE '%%run_command_on_all_nodes%%' \
                 $command$, :name::text))",
                name = name
            ),
            _ => unscoped_sql!(
                "SELECT count(*), count(*) FILTER (WHERE state = 'active' AND backend_type = 'client backend'), \
                 count(*) FILTER (WHERE xact_start IS NOT NULL OR state LIKE 'idle in transaction%') \
                 FROM pg_stat_activity WHERE application_name = :name AND pid <> pg_backend_pid()",
                name = name
            ),
        };
        let (connections, active, in_transaction) = cluster.coordinator().query_one_as(counts).await.unwrap();
        Self { connections, active, in_transaction }
    }
}

/// Waits until none of them is busy; a test that leaves one busy fails by its time.
pub async fn idle(cluster: &Cluster, name: &str) -> Activity {
    let idle = async {
        loop {
            let activity = Activity::of(cluster, name).await;
            if activity.active == 0 && activity.in_transaction == 0 {
                return activity;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), idle).await.expect("a connection stays busy")
}

/// Ends the session that runs an INSERT into labels, on whatever node that is, once there is one that waits: for a lock, in its sleep, or
/// on Citus for another node. One that is just being prepared was not sent yet.
pub async fn end_an_active(cluster: &Cluster) {
    loop {
        let end = match cluster.mode() {
            Mode::Citus => unscoped_sql!(
                "SELECT sum(result::int8)::int8 FROM run_command_on_all_nodes($command$ \
                 SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                 WHERE query LIKE 'INSERT INTO labels%' AND state = 'active' AND datname = current_database() \
                 AND wait_event_type IN ('Lock', 'Timeout', 'Extension') $command$)"
            ),
            _ => unscoped_sql!(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                 WHERE query LIKE 'INSERT INTO labels%' AND state = 'active' AND datname = current_database() \
                 AND wait_event_type IN ('Lock', 'Timeout', 'Extension')"
            ),
        };
        if cluster.coordinator().query_one_as::<(i64,)>(end).await.unwrap().0 > 0 {
            return;
        }
    }
}
