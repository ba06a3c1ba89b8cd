use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(distributed_by = festival, partition_by = hourly(created_at))]
struct Thing {
    festival_id: Uuid,
    #[entity(keys)]
    id: Uuid,
    #[entity(on_delete = cascade)]
    wallet_id: Uuid,
    #[entity(rename = "id")]
    name: String,
}

fn main() {}
