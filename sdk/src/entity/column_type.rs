//! Which Rust types can be columns, and as which PostgreSQL types.

use std::time::SystemTime;

use tokio_postgres::types::{FromSqlOwned, ToSql, Type};
use uuid::Uuid;

use super::{Columns, Newtype, Params};
use crate::schema::Enumeration;
use crate::topology::Region;

/// A Rust type that can be a column.
///
/// Enums get it by [`SqlEnum`](crate::SqlEnum), wrappers by [`SqlNewtype`](crate::SqlNewtype), any serde type by
/// `#[entity(json)]` on the field. An `Option` makes the column nullable.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a column",
    label = "no column type for `{Self}`",
    note = "columns are Uuid, bool, i16, i32, i64, f32, f64, String, Vec<u8>, SystemTime, serde_json::Value, Vec and Option of them",
    note = "an enum needs #[derive(SqlEnum)], a wrapper #[derive(SqlNewtype)], any other type #[derive(serde::Serialize, serde::Deserialize)] and #[entity(json)] on the field",
    note = "dates and decimals need a feature of shardwise: jiff, chrono, time, rust_decimal"
)]
pub trait ColumnType: ToSql + FromSqlOwned + Send + Sync + 'static {
    /// The type's name in DDL.
    const DDL: &'static str;
    /// The type in which values travel. It is always built in, so that no server has to be asked for it.
    const WIRE: Type;
    /// The cast behind a parameter (`$1` + this), where the column's type is not the one that travels.
    const BIND: &'static str = "";
    /// The cast behind the column in a select list, likewise.
    const READ: &'static str = "";
    /// Whether the column may be NULL.
    const NULLABLE: bool = false;
    /// The labels, where the type is an enum.
    const ENUMERATION: Option<&'static Enumeration> = None;

    /// For the derive: what is missing is then told of this trait, not of those behind it.
    #[doc(hidden)]
    fn bind_column<'a>(&'a self, params: &mut Params<'a>)
    where
        Self: Sized,
    {
        params.push(self);
    }

    /// Likewise.
    ///
    /// # Errors
    /// When the column's type or NULL does not fit.
    #[doc(hidden)]
    fn read_column<R: Columns>(row: &R, at: usize) -> Result<Self, R::Error> {
        row.column(at)
    }
}

/// A column type that is never NULL and can be an array's element: also what a key can be made of.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a key or an array's element",
    label = "can be NULL, or has no array type",
    note = "use Uuid, bool, i16, i32, i64, f32, f64, String, a date, a decimal, an enum with #[derive(SqlEnum)] or a wrapper with #[derive(SqlNewtype)]"
)]
pub trait Element: ColumnType {
    /// The array type's name in DDL.
    const ARRAY_DDL: &'static str;
    /// The type in which an array travels.
    const ARRAY_WIRE: Type;
    /// The cast behind an array parameter.
    const ARRAY_BIND: &'static str = "";
    /// The cast behind an array column in a select list.
    const ARRAY_READ: &'static str = "";
}

/// A column type that a table can be partitioned by: a timestamp or a date.
#[diagnostic::on_unimplemented(
    message = "a table can't be partitioned by a column of type `{Self}`",
    label = "not a timestamp or a date",
    note = "use SystemTime, or with the feature of its crate jiff::Timestamp, jiff::civil::Date, chrono::DateTime<Utc>, chrono::NaiveDate, time::OffsetDateTime or time::Date"
)]
pub trait PartitionColumn: ColumnType {
    #[doc(hidden)]
    const CHECKED: () = ();
}

/// A column type that holds a region.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a region",
    label = "not a region",
    note = "use shardwise::Region, or remove `region`"
)]
pub trait RegionColumn: ColumnType {
    #[doc(hidden)]
    const CHECKED: () = ();
}
impl RegionColumn for Region {}

/// A column type that the server can make values of, from a sequence. Citus has sequences of `bigint` alone.
#[diagnostic::on_unimplemented(
    message = "a sequence can't make a `{Self}`",
    label = "not an i64",
    note = "use i64, or compute the column from others with `generated = \"…\"`"
)]
pub trait SequenceColumn: ColumnType {
    #[doc(hidden)]
    const CHECKED: () = ();
}
impl SequenceColumn for i64 {}
#[diagnostic::do_not_recommend]
impl<N: Newtype> SequenceColumn for N where N::Inner: SequenceColumn {}

/// A column type that `LIKE` can search: text, or an `Option` of it.
#[diagnostic::on_unimplemented(message = "`like` needs a text column, this one is `{Self}`", label = "not text")]
pub trait TextLike {}
impl TextLike for String {}
impl TextLike for Option<String> {}

macro_rules! columns {
    ($($rust:ty => $ddl:literal $wire:ident $array:ident),+ $(,)?) => {$(
        impl ColumnType for $rust {
            const DDL: &'static str = $ddl;
            const WIRE: Type = Type::$wire;
        }
        impl Element for $rust {
            const ARRAY_DDL: &'static str = concat!($ddl, "[]");
            const ARRAY_WIRE: Type = Type::$array;
        }
        impl NeverNull for $rust {}
    )+};
}

columns! {
    Uuid => "uuid" UUID UUID_ARRAY,
    bool => "boolean" BOOL BOOL_ARRAY,
    i16 => "smallint" INT2 INT2_ARRAY,
    i32 => "integer" INT4 INT4_ARRAY,
    i64 => "bigint" INT8 INT8_ARRAY,
    f32 => "real" FLOAT4 FLOAT4_ARRAY,
    f64 => "double precision" FLOAT8 FLOAT8_ARRAY,
    String => "text" TEXT TEXT_ARRAY,
    Region => "text" TEXT TEXT_ARRAY,
    SystemTime => "timestamptz" TIMESTAMPTZ TIMESTAMPTZ_ARRAY,
}
impl PartitionColumn for SystemTime {}

#[cfg(feature = "jiff")]
columns! {
    jiff::Timestamp => "timestamptz" TIMESTAMPTZ TIMESTAMPTZ_ARRAY,
    jiff::civil::Date => "date" DATE DATE_ARRAY,
    jiff::civil::Time => "time" TIME TIME_ARRAY,
    jiff::civil::DateTime => "timestamp" TIMESTAMP TIMESTAMP_ARRAY,
}
#[cfg(feature = "jiff")]
const _: () = {
    impl PartitionColumn for jiff::Timestamp {}
    impl PartitionColumn for jiff::civil::Date {}
    impl PartitionColumn for jiff::civil::DateTime {}
};

#[cfg(feature = "chrono")]
columns! {
    chrono::DateTime<chrono::Utc> => "timestamptz" TIMESTAMPTZ TIMESTAMPTZ_ARRAY,
    chrono::NaiveDate => "date" DATE DATE_ARRAY,
    chrono::NaiveTime => "time" TIME TIME_ARRAY,
    chrono::NaiveDateTime => "timestamp" TIMESTAMP TIMESTAMP_ARRAY,
}
#[cfg(feature = "chrono")]
const _: () = {
    impl PartitionColumn for chrono::DateTime<chrono::Utc> {}
    impl PartitionColumn for chrono::NaiveDate {}
    impl PartitionColumn for chrono::NaiveDateTime {}
};

#[cfg(feature = "time")]
columns! {
    time::OffsetDateTime => "timestamptz" TIMESTAMPTZ TIMESTAMPTZ_ARRAY,
    time::Date => "date" DATE DATE_ARRAY,
    time::Time => "time" TIME TIME_ARRAY,
    time::PrimitiveDateTime => "timestamp" TIMESTAMP TIMESTAMP_ARRAY,
}
#[cfg(feature = "time")]
const _: () = {
    impl PartitionColumn for time::OffsetDateTime {}
    impl PartitionColumn for time::Date {}
    impl PartitionColumn for time::PrimitiveDateTime {}
};

#[cfg(feature = "rust_decimal")]
columns! { rust_decimal::Decimal => "numeric" NUMERIC NUMERIC_ARRAY }

impl ColumnType for Vec<u8> {
    const DDL: &'static str = "bytea";
    const WIRE: Type = Type::BYTEA;
}

impl ColumnType for serde_json::Value {
    const DDL: &'static str = "jsonb";
    const WIRE: Type = Type::JSONB;
}

impl<T: Element> ColumnType for Vec<T> {
    const DDL: &'static str = T::ARRAY_DDL;
    const WIRE: Type = T::ARRAY_WIRE;
    const BIND: &'static str = T::ARRAY_BIND;
    const READ: &'static str = T::ARRAY_READ;
    const ENUMERATION: Option<&'static Enumeration> = T::ENUMERATION;
}

/// An `Option` makes a column nullable. `Option<Option<T>>` is no column: a database has one NULL.
impl<T: ColumnType + NeverNull> ColumnType for Option<T> {
    const DDL: &'static str = T::DDL;
    const WIRE: Type = T::WIRE;
    const BIND: &'static str = T::BIND;
    const READ: &'static str = T::READ;
    const NULLABLE: bool = true;
    const ENUMERATION: Option<&'static Enumeration> = T::ENUMERATION;
}

/// A column type that is not an `Option`.
#[diagnostic::on_unimplemented(
    message = "`Option<{Self}>` can't be a column",
    note = "a column has one NULL: write one `Option`"
)]
pub trait NeverNull {}

/// An array of newtypes travels as one of what they wrap.
#[diagnostic::do_not_recommend]
impl<N: Newtype> Element for N
where
    N::Inner: Element,
{
    const ARRAY_DDL: &'static str = <N::Inner as Element>::ARRAY_DDL;
    const ARRAY_WIRE: Type = <N::Inner as Element>::ARRAY_WIRE;
    const ARRAY_BIND: &'static str = <N::Inner as Element>::ARRAY_BIND;
    const ARRAY_READ: &'static str = <N::Inner as Element>::ARRAY_READ;
}

impl NeverNull for Vec<u8> {}
impl NeverNull for serde_json::Value {}
impl<T: Element> NeverNull for Vec<T> {}
impl<T> NeverNull for super::Json<T> {}
