//! A cluster with a schema, and a session of nobody's beside it.

use shardwise::{Cluster, Config, Schema};

use super::direct;
use super::place::Place;

/// A cluster in a database of its own, and a session of nobody's on its coordinator.
pub struct Stage {
    pub cluster: Cluster,
    pub config: Config,
    pub place: Place,
    pub by_hand: tokio_postgres::Client,
}

impl Stage {
    pub async fn with(place: Place, schema: Schema) -> Self {
        let config = place.empty().await;
        let cluster = Cluster::connect(config.clone()).await.unwrap();
        cluster.admin().apply(&schema).await.unwrap();
        let by_hand = session(&config).await;
        Self { cluster, config, place, by_hand }
    }

    /// One statement after the other, as Citus wants it.
    pub async fn run(&self, statements: &[&str]) {
        for statement in statements {
            self.by_hand.batch_execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
        }
    }

    pub async fn column(&self, sql: &str) -> Vec<String> {
        let rows = self.by_hand.query(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        rows.iter().map(|row| row.get(0)).collect()
    }

    pub async fn number(&self, sql: &str) -> i64 {
        self.by_hand.query_one(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}")).get(0)
    }
}

/// A session on the coordinator that no client of ours has.
pub async fn session(config: &Config) -> tokio_postgres::Client {
    direct::connect_at(&config.contact_points()[0], config, config.database()).await.unwrap()
}
