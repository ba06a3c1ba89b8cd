//! Entities in functions and modules, of every visibility, by composite keys, pointing at themselves.
#![allow(dead_code)]

use std::time::SystemTime;

use shardwise::{Entity, Schema, Uuid};

mod outer {
    use shardwise::{Entity, Uuid};

    pub(crate) mod inner {
        use super::*;

        #[derive(Entity)]
        #[entity(table = "nodes", distributed_by = tree)]
        pub(in crate::outer) struct Private {
            pub(super) tree: Uuid,
            #[entity(key)]
            id: Uuid,
            #[entity(references = Private)]
            parent: Option<Uuid>,
        }

        #[derive(Entity)]
        #[entity(table = "seats", distributed_by = tree)]
        pub struct Seat {
            pub tree: Uuid,
            #[entity(key)]
            pub stage: String,
            #[entity(key)]
            pub number: i32,
        }
    }

    pub(crate) fn both() -> shardwise::Schema {
        let _ = inner::Private::TREE;
        shardwise::Schema::new().with::<inner::Private>().with::<inner::Seat>()
    }
}

macro_rules! partitioned {
    ($($name:ident $interval:ident),*) => {$(
        #[derive(Entity)]
        #[entity(table = "events", distributed_by = tenant, partition_by = $interval(at))]
        struct $name {
            tenant: i64,
            #[entity(key)]
            at: SystemTime,
        }
    )*};
}
partitioned!(Daily daily, Weekly weekly, Monthly monthly, Yearly yearly);

/// One row per tenant: the distribution key is the key.
#[derive(Entity)]
#[entity(table = "settings", distributed_by = tenant)]
struct Settings {
    #[entity(key)]
    tenant: Uuid,
    dark: bool,
}

fn main() {
    #[derive(Entity)]
    #[entity(table = "local", reference)]
    struct Local {
        #[entity(key)]
        id: i32,
    }
    assert_eq!(outer::both().tables().len(), 2);
    assert_eq!(Schema::new().with::<Local>().with::<Settings>().with::<Weekly>().tables().len(), 3);
    assert_eq!(<Settings as shardwise::entity::Entity>::table().primary_key, ["tenant"]);
    assert_eq!(<outer::inner::Seat as shardwise::entity::Entity>::table().primary_key, ["tree", "stage", "number"]);
}
