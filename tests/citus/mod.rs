//! What needs the Citus extension. Where the local PostgreSQL does not offer it, these tests say that they are skipped.

use std::io::Write as _;

use shardwise::local;
use shardwise::{Cluster, ErrorKind, Mode, Route, sql};

use crate::support::{schema, server};

/// Whether the test can run. Counted for `ci/test`.
async fn can_run(test: &str) -> bool {
    let cluster = server().await.connect().await.unwrap();
    let offered = sql!("SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'citus')");
    let (offered,): (bool,) = cluster.coordinator().query_one_as(offered).await.unwrap();
    if !offered {
        eprintln!("SKIPPED {test}: the local PostgreSQL has no Citus");
    }
    if let Some(tally) = std::env::var_os("TEST_CITUS_TALLY") {
        let mut tally = std::fs::OpenOptions::new().append(true).open(tally).unwrap();
        writeln!(tally, "{} {test}", if offered { "ran" } else { "skipped" }).unwrap();
    }
    offered
}

#[tokio::test]
async fn the_mode_is_what_the_database_offers() {
    if !can_run("the_mode_is_what_the_database_offers").await {
        return;
    }
    let server = local::single().setting("shared_preload_libraries", "citus").start().await.unwrap();
    assert_eq!(server.connect().await.unwrap().mode(), Mode::Single, "installed is not created");
    server.connect().await.unwrap().coordinator().execute(sql!("CREATE EXTENSION citus")).await.unwrap();

    let cluster = server.connect().await.unwrap();
    assert_eq!(cluster.mode(), Mode::Citus);
    assert_eq!(cluster.coordinator().route().unwrap(), Route::Coordinator);
    assert_eq!(cluster.admin().apply(&schema()).await.unwrap_err().kind(), ErrorKind::Unsupported);

    let single = Cluster::connect(server.config().with_mode(Mode::Single)).await.unwrap();
    assert_eq!(single.mode(), Mode::Single);
}
