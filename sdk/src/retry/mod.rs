//! Which errors are worth another try, and how many tries the servers are asked to bear. Without IO: the loop that acts on it is
//! in `session/execute.rs`.

mod budget;
mod hedge;

use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::random;
pub(crate) use budget::Budget;
pub(crate) use hedge::Hedges;

/// What to do after an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Send it again, on another connection to the same node.
    Same,
    /// Read the cluster's layout, then send it again to wherever it belongs now.
    Anew,
    /// Give the error to the caller.
    Stop,
}

/// How far a statement had come when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Not a byte of it left this process.
    NotSent,
    /// It was sent; whether it ran is known only if the server answered.
    Sent,
}

/// The most tries of one statement.
const TRIES: u32 = 2;

/// Decides about the try number `attempt` (from 1) of a statement outside a transaction.
///
/// Never repeated: a statement that may have taken effect, unless repeating it is harmless; anything that a second try
/// would meet just the same.
pub(crate) fn decide(error: &Error, attempt: u32, progress: Progress, idempotent: bool) -> Decision {
    if attempt >= TRIES {
        return Decision::Stop;
    }
    match (error.kind(), progress) {
        (ErrorKind::ConnectionLost, Progress::NotSent) => Decision::Same,
        (ErrorKind::ConnectionLost, Progress::Sent) if idempotent => Decision::Same,
        // The same, with the server's last word.
        (ErrorKind::Database, Progress::NotSent) if is_lost(error) => Decision::Same,
        (ErrorKind::Database, Progress::Sent) if idempotent && is_lost(error) => Decision::Same,
        // The server refused a cached plan before running it: it is planned anew.
        (ErrorKind::Database, _) if error.is_stale_plan() => Decision::Same,
        // It is a standby now, and ran nothing: the primary is another one.
        (ErrorKind::Database, _) if error.is_read_only() => Decision::Anew,
        // The node did not vouch for the shard, and so ran nothing: it may know better than we where the shard is.
        (ErrorKind::Residency, Progress::NotSent | Progress::Sent) if error.code().is_some() => Decision::Anew,
        (
            ErrorKind::ConnectionLost
            | ErrorKind::Config
            | ErrorKind::Connect
            | ErrorKind::Timeout(_)
            | ErrorKind::Overloaded
            | ErrorKind::NoReplica
            | ErrorKind::NotFound
            | ErrorKind::WrongTenant
            | ErrorKind::Database
            | ErrorKind::Codec
            | ErrorKind::Usage
            | ErrorKind::TransactionOver
            | ErrorKind::Schema
            | ErrorKind::Unsupported
            | ErrorKind::Residency
            | ErrorKind::Placement
            | ErrorKind::Closed
            | ErrorKind::Local,
            Progress::NotSent | Progress::Sent,
        ) => Decision::Stop,
    }
}

/// The server, or one behind it, went away.
fn is_lost(error: &Error) -> bool {
    error.ended_the_session() || error.is_shutdown() || error.has_lost_another()
}

/// Whether the server may have done the work already, so that another try asks it for more than what was wanted: that is what
/// a [`Budget`] bounds.
pub(crate) fn is_a_burden(error: &Error, progress: Progress) -> bool {
    progress == Progress::Sent && is_lost(error)
}

/// How long to wait before a try. Full jitter: a random part of a span that doubles with each try, so that what failed at one
/// moment is not all back at another.
pub(crate) fn pause(before_try: u32) -> Duration {
    let most = Duration::from_millis(5) * 2_u32.saturating_pow(before_try.min(7));
    most.mul_f64(random::fraction())
}

#[cfg(test)]
mod tests {
    use super::Decision::{Anew, Same, Stop};
    use super::Progress::{NotSent, Sent};
    use super::{TRIES, decide};
    use crate::error::{Error, ErrorKind, Limit};

    /// What is decided where nothing was sent, where it was, and where it was and is idempotent.
    fn decisions(error: &Error) -> [super::Decision; 3] {
        [(NotSent, false), (Sent, false), (Sent, true)]
            .map(|(progress, idempotent)| decide(error, 1, progress, idempotent))
    }

    #[test]
    fn the_table_for_what_the_server_reports() {
        for (code, what, expected) in [
            ("57P01", "it stops", [Same, Stop, Same]),
            ("57P02", "it crashed", [Same, Stop, Same]),
            ("08006", "it has lost another node", [Same, Stop, Same]),
            ("08P01", "a pooler has lost it", [Same, Stop, Same]),
            ("57P05", "it has ended the session, which was idle", [Same, Stop, Same]),
            ("26000", "it does not know the prepared statement", [Same, Same, Same]),
            ("25006", "it is a standby", [Anew, Anew, Anew]),
            ("SW001", "the shard is not where it was", [Anew, Anew, Anew]),
            ("57014", "it was cancelled", [Stop, Stop, Stop]),
            ("55P03", "it waited too long for a lock", [Stop, Stop, Stop]),
            ("40001", "it lost a race", [Stop, Stop, Stop]),
            ("40P01", "a deadlock", [Stop, Stop, Stop]),
            ("53300", "it has no connection left", [Stop, Stop, Stop]),
            ("53100", "its disk is full", [Stop, Stop, Stop]),
            ("23505", "the row is there", [Stop, Stop, Stop]),
            ("42P01", "there is no such table", [Stop, Stop, Stop]),
            ("XX000", "anything at all", [Stop, Stop, Stop]),
        ] {
            assert_eq!(decisions(&Error::with_code(code, code.starts_with("57P"))), expected, "{code}: {what}");
        }
    }

    #[test]
    fn the_table_for_what_we_find_ourselves() {
        for (kind, expected) in [
            (ErrorKind::ConnectionLost, [Same, Stop, Same]),
            // Without a server's word nobody knows better where the shard is.
            (ErrorKind::Residency, [Stop, Stop, Stop]),
            (ErrorKind::Timeout(Limit::Statement), [Stop, Stop, Stop]),
            (ErrorKind::Timeout(Limit::Checkout), [Stop, Stop, Stop]),
            (ErrorKind::Connect, [Stop, Stop, Stop]),
            (ErrorKind::Overloaded, [Stop, Stop, Stop]),
            (ErrorKind::NoReplica, [Stop, Stop, Stop]),
            (ErrorKind::NotFound, [Stop, Stop, Stop]),
            (ErrorKind::WrongTenant, [Stop, Stop, Stop]),
            (ErrorKind::Codec, [Stop, Stop, Stop]),
            (ErrorKind::Usage, [Stop, Stop, Stop]),
            (ErrorKind::TransactionOver, [Stop, Stop, Stop]),
            (ErrorKind::Closed, [Stop, Stop, Stop]),
        ] {
            assert_eq!(decisions(&Error::new(kind, "")), expected, "{kind:?}");
        }
    }

    #[test]
    fn a_server_that_another_one_lost_is_not_ones_own() {
        let (own, other) = (Error::with_code("57P01", true), Error::with_code("57P01", false));
        assert_eq!(decisions(&own), decisions(&other));
        assert!(own.ended_the_session() && !other.ended_the_session());
    }

    #[test]
    fn nothing_is_tried_for_ever() {
        for code in ["57P01", "57P05", "26000", "25006", "SW001"] {
            assert_eq!(decide(&Error::with_code(code, true), TRIES, NotSent, true), Stop, "{code}");
        }
        assert_eq!(decide(&Error::new(ErrorKind::ConnectionLost, ""), TRIES, NotSent, true), Stop);
    }
}
