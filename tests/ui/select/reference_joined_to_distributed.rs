use shardwise::{Cluster, Entity, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    balance: i64,
}

#[derive(Entity)]
#[entity(table = "users", reference)]
struct User {
    #[entity(key)]
    id: Uuid,
    name: String,
}

async fn misuse(cluster: Cluster) -> shardwise::Result<()> {
    let rows = cluster.reference().select::<User>().join(User::ID.on(Wallet::ID)).all().await?;
    Ok(())
}

fn main() {}
