use shardwise::Cluster;


async fn misuse(cluster: Cluster) -> shardwise::Result<()> {
    let fest = cluster.tenant(1.5).await?;
    Ok(())
}

fn main() {}
