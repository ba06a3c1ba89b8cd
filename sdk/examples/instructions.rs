//! Does one thing many times, inside of `measured`, for callgrind to count the instructions: see `ci/instructions`.
//!
//! On one server or on Citus: `instructions citus route 100000`. With the feature `metrics` all is told to an exporter for
//! Prometheus as well.

#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::time::Duration;

use shardwise::local::{self, CitusCluster, Server};
use shardwise::{Cluster, Entity, Schema, Tenant, Uuid};
use tokio::runtime::{Builder, Runtime};

#[derive(Entity)]
#[entity(table = "wallets", distributed_by = festival_id)]
struct Wallet {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    balance: i64,
}

const TENANTS: usize = 64;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [place, what, times] = arguments.as_slice() else {
        panic!("usage: instructions single|citus route|tenant|get TIMES")
    };
    let times: usize = times.parse().expect("a number of times");
    #[cfg(feature = "metrics")]
    install_exporter();
    // One thread: what the driver does in the background counts as well.
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let Some((servers, cluster)) = runtime.block_on(start(place)) else {
        println!("skipped: Citus is not installed");
        return;
    };
    let wallets: Vec<Wallet> =
        (0..TENANTS).map(|_| Wallet { festival_id: Uuid::new_v4(), id: Uuid::new_v4(), balance: 1 }).collect();
    let tenants = runtime.block_on(prepare(&cluster, &wallets));
    let work = match what.as_str() {
        "route" => route,
        "tenant" => tenant,
        "get" => get,
        other => panic!("there is no {other:?}: write route, tenant or get"),
    };
    // What is done once, such as preparing, is not counted.
    work(&runtime, &cluster, &tenants, &wallets, 4 * TENANTS);
    measured(work, &runtime, &cluster, &tenants, &wallets, times);
    drop(servers);
}

#[cfg(feature = "metrics")]
fn install_exporter() {
    use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
    let mut builder = PrometheusBuilder::new();
    for metric in shardwise::metrics::all() {
        if let Some(buckets) = metric.buckets {
            builder = builder.set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), buckets).expect("buckets");
        }
    }
    metrics::set_global_recorder(builder.build_recorder()).expect("no other recorder");
}

type Work = fn(&Runtime, &Cluster, &[Tenant], &[Wallet], usize);

/// By this name callgrind knows when to count.
#[inline(never)]
fn measured(work: Work, runtime: &Runtime, cluster: &Cluster, tenants: &[Tenant], wallets: &[Wallet], times: usize) {
    work(runtime, cluster, tenants, wallets, times);
    black_box(());
}

/// Where a tenant's next statement goes.
fn route(_: &Runtime, _: &Cluster, tenants: &[Tenant], _: &[Wallet], times: usize) {
    for tenant in tenants.iter().cycle().take(times) {
        black_box(tenant.route()).expect("a route");
    }
}

/// A tenant's handle, which each request asks for.
fn tenant(runtime: &Runtime, cluster: &Cluster, _: &[Tenant], wallets: &[Wallet], times: usize) {
    runtime.block_on(async {
        for wallet in wallets.iter().cycle().take(times) {
            black_box(cluster.tenant(wallet.festival_id).await).expect("a tenant");
        }
    });
}

/// A read by key: with the driver, the runtime and the system calls' own part.
fn get(runtime: &Runtime, _: &Cluster, tenants: &[Tenant], wallets: &[Wallet], times: usize) {
    runtime.block_on(async {
        for (tenant, wallet) in tenants.iter().zip(wallets).cycle().take(times) {
            assert_eq!(tenant.get::<Wallet>(wallet.id).await.expect("a wallet").balance, wallet.balance);
        }
    });
}

/// Die when they are dropped.
#[allow(dead_code)]
enum Servers {
    Single(Server),
    Citus(CitusCluster),
}

/// `None` where there is no Citus.
async fn start(place: &str) -> Option<(Servers, Cluster)> {
    let (servers, config) = match place {
        "single" => {
            let server = local::single().start().await.expect("a PostgreSQL server");
            let config = server.config();
            (Servers::Single(server), config)
        }
        "citus" if local::offers_citus().await.expect("a PostgreSQL server") => {
            let citus = local::citus(2).start().await.expect("Citus");
            let config = citus.config();
            (Servers::Citus(citus), config)
        }
        "citus" => return None,
        other => panic!("there is no {other:?}: write single or citus"),
    };
    let cluster = Cluster::connect(config).await.expect("a connection");
    cluster.admin().apply(&Schema::new().with::<Wallet>()).await.expect("the table");
    cluster.refresh().await.expect("the layout");
    Some((servers, cluster))
}

async fn prepare(cluster: &Cluster, wallets: &[Wallet]) -> Vec<Tenant> {
    let mut tenants = Vec::new();
    for wallet in wallets {
        let tenant = cluster.tenant(wallet.festival_id).await.expect("a tenant");
        tenant.insert(wallet).await.expect("the wallet");
        tenants.push(tenant);
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    tenants
}
