//! `schema plan|apply|diff`.

use shardwise::{Cluster, unscoped_sql};

use super::program::Program;
use crate::support::place::{Place, in_both_modes};

in_both_modes![@on_two_threads: from_nothing_to_no_difference, what_loses_something_is_asked_for];

async fn from_nothing_to_no_difference(place: Place) {
    let config = place.empty().await;
    let program = Program::with_entities().on(&config);
    let plan = program.json(&["schema", "plan"], 3);
    let steps = plan["steps"].as_array().unwrap();
    assert!(
        steps.iter().any(|step| step["kind"] == "create_table" && step["sql"].as_str().unwrap().contains("wallets"))
    );
    let differences = program.json(&["schema", "diff"], 3);
    assert!(differences["differences"].as_array().unwrap().iter().all(|one| one["side"] == "missing"), "{differences}");
    let dry = program.json(&["schema", "apply", "--dry-run"], 3);
    assert_eq!(dry, plan, "nothing has changed");
    let report = program.json(&["schema", "apply"], 0);
    assert_eq!(report["done"].as_array().unwrap().len(), steps.len(), "{report}");
    assert!(report["done"][0]["took_ms"].is_u64(), "{report}");
    assert_eq!(program.json(&["schema", "plan"], 0)["steps"], serde_json::json!([]));
    assert_eq!(program.json(&["schema", "diff"], 0)["differences"], serde_json::json!([]));
    let ran = program.on_a_terminal(&["schema", "diff"], "");
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "no differences\n"), "{ran:?}");
    let ran = program.on_a_terminal(&["schema", "plan"], "");
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "-- nothing to do\n"), "{ran:?}");
}

async fn what_loses_something_is_asked_for(place: Place) {
    let config = place.empty().await;
    let program = Program::with_entities().on(&config);
    program.json(&["schema", "apply"], 0);
    let cluster = Cluster::connect(config).await.unwrap();
    cluster.coordinator().execute(unscoped_sql!("ALTER TABLE stands ADD COLUMN note text")).await.unwrap();
    let has_it = async || {
        let count =
            unscoped_sql!("SELECT count(*) FROM pg_attribute WHERE attrelid = 'stands'::regclass AND attname = 'note'");
        cluster.coordinator().query_one_as::<(i64,)>(count).await.unwrap().0 == 1
    };
    let report = program.json(&["schema", "apply"], 0);
    let consent = report["withheld"][0]["consent"].as_str().unwrap();
    assert_eq!(consent, ".drop_column(\"stands\", \"note\")");
    // Refused for want of confirmation, by a script and by a person.
    let message = program.message(&["schema", "apply", "--allow", consent], 4);
    assert!(message.contains("--yes") && message.contains("nothing was done"), "{message}");
    let ran = program.on_a_terminal(&["schema", "apply", "--allow", "drop_column(stands, note)"], "n\n");
    assert!(ran.code == 4 && ran.stdout.contains("Go on? [y/N]"), "{ran:?}");
    assert_eq!(
        program.json(&["schema", "apply", "--allow", consent, "--dry-run"], 3)["steps"].as_array().unwrap().len(),
        1
    );
    assert!(has_it().await, "nothing was done");
    let ran = program.on_a_terminal(&["schema", "apply", "--allow", "drop_column(stands, note)"], "y\n");
    assert!(ran.code == 0 && ran.stdout.contains("drop the column stands.note"), "{ran:?}");
    assert!(!has_it().await);
    let unknown = program.message(&["schema", "plan", "--allow", "drop_colum(stands, note)"], 2);
    assert!(unknown.contains("drop_column(TABLE, COLUMN)"), "{unknown}");
}
