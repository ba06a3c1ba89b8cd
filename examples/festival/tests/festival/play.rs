//! The demo itself, small: a process, its output and its exit status.

use std::process::Command;

use serde_json::Value;

fn festival(arguments: &[&str]) -> std::process::Output {
    let program = env!("CARGO_BIN_EXE_festival");
    Command::new(program).args(arguments).env_remove("SHARDWISE_CONFIG").output().expect("the program runs")
}

/// Plays a short weekend, which has to end well, and returns the last line.
fn played(place: &str) -> Value {
    let output = festival(&["play", place, "--operations", "1000", "--concurrency", "16", "--seed", "3"]);
    let stdout = String::from_utf8(output.stdout).expect("text");
    let stderr = String::from_utf8(output.stderr).expect("text");
    assert!(output.status.success(), "{stdout}\n{stderr}");
    let last: Value = serde_json::from_str(stdout.lines().last().expect("a last line")).expect("JSON");
    assert_eq!(last["festivals"], 72);
    assert_eq!((&last["operations"], &last["errors"], &last["leaks"]), (&1000.into(), &0.into(), &0.into()));
    assert_eq!(last["books_balanced"], true);
    assert!(last["retried"].as_u64() > Some(0) && last["users"].as_u64() > Some(71), "{last}");
    last
}

#[test]
fn a_small_weekend_ends_with_balanced_books() {
    let last = played("--single");
    assert_eq!((&last["mode"], &last["acts"]), (&"single".into(), &Value::Null));
    assert!(last["routes"]["single"].as_u64() > Some(1000), "{last}");
}

#[tokio::test]
async fn on_citus_it_also_survives_what_changes_and_breaks() {
    if !crate::citus::can_run("play::on_citus_it_also_survives_what_changes_and_breaks").await {
        return;
    }
    let last = played("--citus");
    assert_eq!(last["mode"], "citus");
    assert!(last["owner_share"].as_f64() >= Some(0.99), "{last}");
    let Some(acts) = last["acts"].as_object() else {
        assert!(std::env::var_os("SHARDWISE_TEST_URL").is_some(), "only servers of others are not stopped: {last}");
        return;
    };
    assert_eq!(acts.len(), 5);
    assert!(acts.values().all(|act| act["operations"].as_u64() > Some(0) && act["failed"] == 0), "{last}");
    for (killed, spared) in [("us", "eu"), ("eu", "us")] {
        let errors = &acts[&format!("{killed}_worker_killed")]["errors"];
        assert!(errors[killed].as_u64() > Some(0), "its festivals saw that the worker was away: {last}");
        assert_eq!(errors[spared], 0, "{last}");
    }
}

#[test]
fn wrong_arguments_are_refused() {
    for wrong in ["--cluster", "--operations=5", "--concurrency=0", "--citus --single"] {
        let arguments: Vec<_> = std::iter::once("play").chain(wrong.split(' ')).collect();
        assert!(!festival(&arguments).status.success(), "{wrong}");
    }
}
