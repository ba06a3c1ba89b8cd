//! `placement audit|relocate|rebalance`.

use serde_json::json;
use shardwise::{Cluster, Region, Uuid};

use super::program::Program;
use crate::support::place::{Place, on_citus};

on_citus![@on_two_threads: a_misplaced_tenant_is_found_and_its_move_is_told];

async fn a_misplaced_tenant_is_found_and_its_move_is_told(place: Place) {
    let config = place.empty().await;
    let program = Program::with_entities().on(&config);
    program.json(&["schema", "apply"], 0);
    assert_eq!(program.json(&["placement", "audit"], 0)["misplaced"], json!([]));
    let minted = program.json(&["placement", "mint", "us"], 0);
    let id: Uuid = minted["id"].as_str().unwrap().parse().unwrap();
    let cluster = Cluster::connect(config).await.unwrap();
    let home = |region| festival::model::Festival {
        id,
        slug: "lowlands".to_owned(),
        name: "Lowlands".to_owned(),
        city: "Biddinghuizen".to_owned(),
        country: "NL".to_owned(),
        region,
        created_at: festival::model::now(),
    };
    cluster.reference().insert(&home(Region::US)).await.unwrap();
    assert_eq!(program.json(&["placement", "audit"], 0)["tenants"], 1);
    cluster.reference().update(&home(Region::EU)).await.unwrap();
    let audit = program.json(&["placement", "audit"], 3);
    assert_eq!((&audit["misplaced"][0]["key"], &audit["misplaced"][0]["home"]), (&json!(id), &json!("eu")), "{audit}");
    assert_eq!(audit["misplaced"][0]["elsewhere"][0]["region"], "us", "{audit}");
    let ran = program.on_a_terminal(&["placement", "audit"], "");
    assert!(ran.code == 3 && ran.stdout.contains("1 of 1 tenants"), "{ran:?}");

    let id = id.to_string();
    let there = program.json(&["placement", "relocate", &id, "eu", "--dry-run"], 3);
    assert_eq!(
        (&there["changes_directory"], &there["moves"][0]["is_shared"]),
        (&json!(false), &json!(true)),
        "{there}"
    );
    let back = program.json(&["placement", "relocate", &id, "us", "--dry-run"], 3);
    assert_eq!((&back["changes_directory"], &back["moves"]), (&json!(true), &json!([])), "{back}");
    assert!(program.message(&["placement", "relocate", &id, "eu"], 4).contains("--yes"));
    assert!(program.message(&["placement", "relocate", "lowlands", "eu", "--yes"], 2).contains("no uuid"));
    assert_eq!(program.json(&["placement", "audit"], 3)["misplaced"].as_array().unwrap().len(), 1, "nothing was moved");

    let _alone = crate::support::citus::splitting().await;
    let moved = program.json(&["placement", "relocate", &id, "eu", "--yes"], 0);
    assert_eq!(moved["moved"].as_array().unwrap().len(), 1, "{moved}");
    assert_eq!(program.json(&["placement", "audit"], 0)["misplaced"], json!([]));
    // The plan is told whether or not there is anything to move.
    let plan = program.run(&["placement", "rebalance", "--dry-run"]);
    assert!([0, 3].contains(&plan.code), "{plan:?}");
    let plan: serde_json::Value = serde_json::from_str(&plan.stdout).unwrap();
    assert!(plan["moves"].is_array(), "{plan}");
}
