//! What a partition covers.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};
use tokio_postgres::types::Type;

use super::Date;

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Where a partition begins or ends. In order of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bound {
    /// There is nothing before it: `MINVALUE`.
    Min,
    /// A moment. Of columns without a time zone, in UTC.
    At(SystemTime),
    /// There is nothing after it: `MAXVALUE`.
    Max,
}

/// What a partition covers: `from` is included, `to` is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bounds {
    /// The first moment.
    pub from: Bound,
    /// The first moment that it does not cover.
    pub to: Bound,
}

impl Bound {
    /// From microseconds since 1970 in UTC; the least and the greatest number are `Min` and `Max`.
    pub(crate) fn from_micros(micros: i64) -> Self {
        match micros {
            i64::MIN => Self::Min,
            i64::MAX => Self::Max,
            _ if micros < 0 => Self::At(UNIX_EPOCH - Duration::from_micros(micros.unsigned_abs())),
            _ => Self::At(UNIX_EPOCH + Duration::from_micros(micros.unsigned_abs())),
        }
    }

    /// The reverse. Moments that PostgreSQL can't have come out as the nearest that it can.
    pub(crate) fn micros(self) -> i64 {
        match self {
            Self::Min => i64::MIN,
            Self::Max => i64::MAX,
            Self::At(time) => match time.duration_since(UNIX_EPOCH) {
                Ok(after) => i64::try_from(after.as_micros()).unwrap_or(i64::MAX),
                Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |micros| -micros),
            },
        }
    }

    /// The start of a day in UTC.
    pub(crate) fn day(date: Date) -> Self {
        Self::from_micros(date.days() * MICROS_PER_DAY)
    }

    /// The day in UTC that it is in, and the microseconds of that day before it. `None` for what is no moment, and for days
    /// before the year 1.
    pub(crate) fn date(self) -> Option<(Date, i64)> {
        let Self::At(_) = self else { return None };
        let micros = self.micros();
        Some((Date::from_days(micros.div_euclid(MICROS_PER_DAY))?, micros.rem_euclid(MICROS_PER_DAY)))
    }

    /// As `FOR VALUES` takes it, for a column of this type. With the offset written out, the session's time zone can't move
    /// it.
    pub(crate) fn sql(self, column: &Type) -> String {
        match self {
            Self::Min => "MINVALUE".to_owned(),
            Self::Max => "MAXVALUE".to_owned(),
            Self::At(_) => format!("'{}'", self.literal(column)),
        }
    }

    /// As a value of a column of this type. Where it is no moment, as infinity.
    pub(crate) fn literal(self, column: &Type) -> String {
        let Some((date, micros)) = self.date() else {
            return if self == Self::Min { "-infinity" } else { "infinity" }.to_owned();
        };
        if *column == Type::DATE {
            return date.to_string();
        }
        let offset = if *column == Type::TIMESTAMP { "" } else { "+00" };
        format!("{date} {}{offset}", clock(micros))
    }
}

impl Bounds {
    /// Whether it covers all that the other does.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.from <= other.from && other.to <= self.to
    }

    /// Whether there is a moment that both cover.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.from < other.to && other.from < self.to
    }
}

/// `12:30:00`, with a fraction where there is one.
fn clock(micros: i64) -> String {
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let time = format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if fraction == 0 { time } else { format!("{time}.{fraction:06}") }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.date()) {
            (Self::Min, _) => f.write_str("the beginning"),
            (Self::Max, _) => f.write_str("the end"),
            (Self::At(_), Some((date, 0))) => write!(f, "{date}"),
            (Self::At(_), Some((date, micros))) => write!(f, "{date} {}", clock(micros)),
            (Self::At(_), None) => f.write_str("before the year 1"),
        }
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from {} to {}", self.from, self.to)
    }
}

impl Serialize for Bound {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::At(_) => serializer.serialize_str(&self.literal(&Type::TIMESTAMPTZ)),
            Self::Min | Self::Max => serializer.serialize_none(),
        }
    }
}

impl Serialize for Bounds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut fields = serializer.serialize_struct("Bounds", 2)?;
        fields.serialize_field("from", &self.from)?;
        fields.serialize_field("to", &self.to)?;
        fields.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_in_order_of_time() {
        let mut bounds = [i64::MAX, 5, -5, 0, i64::MIN, 10_000 * 366 * MICROS_PER_DAY].map(Bound::from_micros);
        bounds.sort();
        assert_eq!(
            bounds.map(Bound::micros),
            [i64::MIN, -5, 0, 5, 10_000 * 366 * MICROS_PER_DAY, i64::MAX],
            "also behind the year 9999"
        );
    }

    #[test]
    fn each_type_of_column_has_its_spelling() {
        let bound = Bound::from_micros(1_704_067_200_000_000);
        assert_eq!(bound.sql(&Type::DATE), "'2024-01-01'");
        assert_eq!(bound.sql(&Type::TIMESTAMP), "'2024-01-01 00:00:00'");
        assert_eq!(bound.sql(&Type::TIMESTAMPTZ), "'2024-01-01 00:00:00+00'");
        let odd = Bound::from_micros(-1);
        assert_eq!(odd.literal(&Type::TIMESTAMPTZ), "1969-12-31 23:59:59.999999+00");
        assert_eq!(odd.to_string(), "1969-12-31 23:59:59.999999");
        assert_eq!([Bound::Min, Bound::Max].map(|bound| bound.sql(&Type::DATE)), ["MINVALUE", "MAXVALUE"]);
    }

    #[test]
    fn what_touches_does_not_overlap() {
        let bounds = |from, to| Bounds { from: Bound::from_micros(from), to: Bound::from_micros(to) };
        assert!(!bounds(0, 5).overlaps(&bounds(5, 9)));
        assert!(bounds(0, 6).overlaps(&bounds(5, 9)));
        assert!(bounds(i64::MIN, i64::MAX).covers(&bounds(0, 5)));
        assert!(!bounds(0, 4).covers(&bounds(0, 5)));
    }
}
