//! What `#[derive(Rollup)]` asks of its fields and of its source, and what sets a rollup apart.

use std::time::SystemTime;

use super::{Column, ColumnType, Distributed, Element, Entity, PartitionColumn};

/// An entity whose rows are written by hand: `#[derive(Entity)]` makes one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be written",
    label = "it is made of other rows",
    note = "a rollup follows the rows of its source, and a materialized view is refreshed: write the rows behind it"
)]
pub trait Writable: Entity {}

/// An entity whose rows add up those of another one: `#[derive(Rollup)]` makes one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a rollup",
    label = "not a rollup",
    note = "add #[derive(Rollup)] and #[rollup(table = \"…\", of = Transaction, distributed_by = festival_id)] to `{Self}`"
)]
pub trait Rollup: Distributed {}

/// The type of a column of the group whose values are a source's moments, cut to a day, week, month or year: a date, or the
/// type of the source's column.
#[diagnostic::on_unimplemented(
    message = "a moment that is cut to a day, week, month or year can't be a `{Self}`",
    label = "neither a date nor a `{C}`",
    note = "use a date (jiff::civil::Date, chrono::NaiveDate, time::Date), or the type of the source's column"
)]
pub trait PeriodOf<C>: Element {}

/// The same for an hour.
#[diagnostic::on_unimplemented(
    message = "a moment that is cut to an hour can't be a `{Self}`",
    label = "not a timestamp like the source's column",
    note = "give the field the type of the source's column, which has to be a timestamp"
)]
pub trait HourOf<C>: Element {}

/// The type of a count.
#[diagnostic::on_unimplemented(
    message = "a count can't be a `{Self}`",
    label = "not an i64",
    note = "rows are counted in an i64"
)]
pub trait CountColumn: ColumnType {}
impl CountColumn for i64 {}

/// A column whose values can be added up and taken away again without an error, and the type of the sum.
#[diagnostic::on_unimplemented(
    message = "values of type `{Self}` can't be added up to a `{S}` in a rollup",
    label = "no exact sum of this type",
    note = "i16, i32, i64 and an `Option` of them add up to an i64; Decimal, with the feature rust_decimal, to a Decimal",
    note = "what is added to an f64 and taken away again leaves a rest: use i64 or Decimal"
)]
pub trait ExactSum<S>: ColumnType {}

macro_rules! exact_sums {
    ($($rust:ty => $sum:ty),+ $(,)?) => {$(
        impl ExactSum<$sum> for $rust {}
        impl ExactSum<$sum> for Option<$rust> {}
    )+};
}
exact_sums! { i16 => i64, i32 => i64, i64 => i64 }
#[cfg(feature = "rust_decimal")]
exact_sums! { rust_decimal::Decimal => rust_decimal::Decimal }

macro_rules! moments {
    ($($timestamp:ty),+) => {$(
        impl PeriodOf<$timestamp> for $timestamp {}
        impl HourOf<$timestamp> for $timestamp {}
    )+};
}
moments!(SystemTime);
#[cfg(feature = "jiff")]
moments!(jiff::Timestamp, jiff::civil::DateTime);
#[cfg(feature = "jiff")]
impl<C: PartitionColumn> PeriodOf<C> for jiff::civil::Date {}
#[cfg(feature = "chrono")]
moments!(chrono::DateTime<chrono::Utc>, chrono::NaiveDateTime);
#[cfg(feature = "chrono")]
impl<C: PartitionColumn> PeriodOf<C> for chrono::NaiveDate {}
#[cfg(feature = "time")]
moments!(time::OffsetDateTime, time::PrimitiveDateTime);
#[cfg(feature = "time")]
impl<C: PartitionColumn> PeriodOf<C> for time::Date {}

/// What the derive writes so that the compiler checks it: constants of these have no other use.
#[doc(hidden)]
pub mod checked {
    use super::{Column, CountColumn, ExactSum, HourOf, PartitionColumn, PeriodOf, Writable};

    pub const fn same<E: Writable, T>(_: Column<E, T>) {}
    pub const fn period<E: Writable, T: PeriodOf<C>, C: PartitionColumn>(_: Column<E, C>) {}
    pub const fn hour<E: Writable, T: HourOf<C>, C: PartitionColumn>(_: Column<E, C>) {}
    pub const fn count<T: CountColumn>() {}
    pub const fn sum<E: Writable, S, T: ExactSum<S>>(_: Column<E, T>) {}

    /// Whether two names are one.
    pub const fn same_name(a: &str, b: &str) -> bool {
        let (a, b) = (a.as_bytes(), b.as_bytes());
        if a.len() != b.len() {
            return false;
        }
        let mut at = 0;
        while at < a.len() {
            if a[at] != b[at] {
                return false;
            }
            at += 1;
        }
        true
    }
}
