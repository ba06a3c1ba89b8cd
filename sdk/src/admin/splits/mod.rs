//! One split at a time on a server.
//!
//! Where Citus splits a shard, or distributes a table, while it is written to, walsenders look up which row goes to which
//! new shard, in a place that a server has once, whatever the number of its databases (`StoreShardSplitSharedMemoryHandle`
//! in shardsplit_shared_memory.c of Citus 13.2). A second split there, of another database, puts its own into that place:
//! what is written to the first one's table meanwhile is found nowhere, and left out without a word, as is what the second
//! one frees while the first one reads it. Citus keeps splits of one database apart, and not those of two.
//!
//! So whoever splits marks the server, by a temporary replication slot: names of slots are the server's, and a temporary
//! one goes with its session. Splits that others begin by Citus' own functions are seen by the slots that they have, but
//! nothing keeps them from beginning later.

mod exchange;
mod follow;

use std::time::Duration;

pub(super) use follow::{LAST_ID, New, follow, restore_identities};

use tokio::time::Instant;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::mover::Mover;
use super::numbers;
use super::wire::{column, execute, only, query};
use crate::cluster::Core;
use crate::error::{Error, ErrorKind, Result};
use crate::random;
use crate::schema::literal;

const SET: &str = "SELECT pg_catalog.pg_create_physical_replication_slot('shardwise_splits', false, true)";
const UNSET: &str = "SELECT pg_catalog.pg_drop_replication_slot('shardwise_splits')";

/// How long others are waited for, where nothing else is said.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(200);

/// Does it when nobody else splits on the session's server, and keeps others from it until it is done. Who may make no
/// replication slots does it unmarked.
///
/// # Errors
/// The work's; or who is in the way when patience has ended.
pub(super) async fn alone<T>(session: &Client, patience: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    let since = Instant::now();
    let is_marked = loop {
        let (mark, other) = (set_mark(session).await?, other(session).await?);
        // With a mark of others and none of them, they have ended between the two.
        if other.is_none() && mark != Mark::Others {
            break mark == Mark::Own;
        }
        if mark == Mark::Own {
            execute(session, UNSET).await?;
        }
        if let Some(other) = other.filter(|_| since.elapsed() >= patience) {
            return Err(other.is_in_the_way());
        }
        tokio::time::sleep(random::jitter(POLL)).await;
    };
    if !is_marked {
        tracing::warn!(
            "the role may make no replication slots, so nothing keeps another database of the server from splitting shards at the same time, \
             by which rows would be lost: see that none does, or ALTER ROLE … REPLICATION"
        );
    }
    let done = work.await;
    if is_marked {
        let unmarked = execute(session, UNSET).await;
        // The first error is the one that tells, and the mark goes with the session.
        return done.and_then(|done| unmarked.map(|()| done));
    }
    done
}

/// Distributes a table, given as SQL text, by this statement, while it is written to. Other sessions see that nobody plans for
/// shards that are gone, and where the coordinator takes shards itself, that these follow.
pub(super) async fn distribute(
    core: Option<&Core>,
    session: &Client,
    table: &str,
    sql: &str,
    patience: Duration,
) -> Result<()> {
    const TAKES_SHARDS: &str = "SELECT EXISTS (SELECT FROM pg_catalog.pg_dist_node \
        WHERE groupid = 0 AND shouldhaveshards) OR NOT EXISTS (SELECT FROM pg_catalog.pg_dist_node)";
    let work = async {
        numbers::own(session).await?;
        let takes_shards: bool = column(only(&query(session, TAKES_SHARDS, &[]).await?)?, 0)?;
        let distribution = execute(session, sql);
        let Some(core) = core else {
            return if takes_shards { Err(alone_it_can_not()) } else { distribution.await };
        };
        let mover = Mover::told(&query(session, Mover::WHO, &[]).await?)?;
        let exchange = exchange::with_writers_waiting(core, session, &mover, (table, patience), distribution);
        if !takes_shards {
            return exchange.await;
        }
        let source = core.dedicated_to_coordinator().await?;
        let last_id = column(only(&query(source.client(), LAST_ID, &[]).await?)?, 0)?;
        let at = literal(table);
        let tables = format!(
            "SELECT pg_catalog.to_regclass({at})::oid UNION SELECT relid FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass({at}))"
        );
        let interrupt = async || {
            // Of what is lost with the connection, nothing has to be ended.
            let end = format!("ROLLBACK; SELECT pg_catalog.pg_cancel_backend({})", mover.pid);
            drop(execute(source.client(), &end).await);
        };
        follow(source.client(), &New { tables, last_id }, exchange, interrupt).await?;
        restore_identities(source.client()).await
    };
    // On the heap, for it lies deep inside of others.
    Box::pin(alone(session, patience, work)).await
}

fn alone_it_can_not() -> Error {
    let message = "the coordinator takes shards itself, where a table that is written to is distributed with the help of a second \
                   session: run it by `Cluster::admin`, which opens one";
    Error::new(ErrorKind::Unsupported, message)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Own,
    Others,
    Nobodys,
}

async fn set_mark(session: &Client) -> Result<Mark> {
    let Err(error) = execute(session, SET).await else { return Ok(Mark::Own) };
    match error.code() {
        Some(&SqlState::DUPLICATE_OBJECT) => Ok(Mark::Others),
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Ok(Mark::Nobodys),
        _ => Err(error),
    }
}

struct Other {
    slot: String,
    database: String,
    is_active: bool,
}

impl Other {
    fn is_in_the_way(&self) -> Error {
        let Self { slot, database, is_active } = self;
        let left = if *is_active {
            String::new()
        } else {
            format!("; if none is, it was left there: SELECT pg_catalog.pg_drop_replication_slot('{slot}')")
        };
        let message = format!(
            "shards are being split on this server in the database {database:?}, as its replication slot {slot} tells. Citus \
             takes one such at a time on a server: with two, rows that are written meanwhile are lost without a word. Run it \
             again when that has ended{left}"
        );
        Error::new(ErrorKind::Placement, message)
    }
}

/// Who else splits: another of ours, or another database.
async fn other(session: &Client) -> Result<Option<Other>> {
    const OTHER: &str = "\
        SELECT s.slot_name::text, coalesce(s.database, a.datname, '')::text, s.active FROM pg_catalog.pg_replication_slots s \
        LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = s.active_pid \
        WHERE s.slot_name = 'shardwise_splits' AND s.active_pid <> pg_catalog.pg_backend_pid() \
        OR s.slot_name LIKE 'citus\\_shard\\_split\\_slot\\_%' AND s.database <> pg_catalog.current_database() \
        ORDER BY s.active DESC LIMIT 1";
    let rows = query(session, OTHER, &[]).await?;
    let found = |row: &tokio_postgres::Row| {
        Ok(Other { slot: column(row, 0)?, database: column(row, 1)?, is_active: column(row, 2)? })
    };
    rows.first().map(found).transpose()
}
