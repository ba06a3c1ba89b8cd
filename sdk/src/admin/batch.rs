//! Work on many rows in batches that nobody has to wait for.

use std::time::Duration;

use tokio::time::Instant;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tracing::debug;

use super::wire::{Param, column, query};
use crate::error::{Error, Result};
use crate::schema::quote_ident;

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
    /// For how long it is tried.
    most: Duration,
    /// When the last try began.
    began: Instant,
    /// How many rows the next try has.
    pub(super) size: u32,
}

impl Patience {
    pub(super) fn new(size: u32) -> Self {
        let now = Instant::now();
        Self { since: now, most: PATIENCE, began: now, size }
    }

    /// Tries for so long.
    #[cfg(feature = "adopt")]
    pub(super) fn within(mut self, most: Duration) -> Self {
        self.most = most;
        self
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
        if !is_worth_another_try(&error) || self.since.elapsed() > self.most {
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

/// The columns, of a table `c`, by whose values batches are cut: each with its type.
pub(super) struct Keys(Vec<(String, String)>);

impl Keys {
    /// Of columns by their names.
    pub(super) fn of<'a>(columns: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        Self(columns.map(|(name, sql_type)| (format!("c.{}", quote_ident(name)), sql_type.to_owned())).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn names(&self) -> String {
        self.0.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// The conditions for rows behind one key, up to another.
    pub(super) fn between<'v>(
        &self,
        values: &mut Values<'v>,
        after: Option<&'v [String]>,
        upper: Option<&'v [String]>,
    ) -> Vec<String> {
        let mut conditions = Vec::new();
        for (operator, bound) in [(">", after), ("<=", upper)] {
            let Some(bound) = bound else { continue };
            let bound = bound.iter().zip(&self.0).map(|(value, (_, sql_type))| values.one(value, sql_type));
            let bound = bound.collect::<Vec<_>>().join(", ");
            conditions.push(format!("({}) {operator} ({bound})", self.names()));
        }
        conditions
    }

    /// The last key of the next batch of those that meet the conditions; none where it reaches to the end.
    pub(super) async fn upper(
        &self,
        client: &Client,
        table: &str,
        conditions: &[String],
        values: &Values<'_>,
        size: u32,
    ) -> Result<Option<Vec<String>>> {
        let texts: Vec<String> = self.0.iter().map(|(name, _)| format!("{name}::text")).collect();
        let sql = format!(
            "SELECT ARRAY[{}] FROM {table} c WHERE {} ORDER BY {} LIMIT 1 OFFSET {}",
            texts.join(", "),
            all_of(conditions),
            self.names(),
            size.saturating_sub(1)
        );
        query(client, &sql, &values.0).await?.first().map(|row| column(row, 0)).transpose()
    }
}

/// The condition that all of these hold.
pub(super) fn all_of(conditions: &[String]) -> String {
    if conditions.is_empty() { "true".to_owned() } else { conditions.join(" AND ") }
}

/// What is left to others behind work that took so long, of which this is the share.
pub(super) fn rest(took: Duration, share: f64) -> Duration {
    // Whoever asks for nothing gets the least there is.
    let share = share.clamp(0.01, 1.0);
    took.mul_f64((1.0 - share) / share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_the_time_is_others() {
        let took = Duration::from_millis(150);
        for (share, paused) in [(1.0, 0), (0.5, 150), (0.25, 450), (0.0, 14_850), (7.0, 0)] {
            assert_eq!(rest(took, share).as_millis(), paused, "{share}");
        }
    }

    #[test]
    fn rows_are_between_two_keys() {
        let keys = Keys::of([("festival_id", "int8"), ("odd \"name", "text")].into_iter());
        let (after, upper) = (["1".to_owned(), "a".to_owned()], ["2".to_owned(), "b".to_owned()]);
        let mut values = Values::default();
        assert_eq!(all_of(&keys.between(&mut values, None, None)), "true");
        assert_eq!(
            all_of(&keys.between(&mut values, Some(&after), Some(&upper))),
            r#"(c."festival_id", c."odd ""name") > ($1::int8, $2::text) AND (c."festival_id", c."odd ""name") <= ($3::int8, $4::text)"#
        );
        assert_eq!(values.0.len(), 4);
    }

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
