use shardwise::{Tenant, unscoped_sql};

async fn misuse(fest: Tenant) {
    let rows = fest.query(unscoped_sql!("SELECT id FROM wallets"));
}

fn main() {}
