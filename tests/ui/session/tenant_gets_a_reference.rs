use shardwise::{Entity, Tenant, Uuid};

#[derive(Entity)]
#[entity(table = "festivals", reference)]
struct Festival {
    #[entity(key)]
    id: Uuid,
    name: String,
}

async fn misuse(fest: Tenant) -> shardwise::Result<()> {
    let festival = fest.get::<Festival>(Uuid::nil()).await?;
    Ok(())
}

fn main() {}
