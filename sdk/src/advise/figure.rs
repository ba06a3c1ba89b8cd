//! A number, and where it is from.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

/// A number that something was judged by.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Figure {
    /// What it is.
    pub name: &'static str,
    /// How much.
    pub amount: Amount,
    /// Where it is from: a view of PostgreSQL's or Citus', the configuration, or the sum of such.
    pub source: &'static str,
}

/// How much something is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Amount {
    /// A number of things.
    Count(u64),
    /// Of 1,024 to the kB.
    Bytes(u64),
    /// In percent.
    Percent(f64),
    /// A time, in seconds.
    Seconds(#[serde(serialize_with = "seconds")] Duration),
    /// A number per second.
    PerSecond(f64),
    /// So many times as much.
    Times(f64),
    /// A number of things, on average.
    Mean(f64),
}

fn seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

impl Figure {
    pub(super) const fn new(name: &'static str, amount: Amount, source: &'static str) -> Self {
        Self { name, amount, source }
    }

    pub(super) const fn count(name: &'static str, count: u64, source: &'static str) -> Self {
        Self::new(name, Amount::Count(count), source)
    }

    pub(super) const fn bytes(name: &'static str, bytes: u64, source: &'static str) -> Self {
        Self::new(name, Amount::Bytes(bytes), source)
    }

    pub(super) const fn percent(name: &'static str, percent: f64, source: &'static str) -> Self {
        Self::new(name, Amount::Percent(percent), source)
    }

    pub(super) const fn time(name: &'static str, time: Duration, source: &'static str) -> Self {
        Self::new(name, Amount::Seconds(time), source)
    }
}

/// A number as others of its kind can be divided by it: exact up to 2⁵³.
#[allow(clippy::cast_precision_loss, reason = "a ratio of numbers beyond 2⁵³ is no other one in its first ten digits")]
pub(super) fn real(count: u64) -> f64 {
    count as f64
}

/// How many of a hundred of `whole` are `part`; of nothing, none.
pub(super) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { real(part) * 100.0 / real(whole) }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.name, self.amount, self.source)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Count(count) => f.write_str(&grouped(count)),
            Self::Bytes(bytes) => f.write_str(&size(bytes)),
            Self::Percent(percent) => write!(f, "{percent:.1} %"),
            Self::Seconds(time) => f.write_str(&long(time)),
            Self::PerSecond(rate) => write!(f, "{rate:.1}/s"),
            Self::Times(times) => write!(f, "{times:.1}×"),
            Self::Mean(mean) => write!(f, "{mean:.1}"),
        }
    }
}

/// `1234567` as `1,234,567`.
pub(super) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// In the largest unit of which there is one.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];
    let (mut amount, mut unit) = (real(bytes), 0);
    while amount >= 1024.0 && unit + 1 < UNITS.len() {
        (amount, unit) = (amount / 1024.0, unit + 1);
    }
    let digits = usize::from(unit > 0 && amount < 100.0);
    format!("{amount:.digits$} {}", UNITS[unit])
}

/// In the units that people say.
pub(super) fn long(time: Duration) -> String {
    const DAY: u64 = 86_400;
    match time.as_secs() {
        0 => format!("{:.1} ms", time.as_secs_f64() * 1_000.0),
        seconds if seconds < 120 => format!("{:.1} s", time.as_secs_f64()),
        seconds if seconds < 2 * 3_600 => format!("{} min", seconds / 60),
        seconds if seconds < 2 * DAY => format!("{} h", seconds / 3_600),
        seconds => format!("{} days", grouped(seconds / DAY)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Amount, Figure};

    #[test]
    fn amounts_print_as_people_say_them() {
        for (amount, text) in [
            (Amount::Count(0), "0"),
            (Amount::Count(999), "999"),
            (Amount::Count(1_234_567), "1,234,567"),
            (Amount::Bytes(512), "512 B"),
            (Amount::Bytes(1_536), "1.5 kB"),
            (Amount::Bytes(200 << 30), "200 GB"),
            (Amount::Percent(12.34), "12.3 %"),
            (Amount::Seconds(Duration::from_millis(12)), "12.0 ms"),
            (Amount::Seconds(Duration::from_secs(90)), "90.0 s"),
            (Amount::Seconds(Duration::from_secs(3 * 86_400)), "3 days"),
            (Amount::PerSecond(12.0), "12.0/s"),
            (Amount::Times(2.25), "2.2×"),
        ] {
            assert_eq!(amount.to_string(), text);
        }
    }

    #[test]
    fn figures_serialize_with_their_unit() {
        let figure = Figure::time("age", Duration::from_millis(1_500), "pg_stat_database");
        let json = serde_json::to_string(&figure).expect("it serializes");
        assert_eq!(json, r#"{"name":"age","amount":{"seconds":1.5},"source":"pg_stat_database"}"#);
    }
}
