//! The service under load, scraped by a real Prometheus: each alert fires when its condition is really made, and clears when it is
//! removed.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use festival::load::client::{Client, Request};
use festival::model::{Festival, now, schema};
use festival::process::ServiceProcess;
use serde_json::json;
use shardwise::local::Server;
use shardwise::render::grafana_board;
use shardwise::{Cluster, Config, Region, Uuid, unscoped_sql};
use tempfile::TempDir;
use tokio::task::{AbortHandle, JoinSet};

use crate::prometheus::Watching;
use crate::support::{payment, uuid};

const WARNING: &str = "warning";
const CRITICAL: &str = "critical";

/// The service in a process of its own, as it is shipped.
struct Service {
    process: ServiceProcess,
    client: Arc<Client>,
    config: Config,
    _folder: TempDir,
}

impl Service {
    /// On this database, with these settings besides.
    async fn start(database: &Config, settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file: PathBuf = folder.path().join("shardwise.toml");
        let text = format!(
            "[default]\ncontact_points = [\"{}\"]\ndatabase = \"{}\"\nuser = \"{}\"\napplication_name = \"festival\"\n{settings}\n",
            database.contact_points()[0],
            database.database(),
            database.user()
        );
        std::fs::write(&file, text).expect("a file");
        let config = Config::load_from(&file, None).expect("valid");
        let environment = vec![("SHARDWISE_CONFIG", file.into_os_string()), ("RUST_LOG", "off".into())];
        let program = Path::new(env!("CARGO_BIN_EXE_festival"));
        let process = ServiceProcess::start(program, environment).await.expect("the service");
        let client = Arc::new(Client::new(process.base()).expect("a client"));
        Self { process, client, config, _folder: folder }
    }

    async fn created(&self, path: &str, body: serde_json::Value) -> Uuid {
        let answer = self.client.once(&Request::post(path, body).keyed(Uuid::new_v4())).await.expect("an answer");
        assert_eq!(answer.status, 201, "{answer:?}");
        uuid(&answer.body["id"])
    }

    /// What a scrape is told.
    async fn scrape(&self) -> String {
        let answer = reqwest::get(format!("{}/metrics", self.process.base())).await.expect("an answer");
        assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        answer.text().await.expect("a text")
    }
}

/// Guests at a bar: they look into their wallets, and pay if they do, all the time, whatever comes of it. Until this is dropped.
struct Crowd(#[expect(dead_code, reason = "it ends when this is dropped")] JoinSet<()>);

impl Crowd {
    async fn gather(service: &Service, guests: usize, pay: bool) -> Self {
        let slug = Uuid::new_v4().to_string();
        let festival = json!({"slug": slug, "name": slug, "city": "Town", "country": "DE", "region": "eu"});
        service.created("/festivals", festival).await;
        let stand = service.created(&format!("/festivals/{slug}/stands"), json!({"name": "bar"})).await;
        let mut crowd = JoinSet::new();
        for _ in 0..guests {
            let email = format!("{}@example.org", Uuid::new_v4());
            let user = service.created("/users", json!({"email": email, "name": "Ada"})).await;
            let wallet = service.created(&format!("/festivals/{slug}/wallets"), json!({"user_id": user})).await;
            let (client, slug) = (service.client.clone(), slug.clone());
            crowd.spawn(async move {
                loop {
                    let _ = client.once(&Request::get(format!("/festivals/{slug}/wallets/{wallet}"))).await;
                    if pay {
                        let paid = Request::post(format!("/festivals/{slug}/payments"), payment(wallet, stand, 1));
                        let _ = client.once(&paid.keyed(Uuid::new_v4())).await;
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            });
        }
        Self(crowd)
    }
}

/// Something that goes on until this is dropped.
struct Ongoing(AbortHandle);

impl Drop for Ongoing {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn ongoing(work: impl Future<Output = ()> + Send + 'static) -> Ongoing {
    Ongoing(tokio::spawn(work).abort_handle())
}

/// Sessions that are none of the service's.
async fn outsider(server: &Server, connections: u32) -> Cluster {
    let config = server.config().with_application_name("outsider").with_max_connections(connections).expect("a number");
    Cluster::connect(config).await.expect("a connection")
}

/// Runs SQL on one server, whatever it is.
async fn on(server: &Server, sql: &str) {
    let (session, connection) = tokio_postgres::connect(&server.url(), tokio_postgres::NoTls).await.expect("a session");
    let connection = tokio::spawn(connection);
    session.batch_execute(sql).await.expect("it runs");
    drop(session);
    connection.await.expect("its end").expect("a good end");
}

/// Holds so many sessions, until they are dropped.
async fn hold(server: &Server, sessions: u64) -> Vec<tokio_postgres::Client> {
    let mut held = Vec::new();
    for _ in 0..sessions {
        let (session, connection) =
            tokio_postgres::connect(&server.url(), tokio_postgres::NoTls).await.expect("a session");
        tokio::spawn(connection);
        held.push(session);
    }
    held
}

/// Locks all wallets for so long, over and over, with a moment between.
fn lock_wallets(outsider: &Cluster, seconds: f64) -> Ongoing {
    let coordinator = outsider.coordinator();
    ongoing(async move {
        loop {
            let locked = coordinator.transaction(async |tx: shardwise::CoordinatorTransaction| {
                tx.execute(unscoped_sql!("LOCK TABLE wallets IN ACCESS EXCLUSIVE MODE")).await?;
                tx.query(unscoped_sql!("SELECT pg_sleep(:seconds)", seconds = seconds)).await
            });
            // One that is ended by the next phase is no matter.
            let _: Result<_, shardwise::Error> = locked.await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn each_alert_fires_and_clears() {
    let primary = shardwise::local::single().standbys(1);
    let primary =
        primary.setting("max_connections", "60").setting("shared_buffers", "16MB").setting("track_io_timing", "on");
    let primary = primary.start().await.expect("a server with a standby");
    let standby = &primary.standbys()[0];
    primary.connect().await.expect("a connection").admin().apply(&schema()).await.expect("the tables");
    let settings = format!(
        "mode = \"single\"\nreplicas = [\"{}\"]\npool.max_connections = 12\ntopology.refresh_interval = \"1s\"\n\
         health.disk_size = \"600MB\"\nhealth.size_interval = \"1s\"\n\
         health.topology_age = {{ warning = \"4s\", critical = \"8s\" }}",
        standby.config().contact_points()[0]
    );
    let service = Service::start(&primary.config(), &settings).await;
    let crowd = Crowd::gather(&service, 6, true).await;
    let watching = Watching::start(service.process.base(), &service.config.health().thresholds).await;
    watching.until("all is well at first", async |it| it.firing().await.is_empty()).await;
    let outsider = outsider(&primary, 60).await;

    // Of a server that others keep busy, a standby that stands still, and a disk that fills up.
    let coordinator = outsider.coordinator();
    coordinator.execute(unscoped_sql!("CREATE UNLOGGED TABLE filler (filling text)")).await.expect("a table");
    coordinator.execute(unscoped_sql!("ALTER TABLE filler ALTER filling SET STORAGE PLAIN")).await.expect("a table");
    let fill = unscoped_sql!("INSERT INTO filler SELECT repeat('x', 7000) FROM generate_series(1, 65000)");
    coordinator.execute(fill).await.expect("500 MB");
    on(standby, "SELECT pg_wal_replay_pause()").await;
    let (used,): (i64,) = coordinator
        .query_one_as(unscoped_sql!("SELECT sum(numbackends)::int8 FROM pg_stat_database"))
        .await
        .expect("a number");
    let held = hold(&primary, 57 - u64::try_from(used).expect("a few")).await;
    let of_server = ["ShardwiseServerConnections", "ShardwiseReplicationLag", "ShardwiseDisk"];
    let both = of_server.map(|name| [(name, WARNING), (name, CRITICAL)]);
    watching.until_they_fire(both.as_flattened()).await;
    drop(held);
    on(standby, "SELECT pg_wal_replay_resume()").await;
    watching.until_they_clear(&of_server[..2]).await;

    // Reads of what no buffer holds. To fill the table was no better.
    let ratio = "ShardwiseCacheHitRatio";
    watching.until_they_clear(&[ratio]).await;
    let scanning = outsider.coordinator();
    let scans = ongoing(async move {
        loop {
            drop(scanning.query(unscoped_sql!("SELECT count(*) FROM filler")).await);
        }
    });
    watching.until_they_fire(&[(ratio, WARNING), (ratio, CRITICAL)]).await;
    drop(scans);
    watching.until_they_clear(&[ratio]).await;
    coordinator.execute(unscoped_sql!("DROP TABLE filler")).await.expect("room again");
    watching.until_they_clear(&["ShardwiseDisk"]).await;

    watching.until("all is well", async |it| it.firing().await.is_empty()).await;
    // A lock that everybody waits for: calls are slow, and those who wait hold the pool's connections.
    let more = Crowd::gather(&service, 24, true).await;
    let locks = lock_wallets(&outsider, 1.5);
    let (latency, pool) = ("ShardwiseLatencyP95", "ShardwisePoolConnections");
    watching.until_they_fire(&[(latency, WARNING), (latency, CRITICAL), (pool, WARNING), (pool, CRITICAL)]).await;
    drop((locks, more));
    watching.until_they_clear(&[latency, pool]).await;

    watching.until("all is well", async |it| it.firing().await.is_empty()).await;
    // Those who wait are ended, over and over, until no more may be asked for again. What goes well would earn further tries.
    drop(crowd);
    let (more, locks) = (Crowd::gather(&service, 24, false).await, lock_wallets(&outsider, 0.3));
    let ending = outsider.coordinator();
    let ends = ongoing(async move {
        loop {
            let end = unscoped_sql!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'festival' AND \
                 wait_event_type = 'Lock'"
            );
            drop(ending.query(end).await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let denied = "ShardwiseRetriesDenied";
    watching.until_they_fire(&[(denied, WARNING)]).await;
    drop((ends, locks, more));
    let crowd = Crowd::gather(&service, 6, true).await;
    watching.until_they_clear(&[denied, latency, pool]).await;

    watching.until("all is well", async |it| it.firing().await.is_empty()).await;
    // A standby that is gone, to which no statement goes; then the primary as well.
    standby.kill().await.expect("its end");
    watching.until_they_fire(&[("ShardwiseNodeSilent", WARNING)]).await;
    standby.restart().await.expect("its return");
    watching.until_they_clear(&["ShardwiseNodeSilent"]).await;
    watching.until("all is well", async |it| it.firing().await.is_empty()).await;
    primary.kill().await.expect("its end");
    let (down, age) = ("ShardwiseNodeDown", "ShardwiseTopologyAge");
    watching.until_they_fire(&[(down, CRITICAL), (age, WARNING), (age, CRITICAL)]).await;
    primary.restart().await.expect("its return");
    watching.until_they_clear(&[down, age]).await;

    watching.until("all is well in the end", async |it| it.firing().await.is_empty()).await;
    the_board_shows_something(&watching).await;
    is_lint_free(&service.scrape().await);
    drop(crowd);
    service.process.stop().await.expect("a good end");
}

/// Each of its queries, as Grafana sends it, has an answer.
async fn the_board_shows_something(watching: &Watching) {
    // Nothing is cached by this service, and nobody was refused.
    const NOT_HERE: &str = "shardwise_cache_";
    let board = grafana_board();
    let panels = board["panels"].as_array().expect("panels").iter();
    let targets = panels.filter_map(|panel| panel["targets"].as_array()).flatten();
    let mut asked = 0;
    for target in targets {
        let expr = target["expr"].as_str().expect("an expression");
        let expr = expr.replace("$__rate_interval", "5m").replace("$database", ".*");
        let found = watching.query(&expr).await;
        let is_here = !expr.contains(NOT_HERE);
        assert_eq!(!found.is_empty(), is_here, "{expr}: {found:?}");
        asked += 1;
    }
    println!("BOARD {asked} queries answered");
    assert!(asked > 30, "{asked}");
}

/// By promtool, which knows what is usual.
fn is_lint_free(text: &str) {
    for metric in shardwise::metrics::all() {
        let is_told = text.contains(&format!("# TYPE {} ", metric.name));
        assert_eq!(is_told, !metric.name.starts_with("shardwise_cache_"), "{}", metric.name);
    }
    let mut promtool = Command::new("promtool");
    let mut promtool = promtool
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool: see ci/setup");
    promtool.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("it reads");
    let output = promtool.wait_with_output().expect("its end");
    let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}\n{text}");
    println!("SCRAPE {} lines, {} bytes", text.lines().count(), text.len());
}

/// Nothing that a tenant, a key or a statement is.
fn labels_are_of_closed_sets(text: &str, tenants: &[Uuid]) {
    for tenant in tenants {
        assert!(!text.contains(&tenant.to_string()), "{tenant}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_is_missed_and_the_board_shows_the_cache() {
    let server = shardwise::local::single().start().await.expect("a server");
    server.connect().await.expect("a connection").admin().apply(&schema()).await.expect("the tables");
    let redis = shardwise::local::redis().start().await.expect("Redis: see ci/setup");
    let settings =
        format!("mode = \"single\"\n[default.cache]\nstore = \"two_tier\"\nredis = [\"{}\"]", redis.endpoint());
    let service = Service::start(&server.config(), &settings).await;
    let crowd = Crowd::gather(&service, 2, true).await;
    let watching = Watching::start(service.process.base(), &service.config.health().thresholds).await;
    watching.until("all is well at first", async |it| it.firing().await.is_empty()).await;

    let down = "ShardwiseRedisDown";
    redis.kill().await.expect("its end");
    watching.until_they_fire(&[(down, WARNING)]).await;
    redis.restart().await.expect("its return");
    watching.until_they_clear(&[down]).await;
    watching.until("all is well in the end", async |it| it.firing().await.is_empty()).await;
    for metric in shardwise::metrics::all().iter().filter(|metric| metric.name.starts_with("shardwise_cache_")) {
        watching.until(metric.name, async |it| !it.query(metric.name).await.is_empty()).await;
    }
    let errors = watching.query("shardwise_cache_errors_total > 0").await;
    assert!(!errors.is_empty(), "{errors:?}");
    drop(crowd);
    service.process.stop().await.expect("a good end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_for_residency_is_alerted_on_citus() {
    let name = concat!(module_path!(), "::a_refusal_for_residency_is_alerted_on_citus");
    let Some(citus) = crate::citus::shared(name).await else { return };
    let database =
        citus.fresh_database().await.expect("an empty database").with_shard_count(Some(4)).expect("a number");
    let cluster = Cluster::connect(database.clone()).await.expect("a connection");
    cluster.admin().apply(&schema()).await.expect("the tables");
    let settings = "mode = \"citus\"\nregions = [\"eu\", \"us\"]\nlocal_region = \"eu\"\nresidency = \"strict\"";
    let service = Service::start(&database, settings).await;
    let crowd = Crowd::gather(&service, 2, true).await;
    let watching = Watching::start(service.process.base(), &service.config.health().thresholds).await;

    // Its home is the one region, and its data are in the other.
    cluster.refresh().await.expect("the layout");
    let (slug, id) = (Uuid::new_v4().to_string(), cluster.mint_id(Region::US).expect("an id"));
    let text = |text: &str| text.to_owned();
    let astray = Festival {
        id,
        slug: slug.clone(),
        name: text("Astray"),
        city: text("Town"),
        country: text("DE"),
        region: Region::EU,
        created_at: now(),
    };
    cluster.reference().insert(&astray).await.expect("a festival");
    let client = service.client.clone();
    let asking = ongoing(async move {
        loop {
            let path = format!("/festivals/{slug}/wallets/{}", Uuid::new_v4());
            let answer = client.once(&Request::get(path)).await.expect("an answer");
            assert_eq!(answer.code(), "out_of_region", "{answer:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let refused = "ShardwiseResidencyRefusals";
    watching.until_they_fire(&[(refused, WARNING)]).await;
    drop(asking);
    watching.until_they_clear(&[refused]).await;

    let text = service.scrape().await;
    labels_are_of_closed_sets(&text, &[id]);
    for told in
        ["route=\"owner\"", "region=\"eu\"", "role=\"worker\"", "entity=\"Wallet\"", "operation=\"transaction\""]
    {
        assert!(text.contains(told), "{told} is not in\n{text}");
    }
    drop(crowd);
    service.process.stop().await.expect("a good end");
}
