//! Keyset pages: each page starts behind the last row of the one before, by an index, however far one pages.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio_postgres::types::Type;

use super::Scope;
use super::executor::Executor;
use super::job::Answer;
use super::select::{OrderBy, Select, alias_all, read};
use super::source::Source;
use crate::entity::{RawColumn, Renderer};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{ColumnDef, Table};

/// One page of a select.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Where the next page starts; None on the last one.
    pub next: Option<Cursor>,
}

/// The place behind a page's last row. Its text is safe in a URL; it is bound to the select's order, and holds the
/// values of the columns that order it: it is no secret, and no proof of anything.
#[derive(Clone, PartialEq, Eq)]
pub struct Cursor {
    order: String,
    values: Vec<String>,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_vec(&(&self.order, &self.values)).map_err(|_| fmt::Error)?;
        f.write_str(&URL_SAFE_NO_PAD.encode(json))
    }
}

impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let broken = || Error::new(ErrorKind::Usage, "this is not a cursor: give back `page.next` as it was");
        let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| broken())?;
        let (order, values) = serde_json::from_slice(&json).map_err(|_| broken())?;
        Ok(Self { order, values })
    }
}

// It holds values of a row.
impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cursor")
    }
}

impl<S: Scope, X: Executor, Q: Source> Select<S, X, Q> {
    /// One page of at most `size` rows, behind `after`. The order is made total by the first entity's key, so that no
    /// row is lost or shown twice while others are written.
    ///
    /// ```
    /// # use shardwise::{Cursor, Entity, Tenant, Uuid};
    /// # #[derive(Entity)]
    /// # #[entity(table = "wallets", distributed_by = festival_id)]
    /// # struct Wallet { festival_id: Uuid, #[entity(key)] id: Uuid, balance: i64 }
    /// # async fn f(fest: Tenant) -> shardwise::Result<()> {
    /// let mut after: Option<Cursor> = None;
    /// loop {
    ///     let page = fest.select::<Wallet>().order_by(Wallet::BALANCE.desc()).page(100, after.as_ref()).await?;
    ///     // … page.items …
    ///     after = page.next;
    ///     if after.is_none() {
    ///         break;
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] before anything is sent, where the cursor is of another order, a column of the order can be
    /// NULL (it has no place between values then), or the select has a limit or an offset.
    pub async fn page(mut self, size: u32, after: Option<&Cursor>) -> Result<Page<Q::Out>> {
        let entity = Q::tables().first().map(|table| table.entity);
        let order = self.total_order().map_err(|error| error.of("page", entity))?;
        if let Some(cursor) = after
            && (cursor.order != order || cursor.values.len() != self.order.len())
        {
            return Err(usage("the cursor belongs to a select in another order").of("page", entity));
        }
        let out = self.render_page(size, after);
        let mut rows = self.send::<Answer>("page", &out).await?.rows;
        self.hold_own(&rows)?;
        let wanted = usize::try_from(size).unwrap_or(usize::MAX);
        let more = rows.len() > wanted;
        rows.truncate(wanted);
        let next = match rows.last() {
            Some(last) if more => Some(self.cursor(order, last)?),
            _ => None,
        };
        let items = rows.iter().map(read::<Q>).collect::<Result<_>>()?;
        Ok(Page { items, next })
    }

    /// Adds the key to the order, and returns the whole order as text.
    fn total_order(&mut self) -> Result<String> {
        if self.limit.is_some() || self.offset.is_some() {
            return Err(usage("a page has its own size and place: leave `limit` and `offset` out"));
        }
        if let Some(order) = self.order.iter().find(|order| order.nullable) {
            let name = order.column.name;
            return Err(usage(format!(
                "`{name}` can be NULL, which has no place in an order of pages: order by another column"
            )));
        }
        let descending = self.order.last().is_some_and(|order| order.descending);
        let tables = Q::tables();
        if let Some(&root) = tables.first() {
            for name in root.primary_key.iter().filter(|name| Some(**name) != root.distribution_column()) {
                if !self.order.iter().any(|order| is(order, root, name))
                    && let Some(column) = root.column(name)
                {
                    self.order.push(OrderBy { column: raw::<Q>(column), descending, nullable: false });
                }
            }
        }
        let names = self.order.iter().map(|order| {
            let table = (order.column.table)().name;
            format!("{table}.{} {}", order.column.name, if order.descending { "desc" } else { "asc" })
        });
        Ok(names.collect::<Vec<_>>().join(", "))
    }

    fn render_page<'a>(&'a self, size: u32, after: Option<&'a Cursor>) -> Renderer<'a> {
        let mut out = Renderer::new();
        let tables = alias_all::<Q>(&mut out);
        out.push("SELECT ");
        self.columns(&mut out, &tables);
        for order in &self.order {
            out.push(", ");
            out.column(order.column);
            out.push("::text");
        }
        self.render_from(&mut out, &tables);
        if let Some(cursor) = after {
            out.push(" AND ");
            self.behind(&mut out, &cursor.values);
        }
        self.render_order(&mut out);
        out.push(" LIMIT ");
        // One more tells whether there is a next page.
        out.owned_param(i64::from(size) + 1, Type::INT8, "");
        out
    }

    /// `(a, b) > ($1, $2)`, which an index serves; with mixed directions
    /// `(a > $1 OR (a = $1 AND (b < $2 OR …)))`.
    fn behind<'a>(&self, out: &mut Renderer<'a>, values: &'a [String]) {
        let uniform = self.order.windows(2).all(|pair| pair[0].descending == pair[1].descending);
        if uniform {
            out.push("(");
            self.list(out, |out, order| out.column(order.column));
            out.push(if self.order.first().is_some_and(|order| order.descending) { ") < (" } else { ") > (" });
            for (i, (order, value)) in self.order.iter().zip(values).enumerate() {
                out.push(if i > 0 { ", " } else { "" });
                value_of(out, order, value);
            }
            out.push(")");
            return;
        }
        for (i, (order, value)) in self.order.iter().zip(values).enumerate() {
            out.push("(");
            out.column(order.column);
            out.push(if order.descending { " < " } else { " > " });
            value_of(out, order, value);
            if i + 1 < self.order.len() {
                out.push(" OR (");
                out.column(order.column);
                out.push(" = ");
                value_of(out, order, value);
                out.push(" AND ");
            }
        }
        out.push(&")".repeat(2 * self.order.len() - 1));
    }

    fn list<'a>(&self, out: &mut Renderer<'a>, item: impl Fn(&mut Renderer<'a>, &OrderBy)) {
        for (i, order) in self.order.iter().enumerate() {
            out.push(if i > 0 { ", " } else { "" });
            item(out, order);
        }
    }

    fn cursor(&self, order: String, last: &tokio_postgres::Row) -> Result<Cursor> {
        let first = last.len() - self.order.len();
        let values =
            (first..last.len()).map(|at| last.try_get(at)).collect::<Result<_, _>>().map_err(Error::postgres)?;
        Ok(Cursor { order, values })
    }
}

/// `$1::text::type`: the value travels as the text that the server itself wrote.
fn value_of<'a>(out: &mut Renderer<'a>, order: &OrderBy, value: &'a String) {
    let sql_type = (order.column.table)().column(order.column.name).map_or("text", |column| column.sql_type);
    out.param(value, Type::TEXT, &format!("::text::{sql_type}"));
}

fn is(order: &OrderBy, table: &'static Table, name: &str) -> bool {
    order.column.name == name && std::ptr::eq((order.column.table)(), table)
}

fn raw<Q: Source>(column: &'static ColumnDef) -> RawColumn {
    let table = <Q::Root as crate::entity::Entity>::table;
    RawColumn { table, name: column.name, bind: column.bind }
}

fn usage(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Usage, message)
}

#[cfg(test)]
mod tests {
    use super::Cursor;

    #[test]
    fn a_cursor_survives_a_url() {
        let cursor = Cursor { order: "t.a asc".to_owned(), values: vec!["ü/?&".to_owned(), "2024-01-31".to_owned()] };
        let text = cursor.to_string();
        assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{text}");
        assert!(text.parse::<Cursor>().expect("a cursor") == cursor);
    }

    #[test]
    fn garbage_is_refused() {
        for text in ["", "!", "e30", "W10"] {
            let error = text.parse::<Cursor>().expect_err("no cursor");
            assert!(error.to_string().contains("not a cursor"), "{text}: {error}");
        }
    }
}
