//! The throwaway servers themselves.

mod citus;

use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::secrets::PASSWORD;
use futures_util::future::join_all;
use shardwise::local::{self, Server};
use shardwise::{Cluster, Config, ErrorKind, unscoped_sql};
use tokio_postgres::NoTls;

use crate::child;
use crate::support::server;

async fn one(cluster: &Cluster, text: shardwise::UnscopedSql<'static>) -> String {
    let (answer,): (String,) = cluster.coordinator().query_one_as(text).await.unwrap();
    answer
}

async fn folder(server: &Server) -> String {
    let cluster = server.connect().await.unwrap();
    let data = one(&cluster, unscoped_sql!("SELECT current_setting('data_directory')")).await;
    Path::new(&data).parent().unwrap().display().to_string()
}

/// Servers end on their own, soon: the condition is awaited, and only its absence is a failure.
fn soon(what: &str, reached: impl Fn() -> bool) {
    let start = Instant::now();
    while !reached() {
        assert!(start.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits for this answer of a server that may be a standby, to which no cluster connects.
async fn becomes_true(server: &Server, config: &Config, question: &str) {
    let mut login: tokio_postgres::Config = server.url().parse().unwrap();
    login.dbname(config.database());
    let ask = async || {
        let (client, connection) = login.connect(NoTls).await?;
        tokio::spawn(connection);
        client.query_typed_one(question, &[]).await?.try_get::<_, bool>(0)
    };
    let start = Instant::now();
    loop {
        let answer = ask().await;
        if matches!(answer, Ok(true)) {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "{question}: {answer:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn runs(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

#[tokio::test]
async fn five_at_once_are_five() {
    let servers: Vec<Server> = join_all((0..5).map(|_| local::single().setting("work_mem", "5MB").start()))
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let mut folders: Vec<String> = join_all(servers.iter().map(folder)).await;
    folders.sort();
    folders.dedup();
    assert_eq!(folders.len(), 5);
    let pids: Vec<u32> = servers.iter().map(|server| server.pid().unwrap()).collect();
    drop(servers);
    soon("a dropped server runs on", || pids.iter().all(|&pid| !runs(pid)));
    soon("a dropped server's folder stays", || folders.iter().all(|folder| !Path::new(folder).exists()));
}

#[tokio::test]
async fn a_fresh_database_is_empty_and_apart() {
    let (one, other) = (server().await.fresh_database().await.unwrap(), server().await.fresh_database().await.unwrap());
    let (one, other) = (Cluster::connect(one).await.unwrap(), Cluster::connect(other).await.unwrap());
    one.coordinator().execute(unscoped_sql!("CREATE TABLE t ()")).await.unwrap();
    let tables = unscoped_sql!("SELECT count(*)::text FROM pg_class WHERE relnamespace = 'public'::regnamespace");
    assert_eq!(self::one(&other, tables).await, "0");
}

#[tokio::test]
async fn settings_and_a_password() {
    let server = local::single().setting("work_mem", "7MB").password(format!("{PASSWORD}@:/")).start().await.unwrap();
    let cluster = Cluster::connect(Config::from_url(&server.url()).unwrap()).await.unwrap();
    assert_eq!(one(&cluster, unscoped_sql!("SELECT current_setting('work_mem')")).await, "7MB");
    let error = Cluster::connect(server.config().with_password(Some("wrong"))).await.unwrap_err();
    assert_eq!((error.kind(), error.code().map(|code| code.code())), (ErrorKind::Connect, Some("28P01")));
    assert!(!format!("{server:?}").contains("p@ss"));
}

#[tokio::test]
async fn a_setting_that_the_server_refuses_is_told() {
    let error = local::single().setting("work_memory", "1MB").start().await.unwrap_err();
    assert!(error.to_string().contains("unrecognized configuration parameter \"work_memory\""), "{error}");
}

#[tokio::test]
async fn a_killed_server_recovers_what_was_committed() {
    let server = local::single().setting("work_mem", "5MB").start().await.unwrap();
    let cluster = server.connect().await.unwrap();
    cluster.coordinator().execute(unscoped_sql!("CREATE TABLE t AS SELECT 'kept' AS word")).await.unwrap();
    let before = server.pid();
    server.kill().await.unwrap();
    assert_eq!(server.pid(), None);
    let error = Cluster::connect(server.config()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    server.restart().await.unwrap();
    assert_ne!(server.pid(), before);
    let cluster = server.connect().await.unwrap();
    assert_eq!(one(&cluster, unscoped_sql!("SELECT word FROM t")).await, "kept");
    let folder = folder(&server).await;
    server.stop().await;
    assert!(!Path::new(&folder).exists(), "stop returns when all is gone");
}

#[tokio::test]
async fn standbys_follow_and_can_be_promoted() {
    let server = local::single().standbys(1).start().await.unwrap();
    let cluster = server.connect().await.unwrap();
    let [first] = server.standbys() else { panic!("one was asked for") };
    let second = server.start_standby().await.unwrap();
    cluster.coordinator().execute(unscoped_sql!("CREATE TABLE t AS SELECT 'kept' AS word")).await.unwrap();
    for standby in [first, &second] {
        becomes_true(standby, &server.config(), "SELECT pg_is_in_recovery() AND word = 'kept' FROM t").await;
    }
    assert_eq!(Cluster::connect(second.config()).await.unwrap_err().kind(), ErrorKind::Connect, "it takes no writes");
    second.kill().await.unwrap();
    cluster.coordinator().execute(unscoped_sql!("CREATE TABLE u AS SELECT 'missed' AS word")).await.unwrap();
    second.restart().await.unwrap();
    becomes_true(&second, &server.config(), "SELECT pg_is_in_recovery() AND word = 'missed' FROM u").await;
    first.promote().await.unwrap();
    let promoted = first.connect().await.unwrap();
    promoted.coordinator().execute(unscoped_sql!("UPDATE t SET word = 'changed'")).await.unwrap();
    assert_eq!(
        one(&cluster, unscoped_sql!("SELECT word FROM t")).await,
        "kept",
        "the two have nothing to do with each other now"
    );
    assert!(server.promote().await.is_err(), "it is no standby");
}

#[tokio::test]
async fn a_standby_asks_for_the_same_password_over_tls() {
    let server = local::single().password(format!("{PASSWORD}@:/")).tls().standbys(1).start().await.unwrap();
    let [standby] = server.standbys() else { panic!("one was asked for") };
    standby.promote().await.unwrap();
    let cluster = standby.connect().await.unwrap();
    assert_eq!(
        one(&cluster, unscoped_sql!("SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()")).await,
        "true"
    );
    assert!(Cluster::connect(standby.config().with_password(Some("wrong"))).await.is_err());
    let as_primary = standby.config().with_tls(server.config().tls().cloned()).unwrap();
    Cluster::connect(as_primary).await.unwrap();
    assert!(!format!("{server:?}").contains("p@ss"));
}

#[tokio::test]
async fn child_with_a_server() {
    if child::told().is_some() {
        let server = local::single().setting("work_mem", "5MB").start().await.unwrap();
        println!("answer: {} {}", server.pid().unwrap(), folder(&server).await);
        std::future::pending::<()>().await;
    }
}

#[tokio::test]
async fn a_process_that_is_killed_leaves_nothing_behind() {
    let mut child = child::start("local::child_with_a_server", "start", Path::new("/"), &[]);
    let answer = child::answer(&mut child);
    let (pid, folder) = answer.split_once(' ').unwrap();
    let pid: u32 = pid.parse().unwrap();
    assert!(runs(pid) && Path::new(folder).exists());
    child.kill().unwrap();
    child.wait().unwrap();
    soon("the server outlives its process", || !runs(pid) && !Path::new(folder).exists());
}
