//! Which partitions a table has at a given day.
//!
//! There is no `DEFAULT` partition. It would take the rows that no other partition takes, and from then on PostgreSQL
//! refuses to create the very partition that those rows belong to; and each new partition would have to lock and scan
//! it. An insert that no partition takes fails loudly instead, and every `apply` keeps the window ahead filled.

use tokio_postgres::types::Type;

use super::{Date, Interval, Partition, Table, names};

/// How many partitions are kept ready after the current one.
const AHEAD: usize = 3;

/// One partition: `from` is included, `to` is not. Both are written as PostgreSQL prints them in UTC with the ISO date
/// style, so that they sort as text and compare with what the catalog says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) name: String,
    pub(crate) from: String,
    pub(crate) to: String,
}

/// The partition of `today` and the next ones. Empty for a table that is not partitioned.
pub(crate) fn window(table: &Table, today: Date) -> Vec<Span> {
    let Some(partition) = table.partition else { return Vec::new() };
    let bound = bound_suffix(table, partition);
    let start = start_of(partition.interval, today);
    std::iter::successors(Some(start), |&date| Some(next(partition.interval, date)))
        .take(1 + AHEAD)
        .map(|date| Span {
            name: names::partition(table, &suffix(partition.interval, date)),
            from: format!("{date}{bound}"),
            to: format!("{}{bound}", next(partition.interval, date)),
        })
        .collect()
}

/// What stands behind the day in a bound of the partition column's type. With the offset written out, the session's
/// time zone can't move it.
fn bound_suffix(table: &Table, partition: Partition) -> &'static str {
    match table.column(partition.column).map(|column| &column.wire) {
        Some(wire) if *wire == Type::DATE => "",
        Some(wire) if *wire == Type::TIMESTAMP => " 00:00:00",
        _ => " 00:00:00+00",
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{ColumnDef, Kind};

    fn spans(interval: Interval, wire: Type, today: &str) -> Vec<String> {
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
            is_region: false,
        }];
        let table = Table {
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
        };
        let today = Date::parse(today).expect("a date");
        window(&table, today).into_iter().map(|span| format!("{} {} {}", span.name, span.from, span.to)).collect()
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
}
