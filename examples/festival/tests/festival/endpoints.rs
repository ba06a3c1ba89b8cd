//! Each address, and each of its refusals.

use serde_json::{Value, json};
use shardwise::Uuid;

use crate::support::{Place, Stage, assert_error, in_both_modes, payment, uuid};

in_both_modes![
    a_festival_is_created_once_and_found_by_its_slug,
    a_festival_is_born_in_its_region,
    a_user_registers_once_and_may_repeat_it,
    a_user_has_one_wallet_per_festival,
    money_goes_in_and_out,
    a_wallet_holds_only_so_much,
    an_order_is_refunded_once,
    a_ticket_lets_one_person_in,
    revenue_is_what_was_paid_and_not_given_back,
    history_comes_in_pages_newest_first,
    days_are_what_moved_on_them,
    the_best_stands_are_of_all_festivals,
    one_festival_shows_nothing_of_another,
    health_and_metrics_are_there,
];

async fn a_festival_is_created_once_and_found_by_its_slug(place: Place) {
    let stage = Stage::open(place).await;
    let id = stage.festival("rock-am-see").await;
    let found = stage.get("/festivals/rock-am-see").await;
    assert_eq!((found.status.as_u16(), uuid(&found.body["id"])), (200, id));
    assert_eq!(found.body["region"], "eu");
    let body = json!({"slug": "rock-am-see", "name": "Copy", "city": "Town", "country": "DE", "region": "us"});
    assert_error(&stage.post("/festivals", body).await, 409, "slug_taken");
    assert_error(&stage.get("/festivals/nowhere").await, 404, "not_found");
    assert_error(&stage.get("/festivals/No%00where").await, 404, "not_found");
}

/// Its rows lie in its region from the first one on.
async fn a_festival_is_born_in_its_region(place: Place) {
    let stage = Stage::open(place).await;
    for region in ["eu", "us"] {
        for number in 0..8 {
            let slug = format!("{region}-{number}");
            let body = json!({"slug": slug, "name": "Fest", "city": "Town", "country": "DE", "region": region});
            let created = stage.post("/festivals", body).await;
            let fest = stage.cluster.tenant(uuid(&created.body["id"])).await.expect("a tenant");
            assert_eq!(fest.region().map(|region| region.to_string()), place.pick(None, Some(region.to_owned())));
        }
    }
    let nowhere = json!({"slug": "mars", "name": "Mars", "city": "Town", "country": "DE", "region": "mars"});
    let answer = stage.post("/festivals", nowhere).await;
    match place {
        Place::Single => assert_eq!(answer.status, 201, "one server is everywhere"),
        Place::Citus(_) => assert_error(&answer, 422, "invalid_field"),
    }
}

async fn a_user_registers_once_and_may_repeat_it(place: Place) {
    let stage = Stage::open(place).await;
    let id = Uuid::new_v4();
    let ada = json!({"id": id, "email": "Ada@Example.org", "name": "Ada"});
    let first = stage.post("/users", ada.clone()).await;
    assert_eq!((first.status.as_u16(), &first.body["email"]), (201, &json!("ada@example.org")));
    let again = stage.post("/users", ada).await;
    assert_eq!((again.status.as_u16(), &again.body), (200, &first.body));
    let other = json!({"id": id, "email": "grace@example.org", "name": "Grace"});
    assert_error(&stage.post("/users", other).await, 409, "id_taken");
    let same_mail = json!({"email": "ada@example.org", "name": "Not Ada"});
    assert_error(&stage.post("/users", same_mail).await, 409, "email_taken");
}

async fn a_user_has_one_wallet_per_festival(place: Place) {
    let stage = Stage::open(place).await;
    stage.festival("here").await;
    stage.festival("there").await;
    let body = json!({"user_id": stage.user().await});
    let wallet = stage.post("/festivals/here/wallets", body.clone()).await;
    assert_eq!((wallet.status.as_u16(), &wallet.body["balance"]), (201, &json!(0)));
    assert_error(&stage.post("/festivals/here/wallets", body.clone()).await, 409, "wallet_exists");
    assert_eq!(stage.post("/festivals/there/wallets", body).await.status, 201);
    let nobody = json!({"user_id": Uuid::new_v4()});
    assert_error(&stage.post("/festivals/here/wallets", nobody).await, 422, "unknown_reference");
    assert_error(&stage.get(format!("/festivals/here/wallets/{}", Uuid::new_v4())).await, 404, "not_found");
    assert_error(&stage.get("/festivals/here/wallets/7").await, 400, "invalid_id");
}

async fn money_goes_in_and_out(place: Place) {
    let stage = Stage::open(place).await;
    stage.festival("fest").await;
    let (wallet, stand) = (stage.wallet("fest", 0).await, stage.stand("fest").await);
    let top_up = format!("/festivals/fest/wallets/{wallet}/top-ups");
    let filled = stage.post(&*top_up, json!({"amount": 1000})).await;
    assert_eq!((filled.status.as_u16(), &filled.body["balance"]), (201, &json!(1000)));

    let paid = stage.post("/festivals/fest/payments", payment(wallet, stand, 600)).await;
    assert_eq!((paid.status.as_u16(), &paid.body["balance"]), (201, &json!(400)));
    let refused = stage.post("/festivals/fest/payments", payment(wallet, stand, 401)).await;
    assert_error(&refused, 409, "insufficient_funds");
    assert_eq!(refused.body["error"]["balance"], 400);
    assert_eq!(stage.balance("fest", wallet).await, 400);

    let no_stand = payment(wallet, Uuid::new_v4(), 1);
    assert_error(&stage.post("/festivals/fest/payments", no_stand).await, 422, "unknown_reference");
    let no_wallet = payment(Uuid::new_v4(), stand, 1);
    assert_error(&stage.post("/festivals/fest/payments", no_wallet).await, 422, "unknown_reference");
    let nowhere = format!("/festivals/fest/wallets/{}/top-ups", Uuid::new_v4());
    assert_error(&stage.post(nowhere, json!({"amount": 1})).await, 404, "not_found");
    assert_eq!(stage.balance("fest", wallet).await, 400);
}

async fn a_wallet_holds_only_so_much(place: Place) {
    let stage = Stage::open(place).await;
    stage.festival("fest").await;
    let wallet = stage.wallet("fest", 0).await;
    let path = format!("/festivals/fest/wallets/{wallet}/top-ups");
    for _ in 0..10 {
        assert_eq!(stage.post(&*path, json!({"amount": 1_000_000})).await.status, 201);
    }
    assert_error(&stage.post(&*path, json!({"amount": 1})).await, 409, "balance_limit");
}

async fn an_order_is_refunded_once(place: Place) {
    let stage = Stage::open(place).await;
    stage.festival("fest").await;
    let (wallet, stand) = (stage.wallet("fest", 1000).await, stage.stand("fest").await);
    let order = stage.order("fest", wallet, stand, 700).await;
    let path = format!("/festivals/fest/orders/{order}/refund");
    let refunded = stage.post(&*path, json!({})).await;
    assert_eq!((refunded.status.as_u16(), &refunded.body["balance"]), (200, &json!(1000)));
    let again = stage.post(&*path, json!({})).await;
    assert_error(&again, 409, "already_refunded");
    assert!(again.body["error"]["refunded_at"].is_string());
    assert_eq!(stage.balance("fest", wallet).await, 1000);
    assert_eq!(stage.get(format!("/festivals/fest/orders/{order}")).await.body["state"], "refunded");
    let nothing = format!("/festivals/fest/orders/{}/refund", Uuid::new_v4());
    assert_error(&stage.post(nothing, json!({})).await, 404, "not_found");
}

async fn a_ticket_lets_one_person_in(place: Place) {
    let stage = Stage::open(place).await;
    stage.festival("fest").await;
    let ticket = stage.ticket("fest").await;
    let path = format!("/festivals/fest/tickets/{ticket}");
    assert_eq!(stage.get(&*path).await.body["state"], "issued");
    let first = stage.post(format!("{path}/scan"), json!({"gate": "north"})).await;
    assert_eq!((first.status.as_u16(), &first.body["gate"]), (200, &json!("north")));
    let second = stage.post(format!("{path}/scan"), json!({"gate": "south"})).await;
    assert_error(&second, 409, "already_scanned");
    assert_eq!(second.body["error"]["scanned_at"], first.body["scanned_at"]);
    assert_eq!(second.body["error"]["gate"], "north");
    let none = format!("/festivals/fest/tickets/{}/scan", Uuid::new_v4());
    assert_error(&stage.post(none, json!({"gate": "north"})).await, 404, "not_found");
    let nobody = json!({"user_id": Uuid::new_v4()});
    assert_error(&stage.post("/festivals/fest/tickets", nobody).await, 422, "unknown_reference");
}

async fn revenue_is_what_was_paid_and_not_given_back(place: Place) {
    let stage = Stage::open(place).await;
    stage.festival("fest").await;
    let (wallet, stand) = (stage.wallet("fest", 1000).await, stage.stand("fest").await);
    let path = format!("/festivals/fest/stands/{stand}/revenue");
    let revenue = |body: &Value| (body["orders"].as_i64(), body["revenue"].as_i64());
    assert_eq!(revenue(&stage.get(&*path).await.body), (Some(0), Some(0)));
    stage.order("fest", wallet, stand, 100).await;
    stage.order("fest", wallet, stand, 250).await;
    let order = stage.order("fest", wallet, stand, 400).await;
    stage.order("fest", wallet, stage.stand("fest").await, 50).await;
    assert_eq!(revenue(&stage.get(&*path).await.body), (Some(3), Some(750)));
    stage.post(format!("/festivals/fest/orders/{order}/refund"), json!({})).await;
    assert_eq!(revenue(&stage.get(&*path).await.body), (Some(2), Some(350)));
    let nothing = format!("/festivals/fest/stands/{}/revenue", Uuid::new_v4());
    assert_error(&stage.get(nothing).await, 404, "not_found");
}

async fn history_comes_in_pages_newest_first(place: Place) {
    let stage = Stage::open(place).await;
    stage.festival("fest").await;
    let (wallet, stand) = (stage.wallet("fest", 10_000).await, stage.stand("fest").await);
    for amount in 1..=22 {
        stage.order("fest", wallet, stand, amount).await;
    }
    let path = format!("/festivals/fest/wallets/{wallet}/transactions?limit=5");
    let (mut amounts, mut cursor, mut pages) = (Vec::new(), None::<String>, 0);
    loop {
        let page = match &cursor {
            None => stage.get(&*path).await,
            Some(cursor) => stage.get(format!("{path}&cursor={cursor}")).await,
        };
        assert_eq!(page.status, 200, "{page:?}");
        let items = page.body["items"].as_array().expect("items");
        assert!(items.len() <= 5);
        amounts.extend(items.iter().map(|item| item["amount"].as_i64().expect("an amount")));
        pages += 1;
        // What happens while someone pages is not in the pages that follow: those go back in time.
        stage.order("fest", wallet, stand, 1000).await;
        match page.body["next"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    let expected: Vec<i64> = (1..=22).rev().map(|amount| -amount).chain([10_000]).collect();
    assert_eq!((amounts, pages), (expected, 5));

    assert_error(&stage.get(format!("{path}&cursor=nonsense")).await, 400, "invalid_cursor");
    assert_error(
        &stage.get(format!("/festivals/fest/wallets/{wallet}/transactions?limit=0")).await,
        422,
        "invalid_field",
    );
    assert_error(
        &stage.get(format!("/festivals/fest/wallets/{wallet}/transactions?page=2")).await,
        400,
        "invalid_query",
    );
    let nobody = format!("/festivals/fest/wallets/{}/transactions", Uuid::new_v4());
    assert_error(&stage.get(nobody).await, 404, "not_found");
    let empty = stage.wallet("fest", 0).await;
    let none = stage.get(format!("/festivals/fest/wallets/{empty}/transactions")).await;
    assert_eq!((none.status.as_u16(), none.body), (200, json!({"items": [], "next": null})));
}

async fn days_are_what_moved_on_them(place: Place) {
    let stage = Stage::open(place).await;
    stage.festival("fest").await;
    assert_eq!(stage.get("/festivals/fest/days").await.body, json!([]));
    let (wallet, stand) = (stage.wallet("fest", 1000).await, stage.stand("fest").await);
    stage.order("fest", wallet, stand, 300).await;
    let returned = stage.order("fest", wallet, stand, 200).await;
    stage.post(format!("/festivals/fest/orders/{returned}/refund"), json!({})).await;
    let days = stage.get("/festivals/fest/days").await;
    let sum = |field: &str| {
        let days = days.body.as_array().expect("days").iter();
        days.map(|day| day[field].as_i64().expect("a number")).sum::<i64>()
    };
    // Midnight may have come in between.
    assert_eq!((sum("transactions"), sum("credits"), sum("debits")), (4, 1200, -500));
}

async fn the_best_stands_are_of_all_festivals(place: Place) {
    let stage = Stage::open(place).await;
    for (slug, amount) in [("here", 300), ("there", 500)] {
        stage.festival(slug).await;
        let (wallet, stand) = (stage.wallet(slug, 1000).await, stage.stand(slug).await);
        stage.order(slug, wallet, stand, amount).await;
        let returned = stage.order(slug, wallet, stand, 200).await;
        stage.post(format!("/festivals/{slug}/orders/{returned}/refund"), json!({})).await;
    }
    assert_eq!(stage.get("/stands/best").await.body, json!([]), "as of the last refresh");
    stage.cluster.admin().views(&festival::model::schema()).refresh_all().await.expect("a refresh");
    let best = stage.get("/stands/best").await.body;
    let shown: Vec<(i64, i64)> = best
        .as_array()
        .expect("stands")
        .iter()
        .map(|stand| (stand["orders"].as_i64().expect("a number"), stand["revenue"].as_i64().expect("a number")))
        .collect();
    assert_eq!(shown, [(1, 500), (1, 300)]);
}

async fn one_festival_shows_nothing_of_another(place: Place) {
    let stage = Stage::open(place).await;
    stage.festival("here").await;
    stage.festival("there").await;
    let (wallet, stand) = (stage.wallet("there", 1000).await, stage.stand("there").await);
    let (order, ticket) = (stage.order("there", wallet, stand, 100).await, stage.ticket("there").await);
    for path in [
        format!("wallets/{wallet}"),
        format!("wallets/{wallet}/transactions"),
        format!("orders/{order}"),
        format!("tickets/{ticket}"),
        format!("stands/{stand}/revenue"),
    ] {
        assert_error(&stage.get(format!("/festivals/here/{path}")).await, 404, "not_found");
        assert_eq!(stage.get(format!("/festivals/there/{path}")).await.status, 200);
    }
    for (path, body) in [
        (format!("wallets/{wallet}/top-ups"), json!({"amount": 1})),
        (format!("orders/{order}/refund"), json!({})),
        (format!("tickets/{ticket}/scan"), json!({"gate": "north"})),
    ] {
        assert_error(&stage.post(format!("/festivals/here/{path}"), body).await, 404, "not_found");
    }
    // Each half of a payment from the other festival.
    let (own_wallet, own_stand) = (stage.wallet("here", 1000).await, stage.stand("here").await);
    for body in [payment(wallet, own_stand, 1), payment(own_wallet, stand, 1)] {
        assert_error(&stage.post("/festivals/here/payments", body).await, 422, "unknown_reference");
    }
    assert_eq!((stage.balance("there", wallet).await, stage.balance("here", own_wallet).await), (900, 1000));
}

async fn health_and_metrics_are_there(place: Place) {
    let stage = Stage::open(place).await;
    assert_eq!(stage.get("/health/live").await.status, 200);
    let ready = stage.get("/health/ready").await;
    assert_eq!((ready.status.as_u16(), &ready.body["mode"]), (200, &json!(place.pick("single", "citus"))));
    stage.festival("fest").await;
    stage.wallet("fest", 100).await;
    let metrics = stage.get("/counters").await.body;
    let of_tenants = metrics["tenant_routes"].as_object().expect("routes");
    let route = place.pick("single", "owner");
    assert_eq!(of_tenants.keys().collect::<Vec<_>>(), [route], "{metrics}");
    let count = |routes: &Value| routes[route].as_u64().expect("a count");
    assert!(count(&metrics["tenant_routes"]) >= 7 && count(&metrics["routes"]) >= count(&metrics["tenant_routes"]));
}
