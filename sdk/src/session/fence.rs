//! What stands between a BEGIN whose answer nobody has awaited yet and a statement that writes.
//!
//! BEGIN can fail and leave the session open, where somebody cancels just that; what was sent after it would then run in
//! transactions of its own, and be committed. So something is sent in between that ends the session where no transaction is open.
//! The time at which a transaction began is that of its first statement; where there is none, it is this statement's own.

use tokio_postgres::{Client, Error, Statement as Prepared};

use crate::entity::Statement;
use crate::pool::Connection;

static FENCE: Statement = Statement {
    sql: "SELECT pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid()) \
          WHERE pg_catalog.now() = pg_catalog.statement_timestamp()",
    params: &[],
};

/// Ready to be sent.
pub(super) struct Fence<'a> {
    client: &'a Client,
    statement: Prepared,
}

impl<'a> Fence<'a> {
    pub(super) async fn prepared(connection: &'a Connection) -> Result<Self, Error> {
        Ok(Self { client: connection.client(), statement: connection.prepare_static(&FENCE).await? })
    }

    /// Sends it, when this is first polled.
    pub(super) async fn put_up(&self) -> Result<(), Error> {
        self.client.execute(&self.statement, &[]).await.map(drop)
    }
}
