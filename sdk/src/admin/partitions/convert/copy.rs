//! Copies what was there before the triggers, batch by batch.

use tokio::time::Instant;
use tokio_postgres::types::Type;

use super::source::{Source, sql_type};
use super::{ConvertOptions, NEW};
use crate::admin::batch::{self, Patience, Values};
use crate::admin::partitions::ground::{Ground, Parent, refused};
use crate::admin::steps::Steps;
use crate::admin::target;
use crate::admin::wire::{Param, column, execute, only, query};
use crate::error::Result;
use crate::schema::quote_ident;

/// The rows of one source on their way to a shadow.
pub(super) struct Copying<'a> {
    pub(super) ground: &'a Ground,
    pub(super) parent: &'a Parent,
    pub(super) source: &'a Source,
    /// As SQL text.
    pub(super) shadow: &'a str,
    pub(super) options: &'a ConvertOptions,
}

/// How far it has come: tenant by tenant, in the order of their keys.
struct Position {
    tenant: Option<String>,
    /// The last key copied of that tenant.
    last: Option<Vec<String>>,
    copied: i64,
}

impl Copying<'_> {
    /// Returns how many rows were copied, in this try and those before.
    pub(super) async fn run(&self, steps: &mut Steps<'_>) -> Result<u64> {
        let Position { tenant: reached, last: mut reached_key, mut copied } = self.position().await?;
        let total = usize::try_from(self.source.facts.estimate).unwrap_or_default();
        let (mut size, title) = (batch::first_size(self.options.batch), format!("copy rows of {}", self.source.at));
        for tenant in self.tenants(reached.as_deref()).await? {
            // The tenant that it had reached may be gone.
            let mut last = reached_key.take().filter(|_| reached.as_deref() == Some(&tenant));
            loop {
                let since = Instant::now();
                let mut patience = Patience::new(size);
                let batch = self.batch(&tenant, last.as_deref(), &mut patience, copied).await?;
                let took = since.elapsed();
                copied += batch.rows;
                steps.reached(usize::try_from(copied).unwrap_or_default(), total, &title);
                last = batch.last;
                size = patience.next_size(self.options.batch);
                tokio::time::sleep(batch::rest(took, self.options.share)).await;
                if last.is_none() {
                    break;
                }
            }
        }
        Ok(copied.unsigned_abs())
    }

    /// The tenants from this one on. One that comes later is written by triggers alone.
    async fn tenants(&self, from: Option<&str>) -> Result<Vec<String>> {
        let Some(name) = self.parent.def.distribution_column() else {
            return Err(refused(format!("{} has no distribution key", self.parent.label)));
        };
        let (key, source) = (quote_ident(name), &self.source.at);
        let mut values = Values::default();
        let after =
            from.as_ref().map(|from| format!("WHERE {key} >= {}", values.one(from, &sql_type(self.parent, name))));
        let after = after.unwrap_or_default();
        let sql = format!("SELECT {key}::text FROM (SELECT DISTINCT {key} FROM {source} {after}) t ORDER BY {key}");
        self.ground.desk.query(&sql, &values.0).await?.iter().map(|row| column(row, 0)).collect()
    }

    /// One transaction, again where somebody else has its rows.
    async fn batch(
        &self,
        tenant: &str,
        after: Option<&[String]>,
        patience: &mut Patience,
        copied: i64,
    ) -> Result<Batch> {
        loop {
            let desk = &self.ground.desk;
            match desk.transaction(desk.send(self.copy(tenant, after, patience.size, copied))).await {
                Ok(batch) => return Ok(batch),
                Err(error) => {
                    let over = patience.another_try(error).await;
                    over.map_err(|error| error.during(format!("copy rows of {}", self.source.at)))?;
                }
            }
        }
    }

    /// Within a transaction. First the rows are locked, so that nobody changes or deletes them until they are in the shadow; what
    /// was changed since is there by a trigger, and stays.
    async fn copy(&self, tenant: &str, after: Option<&[String]>, size: u32, copied: i64) -> Result<Batch> {
        let client = self.ground.desk.client();
        target::prepare(client, self.ground.target).await?;
        execute(client, batch::GIVES_WAY).await?;
        let keys = self.lock(tenant, after, size).await?;
        if !keys.is_empty() {
            self.insert(tenant, &keys).await?;
        }
        let count = i64::try_from(keys.len()).unwrap_or(i64::MAX);
        let is_last = keys.len() < usize::try_from(size).unwrap_or(usize::MAX);
        let last = if is_last { None } else { keys.into_iter().next_back() };
        let sql = format!("UPDATE {NEW}.conversions SET tenant = $2, last_key = $3, copied = $4 WHERE source = $1");
        let params: [Param<'_>; 4] = [
            (&self.source.at, Type::TEXT),
            (&tenant, Type::TEXT),
            (&last, Type::TEXT_ARRAY),
            (&(copied + count), Type::INT8),
        ];
        query(client, &sql, &params).await?;
        Ok(Batch { rows: count, last })
    }

    /// The next keys of a tenant, whose rows are locked against changes.
    async fn lock(&self, tenant: &str, after: Option<&[String]>, size: u32) -> Result<Vec<Vec<String>>> {
        let (key, mut values) = (self.source.rest_of_key(self.parent), Values::default());
        let names: Vec<&str> = key.iter().map(|(name, _)| name.as_str()).collect();
        let (texts, order) = (names.join("::text, "), names.join(", "));
        let mut condition = self.of_tenant(&tenant, &mut values);
        if let Some(last) = after {
            let last: Vec<String> =
                last.iter().zip(&key).map(|(value, (_, sql_type))| values.one(value, sql_type)).collect();
            condition.push_str(&format!(" AND ({order}) > ({})", last.join(", ")));
        }
        let sql = format!(
            "SELECT ARRAY[{texts}::text] FROM {} WHERE {condition} ORDER BY {order} LIMIT {size} FOR SHARE",
            self.source.at
        );
        let rows = query(self.ground.desk.client(), &sql, &values.0).await?;
        rows.iter().map(|row| column(row, 0)).collect()
    }

    /// Copies the locked rows alone, found by the range that they lie in. (`unnest` of several is the parser's own.)
    async fn insert(&self, tenant: &str, keys: &[Vec<String>]) -> Result<()> {
        let (key, columns) = (self.source.rest_of_key(self.parent), self.parent.written_columns());
        let of_column = |nth: usize| keys.iter().filter_map(|key| key.get(nth)).collect::<Vec<&String>>();
        let arrays: Vec<Vec<&String>> = (0..key.len()).map(of_column).collect();
        let mut values = Values::default();
        let mut condition = self.of_tenant(&tenant, &mut values);
        let (mut lists, mut names, mut same) = (Vec::new(), Vec::new(), Vec::new());
        for (nth, ((name, sql_type), array)) in key.iter().zip(&arrays).enumerate() {
            lists.push(values.many(array, sql_type));
            names.push(format!("shardwise_key_{nth}"));
            same.push(format!("{name} = shardwise_key_{nth}"));
        }
        if let (Some((name, sql_type)), Some(first)) = (key.first(), arrays.first())
            && let (Some(low), Some(high)) = (first.first(), first.last())
        {
            let (low, high) = (values.one(low, sql_type), values.one(high, sql_type));
            condition.push_str(&format!(" AND {name} BETWEEN {low} AND {high}"));
        }
        let sql = format!(
            "INSERT INTO {} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {} \
             JOIN unnest({}) AS shardwise_keys ({}) ON {} WHERE {condition} ON CONFLICT DO NOTHING",
            self.shadow,
            self.source.at,
            lists.join(", "),
            names.join(", "),
            same.join(" AND "),
        );
        query(self.ground.desk.client(), &sql, &values.0).await.map(drop)
    }

    fn of_tenant<'a>(&self, tenant: &'a &str, values: &mut Values<'a>) -> String {
        let name = self.parent.def.distribution_column().unwrap_or_default();
        format!("{} = {}", quote_ident(name), values.one(tenant, &sql_type(self.parent, name)))
    }

    async fn position(&self) -> Result<Position> {
        let sql = format!("SELECT tenant, last_key, copied FROM {NEW}.conversions WHERE source = $1");
        let rows = self.ground.desk.query(&sql, &[(&self.source.at, Type::TEXT)]).await?;
        let row = only(&rows)?;
        Ok(Position { tenant: column(row, 0)?, last: column(row, 1)?, copied: column(row, 2)? })
    }
}

struct Batch {
    rows: i64,
    /// `None` where the tenant has no more.
    last: Option<Vec<String>>,
}
