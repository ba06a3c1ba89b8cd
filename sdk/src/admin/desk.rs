//! A session on the coordinator for work that takes long.
//!
//! It has no time limits. When the future that uses it is dropped, what runs on the server is cancelled and its
//! transaction rolled back; when this process dies, the server finds out by looking after the connection.
//!
//! It is a connection of its own that nobody uses after, and not one of the pool's: a session in which a move of a
//! shard was cancelled brings down the whole server when it splits one later (seen with Citus 13.2).

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};
use tracing::debug;

use super::steps::Steps;
use super::wire::{self, Param, column, only};
use crate::cluster::Core;
use crate::error::{Error, Result};
use crate::pool::{Connection, NodePool};

const SETTINGS: &str = "\
    SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = '60s'; \
    SELECT pg_catalog.set_config(name, '5s', false) FROM pg_catalog.pg_settings \
    WHERE name = 'client_connection_check_interval'";

pub(in crate::admin) struct Desk {
    // Taken out by Drop alone.
    connection: Option<Connection>,
    pool: NodePool,
    is_busy: AtomicBool,
}

impl Desk {
    pub(in crate::admin) async fn open(core: &Core) -> Result<Self> {
        let pool = core.coordinator_pool()?;
        let desk = Self { connection: Some(pool.dedicated().await?), pool, is_busy: AtomicBool::new(false) };
        desk.batch(SETTINGS).await?;
        Ok(desk)
    }

    /// Waits until nobody else does what this advisory lock is for, and keeps others from it for as long as this lives. It
    /// belongs to the session, so that it is lost with the work that it protects, and not before.
    pub(in crate::admin) async fn take_turn(&self, lock: i64, waiting: &str, steps: &mut Steps<'_>) -> Result<()> {
        if !self.try_turn(lock).await? {
            steps.aside(waiting);
            self.query("SELECT pg_catalog.pg_advisory_lock($1)", &[(&lock, Type::INT8)]).await?;
        }
        Ok(())
    }

    /// Whether nobody else does it; then others are kept from it.
    pub(in crate::admin) async fn try_turn(&self, lock: i64) -> Result<bool> {
        let taken = self.query("SELECT pg_catalog.pg_try_advisory_lock($1)", &[(&lock, Type::INT8)]).await?;
        column(only(&taken)?, 0)
    }

    /// Lets others do it.
    pub(in crate::admin) async fn end_turn(&self, lock: i64) -> Result<()> {
        self.query("SELECT pg_catalog.pg_advisory_unlock($1)", &[(&lock, Type::INT8)]).await.map(drop)
    }

    pub(in crate::admin) async fn query(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>> {
        self.send(wire::query(self.client(), sql, params)).await
    }

    /// Several statements without parameters, in one transaction where none is open.
    pub(in crate::admin) async fn batch(&self, sql: &str) -> Result<()> {
        self.send(wire::execute(self.client(), sql)).await
    }

    /// Runs the work in a transaction, which ends with it: well or not at all.
    pub(in crate::admin) async fn transaction<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        // Whatever the role's defaults are.
        self.batch("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE").await?;
        match work.await {
            Ok(done) => {
                // Broken off here, the server may have committed. Asked to, it may still have refused.
                let unknown = |error: Error| if error.code().is_some() { error } else { error.with_unknown_outcome() };
                self.batch("COMMIT").await.map_err(unknown)?;
                Ok(done)
            }
            Err(error) => {
                // The first error is the one that tells.
                drop(self.batch("ROLLBACK").await);
                Err(error)
            }
        }
    }

    /// Cancels a query whose future was dropped, so that the next one is answered.
    pub(in crate::admin) async fn interrupt(&self) {
        if let Some(connection) = &self.connection
            && let Err(error) = self.pool.cancel(connection).await
        {
            debug!(%error, node = %self.pool.node(), "what runs on the coordinator could not be cancelled");
        }
    }

    /// Has these nodes run a query each, which answers with one value, all at once and outside of this session's
    /// transaction. The coordinator passes them on: a node may be out of this client's reach. Answers come in order; an
    /// error of a node is told as text.
    pub(in crate::admin) async fn on_nodes(
        &self,
        commands: &[(Address, String)],
    ) -> Result<Vec<Result<String, String>>> {
        const RUN: &str = "SELECT success, result FROM pg_catalog.master_run_on_worker($1, $2, $3, true)";
        let hosts: Vec<&str> = commands.iter().map(|((host, _), _)| host.as_str()).collect();
        let ports: Vec<i32> = commands.iter().map(|((_, port), _)| *port).collect();
        let texts: Vec<&str> = commands.iter().map(|(_, text)| text.as_str()).collect();
        let params: [Param<'_>; 3] =
            [(&hosts, Type::TEXT_ARRAY), (&ports, Type::INT4_ARRAY), (&texts, Type::TEXT_ARRAY)];
        let rows = self.query(RUN, &params).await?;
        let answer = |row: &Row| {
            let (success, result): (bool, Option<String>) = (column(row, 0)?, column(row, 1)?);
            let result = result.unwrap_or_default();
            Ok(if success { Ok(result) } else { Err(result) })
        };
        rows.iter().map(answer).collect()
    }

    /// Work of several statements on its [`client`](Self::client).
    pub(in crate::admin) async fn send<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        self.is_busy.store(true, Ordering::Relaxed);
        let answer = work.await;
        self.is_busy.store(false, Ordering::Relaxed);
        answer.map_err(|error| error.on(self.pool.node()))
    }

    pub(in crate::admin) fn client(&self) -> &Client {
        match &self.connection {
            Some(connection) => connection.client(),
            // Drop has `&mut self`: nobody can ask any more.
            None => unreachable!("a desk holds its connection until it is dropped"),
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let (Some(connection), true) = (self.connection.take(), *self.is_busy.get_mut()) else { return };
        let pool = self.pool.clone();
        // Without a runtime nothing can be sent any more, and the server notices by itself.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = pool.cancel(&connection).await {
                    debug!(%error, node = %pool.node(), "what was begun on the coordinator could not be cancelled");
                }
            });
        }
    }
}

/// Host and port of a node, as the nodes address each other.
pub(in crate::admin) type Address = (String, i32);
