//! The parameters of one statement, borrowed where they can be.

use std::error::Error as StdError;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::BytesMut;
use smallvec::SmallVec;
use tokio_postgres::types::{IsNull, ToSql, Type};

use crate::error::{Error, ErrorKind, Panicked, Result};

/// One parameter. Its value is never shown.
pub enum Param<'a> {
    /// A value of the caller's.
    Borrowed(&'a (dyn ToSql + Sync)),
    /// A value made for the statement.
    Owned(Box<dyn ToSql + Send + Sync + 'a>),
}

impl fmt::Debug for Param<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Param")
    }
}

impl ToSql for Param<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        self.to_sql_checked(ty, out)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        // Code of the caller's, such as a `Serialize`. A panic that went through the driver would leave half a message in its
        // buffer, in front of what others send on the connection.
        let written = catch_unwind(AssertUnwindSafe(|| match self {
            Self::Borrowed(value) => value.to_sql_checked(ty, out),
            Self::Owned(value) => value.to_sql_checked(ty, out),
        }));
        written.unwrap_or_else(|_| Err(Box::new(Panicked)))
    }
}

/// The parameters of one statement, in order. Up to sixteen need no allocation.
#[derive(Debug, Default)]
pub struct Params<'a>(SmallVec<[Param<'a>; 16]>);

impl<'a> Params<'a> {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a borrowed value.
    pub fn push(&mut self, value: &'a (dyn ToSql + Sync)) {
        self.0.push(Param::Borrowed(value));
    }

    /// Adds a value made for this statement.
    pub fn push_owned(&mut self, value: impl ToSql + Send + Sync + 'a) {
        self.0.push(Param::Owned(Box::new(value)));
    }

    /// The parameters, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[Param<'a>] {
        &self.0
    }
}

/// The values as they are sent, each with its length before it: what tells one row from another.
pub(crate) fn bytes_of(types: &[Type], params: &Params<'_>) -> Result<Vec<u8>> {
    let (mut all, mut one) = (Vec::new(), BytesMut::new());
    for (ty, param) in types.iter().zip(params.as_slice()) {
        one.clear();
        param
            .to_sql_checked(ty, &mut one)
            .map_err(|_| Error::new(ErrorKind::Codec, format!("the value can't be sent as {ty}")))?;
        all.extend_from_slice(&one.len().to_le_bytes());
        all.extend_from_slice(&one);
    }
    Ok(all)
}
