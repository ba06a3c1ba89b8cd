//! The rebalance strategy that keeps shards in their regions.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use tracing::warn;

use crate::error::{Error, Result};

/// Its name in `pg_dist_rebalance_strategy`.
pub(super) const NAME: &str = "shardwise_by_region";

/// Whether there is nothing to do: it is the default, with the functions as they are now, or there are no functions.
const IS_DONE: &str = "\
    SELECT to_regproc('shardwise.node_capacity') IS NULL OR EXISTS (SELECT FROM pg_catalog.pg_dist_rebalance_strategy WHERE name = 'shardwise_by_region' \
    AND default_strategy AND node_capacity_function = to_regproc('shardwise.node_capacity') \
    AND shard_allowed_on_node_function = to_regproc('shardwise.shard_allowed_on_node'))";

/// The thresholds are those of Citus' own `by_disk_size`. One transaction, and one after the other.
const INSTALL: &str = "\
    LOCK TABLE pg_catalog.pg_dist_rebalance_strategy IN SHARE ROW EXCLUSIVE MODE; \
    DELETE FROM pg_catalog.pg_dist_rebalance_strategy WHERE name = 'shardwise_by_region'; \
    SELECT pg_catalog.citus_add_rebalance_strategy('shardwise_by_region', 'pg_catalog.citus_shard_cost_by_disk_size', \
    'shardwise.node_capacity', 'shardwise.shard_allowed_on_node', 0.1, 0.01, 0.5); \
    SELECT pg_catalog.citus_set_default_rebalance_strategy('shardwise_by_region')";

/// Makes it the strategy of whoever rebalances without naming another one. On the coordinator, where
/// `schema/catalog.sql` was run; running it again changes nothing.
pub(super) async fn install(client: &Client) -> Result<()> {
    let row = client.query_typed_one(IS_DONE, &[]).await.map_err(Error::postgres)?;
    if row.try_get(0).map_err(Error::postgres)? {
        return Ok(());
    }
    let installed = client.batch_execute(INSTALL).await.map_err(Error::postgres);
    installed.map_err(|error| error.during("the rebalance strategy that keeps shards in their regions"))
}

/// The same where this role may do it: whoever applies a schema need not be a superuser.
pub(crate) async fn install_if_allowed(client: &Client) -> Result<()> {
    match install(client).await {
        Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            warn!(%error, "the stock rebalancer may move data to another region: let a superuser apply the schema once");
            Ok(())
        }
        outcome => outcome,
    }
}
