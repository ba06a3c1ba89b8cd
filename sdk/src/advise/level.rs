//! How far a service has come.

use std::fmt;

use serde::Serialize;

use super::figure::{Amount, Figure, grouped, real};
use super::options::AdviceOptions;
use super::usage::Totals;

/// How far a service has come, by its concurrent users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Fewer than 1,000.
    Small,
    /// Fewer than 10,000.
    Medium,
    /// Fewer than 100,000.
    Large,
    /// More.
    Enterprise,
}

/// What a level was judged by.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Signal {
    /// The number.
    pub figure: Figure,
    /// The level that it alone gives.
    pub level: Level,
    /// How that follows, and what the number can't tell.
    pub why: String,
}

impl Level {
    /// All of them, the smallest first.
    pub const ALL: [Self; 4] = [Self::Small, Self::Medium, Self::Large, Self::Enterprise];

    /// That of so many concurrent users.
    #[must_use]
    pub const fn of_users(users: u64) -> Self {
        Self::within(users, [1_000, 10_000, 100_000])
    }

    const fn within(amount: u64, bounds: [u64; 3]) -> Self {
        match amount {
            few if few < bounds[0] => Self::Small,
            few if few < bounds[1] => Self::Medium,
            few if few < bounds[2] => Self::Large,
            _ => Self::Enterprise,
        }
    }

    /// Its name, as it is serialized.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
            Self::Enterprise => "enterprise",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

const SESSIONS: [u64; 3] = [100, 1_000, 10_000];
const BYTES: [u64; 3] = [100 << 30, 1 << 40, 10 << 40];

/// What gives the level.
pub(super) fn signals(totals: &Totals, options: &AdviceOptions) -> Vec<Signal> {
    if let Some(users) = options.users {
        let figure = Figure::count("concurrent users", users.into(), "given");
        return vec![Signal { figure, level: Level::of_users(users.into()), why: "as given".to_owned() }];
    }
    let mut signals = Vec::new();
    if let Some(sessions) = totals.sessions {
        signals.push(Signal {
            figure: Figure::count("sessions of clients", sessions, "pg_stat_activity"),
            level: Level::within(sessions, SESSIONS),
            why: "as they are now, on all servers that could be asked; PostgreSQL keeps no peak. Each has a user \
                  behind it at least"
                .to_owned(),
        });
    }
    if let Some((rate, since)) = totals.rate {
        let users = rate / options.statements_per_user;
        signals.push(Signal {
            figure: Figure::new("statements", Amount::PerSecond(rate), since.source()),
            level: Level::of_users(whole(users)),
            why: format!(
                "those of about {} users, at {} per user and second; {}",
                grouped(whole(users)),
                options.statements_per_user,
                since.caution()
            ),
        });
    }
    signals.push(Signal {
        figure: Figure::bytes("data", totals.bytes, "sizes of tables and indexes"),
        level: Level::within(totals.bytes, BYTES),
        why: "bounds are 100 GB, 1 TB and 10 TB".to_owned(),
    });
    if let Some((table, rows)) = &totals.largest {
        let level = if *rows >= options.big_rows { Level::Large } else { Level::Small };
        signals.push(Signal {
            figure: Figure::count("rows of the largest table", *rows, "pg_class.reltuples"),
            level,
            why: format!("{table}; from {} on it wants partitions", grouped(options.big_rows)),
        });
    }
    signals
}

/// A number that is not negative, without its fraction.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "such a cast saturates, and takes NaN for nothing"
)]
pub(super) fn whole(number: f64) -> u64 {
    if number >= real(u64::MAX) { u64::MAX } else { number as u64 }
}

#[cfg(test)]
mod tests {
    use super::Level;

    #[test]
    fn users_give_the_level_of_the_playbook() {
        for (users, level) in [
            (0, Level::Small),
            (999, Level::Small),
            (1_000, Level::Medium),
            (9_999, Level::Medium),
            (10_000, Level::Large),
            (99_999, Level::Large),
            (100_000, Level::Enterprise),
            (u64::MAX, Level::Enterprise),
        ] {
            assert_eq!(Level::of_users(users), level, "{users}");
        }
    }
}
