//! What these tests play on: a database that holds its tenants to their rows, two tenants with rows in it, and SQL that forgets
//! whose it is about.

use shardwise::config::Policy;
use shardwise::local::Server;
use shardwise::{Cluster, Config, Tenant, Uuid};
use tokio_postgres::{Client, NoTls};

use crate::support::model::{Entry, Label, Seat, Wallet};
use crate::support::place::Place;
use crate::support::schema;
use crate::support::unchecked;

/// A database with the shared entities' tables, held by row level security.
pub struct Stage {
    pub place: Place,
    /// As the owner of the tables.
    pub owner: Config,
    /// As a role that is a member of the application role.
    pub app: Config,
    /// The application role.
    pub role: String,
}

impl Stage {
    pub async fn new(place: Place) -> Self {
        let (role, login) = (unique("app"), unique("login"));
        let owner = place.empty().await.with_policy(Policy::row_level_security(&role)).unwrap();
        let stage = Self { place, app: owner.clone().with_user(&login), owner, role };
        let cluster = stage.as_owner().await;
        cluster.admin().apply(&schema()).await.unwrap();
        stage.by_hand(&[&format!("CREATE ROLE {login} LOGIN IN ROLE {}", stage.role)]).await;
        stage
    }

    pub async fn as_owner(&self) -> Cluster {
        Cluster::connect(self.owner.clone()).await.unwrap()
    }

    pub async fn as_app(&self) -> Cluster {
        Cluster::connect(self.app.clone()).await.unwrap()
    }

    /// What a superuser does by hand, on the coordinator. One statement at a time: of several in one message, Citus sends all
    /// to its workers for each that it passes on.
    pub async fn by_hand(&self, statements: &[&str]) {
        let client = self.superuser().await;
        for statement in statements {
            client.batch_execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
        }
    }

    /// A superuser's connection to the coordinator.
    pub async fn superuser(&self) -> Client {
        match self.place {
            Place::Single => connect(crate::support::server().await, self.owner.database(), None).await,
            Place::Citus(cluster) => connect(cluster.coordinator(), self.owner.database(), None).await,
        }
    }

    /// The login role's own connections: one to each node.
    pub async fn app_by_hand(&self) -> Vec<Client> {
        let (database, user) = (self.app.database(), Some(self.app.user()));
        let servers: Vec<&Server> = match self.place {
            Place::Single => vec![crate::support::server().await],
            Place::Citus(cluster) => std::iter::once(cluster.coordinator()).chain(cluster.workers()).collect(),
        };
        let mut clients = Vec::new();
        for server in servers {
            clients.push(connect(server, database, user).await);
        }
        clients
    }
}

/// A name that no other test has: roles are the servers'.
pub fn unique(stem: &str) -> String {
    format!("{stem}_{}", Uuid::new_v4().simple())
}

async fn connect(server: &Server, database: &str, user: Option<&str>) -> Client {
    let mut url = format!("{}/{database}", server.url().rsplit_once('/').unwrap().0);
    if let Some(user) = user {
        url = url.replace("postgres@", &format!("{user}@"));
    }
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A tenant with rows in several tables.
pub async fn tenant(cluster: &Cluster, balances: &[i64]) -> Tenant {
    let fest = cluster.tenant(Uuid::new_v4()).await.unwrap();
    for &balance in balances {
        let wallet = Wallet::new(*fest.key(), balance);
        fest.insert(&wallet).await.unwrap();
        fest.insert(&entry(&wallet)).await.unwrap();
        let (stage, number) = ("main".to_owned(), balance.try_into().unwrap());
        fest.insert(&Seat { festival_id: *fest.key(), stage, number, taken: false }).await.unwrap();
    }
    fest
}

pub fn entry(wallet: &Wallet) -> Entry {
    let (festival_id, wallet_id, created_at) = (wallet.festival_id, wallet.id, jiff::Timestamp::now());
    Entry { festival_id, id: Uuid::new_v4(), wallet_id, amount: wallet.balance, created_at }
}

pub fn label(tenant: &str, name: &str) -> Label {
    Label { tenant: tenant.to_owned(), name: name.to_owned() }
}

/// The balances of the tenant's wallets, told by a text that names no tenant.
pub async fn balances(fest: &Tenant) -> Vec<i64> {
    let rows = fest.query_as::<(i64,)>(unchecked("SELECT balance FROM wallets ORDER BY balance")).await.unwrap();
    rows.into_iter().map(|(balance,)| balance).collect()
}
