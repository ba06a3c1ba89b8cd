//! Standbys by what was rendered for them.

use shardwise::config::{Endpoint, Secret};
use shardwise::local;
use shardwise::render::access::Verifier;
use shardwise::render::replication::Replication;
use shardwise::tune::Size;

use super::until;
use crate::support::direct::address;
use crate::support::programs::{Running, Workshop, connect, free_port, session};
use crate::support::secrets::PASSWORD;

/// A standby's process on this folder, which writes nothing through to the disk.
fn start(workshop: &Workshop, name: &str, port: u16) -> Running {
    let data = workshop.path(name).display().to_string();
    let port = format!("port={port}");
    let settings = [
        &port,
        // As many as the primary: fewer could not hold what its log tells of.
        "max_connections=300",
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "fsync=off",
        "wal_retrieve_retry_interval=100ms",
    ];
    let settings = settings.into_iter().flat_map(|setting| ["-c".to_owned(), setting.to_owned()]);
    let command: Vec<_> = ["postgres".to_owned(), "-D".to_owned(), data].into_iter().chain(settings).collect();
    workshop.start(&format!("{name}.log"), &command)
}

#[tokio::test]
async fn standbys_stream_and_follow_the_promoted_one() {
    let primary = local::single().password(PASSWORD).setting("log_statement", "all").start().await.unwrap();
    let workshop = Workshop::beside(&primary).await;
    let client = connect(&primary).await;
    let [two, three] = [free_port(), free_port()].map(|port| Endpoint { host: "127.0.0.1".to_owned(), port });
    let passfile = workshop.path("pass: file's").display().to_string();
    let replication = Replication::of(address(&primary)).with_passfile(passfile);
    let replication = replication.with_standby("standby_2", two.clone()).with_standby("standby_3", three.clone());
    let password = Secret::new(format!("{PASSWORD}:\\"));
    workshop.write("pass: file's", replication.passfile(&password).unwrap().expose());

    let verifier = Verifier::of(&password).unwrap();
    for _ in 0..2 {
        client.batch_execute(&replication.role(&verifier).unwrap()).await.unwrap();
        client.batch_execute(&replication.slots().unwrap()).await.unwrap();
    }
    // Nobody else is let in but the superuser, and he not to the log.
    let rules = replication.rules(&["127.0.0.1/32".parse().unwrap()]).unwrap();
    let row = client.query_one("SELECT current_setting('hba_file'), current_setting('data_directory')", &[]).await;
    let (hba, data): (String, String) = row.map(|row| (row.get(0), row.get(1))).unwrap();
    std::fs::write(hba, format!("{rules}host all postgres 127.0.0.1/32 scram-sha-256\n")).unwrap();
    let settings = replication.settings(Size::gb(1));
    let file = std::path::Path::new(&data).join("postgresql.conf");
    let before = std::fs::read_to_string(&file).unwrap();
    // Those before ours are older than the command line of a throwaway server, and not applied.
    let lines = i32::try_from(before.lines().count()).unwrap();
    std::fs::write(file, before + &settings).unwrap();
    drop(client);
    primary.restart().await.unwrap();
    let client = connect(&primary).await;
    let wrong = "SELECT (SELECT count(*) FROM pg_hba_file_rules WHERE error IS NOT NULL) \
                 + (SELECT count(*) FROM pg_file_settings WHERE sourceline > $1 AND error IS NOT NULL)";
    assert_eq!(client.query_one(wrong, &[&lines]).await.unwrap().get::<_, i64>(0), 0);
    let kept = "SELECT current_setting('max_slot_wal_keep_size') || ' ' || current_setting('wal_log_hints')";
    assert_eq!(client.query_one(kept, &[]).await.unwrap().get::<_, &str>(0), "1GB on");

    let mut running = Vec::new();
    for (name, endpoint) in [("standby_2", &two), ("standby_3", &three)] {
        let data = workshop.path(name).display().to_string();
        workshop.succeed(&replication.base_backup(name, &data).unwrap());
        running.push(start(&workshop, name, endpoint.port));
    }
    let streams = "SELECT count(*) FROM pg_stat_replication JOIN pg_replication_slots ON active_pid = pid \
                   WHERE application_name = slot_name AND state = 'streaming' AND usename = 'replicator'";
    until("they don't stream", async || client.query_one(streams, &[]).await.unwrap().get::<_, i64>(0) == 2).await;
    let log = std::fs::read_to_string(std::path::Path::new(&data).parent().unwrap().join("log")).unwrap();
    assert!(log.contains("REPLICATION PASSWORD 'SCRAM-SHA-256$"), "the log shows what the server was told");
    assert!(!log.contains(PASSWORD));

    client.batch_execute("CREATE TABLE t AS SELECT 'kept' AS word").await.unwrap();
    drop(client);
    let url = |endpoint: &Endpoint| format!("postgres://postgres:{PASSWORD}@{endpoint}/postgres");
    let has = async |endpoint: &Endpoint, word: &str| {
        let Ok(client) = session(&url(endpoint)).await else { return false };
        let found = client.query_one("SELECT string_agg(word, ' ') FROM t", &[]).await;
        found.is_ok_and(|row| row.get::<_, Option<&str>>(0).is_some_and(|words| words.contains(word)))
    };
    for endpoint in [&two, &three] {
        until("it has not what the primary has", async || has(endpoint, "kept").await).await;
    }
    primary.kill().await.unwrap();
    let promoted = session(&url(&two)).await.unwrap();
    promoted.batch_execute("SELECT pg_promote()").await.unwrap();
    promoted.batch_execute(&replication.slots().unwrap()).await.unwrap();
    // The other one follows it from its next start on.
    drop(running.pop());
    let auto = workshop.path("standby_3").join("postgresql.auto.conf");
    let before = std::fs::read_to_string(&auto).unwrap();
    std::fs::write(&auto, before + &replication.follow("standby_3", &two).unwrap()).unwrap();
    running.push(start(&workshop, "standby_3", three.port));
    promoted.batch_execute("INSERT INTO t VALUES ('later')").await.unwrap();
    until("it does not follow", async || has(&three, "later").await).await;
    assert_eq!(promoted.query_one(streams, &[]).await.unwrap().get::<_, i64>(0), 1);
}
