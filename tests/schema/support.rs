//! One real server for all tests of the process, and a fresh database for each.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio_postgres::{Client, NoTls};

/// A connection to a new, empty database.
pub(crate) async fn fresh_database() -> Client {
    connect(&fresh_url().await).await
}

/// The address of a new, empty database.
pub(crate) async fn fresh_url() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let server = tokio::task::spawn_blocking(server).await.unwrap();
    let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let maintenance = connect(&format!("{server}/postgres")).await;
    maintenance.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
    format!("{server}/{name}")
}

pub(crate) async fn connect(url: &str) -> Client {
    let mut patience = 100;
    loop {
        match tokio_postgres::connect(url, NoTls).await {
            Ok((client, connection)) => {
                tokio::spawn(connection);
                return client;
            }
            Err(error) if patience == 0 => panic!("the server does not answer: {error}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
        patience -= 1;
    }
}

fn server() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(start)
}

fn start() -> String {
    let folder = std::env::temp_dir().join(format!("shardwise-schema-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    if is_root() {
        assert!(Command::new("chown").arg("postgres").arg(&folder).status().unwrap().success());
    }
    let data = folder.join("data");
    let made = unprivileged(&["initdb", "-N", "-A", "trust", "-U", "postgres", "--locale=C", "-E", "UTF8", "-D"])
        .arg(&data)
        .stdout(Stdio::null())
        .status();
    assert!(made.unwrap().success(), "initdb failed");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let log = folder.join("log");
    // The server gets its signal when the thread that started it ends, so that one never does.
    std::thread::spawn(move || {
        let mut server = unprivileged(&["postgres", "-F", "-c", "listen_addresses=127.0.0.1", "-k", ""])
            .args(["-p", &port.to_string(), "-D"])
            .arg(&data)
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let status = server.wait();
        panic!("the server ended: {status:?}\n{}", fs::read_to_string(&log).unwrap_or_default());
    });
    format!("postgres://postgres@127.0.0.1:{port}")
}

/// A server's binary as the user `postgres` where we are root, ended together with this process.
fn unprivileged(command: &[&str]) -> Command {
    let mut all = Command::new("setpriv");
    all.args(["--pdeathsig", "INT"]);
    if is_root() {
        all.args(["--reuid", "postgres", "--regid", "postgres", "--init-groups"]);
    }
    all.arg("--").arg(binaries().join(command[0])).args(&command[1..]).current_dir("/");
    all
}

fn binaries() -> PathBuf {
    if let Some(folder) = std::env::var_os("PGBIN") {
        return folder.into();
    }
    let versions = fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL in /usr/lib/postgresql or $PGBIN");
    versions.map(|entry| entry.unwrap().path().join("bin")).max().expect("a version of PostgreSQL")
}

fn is_root() -> bool {
    fs::metadata(Path::new("/proc/self")).is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}
