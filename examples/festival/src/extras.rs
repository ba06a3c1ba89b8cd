//! What stands beside the tables: the cache, the partitions, the denormalised columns and the metrics. Whether each was in use, and right.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use shardwise::session::TransactionOptions;
use shardwise::{Cluster, Uuid, unscoped_sql};
use tokio::time::Instant;

use crate::load::client::{Client, Request};
use crate::load::ledger::Acknowledged;
use crate::load::metrics::metric;
use crate::model::{Order, Stand, Transaction, schema};

/// So many wallets of each festival are asked for.
const WALLETS: usize = 5;

/// A write whose outcome nobody knew is forgotten over and over for the time that a call may take; much less than a wallet may be
/// kept.
const DOUBT: Duration = Duration::from_secs(45);

/// What they came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Extras {
    /// The cache; None where the service has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheUse>,
    /// Partitions of the transactions.
    pub partitions: usize,
    /// Transactions that are in none of them.
    pub outside_partitions: u64,
    /// Orders that have the name of a stand as it was before somebody renamed it.
    pub old_names: u64,
    /// Series that a scrape of the service's metrics gives.
    pub series: usize,
}

/// What the cache came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CacheUse {
    /// Reads that it answered.
    pub hits: u64,
    /// Reads that went to the database.
    pub misses: u64,
    /// Wallets that the service shows with another balance than what its own answers add up to.
    pub stale: u64,
}

impl Extras {
    /// Looks at all of it, while the service runs.
    ///
    /// # Errors
    /// When the service or the database does not answer.
    pub async fn look(cluster: &Cluster, client: &Client, acknowledged: &Acknowledged) -> anyhow::Result<Self> {
        let stale = stale(client, acknowledged).await?;
        let Counts { hits_memory, hits_redis, coalesced, misses } = metric(client, "cache").await?;
        let hits = hits_memory + hits_redis + coalesced;
        let (partitions, outside_partitions) = partitions(cluster).await?;
        let old_names = old_names(cluster, acknowledged).await?;
        let text = client.text("/metrics").await.context("metrics")?;
        Ok(Self {
            cache: (hits + misses > 0).then_some(CacheUse { hits, misses, stale }),
            partitions,
            outside_partitions,
            old_names,
            series: text.lines().filter(|line| line.starts_with("shardwise_")).count(),
        })
    }

    /// What is not as it should be.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut fault = |is: bool, text: String| faults.extend(is.then_some(text));
        if let Some(CacheUse { hits, stale, .. }) = self.cache {
            fault(hits == 0, "nothing was answered by the cache".to_owned());
            fault(stale > 0, format!("{stale} wallets are shown as they were"));
        }
        fault(self.partitions == 0, "the transactions have no partitions".to_owned());
        fault(self.outside_partitions > 0, format!("{} transactions are in no partition", self.outside_partitions));
        fault(self.old_names > 0, format!("{} orders have the old name of a stand", self.old_names));
        fault(self.series == 0, "the service tells no metrics".to_owned());
        faults
    }
}

/// Of what the service counts of its cache.
#[derive(Deserialize)]
struct Counts {
    hits_memory: u64,
    hits_redis: u64,
    coalesced: u64,
    misses: u64,
}

/// Wallets that the service goes on showing with another balance than what it acknowledged.
async fn stale(client: &Client, acknowledged: &Acknowledged) -> anyhow::Result<u64> {
    let mut balances: HashMap<Uuid, i64> = HashMap::new();
    for entry in acknowledged.transactions.values() {
        *balances.entry(entry.wallet_id).or_default() += entry.amount;
    }
    let (began, mut stale) = (Instant::now(), 0);
    for festival in acknowledged.festivals.values() {
        for wallet in festival.wallets.iter().take(WALLETS) {
            let (expected, path) =
                (balances.get(wallet).copied().unwrap_or(0), format!("/festivals/{}/wallets/{wallet}", festival.slug));
            // The second one is answered by what the first one has left.
            for _ in 0..2 {
                let mut shown = balance(client, &path).await?;
                while shown != expected && began.elapsed() < DOUBT {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    shown = balance(client, &path).await?;
                }
                stale += u64::from(shown != expected);
            }
        }
    }
    Ok(stale)
}

async fn balance(client: &Client, path: &str) -> anyhow::Result<i64> {
    let answer = client.once(&Request::get(path)).await.context("a wallet")?;
    answer.body["balance"].as_i64().with_context(|| format!("{path} shows no balance: {}", answer.status))
}

/// Renames a stand of each festival. How many orders of these, and of all others, do not have its name.
async fn old_names(cluster: &Cluster, acknowledged: &Acknowledged) -> anyhow::Result<u64> {
    let mut old = 0;
    for (id, festival) in &acknowledged.festivals {
        let Some(stand) = festival.stands.first() else { continue };
        let (fest, name) = (cluster.tenant(*id).await?, format!("the stand {stand}"));
        let renaming = fest.transaction_with(TransactionOptions::new().retries(5), async |tx| {
            tx.update_columns::<Stand>(*stand).set(Stand::NAME, name.clone()).run().await
        });
        renaming.await.context("renaming a stand")?;
        let orders =
            fest.select::<Order>().filter(Order::STAND_ID.eq(*stand)).filter(Order::STAND_NAME.ne(name.as_str()));
        old += orders.count().await?;
    }
    let differing = cluster.admin().denormalized(&schema()).verify().await?;
    let all: u64 = differing.iter().flat_map(|table| &table.differing).map(|column| column.rows).sum();
    Ok(old.max(all))
}

/// How many partitions the transactions have, and how many rows are in none of them.
async fn partitions(cluster: &Cluster) -> anyhow::Result<(usize, u64)> {
    let tables = cluster.admin().partitions(&schema()).of::<Transaction>().list_counted().await?;
    let partitions: Vec<_> = tables.into_iter().flat_map(|table| table.partitions).collect();
    let within: u64 = partitions.iter().filter(|part| part.bounds.is_some()).filter_map(|part| part.rows).sum();
    let all = cluster.across_shards("checking the books");
    let (count,): (i64,) = all.query_one_as(unscoped_sql!("SELECT count(*) FROM transactions")).await?;
    Ok((partitions.len(), u64::try_from(count)?.abs_diff(within)))
}
