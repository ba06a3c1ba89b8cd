//! The process that keeps a shadow dies at any time.

use std::path::Path;
use std::time::Duration;

use rand::Rng as _;
use shardwise::Config;
use shardwise::admin::adopt::shadow::VerifyOptions;

use super::shadow::differences;
use super::shadow_stage::{Service, Sides, shadow};
use crate::child;
use crate::support::place::{Place, in_both_modes};

in_both_modes![@on_two_threads: nothing_is_lost_or_done_twice];

fn url(config: &Config) -> String {
    let at = &config.contact_points()[0];
    format!("postgres://{}@{}:{}/{}", config.user(), at.host, at.port, config.database())
}

/// Follows until it is killed.
#[tokio::test]
async fn child_that_follows() {
    if child::told().is_none() {
        return;
    }
    let config = |name: &str| Config::from_url(&std::env::var(name).unwrap()).unwrap();
    let mut shadow = shadow(&config("OLD_SIDE"), &config("NEW_SIDE")).await;
    shadow.follow_until(|_| true).await.unwrap();
    println!("answer: follows");
    shadow.follow_until(|_| false).await.unwrap();
}

async fn nothing_is_lost_or_done_twice(place: Place) {
    let sides = Sides::with_rows(place, 20_000).await;
    let service = Service::start(&sides.old, 7).await;
    let mut shadow = sides.begun().await;
    let (old, new) = (url(&sides.old), url(&sides.new));
    let environment = [("OLD_SIDE", old.as_str()), ("NEW_SIDE", new.as_str())];
    let mut states = Vec::new();
    for nth in 0..10 {
        if nth == 5 {
            shadow.follow_until(|status| status.is_copied()).await.unwrap();
            // Its sessions would keep others from the work.
            shadow = sides.shadow().await;
        }
        let mut child = child::start("adopt::shadow_kills::child_that_follows", "follow", Path::new("/"), &environment);
        // Whatever it is doing.
        let after = Duration::from_millis(rand::rng().random_range(0..300));
        tokio::task::block_in_place(|| child::answer(&mut child));
        tokio::time::sleep(after).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let status = shadow.status().await.unwrap().unwrap();
        states.push((status.state, status.copied_rows));
    }
    println!("SHADOW killed ten times: {states:?}");
    let status = shadow.follow_until(|status| status.is_copied()).await.unwrap();
    assert!(states[4].1 < status.copied_rows, "all was copied before the first one died: {states:?}");
    let found = shadow.verify(&VerifyOptions::default()).await.unwrap();
    assert_eq!(differences(&found), Vec::<String>::new());
    let ended = service.end().await;
    let status = shadow.follow_until(|status| status.lag_bytes == 0).await.unwrap();
    let found = shadow.verify(&VerifyOptions::default()).await.unwrap();
    assert_eq!(differences(&found), Vec::<String>::new());
    println!(
        "SHADOW equal behind ten kills: {} rows, {} copied, {} transactions",
        found.rows(),
        status.copied_rows,
        ended.transactions
    );
    shadow.abandon().await.unwrap();
}
