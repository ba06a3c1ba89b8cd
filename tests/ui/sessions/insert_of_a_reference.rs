use shardwise::{Entity, Tenant, Uuid};

#[derive(Entity)]
#[entity(table = "festivals", reference)]
struct Festival {
    #[entity(key)]
    id: Uuid,
    name: String,
}

async fn f(fest: Tenant, festival: Festival) -> shardwise::Result<()> {
    fest.insert(&festival).await
}

fn main() {}
