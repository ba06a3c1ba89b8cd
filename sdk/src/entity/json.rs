//! `jsonb` columns of any serde type.

use std::error::Error as StdError;
use std::fmt;

use bytes::{BufMut, BytesMut};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::{ColumnType, Columns, Params};

/// A value stored as `jsonb`. A field marked `#[entity(json)]` keeps its own type; its column constant has this one.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Json<T>(pub T);

/// A borrowed value that is written as `jsonb`.
struct JsonRef<'a, T>(&'a T);

// A document is a parameter's value: it never reaches a log.
impl<T> fmt::Debug for Json<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Json")
    }
}

impl<T> fmt::Debug for JsonRef<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JsonRef")
    }
}

type BoxError = Box<dyn StdError + Sync + Send>;

/// The version byte that `jsonb_recv` expects before the text.
const JSONB_VERSION: u8 = 1;

/// A type that can be stored as `jsonb`: any serde type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be stored as json",
    label = "not a serde type",
    note = "add #[derive(serde::Serialize, serde::Deserialize)] to it"
)]
pub trait JsonDocument: Sized {
    // For the derive. The serde traits are asked for by the implementation alone: what is missing is then told of this
    // trait, and once.
    #[doc(hidden)]
    fn bind_document<'a>(&'a self, params: &mut Params<'a>);
    #[doc(hidden)]
    fn bind_optional<'a>(document: &'a Option<Self>, params: &mut Params<'a>);
    #[doc(hidden)]
    fn read_document<R: Columns>(row: &R, at: usize) -> Result<Self, R::Error>;
    #[doc(hidden)]
    fn read_optional<R: Columns>(row: &R, at: usize) -> Result<Option<Self>, R::Error>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> JsonDocument for T {
    fn bind_document<'a>(&'a self, params: &mut Params<'a>) {
        params.push_owned(JsonRef(self));
    }

    fn bind_optional<'a>(document: &'a Option<Self>, params: &mut Params<'a>) {
        params.push_owned(document.as_ref().map(JsonRef));
    }

    fn read_document<R: Columns>(row: &R, at: usize) -> Result<Self, R::Error> {
        row.column::<Json<Self>>(at).map(|json| json.0)
    }

    fn read_optional<R: Columns>(row: &R, at: usize) -> Result<Option<Self>, R::Error> {
        Ok(row.column::<Option<Json<Self>>>(at)?.map(|json| json.0))
    }
}

impl<T: Serialize> ToSql for JsonRef<'_, T> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        if *ty == Type::JSONB {
            out.put_u8(JSONB_VERSION);
        }
        serde_json::to_writer(out.writer(), self.0)?;
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::JSON | Type::JSONB)
    }

    to_sql_checked!();
}

impl<T: Serialize> ToSql for Json<T> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        JsonRef(&self.0).to_sql(ty, out)
    }

    fn accepts(ty: &Type) -> bool {
        <JsonRef<'_, T> as ToSql>::accepts(ty)
    }

    to_sql_checked!();
}

impl<'a, T: DeserializeOwned> FromSql<'a> for Json<T> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, BoxError> {
        let text = match raw {
            [JSONB_VERSION, text @ ..] if *ty == Type::JSONB => text,
            _ if *ty == Type::JSONB => return Err("an unknown version of jsonb's binary format".into()),
            text => text,
        };
        Ok(Self(serde_json::from_slice(text)?))
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::JSON | Type::JSONB)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> ColumnType for Json<T> {
    const DDL: &'static str = "jsonb";
    const WIRE: Type = Type::JSONB;
}
