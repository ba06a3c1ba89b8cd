//! What looks like the mistakes of `session`, `select` and `sql`, and is none.
use shardwise::{Cluster, Entity, Tenant, Uuid, sql};

#[derive(Entity)]
#[entity(table = "users", reference)]
struct User {
    #[entity(key)]
    id: Uuid,
    name: String,
}

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    #[entity(references = User, on_delete = set_null)]
    user_id: Option<Uuid>,
    note: Option<String>,
    balance: i64,
}

#[derive(Entity)]
#[entity(table = "entries", distributed_by = festival_id, colocated_with = Wallet)]
struct Entry {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    #[entity(references = Wallet)]
    wallet_id: Uuid,
}

async fn use_it(cluster: &Cluster, fest: Tenant, name: &str) -> shardwise::Result<()> {
    let user = cluster.reference().get::<User>(Uuid::nil()).await?;
    cluster.reference().insert(&user).await?;
    let rows: Vec<(Entry, Wallet, Option<User>)> = fest
        .select::<Entry>()
        .join(Entry::WALLET_ID.on(Wallet::ID))
        .left_join(Wallet::USER_ID.on(User::ID))
        .filter(User::NAME.like(format!("{name}%")))
        .filter(Wallet::NOTE.ilike("a%").or(Wallet::NOTE.eq(name)).and(Wallet::BALANCE.is_in([1, 2])))
        .order_by(User::NAME.asc())
        .all()
        .await?;
    for (_, wallet, _) in &rows {
        fest.update(wallet).await?;
    }
    let filter = Wallet::NOTE.eq("x");
    let sum: i64 = fest.select::<Wallet>().filter(filter).order_by(Wallet::ID.desc()).sum(Wallet::BALANCE).await?;
    fest.update_columns::<Wallet>(Uuid::nil()).add(Wallet::BALANCE, sum).set(Wallet::NOTE, None).run().await?;
    let text = name.to_owned();
    fest.query(sql!("SELECT :a, :b, :c", a = name, b = &text, c = [1_i64, 2].as_slice())).await?;
    fest.execute(sql!("SELECT 1",)).await?;
    Ok(())
}

fn main() {
    let _ = use_it;
}
