//! Spans as a collector of OpenTelemetry would get them.

use std::collections::BTreeMap;

use futures_util::TryStreamExt as _;
use opentelemetry::trace::{SpanKind, Status, TracerProvider as _};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use shardwise::{Region, Transaction, Uuid, sql};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::support::collector::{Collector, Fields};
use crate::support::model::{Festival, Wallet};
use crate::support::place::{Place, in_both_modes};
use crate::support::secrets::VALUE;

in_both_modes![
    a_statement_has_the_names_of_opentelemetry_and_no_values,
    each_verb_has_its_span,
    opentelemetry_gets_them,
];

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

async fn each_verb_has_its_span(place: Place) {
    let (_cluster, fest) = place.tenant().await;
    let (collector, guard) = Collector::listen();
    let mut wallet = Wallet::new(*fest.key(), 1);
    fest.insert(&wallet).await.unwrap();
    fest.upsert(&wallet).await.unwrap();
    fest.find::<Wallet>(wallet.id).await.unwrap();
    fest.get_many::<Wallet>(&[wallet.id]).await.unwrap();
    fest.exists::<Wallet>(wallet.id).await.unwrap();
    fest.count::<Wallet>().await.unwrap();
    fest.insert_many(&[Wallet::new(*fest.key(), 2)]).await.unwrap();
    wallet.balance = 3;
    fest.transaction(async |tx: Transaction| tx.update(&wallet).await).await.unwrap();
    fest.pipeline().update(&wallet).commit().await.unwrap();
    let _: Vec<Wallet> = fest.select::<Wallet>().stream().await.unwrap().try_collect().await.unwrap();
    let mut copy = fest.copy_in::<Wallet>().await.unwrap();
    copy.send(&Wallet::new(*fest.key(), 4)).await.unwrap();
    copy.finish().await.unwrap();
    let _: Vec<Wallet> = fest.copy_out::<Wallet>().await.unwrap().try_collect().await.unwrap();
    fest.delete::<Wallet>(wallet.id).await.unwrap();
    drop(guard);
    let collected = collector.collected();
    let spans =
        collected.spans.iter().map(|(_, fields)| fields).filter(|fields| fields["name"] == "shardwise.statement");
    let spans: Vec<&Fields> = spans.collect();
    let operations: Vec<&str> = spans.iter().map(|span| &*span["db.operation.name"]).collect();
    let verbs = [
        "insert",
        "upsert",
        "find",
        "get_many",
        "exists",
        "count",
        "insert_many",
        "update",
        "pipeline",
        "select",
        "copy_in",
        "copy_out",
        "delete",
    ];
    assert_eq!(operations, verbs);
    for span in spans {
        assert_eq!(span["db.collection.name"], "wallets");
        assert_eq!(span["otel.name"], format!("{} wallets", span["db.operation.name"]));
        for field in ["server.address", "server.port", "shardwise.route"] {
            assert!(span.contains_key(field), "{field}: {span:?}");
        }
    }
}

/// The way that a service takes: OpenTelemetry's own SDK behind the layer of `tracing-opentelemetry`.
async fn opentelemetry_gets_them(place: Place) {
    let (_cluster, fest) = place.tenant().await;
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("festival"));
    let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    let wallet = Wallet { note: Some(VALUE.to_owned()), ..Wallet::new(*fest.key(), 987_654) };
    fest.insert(&wallet).await.unwrap();
    fest.insert(&wallet).await.unwrap_err();
    drop(guard);
    provider.force_flush().unwrap();
    let spans = exporter.get_finished_spans().unwrap();
    let inserts: Vec<&SpanData> = spans.iter().filter(|span| span.name == "insert wallets").collect();
    let [good, bad] = inserts[..] else { panic!("{spans:#?}") };
    let attribute = |span: &SpanData, name: &str| {
        let found = span.attributes.iter().find(|attribute| attribute.key.as_str() == name);
        found.map(|attribute| attribute.value.to_string())
    };
    for span in [good, bad] {
        assert_eq!(span.span_kind, SpanKind::Client);
        assert_eq!(attribute(span, "db.system.name").as_deref(), Some("postgresql"));
        assert_eq!(attribute(span, "db.collection.name").as_deref(), Some("wallets"));
        assert_eq!(attribute(span, "server.address").as_deref(), Some("127.0.0.1"));
        assert!(attribute(span, "server.port").unwrap().parse::<u16>().is_ok());
    }
    assert_eq!(good.status, Status::Unset);
    assert!(matches!(bad.status, Status::Error { .. }), "{:?}", bad.status);
    assert_eq!(attribute(bad, "db.response.status_code").as_deref(), Some("23505"));
    let told = format!("{spans:?}");
    for secret in [VALUE, "987654", &*wallet.id.to_string(), &*fest.key().to_string()] {
        assert!(!told.contains(secret), "{told}");
    }
}
