//! Which partitions a table should have: intervals of time in UTC, and what they are called.
//!
//! There is no `DEFAULT` partition unless somebody asks for one. It would take the rows that no other partition takes, and
//! from then on PostgreSQL refuses to create the very partition that those rows belong to; and each new partition would have
//! to lock and scan it. An insert that no partition takes fails loudly instead, and every `apply` keeps the window ahead
//! filled.

use tokio_postgres::types::Type;

use super::{Bound, Bounds, Date, Interval, Table, names};

/// How many partitions an apply keeps ready after the current one.
pub(crate) const AHEAD: usize = 3;

/// A partition that should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) name: String,
    pub(crate) bounds: Bounds,
}

/// The partition of `today` and so many after it. Empty for a table that is not partitioned.
pub(crate) fn window(table: &Table, today: Date, ahead: usize) -> Vec<Span> {
    let Some(partition) = table.partition else { return Vec::new() };
    let starts =
        std::iter::successors(Some(start_of(partition.interval, today)), |&date| Some(next(partition.interval, date)));
    starts.take(1 + ahead).map(|date| whole(table, partition.interval, date)).collect()
}

/// The partition of the interval that a moment is in. `None` for a table that is not partitioned, and where it is no moment.
pub(crate) fn around(table: &Table, moment: Bound) -> Option<Span> {
    let interval = table.partition?.interval;
    Some(whole(table, interval, start_of(interval, moment.date()?.0)))
}

/// The partitions that together cover this, cut at the ends of intervals. Those at its ends may be shorter than an interval.
/// `None` where an end is open.
pub(crate) fn cover(table: &Table, bounds: Bounds) -> Option<Vec<Span>> {
    let mut spans = Vec::new();
    let mut from = bounds.from;
    bounds.to.date()?;
    while from < bounds.to {
        let Span { name, bounds: interval } = around(table, from)?;
        let part = Bounds { from, to: interval.to.min(bounds.to) };
        let name = if from == interval.from { name } else { names::partition(table, &moment_suffix(table, from)?) };
        spans.push(Span { name, bounds: part });
        from = part.to;
    }
    Some(spans)
}

/// The type of the partition column, as it travels.
pub(crate) fn column_type(table: &Table) -> &Type {
    let column = table.partition.and_then(|partition| table.column(partition.column));
    column.map_or(&Type::TIMESTAMPTZ, |column| &column.wire)
}

fn whole(table: &Table, interval: Interval, start: Date) -> Span {
    let bounds = Bounds { from: Bound::day(start), to: Bound::day(next(interval, start)) };
    Span { name: names::partition(table, &suffix(interval, start)), bounds }
}

fn start_of(interval: Interval, date: Date) -> Date {
    match interval {
        Interval::Daily => date,
        Interval::Weekly => date.start_of_week(),
        Interval::Monthly => date.start_of_month(),
        Interval::Yearly => date.start_of_year(),
    }
}

/// The start of the interval after the one that starts at `date`.
fn next(interval: Interval, date: Date) -> Date {
    match interval {
        Interval::Daily => date.next_day(),
        Interval::Weekly => (0..7).fold(date, |date, _| date.next_day()),
        Interval::Monthly => date.next_month(),
        Interval::Yearly => Date { year: date.year + 1, ..date },
    }
}

fn suffix(interval: Interval, date: Date) -> String {
    match interval {
        Interval::Daily => format!("{:04}_{:02}_{:02}", date.year, date.month, date.day),
        Interval::Weekly => {
            let (year, week) = date.iso_week();
            format!("{year:04}_w{week:02}")
        }
        Interval::Monthly => format!("{:04}_{:02}", date.year, date.month),
        Interval::Yearly => format!("{:04}", date.year),
    }
}

/// Of a partition that begins within an interval: the interval's own name is that of the one that begins with it.
fn moment_suffix(table: &Table, from: Bound) -> Option<String> {
    let (date, micros) = from.date()?;
    let (interval, day) = (suffix(table.partition?.interval, date), suffix(Interval::Daily, date));
    let seconds = micros / 1_000_000;
    let time = format!("{:02}{:02}{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    Some(match micros {
        0 => format!("{interval}_from_{day}"),
        _ => format!("{interval}_from_{day}_{time}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{ColumnDef, Kind, Partition};

    fn table(interval: Interval, wire: Type) -> Table {
        let columns = vec![ColumnDef {
            field: "at",
            name: "at",
            sql_type: "timestamptz",
            wire,
            bind: "",
            read: "",
            nullable: false,
            default: None,
            generated: None,
            enumeration: None,
            denormalized: None,
            is_region: false,
        }];
        Table {
            entity: "Event",
            schema: None,
            name: "events",
            kind: Kind::Reference,
            columns: columns.leak(),
            key: &["at"],
            primary_key: &["at"],
            uniques: &[],
            indexes: &[],
            foreign_keys: &[],
            checks: &[],
            partition: Some(Partition { column: "at", interval }),
            rollup: None,
            view: None,
        }
    }

    fn spans(interval: Interval, wire: Type, today: &str) -> Vec<String> {
        let table = table(interval, wire);
        let today = Date::parse(today).expect("a date");
        let bound = |bound: Bound| bound.literal(column_type(&table));
        let line = |span: Span| format!("{} {} {}", span.name, bound(span.bounds.from), bound(span.bounds.to));
        window(&table, today, AHEAD).into_iter().map(line).collect()
    }

    #[test]
    fn days_cross_a_leap_day_and_a_month() {
        assert_eq!(
            spans(Interval::Daily, Type::DATE, "2024-02-28"),
            [
                "events_2024_02_28 2024-02-28 2024-02-29",
                "events_2024_02_29 2024-02-29 2024-03-01",
                "events_2024_03_01 2024-03-01 2024-03-02",
                "events_2024_03_02 2024-03-02 2024-03-03",
            ]
        );
    }

    #[test]
    fn weeks_are_named_by_the_iso_year() {
        assert_eq!(
            spans(Interval::Weekly, Type::TIMESTAMP, "2026-12-27"),
            [
                "events_2026_w52 2026-12-21 00:00:00 2026-12-28 00:00:00",
                "events_2026_w53 2026-12-28 00:00:00 2027-01-04 00:00:00",
                "events_2027_w01 2027-01-04 00:00:00 2027-01-11 00:00:00",
                "events_2027_w02 2027-01-11 00:00:00 2027-01-18 00:00:00",
            ]
        );
    }

    #[test]
    fn months_cross_the_year() {
        assert_eq!(
            spans(Interval::Monthly, Type::TIMESTAMPTZ, "2024-11-30"),
            [
                "events_2024_11 2024-11-01 00:00:00+00 2024-12-01 00:00:00+00",
                "events_2024_12 2024-12-01 00:00:00+00 2025-01-01 00:00:00+00",
                "events_2025_01 2025-01-01 00:00:00+00 2025-02-01 00:00:00+00",
                "events_2025_02 2025-02-01 00:00:00+00 2025-03-01 00:00:00+00",
            ]
        );
    }

    #[test]
    fn years_follow_each_other() {
        let spans = spans(Interval::Yearly, Type::DATE, "2024-12-31");
        assert_eq!(spans[0], "events_2024 2024-01-01 2025-01-01");
        assert_eq!(spans[3], "events_2027 2027-01-01 2028-01-01");
    }

    fn covered(interval: Interval, from: &str, to: &str, micros: i64) -> Option<Vec<String>> {
        let day = |text| Bound::day(Date::parse(text).expect("a date")).micros();
        let bounds = Bounds { from: Bound::from_micros(day(from) + micros), to: Bound::from_micros(day(to)) };
        let spans = cover(&table(interval, Type::TIMESTAMPTZ), bounds)?;
        Some(spans.into_iter().map(|span| format!("{} {}", span.name, span.bounds)).collect())
    }

    #[test]
    fn a_gap_is_filled_by_intervals_and_what_is_left_of_them() {
        assert_eq!(
            covered(Interval::Monthly, "2024-02-10", "2024-04-15", 0).expect("finite"),
            [
                "events_2024_02_from_2024_02_10 from 2024-02-10 to 2024-03-01",
                "events_2024_03 from 2024-03-01 to 2024-04-01",
                "events_2024_04 from 2024-04-01 to 2024-04-15",
            ]
        );
        assert_eq!(
            covered(Interval::Daily, "2024-02-28", "2024-03-01", 43_200_000_000).expect("finite"),
            [
                "events_2024_02_28_from_2024_02_28_120000 from 2024-02-28 12:00:00 to 2024-02-29",
                "events_2024_02_29 from 2024-02-29 to 2024-03-01",
            ]
        );
        assert_eq!(covered(Interval::Weekly, "2024-03-01", "2024-03-01", 0), Some(Vec::new()));
    }

    #[test]
    fn what_has_no_end_is_not_covered() {
        let table = table(Interval::Daily, Type::DATE);
        let open = Bounds { from: Bound::Min, to: Bound::day(Date::parse("2024-01-01").expect("a date")) };
        assert_eq!(cover(&table, open), None);
        assert_eq!(cover(&table, Bounds { from: open.to, to: Bound::Max }), None);
    }

    // The server's own calendar is asked in the tests on servers; this is each day of leap years and of those around.
    #[test]
    fn each_day_is_in_one_partition_of_its_window() {
        for interval in [Interval::Daily, Interval::Weekly, Interval::Monthly, Interval::Yearly] {
            let (table, mut day) = (table(interval, Type::TIMESTAMPTZ), Date::parse("1999-12-01").expect("a date"));
            while day.year < 2029 {
                let moment = Bound::from_micros(Bound::day(day).micros() + 1);
                let spans = window(&table, day, 2);
                assert!(spans[0].bounds.from < moment && moment < spans[0].bounds.to, "{day} {spans:?}");
                assert!(spans.windows(2).all(|pair| pair[0].bounds.to == pair[1].bounds.from), "{day} {spans:?}");
                assert_eq!(around(&table, moment).as_ref(), spans.first());
                day = day.next_day();
            }
        }
    }
}
