//! `partitions …`.

use std::io::{BufRead as _, BufReader};
use std::process::Command;

use shardwise::{Cluster, unscoped_sql};

use super::program::Program;
use crate::support::direct::connect_at;
use crate::support::place::{Place, in_both_modes, on_two_threads};

in_both_modes![@on_two_threads: partitions_come_and_go];

async fn names(cluster: &Cluster) -> Vec<String> {
    let names = unscoped_sql!(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'transactions'::regclass ORDER BY 1"
    );
    let rows: Vec<(String,)> = cluster.coordinator().query_as(names).await.unwrap();
    rows.into_iter().map(|(name,)| name).collect()
}

async fn partitions_come_and_go(place: Place) {
    let config = place.empty().await;
    let program = Program::with_entities().on(&config);
    program.json(&["schema", "apply"], 0);
    let cluster = Cluster::connect(config).await.unwrap();
    let first = names(&cluster).await;

    let dry = program.json(&["partitions", "create", "--ahead", "9", "--dry-run"], 3);
    assert!(dry["is_dry_run"].as_bool().unwrap() && dry["changes"][0]["action"] == "create", "{dry}");
    assert_eq!(names(&cluster).await, first, "a dry run makes none");
    let made = program.json(&["partitions", "create", "transactions", "--ahead", "9"], 0);
    assert_eq!(made["changes"].as_array().unwrap().len(), names(&cluster).await.len() - first.len());
    assert_eq!(
        program.json(&["partitions", "create", "--ahead", "9", "--dry-run"], 0)["changes"],
        serde_json::json!([])
    );

    let listed = program.json(&["partitions", "list", "--count"], 0);
    assert_eq!(listed[0]["table"], "transactions");
    assert!(listed[0]["partitions"].as_array().unwrap().iter().all(|one| one["rows"] == 0), "{listed}");
    let ran = program.on_a_terminal(&["partitions", "list", "Transaction"], "");
    assert!(ran.code == 0 && ran.stdout.contains("partition") && ran.stdout.contains("attached"), "{ran:?}");

    // Out, and back with the bounds of its interval.
    let (last, from, to) = {
        let last = &listed[0]["partitions"].as_array().unwrap().last().unwrap().clone();
        let end = |end: &str| last["bounds"][end].as_str().unwrap().to_owned();
        (last["name"].as_str().unwrap().to_owned(), end("from"), end("to"))
    };
    let detach = ["partitions", "detach", "transactions", &last];
    assert!(program.message(&detach, 4).contains(&last));
    program.json(&[&detach[..], &["--dry-run"]].concat(), 3);
    assert!(names(&cluster).await.contains(&last), "nothing was done");
    program.json(&[&detach[..], &["--yes"]].concat(), 0);
    assert!(!names(&cluster).await.contains(&last));
    let attach = ["partitions", "attach", "transactions", &last, "--from", &from, "--to", &to];
    let attached = program.json(&attach, 0);
    assert_eq!(attached["changes"][0]["action"], "attach", "{attached}");
    assert!(names(&cluster).await.contains(&last));

    // What is old goes, once somebody says so.
    let old = unscoped_sql!(
        "CREATE TABLE transactions_2001_01 PARTITION OF transactions FOR VALUES FROM ('2001-01-01+00') TO ('2001-02-01+00')"
    );
    cluster.coordinator().execute(old).await.unwrap();
    let drop = ["partitions", "drop", "--older-than", "365days"];
    assert!(program.message(&drop, 4).contains("transactions_2001_01"));
    let planned = program.json(&[&drop[..], &["--dry-run"]].concat(), 3);
    assert_eq!(planned["changes"][0]["partition"], "transactions_2001_01", "{planned}");
    let ran = program.on_a_terminal(&drop, "no\n");
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(names(&cluster).await.contains(&"transactions_2001_01".to_owned()));
    assert_eq!(program.json(&[&drop[..], &["-y"]].concat(), 0)["changes"].as_array().unwrap().len(), 1);
    assert!(!names(&cluster).await.contains(&"transactions_2001_01".to_owned()));

    program.json(&["partitions", "default", "create", "--dry-run"], 3);
    assert_eq!(program.json(&["partitions", "default", "create"], 0)["changes"][0]["action"], "create_default");
    assert_eq!(program.json(&["partitions", "default", "drain"], 0)["changes"], serde_json::json!([]));
    assert_eq!(program.json(&["partitions", "default", "drop"], 0)["changes"][0]["action"], "drop");
    assert_eq!(program.json(&["partitions", "fill-gaps"], 0)["changes"], serde_json::json!([]));

    let unknown = program.message(&["partitions", "list", "transactoins"], 2);
    assert!(unknown.contains("did you mean \"transactions\"?"), "{unknown}");
    assert!(program.message(&["partitions", "drop", "--older-than", "soon"], 2).contains("--older-than"));
}

#[test]
fn a_keeper_tells_what_it_did_until_it_is_interrupted() {
    on_two_threads(async {
        let config = Place::Single.empty().await;
        let program = Program::with_entities().on(&config);
        program.json(&["schema", "apply"], 0);
        let cluster = Cluster::connect(config).await.unwrap();
        let mut child = program.start(&["partitions", "keep", "--every", "50ms", "--ahead", "6"]);
        let line = BufReader::new(child.stdout.take().unwrap()).lines().next().unwrap().unwrap();
        let round: serde_json::Value = serde_json::from_str(&line).unwrap();
        let made = round["changes"].as_array().unwrap().iter().map(|change| change["partition"].as_str().unwrap());
        let there = names(&cluster).await;
        assert!(
            made.clone().count() > 0 && made.clone().all(|name| there.contains(&name.to_owned())),
            "{round} {there:?}"
        );
        assert!(Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(130));
        // What may drop rows in the background is asked for before.
        let asked = program.message(&["partitions", "keep", "--drop-older-than", "365days"], 4);
        assert!(
            asked.contains(
                "drop partitions whose rows are all older than 365 days: confirm it with --yes; nothing was done"
            ),
            "{asked}"
        );
    });
}

#[test]
fn a_plain_table_is_converted_once_somebody_says_so() {
    on_two_threads(async {
        let config = Place::Single.empty().await;
        let program = Program::with_entities().on(&config);
        program.json(&["schema", "apply"], 0);
        let server = connect_at(&config.contact_points()[0], &config, config.database()).await.unwrap();
        let plain = "
            CREATE TABLE plain (LIKE transactions INCLUDING DEFAULTS);
            DROP TABLE transactions;
            ALTER TABLE plain RENAME TO transactions;
            ALTER TABLE transactions ADD PRIMARY KEY (festival_id, id, created_at);
            INSERT INTO users VALUES (gen_random_uuid(), 'ada@example.org', 'Ada', now());
            INSERT INTO wallets SELECT gen_random_uuid(), gen_random_uuid(), id, 500, now() FROM users;
            INSERT INTO transactions (festival_id, id, wallet_id, kind, amount, created_at)
              SELECT festival_id, gen_random_uuid(), id, 'top_up', 5, now() - make_interval(days => number)
              FROM wallets, generate_series(1, 100) AS number";
        server.batch_execute(plain).await.unwrap();
        let convert = ["partitions", "convert", "transactions"];
        assert!(program.message(&convert, 4).contains("in the place of transactions"));
        assert_eq!(program.json(&[&convert[..], &["--dry-run"]].concat(), 3)["is_dry_run"], true);
        let done = program.json(&[&convert[..], &["--yes"]].concat(), 0);
        assert_eq!((&done["rows"], &done["was_resumed"]), (&100.into(), &false.into()), "{done}");
        // The rollup's triggers went with the table that was dropped.
        program.json(&["schema", "apply"], 0);
        assert_eq!(program.json(&["schema", "diff"], 0)["differences"], serde_json::json!([]));
    });
}
