//! Work on many rows in batches that nobody has to wait for.

use std::time::Duration;

use tokio::time::Instant;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tracing::debug;

use super::wire::Param;
use crate::error::{Error, Result};

/// A writer of a batch's rows waits for as long as the batch takes.
const AIM: Duration = Duration::from_millis(150);
const FEWEST: u32 = 50;
/// Whoever works in batches gives way to whoever has its rows.
pub(super) const GIVES_WAY: &str = "SET LOCAL lock_timeout = '100ms'";
const PATIENCE: Duration = Duration::from_secs(60);

/// How many rows the first batch has, of at most so many.
pub(super) fn first_size(most: u32) -> u32 {
    FEWEST.max(most / 8).min(most)
}

/// So many that they take as long as was aimed at; never twice as many as before.
fn next_size(size: u32, took: Duration, most: u32) -> u32 {
    let (size, most) = (u64::from(size), u64::from(most));
    let fitting = size * 150 / u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
    let next = fitting.min(size * 2).clamp(u64::from(FEWEST).min(most), most);
    u32::try_from(next).unwrap_or(u32::MAX)
}

/// With whoever has some of a batch's rows: it is tried again, with fewer.
pub(super) struct Patience {
    since: Instant,
    /// When the last try began.
    began: Instant,
    /// How many rows the next try has.
    pub(super) size: u32,
}

impl Patience {
    pub(super) fn new(size: u32) -> Self {
        let now = Instant::now();
        Self { since: now, began: now, size }
    }

    /// How many rows the next batch has, by how long the last try took.
    pub(super) fn next_size(&self, most: u32) -> u32 {
        next_size(self.size, self.began.elapsed(), most)
    }

    /// Waits a little, unless the error is one that another try won't mend.
    ///
    /// # Errors
    /// That one.
    pub(super) async fn another_try(&mut self, error: Error) -> Result<()> {
        if !is_worth_another_try(&error) || self.since.elapsed() > PATIENCE {
            return Err(error);
        }
        debug!(%error, self.size, "a batch gave way");
        self.size = (self.size / 2).max(1);
        tokio::time::sleep(crate::random::jitter(AIM)).await;
        self.began = Instant::now();
        Ok(())
    }
}

/// Whether somebody else was in the way.
pub(super) fn is_worth_another_try(error: &Error) -> bool {
    const CODES: [SqlState; 4] = [
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::QUERY_CANCELED,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::T_R_SERIALIZATION_FAILURE,
    ];
    error.code().is_some_and(|code| CODES.contains(code))
}

/// The values of a statement, as text: keys must not stand in what is logged.
#[derive(Default)]
pub(super) struct Values<'a>(pub(super) Vec<Param<'a>>);

impl<'a> Values<'a> {
    /// One value of a column's type, as an expression.
    pub(super) fn one(&mut self, value: &'a (dyn ToSql + Sync), sql_type: &str) -> String {
        self.0.push((value, Type::TEXT));
        format!("${}::{sql_type}", self.0.len())
    }

    /// An array of them.
    pub(super) fn many(&mut self, values: &'a (dyn ToSql + Sync), sql_type: &str) -> String {
        self.0.push((values, Type::TEXT_ARRAY));
        format!("${}::{sql_type}[]", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_take_as_long_as_was_aimed_at() {
        let next = |size, millis, most| next_size(size, Duration::from_millis(millis), most);
        assert_eq!(next(100, 10, 5_000), 200, "never twice as many");
        assert_eq!(next(1_000, 150, 5_000), 1_000);
        assert_eq!(next(1_000, 300, 5_000), 500);
        assert_eq!(next(4_000, 0, 5_000), 5_000);
        assert_eq!(next(100, 60_000, 5_000), FEWEST);
        assert_eq!(next(10, 60_000, 10), 10, "what is asked for may be fewer");
    }
}
