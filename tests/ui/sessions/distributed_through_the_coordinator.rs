use shardwise::{Cluster, Entity, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    balance: i64,
}

async fn f(cluster: Cluster, id: Uuid) -> shardwise::Result<Wallet> {
    cluster.coordinator().get::<Wallet>(id).await
}

fn main() {}
