//! Whether the rows that came back are the tenant's own, where they carry the key.
//!
//! It is the last line: what the SDK writes carries the key as a condition, and what others write was checked. But `=` is
//! the database's, and with a collation that ignores case, say, it finds rows of a key that the SDK holds for another one.

use bytes::BytesMut;
use smallvec::SmallVec;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql as _, Type};

use super::executor::Executor;
use super::{Scope, Session};
use crate::entity::{Entity, Params, Raw};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::Table;

/// What rows are held against.
#[derive(Clone)]
pub(super) struct Own {
    key: SmallVec<[u8; 16]>,
    wire: Type,
    /// The names of the result's columns that hold the key.
    columns: SmallVec<[&'static str; 2]>,
}

impl<S: Scope, X: Executor> Session<S, X> {
    /// What rows of these tables are held against, if they are to be at all. Else nobody asks for the tables.
    pub(super) fn own<T: AsRef<[&'static Table]>>(&self, tables: impl FnOnce() -> T) -> Option<Own> {
        if !self.executor.core().config().checks_rows() {
            return None;
        }
        let tables = tables();
        let tables = tables.as_ref();
        let wire = self.scope.key_type()?;
        let mut params = Params::new();
        self.scope.bind(&mut params);
        let mut key = BytesMut::new();
        // What can't be written down was not sent either, and told there.
        params.as_slice().first()?.to_sql_checked(&wire, &mut key).ok()?;
        // Another table may well have a column of that name, and in it what is not the tenant's.
        let is_shared = |name: &str| {
            tables.iter().any(|table| table.distribution_column() != Some(name) && table.column(name).is_some())
        };
        let columns: SmallVec<_> =
            tables.iter().filter_map(|table| table.distribution_column()).filter(|name| !is_shared(name)).collect();
        (!columns.is_empty()).then(|| Own { key: SmallVec::from_slice(&key), wire, columns })
    }

    /// Refuses an answer that has a row of another tenant.
    pub(super) fn hold_own<E: Entity>(&self, operation: &'static str, rows: &[Row]) -> Result<()> {
        let table = E::table();
        Own::check(self.own(|| [table]).as_ref(), rows).map_err(|error| error.of(operation, Some(table.entity)))
    }
}

impl Own {
    /// The rows, if all are the tenant's own.
    ///
    /// # Errors
    /// [`ErrorKind::WrongTenant`] where one is not.
    pub(super) fn check(own: Option<&Self>, rows: &[Row]) -> Result<()> {
        let (Some(own), Some(first)) = (own, rows.first()) else { return Ok(()) };
        let at = own.places(first);
        rows.iter().try_for_each(|row| own.check_at(&at, row))
    }

    pub(super) fn check_one(&self, row: &Row) -> Result<()> {
        self.check_at(&self.places(row), row)
    }

    fn places(&self, row: &Row) -> SmallVec<[usize; 4]> {
        let holds_the_key = |column: &tokio_postgres::Column| {
            self.columns.contains(&column.name()) && are_written_alike(column.type_(), &self.wire)
        };
        row.columns().iter().enumerate().filter(|(_, column)| holds_the_key(column)).map(|(at, _)| at).collect()
    }

    fn check_at(&self, places: &[usize], row: &Row) -> Result<()> {
        for &at in places {
            let Raw(found) = row.try_get(at).map_err(Error::postgres)?;
            // The row that an outer join did not find has none.
            if found.is_some_and(|found| found != self.key.as_slice()) {
                return Err(foreign(row.columns().get(at).map_or("", |column| column.name())));
            }
        }
        Ok(())
    }
}

/// A row of another tenant came back, as this column tells.
pub(super) fn foreign(column: &str) -> Error {
    tracing::error!(target: "shardwise::tenant_safety", column, "a row of another tenant came back");
    let message = format!(
        "a row came back whose `{column}` is not this tenant's key; it is not given out, and nothing after it. What the \
         statement changed is changed, unless its transaction is rolled back. If the column holds something else, give it \
         another name in the statement"
    );
    Error::new(ErrorKind::WrongTenant, message)
}

/// Whether the same bytes mean the same value.
fn are_written_alike(one: &Type, other: &Type) -> bool {
    let is_text = |ty: &Type| matches!(*ty, Type::TEXT | Type::VARCHAR);
    one == other || (is_text(one) && is_text(other))
}
