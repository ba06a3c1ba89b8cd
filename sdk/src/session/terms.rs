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

use std::borrow::Cow;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::{OptionFuture, join, join3, join5};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::execute::{answer, send, within};
use super::executor::Hold;
use super::fence;
use super::job::{Effect, Job, Text, Want};
use super::written::{self, Seen};
use crate::cluster::{Bound, Core};
use crate::config::Mode;
use crate::entity::Statement as Fixed;
use crate::error::{Error, ErrorKind, Result};
use crate::key::KeyRef;
use crate::pool::{Connection, Lease, Prepared, UnderWay};
use crate::route::Route;

/// Of the SDK's own tables and functions: see `schema/catalog.sql`.
static VOUCH: Fixed = Fixed { sql: "SELECT shardwise.require_placement($1, $2)", params: &[Type::INT8, Type::TEXT] };

/// On Citus, where the node may have to tell others.
static HOLD_ON_CITUS: Fixed = Fixed { sql: "SELECT shardwise.hold_to_tenant($1)", params: &[Type::TEXT] };

static HOLD: Fixed = Fixed { sql: "SELECT pg_catalog.set_config('shardwise.tenant', $1, true)", params: &[Type::TEXT] };

/// The tenant that statements are held to.
#[derive(Clone)]
pub(super) struct HeldTo {
    // A parameter's value: never shown.
    key: Arc<str>,
    statement: &'static Fixed,
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
pub(super) async fn answer_on<W: Want>(
    hold: &Hold,
    job: &Job<'_>,
    mark: &mut UnderWay<'_>,
    sent: &AtomicBool,
    needs_place: bool,
    limit: Duration,
) -> Result<(W::Taken, Option<Result<u64>>)> {
    let connection = hold.connection();
    let terms = hold.among_others(pin!(Terms::prepared(connection, hold.tenant.as_ref(), hold.bound.as_ref()))).await?;
    if !hold.is_standalone() {
        terms.vouch(connection.client()).await?;
        return answer::<W>(hold, job, mark, sent).await.map(|taken| (taken, None));
    }
    if W::FLOWS && job.effect == Effect::Writes {
        let message = "a statement that must stay in a region, or that row level security holds to its tenant, can't write \
                       while its rows are streamed: use `query`";
        return Err(Error::new(ErrorKind::Usage, message));
    }
    // Prepared first, so that what follows is one round trip.
    let ready = hold.among_others(pin!(job.prepare(connection, true))).await.map_err(Error::postgres)?;
    let seen = Seen::prepared(connection, hold.route, hold.after).await?;
    if needs_place {
        written::prepare(connection).await?;
    }
    hold.began();
    mark.sent();
    let client = connection.client();
    // Its COMMIT may never be read.
    let begin = if W::FLOWS { "BEGIN READ ONLY" } else { "BEGIN" };
    let begin = &*begin_within(begin, hold.needs_limit.then_some(limit));
    let fence = OptionFuture::from((job.effect != Effect::Reads).then(|| fence::put_up(client)));
    let begin = join3(client.batch_execute(begin), fence, seen.check(connection));
    let taken = async { W::take(send(connection, job, &ready, sent).await?).await };
    // Answers come in the order in which these are first polled.
    let place = OptionFuture::from(needs_place.then(|| written::place(connection)));
    let leaves_state = hold.needs_limit && matches!(job.text, Text::Unread(_));
    let end = join(commit::<W>(connection, commit_text(leaves_state)), place);
    let all = join5(begin, terms.tell(client), terms.vouch(client), taken, end);
    let ((begun, fenced, seen), told, vouched, taken, (committed, place)) = hold.in_one_go(pin!(all)).await;
    // Committed or, after an error, rolled back: it is over in any case.
    hold.ended();
    let begun = begun.and(fenced.unwrap_or(Ok(()))).map_err(Error::postgres);
    // A connection that broke tells nothing; nor does a pooler, which has lost the server and answers whatever is first in line.
    let is_told = |error: &Error| {
        error.code().is_some() && !(error.has_lost_another() || connection.is_pooled() && error.was_told_to_stop())
    };
    if begun.as_ref().is_err_and(is_told) && job.effect != Effect::Reads {
        // The server has told so, and the fence let nothing pass.
        sent.store(false, Ordering::Relaxed);
    }
    begun?;
    seen?;
    told?;
    vouched?;
    let taken = taken.map_err(Error::postgres)?;
    // What was read has no outcome to be in doubt about.
    let is_read = job.effect == Effect::Reads;
    committed
        .map_err(Error::postgres)
        .map_err(|error| if is_read { error } else { error.of_answered_commit(hold.route) })?;
    Ok((taken, place))
}

/// COMMIT; and before it, for what may have set something on a server that is another client's right after, what undoes that.
fn commit_text(leaves_state: bool) -> &'static str {
    if leaves_state {
        "RESET ALL; DISCARD TEMP; SELECT pg_catalog.pg_advisory_unlock_all(); UNLISTEN *; COMMIT"
    } else {
        "COMMIT"
    }
}

/// The COMMIT of a transaction.
pub(super) fn commit_of(lease: &Lease) -> &'static str {
    commit_text(lease.has_session_state() && lease.connection().is_pooled())
}

/// What the server's own limit is longer by: it is for what nobody waits for any more, and must not be told in place of ours.
const LATER: Duration = Duration::from_millis(500);

/// BEGIN, and a limit that the server itself keeps.
pub(super) fn begin_within(begin: &'static str, limit: Option<Duration>) -> Cow<'static, str> {
    match limit {
        None => Cow::Borrowed(begin),
        Some(limit) => Cow::Owned(format!("{begin}; SET LOCAL statement_timeout = {}", (limit + LATER).as_millis())),
    }
}

/// Begins a transaction on the terms of its hold, in one round trip; in one that has begun, has the node vouch. Dropped
/// half-way, it leaves the connection to be cleaned.
pub(super) async fn begin_on(hold: &Hold, limit: Duration) -> Result<()> {
    let connection = hold.connection();
    let client = connection.client();
    let work = async {
        let mark = hold.start();
        let terms = Terms::prepared(connection, hold.tenant.as_ref(), hold.bound.as_ref()).await?;
        let seen = Seen::prepared(connection, hold.route, hold.after).await?;
        let outcome = if hold.is_standalone() {
            hold.began();
            let begin = begin_within("BEGIN", hold.needs_limit.then_some(limit));
            let terms = join(terms.tell(client), terms.vouch(client));
            let (begun, (told, vouched), seen) =
                join3(client.batch_execute(&begin), terms, seen.check(connection)).await;
            begun.map_err(Error::postgres).and(told).and(vouched).and(seen)
        } else {
            terms.vouch(client).await
        };
        mark.done(None);
        outcome
    };
    within(limit, work).await
}

/// What a node has to do, ready to be sent.
pub(super) struct Terms {
    tell: Option<(Prepared<'static>, Arc<str>)>,
    vouch: Option<(Prepared<'static>, Bound)>,
}

impl Terms {
    pub(super) async fn prepared(
        connection: &Connection,
        tenant: Option<&HeldTo>,
        bound: Option<&Bound>,
    ) -> Result<Self> {
        let tell = match tenant {
            Some(HeldTo { key, statement }) => {
                Some((connection.prepare_static(statement).await.map_err(not_offered)?, key.clone()))
            }
            None => None,
        };
        let vouch = match bound {
            Some(bound) => Some((connection.prepare_static(&VOUCH).await.map_err(not_offered)?, *bound)),
            None => None,
        };
        Ok(Self { tell, vouch })
    }

    /// Tells the node whose rows the transaction is about.
    pub(super) async fn tell(&self, client: &Client) -> Result<()> {
        let Some((statement, key)) = &self.tell else { return Ok(()) };
        statement.query(client, &[&&**key]).await.map(drop).map_err(not_offered)
    }

    /// Asks the node whether the shard is within its bounds, inside a transaction.
    pub(super) async fn vouch(&self, client: &Client) -> Result<()> {
        let Some((statement, bound)) = &self.vouch else { return Ok(()) };
        let vouched = statement.query(client, &[&bound.shard, &bound.region.as_str()]).await;
        vouched.map(drop).map_err(not_offered)
    }
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

/// What became of a COMMIT, by its answer. Where a COPY was passed on to another node, and that could not commit, Citus 13.2 warns
/// and answers well; of all else it tells an error.
pub(super) fn committed(connection: &Connection, answer: Result<()>, route: Route) -> Result<()> {
    let is_in_doubt = connection.take_doubt();
    answer.map_err(|error| error.of_answered_commit(route))?;
    if is_in_doubt {
        let message = "the node lost another one, to which it had passed rows on, while that committed them";
        return Err(Error::new(ErrorKind::ConnectionLost, message).with_unknown_outcome());
    }
    Ok(())
}

async fn commit<W: Want>(connection: &Connection, sql: &str) -> Result<(), tokio_postgres::Error> {
    let mut commit = std::pin::pin!(connection.client().batch_execute(sql));
    if !W::FLOWS {
        return commit.await;
    }
    // Its answer comes after the last row. It is sent now, and nobody waits for it: what only reads has nothing to lose.
    drop(futures_util::poll!(commit.as_mut()));
    Ok(())
}
