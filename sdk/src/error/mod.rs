//! The one error type: what failed, where, and what is known about it.

mod kind;
mod report;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::error::SqlState;
use tokio_postgres::types::WrongType;

use crate::route::Route;
pub use kind::{Advice, ErrorKind, Limit};
use report::ServerReport;

/// The result of anything that talks to the database.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong. Carries the SQLSTATE, the node, the route and the entity where they are known; never a password and
/// never a parameter's value.
///
/// Its `Display` tells what this layer knows; the cause is in [`source`](StdError::source) and is not repeated.
///
/// ```
/// use shardwise::{Error, ErrorKind};
///
/// fn status(error: &Error) -> u16 {
///     match error.kind() {
///         ErrorKind::NotFound => 404,
///         _ if error.is_unique_violation() => 409,
///         _ if error.is_retryable() => 503,
///         _ => 500,
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    source: Option<Arc<dyn StdError + Send + Sync>>,
    node: Option<String>,
    route: Option<Route>,
    entity: Option<&'static str>,
    operation: Option<&'static str>,
    // What was being done, where no fixed word tells it: a step of a schema change.
    context: Option<String>,
    outcome_unknown: bool,
    in_transaction: bool,
    // From the server's report, whose detail would show the row's values.
    server: Option<ServerReport>,
}

impl Error {
    /// An error of this kind.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            source: None,
            node: None,
            route: None,
            entity: None,
            operation: None,
            context: None,
            outcome_unknown: false,
            in_transaction: false,
            server: None,
        }))
    }

    /// What everything new meets once the cluster was closed.
    pub(crate) fn closed() -> Self {
        Self::new(ErrorKind::Closed, "the cluster was closed by this process")
    }

    /// There is no room left to wait in.
    pub(crate) fn overloaded(waiting: u32) -> Self {
        let message = format!(
            "{waiting} wait for a connection already, as many as `pool.max_waiting` allows: send less, raise \
             `pool.max_connections`, or add nodes"
        );
        Self::new(ErrorKind::Overloaded, message)
    }

    /// A time limit that ran out.
    pub(crate) fn timed_out(limit: Limit, after: Duration) -> Self {
        let fix = match limit {
            Limit::Connect => "is the node up, and the address right?",
            Limit::Checkout => "all connections are busy: raise `pool.max_connections`, or make transactions shorter",
            Limit::Statement | Limit::Call | Limit::Deadline => "the statement was cancelled on the server",
        };
        let message = match limit {
            Limit::Deadline if after.is_zero() => "the deadline of the handle had passed: nothing was sent".to_owned(),
            Limit::Deadline => format!("the deadline of the handle came after {after:?}"),
            _ => format!("`{}` of {after:?} ran out: {fix}", limit.key()),
        };
        Self::new(ErrorKind::Timeout(limit), message)
    }

    /// What tokio-postgres reports of a statement or a connection.
    pub(crate) fn postgres(error: tokio_postgres::Error) -> Self {
        if let Some(db) = error.as_db_error() {
            let report = ServerReport::of(db);
            return Self::reported(report);
        }
        let io = cause::<std::io::Error>(&error);
        // The driver's way to say that the statement can't be written down: nothing was sent, and nothing broke.
        if let Some(reason) = io.filter(|io| io.kind() == std::io::ErrorKind::InvalidInput) {
            let message = format!(
                "the statement or its parameters can't be sent: {reason}; there can be 65,535 parameters, of up to 1 GB, and \
                 no text may hold a zero byte"
            );
            return Self::new(ErrorKind::Usage, message);
        }
        if error.is_closed() || io.is_some() {
            return Self::broken(error);
        }
        // Not with its source: that of a value that can't be read may quote it.
        let message = match (cause::<WrongType>(&error), cause::<Panicked>(&error)) {
            (Some(types), _) => {
                format!("{error}: {types}: give the value another type, or cast in the SQL, such as :name::bigint")
            }
            (None, Some(panicked)) => format!("{error}: {panicked}: it was not sent"),
            (None, None) => format!("{error}: the value does not fit the type that it is sent or read as"),
        };
        Self::new(ErrorKind::Codec, message)
    }

    /// Of a connection that broke: with why it did.
    pub(crate) fn ended_by(mut self, end: &Self) -> Self {
        if self.0.kind == ErrorKind::ConnectionLost {
            self.0.source = Some(end.0.source.clone().unwrap_or_else(|| Arc::new(end.clone())));
        }
        self
    }

    fn reported(report: ServerReport) -> Self {
        let is_outside = report.code.code() == OUTSIDE;
        let mut new = Self::new(if is_outside { ErrorKind::Residency } else { ErrorKind::Database }, "");
        new.0.server = Some(report);
        new
    }

    /// What the server reports with this SQLSTATE, and where that is fatal ends the session.
    #[cfg(test)]
    pub(crate) fn with_code(code: &str, is_fatal: bool) -> Self {
        Self::reported(ServerReport::with_code(code, is_fatal))
    }

    /// Of a connection that ended by this.
    pub(crate) fn broken(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(_) => Self::postgres(error),
            None => Self::new(ErrorKind::ConnectionLost, "the connection to the server broke").caused_by(error),
        }
    }

    pub(crate) fn caused_by(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    pub(crate) fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    pub(crate) fn on(mut self, node: &dyn fmt::Display) -> Self {
        self.0.node.get_or_insert_with(|| node.to_string());
        self
    }

    pub(crate) fn via(mut self, route: Route) -> Self {
        self.0.route.get_or_insert(route);
        if let Some(report) = self.0.server.as_mut().filter(|_| route != Route::Single) {
            report.name_the_whole_table();
        }
        self
    }

    pub(crate) fn of(mut self, operation: &'static str, entity: Option<&'static str>) -> Self {
        self.0.operation.get_or_insert(operation);
        self.0.entity = self.0.entity.or(entity);
        self
    }

    pub(crate) fn during(mut self, context: impl Into<String>) -> Self {
        self.0.context.get_or_insert_with(|| context.into());
        self
    }

    pub(crate) fn with_unknown_outcome(mut self) -> Self {
        self.0.outcome_unknown = true;
        self
    }

    /// Of a statement that has others before it.
    pub(crate) fn in_transaction(mut self) -> Self {
        self.0.in_transaction = true;
        self
    }

    /// Once COMMIT was sent, nobody knows what became of it where its answer was not read.
    pub(crate) fn of_sent_commit(self) -> Self {
        match self.kind() {
            ErrorKind::ConnectionLost | ErrorKind::Timeout(_) => self.with_unknown_outcome(),
            // By a pooler, which answers whatever is first in line.
            _ if self.has_lost_another() => self.with_unknown_outcome(),
            _ => self,
        }
    }

    /// The answer to COMMIT itself. A node with Citus that passed the work on, and has lost the other node since, may tell so by
    /// an internal error (XX000).
    pub(crate) fn of_answered_commit(self, route: Route) -> Self {
        // One that was taken for the owner may have passed it on as well.
        let is_internal = self.code() == Some(&SqlState::INTERNAL_ERROR) || self.was_told_to_stop();
        if (is_internal && route != Route::Single) || self.may_be_done_elsewhere(route) {
            self.with_unknown_outcome()
        } else {
            self.of_sent_commit()
        }
    }

    /// What a node answers that had passed the work on: it has lost the other node (class 08), or was told to stop itself
    /// (class 57). The other node may have done it. A pooler tells by class 08 that it has lost the server.
    pub(crate) fn may_be_done_elsewhere(&self, route: Route) -> bool {
        let is_passed_on = !matches!(route, Route::Single | Route::Owner | Route::Replica);
        self.has_lost_another() || (is_passed_on && self.was_told_to_stop())
    }

    /// A node, or a pooler, has lost the server that it had passed the work on to (class 08). A server calls a message that it does not
    /// understand so as well. While Citus moves a shard it passes on what the client library says, as an internal error.
    pub(crate) fn has_lost_another(&self) -> bool {
        const LOST: &str = "server closed the connection unexpectedly";
        let is_told =
            |report: &ServerReport| report.code == SqlState::INTERNAL_ERROR && report.message.starts_with(LOST);
        self.is_of_class("08") || self.0.server.as_ref().is_some_and(is_told)
    }

    /// The server was told to stop, or to stop what it was doing (class 57).
    pub(crate) fn was_told_to_stop(&self) -> bool {
        self.is_of_class("57")
    }

    /// The server reported an error of this class of SQLSTATEs about a statement.
    fn is_of_class(&self, class: &str) -> bool {
        self.0.kind == ErrorKind::Database && self.code().is_some_and(|code| code.code().starts_with(class))
    }

    fn is_of(&self, codes: &[SqlState]) -> bool {
        self.code().is_some_and(|code| codes.contains(code))
    }

    /// The server refused a prepared statement without running it: a changed result type (0A000, only from a prepared
    /// plan, told apart by its message alone), or a name that it does not know any more (26000).
    pub(crate) fn is_stale_plan(&self) -> bool {
        self.0.server.as_ref().is_some_and(|report| {
            report.code == SqlState::INVALID_SQL_STATEMENT_NAME
                || report.code == SqlState::DUPLICATE_PSTATEMENT
                || (report.code == SqlState::FEATURE_NOT_SUPPORTED
                    && report.message == "cached plan must not change result type")
        })
    }

    /// The server takes no writes (25006): it was not the primary any more.
    pub(crate) fn is_read_only(&self) -> bool {
        self.is_of(&[SqlState::READ_ONLY_SQL_TRANSACTION])
    }

    /// The server ended the statement because it waited too long for a lock (55P03).
    pub(crate) fn is_lock_timeout(&self) -> bool {
        self.is_of(&[SqlState::LOCK_NOT_AVAILABLE])
    }

    /// The server ended the statement because it took too long, or somebody asked it to (57014): the code is the same.
    pub(crate) fn is_cancellation(&self) -> bool {
        self.is_of(&[SqlState::QUERY_CANCELED])
    }

    /// The server could not be reached at all, or is just starting or stopping: another one may do. Not so where it
    /// answered and refused.
    pub(crate) fn is_unreachable(&self) -> bool {
        match self.0.kind {
            ErrorKind::Timeout(Limit::Connect) => true,
            ErrorKind::Connect => self.code().is_none_or(is_out_of_service),
            _ => false,
        }
    }

    /// The server, or the network, has ended the session: it stops, has crashed, is gone, or had nothing to do for too long.
    pub(crate) fn ended_the_session(&self) -> bool {
        let is_fatal = self.0.server.as_ref().is_some_and(|report| report.is_fatal);
        self.0.kind == ErrorKind::ConnectionLost || (is_fatal && (self.is_shutdown() || self.is_idle_timeout()))
    }

    /// The server stops or has crashed; or, where it is not fatal, another one that it had passed the work on to.
    pub(crate) fn is_shutdown(&self) -> bool {
        self.is_of(&[SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN])
    }

    /// The session was idle for longer than `idle_session_timeout`.
    fn is_idle_timeout(&self) -> bool {
        self.is_of(&[SqlState::IDLE_SESSION_TIMEOUT])
    }

    /// What a statement can meet after the layout of the cluster has changed: a shard that is gone from the node, a
    /// primary that became a standby, a node that can't reach another one.
    pub(crate) fn suggests_a_change(&self) -> bool {
        match self.0.kind {
            ErrorKind::ConnectionLost => true,
            ErrorKind::Database => self.code().is_some_and(|code| {
                *code == SqlState::READ_ONLY_SQL_TRANSACTION
                    || *code == SqlState::UNDEFINED_TABLE
                    || *code == SqlState::INTERNAL_ERROR
                    || is_out_of_service(code)
            }),
            _ => false,
        }
    }

    /// What kind of error it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The SQLSTATE, where the server reported the error. See PostgreSQL's manual, appendix A.
    #[must_use]
    pub fn code(&self) -> Option<&SqlState> {
        self.0.server.as_ref().map(|report| &report.code)
    }

    /// The node that the statement was sent to: `host:port`.
    #[must_use]
    pub fn node(&self) -> Option<&str> {
        self.0.node.as_deref()
    }

    /// The route that the statement took.
    #[must_use]
    pub fn route(&self) -> Option<Route> {
        self.0.route
    }

    /// The entity that the statement was about: its Rust name.
    #[must_use]
    pub fn entity(&self) -> Option<&'static str> {
        self.0.entity
    }

    /// The violated constraint, where the server names one.
    #[must_use]
    pub fn constraint(&self) -> Option<&str> {
        self.0.server.as_ref()?.constraint.as_deref()
    }

    /// The table, where the server names one.
    #[must_use]
    pub fn table(&self) -> Option<&str> {
        self.0.server.as_ref()?.table.as_deref()
    }

    /// The time limit that ran out.
    #[must_use]
    pub fn timeout(&self) -> Option<Limit> {
        match self.0.kind {
            ErrorKind::Timeout(limit) => Some(limit),
            _ => None,
        }
    }

    /// Whether the same work can succeed if it is done again from its start: a serialization failure, a deadlock, a
    /// broken connection, a full pool. For a transaction "from its start" is its first statement. Where
    /// [`is_outcome_unknown`](Self::is_outcome_unknown) holds too, only idempotent work may be repeated.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self.0.kind {
            ErrorKind::ConnectionLost | ErrorKind::Timeout(_) | ErrorKind::Overloaded | ErrorKind::NoReplica => true,
            // A server that refuses the log-in goes on to.
            ErrorKind::Connect => self.code().is_none_or(is_transient),
            ErrorKind::Database => self.code().is_some_and(is_transient) || self.has_lost_another(),
            _ => false,
        }
    }

    /// What to do about it. The message ends with the same, unless another try does not help.
    ///
    /// ```
    /// # use shardwise::{Advice, Error};
    /// # fn log(error: &Error) {
    /// match error.advice() {
    ///     Advice::Rerun => println!("once more, a little later"),
    ///     Advice::RestartTransaction => println!("the whole transaction once more, from its first statement"),
    ///     Advice::OutcomeUnknown => println!("look whether it took effect, or repeat it if it is idempotent"),
    ///     Advice::Stop => println!("it would fail again"),
    ///     _ => {}
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn advice(&self) -> Advice {
        match (self.0.outcome_unknown, self.is_retryable(), self.0.in_transaction) {
            (true, _, _) => Advice::OutcomeUnknown,
            (false, true, true) => Advice::RestartTransaction,
            (false, true, false) => Advice::Rerun,
            (false, false, _) => Advice::Stop,
        }
    }

    /// Whether the statement or the transaction may have taken effect: the connection broke, or time ran out, after it
    /// was sent and before the server answered.
    #[must_use]
    pub fn is_outcome_unknown(&self) -> bool {
        self.0.outcome_unknown
    }

    /// SQLSTATE 23505: a row with this key is there already. [`constraint`](Self::constraint) tells which key.
    #[must_use]
    pub fn is_unique_violation(&self) -> bool {
        self.code() == Some(&SqlState::UNIQUE_VIOLATION)
    }

    /// SQLSTATE 23503: the referenced row is not there, or a referencing one still is.
    #[must_use]
    pub fn is_foreign_key_violation(&self) -> bool {
        self.code() == Some(&SqlState::FOREIGN_KEY_VIOLATION)
    }

    /// SQLSTATE 23514: a check refused the row.
    #[must_use]
    pub fn is_check_violation(&self) -> bool {
        self.code() == Some(&SqlState::CHECK_VIOLATION)
    }

    /// SQLSTATE 40001 or 40P01: the transaction lost against another one and can be run again.
    #[must_use]
    pub fn is_serialization_failure(&self) -> bool {
        self.code().is_some_and(is_lost_race)
    }

    /// The server has no schema, table, column, function or type of that name: it may not have it yet.
    pub(crate) fn names_what_is_not_there(&self) -> bool {
        let codes = [
            &SqlState::INVALID_SCHEMA_NAME,
            &SqlState::UNDEFINED_TABLE,
            &SqlState::UNDEFINED_COLUMN,
            &SqlState::UNDEFINED_FUNCTION,
            &SqlState::UNDEFINED_OBJECT,
        ];
        self.code().is_some_and(|code| codes.contains(&code))
    }

    /// There is no such row.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.0.kind == ErrorKind::NotFound
    }
}

/// The SQLSTATE of `shardwise.require_placement`: the shard lies outside the region. See `schema/catalog.sql`.
const OUTSIDE: &str = "SW001";

/// The transaction lost against another one; PostgreSQL asks the client to run it again (manual, 13.5).
fn is_lost_race(code: &SqlState) -> bool {
    *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED
}

/// The same work can succeed later, unchanged.
fn is_transient(code: &SqlState) -> bool {
    is_lost_race(code)
        || is_out_of_service(code)
        || *code == SqlState::LOCK_NOT_AVAILABLE
        || *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
        || *code == SqlState::IDLE_SESSION_TIMEOUT
        // Short of connections, memory or disk.
        || code.code().starts_with("53")
}

/// The server, or one that it had to reach, is starting, stopping or gone.
fn is_out_of_service(code: &SqlState) -> bool {
    *code == SqlState::ADMIN_SHUTDOWN
        || *code == SqlState::CRASH_SHUTDOWN
        || *code == SqlState::CANNOT_CONNECT_NOW
        || code.code().starts_with("08")
}

/// A value could not be written because its own code panicked.
#[derive(Debug)]
pub(crate) struct Panicked;

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("its `ToSql` or `Serialize` panicked")
    }
}

impl StdError for Panicked {}

/// What of this type lies beneath the driver's error.
fn cause<T: StdError + 'static>(error: &tokio_postgres::Error) -> Option<&T> {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(found) = inner.downcast_ref() {
            return Some(found);
        }
        cause = inner.source();
    }
    None
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(operation) = self.0.operation {
            write!(f, "{operation}")?;
            if let Some(entity) = self.0.entity {
                write!(f, " {entity}")?;
            }
            f.write_str(": ")?;
        }
        if let Some(context) = &self.0.context {
            write!(f, "{context}: ")?;
        }
        match &self.0.server {
            Some(report) => {
                write!(f, "{} (SQLSTATE {}", report.message, report.code.code())?;
                if let Some(constraint) = &report.constraint {
                    write!(f, ", constraint {constraint}")?;
                }
                if let Some(position) = report.position {
                    write!(f, ", at character {position}")?;
                }
                f.write_str(")")?;
                if let Some(hint) = &report.hint {
                    write!(f, "; hint: {hint}")?;
                }
            }
            None => f.write_str(&self.0.message)?,
        }
        if let Some(node) = &self.0.node {
            write!(f, " [node {node}")?;
            if let Some(route) = self.0.route {
                write!(f, ", route {route}")?;
            }
            f.write_str("]")?;
        }
        match self.advice() {
            Advice::Stop => Ok(()),
            advice => write!(f, "; {advice}"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.0.kind)?;
        let mut source = self.source();
        while let Some(inner) = source {
            write!(f, "; caused by: {inner}")?;
            source = inner.source();
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
