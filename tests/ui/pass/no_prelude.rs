//! Nothing of the prelude is in scope, and every attribute is used.
#![no_implicit_prelude]

extern crate shardwise;
extern crate std;

use shardwise::{Entity, Region, SqlEnum, SqlNewtype, Uuid};

#[derive(Entity)]
#[entity(table = "festivals", schema = "public", reference)]
pub struct Festival {
    #[entity(key)]
    pub id: Uuid,
    #[entity(unique, check = "slug <> ''")]
    pub slug: std::string::String,
    #[entity(region)]
    pub region: Region,
}

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
pub struct Wallet {
    pub festival_id: Uuid,
    #[entity(key)]
    pub id: WalletId,
    #[entity(index(order = desc, where = "balance > 0"), default = "0")]
    pub balance: i64,
    #[entity(unique = "tag_and_note")]
    pub tag: std::string::String,
    #[entity(unique = "tag_and_note", rename = "remark")]
    pub note: std::string::String,
    #[entity(json)]
    pub extra: std::vec::Vec<std::string::String>,
    pub state: State,
    pub earlier: std::vec::Vec<Native>,
    #[entity(generated = "balance * 2")]
    pub twice: i64,
    #[entity(generated)]
    pub serial: i64,
    #[entity(skip)]
    pub cached: bool,
    #[entity(sql_type = "varchar(8)")]
    pub short: std::option::Option<std::string::String>,
}

#[derive(Entity)]
#[entity(
    table = "entries",
    distributed_by = festival_id,
    colocated_with = Wallet,
    partition_by = monthly(at),
    crate = "shardwise"
)]
pub struct Entry {
    pub festival_id: Uuid,
    #[entity(key)]
    pub id: Uuid,
    #[entity(references = Wallet, on_delete = set_null, index(group = "by_wallet"))]
    pub wallet_id: std::option::Option<WalletId>,
    #[entity(index(group = "by_wallet", order = desc))]
    pub at: std::time::SystemTime,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, SqlNewtype)]
pub struct WalletId(pub Uuid);

#[derive(Debug, Clone, Copy, SqlEnum)]
pub enum State {
    Open,
    #[sql_enum(rename = "shut")]
    Closed,
}

#[derive(Debug, Clone, Copy, SqlEnum)]
#[sql_enum(native = "native_state")]
pub enum Native {
    Open,
    Closed,
}

// The derives of the standard library, which a prelude would bring.
use std::clone::Clone;
use std::cmp::{Eq, PartialEq};
use std::fmt::Debug;
use std::hash::Hash;
use std::marker::Copy;

fn main() {}
