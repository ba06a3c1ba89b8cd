//! The audit finds what is wrong: each check fails on the row that it is there for.

use festival::books::{self, Findings};
use festival::load::ledger::{Acknowledged, Entry};
use festival::model::{OrderState, TicketState, Transaction};
use serde_json::json;
use shardwise::{Uuid, unscoped_sql};

use crate::support::{Place, Stage, in_both_modes, uuid};

in_both_modes![
    good_books_balance,
    money_from_nowhere_is_found,
    a_balance_below_zero_is_found,
    a_payment_without_its_transaction_is_found,
    a_refund_that_never_came_is_found,
    a_transaction_that_nobody_was_told_of_is_found,
    a_changed_amount_is_found,
    a_wrong_daily_sum_is_found,
    lost_orders_and_tickets_are_found,
    a_scan_that_was_undone_is_found,
    two_people_on_one_ticket_are_found,
];

/// A festival where something was bought, something refunded and a ticket scanned, and what its clients were told.
async fn played(place: Place) -> (Stage, Uuid, Acknowledged) {
    let stage = Stage::open(place).await;
    let id = stage.festival("fest").await;
    let (wallet, stand, ticket) =
        (stage.wallet("fest", 1000).await, stage.stand("fest").await, stage.ticket("fest").await);
    let kept = stage.order("fest", wallet, stand, 300).await;
    let returned = stage.order("fest", wallet, stand, 200).await;
    stage.post(format!("/festivals/fest/orders/{returned}/refund"), json!({})).await;
    stage.post(format!("/festivals/fest/tickets/{ticket}/scan"), json!({"gate": "north"})).await;

    let mut told = Acknowledged::default();
    told.festival(id).wallets.push(wallet);
    told.festival(id).orders.extend([kept, returned]);
    told.scanned(id, ticket);
    let history = stage.get(format!("/festivals/fest/wallets/{wallet}/transactions")).await;
    for item in history.body["items"].as_array().expect("items") {
        let amount = item["amount"].as_i64().expect("an amount");
        told.moved(uuid(&item["id"]), Entry { festival_id: id, wallet_id: wallet, amount });
    }
    assert_eq!(told.transactions.len(), 4);
    (stage, id, told)
}

async fn audit(stage: &Stage, told: &Acknowledged) -> Findings {
    books::audit(&stage.cluster, told).await.expect("an audit")
}

fn assert_found(findings: &Findings, problem: &str) {
    assert!(!findings.balanced());
    assert!(findings.problems.iter().any(|found| found.contains(problem)), "{problem:?} is not in: {findings}");
}

async fn good_books_balance(place: Place) {
    let (stage, _, told) = played(place).await;
    assert_eq!(audit(&stage, &told).await, Findings::default());
}

async fn money_from_nowhere_is_found(place: Place) {
    let (stage, _, told) = played(place).await;
    stage
        .cluster
        .coordinator()
        .execute(unscoped_sql!("UPDATE wallets SET balance = balance + 1"))
        .await
        .expect("tampering");
    assert_found(&audit(&stage, &told).await, "not the sum of their transactions");
}

async fn a_balance_below_zero_is_found(place: Place) {
    let (stage, _, told) = played(place).await;
    let coordinator = stage.cluster.coordinator();
    let overdraw = async || coordinator.execute(unscoped_sql!("UPDATE wallets SET balance = -1")).await;
    // The database itself refuses such a balance: its check has to go first.
    assert!(overdraw().await.is_err_and(|error| error.is_check_violation()));
    let drop_check = unscoped_sql!(
        "DO $$ BEGIN EXECUTE (SELECT format('ALTER TABLE wallets DROP CONSTRAINT %I', conname) FROM pg_constraint
                              WHERE conrelid = 'wallets'::regclass AND contype = 'c'); END $$"
    );
    coordinator.execute(drop_check).await.expect("tampering");
    overdraw().await.expect("tampering");
    assert_found(&audit(&stage, &told).await, "below zero");
}

async fn a_payment_without_its_transaction_is_found(place: Place) {
    let (stage, id, told) = played(place).await;
    let fest = stage.cluster.tenant(id).await.expect("a tenant");
    let payment = fest.select::<Transaction>().filter(Transaction::AMOUNT.eq(-300)).one().await.expect("a payment");
    assert!(fest.delete::<Transaction>(payment.id).await.expect("tampering"));
    let findings = audit(&stage, &told).await;
    assert_found(&findings, "orders were not paid once");
    assert_found(&findings, "not the sum of their transactions");
    assert_found(&findings, "acknowledged transactions are not there");
}

async fn a_refund_that_never_came_is_found(place: Place) {
    let (stage, _, told) = played(place).await;
    stage
        .cluster
        .coordinator()
        .execute(unscoped_sql!("UPDATE orders SET state = :refunded", refunded = OrderState::Refunded))
        .await
        .expect("tampering");
    assert_found(&audit(&stage, &told).await, "not refunded as they say");
}

async fn a_transaction_that_nobody_was_told_of_is_found(place: Place) {
    let (stage, id, told) = played(place).await;
    let fest = stage.cluster.tenant(id).await.expect("a tenant");
    let known = fest.select::<Transaction>().filter(Transaction::AMOUNT.eq(1000)).one().await.expect("a top-up");
    fest.insert(&Transaction { id: Uuid::now_v7(), ..known }).await.expect("tampering");
    assert_found(&audit(&stage, &told).await, "was never acknowledged");
}

async fn a_changed_amount_is_found(place: Place) {
    let (stage, _, told) = played(place).await;
    stage
        .cluster
        .coordinator()
        .execute(unscoped_sql!("UPDATE transactions SET amount = 999 WHERE amount = 1000"))
        .await
        .expect("tampering");
    assert_found(&audit(&stage, &told).await, "is not as acknowledged");
}

async fn a_wrong_daily_sum_is_found(place: Place) {
    let (stage, _, told) = played(place).await;
    let tamper = unscoped_sql!("UPDATE festival_daily_stats_parts SET credits = credits + 1");
    stage.cluster.coordinator().execute(tamper).await.expect("tampering");
    let findings = audit(&stage, &told).await;
    assert!(findings.rollup_differences > 0);
    assert_found(&findings, "are not what their transactions add up to");
}

async fn lost_orders_and_tickets_are_found(place: Place) {
    let (stage, id, mut told) = played(place).await;
    told.festival(id).orders.push(Uuid::new_v4());
    told.festival(id).tickets.insert(Uuid::new_v4(), 0);
    let findings = audit(&stage, &told).await;
    assert_found(&findings, "acknowledged orders are not there");
    assert_found(&findings, "acknowledged tickets are not there");
}

async fn a_scan_that_was_undone_is_found(place: Place) {
    let (stage, _, told) = played(place).await;
    let issued = TicketState::Issued;
    let undo = unscoped_sql!("UPDATE tickets SET state = :issued", issued = issued);
    stage.cluster.coordinator().execute(undo).await.expect("tampering");
    let findings = audit(&stage, &told).await;
    assert_found(&findings, "don't agree with themselves");
    assert_found(&findings, "not scanned as acknowledged");
}

async fn two_people_on_one_ticket_are_found(place: Place) {
    let (stage, id, mut told) = played(place).await;
    let ticket = *told.festival(id).tickets.keys().next().expect("a ticket");
    told.scanned(id, ticket);
    assert_found(&audit(&stage, &told).await, "let 2 people in");
}
