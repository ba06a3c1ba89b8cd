//! Has the old side take no more writes: first for as long as a transaction holds its tables, and from its end on for good.
//!
//! In that transaction a trigger is made on each table, which refuses what writes. It counts from the moment in which the locks are given
//! back, so that there is none in which a write could come through; and where this process dies before, neither locks nor triggers are left.

use std::time::{Duration, Instant};

use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::table::Table;
use crate::admin::desk::Desk;
use crate::admin::wire::column;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::quote_ident;

/// Before those of others: triggers run in the order of their names.
const TRIGGER: &str = "\"00_shardwise_closed\"";

/// What refuses. 25006 is what a standby tells, so that whoever looks for the primary looks again.
const FUNCTION: &str = "\
    CREATE SCHEMA IF NOT EXISTS shardwise_adopt;\
    CREATE OR REPLACE FUNCTION shardwise_adopt.closed() RETURNS trigger LANGUAGE plpgsql AS $body$\
    BEGIN RAISE EXCEPTION USING ERRCODE = '25006', \
    MESSAGE = 'cannot write to ' || TG_TABLE_NAME || ': it has moved to another cluster', \
    HINT = 'Connect to the new cluster.'; END $body$;\
    REVOKE ALL ON FUNCTION shardwise_adopt.closed() FROM PUBLIC;\
    GRANT USAGE ON SCHEMA shardwise_adopt TO PUBLIC";

/// The locks, in a transaction that is open.
pub(super) struct Closing {
    pub(super) began: Instant,
    /// How often they were not given in time.
    pub(super) attempts: u32,
    relations: Vec<String>,
}

/// Takes the locks, within `timeout` each time, and so that whoever waits behind waits no longer than that.
pub(super) async fn lock(gate: &Desk, tables: &[Table], timeout: Duration, patience: Duration) -> Result<Closing> {
    gate.batch(FUNCTION).await?;
    let relations = relations(gate, tables).await?;
    // Below the tables of which they are partitions, these are locked with them.
    let roots: Vec<&str> = tables.iter().map(|table| table.at.as_str()).collect();
    let lock = format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", roots.join(", "));
    let begin = format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = '{}ms'; \
         SET LOCAL idle_in_transaction_session_timeout = '60s'; SET LOCAL synchronous_commit = local",
        timeout.as_millis().max(1)
    );
    let (since, mut attempts) = (Instant::now(), 0);
    loop {
        gate.batch(&begin).await?;
        let began = Instant::now();
        let Err(error) = gate.batch(&lock).await else {
            return Ok(Closing { began, attempts, relations });
        };
        gate.batch("ROLLBACK").await?;
        let code = error.code();
        if ![Some(&SqlState::LOCK_NOT_AVAILABLE), Some(&SqlState::T_R_DEADLOCK_DETECTED)].contains(&code) {
            return Err(error);
        }
        attempts += 1;
        if since.elapsed() > patience {
            let message = format!(
                "transactions that write to the tables do not end: after {attempts} attempts in {patience:?} nothing is changed, and the \
                 old side takes writes as before; run it again when they have"
            );
            return Err(Error::new(ErrorKind::Schema, message));
        }
        // Those who waited come first.
        tokio::time::sleep(crate::random::jitter(timeout * 2)).await;
    }
}

impl Closing {
    /// Closes the tables for good, and gives the locks back.
    pub(super) async fn close(&self, gate: &Desk) -> Result<()> {
        let one = |at: &String| {
            format!(
                "DROP TRIGGER IF EXISTS {TRIGGER} ON {at}; CREATE TRIGGER {TRIGGER} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {at} \
                 FOR EACH STATEMENT EXECUTE FUNCTION shardwise_adopt.closed(); ALTER TABLE {at} ENABLE ALWAYS TRIGGER {TRIGGER};"
            )
        };
        // What it says of triggers that are not there is of no interest.
        gate.batch(&format!(
            "SET LOCAL client_min_messages = warning; {}",
            self.relations.iter().map(one).collect::<String>()
        ))
        .await?;
        gate.batch("COMMIT")
            .await
            .map_err(|error| if error.code().is_some() { error } else { error.with_unknown_outcome() })
    }
}

/// Lets the tables be written again.
pub(super) async fn open(gate: &Desk, tables: &[Table]) -> Result<()> {
    let relations = relations(gate, tables).await?;
    let one = |at: &String| format!("DROP TRIGGER IF EXISTS {TRIGGER} ON {at};");
    let statements: String = relations.iter().map(one).collect();
    // Nobody waits behind these locks: whoever writes is refused.
    gate.batch(&format!(
        "SET client_min_messages = warning; BEGIN; {statements} DROP FUNCTION IF EXISTS shardwise_adopt.closed(); COMMIT"
    ))
    .await
}

/// The tables and their partitions, as SQL text.
async fn relations(gate: &Desk, tables: &[Table]) -> Result<Vec<String>> {
    const TREE: &str = "\
        WITH RECURSIVE tree AS (\
            SELECT c.oid, c.relkind FROM pg_catalog.unnest($1) AS wanted JOIN pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass(wanted) \
            UNION SELECT p.oid, p.relkind FROM tree JOIN pg_catalog.pg_inherits h ON h.inhparent = tree.oid \
            JOIN pg_catalog.pg_class p ON p.oid = h.inhrelid WHERE tree.relkind = 'p') \
        SELECT n.nspname, c.relname FROM tree JOIN pg_catalog.pg_class c USING (oid) \
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') ORDER BY c.oid";
    let names: Vec<&str> = tables.iter().map(|table| table.at.as_str()).collect();
    let rows = gate.query(TREE, &[(&names, Type::TEXT_ARRAY)]).await?;
    let name = |row: &tokio_postgres::Row| {
        Ok(format!("{}.{}", quote_ident(&column::<String>(row, 0)?), quote_ident(&column::<String>(row, 1)?)))
    };
    rows.iter().map(name).collect()
}
