//! One server for the whole run, a fresh database per test, and the entities that the tests share.

pub mod activity;
pub mod citus;
pub mod model;
pub mod proxy;

use std::time::Duration;

use shardwise::config::Timeouts;
use shardwise::local::{self, Server};
use shardwise::{Cluster, Config, Schema, Tenant, Uuid};
use tokio::sync::OnceCell;

/// The run's server. It ends with the process.
pub async fn server() -> &'static Server {
    static SERVER: OnceCell<Server> = OnceCell::const_new();
    SERVER.get_or_init(|| async { local::single().start().await.unwrap() }).await
}

/// A new database with the shared entities' tables in it.
pub async fn database() -> Config {
    let config = server().await.fresh_database().await.unwrap();
    let cluster = Cluster::connect(config.clone()).await.unwrap();
    cluster.admin().apply(&schema()).await.unwrap();
    cluster.close(Duration::from_secs(5)).await;
    config
}

pub fn schema() -> Schema {
    use model::{Country, Entry, Everything, Festival, Label, Seat, User, Wallet};
    Schema::new()
        .with::<Country>()
        .with::<Festival>()
        .with::<User>()
        .with::<Wallet>()
        .with::<Entry>()
        .with::<Seat>()
        .with::<Label>()
        .with::<Everything>()
}

/// A cluster on a fresh database.
pub async fn cluster() -> Cluster {
    Cluster::connect(database().await).await.unwrap()
}

/// A cluster on a fresh database, and a new tenant in it.
pub async fn tenant() -> (Cluster, Tenant) {
    let cluster = cluster().await;
    let tenant = cluster.tenant(Uuid::new_v4()).await.unwrap();
    (cluster, tenant)
}

/// The same with an application name of its own, by which the server's sessions can be told apart.
pub async fn named_tenant(name: &str) -> (Cluster, Tenant) {
    let cluster = Cluster::connect(database().await.with_application_name(name)).await.unwrap();
    let tenant = cluster.tenant(Uuid::new_v4()).await.unwrap();
    (cluster, tenant)
}

/// Limits short enough to run into in a test.
pub fn timeouts() -> Timeouts {
    Timeouts {
        connect: Duration::from_secs(5),
        checkout: Duration::from_secs(10),
        statement: Duration::from_secs(20),
        call: Duration::from_secs(30),
    }
}
