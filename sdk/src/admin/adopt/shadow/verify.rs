//! Holds the rows of both sides against each other, at one place of the log.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::checksum;
use super::copying::Reader;
use super::follow::{Follower, Held, snapshot};
use super::plan::any_of;
use super::table::Table;
use crate::admin::adopt::Name;
use crate::admin::desk::Desk;
use crate::admin::wire::{Param, column};
use crate::error::{Error, ErrorKind, Result};

/// How often a snapshot is taken until transactions were seen in the order in which they were committed.
const SNAPSHOTS: usize = 200;
/// How many parts of a tenant's rows are looked at row by row.
const PARTS: usize = 16;

/// What is told of rows that differ.
#[derive(Debug, Clone)]
#[must_use]
pub struct VerifyOptions {
    keys: usize,
    with_tenants: bool,
}

impl Default for VerifyOptions {
    /// Twenty keys of each table, and the sums of tenants that differ.
    fn default() -> Self {
        Self { keys: 20, with_tenants: false }
    }
}

impl VerifyOptions {
    /// How many keys of rows that differ are told of each table.
    pub fn keys(self, keys: usize) -> Self {
        Self { keys, ..self }
    }

    /// Has the sums of all tenants told, and not of those alone that differ.
    pub fn with_tenants(self) -> Self {
        Self { with_tenants: true, ..self }
    }
}

/// What a comparison has found.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Verification {
    /// Table by table.
    pub tables: Vec<TableCheck>,
    /// How long it took.
    #[serde(rename = "took_ms", serialize_with = "crate::json::millis")]
    pub took: Duration,
}

impl Verification {
    /// Whether both sides are the same.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.tables.iter().all(|table| table.differences.is_empty())
    }

    /// How many rows the old side has.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.old.rows).sum()
    }
}

/// One table on both sides.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct TableCheck {
    /// The table.
    pub table: Name,
    /// Of all rows of the old side.
    pub old: Checksum,
    /// Of all rows of the new side.
    pub new: Checksum,
    /// How many tenants have rows in it, on either side.
    pub tenants: usize,
    /// Each tenant's sum on the old side, where that was asked for; of a table that is everybody's none.
    pub sums: BTreeMap<String, Checksum>,
    /// Tenants whose rows differ.
    pub differences: Vec<TenantDifference>,
}

/// How many rows, and the sum of their hashes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Checksum {
    /// How many.
    pub rows: u64,
    /// A number that depends on all values of all rows, and not on their order.
    pub sum: String,
}

/// A tenant whose rows differ.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct TenantDifference {
    /// The tenant's key; `None` where the table is everybody's.
    pub tenant: Option<String>,
    /// Of the tenant's rows on the old side.
    pub old: Checksum,
    /// Of those on the new side.
    pub new: Checksum,
    /// Some of the rows, by their keys.
    pub rows: Vec<RowDifference>,
}

/// A row that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RowDifference {
    /// Its key, as PostgreSQL writes a row of the key's columns: `(1,7)`.
    pub key: String,
    /// How it differs.
    pub how: How,
}

/// How a row differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum How {
    /// The new side lacks it.
    Missing,
    /// The new side alone has it.
    Extra,
    /// Its values are not the same.
    Different,
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "is missing on the new side",
            Self::Extra => "is on the new side alone",
            Self::Different => "has other values on the new side",
        })
    }
}

/// All tables, each at a place of its own, or as they are where nothing changes any more. While a table is compared, no change goes to the new
/// side.
pub(super) async fn verify(
    follower: &mut Follower,
    reader: &Reader,
    options: &VerifyOptions,
    is_still: bool,
    mut progress: impl FnMut(usize, &Table),
) -> Result<Verification> {
    let (began, tables) = (Instant::now(), follower.tables.clone());
    let mut checks = Vec::with_capacity(tables.len());
    for (number, table) in tables.iter().enumerate() {
        progress(number, table);
        if is_still {
            reader.desk.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        } else {
            hold(follower, &reader.desk, table).await?;
        }
        follower.writer.begin_reading().await?;
        let check = Sides { old: &reader.desk, new: &follower.writer.desk, is_single: !follower.writer.is_citus() };
        let check = check.table(table, options).await;
        let check = check.map_err(|error| error.during(format!("compare {}", table.name)))?;
        checks.push(check);
        follower.writer.desk.batch("COMMIT").await?;
        reader.desk.batch("COMMIT").await?;
    }
    Ok(Verification { tables: checks, took: began.elapsed() })
}

/// Opens a transaction on the old side that sees just what is on the new one.
async fn hold(follower: &mut Follower, old: &Desk, table: &Table) -> Result<()> {
    follower.poll(None).await?;
    // A table that is emptied is so for older snapshots too: that waits, as it does for whoever reads.
    let lock = format!("LOCK TABLE {} IN ACCESS SHARE MODE", table.at);
    for _ in 0..SNAPSHOTS {
        old.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        old.batch(&format!("SET LOCAL idle_in_transaction_session_timeout = '1h'; {lock}")).await?;
        let seen = snapshot(old).await?;
        let place = follower.mark().await?;
        loop {
            match follower.poll(Some((&seen, place))).await? {
                Held::Exactly => return Ok(()),
                Held::NotYet => {}
                Held::No => break,
            }
        }
        old.batch("ROLLBACK").await?;
        follower.poll(None).await?;
    }
    Err(Error::new(
        ErrorKind::Schema,
        "transactions of the old side are not seen in the order in which they are committed: does one wait for a standby? Run it again",
    ))
}

/// A session on each side.
pub(super) struct Sides<'a> {
    pub(super) old: &'a Desk,
    pub(super) new: &'a Desk,
    /// Whether the new side is one server.
    pub(super) is_single: bool,
}

type Sums<K> = BTreeMap<K, Checksum>;

impl Sides<'_> {
    async fn table(&self, table: &Table, options: &VerifyOptions) -> Result<TableCheck> {
        let (old, new) = self.both(table, &checksum::by_tenant, &[]).await?;
        let (old, new) = (sums::<Option<String>>(&old)?, sums::<Option<String>>(&new)?);
        let mut differences = Vec::new();
        let mut left = options.keys;
        let tenants: std::collections::BTreeSet<&Option<String>> = old.keys().chain(new.keys()).collect();
        for &tenant in &tenants {
            let of = |sums: &Sums<Option<String>>| sums.get(tenant).cloned().unwrap_or_default();
            let (old, new) = (of(&old), of(&new));
            if old == new {
                continue;
            }
            let rows = if left > 0 { self.rows(table, tenant.as_deref(), left).await? } else { Vec::new() };
            left -= rows.len();
            differences.push(TenantDifference { tenant: tenant.clone(), old, new, rows });
        }
        let sums = old.iter().filter_map(|(tenant, sum)| Some((tenant.clone()?, sum.clone())));
        let sums = if options.with_tenants { sums.collect() } else { BTreeMap::new() };
        let tenants = tenants.iter().filter(|tenant| tenant.is_some()).count();
        let table = table.name.clone();
        Ok(TableCheck { table, old: total(&old)?, new: total(&new)?, tenants, sums, differences })
    }

    /// Rows of a tenant that differ.
    async fn rows(&self, table: &Table, tenant: Option<&str>, most: usize) -> Result<Vec<RowDifference>> {
        let tenant: Vec<Param<'_>> = tenant.iter().map(|tenant| (tenant as _, Type::TEXT)).collect();
        let (old, new) = self.both(table, &checksum::by_part, &tenant).await?;
        let (old, new) = (sums::<i32>(&old)?, sums::<i32>(&new)?);
        let parts: std::collections::BTreeSet<&i32> = old.keys().chain(new.keys()).collect();
        let parts: Vec<i32> =
            parts.into_iter().filter(|part| old.get(part) != new.get(part)).copied().take(PARTS).collect();
        let params: Vec<Param<'_>> = std::iter::once((&parts as _, Type::INT4_ARRAY)).chain(tenant).collect();
        let (old, new) = self.both(table, &checksum::of_parts, &params).await?;
        let mut found = differences(&old, &new)?;
        found.truncate(most);
        Ok(found)
    }

    /// Those of these rows that differ.
    pub(super) async fn among(&self, table: &Table, keys: Vec<Vec<String>>) -> Result<Vec<RowDifference>> {
        let mut values = Vec::new();
        let condition = any_of(table, keys, &mut values);
        let params: Vec<Param<'_>> = values.iter().map(|value| (value as _, Type::TEXT)).collect();
        let (old, new) = self.both(table, &|table, rows| checksum::of_rows(table, rows, &condition), &params).await?;
        differences(&old, &new)
    }

    /// Asks both at once.
    async fn both(
        &self,
        table: &Table,
        query: &(dyn Fn(&Table, &str) -> String + Sync),
        params: &[Param<'_>],
    ) -> Result<(Vec<Row>, Vec<Row>)> {
        let on_old = query(table, &table.rows());
        let on_new = query(table, &if self.is_single { table.rows() } else { table.at.clone() });
        let (old, new) = futures_util::join!(self.old.query(&on_old, params), self.new.query(&on_new, params));
        Ok((old?, new?))
    }
}

fn sums<K: Ord + tokio_postgres::types::FromSqlOwned>(rows: &[Row]) -> Result<Sums<K>> {
    let one = |row: &Row| {
        let rows = u64::try_from(column::<i64>(row, 1)?).unwrap_or(0);
        Ok((column(row, 0)?, Checksum { rows, sum: column(row, 2)? }))
    };
    rows.iter().map(one).collect()
}

/// Over all tenants.
fn total(sums: &Sums<Option<String>>) -> Result<Checksum> {
    let mut all = (0u64, 0i128);
    for sum in sums.values() {
        let one: i128 = sum.sum.parse().map_err(|_| Error::new(ErrorKind::Codec, "a sum of hashes is no number"))?;
        all = (all.0 + sum.rows, all.1.wrapping_add(one));
    }
    Ok(Checksum { rows: all.0, sum: all.1.to_string() })
}

fn differences(old: &[Row], new: &[Row]) -> Result<Vec<RowDifference>> {
    let hashes = |rows: &[Row]| -> Result<BTreeMap<String, i64>> {
        rows.iter().map(|row| Ok((column(row, 0)?, column(row, 1)?))).collect()
    };
    Ok(between(&hashes(old)?, &hashes(new)?))
}

fn between(old: &BTreeMap<String, i64>, new: &BTreeMap<String, i64>) -> Vec<RowDifference> {
    let difference = |key: &String, how| RowDifference { key: key.clone(), how };
    let lost = old.iter().filter_map(|(key, hash)| match new.get(key) {
        None => Some(difference(key, How::Missing)),
        Some(other) if other != hash => Some(difference(key, How::Different)),
        Some(_) => None,
    });
    let extra = new.keys().filter(|key| !old.contains_key(*key)).map(|key| difference(key, How::Extra));
    lost.chain(extra).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_told_by_how_they_differ() {
        let rows = |rows: &[(&str, i64)]| rows.iter().map(|(key, hash)| ((*key).to_owned(), *hash)).collect();
        let (old, new) = (rows(&[("(1)", 7), ("(2)", 8), ("(3)", 9)]), rows(&[("(1)", 7), ("(3)", 0), ("(4)", 1)]));
        let told: Vec<(String, How)> = between(&old, &new).into_iter().map(|row| (row.key, row.how)).collect();
        let expected = [("(2)", How::Missing), ("(3)", How::Different), ("(4)", How::Extra)];
        assert_eq!(told, expected.map(|(key, how)| (key.to_owned(), how)));
    }

    #[test]
    fn sums_of_tenants_add_up() {
        let sum = |rows, sum: &str| Checksum { rows, sum: sum.to_owned() };
        let sums =
            Sums::from([(Some("a".to_owned()), sum(2, "-5")), (Some("b".to_owned()), sum(3, "9223372036854775807"))]);
        assert_eq!(total(&sums).expect("numbers"), sum(5, "9223372036854775802"));
    }
}
