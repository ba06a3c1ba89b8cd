use shardwise::{Entity, Tenant, Uuid};

#[derive(Entity)]
#[entity(table = "festivals", reference)]
struct Festival {
    #[entity(key)]
    id: Uuid,
    name: String,
}

async fn misuse(fest: Tenant) -> shardwise::Result<()> {
    let all = fest.select::<Festival>().all().await?;
    Ok(())
}

fn main() {}
