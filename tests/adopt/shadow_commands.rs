//! A shadow by commands: two profiles of one configuration.

use shardwise::Config;

use super::shadow_stage::Sides;
use crate::cli::program::Program;
use crate::support::place::{Place, in_both_modes, on_two_threads};

in_both_modes![@on_two_threads: a_database_goes_over_by_commands];

fn profile(name: &str, config: &Config) -> String {
    let at = &config.contact_points()[0];
    format!(
        "[{name}]\ncontact_points = [\"{at}\"]\ndatabase = \"{}\"\nuser = \"{}\"\n",
        config.database(),
        config.user()
    )
}

/// What services would do.
const SWITCH: &str = "echo over there > switched";

async fn a_database_goes_over_by_commands(place: Place) {
    let sides = Sides::with_rows(place, 300).await;
    tokio::task::block_in_place(|| commands(&sides));
    let refused = sides.on_old.batch_execute("DELETE FROM wallets").await.unwrap_err();
    assert_eq!(refused.code().map(|code| code.code()), Some("25006"));
}

fn commands(sides: &Sides) {
    let program = Program::alone();
    let file = |name: &str| program.folder.path().join(name);
    std::fs::write(file("shardwise.toml"), profile("old", &sides.old) + &profile("new", &sides.new)).unwrap();
    program.json(&["--profile", "old", "adopt", "inspect", "festivals.id", "--write", "adopt.toml"], 0);
    let shadow = |command: &[&'static str]| -> Vec<&'static str> {
        let sides = ["--to", "new", "--plan", "adopt.toml"];
        [&["--profile", "old", "adopt", "shadow"], &command[..1], &sides, &command[1..]].concat()
    };
    let found = program.json(&shadow(&["check"]), 3);
    let runtime = tokio::runtime::Handle::current();
    for obstacle in found.as_array().unwrap() {
        assert_eq!(obstacle["on_old"], true, "{obstacle}");
        runtime.block_on(sides.on_old.batch_execute(obstacle["fix"].as_str().unwrap())).unwrap();
    }
    assert_eq!(program.json(&shadow(&["check"]), 0).as_array().unwrap().len(), 0);
    assert!(program.message(&shadow(&["follow"]), 1).contains("begin it first"));
    assert_eq!(program.json(&shadow(&["begin"]), 0)["state"], "begun");
    assert_eq!(program.json(&shadow(&["status"]), 3)["copied_rows"], 0);
    let status = program.json(&shadow(&["follow", "--until-copied"]), 0);
    assert_eq!((&status["state"], &status["tables"]), (&"following".into(), &status["copied_tables"]), "{status}");
    let found = program.json(&shadow(&["verify", "--tenants"]), 0);
    let wallets = found["tables"].as_array().unwrap().iter().find(|table| table["table"]["name"] == "wallets").unwrap();
    assert_eq!((wallets["sums"].as_object().unwrap().len(), &wallets["old"]), (7, &wallets["new"]), "{wallets}");
    // One row that is not the same.
    let change = "UPDATE festivals SET name = 'another' WHERE id = 3";
    runtime.block_on(sides.on_new.batch_execute(change)).unwrap();
    let shown = program.run(&[shadow(&["verify"]), vec!["--output", "table"]].concat());
    assert!(shown.code == 3 && shown.stdout.contains("  (3) has other values on the new side"), "{shown:?}");
    runtime.block_on(sides.on_new.batch_execute("UPDATE festivals SET name = 'F3' WHERE id = 3")).unwrap();
    // A switch that fails leaves all as it was.
    let asked = program.message(&shadow(&["cut-over", "--switch", SWITCH]), 4);
    assert!(asked.contains("close the old side for good"), "{asked}");
    let failed = program.message(&shadow(&["cut-over", "--switch", "exit 7", "--most", "20s", "--yes"]), 1);
    assert!(failed.contains("the command of --switch ended with exit status: 7"), "{failed}");
    assert_eq!(program.json(&shadow(&["status"]), 0)["state"], "following");
    runtime.block_on(sides.on_old.batch_execute("UPDATE wallets SET balance = balance + 1")).unwrap();
    let done = program.json(&shadow(&["cut-over", "--switch", SWITCH, "--most", "20s", "--compare-all", "--yes"]), 0);
    assert!(done["pause_ms"].as_f64().unwrap() > 0.0 && done["verification"]["tables"].is_array(), "{done}");
    assert_eq!(std::fs::read_to_string(file("switched")).unwrap(), "over there\n");
    assert!(program.message(&shadow(&["roll-back", "--yes"]), 1).contains("would be lost by a way back"));
}

/// Variables go over all profiles: nothing is copied to itself.
#[test]
fn both_sides_are_not_the_same() {
    on_two_threads(async {
        let sides = Sides::with_rows(Place::Single, 10).await;
        let program = Program::alone().on(&sides.old);
        tokio::task::block_in_place(|| {
            let file = |name: &str| program.folder.path().join(name);
            std::fs::write(file("shardwise.toml"), profile("new", &sides.new)).unwrap();
            program.json(&["adopt", "inspect", "festivals.id", "--write", "adopt.toml"], 0);
            let begin = ["adopt", "shadow", "begin", "--to", "new", "--plan", "adopt.toml"];
            assert!(program.message(&begin, 1).contains("are the same database"));
        });
    });
}
