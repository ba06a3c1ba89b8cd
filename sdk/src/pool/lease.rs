//! A connection in use, and what happens to it when its user goes away in the middle of something.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};

use bb8::PooledConnection;
use tracing::debug;

use super::KeptTurn;
use super::connect::Connector;
use super::connection::Connection;
use super::manager::Manager;
use crate::error::{Error, Limit, Result};
use crate::metrics::Meters;
use crate::topology::Node;

/// A connection that one task has for itself.
///
/// Dropped clean, it goes back to the pool. Dropped while a statement runs or a transaction is open (a cancelled
/// future, a panic, a time limit), it is cleaned first, in the background: the statement is cancelled on the server,
/// its reply read, the transaction rolled back. Only then does the next task get it. If that fails, it is closed.
pub struct Lease {
    // Taken out by Drop alone.
    held: Option<Held>,
    connector: Connector,
    in_flight: AtomicUsize,
    abandoned: AtomicBool,
    session: AtomicU8,
}

struct Held {
    connection: PooledConnection<'static, Manager>,
    // Given back after the connection: fields drop in this order.
    _turn: KeptTurn,
}

/// What the server's session holds besides the connection.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Session {
    Clean = 0,
    Transaction = 1,
    // Settings, temporary tables, listens: raw SQL may have made any of them.
    Unknown = 2,
}

impl Lease {
    pub(super) fn new(connection: PooledConnection<'static, Manager>, connector: Connector, turn: KeptTurn) -> Self {
        Self {
            held: Some(Held { connection, _turn: turn }),
            connector,
            in_flight: AtomicUsize::new(0),
            abandoned: AtomicBool::new(false),
            session: AtomicU8::new(Session::Clean as u8),
        }
    }

    /// The connection.
    pub(crate) fn connection(&self) -> &Connection {
        match &self.held {
            Some(held) => &held.connection,
            // Drop has `&mut self`: nobody can ask any more.
            None => unreachable!("a lease holds its connection until it is dropped"),
        }
    }

    /// The node it leads to.
    pub(crate) fn node(&self) -> &Node {
        self.connector.node()
    }

    /// What is counted and timed of the node.
    pub(crate) fn meters(&self) -> &Arc<Meters> {
        self.connector.meters()
    }

    /// An error that was met on it, with what this knows of it: the node, and why the connection broke.
    pub(crate) fn explain(&self, error: Error) -> Error {
        self.connection().explain(error).on(self.node())
    }

    /// Says that a statement starts. Whoever drops the mark before [`InFlight::done`] leaves the lease to be cleaned.
    pub(crate) fn start(&self) -> InFlight<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight { lease: self, done: false }
    }

    /// Whether a statement runs, or was left running.
    pub(crate) fn is_busy(&self) -> bool {
        self.in_flight.load(Ordering::Relaxed) > 0 || self.abandoned.load(Ordering::Relaxed)
    }

    /// Says that a reply will not be read to its end.
    pub(crate) fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }

    /// Says that the connection is in a transaction from now on, until [`ended`](Self::ended).
    pub(crate) fn began(&self) {
        // What was in doubt before was told with an error, or is none of this one's.
        let _before = self.connection().take_doubt();
        self.session.fetch_max(Session::Transaction as u8, Ordering::Relaxed);
    }

    /// Has the connection closed in place of given back. So after a COPY that the server did not start: the driver ends its side
    /// of it with one message more than the server answers to, and the next answer would be another one's.
    pub(crate) fn condemn(&self) {
        self.connection().condemn();
    }

    /// Whether a transaction is open, as far as was told.
    pub(crate) fn is_in_transaction(&self) -> bool {
        self.session.load(Ordering::Relaxed) == Session::Transaction as u8
    }

    /// Whether a statement ran which may have changed the server's session.
    pub(crate) fn has_session_state(&self) -> bool {
        self.session.load(Ordering::Relaxed) == Session::Unknown as u8
    }

    /// Says that the server has ended the transaction.
    pub(crate) fn ended(&self) {
        let (from, to) = (Session::Transaction as u8, Session::Clean as u8);
        // A session in an unknown state stays so.
        let _unchanged = self.session.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed);
    }

    pub(super) fn connector(&self) -> &Connector {
        &self.connector
    }

    /// Says that a statement ran which may have changed the server's session: it is reset before its next user.
    pub(crate) fn may_have_session_state(&self) {
        self.session.store(Session::Unknown as u8, Ordering::Relaxed);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(held) = self.held.take() else { return };
        let abandoned = *self.abandoned.get_mut() || *self.in_flight.get_mut() > 0;
        let session = *self.session.get_mut();
        if (!abandoned && session == Session::Clean as u8) || held.connection.client().is_closed() {
            return;
        }
        let connector = self.connector.clone();
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            // Nothing can clean it: the server rolls back when the socket closes.
            held.connection.condemn();
            return;
        };
        runtime.spawn(async move {
            if let Err(error) = clean(&held.connection, &connector, abandoned, session == Session::Unknown as u8).await
            {
                debug!(%error, node = %connector.node(), "a connection could not be cleaned and is closed");
                held.connection.condemn();
            }
        });
    }
}

async fn clean(connection: &Connection, connector: &Connector, abandoned: bool, reset: bool) -> Result<()> {
    // Not through a pooler that gives each transaction another server: PgBouncer 1.18 ends itself ("bad client state") when a client
    // goes away while its cancel request is on its way. There the server's own limit ends the statement.
    if abandoned && !connection.is_pooled() {
        connector.cancel(connection).await?;
    }
    // Answered after whatever is still in the pipe. Without a transaction it only warns.
    // Whatever was set on a server behind a pooler is another one's by now.
    let sql = if reset && !connection.is_pooled() { RESET } else { "ROLLBACK" };
    let answer = connection.client().batch_execute(sql);
    match tokio::time::timeout(CLEANING, answer).await {
        Ok(result) => result.map_err(Error::postgres),
        Err(_) => Err(Error::timed_out(Limit::Statement, CLEANING)),
    }
}

/// How long the server may take to end a cancelled statement.
const CLEANING: std::time::Duration = std::time::Duration::from_secs(10);

/// `DISCARD ALL` without the prepared statements, which we know of and keep.
const RESET: &str = "ROLLBACK; RESET ALL; RESET SESSION AUTHORIZATION; CLOSE ALL; UNLISTEN *; \
                     SELECT pg_catalog.pg_advisory_unlock_all(); DISCARD SEQUENCES; DISCARD TEMP";

/// A statement under way on a lease.
#[must_use = "dropping it means that the statement was abandoned"]
pub(crate) struct InFlight<'a> {
    lease: &'a Lease,
    done: bool,
}

impl InFlight<'_> {
    /// The server's whole answer was read.
    pub(crate) fn done(mut self) {
        self.done = true;
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.lease.in_flight.fetch_sub(1, Ordering::Relaxed);
        if !self.done {
            self.lease.abandon();
        }
    }
}
