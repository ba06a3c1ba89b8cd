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
        (ErrorKind::Database, Progress::NotSent) if error.ended_the_session() => Decision::Same,
        (ErrorKind::Database, Progress::Sent) if idempotent && error.ended_the_session() => Decision::Same,
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

/// Whether the server may have done the work already, so that another try asks it for more than what was wanted: that is what
/// a [`Budget`] bounds.
pub(crate) fn is_a_burden(error: &Error, progress: Progress) -> bool {
    progress == Progress::Sent && error.ended_the_session()
}

/// How long to wait before a try. Full jitter: a random part of a span that doubles with each try, so that what failed at one
/// moment is not all back at another.
pub(crate) fn pause(before_try: u32) -> Duration {
    let most = Duration::from_millis(5) * 2_u32.saturating_pow(before_try.min(7));
    most.mul_f64(random::fraction())
}

#[cfg(test)]
mod tests {
    use super::{Decision, Progress, decide};
    use crate::error::{Error, ErrorKind};

    fn lost() -> Error {
        Error::new(ErrorKind::ConnectionLost, "")
    }

    #[test]
    fn what_was_not_sent_is_sent_again_once() {
        assert_eq!(decide(&lost(), 1, Progress::NotSent, false), Decision::Same);
        assert_eq!(decide(&lost(), 2, Progress::NotSent, false), Decision::Stop);
    }

    #[test]
    fn what_may_have_taken_effect_is_never_repeated() {
        assert_eq!(decide(&lost(), 1, Progress::Sent, false), Decision::Stop);
        assert_eq!(decide(&lost(), 1, Progress::Sent, true), Decision::Same);
    }

    #[test]
    fn what_a_second_try_would_meet_again_is_not_tried() {
        for kind in [ErrorKind::Codec, ErrorKind::Usage, ErrorKind::Connect, ErrorKind::Closed, ErrorKind::NotFound] {
            assert_eq!(decide(&Error::new(kind, ""), 1, Progress::NotSent, true), Decision::Stop, "{kind:?}");
        }
    }
}
