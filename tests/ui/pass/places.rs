//! Entities inside functions and modules, of every visibility.
#![deny(warnings)]

use shardwise::entity::Entity;
use shardwise::{Entity, Uuid};

mod outer {
    pub mod inner {
        use shardwise::entity::Entity;
        use shardwise::{Entity, SqlNewtype, Uuid};

        #[derive(Debug, Clone, PartialEq, Eq, Hash, SqlNewtype)]
        pub(super) struct Hidden(Uuid);

        #[derive(Entity)]
        #[entity(table = "a", distributed_by = festival_id)]
        pub(in crate::outer) struct Near {
            festival_id: Uuid,
            #[entity(key)]
            id: Hidden,
        }

        #[derive(Entity)]
        #[entity(table = "b", distributed_by = festival_id)]
        pub struct Far {
            pub festival_id: Uuid,
            #[entity(key)]
            pub(crate) id: Uuid,
            secret: Option<Hidden>,
        }

        #[derive(Entity)]
        #[entity(table = "c", reference)]
        struct Private {
            #[entity(key)]
            id: Uuid,
        }

        pub fn names() -> [&'static str; 2] {
            let _ = (Far::SECRET, Near::ID);
            [Near::table().name, Private::table().name]
        }
    }

    pub fn name() -> &'static str {
        let _ = inner::Near::ID;
        <inner::Near as shardwise::entity::Entity>::table().name
    }
}

fn local() -> &'static str {
    #[derive(Entity)]
    #[entity(table = "d", distributed_by = festival_id)]
    struct Local {
        festival_id: Uuid,
        #[entity(key, references = Parent)]
        id: Uuid,
    }

    #[derive(Entity)]
    #[entity(table = "e", reference)]
    struct Parent {
        #[entity(key)]
        id: Uuid,
    }

    const {
        assert!(Parent::ID.name().len() == 2);
    }
    let _ = Local::FESTIVAL_ID;
    Local::table().name
}

fn main() {
    assert_eq!(outer::inner::names(), ["a", "c"]);
    assert_eq!((outer::name(), local()), ("a", "d"));
    assert_eq!(outer::inner::Far::ID.name(), "id");

    #[derive(Entity)]
    #[entity(table = "f", reference)]
    struct InMain {
        #[entity(key)]
        id: Uuid,
    }
    assert_eq!(InMain::table().name, "f");
}
