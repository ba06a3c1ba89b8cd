//! `status` and `doctor`.

use serde_json::{Value, json};
use shardwise::Cluster;

use super::program::Program;
use crate::support::place::{Place, in_both_modes};
use crate::support::proxy::Proxy;

in_both_modes![@on_two_threads: a_picture_in_all_forms, the_doctor_tells_what_it_found];

async fn a_picture_in_all_forms(place: Place) {
    let config = place.prepared().await;
    let program = Program::alone().on(&config);
    let nodes = Cluster::connect(config.clone()).await.unwrap().topology().nodes().len();
    let told = program.run(&["status"]);
    let status: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(status["nodes"].as_array().unwrap().len(), nodes, "{status:#}");
    assert_eq!(status["mode"], place.pick("single", "citus"));
    assert!(status["nodes"][0]["round_trips"]["median_us"].as_u64().unwrap() > 0, "{status:#}");
    assert_eq!(status["sdk"]["schema"], json!(null));
    assert_eq!(told.code, code_of(&status["verdict"]), "{told:?}");
    // Of a service's program the entities are told.
    let of_service = Program::with_entities().on(&config).run(&["status"]);
    let of_service: Value = serde_json::from_str(&of_service.stdout).unwrap();
    assert_eq!(of_service["sdk"]["schema"].as_str().unwrap().len(), 16);

    let shown = program.on_a_terminal(&["status"], "");
    for text in ["node", "median", place.pick("single", "coordinator"), "cache: off", "tries that are left: 100 of 100"]
    {
        assert!(shown.stdout.contains(text), "{text}:\n{}", shown.stdout);
    }
    assert!(shown.stdout.lines().all(|line| line.chars().count() <= 100 || !line.contains("  ")), "{}", shown.stdout);
    if place.is_citus() {
        assert!(shown.stdout.contains("wallets"), "{}", shown.stdout);
    }

    let page = program.folder.path().join("status.html");
    let written = program.run(&["status", "--html", page.to_str().unwrap()]);
    let document: Value = serde_json::from_str(&written.stdout).unwrap();
    let text = std::fs::read_to_string(&page).unwrap();
    assert_eq!(document["bytes"], text.len());
    assert!(
        text.starts_with("<!DOCTYPE html>") && text.contains(config.database()) && text.contains("id=\"advice\""),
        "{text}"
    );
    assert_eq!(written.code, code_of(&document["verdict"]));
    let nowhere = program.message(&["status", "--html", "/nowhere/at/all.html"], 1);
    assert!(nowhere.contains("/nowhere/at/all.html can't be written"), "{nowhere}");

    // Over and over, a document each, until nobody reads any more.
    let mut child = program.start(&["status", "--watch", "100ms"]);
    let lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap())).take(3);
    for line in lines.map(Result::unwrap) {
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["database"], config.database());
    }
    assert!(child.wait().unwrap().code().is_some(), "it ends, and is not ended");
}

fn code_of(verdict: &Value) -> i32 {
    match verdict.as_str().unwrap() {
        "ok" | "unknown" => 0,
        "warning" => 3,
        "critical" => 7,
        other => panic!("{other}"),
    }
}

async fn the_doctor_tells_what_it_found(place: Place) {
    let config = place.prepared().await;
    let program = Program::alone().on(&config);
    let well = program.run(&["doctor"]);
    let told: Value = serde_json::from_str(&well.stdout).unwrap();
    assert_eq!(well.code, code_of(&told["verdict"]), "{told:#}");
    let of = |told: &Value, subject: &str| -> Vec<Value> {
        let all = told["findings"].as_array().unwrap().iter();
        all.filter(|finding| finding["subject"] == subject).cloned().collect()
    };
    assert_eq!(of(&told, "log_in").len(), place.pick(1, 3), "{told:#}");
    assert!(of(&told, "schema").is_empty(), "without entities");
    let of_service = Program::with_entities().on(&config).run(&["doctor"]);
    let of_service: Value = serde_json::from_str(&of_service.stdout).unwrap();
    // The example's entities are others than those of the tests.
    assert_eq!(of(&of_service, "schema")[0]["verdict"], "warning", "{of_service:#}");

    let shown = program.on_a_terminal(&["doctor"], "");
    assert!(shown.stdout.contains("ok: log_in of ") && shown.stdout.contains(" critical, "), "{}", shown.stdout);

    let unreadable = Program::alone().on(&config).with("SHARDWISE_POL", "1").run(&["doctor"]);
    let told: Value = serde_json::from_str(&unreadable.stdout).unwrap();
    assert_eq!((unreadable.code, &told["findings"][0]["subject"]), (6, &json!("configuration")), "{told:#}");
    let proxy = Proxy::to(config.contact_points()[0].port).await;
    proxy.close();
    let gone = config.with_contact_points([format!("127.0.0.1:{}", proxy.port).parse().unwrap()]).unwrap();
    let gone = Program::alone().on(&gone).run(&["doctor"]);
    assert_eq!(gone.code, 7, "{gone:?}");
}
