//! What `tune` writes is what a real server takes.

use std::time::Duration;

use shardwise::local;
use shardwise::tune::{Disk, Machine, Role, Size, Tuning, Value, Workload};
use tokio_postgres::Client;

use crate::support::citus::can_run;
use crate::support::programs::{Workshop, connect};

/// This machine, as the operating system tells it.
fn here() -> Machine {
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap();
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:")).unwrap();
    let ram = total.trim().parse::<Size>().unwrap();
    let cpus = std::thread::available_parallelism().unwrap();
    // Those of other tests are beside it, so huge pages are not ours.
    Machine::new(ram, u32::try_from(cpus.get()).unwrap()).with_huge_pages(false)
}

/// What has the same name in the command line of every throwaway server, which wins over the file.
const OF_THE_COMMAND_LINE: [&str; 2] = ["max_connections", "max_wal_size"];

/// Starts a server by the file alone, and compares each line with what the server says that it has.
async fn holds(tuning: &Tuning) {
    let first = local::single().setting("work_mem", "4MB").start().await.unwrap();
    let workshop = Workshop::beside(&first).await;
    let file = workshop.write("tuned.conf", &tuning.to_string());
    let mut server = local::single().setting("config_file", file.display().to_string());
    for name in OF_THE_COMMAND_LINE {
        server = server.setting(name, tuning.get(name).unwrap().to_string());
    }
    let server = server.start().await.unwrap();
    let client = connect(&server).await;
    let read = "SELECT name, error, applied FROM pg_file_settings";
    let rows = client.query(read, &[]).await.unwrap();
    assert_eq!(rows.len(), tuning.settings().len());
    for row in rows {
        let (name, error): (&str, Option<&str>) = (row.get(0), row.get(1));
        assert_eq!(error, None, "{name}");
        assert!(row.get::<_, bool>(2) || OF_THE_COMMAND_LINE.contains(&name), "{name} was not applied");
    }
    for setting in tuning.settings() {
        is_set(&client, setting.name, &setting.value).await;
    }
    println!("{}: {} lines, as the server has them", tuning.machine(), tuning.settings().len());
}

async fn is_set(client: &Client, name: &str, value: &Value) {
    let row = client.query_one("SELECT setting, coalesce(unit, '') FROM pg_settings WHERE name = $1", &[&name]).await;
    let row = row.unwrap_or_else(|error| panic!("{name}: {error}"));
    let (set, unit): (&str, &str) = (row.get(0), row.get(1));
    let number = || set.parse::<u64>().unwrap();
    match value {
        Value::Size(size) => {
            // Such as `8kB`.
            let unit = unit
                .find(|c: char| !c.is_ascii_digit())
                .filter(|at| *at > 0)
                .map_or(format!("1{unit}"), |_| unit.to_owned());
            let unit: Size = unit.parse().unwrap();
            assert_eq!(number() * unit.as_bytes(), size.as_bytes(), "{name}");
        }
        Value::Time(time) => {
            let set = if unit == "s" { Duration::from_secs(number()) } else { Duration::from_millis(number()) };
            assert_eq!(set, *time, "{name}");
        }
        Value::Count(count) => assert_eq!(set.parse::<f64>().unwrap(), *count as f64, "{name}"),
        Value::Real(real) => assert_eq!(set.parse::<f64>().unwrap(), *real, "{name}"),
        Value::Flag(flag) => assert_eq!(set, if *flag { "on" } else { "off" }, "{name}"),
        Value::Word(word) => assert_eq!(set, *word, "{name}"),
        Value::Text(text) => assert_eq!(set, text, "{name}"),
        other => panic!("{name} is {other:?}, which nobody compares"),
    }
}

#[tokio::test]
async fn a_server_has_what_its_file_says() {
    for (workload, disk) in
        [(Workload::Oltp, Disk::Nvme), (Workload::Mixed, Disk::Network), (Workload::Analytics, Disk::Hdd)]
    {
        holds(&here().with_workload(workload).with_disk(disk).with_connections(40).tune().unwrap()).await;
    }
    holds(&here().with_connections(40).with_shards(1, 60).with_libraries(["pg_stat_statements"]).tune().unwrap()).await;
}

#[tokio::test]
async fn so_has_a_server_of_citus() {
    if can_run("tune::so_has_a_server_of_citus").await {
        for role in [Role::Coordinator { workers: 2 }, Role::Worker { workers: 2 }] {
            let machine = here().with_role(role).with_connections(40).with_shards(16, 24);
            holds(&machine.with_libraries(["pg_stat_statements"]).tune().unwrap()).await;
        }
    }
}

/// The server looks at every line without taking the memory, and says how much shared memory it would take: no more than was
/// counted.
#[tokio::test]
async fn extremes_are_in_range_and_counted_in_full() {
    let server = local::single().setting("work_mem", "4MB").start().await.unwrap();
    let citus = can_run("tune::extremes_are_in_range_and_counted_in_full").await;
    let workshop = Workshop::beside(&server).await;
    let data = connect(&server).await.query_one("SELECT current_setting('data_directory')", &[]).await.unwrap();
    let data: String = data.get(0);
    server.kill().await.unwrap();
    let mut tried = 0;
    for (ram, cpus, connections) in [
        (Size::mb(512), 1, 5),
        (Size::gb(1), 1, 20),
        (Size::gb(16), 4, 100),
        (Size::gb(64), 16, 1000),
        (Size::gb(256), 64, 2000),
        (Size::gb(4096), 256, 5000),
        (Size::gb(16 * 1024), 4096, 20_000),
    ] {
        for role in [Role::Single, Role::Coordinator { workers: 8 }, Role::Worker { workers: 8 }] {
            if role != Role::Single && !citus {
                continue;
            }
            for workload in Workload::ALL {
                let machine =
                    Machine::new(ram, cpus).with_connections(connections).with_workload(*workload).with_role(role);
                let Ok(tuning) = machine.with_shards(32, 36).tune() else {
                    assert!(ram < Size::gb(4), "{ram} {cpus} {connections} {role} {workload}");
                    continue;
                };
                let file = workshop.write("tuned.conf", &tuning.to_string()).display().to_string();
                let config = format!("config_file={file}");
                let ask = ["postgres", "-D", &data, "-c", &config, "-C", "shared_memory_size"].map(str::to_owned);
                let taken: u64 = workshop.succeed(&ask).trim().parse().unwrap();
                let memory = tuning.memory();
                let counted = (memory.shared_buffers.as_bytes() + memory.shared.as_bytes()) >> 20;
                assert!(taken <= counted, "{ram} {cpus} {connections} {role}: {taken} MB are more than {counted}");
                println!(
                    "{ram} {cpus} {connections} {role} {workload}: {taken} MB of shared memory, {counted} counted"
                );
                tried += 1;
            }
        }
    }
    println!("{tried} files were taken");
    assert!(tried >= if citus { 45 } else { 18 });
}
