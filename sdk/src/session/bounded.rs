//! Statements that must not leave a region. The node vouches for it in the statement's own transaction: it locks the
//! shard's metadata, so that the shard can't move meanwhile, looks where the shard is, and fails the transaction where that
//! is outside. Nothing has run then, and nothing was passed on.
//!
//! The lock is what makes it a guarantee: however old the client's topology is, and however the node's neighbours change.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use futures_util::future::join4;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::execute::{Effect, Hold, Job, Want, answer, within};
use crate::cluster::Bound;
use crate::entity::Statement;
use crate::error::{Error, ErrorKind, Limit, Result};
use crate::pool::{Connection, Lease};

/// Of the SDK's own tables and functions: see `schema/catalog.sql`.
static VOUCH: Statement =
    Statement { sql: "SELECT shardwise.require_placement($1, $2)", params: &[Type::INT8, Type::TEXT] };

/// Runs the statement if the shard lies within its bounds.
pub(super) async fn answer_within<W: Want>(
    hold: &Hold,
    bound: &Bound,
    job: &Job<'_>,
    sent: &AtomicBool,
) -> Result<W::Taken> {
    let connection = hold.connection();
    if !hold.is_standalone() {
        vouch(connection, bound).await?;
        return answer::<W>(connection, job, sent).await.map_err(Error::postgres);
    }
    if W::FLOWS && job.effect == Effect::Writes {
        let message = "a statement that must stay in a region can't write while its rows are streamed: use `query`";
        return Err(Error::new(ErrorKind::Usage, message));
    }
    // Prepared first, so that what follows is one round trip.
    connection.prepare_static(&VOUCH).await.map_err(Error::postgres)?;
    job.prepare(connection).await.map_err(Error::postgres)?;
    hold.began();
    let client = connection.client();
    // Its COMMIT may never be read.
    let begin = if W::FLOWS { "BEGIN READ ONLY" } else { "BEGIN" };
    // Answers come in the order in which these are first polled.
    let all = join4(
        client.batch_execute(begin),
        vouch(connection, bound),
        answer::<W>(connection, job, sent),
        commit::<W>(connection),
    );
    let (begun, vouched, taken, committed) = all.await;
    // Committed or, after an error, rolled back: it is over in any case.
    hold.ended();
    begun.map_err(Error::postgres)?;
    vouched?;
    let taken = taken.map_err(Error::postgres)?;
    committed.map_err(Error::postgres)?;
    Ok(taken)
}

/// The same as [`vouch`] with a time limit. Dropped half-way, it leaves the lease to be cleaned.
pub(super) async fn vouch_in_time(lease: &Lease, bound: &Bound, limit: Duration) -> Result<()> {
    let vouched = async {
        let mark = lease.start();
        let vouched = vouch(lease.connection(), bound).await;
        mark.done();
        vouched
    };
    within(limit, vouched).await.unwrap_or_else(|| Err(Error::timed_out(Limit::Statement, limit)))
}

/// Asks the node whether the shard is within its bounds, inside a transaction.
async fn vouch(connection: &Connection, bound: &Bound) -> Result<()> {
    let prepared = connection.prepare_static(&VOUCH).await.map_err(not_vouched)?;
    connection.client().execute(&prepared, &[&bound.shard, &bound.region.as_str()]).await.map(drop).map_err(not_vouched)
}

/// A database without the function keeps no promise.
fn not_vouched(error: tokio_postgres::Error) -> Error {
    let is_missing = matches!(error.code(), Some(code) if *code == SqlState::UNDEFINED_FUNCTION || *code == SqlState::INVALID_SCHEMA_NAME);
    let error = Error::postgres(error);
    if is_missing { error.during("strict residency needs the SDK's functions: apply the schema once") } else { error }
}

async fn commit<W: Want>(connection: &Connection) -> Result<(), tokio_postgres::Error> {
    let mut commit = std::pin::pin!(connection.client().batch_execute("COMMIT"));
    if !W::FLOWS {
        return commit.await;
    }
    // Its answer comes after the last row. It is sent now, and nobody waits for it: what only reads has nothing to lose.
    drop(futures_util::poll!(commit.as_mut()));
    Ok(())
}
