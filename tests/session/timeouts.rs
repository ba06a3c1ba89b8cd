//! Time limits: each says which one it was, and ends on the server what it ends here.

use std::time::Duration;

use shardwise::config::Timeouts;
use shardwise::{Cluster, Config, ErrorKind, Limit, Tenant, Transaction, Uuid, sql};
use tokio::net::TcpListener;

use crate::support::activity::idle;
use crate::support::model::Wallet;
use crate::support::place::{Place, in_both_modes};
use crate::support::timeouts;
use crate::support::unchecked;

in_both_modes![
    a_pool_without_a_free_connection,
    a_statement_ends_on_the_server_too,
    a_call_ends_on_the_server_too,
    a_statement_of_a_transaction_rolls_it_back,
    a_copy_that_waits_for_a_lock,
];

const SHORT: Duration = Duration::from_millis(150);

async fn limited(place: Place, name: &str, timeouts: Timeouts) -> (Cluster, Tenant) {
    let config = place.prepared().await.with_application_name(name).with_max_connections(1).unwrap();
    let cluster = Cluster::connect(config.with_timeouts(timeouts).unwrap()).await.unwrap();
    let fest = cluster.tenant(Uuid::new_v4()).await.unwrap();
    (cluster, fest)
}

/// Another cluster, to look at the first one's connections.
async fn onlooker(place: Place) -> Cluster {
    Cluster::connect(place.prepared().await).await.unwrap()
}

#[tokio::test]
async fn a_server_that_says_nothing() {
    // It accepts, as a hung machine's kernel does, and never answers.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://app@{}/d", listener.local_addr().unwrap());
    let config = Config::from_url(&url).unwrap().with_timeouts(Timeouts { connect: SHORT, ..timeouts() }).unwrap();
    let error = Cluster::connect(config).await.unwrap_err();
    assert_eq!(error.timeout(), Some(Limit::Connect));
    assert!(error.to_string().contains("`timeouts.connect` of 150ms ran out"), "{error}");
    assert!(error.to_string().contains(&listener.local_addr().unwrap().to_string()), "{error}");
}

async fn a_pool_without_a_free_connection(place: Place) {
    let (cluster, fest) = limited(place, "limit-checkout", Timeouts { checkout: SHORT, ..timeouts() }).await;
    let holder = fest.clone();
    let outcome = holder
        .transaction(|tx| async move {
            tx.execute(sql!("SELECT 1")).await?;
            let error = fest.execute(sql!("SELECT 1")).await.unwrap_err();
            assert_eq!(error.timeout(), Some(Limit::Checkout));
            assert!(error.is_retryable() && !error.is_outcome_unknown());
            assert!(error.to_string().contains("raise `pool.max_connections`"), "{error}");
            Ok::<_, shardwise::Error>(())
        })
        .await;
    outcome.unwrap();
    cluster.health().await.unwrap();
}

async fn a_statement_ends_on_the_server_too(place: Place) {
    let (_cluster, fest) = limited(place, "limit-statement", Timeouts { statement: SHORT, ..timeouts() }).await;
    let error = fest.execute(unchecked("SELECT pg_sleep(600)")).await.unwrap_err();
    assert_eq!(error.timeout(), Some(Limit::Statement));
    assert!(error.is_outcome_unknown(), "a raw statement may write");
    idle(&onlooker(place).await, "limit-statement").await;
    // The only connection there is, and its own reply.
    assert_eq!(fest.query_one_as::<(i32,)>(sql!("SELECT 7")).await.unwrap(), (7,));
}

async fn a_call_ends_on_the_server_too(place: Place) {
    let limits = Timeouts { call: SHORT, statement: SHORT, checkout: SHORT, ..timeouts() };
    let (_cluster, fest) = limited(place, "limit-call", limits).await;
    let busy = fest.clone();
    let busy = tokio::spawn(async move { busy.execute(unchecked("SELECT pg_sleep(600)")).await });
    let error = busy.await.unwrap().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Timeout(Limit::Call | Limit::Statement)), "{error:?}");
    idle(&onlooker(place).await, "limit-call").await;
}

async fn a_statement_of_a_transaction_rolls_it_back(place: Place) {
    let (_cluster, fest) = limited(place, "limit-transaction", Timeouts { statement: SHORT, ..timeouts() }).await;
    let error =
        fest.transaction(|tx| async move { tx.execute(unchecked("SELECT pg_sleep(600)")).await }).await.unwrap_err();
    assert_eq!(error.timeout(), Some(Limit::Statement));
    assert!(!error.is_outcome_unknown(), "what was not committed is rolled back");
    idle(&onlooker(place).await, "limit-transaction").await;
}

/// Nothing of it is stored, and its connection is of use to the next.
async fn a_copy_that_waits_for_a_lock(place: Place) {
    let config = place.prepared().await.with_max_connections(2).unwrap();
    let config = config.with_timeouts(Timeouts { statement: SHORT, ..timeouts() }).unwrap();
    let fest = Cluster::connect(config).await.unwrap().tenant(Uuid::new_v4()).await.unwrap();
    let wallet = Wallet::new(*fest.key(), 1);
    let held = fest.transaction(async |tx: Transaction| {
        tx.insert(&wallet).await?;
        for _ in 0..2 {
            let mut copy = fest.copy_in::<Wallet>().await?;
            copy.send(&wallet).await?;
            let error = copy.finish().await.unwrap_err();
            assert_eq!(error.timeout(), Some(Limit::Statement), "{error}");
            assert!(!error.is_outcome_unknown() && error.node().is_some(), "{error}");
        }
        Ok::<_, shardwise::Error>(())
    });
    held.await.unwrap();
    assert_eq!(fest.count::<Wallet>().await.unwrap(), 1);
}
