//! What the code of `#[derive(SqlEnum)]` shares.

use std::error::Error as StdError;

use bytes::BytesMut;
use tokio_postgres::types::{IsNull, Kind, ToSql, Type, WrongType};

/// The result of reading or writing one value.
pub type CodecResult<T> = Result<T, Box<dyn StdError + Sync + Send>>;

/// Writes a label as text.
///
/// # Errors
/// Never.
pub fn write_label(label: &str, out: &mut BytesMut) -> CodecResult<IsNull> {
    out.extend_from_slice(label.as_bytes());
    Ok(IsNull::No)
}

/// Labels travel as text; in raw SQL the server may ask for its enum type, whose binary form is the same.
#[must_use]
pub fn accepts_label(ty: &Type) -> bool {
    <&str as ToSql>::accepts(ty) || matches!(ty.kind(), Kind::Enum(_))
}

/// A label that no variant has. Its text is a value, and stays out of the message.
#[must_use]
pub fn unknown_label(name: &str) -> Box<dyn StdError + Sync + Send> {
    format!("the column holds a label that `{name}` has no variant for: was it added to the database alone?").into()
}

/// `to_sql`, if the type fits.
///
/// # Errors
/// When it does not.
pub fn checked<T: ToSql>(value: &T, ty: &Type, out: &mut BytesMut) -> CodecResult<IsNull> {
    if !T::accepts(ty) {
        return Err(Box::new(WrongType::new::<T>(ty.clone())));
    }
    value.to_sql(ty, out)
}
