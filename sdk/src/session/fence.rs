//! What stands between a BEGIN whose answer nobody has awaited yet and a statement that writes.
//!
//! BEGIN can fail and leave the session open, where somebody cancels just that; what was sent after it would then run in
//! transactions of its own, and be committed. So something is sent in between that ends the session where no transaction is
//! open: before the server reads another message.

use tokio_postgres::{Client, Error};

/// The time at which a transaction began is that of its first message. Where none is open, that is this one. It goes in the simple
/// protocol, as one message: in the extended one, "bind" and "execute" have a time each.
const FENCE: &str = "SELECT pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid()) \
                     WHERE pg_catalog.now() = pg_catalog.statement_timestamp()";

/// Sends it, when this is first polled.
pub(super) async fn put_up(client: &Client) -> Result<(), Error> {
    client.batch_execute(FENCE).await
}
