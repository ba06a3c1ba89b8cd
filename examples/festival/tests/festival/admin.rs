//! `festival admin`: shardwise's commands with the platform's entities.

use std::process::Command;

use serde_json::{Value, json};
use shardwise::Config;

use crate::support::{Place, in_both_modes};

in_both_modes![the_commands_know_the_platform_s_entities,];

async fn the_commands_know_the_platform_s_entities(place: Place) {
    let config = place.database().await;
    let [plan, apply, diff] = ["plan", "apply", "diff"].map(|command| ["admin", "schema", command]);
    let (code, planned) = festival(&config, &plan);
    let has_wallets = |planned: &Value| {
        planned["steps"]
            .as_array()
            .expect("steps")
            .iter()
            .any(|step| step["title"].as_str().is_some_and(|title| title.contains("wallets")))
    };
    assert!(code == Some(3) && has_wallets(&planned), "{planned}");
    assert_eq!(festival(&config, &apply).0, Some(0));
    assert_eq!(festival(&config, &diff), (Some(0), json!({ "differences": [], "unmanaged": [] })));
    let help = Command::new(env!("CARGO_BIN_EXE_festival")).args(["admin", "--help"]).output().expect("it runs");
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    assert!(help.contains("Usage: festival admin"), "{help}");
}

/// Runs the program, and reads what it answers.
fn festival(config: &Config, arguments: &[&str]) -> (Option<i32>, Value) {
    let points: Vec<_> = config.contact_points().iter().map(ToString::to_string).collect();
    let ran = Command::new(env!("CARGO_BIN_EXE_festival"))
        .args(arguments)
        .env_remove("DATABASE_URL")
        .env("SHARDWISE_CONTACT_POINTS", points.join(","))
        .env("SHARDWISE_DATABASE", config.database())
        .env("SHARDWISE_USER", config.user())
        .env("SHARDWISE_SHARD_COUNT", "4")
        .output()
        .expect("it runs");
    let answer = serde_json::from_slice(&ran.stdout);
    (ran.status.code(), answer.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&ran.stderr))))
}
