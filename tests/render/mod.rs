//! What `render` writes is what the real programs take, and the cluster works through them.

mod citus;
mod haproxy;
mod pgbouncer;
mod replication;

use std::path::Path;

use shardwise::Config;
use shardwise::config::{Endpoint, Secret};
use shardwise::local::{self, Server};
use shardwise::render::Group;
use shardwise::render::access::{Login, Verifier};
use shardwise::render::haproxy::HaProxy;
use tokio::time::{Duration, Instant};

use crate::support::direct::address;
use crate::support::programs::{Running, Workshop, connect, free_port};
use crate::support::secrets::PASSWORD;

/// The role of the service, and the database that it owns.
const APP: &str = "festival_login";

/// A primary and standbys that ask for a password, and a role of the service whose verifier was made by the client.
async fn stage(standbys: usize) -> (Server, Verifier) {
    let often = ("wal_retrieve_retry_interval", "100ms");
    let single = local::single().password(PASSWORD).setting(often.0, often.1).standbys(standbys);
    let primary = single.start().await.unwrap();
    let verifier = Verifier::of(&Secret::new(PASSWORD)).unwrap();
    let client = connect(&primary).await;
    client.batch_execute(&Login::new(APP).with_password(&verifier).sql().unwrap()).await.unwrap();
    client.batch_execute(&format!("CREATE DATABASE {APP} OWNER {APP}")).await.unwrap();
    if standbys > 0 {
        client.batch_execute("ALTER SYSTEM SET synchronous_standby_names = '*'").await.unwrap();
        client.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    }
    (primary, verifier)
}

/// How the service connects there.
fn app_at(endpoint: &Endpoint) -> Config {
    Config::from_url(&format!("postgres://{APP}@{endpoint}/{APP}")).unwrap().with_password(Some(PASSWORD))
}

/// Puts lines before those of a server's `pg_hba.conf`, and has the server look at it: it finds no error.
async fn let_in(server: &Server, lines: &str) {
    let client = connect(server).await;
    let file: String = client.query_one("SELECT current_setting('hba_file')", &[]).await.unwrap().get(0);
    let before = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{lines}\n{before}")).unwrap();
    client.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    let rules = "SELECT count(*) FILTER (WHERE error IS NOT NULL), count(*) FROM pg_hba_file_rules";
    let row = client.query_one(rules, &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 0, "{lines}");
    assert!(row.get::<_, i64>(1) > 0);
}

/// HAProxy by its rendered file, on which it has no complaint, before servers that let its checks in.
struct Proxy {
    write: Endpoint,
    read: Vec<Endpoint>,
    _running: Running,
    workshop: Workshop,
}

async fn proxy(group: Group, servers: &[&Server]) -> Proxy {
    let regions =
        group.servers.iter().filter_map(|server| server.region).collect::<std::collections::BTreeSet<_>>().len();
    let ports = (0..2 + regions).map(|_| free_port());
    let proxy = HaProxy::before([group]).on_ports(ports).check_every(Duration::from_millis(100));
    connect(servers[0]).await.batch_execute(&proxy.check_role().unwrap()).await.unwrap();
    for server in servers {
        let_in(server, &proxy.check_rule("127.0.0.1".parse().unwrap()).unwrap()).await;
    }
    let workshop = Workshop::beside(servers[0]).await;
    let file = workshop.write("haproxy.cfg", &proxy.file().unwrap());
    checks(&workshop, &file);
    let command = ["haproxy", "-db", "-f", &file.display().to_string()].map(str::to_owned);
    let running = workshop.start("haproxy.log", &command);
    let mut endpoints = proxy.listeners().unwrap().into_iter().map(|listener| listener.endpoint);
    Proxy { write: endpoints.next().unwrap(), read: endpoints.collect(), _running: running, workshop }
}

/// HAProxy itself says that a file is right.
fn checks(workshop: &Workshop, file: &Path) {
    let command = ["haproxy", "-c", "-f", &file.display().to_string()].map(str::to_owned);
    let output = workshop.run(&command);
    let told = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && !told.contains("WARNING"), "{told}");
}

/// A group of these servers.
fn group(servers: &[&Server]) -> Group {
    Group::new("festivals", servers.iter().map(|server| address(server)))
}

/// Waits until this is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !is_so().await {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The port of the server that a log-in at this address reaches.
async fn reaches(endpoint: &Endpoint) -> Option<u16> {
    let url = format!("postgres://{APP}:{PASSWORD}@{endpoint}/{APP}");
    let client = crate::support::programs::session(&url).await.ok()?;
    let port: i32 = client.query_one("SELECT current_setting('port')::int", &[]).await.ok()?.get(0);
    u16::try_from(port).ok()
}
