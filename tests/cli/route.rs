//! `route KEY`.

use serde_json::json;
use shardwise::{Cluster, Region, local, unscoped_sql};

use super::program::Program;
use crate::support::citus::can_run;
use crate::support::leftovers::fresh;
use crate::support::place::{Place, in_both_modes, on_two_threads};

in_both_modes![@on_two_threads: a_key_s_way_is_what_the_server_says];

async fn a_key_s_way_is_what_the_server_says(place: Place) {
    let config = place.prepared().await;
    let cluster = Cluster::connect(config.clone()).await.unwrap();
    let id = cluster.mint_id(Region::US).unwrap();
    let festival = crate::support::model::Festival {
        id,
        slug: "lowlands".to_owned(),
        region: Region::US,
        name: "Lowlands".to_owned(),
    };
    cluster.reference().insert(&festival).await.unwrap();
    // Without entities, as the cluster's tables tell the type; on one server nobody does.
    let program = Program::alone().on(&config);
    let key = id.to_string();
    if !place.is_citus() {
        assert!(program.message(&["route", &key], 2).contains("--type"));
    }
    let told = match place.is_citus() {
        true => program.json(&["route", &key], 0),
        false => program.json(&["route", &key, "--type", "uuid"], 0),
    };
    assert_eq!((&told["key"], &told["key_type"]), (&json!(key), &json!("uuid")), "{told}");
    let (first, writes) = (&told["writes"][0], told["writes"].as_array().unwrap());
    assert!(first["round_trip_us"].is_u64() && first["is_pooled"] == false, "{told}");
    if place.is_citus() {
        let ask = unscoped_sql!(
            "SELECT worker_hash(:id::uuid), get_shard_id_for_distribution_column('wallets', :id::uuid), \
             (SELECT nodeport FROM pg_dist_placement JOIN pg_dist_node USING (groupid) \
              WHERE shardid = get_shard_id_for_distribution_column('wallets', :id::uuid))",
            id = id
        );
        let (hash, shard, port): (i32, i64, i32) = cluster.coordinator().query_one_as(ask).await.unwrap();
        assert_eq!(told["hash"], hash);
        let group = told["shards"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["tables"].as_array().unwrap().contains(&json!("wallets")))
            .unwrap();
        assert!(first["node"].as_str().unwrap().ends_with(&format!(":{port}")), "{told}");
        assert!(
            (group["min"].as_i64().unwrap()..=group["max"].as_i64().unwrap()).contains(&hash.into()),
            "{told} {shard}"
        );
        assert_eq!(
            (&told["region"], &told["home_region"], &first["route"]),
            (&json!("us"), &json!("us"), &json!("owner")),
            "{told}"
        );
        assert_eq!(writes.len(), 3, "the coordinator and the other worker pass it on: {told}");
        assert!(writes.iter().any(|stop| stop["route"] == "coordinator"), "{told}");
        // Bound to another region than its own, nothing is sent: and that is the answer.
        let moved = crate::support::model::Festival { region: Region::EU, ..festival };
        cluster.reference().update(&moved).await.unwrap();
        let strict = Program::alone()
            .on(&config)
            .with("SHARDWISE_RESIDENCY", "strict")
            .with("SHARDWISE_LOCAL_REGION", "eu")
            .with("SHARDWISE_REGIONS", "eu,us");
        let refused = strict.json(&["route", &key], 3);
        assert!(refused["refusal"].as_str().unwrap().contains("home region is eu"), "{refused}");
        assert_eq!((&refused["writes"], &refused["region"]), (&json!([]), &json!("us")), "{refused}");
    } else {
        assert_eq!((&told["hash"], &told["shards"], writes.len()), (&json!(null), &json!([]), 1), "{told}");
        assert_eq!(first["route"], "single", "{told}");
    }
    let ran = program.on_a_terminal(&["route", &key, "--type", "uuid"], "");
    assert!(ran.code == 0 && ran.stdout.contains("writes, in this order:"), "{ran:?}");
    assert!(program.message(&["route", "lowlands", "--type", "uuid"], 2).contains("no uuid"));
    let other = program.json(&["route", "7", "--type", "bigint"], 0);
    assert_eq!(other["writes"][0]["route"], place.pick("single", "coordinator"), "{other}");
}

/// What a statement would find, where the owner is down: the others, and why the owner is not among them.
#[test]
fn a_lost_owner_is_told_of_and_gone_around() {
    on_two_threads(async {
        if !can_run("cli::route::a_lost_owner_is_told_of_and_gone_around").await {
            return;
        }
        let local = local::citus(2).regions([Region::EU, Region::US]).own().start().await.unwrap();
        let config = fresh(&local).await;
        let cluster = Cluster::connect(config.clone()).await.unwrap();
        cluster.admin().apply(&crate::support::schema()).await.unwrap();
        cluster.refresh().await.unwrap();
        let id = cluster.mint_id(Region::US).unwrap().to_string();
        let program = Program::alone().on(&config);
        let before = program.json(&["route", &id, "--type", "uuid"], 0);
        let owner = before["writes"][0]["node"].as_str().unwrap();
        assert_eq!((&before["writes"][0]["route"], &before["unreachable"]), (&json!("owner"), &json!([])), "{before}");
        local.workers()[1].kill().await.unwrap();
        let after = program.json(&["route", &id, "--type", "uuid"], 0);
        assert_eq!(after["unreachable"][0]["node"], owner, "{after}");
        let others: Vec<_> =
            after["writes"].as_array().unwrap().iter().map(|stop| stop["route"].as_str().unwrap()).collect();
        assert_eq!(others, ["coordinator", "forwarded"], "{after}");
    });
}
