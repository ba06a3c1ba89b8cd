//! Asks one festival for what belongs to another one. Every answer must be that there is no such thing.

use anyhow::Context;
use serde_json::json;
use shardwise::Uuid;

use super::client::{Answer, Client, Request};
use super::ledger::{Acknowledged, AtFestival};
use super::stats::Stats;

/// Tries every address of every festival with ids of the next festival, and counts the answers that show or change
/// something.
///
/// # Errors
/// When the service does not answer.
pub async fn count(client: &Client, ledger: &Acknowledged, stats: &Stats) -> anyhow::Result<u64> {
    let festivals: Vec<&AtFestival> = ledger.festivals.values().collect();
    let mut leaks = 0;
    for (here, there) in festivals.iter().zip(festivals.iter().cycle().skip(1)) {
        for request in intrusions(here, there) {
            let answer = client.ask(&request, stats).await.with_context(|| format!("intruding at {}", here.slug))?;
            leaks += u64::from(!is_denied(&answer));
        }
    }
    Ok(leaks)
}

/// The answer gives nothing away, not even that the thing exists elsewhere.
fn is_denied(answer: &Answer) -> bool {
    matches!((answer.status.as_u16(), answer.code()), (404, "not_found") | (422, "unknown_reference"))
}

fn intrusions(here: &AtFestival, there: &AtFestival) -> Vec<Request> {
    let at = |path: String| format!("/festivals/{}{path}", here.slug);
    let get = |path| Request::get(at(path));
    let post = |path, body| Request::post(at(path), body).keyed(Uuid::new_v4());
    let mut requests = Vec::new();
    if let Some(wallet) = there.wallets.first() {
        requests.push(get(format!("/wallets/{wallet}")));
        requests.push(get(format!("/wallets/{wallet}/transactions")));
        requests.push(post(format!("/wallets/{wallet}/top-ups"), json!({"amount": 100})));
        if let Some(stand) = here.stands.first() {
            let body = json!({"wallet_id": wallet, "stand_id": stand, "amount": 1});
            requests.push(post("/payments".to_owned(), body));
        }
    }
    if let Some(order) = there.orders.first() {
        requests.push(get(format!("/orders/{order}")));
        requests.push(post(format!("/orders/{order}/refund"), json!({})));
    }
    if let Some(ticket) = there.tickets.keys().next() {
        requests.push(get(format!("/tickets/{ticket}")));
        requests.push(post(format!("/tickets/{ticket}/scan"), json!({"gate": "back door"})));
    }
    if let Some(stand) = there.stands.first() {
        requests.push(get(format!("/stands/{stand}/revenue")));
    }
    requests
}
