//! PgBouncer by its rendered files.

use std::time::Duration;

use shardwise::config::{Endpoint, Secret, Tls};
use shardwise::local;
use shardwise::render::access::{Login, Verifier};
use shardwise::render::pgbouncer::{Auth, Files, PgBouncer, lookup};
use shardwise::{Cluster, ErrorKind, Uuid, unscoped_sql};
use tokio::net::TcpStream;

use super::{APP, app_at, group, proxy, reaches, stage, until};
use crate::failover::{account, fail_over};
use crate::faults::ledger::schema;
use crate::faults::writers::Writers;
use crate::support::direct::address;
use crate::support::programs::{Running, Workshop, connect, free_port, session};
use crate::support::secrets::PASSWORD;

/// Starts it by its files, and waits until it takes connections.
async fn start(workshop: &Workshop, pooler: PgBouncer) -> (Endpoint, Running) {
    let endpoint = Endpoint { host: "127.0.0.1".to_owned(), port: free_port() };
    let pooler = pooler.listen(endpoint.clone()).userlist_at(workshop.path("userlist.txt"));
    let Files { ini, userlist, .. } = pooler.files().unwrap();
    assert!(!ini.contains(PASSWORD));
    workshop.write("userlist.txt", userlist.expose());
    let file = workshop.write("pgbouncer.ini", &ini).display().to_string();
    let running = workshop.start("pgbouncer.log", &["pgbouncer".to_owned(), file]);
    until("PgBouncer does not start", async || {
        let log = running.log();
        assert!(!log.contains("ERROR") && !log.contains("FATAL") && !log.contains("WARNING"), "{log}");
        TcpStream::connect(("127.0.0.1", endpoint.port)).await.is_ok()
    })
    .await;
    (endpoint, running)
}

/// Log-ins by SCRAM from end to end, with no password in a file; writes go on at the promoted standby.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cluster_works_through_a_pooler_and_a_proxy() {
    let (primary, verifier) = stage(1).await;
    let standby = &primary.standbys()[0];
    let proxy = proxy(group(&[&primary, standby]), &[&primary, standby]).await;
    until("it leads nowhere", async || reaches(&proxy.write).await == Some(address(&primary).port)).await;
    Cluster::connect(app_at(&address(&primary))).await.unwrap().admin().apply(&schema()).await.unwrap();
    let pooler = PgBouncer::before(proxy.write.clone(), [APP]).with_auth(Auth::verifiers([(APP, verifier)]));
    let (endpoint, _running) = start(&proxy.workshop, pooler.with_budget(10, 2).with_client_connections(300)).await;

    let config = app_at(&endpoint).with_max_connections(64).unwrap().with_application_name("through-both");
    let wrong = Cluster::connect(config.clone().with_password(Some("wrong"))).await.unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::Connect, "{wrong}");
    let cluster = Cluster::connect(config).await.unwrap();
    let fest = cluster.tenant(Uuid::new_v4()).await.unwrap();
    let writers = Writers::start(std::slice::from_ref(&fest), 32).await;
    writers.until_more(300).await;
    let taken = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND usename = $1";
    let taken: i64 = connect(&primary).await.query_one(taken, &[&APP]).await.unwrap().get(0);
    println!("32 writers share {taken} connections");
    assert!((1..=5).contains(&taken), "{taken} are not the pooler's part of the budget");
    let promoted = fail_over(&primary, standby).await;
    writers.until_more(300).await;
    account(writers, &cluster, promoted).await;
    let there = Some(address(standby).port);
    until("it does not lead to the promoted one", async || reaches(&endpoint).await == there).await;
}

#[tokio::test]
async fn verifiers_are_looked_up_on_the_server() {
    const ASKS: &str = "pooler_asks";
    let (primary, verifier) = stage(0).await;
    let workshop = Workshop::beside(&primary).await;
    let client = connect(&primary).await;
    client.batch_execute(&Login::new(ASKS).with_password(&verifier).sql().unwrap()).await.unwrap();
    let url = format!("postgres://postgres:{PASSWORD}@{}/{APP}", address(&primary));
    let in_database = session(&url).await.unwrap();
    for _ in 0..2 {
        in_database.batch_execute(&lookup(ASKS).unwrap()).await.unwrap();
    }
    let auth = Auth::query(ASKS, Some(&Secret::new(PASSWORD)), 1);
    let pooler = PgBouncer::before(address(&primary), [APP]).with_auth(auth).with_budget(20, 1);
    let (endpoint, running) = start(&workshop, pooler).await;
    let reached = reaches(&endpoint).await;
    assert_eq!(reached, Some(address(&primary).port), "{}", running.log());
    // Neither a superuser's verifier is told, nor that of whoever asks without the right to.
    let superuser = app_at(&endpoint).with_user("postgres");
    assert!(Cluster::connect(superuser).await.is_err());
    let of_app = format!("postgres://{APP}:{PASSWORD}@{}/{APP}", address(&primary));
    let refused =
        session(&of_app).await.unwrap().query("SELECT pgbouncer.verifier_of('postgres')", &[]).await.unwrap_err();
    assert_eq!(refused.code().map(|code| code.code()), Some("42501"));
}

#[tokio::test]
async fn tls_on_both_sides() {
    let server = local::single().tls().password(PASSWORD).start().await.unwrap();
    let cluster = server.connect().await.unwrap();
    let secret = unscoped_sql!("SELECT rolpassword FROM pg_authid WHERE rolname = 'postgres'");
    let (secret,): (String,) = cluster.coordinator().query_one_as(secret).await.unwrap();
    let verifier = Verifier::known(&secret).unwrap();
    let folder = server.ca_file().unwrap().parent().unwrap().to_owned();
    let file = |name: &str| folder.join(name).display().to_string();
    // Whoever has no TLS can't ask the server for its programs: another one has the same.
    let workshop = Workshop::beside(&local::single().setting("work_mem", "4MB").start().await.unwrap()).await;
    let pooler = PgBouncer::before(address(&server), ["postgres"]).with_auth(Auth::verifiers([("postgres", verifier)]));
    let pooler = pooler.with_server_tls(file("ca.crt")).with_client_tls(file("server.crt"), file("server.key"));
    let (endpoint, _running) = start(&workshop, pooler).await;
    let config = server.config().with_contact_points([endpoint.clone()]).unwrap();
    let through = Cluster::connect(config.clone()).await.unwrap();
    let tls = unscoped_sql!("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
    assert!(through.coordinator().query_one_as::<(bool,)>(tls).await.unwrap().0);
    assert!(Cluster::connect(config.clone().with_tls(None).unwrap()).await.is_err(), "clients without TLS");
    // A certificate by a CA that nobody knows.
    let other = local::single().tls().start().await.unwrap();
    let of_other = Tls { ca_file: other.ca_file().map(Into::into), ..Tls::default() };
    assert!(Cluster::connect(config.with_tls(Some(of_other)).unwrap()).await.is_err());
    through.close(Duration::from_secs(5)).await;
}
