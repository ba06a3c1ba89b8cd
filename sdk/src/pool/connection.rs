//! One connection with its prepared statements.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::prepared::Prepared;
use super::statements::{Inferred, Statements};
use crate::entity::Statement;
use crate::error::Error;

/// A connection to one server.
pub(crate) struct Connection {
    client: Client,
    // At which of the node's hosts it is.
    host: usize,
    // The number among all that were opened to the node.
    number: usize,
    statements: Statements,
    // What is shared by all connections whose server changes with each transaction.
    inferred: Option<Arc<Inferred>>,
    // Of which schema its statements are, as the pool counts.
    schema: AtomicUsize,
    condemned: AtomicBool,
    heard: Arc<Heard>,
}

/// What the server says beside its answers, and before each of them.
pub(super) struct Heard {
    /// Commands that it sent to other nodes; `None` where it is not asked to tell.
    pub(super) forwards: Option<AtomicUsize>,
    /// Whether it could not commit on another node, and answered the COMMIT all the same.
    pub(super) is_in_doubt: AtomicBool,
    /// Why the connection ended: whoever waits for an answer is told that it did, and no more.
    pub(super) end: OnceLock<Error>,
}

impl Heard {
    pub(super) fn new(is_watched: bool) -> Self {
        let forwards = is_watched.then(|| AtomicUsize::new(0));
        Self { forwards, is_in_doubt: AtomicBool::new(false), end: OnceLock::new() }
    }
}

impl Connection {
    pub(super) fn new(
        client: Client,
        host: usize,
        number: usize,
        statement_cache: usize,
        heard: Arc<Heard>,
        inferred: Option<Arc<Inferred>>,
    ) -> Self {
        let (schema, condemned) = (AtomicUsize::new(0), AtomicBool::new(false));
        Self { client, host, number, statements: Statements::new(statement_cache), inferred, schema, condemned, heard }
    }

    pub(super) fn host(&self) -> usize {
        self.host
    }

    pub(super) fn number(&self) -> usize {
        self.number
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// For what tokio-postgres wants exclusively: its own transactions.
    pub(crate) fn client_mut(&mut self) -> &mut Client {
        &mut self.client
    }

    /// Whether the COMMIT that was just answered may not have taken effect. Asked once for each.
    pub(crate) fn take_doubt(&self) -> bool {
        self.heard.is_in_doubt.swap(false, Ordering::AcqRel)
    }

    /// An error that was met on this connection, with the reason if it is that the connection broke.
    pub(super) fn explain(&self, error: Error) -> Error {
        match self.heard.end.get() {
            Some(end) => error.ended_by(end),
            None => error,
        }
    }

    /// How many commands the server has sent to other nodes on behalf of this connection; `None` where it is not watched.
    pub(crate) fn forwards(&self) -> Option<usize> {
        self.heard.forwards.as_ref().map(|forwards| forwards.load(Ordering::Acquire))
    }

    /// Nobody may use it any more: the pool closes it.
    pub(super) fn condemn(&self) {
        self.condemned.store(true, Ordering::Relaxed);
    }

    /// Whether it is closed, or has to be.
    pub(super) fn is_unusable(&self) -> bool {
        self.client.is_closed() || self.condemned.load(Ordering::Relaxed)
    }

    /// Whether its server may be another one after each transaction.
    pub(crate) fn is_pooled(&self) -> bool {
        self.inferred.is_some()
    }

    /// An entity's statement, ready to be sent.
    pub(crate) async fn prepare_static(
        &self,
        statement: &'static Statement,
    ) -> Result<Prepared<'static>, tokio_postgres::Error> {
        match &self.inferred {
            None => self.statements.fixed(&self.client, statement).await.map(Prepared::Named),
            Some(_) => Ok(Prepared::typed(statement.sql, statement.params)),
        }
    }

    /// A text, ready to be sent, whose parameters have these types.
    pub(crate) async fn prepare_text<'a>(
        &self,
        sql: &'a str,
        types: &'a [Type],
    ) -> Result<Prepared<'a>, tokio_postgres::Error> {
        match &self.inferred {
            None => self.statements.text(&self.client, sql, types).await.map(Prepared::Named),
            Some(_) => Ok(Prepared::typed(sql, types)),
        }
    }

    /// The same, and the server infers the types of so many parameters. `alone` says that no transaction is open.
    pub(crate) async fn prepare_untyped<'a>(
        &self,
        sql: &'a str,
        params: usize,
        alone: bool,
    ) -> Result<Prepared<'a>, tokio_postgres::Error> {
        match &self.inferred {
            None => self.statements.text(&self.client, sql, &[]).await.map(Prepared::Named),
            Some(_) if params == 0 => Ok(Prepared::typed(sql, &[])),
            Some(inferred) => match inferred.known(sql) {
                Some(known) => Ok(known),
                None => inferred.learn(&self.client, sql, alone).await,
            },
        }
    }

    /// Of which schema its statements are.
    pub(super) fn schema(&self) -> usize {
        self.schema.load(Ordering::Relaxed)
    }

    /// It was opened under this schema.
    pub(super) fn begins_under(&self, schema: usize) {
        self.schema.store(schema, Ordering::Relaxed);
    }

    /// Forgets all statements that were prepared under an earlier schema than this.
    pub(super) fn is_under(&self, schema: usize) {
        if self.schema() != schema {
            self.schema.store(schema, Ordering::Relaxed);
            self.statements.forget_all();
            self.inferred.iter().for_each(|inferred| inferred.forget_all());
        }
    }
}
