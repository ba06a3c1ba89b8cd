//! Entities whose rows are cached, in each of the ways.

use shardwise::{Entity, Schema, Uuid};

/// All of them.
pub fn cached() -> Schema {
    let schema = Schema::new().with::<Purse>().with::<Stamp>().with::<Badge>().with::<Stall>().with::<Brief>();
    schema.with::<Venue>().with::<Price>()
}

#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(
    table = "purses",
    distributed_by = festival_id,
    cache = read_through(ttl = "1m", negative = "30s")
)]
pub struct Purse {
    pub festival_id: Uuid,
    #[entity(key)]
    pub id: Uuid,
    pub version: i64,
    pub note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(table = "stamps", distributed_by = festival_id, cache = read_through(ttl = "1m"))]
pub struct Stamp {
    pub festival_id: Uuid,
    #[entity(key)]
    pub stand: String,
    #[entity(key)]
    pub number: i32,
    #[entity(references = Purse, on_delete = cascade)]
    pub purse_id: Uuid,
}

#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(table = "badges", distributed_by = festival_id, cache = write_through(ttl = "1m"))]
pub struct Badge {
    pub festival_id: Uuid,
    #[entity(key)]
    pub id: i64,
    pub version: i64,
}

#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(table = "stalls", distributed_by = festival_id, cache = cache_aside(ttl = "1m"))]
pub struct Stall {
    pub festival_id: Uuid,
    #[entity(key)]
    pub id: i64,
    pub name: String,
}

/// Of which a tenth of a second is half of the time that it is kept.
#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(table = "briefs", distributed_by = festival_id, cache = read_through(ttl = "300ms", negative = "100ms"))]
pub struct Brief {
    pub festival_id: Uuid,
    #[entity(key)]
    pub id: i64,
    pub version: i64,
}

#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(table = "venues", reference, cache = read_through(ttl = "1m"))]
pub struct Venue {
    #[entity(key)]
    pub id: Uuid,
    pub name: String,
}

/// A key that has more than one spelling.
#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(table = "prices", distributed_by = festival_id, cache = read_through(ttl = "1m"))]
pub struct Price {
    pub festival_id: Uuid,
    #[entity(key, sql_type = "char(8)")]
    pub code: String,
    pub cents: i64,
}
