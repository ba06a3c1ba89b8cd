//! Spans as a collector of OpenTelemetry would get them.

use std::collections::BTreeMap;

use shardwise::{Region, Uuid, sql};

use crate::support::collector::{Collector, Fields};
use crate::support::model::{Festival, Wallet};
use crate::support::place::{Place, in_both_modes};
use crate::support::secrets::VALUE;

in_both_modes![a_statement_has_the_names_of_opentelemetry_and_no_values,];

async fn a_statement_has_the_names_of_opentelemetry_and_no_values(place: Place) {
    let (cluster, fest) = place.tenant().await;
    // This thread's alone: the runtime of this test has no other.
    let (collector, guard) = Collector::listen();

    let wallet = Wallet { note: Some(VALUE.to_owned()), ..Wallet::new(*fest.key(), 987_654) };
    fest.insert(&wallet).await.unwrap();
    fest.insert(&wallet).await.unwrap_err();
    fest.select::<Wallet>().filter(Wallet::BALANCE.eq(987_654)).all().await.unwrap();
    fest.query_as::<(String,)>(sql!("SELECT :note::text", note = VALUE)).await.unwrap();
    let id = wallet.id;
    fest.transaction(|tx| async move { tx.get::<Wallet>(id).await }).await.unwrap();
    let festival = Festival { id: Uuid::new_v4(), slug: "s".to_owned(), region: Region::EU, name: "n".to_owned() };
    cluster.reference().upsert(&festival).await.unwrap();
    drop(guard);

    let collected = collector.collected();
    let spans: Vec<&Fields> = collected
        .spans
        .iter()
        .map(|(_, fields)| fields)
        .filter(|fields| fields["name"] == "shardwise.statement")
        .collect();
    let operations: Vec<(&str, Option<&str>)> = spans
        .iter()
        .map(|span| (&*span["db.operation.name"], span.get("db.collection.name").map(String::as_str)))
        .collect();
    assert_eq!(
        operations,
        [
            ("insert", Some("wallets")),
            ("insert", Some("wallets")),
            ("select", Some("wallets")),
            ("query", None),
            ("get", Some("wallets")),
            ("upsert", Some("festivals")),
        ]
    );
    for span in &spans {
        assert_eq!(span["db.system.name"], "postgresql");
        assert_eq!(span["otel.kind"], "client");
        assert_eq!(span["server.address"], "127.0.0.1");
        assert!(span["server.port"].parse::<u16>().is_ok());
        let routes = place.pick(&["single"][..], &["owner", "coordinator"]);
        assert!(routes.contains(&span["shardwise.route"].as_str()));
        assert!(!span["db.namespace"].is_empty());
    }
    assert!(!spans[0].contains_key("db.response.status_code"));
    assert_eq!(spans[1]["db.response.status_code"], "23505");
    assert_eq!(spans[1]["error.type"], "Database");

    let all = collected.spans.iter().map(|(_, fields)| fields).chain(&collected.events);
    for value in all.flat_map(BTreeMap::values) {
        for secret in [VALUE, "987654", &*wallet.id.to_string(), &*fest.key().to_string()] {
            assert!(!value.contains(secret), "{value}");
        }
    }
}
