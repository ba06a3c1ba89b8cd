//! The entities that the tests share: a small festival platform, and one of every kind of column.

use std::time::SystemTime;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shardwise::{Entity, Region, SqlEnum, Uuid};

use super::secrets;

#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(table = "countries", reference)]
pub struct Country {
    #[entity(key)]
    pub code: String,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(table = "festivals", reference)]
pub struct Festival {
    #[entity(key)]
    pub id: Uuid,
    #[entity(unique)]
    pub slug: String,
    #[entity(region)]
    pub region: Region,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(table = "users", reference)]
pub struct User {
    #[entity(key)]
    pub id: Uuid,
    #[entity(unique)]
    pub email: String,
    #[entity(references = Country)]
    pub country: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
pub struct Wallet {
    pub festival_id: Uuid,
    #[entity(key)]
    pub id: Uuid,
    #[entity(references = User)]
    pub user_id: Option<Uuid>,
    #[entity(check = "balance >= 0")]
    pub balance: i64,
    #[entity(unique)]
    pub tag: String,
    pub note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(table = "entries", distributed_by = festival_id, partition_by = monthly(created_at))]
pub struct Entry {
    pub festival_id: Uuid,
    #[entity(key)]
    pub id: Uuid,
    #[entity(references = Wallet, on_delete = cascade)]
    pub wallet_id: Uuid,
    pub amount: i64,
    pub created_at: Timestamp,
}

/// A key of two columns, one of them generated nowhere: seats of a stage.
#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(table = "seats", distributed_by = festival_id)]
pub struct Seat {
    pub festival_id: Uuid,
    #[entity(key)]
    pub stage: String,
    #[entity(key)]
    pub number: i32,
    pub taken: bool,
}

/// A key alone, and a key of text.
#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(table = "labels", distributed_by = tenant)]
pub struct Label {
    pub tenant: String,
    #[entity(key)]
    pub name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, SqlEnum)]
#[sql_enum(native = "ticket_state")]
pub enum TicketState {
    Issued,
    ScannedOnce,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, SqlEnum)]
pub enum Tier {
    Regular,
    BackStage,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    pub nick: String,
    pub likes: Vec<String>,
}

/// One of every kind of column.
#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(table = "everything", distributed_by = festival_id, cache = read_through(ttl = "1m"))]
pub struct Everything {
    pub festival_id: Uuid,
    #[entity(key)]
    pub id: i64,
    pub flag: bool,
    pub small: i16,
    pub medium: i32,
    pub single: f32,
    pub double: f64,
    pub bytes: Vec<u8>,
    pub value: serde_json::Value,
    #[entity(json)]
    pub profile: Profile,
    #[entity(json)]
    pub maybe_profile: Option<Profile>,
    pub numbers: Vec<i32>,
    pub names: Vec<String>,
    pub ids: Vec<Uuid>,
    pub state: TicketState,
    pub states: Vec<TicketState>,
    pub maybe_state: Option<TicketState>,
    pub tier: Tier,
    pub at: Timestamp,
    pub day: jiff::civil::Date,
    pub system: SystemTime,
    #[entity(sql_type = "varchar(8)")]
    pub short: String,
    #[entity(rename = "select")]
    pub keyword: String,
    #[entity(generated = "medium * 2")]
    pub doubled: i32,
    #[entity(generated)]
    pub serial: i64,
    #[entity(skip)]
    pub cached: u8,
}

impl Entry {
    pub fn new(wallet: &Wallet, amount: i64) -> Self {
        let (id, created_at) = (secrets::id(), Timestamp::now());
        Self { festival_id: wallet.festival_id, id, wallet_id: wallet.id, amount, created_at }
    }
}

impl Wallet {
    pub fn new(festival_id: Uuid, balance: i64) -> Self {
        let id = secrets::id();
        Self { festival_id, id, user_id: None, balance, tag: id.to_string(), note: None }
    }
}
