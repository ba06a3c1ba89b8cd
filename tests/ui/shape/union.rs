use shardwise::Entity;

#[derive(Entity)]
#[entity(table = "wallets", reference)]
union Wallet {
    whole: i64,
    half: i32,
}

fn main() {}
