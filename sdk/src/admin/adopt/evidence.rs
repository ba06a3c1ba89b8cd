//! What the rows say of what the catalogs leave open: one query per table. Pure.

use std::collections::BTreeMap;

use serde::Serialize;

use super::catalog::{Catalog, Name};
use super::classify::{Class, Classified, Link};
use crate::schema::{quote_ident, quote_qualified};

/// What the rows of a table say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Evidence {
    /// All rows.
    pub rows: u64,
    /// Rows of which nobody knows whose they are.
    pub without_tenant: u64,
    /// Of each other way, in the order of [`Classified::others`]: the rows that are another tenant's by it.
    pub disagreeing: Vec<u64>,
}

impl Evidence {
    /// By what the query has counted.
    pub(super) fn of(counts: Vec<i64>) -> Option<Self> {
        let mut counts = counts.into_iter().map(|count| u64::try_from(count).unwrap_or(0));
        Some(Self { rows: counts.next()?, without_tenant: counts.next()?, disagreeing: counts.collect() })
    }
}

/// The query that counts, for a table about which rows have something to say: `(rows, without_tenant, disagreeing…)`.
pub(super) fn query(catalog: &Catalog, all: &BTreeMap<&Name, &Classified>, table: &Classified) -> Option<String> {
    let is_tenants = matches!(table.class, Class::Keyed | Class::Chained);
    let may_lack = match (&table.class, &table.column) {
        (Class::Keyed, Some(column)) => catalog.table(&table.table)?.may_be_null(std::slice::from_ref(column)),
        (Class::Chained, _) => false,
        _ => true,
    };
    let is_open = table.class == Class::Undecided && !table.others.is_empty();
    if !(is_open || is_tenants && (may_lack || !table.others.is_empty())) {
        return None;
    }
    let mut ways = Ways { all, joins: String::new(), count: 0 };
    let own = match (&table.through, &table.column) {
        (Some(link), _) => ways.along(link, "t")?,
        (None, Some(column)) if is_tenants => format!("t.{}", quote_ident(column)),
        // Where nothing is decided, the first way is held against the others.
        _ => ways.along(table.others.first()?, "t")?,
    };
    let mut counts = vec!["count(*)".to_owned(), format!("count(*) FILTER (WHERE {own} IS NULL)")];
    for link in &table.others {
        let other = ways.along(link, "t")?;
        counts.push(format!("count(*) FILTER (WHERE {other} <> {own})"));
    }
    Some(format!(
        "SELECT ARRAY[{}]::int8[] FROM {} t{}",
        counts.join(", "),
        quote_qualified(Some(&table.table.schema), &table.table.name),
        ways.joins
    ))
}

/// Joins along foreign keys, up to a column with the tenant's key.
struct Ways<'a> {
    all: &'a BTreeMap<&'a Name, &'a Classified>,
    joins: String,
    count: usize,
}

impl Ways<'_> {
    /// The tenant's key by this way, of a row that is called `from`.
    fn along(&mut self, link: &Link, from: &str) -> Option<String> {
        if let Some(key) = &link.key {
            return Some(format!("{from}.{}", quote_ident(key)));
        }
        self.count += 1;
        let to = format!("w{}", self.count);
        let pairs = link.columns.iter().zip(&link.target_columns);
        let on: Vec<String> =
            pairs.map(|(own, theirs)| format!("{to}.{} = {from}.{}", quote_ident(theirs), quote_ident(own))).collect();
        self.joins += &format!(
            " LEFT JOIN {} {to} ON {}",
            quote_qualified(Some(&link.target.schema), &link.target.name),
            on.join(" AND ")
        );
        let target = self.all.get(&link.target)?;
        match (&target.through, &target.column) {
            (Some(next), _) => self.along(next, &to),
            (None, Some(column)) => Some(format!("{to}.{}", quote_ident(column))),
            (None, None) => None,
        }
    }
}
