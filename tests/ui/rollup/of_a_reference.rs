use shardwise::{Entity, Rollup, Uuid};

#[derive(Entity)]
#[entity(table = "users", reference)]
struct User {
    #[entity(key)]
    id: Uuid,
}

#[derive(Rollup)]
#[rollup(table = "user_stats", of = User, distributed_by = id)]
struct UserStats {
    id: Uuid,
    #[rollup(count)]
    users: i64,
}

fn main() {}
