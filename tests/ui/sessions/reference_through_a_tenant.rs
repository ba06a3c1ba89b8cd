use shardwise::{Entity, Tenant, Uuid};

#[derive(Entity)]
#[entity(table = "festivals", reference)]
struct Festival {
    #[entity(key)]
    id: Uuid,
    name: String,
}

async fn f(fest: Tenant, id: Uuid) -> shardwise::Result<Festival> {
    fest.get::<Festival>(id).await
}

fn main() {}
