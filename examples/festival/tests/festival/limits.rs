//! What the service refuses before it asks the database.

use std::time::Duration;

use serde_json::{Value, json};
use shardwise::{Uuid, unscoped_sql};

use crate::support::{Place, Stage, assert_error, in_both_modes, payment};

in_both_modes![
    bad_values_are_refused_with_the_fields_name,
    what_is_no_such_request_is_refused_in_json,
    a_request_that_takes_too_long_leaves_nothing_behind,
];

async fn bad_values_are_refused_with_the_fields_name(place: Place) {
    let stage = Stage::open(place).await;
    stage.festival("fest").await;
    let good = json!({"slug": "next", "name": "Next", "city": "Town", "country": "DE", "region": "eu"});
    for (field, value) in [
        ("slug", json!("Not A Slug")),
        ("name", json!("")),
        ("name", json!("nul\u{0}")),
        ("city", json!("x".repeat(101))),
        ("country", json!("Germany")),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let answer = stage.post("/festivals", body).await;
        assert_error(&answer, 422, "invalid_field");
        assert_eq!(answer.body["error"]["field"], field);
    }
    let (wallet, stand) = (stage.wallet("fest", 100).await, stage.stand("fest").await);
    for amount in [0, -5, 1_000_001, i64::MIN] {
        let answer = stage.post("/festivals/fest/payments", payment(wallet, stand, amount)).await;
        assert_error(&answer, 422, "invalid_field");
        let path = format!("/festivals/fest/wallets/{wallet}/top-ups");
        assert_error(&stage.post(path, json!({"amount": amount})).await, 422, "invalid_field");
    }
    assert_eq!(stage.balance("fest", wallet).await, 100);
}

async fn what_is_no_such_request_is_refused_in_json(place: Place) {
    let stage = Stage::open(place).await;
    stage.festival("fest").await;
    assert_error(&stage.post("/users", json!({"email": "a@b.c"})).await, 422, "invalid_body");
    let unknown = json!({"email": "a@b.c", "name": "A", "admin": true});
    assert_error(&stage.post("/users", unknown).await, 422, "invalid_body");
    assert_error(&stage.post("/festivals/fest/payments", json!({"amount": "all"})).await, 422, "invalid_body");
    assert_error(&stage.get("/nowhere").await, 404, "not_found");
    assert_error(&stage.post("/festivals/fest", json!({})).await, 405, "method_not_allowed");

    let http = reqwest::Client::new();
    let to = |path: &str| http.post(format!("{}{path}", stage.base));
    for (request, status, code) in [
        (to("/users").body("{}"), 415, "unsupported_media_type"),
        (to("/users").header("content-type", "application/json").body("{"), 400, "malformed_body"),
        (to("/users").json(&json!({"name": "x".repeat(20_000)})), 413, "body_too_large"),
        (to("/festivals/fest/tickets").json(&json!({})), 400, "idempotency_key_missing"),
        (to("/festivals/fest/tickets").header("idempotency-key", "").json(&json!({})), 400, "idempotency_key_invalid"),
        (
            to("/festivals/fest/tickets").header("idempotency-key", "k".repeat(101)).json(&json!({})),
            400,
            "idempotency_key_invalid",
        ),
        (to("/festivals/fest/tickets").header("idempotency-key", "k").body("{}"), 415, "unsupported_media_type"),
        (
            to("/festivals/fest/tickets").header("idempotency-key", "k").json(&json!({"name": "x".repeat(20_000)})),
            413,
            "body_too_large",
        ),
    ] {
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), status, "{code}");
        let body: Value = response.json().await.expect("JSON");
        assert_eq!(body["error"]["code"], code);
    }
}

/// The database is busy with something that lasts longer than a request may: the client is told to come again, and
/// nothing of the request remains.
async fn a_request_that_takes_too_long_leaves_nothing_behind(place: Place) {
    let stage = Stage::open_with(place, Duration::from_secs(3)).await;
    stage.festival("fest").await;
    let (wallet, stand) = (stage.wallet("fest", 1000).await, stage.stand("fest").await);
    let key = Uuid::new_v4();
    stage
        .cluster
        .coordinator()
        .transaction(async |tx| {
            tx.execute(unscoped_sql!("LOCK TABLE wallets IN EXCLUSIVE MODE")).await?;
            let late = stage.post_as(key, "/festivals/fest/payments", payment(wallet, stand, 300)).await;
            assert_error(&late, 503, "timeout");
            Ok::<_, shardwise::Error>(())
        })
        .await
        .expect("the lock");
    let again = stage.post_as(key, "/festivals/fest/payments", payment(wallet, stand, 300)).await;
    assert_eq!((again.status.as_u16(), &again.body["balance"]), (201, &json!(700)));
}
