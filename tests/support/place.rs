//! Where a test runs: on one PostgreSQL server, or on Citus. The same test, in both.

use std::time::Duration;

use shardwise::local::CitusCluster;
use shardwise::{Cluster, Config, Schema, Tenant, unscoped_sql};

use super::leftovers::{dropped_after_the_test, fresh};
use super::{schema, secrets};

/// On which kind of server a test runs.
#[derive(Clone, Copy)]
pub enum Place {
    Single,
    Citus(&'static CitusCluster),
}

impl Place {
    /// One of two, by the kind of server.
    pub fn pick<T>(self, single: T, citus: T) -> T {
        if self.is_citus() { citus } else { single }
    }

    pub fn is_citus(self) -> bool {
        matches!(self, Self::Citus(_))
    }

    /// A new, empty database.
    pub async fn empty(self) -> Config {
        match self {
            Self::Single => dropped_after_the_test(super::server().await.fresh_database().await.unwrap()),
            Self::Citus(cluster) => fresh(cluster).await,
        }
    }

    /// A new database with the shared entities' tables in it.
    pub async fn prepared(self) -> Config {
        self.prepared_with(schema()).await
    }

    /// The same with other tables.
    pub async fn prepared_with(self, schema: Schema) -> Config {
        let config = self.empty().await;
        let cluster = Cluster::connect(config.clone()).await.unwrap();
        cluster.admin().apply(&schema).await.unwrap();
        cluster.close(Duration::from_secs(5)).await;
        match self {
            Self::Single => super::pooler::before(config).await,
            Self::Citus(_) => config,
        }
    }

    /// A cluster on such a database.
    pub async fn cluster(self) -> Cluster {
        Cluster::connect(self.prepared().await).await.unwrap()
    }

    /// The same, and a new tenant in it.
    pub async fn tenant(self) -> (Cluster, Tenant) {
        let cluster = self.cluster().await;
        let tenant = cluster.tenant(secrets::id()).await.unwrap();
        (cluster, tenant)
    }

    /// The same with an application name of its own, by which the servers' sessions can be told apart.
    pub async fn named_tenant(self, name: &str) -> (Cluster, Tenant) {
        let config = self.prepared().await.with_application_name(name);
        let cluster = Cluster::connect(config).await.unwrap();
        let tenant = cluster.tenant(secrets::id()).await.unwrap();
        (cluster, tenant)
    }

    /// A cluster where no tenant has two wallets with one balance; the server looks at that when it commits.
    pub async fn cluster_that_looks_late(self) -> Cluster {
        let cluster = self.cluster().await;
        let add = unscoped_sql!(
            "ALTER TABLE wallets ADD CONSTRAINT one_of_a_balance UNIQUE (festival_id, balance) \
             DEFERRABLE INITIALLY DEFERRED"
        );
        cluster.coordinator().execute(add).await.unwrap();
        cluster
    }
}

/// Makes of each of these functions a test on one PostgreSQL server, and one on Citus where that is there. They run on
/// one thread, as with `#[tokio::test]`, unless it says `@on_two_threads:` before them.
macro_rules! in_both_modes {
    (@$run:ident: $($test:ident),+ $(,)?) => {
        mod single {
            $(
                #[test]
                fn $test() {
                    $crate::support::place::$run(super::$test($crate::support::place::Place::Single));
                }
            )+
        }

        $crate::support::place::on_citus![@$run: $($test),+];
    };
    ($($test:ident),+ $(,)?) => {
        $crate::support::place::in_both_modes![@on_one_thread: $($test),+];
    };
}

/// Makes of each of these functions a test on Citus, where that is there.
macro_rules! on_citus {
    (@$run:ident: $($test:ident),+ $(,)?) => {
        mod citus {
            $(
                #[test]
                fn $test() {
                    let name = concat!(module_path!(), "::", stringify!($test));
                    $crate::support::place::$run(async {
                        if let Some(cluster) = $crate::support::citus::shared(name).await {
                            super::$test($crate::support::place::Place::Citus(cluster)).await;
                        }
                    });
                }
            )+
        }
    };
    ($($test:ident),+ $(,)?) => {
        $crate::support::place::on_citus![@on_one_thread: $($test),+];
    };
}

pub(crate) use {in_both_modes, on_citus};

pub fn on_one_thread(test: impl Future<Output = ()>) {
    run(&mut tokio::runtime::Builder::new_current_thread(), test);
}

pub fn on_two_threads(test: impl Future<Output = ()>) {
    run(tokio::runtime::Builder::new_multi_thread().worker_threads(2), test);
}

/// What waits for something that never comes is told by its name, and the others go on.
fn run(threads: &mut tokio::runtime::Builder, test: impl Future<Output = ()>) {
    super::logs::keep();
    let patience = std::env::var("TEST_PATIENCE").map_or(900, |seconds| seconds.parse().unwrap());
    let test = async { tokio::time::timeout(std::time::Duration::from_secs(patience), test).await };
    let ended = threads.enable_all().build().unwrap().block_on(test);
    assert!(ended.is_ok(), "it has not ended in {patience} s (TEST_PATIENCE)");
}
