//! Numbers of Citus' operations that no other database of a server has.
//!
//! Citus names the replication slots, subscriptions and roles of a move or a split by a number that each database counts for
//! itself, from 1, while those names are the server's. Before it makes a slot it notes it for the clean-up, so that a move whose slot's name is
//! taken does not only fail: it drops the slot, which is that of another database's move, and that one waits for ever
//! (`CreateReplicationSlots` of Citus 13.2; seen there).
//!
//! So each database counts from a number of its own, which its OID gives. Names stay within PostgreSQL's 63 bytes: the longest, a publication's,
//! has 30, the node's number, an OID of at most 10 and the operation's of at most 15.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::wire::execute;
use crate::error::Result;

/// "operatio" as a number: the first count is taken once.
const LOCK: i64 = 0x6f70_6572_6174_696f;

/// Has the session's database, on the coordinator, count from its own number, unless it does. Who may not change the sequence leaves it.
///
/// # Errors
/// When the server can't be asked.
pub(crate) async fn own(session: &Client) -> Result<()> {
    let set = format!(
        "DO $do$ BEGIN PERFORM pg_catalog.pg_advisory_xact_lock({LOCK}); \
         PERFORM pg_catalog.setval('pg_catalog.pg_dist_operationid_seq', d.first) FROM pg_catalog.pg_dist_operationid_seq s, \
         (SELECT oid::int8 * 100000 AS first FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()) d \
         WHERE s.last_value NOT BETWEEN d.first AND d.first + 99999; END $do$"
    );
    match execute(session, &set).await {
        Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            tracing::warn!(
                "the role may not change pg_catalog.pg_dist_operationid_seq, so operations of another database of the server may have the same \
                 names, by which both fail or wait for ever: see that no other one moves or splits shards meanwhile, or GRANT UPDATE on it"
            );
            Ok(())
        }
        outcome => outcome,
    }
}
