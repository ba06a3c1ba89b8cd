//! What stands between us and a server, and what that means for a session.
//!
//! A pooler in transaction mode gives each transaction another server: what is prepared or set on one is not there on the next.
//! Where the configuration does not say, it is found out: first whether anything is in between at all, by the port that the
//! server sees us come from; then whether a session stays with its server while another one is in a transaction.

use std::time::Duration;

use tokio_postgres::Client;

use crate::config::Pooler;
use crate::error::{Error, Result};

/// How long a pooler may keep somebody waiting who is to find out whether it does.
const PATIENCE: Duration = Duration::from_millis(500);

/// How often a session is asked whether it is still with its server, while another one is in a transaction.
const ROUNDS: usize = 8;
/// The same where others have all servers but those that come free: by chance it may meet the same one some times.
const MORE_ROUNDS: usize = 40;

/// Whether the server sees us come from this port of ours, and so nothing is in between. Over a Unix socket there are no ports.
pub(super) async fn is_direct(client: &Client, local_port: Option<u16>) -> Result<bool> {
    let Some(local_port) = local_port else { return Ok(true) };
    const SEEN: &str = "SELECT pg_catalog.inet_client_port()";
    let row = client.query_typed_one(SEEN, &[]).await.map_err(Error::postgres)?;
    let seen: Option<i32> = row.try_get(0).map_err(Error::postgres)?;
    Ok(seen == Some(i32::from(local_port)))
}

/// Whether two sessions that are behind something have a server each, or one for each transaction.
pub(super) async fn find_out(one: &Client, other: &Client) -> Result<Pooler> {
    one.batch_execute("SET shardwise.session = 'one'").await.map_err(Error::postgres)?;
    // It takes the server that the first one has just used, where it can have that.
    let begun = tokio::time::timeout(PATIENCE, other.batch_execute("BEGIN; SELECT 1")).await;
    let rounds = match begun {
        // All servers are taken: by the sessions that have them, or by transactions.
        Err(_) => MORE_ROUNDS,
        Ok(begun) => {
            begun.map_err(Error::postgres)?;
            ROUNDS
        }
    };
    let stays = tokio::time::timeout(PATIENCE, stays_with_its_server(one, rounds)).await;
    // Or it waits for a server, which it does not have for itself. In doubt a session has none: nothing goes wrong by that.
    let verdict = stays.unwrap_or(Ok(false)).map(|stays| if stays { Pooler::Session } else { Pooler::Transaction });
    // Nobody waits for those who do; their connections are closed.
    drop(tokio::time::timeout(PATIENCE, other.batch_execute("ROLLBACK")).await);
    drop(tokio::time::timeout(PATIENCE, one.batch_execute("RESET shardwise.session")).await);
    verdict
}

async fn stays_with_its_server(client: &Client, rounds: usize) -> Result<bool> {
    const WHO: &str = "SELECT pg_catalog.pg_backend_pid(), \
                       coalesce(pg_catalog.current_setting('shardwise.session', true), '') = 'one'";
    let mut first = None;
    for _ in 0..rounds {
        let row = client.query_typed_one(WHO, &[]).await.map_err(Error::postgres)?;
        let (pid, is_set): (i32, bool) =
            (row.try_get(0).map_err(Error::postgres)?, row.try_get(1).map_err(Error::postgres)?);
        if !is_set || *first.get_or_insert(pid) != pid {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The types that the database's owners have made, which the driver has to know of to read them.
const CUSTOM_TYPES: &str = "\
    SELECT coalesce(pg_catalog.string_agg('NULL::' || pg_catalog.format_type(k.oid, NULL), ', '), '') \
    FROM pg_catalog.pg_type t CROSS JOIN LATERAL (VALUES (t.oid), (t.typarray)) AS k (oid) JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
    LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid \
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname NOT LIKE 'citus%' \
    AND k.oid <> 0 AND t.typtype IN ('e', 'd', 'r', 'c') AND (c.oid IS NULL OR c.relkind = 'c') \
    AND pg_catalog.has_type_privilege(t.oid, 'USAGE') AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')";

/// Has the driver look up the database's own types now, in one transaction, and so on one server: later it would ask on whatever
/// server comes.
pub(super) async fn know_types(client: &Client) -> Result<()> {
    client.batch_execute("BEGIN READ ONLY").await.map_err(Error::postgres)?;
    // What other processes of ours, whose names are alike, have left there: what the driver asks with stays prepared.
    forget_names(client).await?;
    let row = client.query_typed_one(CUSTOM_TYPES, &[]).await.map_err(Error::postgres)?;
    let list: String = row.try_get(0).map_err(Error::postgres)?;
    if !list.is_empty() {
        drop(client.prepare(&format!("SELECT {list}")).await.map_err(Error::postgres)?);
    }
    forget_names(client).await?;
    client.batch_execute("COMMIT").await.map_err(Error::postgres)
}

/// Takes back what drivers have prepared on this server. (A pooler that keeps names apart has names of its own.)
async fn forget_names(client: &Client) -> Result<()> {
    const NAMES: &str = "SELECT coalesce(pg_catalog.string_agg('DEALLOCATE ' || name, '; '), '') \
                         FROM pg_catalog.pg_prepared_statements WHERE name ~ '^s[0-9]+$'";
    let row = client.query_typed_one(NAMES, &[]).await.map_err(Error::postgres)?;
    let names: String = row.try_get(0).map_err(Error::postgres)?;
    client.batch_execute(&names).await.map_err(Error::postgres)
}
