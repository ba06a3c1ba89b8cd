//! The entities of the statements' cases.

use shardwise::{Entity, Uuid};

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
pub struct Wallet {
    pub festival_id: Uuid,
    #[entity(key)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub balance: i64,
}

#[derive(Entity)]
#[entity(table = "orders", distributed_by = festival_id)]
pub struct Order {
    pub festival_id: Uuid,
    #[entity(key)]
    pub id: Uuid,
    pub wallet_id: Uuid,
    pub total: i64,
}

#[derive(Entity)]
#[entity(table = "notes", distributed_by = festival_id, colocated_with = none)]
pub struct Note {
    pub festival_id: Uuid,
    #[entity(key)]
    pub id: Uuid,
    pub text: String,
}

#[derive(Entity)]
#[entity(table = "shifts", schema = "crew", distributed_by = festival_id)]
pub struct Shift {
    pub festival_id: Uuid,
    #[entity(key)]
    pub id: Uuid,
}

#[derive(Entity)]
#[entity(table = "users", reference)]
pub struct User {
    #[entity(key)]
    pub id: Uuid,
    pub email: String,
}
