//! One question to one node.

use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio_postgres::Client;

use crate::admin::wire::{self, Param, column, only};
use crate::entity::Json;
use crate::error::{Error, Limit, Result};

/// Whoever waits for a lock longer than this is told, and does not know.
const LOCK: Duration = Duration::from_millis(500);

/// By this the statements are known in pg_stat_statements.
const MARK: &str = "/* advice of shardwise */";

/// A node that is asked.
pub(super) struct Question<'a> {
    client: &'a Client,
    begin: String,
    patience: Duration,
}

impl<'a> Question<'a> {
    pub(super) fn to(client: &'a Client, is_citus: bool, patience: Duration) -> Self {
        // Shards are to be seen on the node that has them.
        let shards = if is_citus { "; SET LOCAL citus.override_table_visibility = off" } else { "" };
        let begin = format!(
            "BEGIN READ ONLY; SET LOCAL statement_timeout = {}; SET LOCAL lock_timeout = {}; SET LOCAL jit = off; \
             SET LOCAL max_parallel_workers_per_gather = 0{shards}",
            patience.as_millis(),
            LOCK.min(patience).as_millis()
        );
        Self { client, begin, patience }
    }

    /// The one value of the one row, which is JSON, in a transaction of its own.
    pub(super) async fn ask<T: DeserializeOwned>(&self, sql: &str, params: &[Param<'_>]) -> Result<T> {
        self.within(false, sql, params).await
    }

    /// The same as other clients see the tables: without shards.
    pub(super) async fn ask_as_others<T: DeserializeOwned>(&self, sql: &str) -> Result<T> {
        self.within(true, sql, &[]).await
    }

    async fn within<T: DeserializeOwned>(&self, as_others: bool, sql: &str, params: &[Param<'_>]) -> Result<T> {
        let asked = async {
            let begin = match self.begin.split_once("; SET LOCAL citus.") {
                Some((begin, _)) if as_others => begin,
                _ => &self.begin,
            };
            wire::execute(self.client, begin).await?;
            let answer = wire::query(self.client, &format!("{MARK} {sql}"), params).await;
            // It was for reading: what it answers is no news.
            drop(wire::execute(self.client, "ROLLBACK").await);
            let Json(value) = column(only(&answer?)?, 0)?;
            Ok(value)
        };
        // The server ends it before that, if it can.
        let patience = self.patience + LOCK;
        tokio::time::timeout(patience, asked)
            .await
            .unwrap_or_else(|_| Err(Error::timed_out(Limit::Statement, patience)))
    }
}
