//! `bench`.

use std::process::Command;

use serde_json::json;
use shardwise::{Cluster, unscoped_sql};

use super::program::{Program, Ran};
use crate::support::place::{Place, in_both_modes};

in_both_modes![@on_two_threads: each_way_is_measured_and_nothing_is_left];

async fn each_way_is_measured_and_nothing_is_left(place: Place) {
    let config = place.empty().await;
    let program = Program::alone().on(&config);
    let cluster = Cluster::connect(config).await.unwrap();
    let is_there = async || {
        let ask = unscoped_sql!("SELECT to_regnamespace('shardwise_bench') IS NOT NULL");
        cluster.coordinator().query_one_as::<(bool,)>(ask).await.unwrap().0
    };
    let small = ["bench", "--clients", "4", "--tenants", "8", "--rows", "5"];
    assert!(program.message(&small, 4).contains("--yes"));
    assert!(!is_there().await, "nothing was done");

    let bench = program.json(&[&small[..], &["--time", "300ms", "--yes"]].concat(), 0);
    let routes: Vec<_> = bench["cases"].as_array().unwrap().iter().map(|case| &case["route"]).cloned().collect();
    let wanted = place.pick(vec!["single"; 3], vec!["owner", "coordinator", "forwarded", "owner", "owner"]);
    assert_eq!(json!(routes), json!(wanted), "{bench}");
    for case in bench["cases"].as_array().unwrap() {
        let [p50, p95, p99, max] = ["p50_us", "p95_us", "p99_us", "max_us"].map(|name| case[name].as_u64().unwrap());
        assert!(0 < p50 && p50 <= p95 && p95 <= p99 && p99 <= max, "{case}");
        assert!(case["operations"].as_u64().unwrap() > 0 && case["errors"] == 0, "{case}");
        println!("{}: {} per second, p50 {p50} µs, p99 {p99} µs", case["case"], case["per_second"]);
    }
    assert_eq!(bench["left_out"].as_array().unwrap().len(), 5 - wanted.len(), "{bench}");
    assert!(!is_there().await, "it is dropped");

    // Interrupted half-way, it takes its tables along.
    let mut child = program.start(&[&small[..], &["--time", "60s", "--yes"]].concat());
    while !is_there().await {
        assert_eq!(child.try_wait().unwrap(), None);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    // Another run keeps its hands off.
    let other = program.message(&[&small[..], &["--time", "1s", "--yes"]].concat(), 1);
    assert!(other.contains("DROP SCHEMA shardwise_bench CASCADE"), "{other}");
    assert!(is_there().await);
    assert!(Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap().success());
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 130, "{ran:?}");
    assert!(!is_there().await, "it is dropped");
}
