//! Has the old side take no more writes: first for as long as a transaction holds its tables, and from its end on for good.
//!
//! In that transaction a trigger is made on each table, which refuses what writes. It counts from the moment in which the locks are given
//! back, so that there is none in which a write could come through; and where this process dies before, neither locks nor triggers are left.

use std::time::{Duration, Instant};

use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::table::Table;
use crate::admin::batch::is_worth_another_try;
use crate::admin::desk::Desk;
use crate::admin::wire::column;
use crate::error::Result;
use crate::schema::{literal, quote_ident};

/// Before those of others: triggers run in the order of their names.
const TRIGGER: &str = "00_shardwise_closed";
/// Whoever comes later waits behind for no longer.
const LOCKING: Duration = Duration::from_millis(400);

/// What refuses. 25006 is what a standby tells, so that whoever looks for the primary looks again.
const REFUSE: &str = "RAISE EXCEPTION USING ERRCODE = '25006', \
    MESSAGE = 'cannot write to ' || TG_TABLE_NAME || ': it has moved to another cluster', HINT = 'Connect to the new cluster.'";
const LET_THROUGH: &str = "RETURN NULL";

fn function(does: &str) -> String {
    format!(
        "CREATE SCHEMA IF NOT EXISTS shardwise_adopt; \
         CREATE OR REPLACE FUNCTION shardwise_adopt.closed() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN {does}; END $body$; \
         REVOKE ALL ON FUNCTION shardwise_adopt.closed() FROM PUBLIC; GRANT USAGE ON SCHEMA shardwise_adopt TO PUBLIC"
    )
}

/// What is locked, and for how long that is waited for at once: whoever waits behind waits no longer than that.
pub(super) struct Gates {
    begin: String,
    lock: String,
    relations: Vec<String>,
}

/// The locks, in a transaction that is open.
pub(super) struct Closing {
    /// When they were asked for.
    pub(super) began: Instant,
    /// How often they were not given in time.
    pub(super) attempts: u32,
    relations: Vec<String>,
}

impl Gates {
    pub(super) async fn of(gate: &Desk, tables: &[Table], timeout: Duration) -> Result<Self> {
        gate.batch(&function(REFUSE)).await?;
        // Partitions are locked with their tables.
        let roots: Vec<&str> = tables.iter().map(|table| table.at.as_str()).collect();
        let lock =
            format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE; SET LOCAL statement_timeout = 0", roots.join(", "));
        // Not for each table, but for all of them.
        let begin = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL idle_in_transaction_session_timeout = '60s'; \
             SET LOCAL synchronous_commit = local; SET LOCAL statement_timeout = '{}ms'",
            timeout.as_millis().max(1)
        );
        Ok(Self { begin, lock, relations: relations(gate, tables).await? })
    }

    /// Begins a transaction that has the locks, where they are given; then since when they were asked for.
    pub(super) async fn try_lock(&self, gate: &Desk) -> Result<Option<Instant>> {
        gate.batch(&self.begin).await?;
        let began = Instant::now();
        let Err(error) = gate.batch(&self.lock).await else { return Ok(Some(began)) };
        gate.batch("ROLLBACK").await?;
        let is_late = error.is_cancellation() || error.code() == Some(&SqlState::T_R_DEADLOCK_DETECTED);
        if is_late { Ok(None) } else { Err(error) }
    }

    pub(super) fn closing(self, began: Instant, attempts: u32) -> Closing {
        Closing { began, attempts, relations: self.relations }
    }
}

impl Closing {
    /// Closes the tables for good, and gives the locks back.
    pub(super) async fn close(&self, gate: &Desk) -> Result<()> {
        // One that broke off may have left some, which can't be dropped without waiting for everybody who reads.
        let one = |at: &String| {
            format!(
                "IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = {}::regclass AND tgname = '{TRIGGER}') THEN \
                 CREATE TRIGGER \"{TRIGGER}\" BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {at} \
                 FOR EACH STATEMENT EXECUTE FUNCTION shardwise_adopt.closed(); END IF; \
                 ALTER TABLE {at} ENABLE ALWAYS TRIGGER \"{TRIGGER}\"; ",
                literal(at)
            )
        };
        let all: String = self.relations.iter().map(one).collect();
        gate.batch(&format!("DO {}", literal(&format!("BEGIN {all}END")))).await?;
        gate.batch("COMMIT")
            .await
            .map_err(|error| if error.code().is_some() { error } else { error.with_unknown_outcome() })
    }
}

/// Lets the tables be written again: at once, and then takes what had refused away, table by table, for which nobody who reads for long is
/// waited for in line.
pub(super) async fn open(gate: &Desk, tables: &[Table]) -> Result<()> {
    gate.batch(&function(LET_THROUGH)).await?;
    for at in relations(gate, tables).await? {
        let drop = format!(
            "SET LOCAL client_min_messages = warning; SET LOCAL lock_timeout = '{}ms'; DROP TRIGGER IF EXISTS \"{TRIGGER}\" ON {at}",
            LOCKING.as_millis()
        );
        while let Err(error) = gate.transaction(gate.batch(&drop)).await {
            if !is_worth_another_try(&error) {
                return Err(error);
            }
            tokio::time::sleep(crate::random::jitter(LOCKING * 2)).await;
        }
    }
    // A partition that was detached since may have it still, which then lets all through.
    match gate.batch("SET client_min_messages = warning; DROP FUNCTION IF EXISTS shardwise_adopt.closed()").await {
        Err(error) if error.code() != Some(&SqlState::DEPENDENT_OBJECTS_STILL_EXIST) => Err(error),
        _ => Ok(()),
    }
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
