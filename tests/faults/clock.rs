//! Clocks that jump: that of the client's process, and those of the client and the server. Setting the machine's would be felt by
//! all that runs on it; so a library is laid before the child's own (`clock.c`), which puts the wall clock on and back.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use shardwise::local;
use shardwise::{Cluster, Config, Uuid};
use tokio::time::Instant;

use super::ledger::schema;
use super::stage::{Stage, UnderLoad, Wanted};
use super::writers::{Pace, Writers};
use crate::child;

/// Names the file that says by how many seconds the clock of a child is wrong.
pub const OFFSET: &str = "CLOCK_OFFSET";

/// An hour on, a day back, more than a year on, and right again.
const JUMPS: [i64; 4] = [3_600, -86_400, 40_000_000, 0];

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

/// Jumps, with writers under way. The clock may stand anywhere within two minutes of where it was sent to.
async fn jump(writers: &Writers, mut server: impl AsyncFnMut() -> Option<i64>) {
    let (began, real) = (Instant::now(), now());
    for offset in JUMPS {
        fs::write(std::env::var_os(OFFSET).unwrap(), offset.to_string()).unwrap();
        let wanted = real + i64::try_from(began.elapsed().as_secs()).unwrap() + offset;
        for clock in [Some(now()), server().await].into_iter().flatten() {
            assert!((clock - wanted).abs() < 120, "the clock does not jump: {clock} is not {wanted}");
        }
        writers.until_more(100).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_whose_clock_jumps() {
    match child::told().as_deref() {
        None => return,
        Some(place @ ("with the server" | "with the cluster")) => {
            let stage = match place {
                "with the server" => Some(Stage::single(Wanted::PLAIN).await),
                _ => Stage::citus("faults::clock::the_clocks_of_client_and_cluster_jump", Wanted::PLAIN).await,
            };
            let Some(stage) = stage.map(Stage::without_proxies) else { return println!("answer: skipped") };
            let session = stage.session(stage.servers.owner()).await;
            let strike = async |load: &UnderLoad| {
                let clock = "SELECT extract(epoch FROM clock_timestamp())::int8";
                let server = async || Some(session.query_one(clock, &[]).await.unwrap().get(0));
                jump(&load.writers, server).await;
                Instant::now()
            };
            let figures = stage.strike("clocks of client and servers jump", Pace::default(), strike).await;
            println!("answer: {figures}");
        }
        Some(url) => {
            let cluster = Cluster::connect(Config::from_url(url).unwrap()).await.unwrap();
            let fest = cluster.tenant(Uuid::new_v4()).await.unwrap();
            let writers = Writers::start(&[fest], 8).await;
            jump(&writers, async || None).await;
            let ledger = writers.stop().await;
            let found = ledger.hold_against(&cluster).await;
            assert!(ledger.errors.is_empty(), "a client's clock is no reason for an error: {:?}", ledger.errors);
            println!("answer: FAULT the client's clock jumps, single: {found:?}");
        }
    }
}

/// Runs the child under a clock that jumps; `None`, aloud, where there is no C compiler.
fn under_a_clock(test: &str, told: &str) -> Option<String> {
    with_a_clock(test, |environment| {
        let mut child = child::start("faults::clock::child_whose_clock_jumps", told, Path::new("/"), environment);
        let answer = child::answer(&mut child);
        assert!(child.wait().unwrap().success());
        answer
    })
}

/// The environment of a child whose clock goes by the file that [`OFFSET`] names.
pub fn with_a_clock<T>(test: &str, child: impl FnOnce(&[(&str, &str)]) -> T) -> Option<T> {
    let folder = tempfile::tempdir().unwrap();
    // The server's user reads both files.
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let (library, offset) = (folder.path().join("clock.so"), folder.path().join("offset"));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("faults/clock.c");
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).output();
    match compiled {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => {
            eprintln!("SKIPPED {test}: no C compiler: {error}");
            return None;
        }
    }
    fs::write(&offset, "0").unwrap();
    Some(child(&[("LD_PRELOAD", library.to_str().unwrap()), (OFFSET, offset.to_str().unwrap())]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clients_clock_jumps() {
    let server = local::single().setting("log_min_messages", "fatal").start().await.unwrap();
    server.connect().await.unwrap().admin().apply(&schema()).await.unwrap();
    let answer = tokio::task::block_in_place(|| under_a_clock("the_clients_clock_jumps", &server.url()));
    answer.into_iter().for_each(|figures| println!("{figures}"));
}

#[test]
fn the_clocks_of_client_and_server_jump() {
    let answer = under_a_clock("the_clocks_of_client_and_server_jump", "with the server");
    answer.into_iter().for_each(|figures| println!("{figures}"));
}

/// The cluster is the child's: what it needs to be skipped is found out there.
#[test]
fn the_clocks_of_client_and_cluster_jump() {
    let answer = under_a_clock("the_clocks_of_client_and_cluster_jump", "with the cluster");
    answer.into_iter().for_each(|figures| println!("{figures}"));
}
