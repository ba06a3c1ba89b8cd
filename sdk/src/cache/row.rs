//! The row codec: what the database sent, column by column, in its own binary format. There is no second way to write a value
//! down, so a kept row is read by the code that reads one that has just come, and is exactly as large as on the wire.

use std::error::Error as StdError;
use std::fmt;

use bytes::{BufMut as _, Bytes, BytesMut};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSqlOwned, Type};

use crate::entity::{Columns, Raw};
use crate::schema::Table;

/// The columns of a row; `None` where one has a type that this process could not name again.
pub(crate) fn write(table: &Table, row: &Row) -> Option<Bytes> {
    let mut out = BytesMut::new();
    for (at, column) in table.columns.iter().enumerate() {
        let ty = row.columns().get(at)?.type_();
        // As declared for nearly all; `varchar` where `text` was expected, for example.
        let oid = if *ty == column.wire { 0 } else { Type::from_oid(ty.oid()).map(|ty| ty.oid())? };
        put_number(&mut out, oid);
        match row.try_get::<_, Raw<'_>>(at).ok()?.0 {
            None => put_number(&mut out, 0),
            Some(bytes) => {
                put_number(&mut out, u32::try_from(bytes.len()).ok()?.checked_add(1)?);
                out.put_slice(bytes);
            }
        }
    }
    Some(out.freeze())
}

/// A row that was kept.
pub(crate) struct Kept<'a> {
    columns: Vec<(Type, Option<&'a [u8]>)>,
}

impl<'a> Kept<'a> {
    /// # Errors
    /// Where the bytes are no row of this table.
    pub(crate) fn read(table: &'static Table, mut bytes: &'a [u8]) -> Result<Self, Unfit> {
        let mut columns = Vec::with_capacity(table.columns.len());
        for column in table.columns {
            let ty = match take_number(&mut bytes).ok_or(Unfit)? {
                0 => column.wire.clone(),
                oid => Type::from_oid(oid).ok_or(Unfit)?,
            };
            let value = match take_number(&mut bytes).ok_or(Unfit)?.checked_sub(1) {
                None => None,
                Some(length) => {
                    let length = usize::try_from(length).map_err(|_| Unfit)?;
                    let (value, rest) = bytes.split_at_checked(length).ok_or(Unfit)?;
                    bytes = rest;
                    Some(value)
                }
            };
            columns.push((ty, value));
        }
        if bytes.is_empty() { Ok(Self { columns }) } else { Err(Unfit) }
    }
}

impl Columns for Kept<'_> {
    type Error = Unfit;

    fn column<T: FromSqlOwned>(&self, at: usize) -> Result<T, Unfit> {
        let (ty, value) = self.columns.get(at).ok_or(Unfit)?;
        if !T::accepts(ty) {
            return Err(Unfit);
        }
        T::from_sql_nullable(ty, *value).map_err(|_| Unfit)
    }
}

/// What was kept is not what is wanted. It is read anew then, so it need not tell more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unfit;

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what was kept does not fit")
    }
}

impl StdError for Unfit {}

/// Seven bits a byte, the lowest first.
fn put_number(out: &mut BytesMut, mut number: u32) {
    loop {
        let low = u8::try_from(number & 0x7f).unwrap_or(0);
        number >>= 7;
        if number == 0 {
            return out.put_u8(low);
        }
        out.put_u8(low | 0x80);
    }
}

fn take_number(bytes: &mut &[u8]) -> Option<u32> {
    let mut number = 0_u32;
    for shift in [0, 7, 14, 21, 28] {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        let low = u32::from(first & 0x7f);
        number |= low.checked_shl(shift).filter(|part| part >> shift == low)?;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::{put_number, take_number};

    #[test]
    fn numbers_come_back_and_what_is_cut_off_is_none() {
        for number in [0, 1, 127, 128, 300, 16_383, 16_384, u32::MAX] {
            let mut out = BytesMut::new();
            put_number(&mut out, number);
            let mut rest = &out[..];
            assert_eq!((take_number(&mut rest), rest.len()), (Some(number), 0));
            assert_eq!(take_number(&mut &out[..out.len() - 1]), None);
        }
        assert_eq!(take_number(&mut &[0xff, 0xff, 0xff, 0xff, 0x7f][..]), None, "beyond 32 bits");
    }
}
