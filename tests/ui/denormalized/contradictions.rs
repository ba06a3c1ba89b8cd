use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "stands", distributed_by = festival_id)]
struct Stand {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    name: String,
}

#[derive(Entity)]
#[entity(table = "orders", distributed_by = festival_id)]
struct ThroughNoForeignKey {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    stand_id: Uuid,
    #[entity(denormalized = stand_id.name)]
    stand_name: String,
    #[entity(denormalized = stnd_id.name)]
    another_name: String,
    #[entity(denormalized = "stand_id.name")]
    third_name: String,
}

#[derive(Entity)]
#[entity(table = "orders", distributed_by = festival_id)]
struct OfSeveralMinds {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    #[entity(references = Stand)]
    stand_id: Uuid,
    #[entity(references = Stand)]
    partner_id: Option<Uuid>,
    #[entity(denormalized = stand_id.name, default = "'none'")]
    stand_name: String,
    #[entity(denormalized = partner_id.name)]
    partner_name: String,
}

#[derive(Entity)]
#[entity(table = "orders", distributed_by = festival_id, cache = read_through(ttl = "5m"))]
struct Cached {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    #[entity(references = Stand)]
    stand_id: Uuid,
    #[entity(denormalized = stand_id.name)]
    stand_name: String,
}

#[derive(Entity)]
#[entity(table = "genres", reference)]
struct OfItself {
    #[entity(key)]
    id: Uuid,
    name: String,
    #[entity(references = OfItself)]
    parent_id: Option<Uuid>,
    #[entity(denormalized = parent_id.name)]
    parent_name: Option<String>,
}

fn main() {}
