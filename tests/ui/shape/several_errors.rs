use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(schema = "pay", distributed_by = festval_id, partition_by = hourly(at))]
struct Wallet<T> {
    festival_id: Uuid,
    #[entity(key, colour = "red")]
    id: Option<Uuid>,
    #[entity(on_delete = cascade)]
    user_id: Uuid,
    #[entity(rename = "user_id")]
    owner: String,
    #[entity(skip, unique)]
    cached: T,
}

fn main() {}
