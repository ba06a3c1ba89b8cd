//! Where a test of the schema runs, and connections as the schema commands have them: one, to a database of its own.

use std::ops::{Deref, DerefMut};

use shardwise::__private::admin::Target;
use tokio_postgres::{Client, NoTls};

pub(crate) use crate::support::place::{Place, in_both_modes, on_citus};

/// Few, so that tests are fast; more than there are workers.
pub(crate) const SHARDS: u32 = 4;

impl Place {
    /// A connection to a new, empty database.
    pub(crate) async fn database(self) -> Database {
        self.connect(&self.url().await).await
    }

    /// The address of a new, empty database.
    pub(crate) async fn url(self) -> String {
        let config = self.empty().await;
        let server = match self {
            Self::Single => crate::support::server().await,
            Self::Citus(cluster) => cluster.coordinator(),
        };
        format!("{}/{}", server.url().rsplit_once('/').unwrap().0, config.database())
    }

    /// The cluster's first worker, in the database of this address.
    pub(crate) async fn worker(self, url: &str) -> Database {
        let Self::Citus(cluster) = self else { panic!("there are no workers here") };
        let database = url.rsplit_once('/').unwrap().1;
        let worker = cluster.workers()[0].url();
        self.connect(&format!("{}/{database}", worker.rsplit_once('/').unwrap().0)).await
    }

    pub(crate) async fn connect(self, url: &str) -> Database {
        let target = match self {
            Self::Single => Target::Plain,
            Self::Citus(_) => Target::Citus { shard_count: Some(SHARDS) },
        };
        Database { client: connect(url).await, url: url.to_owned(), target }
    }
}

/// A connection, and what kind of database is at its end.
pub(crate) struct Database {
    client: Client,
    pub(crate) url: String,
    pub(crate) target: Target,
}

impl Database {
    /// What a person does by hand. One statement at a time: of several in one message, Citus sends all to its workers for
    /// each that it passes on.
    pub(crate) async fn by_hand(&self, statements: &[&str]) {
        for statement in statements {
            self.client.batch_execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
        }
    }

    /// The first column of a query.
    pub(crate) async fn column(&self, sql: &str) -> Vec<String> {
        self.client.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }

    /// A number.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        self.client.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// Where Citus has the tables: `wallets distributed festival_id`, co-located ones in one line.
    pub(crate) async fn layout(&self) -> Vec<String> {
        let sql = "SELECT string_agg(table_name || CASE WHEN citus_table_type = 'distributed'
                              THEN ' by ' || distribution_column || ' in ' || shard_count ELSE ' ' || citus_table_type END,
                          ', ' ORDER BY table_name::text)
                   FROM citus_tables WHERE table_name::text NOT LIKE 'shardwise.%'
                   GROUP BY CASE WHEN citus_table_type = 'distributed' THEN colocation_id END ORDER BY 1";
        self.column(sql).await
    }

    /// The first column of a query that every node answers for itself, sorted; of a query of the server's where it is alone.
    pub(crate) async fn on_all_nodes(&self, sql: &str) -> Vec<String> {
        let mut rows: Vec<String> = self.client.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
        if self.target != Target::Plain {
            let lines = format!("SELECT string_agg(line, chr(10)) FROM ({sql}) answer(line)");
            let each = "SELECT success, nodeport || ': ' || line FROM run_command_on_workers($1), \
                        string_to_table(result, chr(10)) line";
            for row in self.client.query(each, &[&lines]).await.unwrap() {
                let line: String = row.get(1);
                assert!(row.get::<_, bool>(0), "{line}");
                rows.push(line);
            }
        }
        rows.sort();
        rows
    }
}

impl Deref for Database {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl DerefMut for Database {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.client
    }
}

pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
