//! Repeated requests.

use futures_util::future::join_all;
use serde_json::json;
use shardwise::Uuid;

use crate::support::{Place, Stage, assert_error, in_both_modes, payment};

in_both_modes![
    a_repeated_request_is_answered_alike_and_done_once,
    a_repeated_answer_says_that_it_is_one,
    a_key_belongs_to_one_request_and_one_festival,
    a_refusal_is_remembered_too,
    a_failure_is_not_remembered,
    fifty_copies_at_once_are_one_payment,
];

async fn a_repeated_request_is_answered_alike_and_done_once(place: Place) {
    let stage = Stage::open(place).await;
    stage.festival("fest").await;
    let (wallet, stand) = (stage.wallet("fest", 1000).await, stage.stand("fest").await);
    let send = async || stage.post_as("breakfast", "/festivals/fest/payments", payment(wallet, stand, 300)).await;
    let first = send().await;
    assert_eq!(first.status, 201);
    for _ in 0..3 {
        assert_eq!(send().await, first);
    }
    assert_eq!(stage.balance("fest", wallet).await, 700);
}

async fn a_repeated_answer_says_that_it_is_one(place: Place) {
    let stage = Stage::open(place).await;
    stage.festival("fest").await;
    let body = json!({"user_id": stage.user().await});
    let http = reqwest::Client::new();
    let url = format!("{}/festivals/fest/tickets", stage.base);
    let send = async || {
        let response = http.post(&url).header("idempotency-key", "k").json(&body).send().await.expect("an answer");
        let replayed = response.headers().contains_key("idempotent-replayed");
        (replayed, response.status(), response.text().await.expect("a body"))
    };
    let (first, second) = (send().await, send().await);
    assert_eq!((first.0, second.0), (false, true));
    assert_eq!((first.1, first.2), (second.1, second.2), "to the byte");
}

async fn a_key_belongs_to_one_request_and_one_festival(place: Place) {
    let stage = Stage::open(place).await;
    stage.festival("here").await;
    stage.festival("there").await;
    let (wallet, stand) = (stage.wallet("here", 1000).await, stage.stand("here").await);
    let other = stage.wallet("there", 1000).await;
    let pay = async |amount| stage.post_as("key", "/festivals/here/payments", payment(wallet, stand, amount)).await;
    assert_eq!(pay(300).await.status, 201);
    assert_error(&pay(301).await, 422, "idempotency_key_reused");
    let path = format!("/festivals/here/wallets/{wallet}/top-ups");
    assert_error(&stage.post_as("key", path, json!({"amount": 1})).await, 422, "idempotency_key_reused");
    let path = format!("/festivals/there/wallets/{other}/top-ups");
    assert_eq!(stage.post_as("key", path, json!({"amount": 1})).await.status, 201);
    assert_eq!(stage.balance("here", wallet).await, 700);
}

/// Else a copy that was stuck somewhere could take the money long after the client was told that it would not.
async fn a_refusal_is_remembered_too(place: Place) {
    let stage = Stage::open(place).await;
    stage.festival("fest").await;
    let (wallet, stand) = (stage.wallet("fest", 100).await, stage.stand("fest").await);
    let pay = async || stage.post_as("key", "/festivals/fest/payments", payment(wallet, stand, 300)).await;
    let refused = pay().await;
    assert_error(&refused, 409, "insufficient_funds");
    stage.post(format!("/festivals/fest/wallets/{wallet}/top-ups"), json!({"amount": 1000})).await;
    assert_eq!(pay().await, refused);
    assert_eq!(stage.balance("fest", wallet).await, 1100);
}

/// What failed without a decision can be repeated with the same key.
async fn a_failure_is_not_remembered(place: Place) {
    let stage = Stage::open(place).await;
    stage.festival("fest").await;
    let user = Uuid::new_v4();
    let issue = async || stage.post_as("key", "/festivals/fest/tickets", json!({"user_id": user})).await;
    assert_error(&issue().await, 422, "unknown_reference");
    let body = json!({"id": user, "email": "late@example.org", "name": "Late"});
    assert_eq!(stage.post("/users", body).await.status, 201);
    assert_eq!(issue().await.status, 201);
}

async fn fifty_copies_at_once_are_one_payment(place: Place) {
    let stage = Stage::open(place).await;
    stage.festival("fest").await;
    let (wallet, stand) = (stage.wallet("fest", 10_000).await, stage.stand("fest").await);
    let copies = (0..50).map(|_| stage.post_as("once", "/festivals/fest/payments", payment(wallet, stand, 100)));
    let answers = join_all(copies).await;
    assert_eq!(answers[0].status, 201, "{:?}", answers[0]);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(stage.balance("fest", wallet).await, 9_900);
    let history = stage.get(format!("/festivals/fest/wallets/{wallet}/transactions")).await;
    assert_eq!(history.body["items"].as_array().map(Vec::len), Some(2));
}
