//! `rollups …`, `denormalized …` and `views …`: what is made of other rows, and put right where it is off.

use std::io::{BufRead as _, BufReader};

use serde_json::json;
use shardwise::Uuid;

use super::program::Program;
use crate::support::place::{Place, in_both_modes};
use crate::support::stage::session;

in_both_modes![@on_two_threads: what_is_off_is_told_and_put_right];

async fn what_is_off_is_told_and_put_right(place: Place) {
    let config = place.empty().await;
    let program = Program::with_entities().on(&config);
    assert_eq!(program.json(&["views", "list"], 3)[0]["is_current"], false, "before the schema is applied");
    program.json(&["schema", "apply"], 0);
    let by_hand = session(&config).await;
    let (festival, user, wallet, stand) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
    for sql in [
        format!(
            "INSERT INTO festivals (id, slug, name, city, country, region, created_at) VALUES ('{festival}', 'fest', 'Fest', 'Lyon', 'FR', 'eu', now())"
        ),
        format!("INSERT INTO users (id, email, name, created_at) VALUES ('{user}', 'a@example.org', 'A', now())"),
        format!(
            "INSERT INTO wallets (festival_id, id, user_id, balance, created_at) VALUES ('{festival}', '{wallet}', '{user}', 5, now())"
        ),
        format!(
            "INSERT INTO stands (festival_id, id, name, created_at) VALUES ('{festival}', '{stand}', 'Bar', now())"
        ),
        format!(
            "INSERT INTO orders (festival_id, id, wallet_id, stand_id, amount, state, created_at) \
             VALUES ('{festival}', '{}', '{wallet}', '{stand}', 300, 'paid', now())",
            Uuid::new_v4()
        ),
        format!(
            "INSERT INTO transactions (festival_id, id, wallet_id, kind, amount, created_at) \
             VALUES ('{festival}', '{}', '{wallet}', 'top_up', 5, now())",
            Uuid::new_v4()
        ),
    ] {
        by_hand.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
    let tenant = festival.to_string();

    assert_eq!(program.json(&["rollups", "verify"], 0)[0]["differing"], json!([]));
    by_hand.batch_execute("UPDATE festival_daily_stats_parts SET credits = credits + 7").await.unwrap();
    let found = program.json(&["rollups", "verify", "festival_daily_stats", "--tenant", &tenant], 3);
    assert_eq!(found[0]["differing"][0]["lacks"], json!([["credits", "-7"]]));
    program.json(&["rollups", "repair", "--dry-run"], 3);
    let repaired = program.json(&["rollups", "repair"], 0);
    assert_eq!((&repaired[0]["corrected"], &repaired[0]["tenants"]), (&json!(1), &json!(1)));
    program.json(&["rollups", "verify"], 0);
    assert!(program.message(&["rollups", "verify", "daily_stats"], 2).contains("did you mean"));
    assert!(program.message(&["rollups", "verify", "--tenant", "seven"], 2).contains("--tenant"));

    assert_eq!(program.json(&["denormalized", "verify"], 0)[0]["table"], "orders");
    let damage =
        "SET session_replication_role = replica; UPDATE %1$s SET stand_name = $$lost$$; RESET session_replication_role";
    match place {
        Place::Single => by_hand.batch_execute(&damage.replace("%1$s", "orders")).await.unwrap(),
        Place::Citus(_) => {
            let sql = format!("SELECT run_command_on_shards('orders', '{damage}')");
            by_hand.execute(&sql, &[]).await.unwrap();
        }
    }
    let lost = json!([{"column": "stand_name", "follows": "stands.name", "rows": 1}]);
    assert_eq!(program.json(&["denormalized", "verify"], 3)[0]["differing"], lost);
    assert_eq!(program.json(&["denormalized", "repair", "--dry-run"], 3)[0]["differing"], lost);
    let told = program.json(&["schema", "diff"], 3).to_string();
    assert!(told.contains("what stands.name has"), "{told}");
    assert_eq!(program.json(&["denormalized", "repair"], 0)[0]["corrected"], 1);
    program.json(&["schema", "diff"], 0);

    let list = program.json(&["views", "list"], 0);
    assert_eq!((&list[0]["name"], &list[0]["every_ms"]), (&json!("stand_sales"), &json!(60_000)));
    let refreshed = program.json(&["views", "refresh"], 0);
    assert_eq!(refreshed[0]["view"], "stand_sales");
    let shown: i64 = by_hand.query_one("SELECT sum(revenue)::bigint FROM stand_sales", &[]).await.unwrap().get(0);
    assert_eq!(shown, 300);
    assert!(program.message(&["views", "refresh", "stand_sale"], 2).contains("stand_sales"));

    // As if it had last been refreshed long ago.
    by_hand.batch_execute(&long_ago(&by_hand, "stand_sales").await).await.unwrap();
    program.json(&["views", "list"], 3);
    let mut keeper = program.start(&["views", "keep"]);
    let mut line = String::new();
    BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("stand_sales") && line.contains("took_ms"), "{line}");
    keeper.kill().unwrap();
    keeper.wait().unwrap();
    program.json(&["views", "list"], 0);
}

/// The statement after which a view was last refreshed years ago.
pub async fn long_ago(client: &tokio_postgres::Client, view: &str) -> String {
    let mark = format!("SELECT obj_description('{view}'::regclass, 'pg_class')");
    let mark: String = client.query_one(&mark, &[]).await.unwrap().get(0);
    let old = regex::Regex::new(r"\d{13,}").unwrap().replace(&mark, "1500000000000000").into_owned();
    assert_ne!(old, mark, "{mark}");
    format!("COMMENT ON MATERIALIZED VIEW {view} IS $mark${old}$mark$")
}
