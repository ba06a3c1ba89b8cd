use shardwise::{Entity, Tenant, Uuid};

#[derive(Entity)]
#[entity(table = "festivals", reference)]
struct Festival {
    #[entity(key)]
    id: Uuid,
    name: String,
}

async fn misuse(fest: Tenant, festival: Festival) -> shardwise::Result<()> {
    fest.insert(&festival).await?;
    Ok(())
}

fn main() {}
