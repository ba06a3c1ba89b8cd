//! Joins and references within one co-location group and to reference entities.
#![allow(dead_code)]

use shardwise::{Entity, Tenant, Uuid};

#[derive(Entity)]
#[entity(table = "users", reference)]
struct User {
    #[entity(key)]
    id: Uuid,
}

#[derive(Entity)]
#[entity(table = "shops", distributed_by = shop, colocated_with = none)]
struct Shop {
    #[entity(key)]
    shop: i64,
}

#[derive(Entity)]
#[entity(table = "sales", distributed_by = shop, colocated_with = Shop)]
struct Sale {
    shop: i64,
    #[entity(key)]
    id: Uuid,
    #[entity(references = User)]
    user: Uuid,
}

#[derive(Entity)]
#[entity(table = "items", distributed_by = shop, colocated_with = Sale)]
struct Item {
    shop: i64,
    #[entity(key)]
    id: Uuid,
    #[entity(references = Sale, on_delete = cascade)]
    sale: Uuid,
}

async fn f(shop: Tenant<i64>) -> shardwise::Result<Vec<(Item, Sale, Option<User>)>> {
    shop.select::<Item>().join(Item::SALE.on(Sale::ID)).left_join(Sale::USER.on(User::ID)).all().await
}

fn main() {}
