//! A server that is known by its name, and a name that leads to the promoted standby from then on: as DNS does it.
//!
//! The name is in a hosts file that only the child sees, in a mount namespace of its own.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use shardwise::{Cluster, Uuid};
use tokio::net::{TcpListener, TcpStream};

use super::single::synchronous;
use crate::child;
use crate::faults::writers::Writers;
use crate::support::unchecked;

const NAME: &str = "db.shardwise.test";

/// How a process gets mounts of its own: as root, and as anybody, where the system lets them.
const WAYS: [&[&str]; 2] = [&["unshare", "--mount"], &["unshare", "--mount", "--map-root-user"]];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_leads_to_another_server_is_looked_up_again() {
    let folder = tempfile::tempdir().unwrap();
    let hosts = folder.path().join("hosts");
    let name_is = |address: &str| std::fs::write(&hosts, format!("127.0.0.1 localhost\n{address} {NAME}\n")).unwrap();
    name_is("127.0.0.1");
    let Some(way) = WAYS.iter().find(|way| can_mount(way, &hosts)) else {
        println!("SKIPPED a_name_that_leads_to_another_server_is_looked_up_again: no mounts of one's own here");
        return;
    };
    let (primary, config) = synchronous(1).await;
    let standby = &primary.standbys()[0];
    let [old, new] = [&primary, standby].map(|server| server.config().contact_points()[0].port);
    // Two machines with the same port.
    let port = forward("127.0.0.1:0", old).await;
    forward(&format!("127.0.0.2:{port}"), new).await;
    let told = format!("{port} {new} {}", config.database());
    let mut inside: Vec<&str> = way.to_vec();
    let mount = format!("mount --bind '{}' /etc/hosts && exec \"$@\"", hosts.display());
    inside.extend(["sh", "-c", &mount, "sh"]);
    let mut child = child::start_inside(&inside, "failover::names::child_that_writes", &told, Path::new("/"), &[]);
    assert_eq!(child::answer(&mut child), "it writes");

    primary.kill().await.unwrap();
    standby.promote().await.unwrap();
    name_is("127.0.0.2");
    let changed = since_epoch();
    let answer = child::answer(&mut child);
    assert!(child.wait().unwrap().success(), "{answer}");
    let found = Duration::from_micros(answer.parse().unwrap());
    println!("the server that the name leads to was found after {:?}", found.saturating_sub(changed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_that_writes() {
    let Some(told) = child::told() else { return };
    let [port, new, database]: [&str; 3] = told.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let url = format!("postgres://postgres@{NAME}:{port}/{database}");
    let cluster = Cluster::connect(shardwise::Config::from_url(&url).unwrap()).await.unwrap();
    let fest = cluster.tenant(Uuid::new_v4()).await.unwrap();
    let writers = Writers::start(std::slice::from_ref(&fest), 8).await;
    writers.until_more(200).await;
    println!("answer: it writes");
    let runs_at = async || fest.query_one_as::<(i32,)>(unchecked("SELECT inet_server_port()")).await;
    let found = async {
        while runs_at().await.map_or(true, |(port,)| port.to_string() != new) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        since_epoch()
    };
    let found = tokio::time::timeout(Duration::from_secs(60), found).await.unwrap();
    writers.until_more(200).await;
    println!("{:?}", writers.stop().await.hold_against(&cluster).await);
    println!("answer: {}", found.as_micros());
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

fn can_mount(way: &[&str], hosts: &Path) -> bool {
    let mut command = Command::new(way[0]);
    command.args(&way[1..]).args(["mount", "--bind"]).arg(hosts).arg("/etc/hosts");
    command.output().is_ok_and(|output| output.status.success())
}

/// Leads from this address to a port of the loopback; returns the port that it listens on.
async fn forward(address: &str, target: u16) -> u16 {
    let listener = TcpListener::bind(address).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            tokio::spawn(async move {
                let Ok(mut far) = TcpStream::connect(("127.0.0.1", target)).await else { return };
                drop(tokio::io::copy_bidirectional(&mut near, &mut far).await);
            });
        }
    });
    port
}
