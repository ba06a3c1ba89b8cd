use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "seats", distributed_by = festival_id)]
struct Seat {
    festival_id: Uuid,
    #[entity(key)]
    row: i32,
    #[entity(key)]
    number: i32,
}

#[derive(Entity)]
#[entity(table = "payments", distributed_by = festival_id)]
struct Payment {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    #[entity(references = Seat)]
    seat: i32,
}

fn main() {}
