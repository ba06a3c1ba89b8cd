//! What holds for every machine.

use std::collections::HashSet;

use super::{Disk, Machine, Role, Size, Tuning, Value, Workload};
use crate::random;

/// The bound from the lines alone, as a reader of the file would add it up.
fn by_the_lines(tuning: &Tuning) -> u128 {
    let size = |name: &str| match tuning.get(name) {
        Some(Value::Size(size)) => u128::from(size.as_bytes()),
        other => panic!("{name} is {other:?}"),
    };
    let count = |name: &str| match tuning.get(name) {
        Some(Value::Count(count)) => u128::from(*count),
        other => panic!("{name} is {other:?}"),
    };
    let machine = tuning.machine();
    let nodes = match machine.workload {
        Workload::Oltp => 2,
        Workload::Mixed => 3,
        Workload::Analytics => 4,
    };
    let (backends, workers) = (count("max_connections"), count("max_parallel_workers"));
    let mut all = (backends + workers) * nodes * 2 * size("work_mem");
    all += size("shared_buffers") + size("wal_buffers");
    all += count("autovacuum_max_workers") * size("autovacuum_work_mem");
    match machine.role {
        Role::Single => all += size("maintenance_work_mem"),
        Role::Coordinator { .. } | Role::Worker { .. } => {
            all += count("citus.max_adaptive_executor_pool_size") * size("maintenance_work_mem");
            all += count("max_wal_senders") * size("logical_decoding_work_mem");
        }
    }
    let page = if machine.has_huge_pages() { 2 << 20 } else { 4 << 10 };
    all + (backends + workers) * (size("shared_buffers") / page * 8 + (2 << 20))
}

/// Holds one against everything that is promised of all.
fn hold(machine: &Machine) -> bool {
    let tuning = match machine.tune() {
        Ok(tuning) => tuning,
        Err(error) => {
            let error = error.to_string();
            assert!(error.contains("is too little for") && error.contains("larger machine"), "{machine:?}: {error}");
            return false;
        }
    };
    let (memory, ram) = (tuning.memory(), machine.ram);
    assert!(memory.worst_case() <= ram, "{machine:?}: {memory:?}");
    assert!(by_the_lines(&tuning) <= u128::from(ram.as_bytes()), "{machine:?}: {memory:?}");
    assert!(memory.work_mem >= Size::kb(256), "{machine:?}");
    // What is not used has a reason: more is of no use, or not enough for all.
    let next = Size::bytes(memory.work_mem.as_bytes() + (1 << 20)).times(memory.sorting * memory.nodes * 2);
    let is_most = [Size::mb(64), Size::mb(256), Size::gb(4)].contains(&memory.work_mem);
    assert!(is_most || memory.worst_case().minus(memory.of_queries()).plus(next) > ram, "{machine:?}: {memory:?}");
    let names: HashSet<_> = tuning.settings().iter().map(|setting| setting.name).collect();
    assert_eq!(names.len(), tuning.settings().len(), "a parameter has two lines: {machine:?}");
    assert!(tuning.settings().iter().all(|setting| setting.reason.ends_with('.') && !setting.source.is_empty()));
    true
}

#[test]
fn work_mem_never_exceeds_memory() {
    let (mut fit, mut refused) = (0, 0);
    for ram in [256, 511, 1024, 4096, 24_105, 65_536, 1 << 20, 4 << 20, 16 << 20].map(Size::mb) {
        for cpus in [1, 2, 3, 8, 64, 256, 4096] {
            for connections in [1, 20, 100, 1000, 10_000, 100_000] {
                for role in [Role::Single, Role::Coordinator { workers: 2 }, Role::Worker { workers: 100 }] {
                    for workload in Workload::ALL {
                        for huge_pages in [false, true] {
                            let machine = Machine::new(ram, cpus).with_connections(connections).with_role(role);
                            let machine = machine.with_workload(*workload).with_huge_pages(huge_pages);
                            *(if hold(&machine) { &mut fit } else { &mut refused }) += 1;
                        }
                    }
                }
            }
        }
    }
    assert!(fit > 2000 && refused > 1000, "{fit} machines fit, {refused} were refused");
}

#[test]
#[expect(clippy::print_stdout, reason = "the seed, for when it fails")]
fn nor_on_machines_by_chance() {
    let mut seed = std::env::var("TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(random::number);
    println!("TEST_SEED={seed}");
    // Knuth's multiplier, the upper half of which is random enough for this.
    let mut below = |most: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % most
    };
    let mut fit = 0;
    for _ in 0..20_000 {
        let number = |most: u64, below: &mut dyn FnMut(u64) -> u64| u32::try_from(1 + below(most)).unwrap_or(1);
        // Sizes of all orders, none of them round.
        let ram = Size::mb(256 + (1 << (8 + below(16))) + below(1 << 20) % 1000);
        let machine = Machine::new(ram, number(300, &mut below)).with_connections(number(3000, &mut below));
        let workers = number(40, &mut below);
        let role = [Role::Single, Role::Coordinator { workers }, Role::Worker { workers }];
        let machine = machine.with_role(role[usize::try_from(below(3)).unwrap_or(0)]).with_huge_pages(below(2) == 0);
        let machine = machine.with_workload(Workload::ALL[usize::try_from(below(3)).unwrap_or(0)]);
        let machine = machine.with_disk(Disk::ALL[usize::try_from(below(4)).unwrap_or(0)]);
        let version = 13 + number(6, &mut below) - 1;
        let machine = machine.with_version(version).with_shards(number(64, &mut below), number(400, &mut below));
        fit += usize::from(hold(&machine));
    }
    assert!(fit > 2000, "{fit} of 20000 fit");
}

#[test]
fn a_refusal_names_what_the_machine_bears() {
    let machine = Machine::new(Size::gb(1), 1).with_connections(5000);
    let error = machine.tune().expect_err("far too many").to_string();
    let number = |word: &str| error.split(word).nth(1).and_then(|rest| rest.split(' ').next()?.parse::<u32>().ok());
    let most = number("it bears ").expect("a number");
    assert!(machine.clone().with_connections(most).tune().is_ok(), "{error}");
    assert!(machine.clone().with_connections(most + 1).tune().is_err(), "{error}");
    let common =
        Machine::new(Size::gb(64), 16).with_disk(Disk::Nvme).with_connections(1000).with_workload(Workload::Oltp);
    assert!(hold(&common), "a thousand connections to a server of 64 GB are no rarity");
    // A large one without huge pages: what page tables take is told.
    let large = Machine::new(Size::gb(1024), 64).with_connections(2000).with_huge_pages(false);
    let error = large.tune().expect_err("page tables take all").to_string();
    let most = error.split(", ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
    assert_eq!(most, Some(2000), "{error}");
    assert!(large.with_huge_pages(true).tune().is_ok());
}

#[test]
fn what_no_machine_is_like_is_refused_with_the_fix() {
    let machine = || Machine::new(Size::gb(64), 16);
    for (machine, fix) in [
        (Machine::new(Size::mb(64), 1), "check the unit"),
        (Machine::new(Size::gb(1 << 20), 1), "check the unit"),
        (Machine::new(Size::gb(64), 0), "`nproc`"),
        (machine().with_connections(0), "busy at the same time"),
        (machine().with_version(12), "13 to 18"),
        (machine().with_version(19), "13 to 18"),
        (machine().with_role(Role::Worker { workers: 0 }), "1 to 1000"),
        (machine().with_shards(0, 1), "1 to 64000 shards"),
        (machine().with_libraries(["a, b"]), "one name each"),
        (machine().with_libraries(["it's"]), "one name each"),
    ] {
        let error = machine.tune().expect_err(fix).to_string();
        assert!(error.contains(fix), "{error}");
    }
}

#[test]
fn versions_and_roles_differ_where_the_servers_do() {
    let machine = || Machine::new(Size::gb(64), 16);
    let get =
        |machine: Machine, name: &str| machine.tune().expect("a usual machine").get(name).map(ToString::to_string);
    for (version, compression) in [(13, "on"), (14, "on"), (15, "lz4"), (18, "lz4")] {
        assert_eq!(get(machine().with_version(version), "wal_compression").as_deref(), Some(compression));
    }
    assert_eq!(get(machine().with_version(14).with_disk(Disk::Nvme), "wal_compression").as_deref(), Some("off"));
    for (version, io) in [(17, None), (18, Some("worker"))] {
        assert_eq!(get(machine().with_version(version), "io_method").as_deref(), io);
        assert_eq!(get(machine().with_version(version), "io_workers").is_some(), io.is_some());
    }
    // 3.2 GB for four workers are 819 MB each; 256 GB would give more than version 16 can use.
    let large = |version| {
        get(Machine::new(Size::gb(256), 16).with_version(version).with_huge_pages(true), "autovacuum_work_mem")
    };
    assert_eq!((large(16).as_deref(), large(17).as_deref()), (Some("1GB"), Some("2GB")));
    assert_eq!(get(machine().with_workload(Workload::Oltp), "jit").as_deref(), Some("off"));
    assert_eq!(get(machine().with_workload(Workload::Analytics), "jit").as_deref(), Some("on"));
    let worker = machine().with_role(Role::Worker { workers: 4 });
    assert_eq!(get(worker.clone(), "wal_level").as_deref(), Some("logical"));
    let libraries = worker.with_libraries(["pg_stat_statements", "citus"]);
    assert_eq!(get(libraries, "shared_preload_libraries").as_deref(), Some("'citus,pg_stat_statements'"));
    assert_eq!(get(machine(), "shared_preload_libraries"), None);
    assert_eq!(get(machine(), "citus.max_client_connections"), None);
}

#[test]
fn the_file_has_each_line_below_its_reason() {
    let tuning = Machine::new(Size::gb(64), 16).with_huge_pages(true).tune().expect("a usual machine");
    let file = tuning.to_string();
    assert!(file.contains("\nshared_buffers = 16GB\n") && file.contains("\nmax_connections = 103\n"), "{file}");
    assert!(file.contains("vm.nr_hugepages = "), "{file}");
    let lines: Vec<_> = file.lines().collect();
    for pair in lines.windows(2).filter(|pair| pair[1].contains(" = ") && !pair[1].starts_with('#')) {
        assert!(pair[0].starts_with("# "), "{pair:?}");
    }
    assert!(lines.iter().all(|line| line.chars().count() <= 130), "{file}");
    let json = serde_json::to_value(&tuning).expect("it is written");
    assert_eq!(json["machine"]["ram"], "64GB");
    let setting = json["settings"].as_array().and_then(|all| all.iter().find(|one| one["name"] == "shared_buffers"));
    assert_eq!(setting.map(|setting| &setting["value"]), Some(&serde_json::json!("16GB")));
    assert!(json["memory"]["work_mem"].is_string());
}
