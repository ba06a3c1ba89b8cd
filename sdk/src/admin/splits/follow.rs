//! New shards on the node of the old one follow it, while that is written to.
//!
//! What Citus splits by logical replication has a gap there: a row that is updated or deleted after the replication slot is
//! made, and before the new shards have their primary keys, reaches them without its key. The subscription then fails for
//! ever, and the split never ends (seen with Citus 13.2, `isolate_tenant_to_new_shard` and
//! `create_distributed_table_concurrently` on a coordinator that takes shards itself). In a busy table there is always such a
//! row.
//!
//! So the gap is closed from outside. PostgreSQL makes a slot only when all transactions have ended that write at that
//! moment: we keep one open on the node, until the slot is begun and the new shards are there, empty. In that
//! transaction they get `REPLICA IDENTITY FULL`, which needs no key, and all that is replicated is written after it.
//! When the split is over, the shards get back the identity that their table has.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use crate::admin::wire::{column, execute, only, query};
use crate::error::{Error, ErrorKind, Result};

const POLL: Duration = Duration::from_millis(10);

/// How often a subscription may fail before the split is given up. One failure may pass.
const FAILURES: i64 = 3;

/// Whoever waits for a shard's lock keeps its users waiting behind: so not for long, and again.
const LOCK_TIMEOUT: &str = "SET lock_timeout = '200ms'";
const ATTEMPTS: usize = 100;

/// The session that keeps the slot waiting does so for as long as it takes, and sees shards among the tables.
const HOLD: &str = "SET idle_in_transaction_session_timeout = 0; SET statement_timeout = 0; \
                    SET citus.override_table_visibility = off";

/// The shards that will be made.
pub(in crate::admin) struct New {
    /// Of which tables: a query for their oids.
    pub(in crate::admin) tables: String,
    /// The last shard that was made before.
    pub(in crate::admin) last_id: i64,
}

/// The last shard that was made, as the coordinator tells.
pub(in crate::admin) const LAST_ID: &str = "SELECT last_value FROM pg_catalog.pg_dist_shardid_seq";

/// Runs a split; `source` is a session on the node that has the rows. Where the new shards can't follow, it is `interrupt`ed.
pub(in crate::admin) async fn follow<T>(
    source: &Client,
    new: &New,
    split: impl Future<Output = Result<T>>,
    interrupt: impl AsyncFnOnce(),
) -> Result<T> {
    let earlier = Box::pin(Earlier::at_rest(source)).await?;
    for statement in [HOLD, "BEGIN", "SELECT pg_catalog.txid_current()"] {
        execute(source, statement).await?;
    }
    let failed = match select(pin!(split), pin!(watch(source, new, &earlier))).await {
        Either::Left((done, _)) => return done,
        Either::Right((failed, _)) => failed,
    };
    interrupt().await;
    Err(failed)
}

/// Prepares the new shards as soon as they are there, and then looks whether the split gets on. Ends when it does not.
async fn watch(source: &Client, new: &New, earlier: &Earlier) -> Error {
    if let Err(error) = prepare(source, new, &earlier.slots).await {
        return error;
    }
    loop {
        tokio::time::sleep(POLL * 50).await;
        match failures(source, &earlier.subscriptions).await {
            Ok(0..FAILURES) => {}
            Ok(_) => {
                let message = "the new shards can't follow the old one, as the log of their node tells: run it again when \
                               little is updated or deleted in the shard";
                return Error::new(ErrorKind::Placement, message);
            }
            Err(error) => return error,
        }
    }
}

/// Waits until the slot is begun, which is after the new shards are made, and lets it be finished when they are ready.
async fn prepare(source: &Client, new: &New, earlier: &[String]) -> Result<()> {
    const IS_BEGUN: &str = "\
        SELECT EXISTS (SELECT FROM pg_catalog.pg_replication_slots WHERE slot_name LIKE 'citus\\_shard\\_split\\_slot\\_%' \
        AND database = pg_catalog.current_database() AND active AND slot_name::text <> ALL ($1))";
    let earlier = [(&earlier as _, Type::TEXT_ARRAY)];
    while !column::<bool>(only(&query(source, IS_BEGUN, &earlier).await?)?, 0)? {
        tokio::time::sleep(POLL).await;
    }
    // By the numbers at the end of their names, which are newer than any; Citus does not know them before it has ended. Partitioned tables
    // have no rows of their own.
    let made = format!(
        "SELECT c.oid::regclass::text FROM (SELECT oid, substring(relname FROM '_(\\d{{1,18}})$')::bigint AS shard \
         FROM pg_catalog.pg_class WHERE relkind = 'r') AS c JOIN ({}) AS t (id) \
         ON c.oid = pg_catalog.to_regclass(pg_catalog.shard_name(t.id, c.shard)) WHERE c.shard > $1 \
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_dist_shard s WHERE s.shardid = c.shard)",
        new.tables
    );
    for row in query(source, &made, &[(&new.last_id, Type::INT8)]).await? {
        let shard: String = column(&row, 0)?;
        execute(source, &format!("ALTER TABLE {shard} REPLICA IDENTITY FULL")).await?;
    }
    execute(source, "COMMIT").await
}

/// What splits before have left on the node, until Citus has cleaned up after them.
struct Earlier {
    slots: Vec<String>,
    subscriptions: Vec<i64>,
}

impl Earlier {
    /// What is there, brought to rest. The slot of a split that was given up is still read by its subscription, and decoded by what
    /// the next split frees: that crashes the server (a walsender's segmentation fault, seen with Citus 13.2).
    async fn at_rest(source: &Client) -> Result<Self> {
        const SUBSCRIPTIONS: &str = "\
            SELECT s.oid::bigint, pg_catalog.quote_ident(s.subname) FROM pg_catalog.pg_subscription s \
            JOIN pg_catalog.pg_database d ON d.oid = s.subdbid AND d.datname = pg_catalog.current_database() \
            WHERE s.subname LIKE 'citus\\_shard\\_split\\_%'";
        const SLOTS: &str = "\
            SELECT slot_name::text, active FROM pg_catalog.pg_replication_slots \
            WHERE slot_name LIKE 'citus\\_shard\\_split\\_slot\\_%' AND database = pg_catalog.current_database()";
        let mut subscriptions = Vec::new();
        for row in query(source, SUBSCRIPTIONS, &[]).await? {
            subscriptions.push(column(&row, 0)?);
            let name: String = column(&row, 1)?;
            match execute(source, &format!("ALTER SUBSCRIPTION {name} DISABLE")).await {
                // Dropped in the meantime.
                Err(error) if error.code() == Some(&SqlState::UNDEFINED_OBJECT) => {}
                outcome => outcome?,
            }
        }
        for _ in 0..ATTEMPTS * 5 {
            let rows = query(source, SLOTS, &[]).await?;
            let active: Vec<bool> = rows.iter().map(|row| column(row, 1)).collect::<Result<_>>()?;
            if !active.contains(&true) {
                let slots = rows.iter().map(|row| column(row, 0)).collect::<Result<_>>()?;
                return Ok(Self { slots, subscriptions });
            }
            tokio::time::sleep(POLL).await;
        }
        let message = "another split of a shard is under way on the node, or was left there: run it again later";
        Err(Error::new(ErrorKind::Placement, message))
    }
}

/// How often the subscriptions of this split have failed; 0 where the server does not count that, before PostgreSQL 15.
async fn failures(source: &Client, earlier: &[i64]) -> Result<i64> {
    const IS_COUNTED: &str = "SELECT pg_catalog.to_regclass('pg_catalog.pg_stat_subscription_stats') IS NOT NULL";
    const FAILURES: &str = "\
        SELECT coalesce(sum(f.apply_error_count), 0)::bigint FROM pg_catalog.pg_subscription s \
        JOIN pg_catalog.pg_stat_subscription_stats f ON f.subid = s.oid \
        JOIN pg_catalog.pg_database d ON d.oid = s.subdbid AND d.datname = pg_catalog.current_database() \
        WHERE s.subname LIKE 'citus\\_shard\\_split\\_%' AND s.oid::bigint <> ALL ($1)";
    if !column::<bool>(only(&query(source, IS_COUNTED, &[]).await?)?, 0)? {
        return Ok(0);
    }
    column(only(&query(source, FAILURES, &[(&earlier as _, Type::INT8_ARRAY)]).await?)?, 0)
}

/// Gives the shards on a node the identity that their tables have, where a split before has left them another one.
pub(in crate::admin) async fn restore_identities(source: &Client) -> Result<()> {
    const CHANGED: &str = "\
        SELECT c.oid::regclass::text FROM pg_catalog.pg_dist_local_group l \
        JOIN pg_catalog.pg_dist_placement p ON p.groupid = l.groupid JOIN pg_catalog.pg_dist_shard s ON s.shardid = p.shardid \
        JOIN pg_catalog.pg_class t ON t.oid = s.logicalrelid \
        JOIN pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass(pg_catalog.shard_name(s.logicalrelid, s.shardid)) \
        WHERE c.relreplident = 'f' AND t.relreplident = 'd'";
    execute(source, HOLD).await?;
    execute(source, LOCK_TIMEOUT).await?;
    let mut failure = None;
    for _ in 0..ATTEMPTS {
        failure = None;
        for row in query(source, CHANGED, &[]).await? {
            let shard: String = column(&row, 0)?;
            match execute(source, &format!("ALTER TABLE {shard} REPLICA IDENTITY DEFAULT")).await {
                Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => failure = Some(error),
                // Dropped in the meantime: by a move, or by the clean-up after one.
                Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => {}
                outcome => outcome?,
            }
        }
        if failure.is_none() {
            return Ok(());
        }
        tokio::time::sleep(POLL * 10).await;
    }
    failure.map_or(Ok(()), |error| {
        Err(error.during("the replica identity of a shard could not be set back: run it again"))
    })
}
