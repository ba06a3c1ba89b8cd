//! Amounts of memory, as PostgreSQL writes them.

use std::error::Error as StdError;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An amount of memory or disk.
///
/// ```
/// use shardwise::tune::Size;
///
/// assert_eq!("64GB".parse::<Size>()?, Size::gb(64));
/// assert_eq!("1.5 GiB".parse::<Size>()?, Size::mb(1536));
/// assert_eq!(Size::mb(1536).to_string(), "1536MB");
/// assert!("64".parse::<Size>().is_err());
/// # Ok::<(), shardwise::tune::SizeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Size(u64);

/// PostgreSQL's units, the largest first. In its configuration `kB` has 1024 bytes, and so on.
const UNITS: [(&str, u64); 5] = [("TB", 1 << 40), ("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10), ("B", 1)];

impl Size {
    /// So many bytes.
    #[must_use]
    pub const fn bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// So many times 1024 bytes.
    #[must_use]
    pub const fn kb(count: u64) -> Self {
        Self(count.saturating_mul(1 << 10))
    }

    /// So many times 1024² bytes.
    #[must_use]
    pub const fn mb(count: u64) -> Self {
        Self(count.saturating_mul(1 << 20))
    }

    /// So many times 1024³ bytes.
    #[must_use]
    pub const fn gb(count: u64) -> Self {
        Self(count.saturating_mul(1 << 30))
    }

    /// In bytes.
    #[must_use]
    pub const fn as_bytes(self) -> u64 {
        self.0
    }

    pub(super) const fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(count))
    }

    pub(super) const fn over(self, parts: u64) -> Self {
        Self(self.0 / if parts == 0 { 1 } else { parts })
    }

    pub(super) const fn plus(self, more: Self) -> Self {
        Self(self.0.saturating_add(more.0))
    }

    pub(super) const fn minus(self, less: Self) -> Self {
        Self(self.0.saturating_sub(less.0))
    }

    /// Down to a number that a person reads easily and that every setting takes: whole megabytes, below 16 MB steps of 64 kB, below
    /// 1 MB whole kilobytes.
    pub(super) const fn rounded(self) -> Self {
        let step = match self.0 {
            bytes if bytes >= Self::mb(16).0 => Self::mb(1),
            bytes if bytes >= Self::mb(1).0 => Self::kb(64),
            _ => Self::kb(1),
        };
        Self(self.0 - self.0 % step.0)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(_, bytes): &&(&str, u64)| self.0.is_multiple_of(*bytes) && self.0 >= *bytes;
        let (unit, bytes) = UNITS.iter().find(fits).unwrap_or(&("B", 1));
        write!(f, "{}{unit}", self.0 / bytes)
    }
}

/// A text that is no [`Size`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SizeError {
    text: String,
    why: &'static str,
}

impl fmt::Display for SizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no size: {}; write \"64GB\", \"512MB\" or \"1.5TB\"", self.text, self.why)
    }
}

impl StdError for SizeError {}

impl FromStr for Size {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        let bad = |why| SizeError { text: text.chars().take(40).collect(), why };
        let trimmed = text.trim();
        let end = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
        let (number, unit) = trimmed.split_at(end);
        let unit = unit_of(unit.trim_start()).map_err(bad)?;
        let bytes = product(number, unit).ok_or_else(|| bad("that is not a number, or beyond all memory"))?;
        if bytes == 0 { Err(bad("it has to be more than nothing")) } else { Ok(Self(bytes)) }
    }
}

fn unit_of(unit: &str) -> Result<u64, &'static str> {
    if unit.is_empty() {
        return Err("it has no unit");
    }
    if unit.ends_with('b') {
        return Err("a small b stands for bits");
    }
    let letter = unit.strip_suffix("iB").or_else(|| unit.strip_suffix('B')).unwrap_or(unit);
    let power = ["", "k", "m", "g", "t"].iter().position(|known| letter.eq_ignore_ascii_case(known));
    power.map(|power| 1 << (10 * power)).ok_or("its unit is none of kB, MB, GB and TB")
}

/// Exact, for a fraction of up to six digits.
fn product(number: &str, unit: u64) -> Option<u64> {
    const SCALE: u128 = 1_000_000;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if fraction.is_empty() || fraction.len() > 6 {
        return None;
    }
    let whole: u128 = whole.parse::<u64>().ok()?.into();
    let fraction: u128 = format!("{fraction:0<6}").parse().ok()?;
    u64::try_from((whole * SCALE + fraction) * u128::from(unit) / SCALE).ok()
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Size;

    #[test]
    fn sizes_are_read() {
        for (text, bytes) in [
            ("64GB", 64 << 30),
            ("64 gB", 64 << 30),
            ("64G", 64 << 30),
            ("64GiB", 64 << 30),
            (" 8kB ", 8 << 10),
            ("8KB", 8 << 10),
            ("0.5TB", 1 << 39),
            ("1.000001MB", 1_048_577),
            ("7B", 7),
        ] {
            assert_eq!(text.parse(), Ok(Size::bytes(bytes)), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused_with_the_fix() {
        for (text, why) in [
            ("64", "no unit"),
            ("", "no unit"),
            ("GB", "not a number"),
            ("64Gb", "bits"),
            ("64PB", "none of kB"),
            ("-1GB", "none of kB"),
            ("0GB", "more than nothing"),
            ("1.GB", "not a number"),
            ("1.2.3GB", "not a number"),
            ("1.0000001GB", "not a number"),
            ("99999999999999999999GB", "beyond all memory"),
            ("18000000TB", "beyond all memory"),
            ("64 G B", "none of kB"),
            ("1e3GB", "none of kB"),
        ] {
            let error = text.parse::<Size>().expect_err(text).to_string();
            assert!(error.contains(why) && error.contains("write \"64GB\""), "{text}: {error}");
        }
    }

    #[test]
    fn sizes_print_as_they_are_read() {
        for text in ["64GB", "1536MB", "1TB", "8kB", "1025B"] {
            assert_eq!(text.parse::<Size>().map(|size| size.to_string()).as_deref(), Ok(text));
        }
        assert_eq!(Size::bytes((1 << 34) + 1).rounded(), Size::gb(16));
        assert_eq!(Size::bytes((1 << 20) + 1).rounded(), Size::mb(1));
        assert_eq!(Size::bytes((1 << 20) - 1).rounded(), Size::kb(1023));
    }
}
