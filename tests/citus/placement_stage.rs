//! What the tests of placement share: a cluster with two nodes in 'eu' and one in 'us', tenants that are busy, and what
//! the servers say of where shards are.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use shardwise::admin::placement::Placement;
use shardwise::local::{self, CitusCluster, Server};
use shardwise::{Cluster, Config, Entity, Error, Region, Schema, Tenant, Uuid, unscoped_sql};
use tokio::task::JoinSet;

use crate::support::citus::can_run;
use crate::support::leftovers::fresh;
use crate::support::model::{Entry, Festival, Wallet};

/// Of a co-location group of its own, with the same kind of key as the others.
#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(table = "notes", distributed_by = festival_id, colocated_with = none)]
pub struct Note {
    pub festival_id: Uuid,
    #[entity(key)]
    pub id: Uuid,
    pub text: String,
}

pub fn schema() -> Schema {
    crate::support::schema().with::<Note>()
}

/// A cluster with a worker in each of these regions.
pub async fn own(test: &str, regions: &[Region]) -> Option<CitusCluster> {
    if !can_run(test).await {
        return None;
    }
    let cluster = local::citus(regions.len()).regions(regions.iter().copied()).setting("citus.shard_count", "8");
    // How long a server waits before it starts a worker of a subscription again: most of the time of a move.
    let cluster = cluster.setting("wal_retrieve_retry_interval", "100ms");
    Some(cluster.start().await.unwrap())
}

/// Connected to a new database with the tables in it.
pub async fn cluster(local: &CitusCluster) -> Cluster {
    let cluster = Cluster::connect(fresh(local).await).await.unwrap();
    cluster.admin().apply(&schema()).await.unwrap();
    cluster.refresh().await.unwrap();
    cluster
}

pub fn placement(cluster: &Cluster) -> Placement {
    cluster.admin().placement()
}

/// The database that it is connected to.
pub async fn database(cluster: &Cluster) -> String {
    cluster.coordinator().query_one_as::<(String,)>(unscoped_sql!("SELECT current_database()::text")).await.unwrap().0
}

/// A server that is no node yet, with the cluster's database in it, and its port.
pub async fn spare(cluster: &Cluster, config: &Config) -> (Server, u16) {
    let settings = [
        ("shared_preload_libraries", "citus"),
        ("wal_level", "logical"),
        ("max_replication_slots", "64"),
        ("max_wal_senders", "64"),
        ("max_logical_replication_workers", "32"),
        ("max_worker_processes", "100"),
        ("max_prepared_transactions", "100"),
        ("citus.node_conninfo", "sslmode=disable"),
    ];
    let server = settings.into_iter().fold(local::single(), |server, (name, value)| server.setting(name, value));
    let server = server.start().await.unwrap();
    let own = tokio_postgres::connect(&server.url(), tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(own.1);
    // The one that the database was copied from is in its metadata as well.
    let names = unscoped_sql!("SELECT datname::text FROM pg_database WHERE datname LIKE 'shardwise%'");
    for (name,) in cluster.coordinator().query_as::<(String,)>(names).await.unwrap() {
        own.0.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
    }
    let config = server.config().with_database(config.database());
    let inside = Cluster::connect(config.clone()).await.unwrap();
    inside.coordinator().execute(unscoped_sql!("CREATE EXTENSION citus")).await.unwrap();
    let port = config.contact_points()[0].port;
    (server, port)
}

/// By port, in pg_dist_node's order, the region of each node.
pub async fn node_regions(cluster: &Cluster) -> Vec<(i32, Option<String>)> {
    let regions = unscoped_sql!(
        "SELECT nodeport, region FROM pg_dist_node LEFT JOIN shardwise.node_regions ON node_id = nodeid ORDER BY nodeid"
    );
    cluster.coordinator().query_as(regions).await.unwrap()
}

/// Each shard of the distributed tables, partitions included, with the region that it lies in, as the coordinator has
/// it. Placements that move keep their shard's id.
pub async fn shard_regions(cluster: &Cluster) -> Vec<(i64, Option<String>)> {
    let regions = unscoped_sql!(
        "SELECT s.shardid, r.region FROM pg_dist_shard s JOIN pg_dist_partition t USING (logicalrelid) \
         JOIN pg_dist_placement p USING (shardid) JOIN pg_dist_node n USING (groupid) \
         LEFT JOIN shardwise.node_regions r ON r.node_id = n.nodeid WHERE t.partmethod = 'h' ORDER BY 1, 2"
    );
    cluster.coordinator().query_as(regions).await.unwrap()
}

/// The regions in which any table has the tenant's shard, as the coordinator has it.
pub async fn regions_of(cluster: &Cluster, tenant: Uuid) -> Vec<String> {
    let regions = unscoped_sql!(
        "SELECT DISTINCT coalesce(r.region, '-') FROM pg_dist_partition t JOIN pg_dist_colocation c USING (colocationid) \
         JOIN pg_dist_placement p ON p.shardid = get_shard_id_for_distribution_column(t.logicalrelid, :id::uuid) \
         JOIN pg_dist_node n USING (groupid) LEFT JOIN shardwise.node_regions r ON r.node_id = n.nodeid \
         WHERE t.partmethod = 'h' AND c.distributioncolumntype = 'uuid'::regtype ORDER BY 1",
        id = tenant
    );
    let rows: Vec<(String,)> = cluster.coordinator().query_as(regions).await.unwrap();
    rows.into_iter().map(|(region,)| region).collect()
}

/// By port of its node, how many shards a table has there.
pub async fn shards_per_node(cluster: &Cluster, table: &str) -> Vec<(i32, i64)> {
    let shards = unscoped_sql!(
        "SELECT n.nodeport, count(*) FROM pg_dist_shard s JOIN pg_dist_placement p USING (shardid) \
         JOIN pg_dist_node n USING (groupid) WHERE s.logicalrelid = (:table::text)::regclass GROUP BY 1 ORDER BY min(n.nodeid)",
        table = table.to_owned()
    );
    cluster.coordinator().query_as(shards).await.unwrap()
}

/// The home region that the directory has now, as the coordinator has it.
pub async fn home_of(cluster: &Cluster, tenant: Uuid) -> String {
    let home = unscoped_sql!("SELECT region FROM festivals WHERE id = :id", id = tenant);
    cluster.coordinator().query_one_as::<(String,)>(home).await.unwrap().0
}

/// A tenant that is at home in a region, with an id that the region's nodes hold or not.
pub async fn tenant(cluster: &Cluster, lies: Region, home: Region) -> Tenant {
    let id = cluster.mint_id(lies).unwrap();
    let festival = Festival { id, slug: id.to_string(), region: home, name: "of a test".to_owned() };
    cluster.reference().insert(&festival).await.unwrap();
    cluster.tenant(id).await.unwrap()
}

/// Of each payment.
const AMOUNT: i64 = 3;

/// What is done to a busy tenant's rows is counted, and must be there at the end.
#[derive(Default)]
struct Books {
    entries: AtomicU64,
    notes: AtomicU64,
    errors: Mutex<Vec<Error>>,
}

/// Tasks that write a tenant's rows, in two co-location groups, until they are told to stop.
pub struct Busy {
    tenant: Tenant,
    wallets: Vec<Wallet>,
    books: Arc<Books>,
    tasks: JoinSet<()>,
    stop: tokio::sync::watch::Sender<bool>,
}

impl Busy {
    /// A task per wallet: a payment, which is an entry and a balance in one transaction; a note; and a note that goes
    /// again.
    pub async fn with(tenant: &Tenant, wallets: usize) -> Self {
        let wallets: Vec<_> = (0..wallets).map(|_| Wallet::new(*tenant.key(), 0)).collect();
        tenant.insert_many(&wallets).await.unwrap();
        let (books, stop, mut tasks) =
            (Arc::new(Books::default()), tokio::sync::watch::Sender::new(false), JoinSet::new());
        for wallet in wallets.clone() {
            let (tenant, books, stopped) = (tenant.clone(), books.clone(), stop.subscribe());
            tasks.spawn(async move {
                while !*stopped.borrow() {
                    if let Err(error) = play(&tenant, &wallet, &books).await {
                        books.errors.lock().unwrap().push(error);
                    }
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            });
        }
        Self { tenant: tenant.clone(), wallets, books, tasks, stop }
    }

    /// Stops, and looks that all that was acknowledged is there, once, and that nothing failed. Returns the payments.
    pub async fn finish(mut self) -> u64 {
        self.stop.send(true).unwrap();
        while self.tasks.join_next().await.is_some() {}
        let errors = std::mem::take(&mut *self.books.errors.lock().unwrap());
        assert!(errors.is_empty(), "{} errors, the first: {:?}", errors.len(), errors.first());
        let [entries, notes] = [&self.books.entries, &self.books.notes].map(|book| book.load(Ordering::SeqCst));
        let amount = AMOUNT * i64::try_from(entries).unwrap();
        let tenant = &self.tenant;
        assert_eq!(tenant.count::<Entry>().await.unwrap(), entries, "entries");
        assert_eq!(tenant.select::<Entry>().sum(Entry::AMOUNT).await.unwrap(), amount, "amounts");
        assert_eq!(tenant.select::<Wallet>().sum(Wallet::BALANCE).await.unwrap(), amount, "balances");
        assert_eq!(tenant.count::<Note>().await.unwrap(), notes, "notes");
        assert_eq!(tenant.count::<Wallet>().await.unwrap(), u64::try_from(self.wallets.len()).unwrap());
        entries
    }

    /// Waits for so many payments more.
    pub async fn pay(&self, more: u64) {
        let paid = || self.books.entries.load(Ordering::SeqCst);
        let wanted = paid() + more;
        let errors = || self.books.errors.lock().unwrap().first().cloned();
        super::stage::until(async || paid() >= wanted || errors().is_some()).await;
        assert!(errors().is_none(), "{:?}", errors());
    }
}

async fn play(tenant: &Tenant, wallet: &Wallet, books: &Books) -> Result<(), Error> {
    let (festival_id, wallet_id) = (wallet.festival_id, wallet.id);
    let entry = Entry { festival_id, id: Uuid::new_v4(), wallet_id, amount: AMOUNT, created_at: Timestamp::now() };
    let paid = tenant.transaction(move |tx| async move {
        tx.insert(&entry).await?;
        tx.update_columns::<Wallet>(wallet_id).add(Wallet::BALANCE, AMOUNT).run().await.map(drop)
    });
    paid.await?;
    books.entries.fetch_add(1, Ordering::SeqCst);
    let note = |text: &str| Note { festival_id, id: Uuid::new_v4(), text: text.to_owned() };
    tenant.insert(&note("stays")).await?;
    books.notes.fetch_add(1, Ordering::SeqCst);
    let goes = note("goes");
    tenant.insert(&goes).await?;
    assert!(tenant.delete::<Note>(goes.id).await?, "a note is gone");
    Ok(())
}
