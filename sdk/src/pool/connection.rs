//! One connection with its prepared statements.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Statement as Prepared};

use super::statements::Statements;
use crate::entity::Statement;

/// A connection to one server.
pub(crate) struct Connection {
    client: Client,
    // The number among all that were opened to the node.
    number: usize,
    statements: Statements,
    // Of which schema its statements are, as the pool counts.
    schema: AtomicUsize,
    condemned: AtomicBool,
    forwards: Option<Arc<AtomicUsize>>,
}

impl Connection {
    pub(super) fn new(
        client: Client,
        number: usize,
        statement_cache: usize,
        forwards: Option<Arc<AtomicUsize>>,
    ) -> Self {
        let (schema, condemned) = (AtomicUsize::new(0), AtomicBool::new(false));
        Self { client, number, statements: Statements::new(statement_cache), schema, condemned, forwards }
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

    /// How many commands the server has sent to other nodes on behalf of this connection; `None` where it is not watched.
    pub(crate) fn forwards(&self) -> Option<usize> {
        self.forwards.as_ref().map(|forwards| forwards.load(Ordering::Acquire))
    }

    /// Nobody may use it any more: the pool closes it.
    pub(super) fn condemn(&self) {
        self.condemned.store(true, Ordering::Relaxed);
    }

    /// Whether it is closed, or has to be.
    pub(super) fn is_unusable(&self) -> bool {
        self.client.is_closed() || self.condemned.load(Ordering::Relaxed)
    }

    /// The prepared form of an entity's statement.
    pub(crate) async fn prepare_static(
        &self,
        statement: &'static Statement,
    ) -> Result<Prepared, tokio_postgres::Error> {
        self.statements.fixed(&self.client, statement).await
    }

    /// The prepared form of a text. Without `types` the server infers them.
    pub(crate) async fn prepare_text(&self, sql: &str, types: &[Type]) -> Result<Prepared, tokio_postgres::Error> {
        self.statements.text(&self.client, sql, types).await
    }

    /// Of which schema its statements are.
    pub(super) fn schema(&self) -> usize {
        self.schema.load(Ordering::Relaxed)
    }

    /// Forgets all statements that were prepared under an earlier schema than this.
    pub(super) fn is_under(&self, schema: usize) {
        if self.schema() != schema {
            self.schema.store(schema, Ordering::Relaxed);
            self.statements.forget_all();
        }
    }
}
