//! Values, in all that can go wrong with a statement.

use std::time::Duration;

use jiff::Timestamp;
use shardwise::config::Timeouts;
use shardwise::{Cluster, Cursor, Error, ErrorKind, SqlText, Tenant, Uuid, unscoped_sql};

use super::{assert_nothing_secret, assert_nothing_secret_in, shown};
use crate::session::types::everything;
use crate::support::collector::Collector;
use crate::support::model::{Country, Entry, Everything, Label, User, Wallet};
use crate::support::place::{Place, in_both_modes};
use crate::support::secrets::VALUE;
use crate::support::timeouts;
use crate::support::unchecked;

in_both_modes![
    of_a_statement_that_fails,
    of_a_copy_that_fails,
    of_a_transaction_that_fails_and_one_that_panics,
    of_a_tenant_whose_key_it_is,
];

fn failed<T>(what: &str, outcome: Result<T, Error>) -> Error {
    let error = outcome.err().unwrap_or_else(|| panic!("{what} does not fail"));
    assert_nothing_secret(&shown(&error));
    error
}

fn wallet(fest: &Tenant, note: impl Into<String>) -> Wallet {
    Wallet { note: Some(note.into()), ..Wallet::new(*fest.key(), 1) }
}

async fn of_a_statement_that_fails(place: Place) {
    let (cluster, fest) = place.tenant().await;
    let (collector, guard) = Collector::listen();
    let good = wallet(&fest, VALUE);
    fest.insert(&good).await.unwrap();
    // Each of them, with the value in it.
    assert!(failed("a key twice", fest.insert(&good).await).is_unique_violation());
    let twin = Wallet { id: Uuid::new_v4(), ..good.clone() };
    assert!(failed("a tag twice", fest.insert(&twin).await).is_unique_violation());
    assert!(failed("many of them", fest.insert_many(&[wallet(&fest, VALUE), twin]).await).is_unique_violation());
    assert!(failed("a check", fest.insert(&Wallet { balance: -1, ..wallet(&fest, VALUE) }).await).is_check_violation());
    let nobody = User { id: Uuid::new_v4(), email: VALUE.to_owned(), country: Some(VALUE.to_owned()) };
    assert!(failed("a reference", cluster.reference().insert(&nobody).await).is_foreign_key_violation());
    failed("a zero byte", fest.insert(&wallet(&fest, format!("{VALUE}\0"))).await);
    failed("a row that is not there", fest.update(&wallet(&fest, VALUE)).await);
    failed("no label", fest.insert(&Everything { short: VALUE.to_owned(), ..everything(*fest.key(), 1) }).await);
    failed("a country", cluster.reference().get::<Country>(VALUE.to_owned()).await);
    failed("two rows", {
        fest.insert(&wallet(&fest, VALUE)).await.unwrap();
        fest.select::<Wallet>().filter(Wallet::NOTE.like(VALUE)).one().await
    });
    failed("another tenant's", fest.insert(&Wallet { festival_id: Uuid::new_v4(), ..wallet(&fest, VALUE) }).await);
    let late = Entry {
        festival_id: *fest.key(),
        id: Uuid::new_v4(),
        wallet_id: good.id,
        amount: 1,
        created_at: "9999-01-01T00:00:00Z".parse::<Timestamp>().unwrap(),
    };
    failed("no partition", fest.insert(&late).await);
    failed("no cursor", VALUE.parse::<Cursor>());

    let value = || VALUE.to_owned();
    let wrong = [
        ("SELECT :v::text::int8", value()),
        ("SELECT :v::text::uuid", value()),
        ("SELECT :v::text::jsonb", value()),
        ("SELECT :v::text::interval", value()),
        ("SELECT :v::text::inet", value()),
        ("SELECT :v::text::numeric", value()),
        ("SELECT :v::text::bytea", format!("\\x{VALUE}")),
        ("SELECT :v::text::text[]", format!("{{{VALUE}")),
        ("SELECT 1 WHERE 'x' ~ :v::text", format!("{VALUE}(")),
        ("SELECT to_timestamp(:v::text, 'YYYY')", value()),
        ("SELECT to_number(:v::text, :v::text)", value()),
        ("SELECT convert_from(decode('ff', 'hex'), :v::text)", value()),
        ("SELECT encode('x', :v::text)", value()),
        ("SELECT date_trunc(:v::text, now())", value()),
        ("SELECT extract(epoch FROM :v::text::date)", value()),
        ("SELECT (:v::text::jsonpath)", format!("{VALUE} @@")),
        ("SELECT :v::bigint", value()),
        ("SELECT nothing(:v::text)", value()),
        ("SELECT 1 FORM nothing WHERE :v::text", value()),
        ("SELECT 1 / length(left(:v::text, 0))", value()),
    ];
    for (text, value) in wrong {
        // As it is, and through the checker, which refuses some of them.
        for statement in [unchecked(text), SqlText::new(text)] {
            let statement = statement.bind("v", value.clone());
            assert_nothing_secret(&format!("{statement:?}"));
            failed(text, fest.execute(statement).await);
        }
    }
    // One that the server gives up.
    let short = Timeouts { statement: Duration::from_millis(100), ..timeouts() };
    let limited = Cluster::connect(place.prepared().await.with_timeouts(short).unwrap()).await.unwrap();
    let slow = limited.coordinator().execute(unscoped_sql!("SELECT pg_sleep(60), :v::text", v = value())).await;
    assert!(failed("too long", slow).timeout().is_some());
    drop(guard);
    assert_nothing_secret_in(&collector);
    // The driver's own records were among them.
    let said = format!("{:?}", collector.collected().events);
    assert!(said.contains("preparing query"), "{said}");
}

async fn of_a_copy_that_fails(place: Place) {
    let (_, fest) = place.tenant().await;
    let (collector, guard) = Collector::listen();
    let good = wallet(&fest, VALUE);
    for (what, bad) in [
        ("a key twice", good.clone()),
        ("a zero byte", wallet(&fest, format!("{VALUE}\0"))),
        ("a check", Wallet { balance: -1, ..wallet(&fest, VALUE) }),
        ("another tenant's", Wallet { festival_id: Uuid::new_v4(), ..wallet(&fest, VALUE) }),
    ] {
        let outcome = async {
            let mut copy = fest.copy_in::<Wallet>().await?;
            assert_nothing_secret(&format!("{copy:?}"));
            copy.send(&good).await?;
            copy.send(&bad).await?;
            copy.finish().await
        };
        failed(what, outcome.await);
    }
    let outcome = async {
        let mut copy = fest.copy_in::<Everything>().await?;
        copy.send(&Everything { short: VALUE.to_owned(), ..everything(*fest.key(), 1) }).await?;
        copy.finish().await
    };
    failed("too long for its column", outcome.await);
    drop(guard);
    assert_nothing_secret_in(&collector);
}

async fn of_a_transaction_that_fails_and_one_that_panics(place: Place) {
    let (_, fest) = place.tenant().await;
    let (collector, guard) = Collector::listen();
    let row = wallet(&fest, VALUE);
    let twice = row.clone();
    let outcome = fest.transaction(|tx| async move {
        assert_nothing_secret(&format!("{tx:?}"));
        tx.insert(&twice).await?;
        tx.insert(&twice).await
    });
    assert!(failed("a key twice", outcome.await).is_unique_violation());

    let (session, panics) = (fest.clone(), row.clone());
    let outcome = tokio::spawn(async move {
        let outcome: Result<(), Error> = session
            .transaction(|tx| async move {
                tx.insert(&panics).await?;
                panic!("a bug in the closure");
            })
            .await;
        outcome
    });
    let panicked = outcome.await.unwrap_err();
    assert!(panicked.is_panic());
    assert_nothing_secret(&format!("{panicked} {panicked:?}"));
    assert_eq!(fest.count::<Wallet>().await.unwrap(), 0, "it was rolled back");
    drop(guard);
    assert_nothing_secret_in(&collector);
}

async fn of_a_tenant_whose_key_it_is(place: Place) {
    let cluster = place.cluster().await;
    let (collector, guard) = Collector::listen();
    let tenant = cluster.tenant(VALUE.to_owned()).await.unwrap();
    let label = Label { tenant: VALUE.to_owned(), name: VALUE.to_owned() };
    tenant.insert(&label).await.unwrap();
    assert!(failed("twice", tenant.insert(&label).await).is_unique_violation());
    assert_eq!(failed("none", tenant.get::<Label>(format!("{VALUE}2")).await).kind(), ErrorKind::NotFound);
    let other = Label { tenant: format!("{VALUE}3"), ..label.clone() };
    assert_eq!(failed("another's", tenant.insert(&other).await).kind(), ErrorKind::WrongTenant);
    let long = Label { name: format!("{VALUE}{}", random(20_000)), ..label };
    failed("longer than an index takes", tenant.insert(&long).await);
    let key = format!("{VALUE}\0");
    failed("a zero byte in the key", async { cluster.tenant(key).await?.count::<Label>().await }.await);
    assert_nothing_secret(&format!("{tenant:?}"));
    drop(guard);
    assert_nothing_secret_in(&collector);
}

/// Text that does not become shorter by compression.
fn random(length: usize) -> String {
    let ids = std::iter::repeat_with(|| Uuid::new_v4().simple().to_string());
    ids.take(length / 32).collect()
}
