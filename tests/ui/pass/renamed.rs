//! The crate goes by another name, and is found through a module.
mod facade {
    pub extern crate shardwise as database;
}
use facade::database::{Entity, SqlEnum, SqlNewtype, Uuid};

/// So that `::shardwise` would be somebody else's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, SqlNewtype)]
#[sql_newtype(crate = "crate::facade::database")]
struct Id(Uuid);

#[derive(Debug, SqlEnum)]
#[sql_enum(crate = "crate::facade::database")]
enum State {
    Open,
}

#[derive(Entity)]
#[entity(table = "things", distributed_by = tenant, crate = "crate::facade::database")]
struct Thing {
    tenant: Uuid,
    #[entity(key)]
    id: Id,
    state: State,
}

fn main() {
    let _ = (Id(Uuid::nil()), State::Open, Thing::STATE);
}
