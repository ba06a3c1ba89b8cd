//! Typed columns: what filters, orders, joins and updates are made of.

use std::fmt;
use std::marker::PhantomData;

use super::Entity;
use super::column_type::{ColumnType, NeverNull, TextLike};
use super::filter::{Comparison, Filter, Value};
use crate::schema::Table;

/// A column of the entity `E` whose field has the type `T`. The derive makes one constant per field.
pub struct Column<E, T> {
    pub(super) raw: RawColumn,
    marker: PhantomData<fn() -> (E, T)>,
}

/// A column without its types.
#[derive(Clone, Copy)]
pub(crate) struct RawColumn {
    pub(crate) table: fn() -> &'static Table,
    pub(crate) name: &'static str,
    pub(crate) bind: &'static str,
}

impl<E, T> Clone for Column<E, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E, T> Copy for Column<E, T> {}

impl<E, T> fmt::Debug for Column<E, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Column({})", self.raw.name)
    }
}

impl<E: Entity, T> Column<E, T> {
    /// For the derive: the column's name, and the cast behind its parameters (see [`ColumnType::BIND`]).
    #[doc(hidden)]
    #[must_use]
    pub const fn new(name: &'static str, bind: &'static str) -> Self {
        Self { raw: RawColumn { table: E::table, name, bind }, marker: PhantomData }
    }
}

impl<E: Entity, T: ColumnType> Column<E, T> {
    /// The column's name in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.raw.name
    }

    pub(crate) fn raw(self) -> RawColumn {
        self.raw
    }

    fn compare(self, comparison: Comparison, operand: impl Operand<T>) -> Filter<E> {
        Filter::compare(self.raw, comparison, operand.into_value(), T::WIRE)
    }

    fn matches(self, comparison: Comparison, pattern: String) -> Filter<E> {
        Filter::compare(self.raw, comparison, Box::new(pattern), T::WIRE)
    }

    /// `column = value`
    pub fn eq(self, value: impl Operand<T>) -> Filter<E> {
        self.compare(Comparison::Eq, value)
    }

    /// `column <> value`. As in SQL, a NULL is neither equal nor unequal.
    pub fn ne(self, value: impl Operand<T>) -> Filter<E> {
        self.compare(Comparison::Ne, value)
    }

    /// `column < value`
    pub fn lt(self, value: impl Operand<T>) -> Filter<E> {
        self.compare(Comparison::Lt, value)
    }

    /// `column <= value`
    pub fn le(self, value: impl Operand<T>) -> Filter<E> {
        self.compare(Comparison::Le, value)
    }

    /// `column > value`
    pub fn gt(self, value: impl Operand<T>) -> Filter<E> {
        self.compare(Comparison::Gt, value)
    }

    /// `column >= value`
    pub fn ge(self, value: impl Operand<T>) -> Filter<E> {
        self.compare(Comparison::Ge, value)
    }

    /// `column BETWEEN low AND high`: both ends are included.
    pub fn between(self, low: impl Operand<T>, high: impl Operand<T>) -> Filter<E> {
        self.ge(low).and(self.le(high))
    }

    /// `column IN (values)`. An empty list matches no row.
    pub fn is_in<V: Operand<T>>(self, values: impl IntoIterator<Item = V>) -> Filter<E> {
        Filter::any_of(self.raw, values.into_iter().map(Operand::into_value).collect(), T::WIRE)
    }

    /// `column IS NULL`
    pub fn is_null(self) -> Filter<E> {
        Filter::null(self.raw)
    }

    /// `column IS NOT NULL`
    pub fn is_not_null(self) -> Filter<E> {
        !self.is_null()
    }

    /// `column LIKE pattern`, where `%` stands for any text and `_` for one character. Text that comes from a user
    /// goes through [`escape_like`](super::escape_like) first.
    pub fn like(self, pattern: impl Into<String>) -> Filter<E>
    where
        T: TextLike,
    {
        self.matches(Comparison::Like, pattern.into())
    }

    /// `column ILIKE pattern`: as [`like`](Self::like), ignoring case.
    pub fn ilike(self, pattern: impl Into<String>) -> Filter<E>
    where
        T: TextLike,
    {
        self.matches(Comparison::ILike, pattern.into())
    }

    /// Sorts by this column, smallest first.
    #[must_use]
    pub fn asc(self) -> Order<E> {
        Order { column: self.raw, descending: false, nullable: T::NULLABLE, marker: PhantomData }
    }

    /// Sorts by this column, largest first.
    #[must_use]
    pub fn desc(self) -> Order<E> {
        Order { column: self.raw, descending: true, nullable: T::NULLABLE, marker: PhantomData }
    }

    /// Joins on the equality of this column and one of another entity.
    #[must_use]
    pub fn on<F: Entity, U: ColumnType>(self, other: Column<F, U>) -> JoinOn<E, F>
    where
        T: SameValue<U>,
    {
        JoinOn { left: self.raw, right: other.raw, marker: PhantomData }
    }
}

/// One column of an `ORDER BY`.
pub struct Order<E> {
    pub(crate) column: RawColumn,
    pub(crate) descending: bool,
    pub(crate) nullable: bool,
    marker: PhantomData<fn() -> E>,
}

impl<E> fmt::Debug for Order<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.column.name, if self.descending { "DESC" } else { "ASC" })
    }
}

/// The condition of a join: `left = right`.
pub struct JoinOn<E, F> {
    pub(crate) left: RawColumn,
    pub(crate) right: RawColumn,
    marker: PhantomData<fn() -> (E, F)>,
}

impl<E, F> fmt::Debug for JoinOn<E, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.left.name, self.right.name)
    }
}

/// Field types whose values can be compared: the same type, either or both in an `Option`.
#[diagnostic::on_unimplemented(
    message = "columns of type `{Self}` and `{U}` can't be compared",
    label = "not a column of type `{Self}`",
    note = "join on columns of one type, either or both in an `Option`"
)]
pub trait SameValue<U> {}
impl<T: NeverNull> SameValue<T> for T {}
impl<T: NeverNull> SameValue<Option<T>> for T {}
impl<T: NeverNull> SameValue<T> for Option<T> {}
impl<T: NeverNull> SameValue<Option<T>> for Option<T> {}

/// A value that a column of type `T` is compared with: never NULL (that is what `is_null` is for).
#[diagnostic::on_unimplemented(
    message = "a column of type `{T}` can't be compared with `{Self}`",
    label = "not a value of the column",
    note = "compare it with a value of its type, without an `Option` around it; for NULL write `.is_null()`"
)]
pub trait Operand<T> {
    #[doc(hidden)]
    fn into_value(self) -> Value;
}

#[diagnostic::do_not_recommend]
impl<T: ColumnType + NeverNull> Operand<T> for T {
    fn into_value(self) -> Value {
        Box::new(self)
    }
}

#[diagnostic::do_not_recommend]
impl<T: ColumnType + NeverNull> Operand<Option<T>> for T {
    fn into_value(self) -> Value {
        Box::new(self)
    }
}

impl Operand<String> for &str {
    fn into_value(self) -> Value {
        Box::new(self.to_owned())
    }
}

impl Operand<Option<String>> for &str {
    fn into_value(self) -> Value {
        Box::new(self.to_owned())
    }
}

impl Operand<String> for &String {
    fn into_value(self) -> Value {
        Box::new(self.clone())
    }
}

impl Operand<Option<String>> for &String {
    fn into_value(self) -> Value {
        Box::new(self.clone())
    }
}

/// A column that can be summed up.
#[diagnostic::on_unimplemented(
    message = "a column of type `{Self}` can't be summed up or added to",
    label = "not a number",
    note = "numbers are i16, i32, i64, f32, f64, an `Option` of them, and with the feature rust_decimal Decimal"
)]
pub trait Summable: ColumnType {
    /// The sum's type: wide enough for any table, else the server reports an overflow.
    type Sum: ColumnType;
    /// The cast of `sum(column)` to that type.
    const CAST: &'static str;
}

macro_rules! summable {
    ($($rust:ty => $sum:ty, $cast:literal);+ $(;)?) => {$(
        impl Summable for $rust {
            type Sum = $sum;
            const CAST: &'static str = $cast;
        }
        impl Summable for Option<$rust> {
            type Sum = $sum;
            const CAST: &'static str = $cast;
        }
    )+};
}
summable! {
    i16 => i64, "::bigint";
    i32 => i64, "::bigint";
    i64 => i64, "::bigint";
    f32 => f64, "::double precision";
    f64 => f64, "::double precision";
}
#[cfg(feature = "rust_decimal")]
summable! { rust_decimal::Decimal => rust_decimal::Decimal, "::numeric"; }

/// A column and the value or change that an update gives it.
pub(crate) struct Assignment {
    pub(crate) column: RawColumn,
    pub(crate) value: Value,
    pub(crate) wire: tokio_postgres::types::Type,
    /// Whether the value is added to the old one in place of replacing it.
    pub(crate) adds: bool,
}

impl fmt::Debug for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} …", self.column.name, if self.adds { "+=" } else { "=" })
    }
}

impl Assignment {
    pub(crate) fn set<E: Entity, T: ColumnType>(column: Column<E, T>, value: T) -> Self {
        Self { column: column.raw, value: Box::new(value), wire: T::WIRE, adds: false }
    }

    pub(crate) fn add<E: Entity, T: Summable>(column: Column<E, T>, value: T) -> Self {
        Self { column: column.raw, value: Box::new(value), wire: T::WIRE, adds: true }
    }
}
