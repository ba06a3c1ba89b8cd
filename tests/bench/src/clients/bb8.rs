//! bb8 with bb8-postgres. It has no cache of statements, so a good user's connection brings its own.

use anyhow::Result;
use bb8::{ManageConnection, Pool};
use bb8_postgres::PostgresConnectionManager;
use tokio_postgres::{Client, Error, NoTls};

use super::statements::{self, Statements, wallet};
use super::{Pays, Pools, Reads};
use crate::model::{Key, Payment, Wallet};
use crate::servers::CONNECTIONS;

/// Pools of prepared connections.
#[derive(Clone)]
pub struct Bb8(Pools<Pool<Manager>>);

impl Bb8 {
    /// A pool for each of these nodes.
    ///
    /// # Errors
    /// When one can't be reached.
    pub async fn connect(urls: &[String]) -> Result<Self> {
        let open = async |url: &str| {
            let manager = Manager(PostgresConnectionManager::new_from_stringlike(url, NoTls)?);
            Ok(Pool::builder().max_size(CONNECTIONS).test_on_check_out(false).build(manager).await?)
        };
        Ok(Self(Pools::at(urls, open).await?))
    }
}

struct Manager(PostgresConnectionManager<NoTls>);

struct Prepared {
    client: Client,
    statements: Statements,
}

impl ManageConnection for Manager {
    type Connection = Prepared;
    type Error = Error;

    async fn connect(&self) -> Result<Prepared, Error> {
        let client = self.0.connect().await?;
        let statements = Statements::prepare(&client).await?;
        Ok(Prepared { client, statements })
    }

    async fn is_valid(&self, connection: &mut Prepared) -> Result<(), Error> {
        self.0.is_valid(&mut connection.client).await
    }

    fn has_broken(&self, connection: &mut Prepared) -> bool {
        self.0.has_broken(&mut connection.client)
    }
}

impl Reads for Bb8 {
    async fn read(&self, key: Key) -> Result<Wallet> {
        let connection = self.0.of(&key).get().await?;
        wallet(&connection.client.query_one(&connection.statements.read, &[&key.festival_id, &key.id]).await?)
    }
}

impl Pays for Bb8 {
    async fn pay(&self, payment: Payment) -> Result<()> {
        let mut connection = self.0.of(&payment.key).get().await?;
        let Prepared { client, statements } = &mut *connection;
        statements::pay(client.transaction().await?, statements, &payment).await
    }
}
