//! Gives rows what they should have, batch by batch, by their keys.

use crate::admin::batch::{self, Keys, Patience, Values};
use crate::admin::desk::Desk;
use crate::admin::steps::Steps;
use crate::admin::target::{self, Target};
use crate::admin::wire::{column, execute};
use crate::error::{Error, Result};
use crate::schema::denormalized::Copies;
use crate::schema::quote_ident;

/// At most so many rows at once.
const MOST: u32 = 5_000;

/// How many rows were written, and the last key that was looked at; none of the last batch.
type Written = (u64, Option<Vec<String>>);

/// A table whose rows get what their columns follow.
pub(super) struct Filling<'a> {
    pub(super) desk: &'a Desk,
    pub(super) target: Target,
    pub(super) copies: &'a Copies<'a>,
    /// The table's name in messages.
    pub(super) label: &'a str,
}

impl Filling<'_> {
    /// Returns how many rows were written. Those that have what they should have are not.
    pub(super) async fn run(&self, steps: &mut Steps<'_>) -> Result<u64> {
        let tenants = self.tenants().await?;
        let title = format!("fill the denormalised columns of {}", self.label);
        let (mut written, mut size, count) = (0, batch::first_size(MOST), tenants.len());
        for (nth, tenant) in tenants.iter().enumerate() {
            steps.reached(nth, count, &title);
            let mut last: Option<Vec<String>> = None;
            loop {
                let mut patience = Patience::new(size);
                let (rows, upper) = self.patiently(tenant.as_deref(), last.as_deref(), &mut patience).await?;
                written += rows;
                size = patience.next_size(MOST);
                last = upper;
                if last.is_none() {
                    break;
                }
            }
        }
        Ok(written)
    }

    /// One that stands for all, where rows have none. A tenant that comes later is written by those that have the triggers.
    async fn tenants(&self) -> Result<Vec<Option<String>>> {
        let Some(key) = self.copies.table.distribution_column().map(quote_ident) else { return Ok(vec![None]) };
        let sql = format!("SELECT {key}::text FROM (SELECT DISTINCT {key} FROM {}) t ORDER BY {key}", self.copies.at);
        self.desk.query(&sql, &[]).await?.iter().map(|row| column(row, 0)).collect()
    }

    async fn patiently(
        &self,
        tenant: Option<&str>,
        after: Option<&[String]>,
        patience: &mut Patience,
    ) -> Result<Written> {
        loop {
            let desk = self.desk;
            match desk.transaction(desk.send(self.batch(tenant, after, patience.size))).await {
                Ok(written) => return Ok(written),
                Err(error) => {
                    let over = patience.another_try(error).await;
                    over.map_err(|error| error.during(format!("fill the denormalised columns of {}", self.label)))?;
                }
            }
        }
    }

    /// Within a transaction.
    async fn batch(&self, tenant: Option<&str>, after: Option<&[String]>, size: u32) -> Result<Written> {
        let client = self.desk.client();
        target::prepare(client, self.target).await?;
        execute(client, batch::GIVES_WAY).await?;
        let upper = self.upper(tenant, after, size).await?;
        let mut values = Values::default();
        let condition = batch::all_of(&self.conditions(&self.keys(), &mut values, &tenant, after, upper.as_deref()));
        let mut written = 0;
        for fill in self.copies.fills(&condition) {
            written += client.execute_typed(&fill, &values.0).await.map_err(Error::postgres)?;
        }
        Ok((written, upper))
    }

    /// The last key of the batch; none where it reaches to the end.
    async fn upper(&self, tenant: Option<&str>, after: Option<&[String]>, size: u32) -> Result<Option<Vec<String>>> {
        let keys = self.keys();
        if keys.is_empty() {
            return Ok(None);
        }
        let mut values = Values::default();
        let conditions = self.conditions(&keys, &mut values, &tenant, after, None);
        keys.upper(self.desk.client(), &self.copies.at, &conditions, &values, size).await
    }

    /// The rows of a tenant behind a key, up to another.
    fn conditions<'v>(
        &self,
        keys: &Keys,
        values: &mut Values<'v>,
        tenant: &'v Option<&'v str>,
        after: Option<&'v [String]>,
        upper: Option<&'v [String]>,
    ) -> Vec<String> {
        let of_tenant = tenant.as_ref().zip(self.copies.table.distribution_column());
        let of_tenant = of_tenant
            .map(|(tenant, name)| format!("c.{} = {}", quote_ident(name), values.one(tenant, self.sql_type(name))));
        of_tenant.into_iter().chain(keys.between(values, after, upper)).collect()
    }

    /// The columns that tell a tenant's rows apart.
    fn keys(&self) -> Keys {
        let table = self.copies.table;
        let rest = table.primary_key.iter().filter(|name| Some(**name) != table.distribution_column());
        Keys::of(rest.map(|name| (*name, self.sql_type(name))))
    }

    fn sql_type(&self, column: &str) -> &'static str {
        self.copies.table.column(column).map_or("text", |column| column.sql_type)
    }
}
