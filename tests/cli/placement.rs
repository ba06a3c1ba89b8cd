//! `placement nodes`, and what is refused.

use serde_json::json;
use shardwise::Uuid;

use super::program::Program;
use crate::support::place::{Place, in_both_modes};

in_both_modes![@on_two_threads: nodes_are_listed];

async fn nodes_are_listed(place: Place) {
    let config = place.empty().await;
    let program = Program::alone().on(&config);
    let nodes = program.json(&["placement", "nodes"], 0);
    let roles: Vec<_> = nodes.as_array().unwrap().iter().map(|one| one["node"]["role"].as_str().unwrap()).collect();
    assert_eq!(roles, place.pick(vec!["single"], vec!["coordinator", "worker", "worker"]));
    assert!(nodes[0]["node"]["port"].is_u64() && nodes[0]["bytes"].is_u64(), "{nodes}");
    let ran = program.on_a_terminal(&["placement", "nodes"], "");
    assert!(
        ran.code == 0 && ran.stdout.contains("address") && ran.stdout.contains(place.pick("single", "worker")),
        "{ran:?}"
    );
    let unknown = program.message(&["placement", "set-region", "localhost:1", "eu"], 2);
    assert!(unknown.contains("is no node"), "{unknown}");
    assert!(program.message(&["placement", "mint", "Europe West"], 2).contains("is not a region"));
    // On one server nothing is moved, and that is said.
    if !place.is_citus() {
        assert_eq!(program.json(&["placement", "rebalance"], 0)["moves"], json!([]));
        let id = Uuid::now_v7().to_string();
        let message = program.message(&["placement", "relocate", "--type", "uuid", &id, "eu", "--yes"], 1);
        assert!(message.contains("nowhere to relocate"), "{message}");
    }
}
