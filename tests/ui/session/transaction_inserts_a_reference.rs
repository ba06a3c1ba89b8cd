use shardwise::{Entity, Tenant, Uuid};

#[derive(Entity)]
#[entity(table = "festivals", reference)]
struct Festival {
    #[entity(key)]
    id: Uuid,
    name: String,
}

async fn misuse(fest: Tenant, festival: Festival) -> shardwise::Result<()> {
    fest.transaction(async move |tx| tx.insert(&festival).await).await?;
    Ok(())
}

fn main() {}
