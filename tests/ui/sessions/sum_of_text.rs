use shardwise::{Entity, Tenant, Uuid};

#[derive(Entity)]
#[entity(table = "names", distributed_by = shop)]
struct Name {
    shop: Uuid,
    #[entity(key)]
    id: Uuid,
    name: String,
}

async fn f(fest: Tenant) -> shardwise::Result<()> {
    fest.select::<Name>().sum(Name::NAME).await?;
    Ok(())
}

fn main() {}
