//! The demo itself, small: a process, its output and its exit status.

use std::process::Command;

use serde_json::Value;

fn festival(arguments: &[&str]) -> std::process::Output {
    let program = env!("CARGO_BIN_EXE_festival");
    Command::new(program).args(arguments).env_remove("SHARDWISE_CONFIG").output().expect("the program runs")
}

#[test]
fn a_small_weekend_ends_with_balanced_books() {
    let output = festival(&["play", "--operations", "1000", "--concurrency", "16", "--seed", "3"]);
    let stdout = String::from_utf8(output.stdout).expect("text");
    let stderr = String::from_utf8(output.stderr).expect("text");
    assert!(output.status.success(), "{stdout}\n{stderr}");
    let last: Value = serde_json::from_str(stdout.lines().last().expect("a last line")).expect("JSON");
    assert_eq!((&last["mode"], &last["festivals"]), (&"single".into(), &72.into()));
    assert_eq!((&last["operations"], &last["errors"], &last["leaks"]), (&1000.into(), &0.into(), &0.into()));
    assert_eq!(last["books_balanced"], true);
    assert!(last["retried"].as_u64() > Some(0) && last["users"].as_u64() > Some(71), "{last}");
    assert!(last["routes"]["single"].as_u64() > Some(1000), "{last}");
}

#[test]
fn wrong_arguments_are_refused() {
    for arguments in [["play", "--citus"], ["play", "--operations=5"], ["play", "--concurrency=0"]] {
        assert!(!festival(&arguments).status.success(), "{arguments:?}");
    }
}
