//! One line of `postgresql.conf`.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::Size;

/// A line of `postgresql.conf`, and why it is there.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Setting {
    /// The parameter.
    pub name: &'static str,
    /// Its value.
    pub value: Value,
    /// Why it has this value, in a sentence.
    pub reason: String,
    /// Whose word that is: a chapter of PostgreSQL's or Citus's documentation, or this library's own sum.
    pub source: &'static str,
}

/// The value of a parameter. It prints, and serializes, as the configuration file has it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// An amount of memory or disk.
    Size(Size),
    /// A time, in whole milliseconds.
    Time(Duration),
    /// A number.
    Count(u64),
    /// A number with a fraction.
    Real(f64),
    /// On or off.
    Flag(bool),
    /// One of several words.
    Word(&'static str),
    /// A text, which is quoted.
    Text(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size(size) => size.fmt(f),
            Self::Time(time) if time.subsec_millis() == 0 && time.as_secs().is_multiple_of(60) => {
                write!(f, "{}min", time.as_secs() / 60)
            }
            Self::Time(time) if time.subsec_millis() == 0 => write!(f, "{}s", time.as_secs()),
            Self::Time(time) => write!(f, "{}ms", time.as_millis()),
            Self::Count(count) => count.fmt(f),
            // One digit at least, so that it is seen to be no whole number.
            Self::Real(real) => write!(f, "{real:?}"),
            Self::Flag(flag) => f.write_str(if *flag { "on" } else { "off" }),
            Self::Word(word) => f.write_str(word),
            Self::Text(text) => write!(f, "'{}'", text.replace('\'', "''")),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Chapters, by their titles: their numbers change between versions.
pub(super) mod source {
    pub(crate) const CONNECTIONS: &str = "PostgreSQL docs, Connections and Authentication";
    pub(crate) const RESOURCES: &str = "PostgreSQL docs, Resource Consumption";
    pub(crate) const WAL: &str = "PostgreSQL docs, Write Ahead Log";
    pub(crate) const WAL_TUNING: &str = "PostgreSQL docs, WAL Configuration";
    pub(crate) const REPLICATION: &str = "PostgreSQL docs, Replication";
    pub(crate) const PLANNING: &str = "PostgreSQL docs, Query Planning";
    pub(crate) const JIT: &str = "PostgreSQL docs, When to JIT?";
    pub(crate) const STATISTICS: &str = "PostgreSQL docs, Run-time Statistics";
    pub(crate) const VACUUM: &str = "PostgreSQL docs, Automatic Vacuuming";
    pub(crate) const LOCKS: &str = "PostgreSQL docs, Lock Management";
    pub(crate) const HUGE_PAGES: &str = "PostgreSQL docs, Linux Huge Pages";
    pub(crate) const CITUS: &str = "Citus docs, Configuration Reference";
    pub(crate) const SUM: &str = "the sum of memory";
}

/// The lines of one topic, collected one by one.
#[derive(Debug, Default)]
pub(super) struct Lines(Vec<Setting>);

impl Lines {
    pub(super) fn add(&mut self, name: &'static str, value: Value, source: &'static str, reason: impl Into<String>) {
        self.0.push(Setting { name, value, reason: reason.into(), source });
    }

    pub(super) fn count(&mut self, name: &'static str, value: u64, source: &'static str, reason: impl Into<String>) {
        self.add(name, Value::Count(value), source, reason);
    }

    pub(super) fn size(&mut self, name: &'static str, value: Size, source: &'static str, reason: impl Into<String>) {
        self.add(name, Value::Size(value), source, reason);
    }

    pub(super) fn into_settings(self) -> Vec<Setting> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Size, Value};

    #[test]
    fn values_print_as_the_file_has_them() {
        for (value, text) in [
            (Value::Size(Size::gb(16)), "16GB"),
            (Value::Time(Duration::from_secs(900)), "15min"),
            (Value::Time(Duration::from_secs(90)), "90s"),
            (Value::Time(Duration::from_millis(2)), "2ms"),
            (Value::Real(1.1), "1.1"),
            (Value::Real(4.0), "4.0"),
            (Value::Flag(true), "on"),
            (Value::Text("citus, it's".to_owned()), "'citus, it''s'"),
        ] {
            assert_eq!(value.to_string(), text);
        }
    }
}
