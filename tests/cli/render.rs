//! `render …`: the texts, and that no secret is printed.

use std::os::unix::fs::PermissionsExt as _;

use shardwise::Cluster;
use shardwise::config::Secret;
use shardwise::render::access::{Login, Verifier};

use super::program::Program;
use crate::support::direct::connect_at;
use crate::support::place::{Place, in_both_modes};
use crate::support::secrets;

in_both_modes![@on_two_threads: the_cluster_s_nodes_are_in_the_texts];

async fn the_cluster_s_nodes_are_in_the_texts(place: Place) {
    let config = place.empty().await;
    let program = Program::alone().on(&config);
    let cluster = Cluster::connect(config.clone()).await.unwrap();
    let topology = cluster.topology();
    let nodes: Vec<String> = topology.nodes().iter().map(ToString::to_string).collect();

    let proxy = program.run(&["render", "haproxy", "--from", "10.0.1.9"]);
    assert_eq!(proxy.code, 0, "{proxy:?}");
    assert!(nodes.iter().all(|node| proxy.stdout.contains(node)), "{nodes:?} {proxy:?}");
    let rule = program.run(&["render", "haproxy", "--from", "10.0.1.9", "--part", "pg_hba.conf"]).stdout;
    assert_eq!(rule, "host \"postgres\" \"shardwise_check\" 10.0.1.9/32 trust\n");
    let json = program.json(&["render", "haproxy", "--output", "json"], 0);
    assert_eq!(
        json["files"]["haproxy.cfg"].as_str().map(str::len),
        Some(program.run(&["render", "haproxy"]).stdout.len())
    );
    assert!(
        program.message(&["render", "haproxy", "--part", "haproxy.conf"], 2).contains("did you mean \"haproxy.cfg\"?")
    );

    let role = format!("pooled_{}", config.database());
    let verifier = Verifier::of(&Secret::new(secrets::PASSWORD)).unwrap();
    let make = Login::new(&role).with_password(&verifier).sql().unwrap();
    let server = connect_at(&config.contact_points()[0], &config, config.database()).await.unwrap();
    server.batch_execute(&make).await.unwrap();
    let group = place.pick("primary", "worker_1");
    let folder = program.folder.path().join("pooler");
    let arguments = ["render", "pgbouncer", "--group", group, "--user", &role, "--budget", "100", "--poolers", "2"];
    let printed = program.run(&arguments);
    assert!(printed.code == 0 && printed.stdout.contains("pool_mode = transaction"), "{printed:?}");
    assert!(!printed.stdout.contains("SCRAM-SHA-256$"), "{printed:?}");
    assert!(program.message(&[&arguments[..], &["--part", "userlist.txt"]].concat(), 2).contains("never printed"));
    let into = [&arguments[..], &["--folder", "pooler"]].concat();
    assert_eq!(program.run(&into).code, 0);
    let userlist = folder.join("userlist.txt");
    assert_eq!(std::fs::metadata(&userlist).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(std::fs::read_to_string(&userlist).unwrap().starts_with(&format!("\"{role}\" \"SCRAM-SHA-256$")));
    assert_eq!(std::fs::read_to_string(folder.join("pgbouncer.ini")).unwrap(), printed.stdout);
    assert!(program.message(&into, 2).contains("--force"));
    assert_eq!(program.run(&[&into[..], &["--force"]].concat()).code, 0);
    assert!(
        program.message(&["render", "pgbouncer", "--user", "nobody_at_all", "--group", group], 2).contains("no role")
    );
    server.batch_execute(&format!("DROP ROLE {role}")).await.unwrap();

    // Another server than the cluster's has its own.
    let other = shardwise::local::single().start().await.unwrap();
    let client = crate::support::programs::connect(&other).await;
    client.batch_execute(&make).await.unwrap();
    let named = crate::support::direct::address(&other).to_string();
    let before = ["render", "pgbouncer", "--server", "db-9:6543", "--database", "postgres", "--user"];
    assert!(program.message(&[&before[..], &[&role]].concat(), 2).contains("no role"), "the cluster has none any more");
    let printed = program.run(&[&before[..], &[&role, "--ask", &named]].concat());
    assert!(printed.code == 0 && printed.stdout.contains("host=db-9 port=6543"), "{printed:?}");
}

#[test]
fn texts_without_a_cluster() {
    let program = Program::alone();
    std::fs::write(program.folder.path().join("password"), format!("{}\n", secrets::PASSWORD)).unwrap();
    let servers = ["--servers", "main=db-1.example.org,db-2.example.org:5433"];
    let replication =
        [&["render", "replication"][..], &servers, &["--from", "10.0.0.0/16", "--password-file", "password"]].concat();
    let backup = program.run(&replication);
    assert!(backup.code == 0 && backup.stdout.starts_with("pg_basebackup --pgdata="), "{backup:?}");
    assert_eq!(program.run(&[&replication[..], &["--folder", "standby"]].concat()).code, 0);
    let read = |name: &str| std::fs::read_to_string(program.folder.path().join("standby").join(name)).unwrap();
    assert!(read("role.sql").contains("SCRAM-SHA-256$") && !read("role.sql").contains(secrets::PASSWORD));
    assert!(read("passfile").contains(secrets::PASSWORD) && read("slots.sql").contains("'db_2_example_org_5433'"));
    let follows = read("db_2_example_org_5433.auto.conf");
    assert!(follows.starts_with("primary_conninfo = 'host=''db-1.example.org''"), "{follows}");
    assert!(program.message(&["render", "replication", "--servers", "main=db-1"], 2).contains("--standby"));
    let line =
        program.run(&["render", "access", "app", "--from", "10.0.0.0/16", "--database", "festivals", "--tls"]).stdout;
    assert_eq!(line, "hostssl \"festivals\" \"app\" 10.0.0.0/16 scram-sha-256\n");
    let rules = program.run(&["render", "prometheus-rules"]).stdout;
    assert!(rules.contains("alert: ShardwiseReplicationLag"), "{rules}");
    std::fs::write(program.folder.path().join("shardwise.toml"), "[default]\ncontact_points = ['x']\ndatabase = 'x'\nuser = 'x'\nhealth.replication_lag = { warning = '3s', critical = '77s' }\n").unwrap();
    assert!(program.run(&["render", "prometheus-rules"]).stdout.contains("77"), "the configuration's thresholds");
    let board: serde_json::Value = serde_json::from_str(&program.run(&["render", "grafana"]).stdout).unwrap();
    assert!(!board["panels"].as_array().unwrap().is_empty());
}
