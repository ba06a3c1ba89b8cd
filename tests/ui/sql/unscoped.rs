use shardwise::{Cluster, unscoped_sql};

async fn transaction(cluster: Cluster) -> shardwise::Result<()> {
    cluster.coordinator().execute(unscoped_sql!("/* now */ ROLLBACK")).await.map(drop)
}

async fn missing_value(cluster: Cluster) -> shardwise::Result<()> {
    cluster.coordinator().execute(unscoped_sql!("SELECT :a")).await.map(drop)
}

async fn unused_value(cluster: Cluster) -> shardwise::Result<()> {
    cluster.coordinator().execute(unscoped_sql!("SELECT 1", a = 1)).await.map(drop)
}

async fn positional(cluster: Cluster) -> shardwise::Result<()> {
    cluster.coordinator().execute(unscoped_sql!("SELECT $1")).await.map(drop)
}

async fn with_entities(cluster: Cluster) -> shardwise::Result<()> {
    cluster.coordinator().execute(unscoped_sql!("SELECT 1 FROM wallets", entities(Wallet))).await.map(drop)
}

async fn made_at_run_time(cluster: Cluster) -> shardwise::Result<()> {
    cluster.coordinator().execute(unscoped_sql!(format!("SELECT 1"))).await.map(drop)
}

fn main() {}
