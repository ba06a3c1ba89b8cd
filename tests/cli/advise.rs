//! `advise`: the same advice as a table and as JSON.

use super::program::Program;
use crate::support::place::{Place, in_both_modes};

in_both_modes![@on_two_threads: the_checklist_is_that_of_the_users];

async fn the_checklist_is_that_of_the_users(place: Place) {
    let config = place.empty().await;
    let program = Program::with_entities().on(&config);
    program.json(&["schema", "apply"], 0);
    // The example's cache is off, which is due from 1,000 users on.
    let advice = program.json(&["advise", "--users", "5000", "--watch-for", "0"], 3);
    assert_eq!(
        (&advice["level"], &advice["mode"]),
        (&"medium".into(), &place.pick("single", "citus").into()),
        "{advice}"
    );
    let topics: Vec<_> =
        advice["items"].as_array().unwrap().iter().map(|item| item["topic"].as_str().unwrap()).collect();
    let medium = ["pooler", "analytics_replica", "redis_cache", "materialized_views"];
    assert_eq!(topics, [&["indexes", "application_pool", "queries"][..], &medium[..]].concat());
    assert_eq!(advice["nodes"].as_array().unwrap().len(), place.pick(1, 3));
    let ran = program.on_a_terminal(&["advise", "--users", "5000", "--watch-for", "0"], "");
    assert_eq!(ran.code, 3, "{ran:?}");
    for part in ["Level: medium", "concurrent users: 5,000 (given)", "pooler", "Next step: ", "Not seen"] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
    println!("{}", ran.stdout);
    // Without entities the tables are those of nobody that is known.
    let alone = Program::alone().on(&config).json(&["advise", "--users", "50000", "--watch-for", "0"], 3);
    assert_eq!(alone["level"], "large", "{alone}");
    assert!(program.message(&["advise", "--users", "many"], 2).contains("--users"), "what is wrong is named");
}
