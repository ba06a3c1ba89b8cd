//! What needs the Citus extension. Where there is none, these tests say that they are skipped.

mod analytics;
mod directory;
mod hash;
mod outages;
mod placement_audit;
mod placement_mint;
mod placement_nodes;
mod placement_rebalance;
mod placement_relocate;
pub mod placement_stage;
mod residency;
mod role;
mod routes;
pub(crate) mod stage;

use shardwise::local;
use shardwise::{Cluster, Mode, Route, unscoped_sql};

use crate::support::citus::can_run;
use crate::support::schema;

#[tokio::test]
async fn the_mode_is_what_the_database_offers() {
    if !can_run("the_mode_is_what_the_database_offers").await {
        return;
    }
    let server = local::single().setting("shared_preload_libraries", "citus").start().await.unwrap();
    assert_eq!(server.connect().await.unwrap().mode(), Mode::Single, "installed is not created");
    server.connect().await.unwrap().coordinator().execute(unscoped_sql!("CREATE EXTENSION citus")).await.unwrap();

    let cluster = server.connect().await.unwrap();
    assert_eq!(cluster.mode(), Mode::Citus);
    assert_eq!(cluster.coordinator().route().unwrap(), Route::Coordinator);
    // The one node takes the shards as well.
    assert!(!cluster.admin().apply(&schema()).await.unwrap().is_empty());
    assert!(cluster.admin().diff(&schema()).await.unwrap().is_empty());

    let single = Cluster::connect(server.config().with_mode(Mode::Single)).await.unwrap();
    assert_eq!(single.mode(), Mode::Single);
}
