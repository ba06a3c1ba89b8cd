use shardwise::{Cluster, Entity, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    balance: i64,
}

async fn misuse(cluster: Cluster) -> shardwise::Result<()> {
    let wallet = cluster.coordinator().get::<Wallet>(Uuid::nil()).await?;
    Ok(())
}

fn main() {}
