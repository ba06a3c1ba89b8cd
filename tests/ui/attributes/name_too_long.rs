use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "a_table_whose_name_goes_on_and_on_until_nobody_can_remember_how_it_began", distributed_by = festival_id)]
struct Thing {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
}

fn main() {}
