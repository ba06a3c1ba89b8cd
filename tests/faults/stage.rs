//! Servers that a fault may strike, a client under load on them, and what is looked at afterwards.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use shardwise::config::{PoolConfig, Timeouts};
use shardwise::local::{self, CitusCluster, Server};
use shardwise::{Cluster, Config, Region, Tenant, Uuid};
use tokio::time::Instant;

use super::ledger::{Found, schema};
use super::process::Usage;
use super::writers::{Pace, Writers};
use crate::citus::stage::{tenant_in, until};
use crate::support::direct::{address, connect};
use crate::support::proxy::Proxy;
use crate::support::{citus, logs};

/// The load that everything has to bear. An overload is ten times that.
pub const WRITERS: usize = 12;

/// Of each node.
pub const CONNECTIONS: u32 = 8;

/// By which the servers know the client under load.
const CLIENT: &str = "faults";

/// The servers of a stage: each test has its own.
pub enum Servers {
    Single(Server),
    Citus(CitusCluster),
}

/// What the servers are to be like.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    settings: &'static [(&'static str, &'static str)],
    standbys: bool,
}

impl Wanted {
    pub const PLAIN: Self = Self { settings: &[], standbys: false };
    pub const WITH_STANDBYS: Self = Self { settings: &[], standbys: true };
    /// As few connections as strangers can take all of.
    pub const SMALL: Self = Self { settings: &[("max_connections", "60")], standbys: false };
    pub const SMALL_WITH_STANDBYS: Self = Self { settings: Self::SMALL.settings, standbys: true };
}

pub struct Stage {
    pub servers: Servers,
    /// In front of each server, by its port.
    pub proxies: BTreeMap<u16, Proxy>,
    /// How the client gets there.
    pub config: Config,
    /// Past the proxies.
    pub straight: Config,
    /// The client that bears all faults; where there is none, each has one of its own.
    pub client: Option<Cluster>,
}

/// The client while a fault strikes.
pub struct UnderLoad {
    pub cluster: Cluster,
    pub tenants: Vec<Tenant>,
    pub writers: Writers,
}

impl Stage {
    pub async fn single(wanted: Wanted) -> Self {
        logs::keep();
        let mut server = local::single().standbys(usize::from(wanted.standbys));
        // A setting has it be a server of its own.
        for (name, value) in wanted.settings.iter().chain(&[("log_min_messages", "fatal")]) {
            server = server.setting(*name, *value);
        }
        let server = server.start().await.unwrap();
        let standbys = server.standbys().iter().map(address).collect::<Vec<_>>();
        let straight = server.config().with_replicas(standbys).unwrap();
        Self::on(Servers::Single(server), straight).await
    }

    /// `None` where there is no Citus.
    pub async fn citus(test: &str, wanted: Wanted) -> Option<Self> {
        logs::keep();
        if !citus::can_run(test).await {
            return None;
        }
        let mut cluster = local::citus(2).own().regions([Region::EU, Region::US]);
        for (name, value) in wanted.settings {
            cluster = cluster.setting(*name, *value);
        }
        let cluster = if wanted.standbys { cluster.standbys() } else { cluster };
        let cluster = cluster.start().await.unwrap();
        let straight = cluster.config();
        Some(Self::on(Servers::Citus(cluster), straight).await)
    }

    async fn on(servers: Servers, straight: Config) -> Self {
        let cluster = Cluster::connect(straight.clone()).await.unwrap();
        cluster.admin().apply(&schema()).await.unwrap();
        cluster.close(Duration::from_secs(5)).await;
        let nodes = servers.all().into_iter().map(address).collect();
        let (config, proxies) = Proxy::before_all(nodes, straight.clone()).await;
        Self { config: hurried(config), servers, proxies, straight, client: None }
    }

    /// The same where the client goes to the servers themselves.
    pub fn without_proxies(self) -> Self {
        Self { config: hurried(self.straight.clone()), ..self }
    }

    pub fn proxies(&self) -> impl Iterator<Item = &Proxy> {
        self.proxies.values()
    }

    pub fn proxy_of(&self, server: &Server) -> &Proxy {
        &self.proxies[&address(server).port]
    }

    /// Has the client write, strikes, and waits until it gets on again. The fault tells since when it is over.
    pub async fn strike(&self, fault: &str, pace: Pace, strike: impl AsyncFnOnce(&UnderLoad) -> Instant) -> Figures {
        let cluster = match &self.client {
            Some(client) => client.clone(),
            None => Cluster::connect(self.config.clone()).await.unwrap(),
        };
        let tenants = self.tenants(&cluster).await;
        let writers = Writers::at_pace(&tenants, WRITERS, pace).await;
        writers.until_more(20).await;
        let before = Usage::now();
        let load = UnderLoad { cluster, tenants, writers };
        let over = strike(&load).await;
        load.writers.until_more(20).await;
        let after = Usage::now();
        let ledger = load.writers.stop().await;
        drop(load.tenants);
        // What is still under way on the servers counts as well, and nothing may stay there.
        self.until_sessions(|sessions| sessions.busy == 0).await;
        let looking = Cluster::connect(self.straight.clone()).await.unwrap();
        let found = ledger.hold_against(&looking).await;
        looking.close(Duration::from_secs(5)).await;
        if self.client.is_none() {
            load.cluster.close(Duration::from_secs(5)).await;
            drop(load.cluster);
            self.until_sessions(|sessions| sessions.open == 0).await;
        }
        let (fault, back_after) = (format!("{fault}, {self}"), ledger.recovered_after(over));
        let figures = Figures { fault, found, errors: ledger.errors, back_after, before, after };
        println!("{figures}");
        figures
    }

    /// One on each server that has rows.
    async fn tenants(&self, cluster: &Cluster) -> Vec<Tenant> {
        match self.servers {
            Servers::Single(_) => vec![cluster.tenant(Uuid::new_v4()).await.unwrap()],
            Servers::Citus(_) => vec![tenant_in(cluster, Region::EU).await, tenant_in(cluster, Region::US).await],
        }
    }

    /// The client's sessions on all servers together.
    pub async fn sessions(&self) -> Sessions {
        const SESSIONS: &str = "SELECT count(*), count(*) FILTER (WHERE state <> 'idle') FROM pg_stat_activity \
                                WHERE application_name = $1";
        let mut all = Sessions::default();
        for server in self.servers.all() {
            let row = self.session(server).await.query_one(SESSIONS, &[&CLIENT]).await.unwrap();
            all.open += row.get::<_, i64>(0);
            all.busy += row.get::<_, i64>(1);
        }
        all
    }

    async fn until_sessions(&self, is_so: impl Fn(Sessions) -> bool) {
        until(async || is_so(self.sessions().await)).await;
    }

    /// A session that no client of ours has.
    pub async fn session(&self, server: &Server) -> tokio_postgres::Client {
        connect(server, self.straight.database()).await.unwrap()
    }

    /// Runs SQL on each of the servers but standbys.
    pub async fn on_all(&self, sql: &str) {
        for server in self.servers.primaries() {
            let session = self.session(server).await;
            // One by one, and not by Citus from the coordinator.
            session.batch_execute("SET citus.enable_ddl_propagation = off").await.unwrap();
            session.batch_execute(sql).await.unwrap();
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.servers {
            Servers::Single(_) => "single",
            Servers::Citus(_) => "citus",
        })
    }
}

/// How many sessions there are, and how many of them do something or are inside a transaction.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sessions {
    pub open: i64,
    pub busy: i64,
}

impl Servers {
    pub fn all(&self) -> Vec<&Server> {
        let mut all = self.primaries();
        match self {
            Self::Single(server) => all.extend(server.standbys()),
            Self::Citus(cluster) => all.extend(cluster.standbys()),
        }
        all
    }

    pub fn primaries(&self) -> Vec<&Server> {
        match self {
            Self::Single(server) => vec![server],
            Self::Citus(cluster) => std::iter::once(cluster.coordinator()).chain(cluster.workers()).collect(),
        }
    }

    /// One that has a tenant's rows.
    pub fn owner(&self) -> &Server {
        match self {
            Self::Single(server) => server,
            Self::Citus(cluster) => &cluster.workers()[0],
        }
    }

    /// Its standby, where one was wanted.
    pub fn standby(&self) -> &Server {
        match self {
            Self::Single(server) => &server.standbys()[0],
            Self::Citus(cluster) => &cluster.standbys()[0],
        }
    }
}

/// What a fault did to a client.
#[derive(Debug, Clone)]
pub struct Figures {
    pub fault: String,
    pub found: Found,
    pub errors: BTreeMap<String, u64>,
    pub back_after: Duration,
    pub before: Usage,
    pub after: Usage,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fault, found, errors, back_after, before, after } = self;
        write!(
            f,
            "FAULT {fault}: {} acknowledged, {} lost, {} doubled, {} torn; {} refused, {} of them there; {} unknown, {} of them \
             there; back after {} ms; memory {:+} kB; descriptors {} -> {}; errors {errors:?}",
            found.acknowledged,
            found.lost,
            found.doubled,
            found.torn,
            found.refused,
            found.refused_but_there,
            found.unknown,
            found.unknown_but_there,
            back_after.as_millis(),
            after.memory - before.memory,
            before.descriptors,
            after.descriptors
        )
    }
}

/// Limits that a fault of a few seconds runs into, and a pool that ten times the load fills.
fn hurried(config: Config) -> Config {
    let seconds = Duration::from_secs;
    let timeouts = Timeouts { connect: seconds(1), checkout: seconds(2), statement: seconds(2), call: seconds(4) };
    let pool = PoolConfig { max_connections: CONNECTIONS, max_waiting: 40, ..PoolConfig::default() };
    config.with_application_name(CLIENT).with_timeouts(timeouts).unwrap().with_pool(pool).unwrap()
}

/// Makes of each of these functions a test on one PostgreSQL server, and one on Citus where that is there; each has servers
/// of its own, which are as wanted.
macro_rules! on_own_servers {
    ($wanted:ident: $($test:ident),+ $(,)?) => {
        mod single {
            $(
                #[test]
                fn $test() {
                    $crate::support::place::on_two_threads(async {
                        super::$test($crate::faults::stage::Stage::single($crate::faults::stage::Wanted::$wanted).await).await;
                    });
                }
            )+
        }

        mod citus {
            $(
                #[test]
                fn $test() {
                    let name = concat!(module_path!(), "::", stringify!($test));
                    $crate::support::place::on_two_threads(async {
                        if let Some(stage) = $crate::faults::stage::Stage::citus(name, $crate::faults::stage::Wanted::$wanted).await {
                            super::$test(stage).await;
                        }
                    });
                }
            )+
        }
    };
}

pub(crate) use on_own_servers;
