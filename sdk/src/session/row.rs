//! Rows of raw SQL.

use std::fmt;

use tokio_postgres::row::RowIndex;
use tokio_postgres::types::{FromSql, FromSqlOwned};

use crate::error::{Error, ErrorKind, Result};

/// A row of raw SQL.
pub struct Row(pub(super) tokio_postgres::Row);

impl Row {
    /// The value of a column, by its name or its position from 0.
    ///
    /// # Errors
    /// [`ErrorKind::Codec`] where there is no such column, or its type or NULL does not fit `T`.
    pub fn get<'a, T: FromSql<'a>>(&'a self, column: impl RowIndex + fmt::Display) -> Result<T> {
        self.0.try_get(column).map_err(Error::postgres)
    }

    /// The columns' names.
    pub fn columns(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.columns().iter().map(tokio_postgres::Column::name)
    }
}

// Names alone: values never reach a log.
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Row")?;
        f.debug_list().entries(self.columns()).finish()
    }
}

/// What a row of raw SQL can be read as: a tuple of column values, by position.
#[diagnostic::on_unimplemented(
    message = "a row can't be read as `{Self}`",
    note = "use a tuple of up to twelve column types, for one column too: `(i64,)`",
    note = "numbers are i16, i32, i64, f32 and f64; count(*) is an i64"
)]
pub trait FromRow: Sized + Send {
    /// Reads the row.
    ///
    /// # Errors
    /// [`ErrorKind::Codec`] where a column's type or NULL does not fit, or the row has another number of columns.
    fn from_row(row: &Row) -> Result<Self>;
}

macro_rules! tuples {
    ($(($($t:ident $i:tt),+))+) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($t: FromSqlOwned + Send),+> FromRow for ($($t,)+) {
            fn from_row(row: &Row) -> Result<Self> {
                const WIDTH: usize = [$($i),+].len();
                if row.0.len() != WIDTH {
                    let message = format!("the statement returns {} columns, the tuple has {WIDTH}", row.0.len());
                    return Err(Error::new(ErrorKind::Codec, message));
                }
                Ok(($(row.get::<$t>($i)?,)+))
            }
        }
    )+};
}
tuples! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11)
}

/// The one value of a statement that always returns one row with one column.
pub(super) fn scalar<T: FromSqlOwned>(rows: &[tokio_postgres::Row]) -> Result<T> {
    let row = rows.first().ok_or_else(|| Error::new(ErrorKind::Codec, "the server returned no row"))?;
    row.try_get(0).map_err(Error::postgres)
}

/// A count as SQL has it. It is never negative.
pub(super) fn count_of(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}
