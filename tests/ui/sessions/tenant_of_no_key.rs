use shardwise::Cluster;

async fn f(cluster: Cluster) -> shardwise::Result<()> {
    cluster.tenant(1.5_f64).await?;
    Ok(())
}

fn main() {}
