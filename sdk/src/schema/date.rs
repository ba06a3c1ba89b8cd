//! The little of the calendar that partitions need. A date crate would be one more dependency of every user for four
//! functions; the tests hold these against one, day by day.

use std::fmt;

/// From 0000-03-01 to 1970-01-01.
const DAYS_BEFORE_1970: i64 = 719_468;
/// From 0001-01-01 to 1970-01-01.
const DAYS_FROM_YEAR_1: i64 = 719_162;
const DAYS_PER_ERA: i64 = 146_097;

/// A day of the proleptic Gregorian calendar, from the year 1 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Date {
    pub(crate) year: u32,
    pub(crate) month: u32,
    pub(crate) day: u32,
}

impl Date {
    /// The day that is so many days after 1970-01-01; `None` before the year 1 and where a year has no number.
    ///
    /// Counted in eras of 400 years, which all have the same days, and in years that begin in March, so that the leap day is
    /// their last.
    pub(crate) fn from_days(days: i64) -> Option<Self> {
        let shifted = days + DAYS_BEFORE_1970;
        let (era, day) = (shifted.div_euclid(DAYS_PER_ERA), shifted.rem_euclid(DAYS_PER_ERA));
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let in_month = day - (153 * month + 2) / 5 + 1;
        let (month, year) = if month < 10 { (month + 3, year) } else { (month - 9, year + 1) };
        let year = u32::try_from(year + era * 400).ok().filter(|year| *year >= 1)?;
        Some(Self { year, month: u32::try_from(month).ok()?, day: u32::try_from(in_month).ok()? })
    }

    /// How many days it is after 1970-01-01.
    pub(crate) fn days(self) -> i64 {
        let years = i64::from(self.year) - 1;
        years * 365 + years / 4 - years / 100 + years / 400 + i64::from(self.day_of_year()) - 1 - DAYS_FROM_YEAR_1
    }

    /// Reads `2024-01-31`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '-').map(str::parse::<u32>);
        let date = Self { year: parts.next()?.ok()?, month: parts.next()?.ok()?, day: parts.next()?.ok()? };
        let exists = date.year >= 1
            && (1..=12).contains(&date.month)
            && (1..=days_in_month(date.year, date.month)).contains(&date.day);
        exists.then_some(date)
    }

    pub(crate) fn next_day(self) -> Self {
        if self.day < days_in_month(self.year, self.month) {
            Self { day: self.day + 1, ..self }
        } else {
            self.start_of_month().next_month()
        }
    }

    pub(crate) fn previous_day(self) -> Self {
        if self.day > 1 {
            return Self { day: self.day - 1, ..self };
        }
        let (year, month) = if self.month > 1 { (self.year, self.month - 1) } else { (self.year - 1, 12) };
        Self { year, month, day: days_in_month(year, month) }
    }

    pub(crate) fn start_of_month(self) -> Self {
        Self { day: 1, ..self }
    }

    /// The first day of the month after.
    pub(crate) fn next_month(self) -> Self {
        let (year, month) = if self.month < 12 { (self.year, self.month + 1) } else { (self.year + 1, 1) };
        Self { year, month, day: 1 }
    }

    pub(crate) fn start_of_year(self) -> Self {
        Self { month: 1, day: 1, ..self }
    }

    /// The Monday of its week.
    pub(crate) fn start_of_week(self) -> Self {
        (0..self.days_since_monday()).fold(self, |date, _| date.previous_day())
    }

    /// The year and number of its ISO week: those of the week's Thursday.
    pub(crate) fn iso_week(self) -> (u32, u32) {
        let thursday = (0..3).fold(self.start_of_week(), |date, _| date.next_day());
        (thursday.year, (thursday.day_of_year() - 1) / 7 + 1)
    }

    fn days_since_monday(self) -> u32 {
        let years = self.year - 1;
        // 1 January of the year 1 was a Monday.
        (years * 365 + years / 4 - years / 100 + years / 400 + self.day_of_year() - 1) % 7
    }

    fn day_of_year(self) -> u32 {
        (1..self.month).map(|month| days_in_month(self.year, month)).sum::<u32>() + self.day
    }
}

fn days_in_month(year: u32, month: u32) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        Date::parse(text).expect("a date")
    }

    // The calendar repeats every 400 years, so these are all days that there can be.
    #[test]
    fn agrees_with_a_date_crate_on_every_day_of_four_centuries() {
        let mut theirs = jiff::civil::date(1900, 1, 1);
        let mut ours = date("1900-01-01");
        while ours.year < 2301 {
            assert_eq!(ours.to_string(), theirs.to_string());
            assert_eq!(Date::parse(&ours.to_string()), Some(ours));
            let week = theirs.iso_week_date();
            assert_eq!((ours.year.max(1), ours.iso_week()), {
                let year = u32::try_from(week.year()).expect("after the year 0");
                (ours.year, (year, u32::try_from(week.week()).expect("at least 1")))
            });
            assert_eq!(ours.start_of_week().to_string(), {
                let back = i64::from(theirs.weekday().to_monday_zero_offset());
                theirs.checked_sub(jiff::Span::new().days(back)).expect("in range").to_string()
            });
            assert_eq!(ours.next_day().previous_day(), ours);
            let days = i64::from((theirs - jiff::civil::date(1970, 1, 1)).get_days());
            assert_eq!((ours.days(), Date::from_days(days)), (days, Some(ours)));
            ours = ours.next_day();
            theirs = theirs.tomorrow().expect("in range");
        }
    }

    #[test]
    fn years_end_in_the_middle_of_weeks() {
        assert_eq!(date("2024-12-30").iso_week(), (2025, 1));
        assert_eq!(date("2021-01-03").iso_week(), (2020, 53));
        assert_eq!(date("2026-12-31").iso_week(), (2026, 53));
        assert_eq!(date("2023-01-01").iso_week(), (2022, 52));
        assert_eq!(date("2024-12-31").next_day(), date("2025-01-01"));
        assert_eq!(date("2024-12-05").next_month(), date("2025-01-01"));
    }

    #[test]
    fn counts_days_from_the_year_1_on() {
        assert_eq!(Date::from_days(-719_162), Some(date("0001-01-01")));
        assert_eq!(Date::from_days(-719_163), None);
        assert_eq!(date("0001-01-01").days(), -719_162);
        let far = Date::from_days(100_000_000).expect("a date");
        assert_eq!(far.days(), 100_000_000);
    }

    #[test]
    fn refuses_days_that_do_not_exist() {
        for text in ["2023-02-29", "2100-02-29", "2024-13-01", "2024-00-01", "2024-04-31", "0000-01-01", "x", ""] {
            assert_eq!(Date::parse(text), None, "{text}");
        }
        assert!(Date::parse("2000-02-29").is_some());
    }
}
