//! Sessions on one server that no client of ours has.

use shardwise::Config;
use shardwise::config::Endpoint;
use shardwise::local::Server;
use tokio_postgres::{Client, Error, NoTls};

pub fn address(server: &Server) -> Endpoint {
    server.config().contact_points()[0].clone()
}

/// In this database of a server.
pub async fn connect(server: &Server, database: &str) -> Result<Client, Error> {
    connect_at(&address(server), &server.config(), database).await
}

/// The same at an address, with a configuration's user.
pub async fn connect_at(at: &Endpoint, config: &Config, database: &str) -> Result<Client, Error> {
    let mut login = tokio_postgres::Config::new();
    login.host(&at.host).port(at.port).user(config.user()).dbname(database);
    let (client, connection) = login.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Runs SQL in a server's own database.
pub async fn on(server: &Server, sql: &str) {
    connect(server, server.config().database()).await.unwrap().batch_execute(sql).await.unwrap();
}
