//! What kinds of error there are, and what can be done about one.

use std::fmt;

/// The kinds of error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The configuration is wrong; the message names the key and the fix.
    Config,
    /// A node could not be reached, or refused the log-in.
    Connect,
    /// The connection broke while a statement was under way.
    ConnectionLost,
    /// A time limit ran out; see [`Error::timeout`](super::Error::timeout).
    Timeout(Limit),
    /// As many wait for a connection as `pool.max_waiting` allows; nothing was sent.
    Overloaded,
    /// No standby is fresh enough for the read, and it may not go to the primary; nothing was sent.
    NoReplica,
    /// There is no such row.
    NotFound,
    /// The entity's distribution key is not the tenant's, and nothing was sent. Or a row of another tenant came back, and is
    /// not given out.
    WrongTenant,
    /// The server reported an error; see [`Error::code`](super::Error::code).
    Database,
    /// A value could not be sent or read as the column's type.
    Codec,
    /// The statement, its parameters or a cursor don't fit; nothing was sent.
    Usage,
    /// The transaction is over: an earlier statement of it failed, was dropped half-way, or it has ended.
    TransactionOver,
    /// The schema's change was refused: see the message for what it needs.
    Schema,
    /// This mode or deployment can't do it.
    Unsupported,
    /// The tenant's data lie outside the region that they have to stay in, or could leave it. Nothing was run.
    Residency,
    /// Shards can't be placed as asked: the message names what is in the way, and the fix.
    Placement,
    /// The client is shutting down.
    Closed,
    /// A throwaway server can't be started (feature `local`); the message has the reason from its log.
    Local,
}

impl ErrorKind {
    /// The name that metrics carry.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Connect => "connect",
            Self::ConnectionLost => "connection_lost",
            Self::Timeout(Limit::Connect) => "timeout_connect",
            Self::Timeout(Limit::Checkout) => "timeout_checkout",
            Self::Timeout(Limit::Statement) => "timeout_statement",
            Self::Timeout(Limit::Call) => "timeout_call",
            Self::Timeout(Limit::Deadline) => "timeout_deadline",
            Self::Overloaded => "overloaded",
            Self::NoReplica => "no_replica",
            Self::NotFound => "not_found",
            Self::WrongTenant => "wrong_tenant",
            Self::Database => "database",
            Self::Codec => "codec",
            Self::Usage => "usage",
            Self::TransactionOver => "transaction_over",
            Self::Schema => "schema",
            Self::Unsupported => "unsupported",
            Self::Residency => "residency",
            Self::Placement => "placement",
            Self::Closed => "closed",
            Self::Local => "local",
        }
    }
}

/// Which time limit ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// `timeouts.connect`: opening a connection.
    Connect,
    /// `timeouts.checkout`: waiting for a free connection.
    Checkout,
    /// `timeouts.statement`: one statement. It was cancelled on the server.
    Statement,
    /// `timeouts.call`: the whole call, retries included. What was running was cancelled on the server.
    Call,
    /// The deadline of the handle: see `with_deadline`. What was running was cancelled on the server.
    Deadline,
}

impl Limit {
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Connect => "timeouts.connect",
            Self::Checkout => "timeouts.checkout",
            Self::Statement => "timeouts.statement",
            Self::Call => "timeouts.call",
            Self::Deadline => "with_deadline",
        }
    }
}

/// What to do about an error: see [`Error::advice`](super::Error::advice).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Advice {
    /// The same statement can succeed if it is run again, best a little later; it took no effect, or twice is as good as once.
    Rerun,
    /// Nothing took effect, and the transaction can succeed if it is run again from its first statement.
    RestartTransaction,
    /// It may have taken effect. Only what is idempotent can be run again without a look.
    OutcomeUnknown,
    /// It would fail again.
    Stop,
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rerun => "rerun it",
            Self::RestartTransaction => "restart the transaction",
            Self::OutcomeUnknown => "outcome unknown: it may have taken effect",
            Self::Stop => "no other try helps",
        })
    }
}
