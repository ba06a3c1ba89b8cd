//! The tables, and what is in them.

use uuid::Uuid;

use crate::client::Cluster;
use crate::error::Result;

/// The schema that is made and dropped. The entities below name it once more.
pub(super) const SCHEMA: &str = "shardwise_bench";

/// An account of a tenant.
#[derive(Debug, Clone, shardwise_macros::Entity)]
#[entity(schema = "shardwise_bench", table = "accounts", distributed_by = tenant_id)]
pub(super) struct Account {
    pub(super) tenant_id: i64,
    #[entity(key)]
    pub(super) id: i64,
    pub(super) balance: i64,
    pub(super) name: String,
}

/// What went into an account, or out of it.
#[derive(Debug, Clone, shardwise_macros::Entity)]
#[entity(schema = "shardwise_bench", table = "entries", distributed_by = tenant_id)]
pub(super) struct Entry {
    pub(super) tenant_id: i64,
    #[entity(key)]
    pub(super) id: Uuid,
    pub(super) account_id: i64,
    pub(super) amount: i64,
}

pub(super) async fn is_there(cluster: &Cluster) -> Result<bool> {
    let ask = crate::unscoped_sql!("SELECT pg_catalog.to_regnamespace('shardwise_bench') IS NOT NULL");
    let (is_there,): (bool,) = cluster.coordinator().query_one_as(ask).await?;
    Ok(is_there)
}

/// Accounts for so many tenants; returns their keys.
pub(super) async fn fill(cluster: &Cluster, tenants: i64, rows: i64) -> Result<Vec<i64>> {
    let keys: Vec<i64> = (1..=tenants).collect();
    for &tenant_id in &keys {
        let account = |id| Account { tenant_id, id, balance: 0, name: format!("account {id}") };
        let accounts: Vec<_> = (1..=rows).map(account).collect();
        cluster.tenant(tenant_id).await?.insert_many(&accounts).await?;
    }
    Ok(keys)
}

pub(super) async fn drop_all(cluster: &Cluster) -> Result<()> {
    cluster.coordinator().execute(crate::unscoped_sql!("DROP SCHEMA IF EXISTS shardwise_bench CASCADE")).await.map(drop)
}
