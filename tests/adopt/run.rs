//! A grown database is taken to tenants' keys, and to Citus, while it is written.

use std::sync::atomic::Ordering;

use shardwise::admin::adopt::run::{End, Event, Pace};
use shardwise::admin::adopt::{Adopt, Options};
use shardwise::{Cluster, Config};

use super::writer::Writer;
use crate::support::place::Place;
use crate::support::stage::session;

const TABLES: &str = include_str!("platform.sql");
const ROWS: &str = include_str!("rows.sql");

pub async fn platform(place: Place, festivals: usize, each: usize) -> (Config, Cluster) {
    let config = place.empty().await;
    let client = session(&config).await;
    client.batch_execute(TABLES).await.unwrap();
    let rows = ROWS.replace(":festivals", &festivals.to_string()).replace(":each", &each.to_string());
    client.batch_execute(&rows).await.unwrap();
    (config.clone(), Cluster::connect(config).await.unwrap())
}

async fn a_platform_is_adopted_while_it_is_written(place: Place) {
    let (config, cluster) = platform(place, 4, 500).await;
    let adopt: Adopt = cluster.admin().adopt();
    let found = adopt.inspect("festivals.id", "festival_id").await.unwrap();
    println!("{:?}", found.classes());
    println!("{:#?}", found.questions().collect::<Vec<_>>());
    let steps = found.steps(&Options::of(&found)).unwrap();
    println!("{steps}");
    let writer = Writer::start(&config, 8).await;
    adopt.begin(&steps).await.unwrap();
    let tell = |event: Event<'_>| match event {
        Event::Done { step, took } => println!("{} {took:.1?}", step.name),
        Event::Waiting { why } => println!("waits: {why}"),
        _ => {}
    };
    let pace = Pace::default();
    let outcome = adopt.run().pace(pace.clone()).go(tell).await.unwrap();
    println!("{:?} {}", outcome.end, outcome.rows);
    assert!(matches!(outcome.end, End::Gate { .. }));
    writer.knows_keys.store(true, Ordering::Relaxed);
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    if place.is_citus() {
        session(&config).await.batch_execute("DROP TRIGGER touch ON orders").await.unwrap();
    }
    let outcome = adopt.run().past("application").go(tell).await;
    let felt = writer.stop().await;
    println!("{:?} {:?} errors {:#?}", felt.done, felt.longest, felt.errors);
    let outcome = outcome.unwrap();
    assert_eq!(outcome.end, End::Finished);
}

crate::support::place::in_both_modes![@on_two_threads: a_platform_is_adopted_while_it_is_written];
