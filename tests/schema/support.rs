//! Connections as the schema commands have them: one, to a database of its own.

use tokio_postgres::{Client, NoTls};

/// A connection to a new, empty database.
pub(crate) async fn fresh_database() -> Client {
    connect(&fresh_url().await).await
}

/// The address of a new, empty database.
pub(crate) async fn fresh_url() -> String {
    let config = crate::support::server().await.fresh_database().await.unwrap();
    let url = crate::support::server().await.url();
    format!("{}/{}", url.rsplit_once('/').unwrap().0, config.database())
}

pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
