//! Many clients that want the same thing.

use festival::books;
use festival::load::client::Answer;
use festival::load::ledger::Acknowledged;
use futures_util::future::join_all;
use serde_json::json;

use crate::support::{Place, Stage, assert_error, in_both_modes, payment};

in_both_modes![
    a_hundred_payments_never_take_more_than_there_is,
    an_order_is_refunded_once_whoever_asks,
    a_ticket_lets_one_in_at_forty_gates,
    a_slug_is_taken_once,
];

fn split(answers: &[Answer], status: u16) -> (Vec<&Answer>, Vec<&Answer>) {
    answers.iter().partition(|answer| answer.status == status)
}

async fn a_hundred_payments_never_take_more_than_there_is(place: Place) {
    let stage = Stage::open(place).await;
    stage.festival("fest").await;
    let (wallet, stand) = (stage.wallet("fest", 1000).await, stage.stand("fest").await);
    let answers = join_all((0..100).map(|_| stage.post("/festivals/fest/payments", payment(wallet, stand, 100)))).await;
    let (paid, refused) = split(&answers, 201);
    assert_eq!((paid.len(), refused.len()), (10, 90));
    for answer in refused {
        assert_error(answer, 409, "insufficient_funds");
    }
    assert_eq!(stage.balance("fest", wallet).await, 0);
    let mut left: Vec<_> = paid.iter().map(|answer| answer.body["balance"].as_i64()).collect();
    left.sort();
    assert_eq!(left, (0..10).map(|n| Some(n * 100)).collect::<Vec<_>>(), "each payment saw the one before it");
    let findings = books::audit(&stage.cluster, &Acknowledged::default()).await.expect("an audit");
    assert!(findings.balanced(), "{findings}");
}

async fn an_order_is_refunded_once_whoever_asks(place: Place) {
    let stage = Stage::open(place).await;
    stage.festival("fest").await;
    let (wallet, stand) = (stage.wallet("fest", 1000).await, stage.stand("fest").await);
    let order = stage.order("fest", wallet, stand, 500).await;
    let path = format!("/festivals/fest/orders/{order}/refund");
    let answers = join_all((0..20).map(|_| stage.post(&*path, json!({})))).await;
    let (refunded, refused) = split(&answers, 200);
    assert_eq!((refunded.len(), refused.len()), (1, 19));
    for answer in refused {
        assert_error(answer, 409, "already_refunded");
    }
    assert_eq!(stage.balance("fest", wallet).await, 1000);
}

async fn a_ticket_lets_one_in_at_forty_gates(place: Place) {
    let stage = Stage::open(place).await;
    stage.festival("fest").await;
    let path = format!("/festivals/fest/tickets/{}/scan", stage.ticket("fest").await);
    let answers = join_all((0..40).map(|gate| stage.post(&*path, json!({"gate": format!("gate {gate}")})))).await;
    let (scanned, refused) = split(&answers, 200);
    assert_eq!((scanned.len(), refused.len()), (1, 39));
    for answer in refused {
        assert_error(answer, 409, "already_scanned");
        assert_eq!(answer.body["error"]["scanned_at"], scanned[0].body["scanned_at"]);
        assert_eq!(answer.body["error"]["gate"], scanned[0].body["gate"]);
    }
}

async fn a_slug_is_taken_once(place: Place) {
    let stage = Stage::open(place).await;
    let body = json!({"slug": "fest", "name": "Fest", "city": "Town", "country": "DE", "region": "eu"});
    let answers = join_all((0..20).map(|_| stage.post("/festivals", body.clone()))).await;
    let (created, refused) = split(&answers, 201);
    assert_eq!((created.len(), refused.len()), (1, 19));
    for answer in refused {
        assert_error(answer, 409, "slug_taken");
    }
}
