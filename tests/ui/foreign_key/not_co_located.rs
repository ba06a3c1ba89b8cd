use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "tickets", distributed_by = user_id, colocated_with = none)]
struct Ticket {
    user_id: Uuid,
    #[entity(key)]
    id: Uuid,
    wallet_id: Uuid,
}

#[derive(Entity)]
#[entity(table = "payments", distributed_by = festival_id)]
struct Payment {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    #[entity(references = Ticket)]
    ticket_id: Uuid,
}

fn main() {}
