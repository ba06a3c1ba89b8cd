//! `cache`: what is cached, and having it read anew.

use std::time::Duration;

use clap::Subcommand;
use serde::Serialize;

use super::approval::Yes;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::key::of_table;
use super::output::Answer;
use super::screen::{Screen, Table, or_dash, size};
use super::watch::Watch;
use super::words::time;
use crate::admin::CacheStatus;
use crate::admin::placement::TenantKey;
use crate::config::RedisMode;
use crate::error::ErrorKind;
use crate::schema::CacheWay;

/// The commands on the cache.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Where rows are cached, whether Redis answers, and of which entities
    Status {
        #[command(flatten)]
        watch: Watch,
    },
    /// Have all processes read rows anew that were written past the SDK: a tenant's in one table, or one row
    Invalidate {
        /// The table
        table: String,
        /// The tenant's key; none of a reference table
        #[arg(long, value_name = "KEY")]
        tenant: Option<String>,
        /// The row's key, a column after the other, without the distribution key; all rows where it is not given
        #[arg(long, value_name = "KEY", num_args = 1..)]
        row: Vec<String>,
    },
    /// Have all processes read everything anew
    Clear {
        #[command(flatten)]
        yes: Yes,
    },
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self {
            Self::Status { watch } => {
                let caches = context.cluster().await?.admin().cache(context.schema());
                watch.answer(context, async || Ok(caches.status().await)).await?;
            }
            Self::Invalidate { table, tenant, row } => invalidate(context, &table, tenant, &row).await?,
            Self::Clear { yes } => {
                let what = "have all processes read everything anew, from the database".to_owned();
                yes.ask(&what).await?;
                let keys = context.cluster().await?.admin().cache(context.schema()).clear().await?;
                context.answer(&Cleared { keys })?;
            }
        }
        Ok(Exit::Fine)
    }
}

async fn invalidate(context: &Context, name: &str, tenant: Option<String>, row: &[String]) -> Result<(), Failure> {
    let schema = context.entities("cache invalidate")?;
    let table = context.table(name, "cached", |table| schema.is_cached(table))?;
    let read = |text: String| match table.distribution_column() {
        Some(_) => of_table(&text, table),
        // Rows of reference tables are no tenant's, which the library says.
        None => Ok(TenantKey::Text(text)),
    };
    let tenant = tenant.map(read).transpose()?;
    let caches = context.cluster().await?.admin().cache(schema);
    let outcome = match row {
        [] => caches.forget_rows(table, tenant.as_ref()).await,
        key => caches.forget_row(table, tenant.as_ref(), key).await,
    };
    outcome.map_err(|error| match error.kind() {
        ErrorKind::Usage => Failure::usage(error.to_string()),
        _ => error.into(),
    })?;
    context.answer(&Invalidated { table: table.name, is_one_row: !row.is_empty() })
}

/// What was invalidated.
#[derive(Serialize)]
struct Invalidated {
    table: &'static str,
    is_one_row: bool,
}

/// What was removed.
#[derive(Serialize)]
struct Cleared {
    keys: u64,
}

impl Answer for Invalidated {
    fn show(&self, screen: &mut Screen) {
        let what = if self.is_one_row { "the row" } else { "the rows" };
        screen.line(format!("{what} of {} will be read anew", self.table));
    }
}

impl Answer for Cleared {
    fn show(&self, screen: &mut Screen) {
        screen.line(format!("removed {} keys from Redis", self.keys));
    }
}

impl Answer for CacheStatus {
    fn show(&self, screen: &mut Screen) {
        screen.line(format!("store           {}", self.store));
        screen.line(format!("prefix          {}", self.prefix));
        screen.line(format!("in each process {}", or_dash(self.memory_bytes.map(size))));
        if let Some(redis) = &self.redis {
            let mode = match redis.mode {
                RedisMode::Single => "single",
                RedisMode::Sentinel => "sentinel",
                RedisMode::Cluster => "cluster",
            };
            let is_up = match redis.round_trip_us {
                Some(micros) => format!("answers in {micros} µs"),
                None => format!("does not answer within {} ms", self.response_limit_ms),
            };
            screen.line(format!("redis           {mode} at {}: {is_up}", redis.endpoints.join(", ")));
        }
        let mut table = Table::new(["table", "way", "#ttl", "#ttl of absence"]);
        for entity in &self.entities {
            let way = match entity.way {
                CacheWay::ReadThrough => "read_through",
                CacheWay::WriteThrough => "write_through",
                CacheWay::Aside => "cache_aside",
            };
            let time = |millis| time(Duration::from_millis(millis));
            let (ttl, negative) = (time(entity.ttl_ms), or_dash(entity.negative_ttl_ms.map(time)));
            table.row([entity.table.to_owned(), way.to_owned(), ttl, negative]);
        }
        screen.table(table);
    }
}
