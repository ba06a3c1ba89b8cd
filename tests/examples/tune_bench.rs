//! Runs pgbench against a server with PostgreSQL's defaults and against one that is tuned for this machine, by turns: see
//! `ci/tune-bench`.
//!
//! `tune_bench RAM CPUS DISK SCALE CLIENTS SECONDS ROUNDS`

#![allow(clippy::print_stdout)]

use std::process::Command;

use shardwise::local::{self, Server, Single};
use shardwise::tune::{Machine, Tuning, Value, Workload};
use shardwise::{Config, unscoped_sql};

/// What throwaway servers have otherwise than PostgreSQL itself.
const DEFAULTS: [(&str, &str); 4] =
    [("max_connections", "100"), ("max_wal_size", "1GB"), ("wal_keep_size", "0"), ("full_page_writes", "on")];

/// What is measured, and how pgbench is told.
const RUNS: [(&str, &[&str]); 2] = [("select only", &["-S"]), ("TPC-B", &[])];

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [ram, cpus, disk, scale, clients, seconds, rounds] = arguments.as_slice() else {
        panic!("usage: tune_bench RAM CPUS DISK SCALE CLIENTS SECONDS ROUNDS")
    };
    let machine = Machine::new(ram.parse().expect("a size"), cpus.parse().expect("a number of CPUs"))
        .with_disk(disk.parse().expect("a disk"))
        .with_connections(clients.parse().expect("a number of clients"))
        .with_workload(Workload::Oltp)
        // Nobody has reserved them for a throwaway server.
        .with_huge_pages(false);
    let tuning = machine.tune().expect("a machine that bears so many");
    println!("{machine}; scale {scale}, {clients} clients, {seconds} s, {rounds} rounds\n");
    let servers = [start(plain()).await, start(tuned(&tuning)).await];
    for server in &servers {
        pgbench(server, &["-i", "-q", "-s", scale]);
        checkpoint(server).await;
    }
    let mut rounds_told = Vec::new();
    println!("| what        | default: tps | latency | tuned: tps | latency | ratio |");
    println!("| ----------- | ------------ | ------- | ---------- | ------- | ----- |");
    for (what, how) in RUNS {
        let run = [&["-n", "-M", "prepared", "-c", clients, "-j", cpus, "-T", seconds], how].concat();
        // Unmeasured: what is read once is in the caches of both.
        servers.iter().for_each(|server| drop(pgbench(server, &run)));
        let mut measured = [Vec::new(), Vec::new()];
        for round in 0..rounds.parse().expect("a number of rounds") {
            // Whoever comes second pays for what the first has left to the disk: so they take turns in that as well.
            for which in if round % 2 == 0 { [0, 1] } else { [1, 0] } {
                for server in &servers {
                    checkpoint(server).await;
                }
                measured[which].push(numbers(&pgbench(&servers[which], &run)));
            }
        }
        let spread =
            measured.each_ref().map(|of| of.iter().map(|(tps, _)| format!("{tps:.0}")).collect::<Vec<_>>().join(" "));
        rounds_told.push(format!("{what}, each round: default {}; tuned {}", spread[0], spread[1]));
        let [(default, slow), (tuned, fast)] = measured.map(median);
        println!(
            "| {what:11} | {default:12.0} | {slow:4.2} ms | {tuned:10.0} | {fast:4.2} ms | {:5.2} |",
            tuned / default
        );
    }
    println!("\n{}", rounds_told.join("\n"));
}

/// As it is installed, and writing through to the disk.
fn plain() -> Single {
    DEFAULTS.iter().fold(local::single().setting("fsync", "on"), |server, (name, value)| server.setting(*name, *value))
}

fn tuned(tuning: &Tuning) -> Single {
    tuning.settings().iter().fold(plain(), |server, setting| {
        let value = match &setting.value {
            Value::Text(text) => text.clone(),
            value => value.to_string(),
        };
        server.setting(setting.name, value)
    })
}

async fn start(server: Single) -> Server {
    server.start().await.expect("a server")
}

/// So that no run pays for what the ones before it wrote.
async fn checkpoint(server: &Server) {
    let cluster = server.connect().await.expect("a server");
    cluster.coordinator().execute(unscoped_sql!("CHECKPOINT")).await.expect("a superuser");
}

fn pgbench(server: &Server, arguments: &[&str]) -> String {
    let config: Config = server.config();
    let at = &config.contact_points()[0];
    let output = Command::new("pgbench")
        .args(["-h", &at.host, "-p", &at.port.to_string(), "-U", config.user()])
        .args(arguments)
        .arg(config.database())
        .output()
        .expect("pgbench: is it installed, and in PATH?");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Transactions in a second, and how many milliseconds one takes.
fn numbers(output: &str) -> (f64, f64) {
    let number = |what: &str| {
        let rest = output.lines().find_map(|line| line.strip_prefix(what));
        rest.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).expect("a number of pgbench's")
    };
    (number("tps = "), number("latency average = "))
}

fn median(mut of: Vec<(f64, f64)>) -> (f64, f64) {
    of.sort_by(|one, other| one.0.total_cmp(&other.0));
    of[of.len() / 2]
}
