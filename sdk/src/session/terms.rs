//! What a node has to do before it runs a statement, in the statement's own transaction: vouch for the place of a shard, and
//! learn whose rows the statement is about.
//!
//! **In its region.** The node locks the shard's metadata, so that the shard can't move meanwhile, looks where the shard is,
//! and fails the transaction where that is outside. Nothing has run then, and nothing was passed on. The lock is what makes it
//! a guarantee: however old the client's topology is, and however the node's neighbours change.
//!
//! **Held to its tenant.** With row level security the policies compare each row's key with a setting. It is set for the
//! transaction alone, so that nothing stays with a connection, which may be a pooler's; where no transaction has set it, there
//! are no rows. The key is a parameter, and never part of a text.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use futures_util::future::{join3, join5};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::execute::{Effect, Hold, Job, Want, answer, within};
use crate::cluster::{Bound, Core};
use crate::config::Mode;
use crate::entity::Statement;
use crate::error::{Error, ErrorKind, Limit, Result};
use crate::key::KeyRef;
use crate::pool::{Connection, Lease};

/// Of the SDK's own tables and functions: see `schema/catalog.sql`.
static VOUCH: Statement =
    Statement { sql: "SELECT shardwise.require_placement($1, $2)", params: &[Type::INT8, Type::TEXT] };

/// On Citus, where the node may have to tell others.
static HOLD_ON_CITUS: Statement = Statement { sql: "SELECT shardwise.hold_to_tenant($1)", params: &[Type::TEXT] };

static HOLD: Statement =
    Statement { sql: "SELECT pg_catalog.set_config('shardwise.tenant', $1, true)", params: &[Type::TEXT] };

/// The tenant that statements are held to.
#[derive(Clone)]
pub(super) struct HeldTo {
    // A parameter's value: never shown.
    key: Arc<str>,
    statement: &'static Statement,
}

impl HeldTo {
    /// `None` where the database is not asked to hold anybody.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for a key that a setting can't have.
    pub(super) fn new(core: &Core, key: KeyRef<'_>) -> Result<Option<Self>> {
        if !core.config().policy.is_on() {
            return Ok(None);
        }
        let key = key.text();
        if key.is_empty() || key.contains('\0') {
            let message = "a key that is empty or holds a zero byte can't be told from none by row level security";
            return Err(Error::new(ErrorKind::Usage, message));
        }
        let statement = if core.mode() == Mode::Citus { &HOLD_ON_CITUS } else { &HOLD };
        Ok(Some(Self { key: key.into(), statement }))
    }
}

/// Runs the statement on the terms of its hold.
pub(super) async fn answer_on<W: Want>(hold: &Hold, job: &Job<'_>, sent: &AtomicBool) -> Result<W::Taken> {
    let (connection, bound) = (hold.connection(), hold.bound.as_ref());
    if !hold.is_standalone() {
        vouch(connection, bound).await?;
        return answer::<W>(connection, job, sent).await.map_err(Error::postgres);
    }
    if W::FLOWS && job.effect == Effect::Writes {
        let message = "a statement that must stay in a region, or that row level security holds to its tenant, can't write \
                       while its rows are streamed: use `query`";
        return Err(Error::new(ErrorKind::Usage, message));
    }
    // Prepared first, so that what follows is one round trip.
    prepare(connection, hold.tenant.as_ref(), bound).await?;
    job.prepare(connection).await.map_err(Error::postgres)?;
    hold.began();
    let client = connection.client();
    // Its COMMIT may never be read.
    let begin = if W::FLOWS { "BEGIN READ ONLY" } else { "BEGIN" };
    // Answers come in the order in which these are first polled.
    let all = join5(
        client.batch_execute(begin),
        tell(connection, hold.tenant.as_ref()),
        vouch(connection, bound),
        answer::<W>(connection, job, sent),
        commit::<W>(connection),
    );
    let (begun, told, vouched, taken, committed) = all.await;
    // Committed or, after an error, rolled back: it is over in any case.
    hold.ended();
    begun.map_err(Error::postgres)?;
    told?;
    vouched?;
    let taken = taken.map_err(Error::postgres)?;
    committed.map_err(Error::postgres)?;
    Ok(taken)
}

/// Begins a transaction on these terms, in one round trip. Dropped half-way, it leaves the lease to be cleaned.
pub(super) async fn begin(
    lease: &Lease,
    begin: &str,
    tenant: Option<&HeldTo>,
    bound: Option<&Bound>,
    limit: Duration,
) -> Result<()> {
    let connection = lease.connection();
    let work = async {
        prepare(connection, tenant, bound).await?;
        lease.began();
        let all = join3(connection.client().batch_execute(begin), tell(connection, tenant), vouch(connection, bound));
        let (begun, told, vouched) = all.await;
        begun.map_err(Error::postgres).and(told).and(vouched)
    };
    in_time(lease, limit, work).await
}

/// The same as [`vouch`] with a time limit. Dropped half-way, it leaves the lease to be cleaned.
pub(super) async fn vouch_in_time(lease: &Lease, bound: Option<&Bound>, limit: Duration) -> Result<()> {
    in_time(lease, limit, vouch(lease.connection(), bound)).await
}

async fn in_time(lease: &Lease, limit: Duration, work: impl Future<Output = Result<()>>) -> Result<()> {
    let work = async {
        let mark = lease.start();
        let outcome = work.await;
        mark.done();
        outcome
    };
    within(limit, work).await.unwrap_or_else(|| Err(Error::timed_out(Limit::Statement, limit)))
}

async fn prepare(connection: &Connection, tenant: Option<&HeldTo>, bound: Option<&Bound>) -> Result<()> {
    if let Some(tenant) = tenant {
        connection.prepare_static(tenant.statement).await.map_err(not_offered)?;
    }
    if bound.is_some() {
        connection.prepare_static(&VOUCH).await.map_err(not_offered)?;
    }
    Ok(())
}

/// Tells the node whose rows the transaction is about.
async fn tell(connection: &Connection, tenant: Option<&HeldTo>) -> Result<()> {
    let Some(HeldTo { key, statement }) = tenant else { return Ok(()) };
    let prepared = connection.prepare_static(statement).await.map_err(not_offered)?;
    connection.client().execute(&prepared, &[&&**key]).await.map(drop).map_err(not_offered)
}

/// Asks the node whether the shard is within its bounds, inside a transaction.
async fn vouch(connection: &Connection, bound: Option<&Bound>) -> Result<()> {
    let Some(bound) = bound else { return Ok(()) };
    let prepared = connection.prepare_static(&VOUCH).await.map_err(not_offered)?;
    let vouched = connection.client().execute(&prepared, &[&bound.shard, &bound.region.as_str()]).await;
    vouched.map(drop).map_err(not_offered)
}

/// A database without the functions keeps no promise.
fn not_offered(error: tokio_postgres::Error) -> Error {
    let is_missing = matches!(error.code(), Some(code) if *code == SqlState::UNDEFINED_FUNCTION || *code == SqlState::INVALID_SCHEMA_NAME);
    let error = Error::postgres(error);
    if is_missing {
        error.during("strict residency and row level security need the SDK's functions: apply the schema once")
    } else {
        error
    }
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
