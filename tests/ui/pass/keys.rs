//! Composite keys, keys of wrappers and enums, a key alone, a key without anything else; self references.
use shardwise::entity::{Entity, EntityKey};
use shardwise::{DistributionKey, Entity, SqlEnum, SqlNewtype, Uuid};

#[derive(Debug, Clone, PartialEq, Eq, Hash, SqlNewtype)]
struct FestivalId(Uuid);

/// A wrapper of a wrapper.
#[derive(Debug, Clone, PartialEq, Eq, Hash, SqlNewtype)]
struct HomeId(FestivalId);

#[derive(Debug, Clone, SqlEnum)]
enum Side {
    Left,
    Right,
}

#[derive(Entity)]
#[entity(table = "seats", distributed_by = home)]
struct Seat {
    #[entity(key)]
    stage: String,
    home: HomeId,
    #[entity(key)]
    side: Side,
    #[entity(key)]
    row: i16,
    #[entity(key)]
    number: i32,
}

#[derive(Entity)]
#[entity(table = "settings", distributed_by = festival_id)]
struct Settings {
    #[entity(key)]
    festival_id: String,
    open: bool,
}

#[derive(Entity)]
#[entity(table = "marks", distributed_by = tenant, partition_by = yearly(day))]
struct Mark {
    tenant: i32,
    #[entity(key)]
    day: jiff::civil::Date,
}

#[derive(Entity)]
#[entity(table = "groups", distributed_by = tenant)]
struct Group {
    tenant: i64,
    #[entity(key)]
    id: Uuid,
    #[entity(references = Self, on_delete = cascade)]
    parent_id: Option<Uuid>,
    #[entity(references = Group)]
    origin_id: Uuid,
}

fn key_of<E: Entity<Key = K>, K: EntityKey>() -> &'static [&'static str] {
    E::table().key
}

fn distribution_key<K: DistributionKey>() {}

fn main() {
    assert_eq!(key_of::<Seat, (String, Side, i16, i32)>(), ["stage", "side", "row", "number"]);
    assert_eq!(Seat::table().primary_key, ["home", "stage", "side", "row", "number"]);
    assert!(Seat::statements().get_many.is_none());
    assert!(Seat::statements().update.is_none(), "every column is part of the key");
    assert_eq!(key_of::<Settings, ()>(), [""; 0]);
    assert_eq!(Settings::statements().get.sql, r#"SELECT "festival_id", "open" FROM "settings" WHERE "festival_id" = $1"#);
    assert_eq!(Mark::table().primary_key, ["tenant", "day"]);
    assert_eq!(Group::table().foreign_keys.len(), 2);
    assert_eq!((Group::table().foreign_keys[0].target)().name, "groups");
    distribution_key::<HomeId>();
    let _ = (Side::Left, Side::Right);
}
