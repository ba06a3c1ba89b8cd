//! The service ends while clients are at it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use festival::books;
use festival::load::client::{Client, Request};
use festival::load::ledger::{Acknowledged, Entry};
use futures_util::future::join_all;
use shardwise::Uuid;

use crate::support::{Place, Stage, in_both_modes, payment, uuid};

in_both_modes![requests_under_way_are_finished_and_acknowledged,];

/// What was acknowledged before the end is in the books, and nothing else: no request was cut off half-way.
async fn requests_under_way_are_finished_and_acknowledged(place: Place) {
    let stage = Stage::open(place).await;
    let id = stage.festival("fest").await;
    let stand = stage.stand("fest").await;
    let mut wallets = Vec::new();
    for _ in 0..16 {
        wallets.push(stage.wallet("fest", 1_000_000).await);
    }
    let ended = Arc::new(AtomicBool::new(false));
    let payers = wallets.iter().map(|&wallet| {
        let (client, ended) = (stage.client.clone(), ended.clone());
        tokio::spawn(async move { pay_until_the_end(&client, id, wallet, stand, &ended).await })
    });
    let payers: Vec<_> = payers.collect();
    tokio::time::sleep(Duration::from_millis(500)).await;

    let (cluster, client) = (stage.cluster.clone(), stage.client.clone());
    let server = stage.stop();
    tokio::time::timeout(Duration::from_secs(10), server)
        .await
        .expect("the service drains in time")
        .expect("no panic")
        .expect("a good end");
    ended.store(true, Ordering::Relaxed);

    let mut told = Acknowledged::default();
    // Its wallets are left out: nobody noted down how they were filled.
    told.festival(id);
    for acknowledged in join_all(payers).await {
        for (transaction, entry) in acknowledged.expect("no panic") {
            told.moved(transaction, entry);
        }
    }
    assert!(!told.transactions.is_empty());
    assert!(client.once(&Request::get("/health/live")).await.is_err(), "nobody listens any more");
    let payments = count_payments(&cluster).await;
    assert_eq!(payments, told.transactions.len(), "payments in the database, and acknowledged ones");
    let findings = books::audit(&cluster, &told).await.expect("an audit");
    assert!(findings.balanced(), "{findings}");
}

async fn pay_until_the_end(
    client: &Client,
    festival_id: Uuid,
    wallet_id: Uuid,
    stand: Uuid,
    ended: &AtomicBool,
) -> Vec<(Uuid, Entry)> {
    let mut acknowledged = Vec::new();
    while !ended.load(Ordering::Relaxed) {
        let request = Request::post("/festivals/fest/payments", payment(wallet_id, stand, 1)).keyed(Uuid::new_v4());
        match client.once(&request).await {
            Ok(answer) if answer.status == 201 => {
                let entry = Entry { festival_id, wallet_id, amount: -1 };
                acknowledged.push((uuid(&answer.body["transaction_id"]), entry));
            }
            Ok(answer) => panic!("{answer:?}"),
            // Nobody listens any more, or the connection was idle when the service ended.
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
    acknowledged
}

async fn count_payments(cluster: &shardwise::Cluster) -> usize {
    let (count,): (i64,) = cluster
        .coordinator()
        .query_one_as(shardwise::unscoped_sql!("SELECT count(*) FROM transactions WHERE amount < 0"))
        .await
        .expect("a count");
    usize::try_from(count).expect("a count")
}
