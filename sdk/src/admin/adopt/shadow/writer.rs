//! The session that writes the new side.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::lsn::Lsn;
use super::plan::Statement;
use super::spelling;
use crate::admin::desk::Desk;
use crate::admin::wire::{self, Param};
use crate::cluster::Core;
use crate::config::Mode;
use crate::error::{Error, ErrorKind, Result};

/// Neither triggers nor foreign keys fire: what they did on the old side comes by itself, and while rows are copied a row may come
/// before the one that it points at.
const AS_REPLICA: &str = "SET LOCAL session_replication_role = 'replica'";

/// It is a trigger by which Citus empties the shards of a table.
const AS_ORIGIN: &str = "SET LOCAL session_replication_role = 'origin'";

/// How many statements are on their way at once.
const ON_THE_WAY: usize = 64;

pub(super) struct Writer {
    pub(super) desk: Desk,
    mode: Mode,
    slot: String,
    is_replica: bool,
}

/// How many connections to each node a transaction on Citus may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Connections {
    /// Many tables in any order, reference tables among them, in one transaction.
    One,
    /// One table.
    Many,
}

impl Writer {
    pub(super) async fn open(core: &Core, slot: &str) -> Result<Self> {
        let (desk, mode) = (spelling::open(core).await?, core.mode());
        let is_replica = may_be_replica(&desk, mode).await?;
        Ok(Self { desk, mode, slot: slot.to_owned(), is_replica })
    }

    pub(super) fn is_citus(&self) -> bool {
        self.mode == Mode::Citus
    }

    /// Begins a transaction.
    pub(super) async fn begin(&self, connections: Connections) -> Result<()> {
        self.desk.batch("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE").await?;
        // What is told to be applied must be so after a crash as well: the old side forgets it then.
        let mut settings = vec!["SET LOCAL synchronous_commit = on".to_owned()];
        settings.extend(spelling::on_all_nodes(self.mode));
        if self.is_replica {
            settings.push(AS_REPLICA.to_owned());
        }
        match (self.mode, connections) {
            (Mode::Citus, Connections::One) => {
                settings.push("SET LOCAL citus.multi_shard_modify_mode = 'sequential'".to_owned());
            }
            (Mode::Citus, Connections::Many) => {}
            (Mode::Single | Mode::Auto, _) => settings.push("SET CONSTRAINTS ALL DEFERRED".to_owned()),
        }
        let settings: Vec<Statement> = settings.into_iter().map(Statement::plain).collect();
        self.send(&settings).await.map(drop)
    }

    /// Sends statements one behind the other; tells the rows that some of them should have found and did not.
    pub(super) async fn send(&self, statements: &[Statement]) -> Result<Vec<(usize, Vec<String>)>> {
        let [as_origin, as_replica] = [AS_ORIGIN, AS_REPLICA].map(Statement::plain);
        let mut all = Vec::with_capacity(statements.len());
        for statement in statements {
            if statement.is_truncate && self.is_replica && self.is_citus() {
                all.extend([&as_origin, statement, &as_replica]);
            } else {
                all.push(statement);
            }
        }
        let mut missed = Vec::new();
        for some in all.chunks(ON_THE_WAY) {
            let answers = self.desk.send(async { Ok(in_order(some.iter().map(|one| self.one(one))).await) }).await?;
            for (answer, statement) in answers.into_iter().zip(some) {
                // The first error is the one that tells: those behind it meet a transaction that has failed.
                let is_found = answer?;
                missed.extend(statement.finds.clone().filter(|_| !is_found));
            }
        }
        Ok(missed)
    }

    async fn one(&self, statement: &Statement) -> Result<bool> {
        let params: Vec<Param<'_>> = statement.params.iter().map(|value| (value as _, Type::TEXT)).collect();
        let rows = wire::query(self.desk.client(), &statement.sql, &params).await;
        rows.map(|rows| !rows.is_empty()).map_err(|error| error.during("write to the new side"))
    }

    /// Notes how far the new side is, and commits.
    pub(super) async fn commit(&self, applied: Lsn) -> Result<()> {
        self.note(applied).await?;
        self.desk.batch("COMMIT").await
    }

    /// Notes how far the new side is.
    pub(super) async fn note(&self, applied: Lsn) -> Result<()> {
        const NOTE: &str = "UPDATE shardwise_adopt.shadow SET applied = $2::pg_lsn WHERE slot = $1 RETURNING 1";
        let applied = applied.to_string();
        let rows = self.desk.query(NOTE, &[(&self.slot, Type::TEXT), (&applied, Type::TEXT)]).await?;
        if rows.is_empty() {
            return Err(Error::new(ErrorKind::Usage, "somebody has abandoned the shadow: begin it again"));
        }
        Ok(())
    }

    /// Rows that have to be read by their keys: they could not be written, for part of them was not known.
    pub(super) async fn owe(&self, table: &str, key: &[String]) -> Result<()> {
        const OWE: &str =
            "INSERT INTO shardwise_adopt.shadow_owed (slot, name, key) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        let params: [Param<'_>; 3] = [(&self.slot, Type::TEXT), (&table, Type::TEXT), (&key, Type::TEXT_ARRAY)];
        self.desk.query(OWE, &params).await.map(drop)
    }

    /// A transaction that reads the tables, as they are read on the old side.
    pub(super) async fn begin_reading(&self) -> Result<()> {
        self.desk.batch("BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY").await?;
        for setting in spelling::on_all_nodes(self.mode) {
            self.desk.batch(&setting).await?;
        }
        // The rows of one table are counted while the other side counts its own.
        self.desk.batch("SET LOCAL idle_in_transaction_session_timeout = '1h'").await
    }
}

/// Whether the role may keep triggers and foreign keys from firing.
pub(super) async fn may_be_replica(desk: &Desk, mode: Mode) -> Result<bool> {
    desk.batch("BEGIN").await?;
    let attempt = async {
        for setting in spelling::on_all_nodes(mode).into_iter().take(1).chain([AS_REPLICA.to_owned()]) {
            desk.batch(&setting).await?;
        }
        Ok(true)
    };
    let answer: Result<bool> = attempt.await;
    desk.batch("ROLLBACK").await?;
    match answer {
        Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Ok(false),
        answer => answer,
    }
}

/// Runs all at once, each begun behind the one before.
async fn in_order<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    enum Slot<F: Future> {
        Pending(Pin<Box<F>>),
        Ready(F::Output),
    }
    let mut slots: Vec<Option<Slot<F>>> =
        futures.into_iter().map(|future| Some(Slot::Pending(Box::pin(future)))).collect();
    poll_fn(|context| {
        let mut is_pending = false;
        for slot in &mut slots {
            if let Some(Slot::Pending(future)) = slot {
                match future.as_mut().poll(context) {
                    Poll::Ready(output) => *slot = Some(Slot::Ready(output)),
                    Poll::Pending => is_pending = true,
                }
            }
        }
        if is_pending { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    let output = |slot: Option<Slot<F>>| match slot {
        Some(Slot::Ready(output)) => Some(output),
        _ => None,
    };
    slots.into_iter().filter_map(output).collect()
}
