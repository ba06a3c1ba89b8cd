//! Statements that forget their tenant, one of each kind: they reach its rows alone.

use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use shardwise::config::Timeouts;
use shardwise::{Error, ErrorKind, Limit, Tenant};

use super::stage::{Stage, balances, entry, label, tenant};
use crate::support::model::{Country, Entry, Label, User, Wallet};
use crate::support::place::{Place, in_both_modes};
use crate::support::timeouts;
use crate::support::unchecked;

in_both_modes![
    reading_without_the_tenant_reads_its_rows,
    writing_without_the_tenant_writes_its_rows,
    another_tenants_row_is_refused_by_the_server,
    transactions_are_held_from_begin_to_commit,
    an_error_in_the_middle_leaves_nothing_behind,
    a_time_limit_leaves_nothing_behind,
    streams_and_copies_are_held,
    all_verbs_work_as_without,
    keys_of_text_are_parameters_whatever_is_in_them,
];

/// Two tenants, and the rows that each should have afterwards.
async fn two(place: Place) -> (Stage, Tenant, Tenant) {
    let stage = Stage::new(place).await;
    let cluster = stage.as_app().await;
    let (fest, other) = (tenant(&cluster, &[1, 2]).await, tenant(&cluster, &[30, 40, 50]).await);
    (stage, fest, other)
}

async fn reading_without_the_tenant_reads_its_rows(place: Place) {
    let (_, fest, other) = two(place).await;
    assert_eq!((balances(&fest).await, balances(&other).await), (vec![1, 2], vec![30, 40, 50]));
    for (text, ours, theirs) in [
        ("SELECT count(*) FROM wallets", 2, 3),
        ("SELECT count(*) FROM entries", 2, 3),
        ("SELECT count(*) FROM wallets w JOIN seats s USING (festival_id)", 4, 9),
        ("SELECT count(*) FROM wallets w JOIN entries e ON e.festival_id = w.festival_id AND e.wallet_id = w.id", 2, 3),
        ("SELECT count(*) FROM (SELECT * FROM wallets) AS w", 2, 3),
        ("WITH w AS (SELECT * FROM wallets) SELECT count(*) FROM w", 2, 3),
        ("SELECT count(*) FROM wallets WHERE balance > 1 OR true", 2, 3),
        ("SELECT sum(balance)::bigint FROM wallets", 3, 120),
        ("SELECT count(DISTINCT festival_id) FROM wallets", 1, 1),
    ] {
        for (fest, expected) in [(&fest, ours), (&other, theirs)] {
            let (found,) = fest.query_one_as::<(i64,)>(unchecked(text)).await.unwrap();
            assert_eq!(found, expected, "{text}");
        }
    }
    // One that names another tenant finds nothing.
    let theirs = unchecked("SELECT count(*) FROM wallets WHERE festival_id = :other").bind("other", *other.key());
    assert_eq!(fest.query_one_as::<(i64,)>(theirs).await.unwrap(), (0,));
}

async fn writing_without_the_tenant_writes_its_rows(place: Place) {
    let (_, fest, other) = two(place).await;
    assert_eq!(fest.execute(unchecked("UPDATE wallets SET balance = balance + 100")).await.unwrap(), 2);
    assert_eq!((balances(&fest).await, balances(&other).await), (vec![101, 102], vec![30, 40, 50]));
    assert_eq!(fest.execute(unchecked("DELETE FROM entries")).await.unwrap(), 2);
    assert_eq!(fest.execute(unchecked("DELETE FROM wallets")).await.unwrap(), 2);
    assert_eq!((balances(&fest).await, balances(&other).await), (vec![], vec![30, 40, 50]));
    assert_eq!(other.count::<Entry>().await.unwrap(), 3);
}

async fn another_tenants_row_is_refused_by_the_server(place: Place) {
    let (_, fest, other) = two(place).await;
    let row = Wallet::new(*other.key(), 7);
    let insert = |tenant: &Tenant| {
        unchecked("INSERT INTO wallets (festival_id, id, balance, tag) VALUES (:tenant, :id, 7, 'a tag')")
            .bind("tenant", *tenant.key())
            .bind("id", row.id)
    };
    let refused = fest.execute(insert(&other)).await.unwrap_err();
    assert_eq!(refused.code().unwrap().code(), "42501", "{refused}");
    // On Citus it is a shard that refuses, and that is nobody's concern.
    assert!(refused.to_string().contains("row-level security policy for table \"wallets\""), "{refused}");
    assert!(!refused.to_string().contains(&other.key().to_string()), "{refused}");
    assert_eq!(other.count::<Wallet>().await.unwrap(), 3);
    assert_eq!(fest.execute(insert(&fest)).await.unwrap(), 1);
}

async fn transactions_are_held_from_begin_to_commit(place: Place) {
    let (_, fest, other) = two(place).await;
    fest.transaction(async |tx| {
        assert_eq!(tx.execute(unchecked("UPDATE wallets SET balance = 5")).await?, 2);
        let failed = tx.savepoint(async |tx| {
            assert_eq!(tx.execute(unchecked("UPDATE wallets SET balance = 6")).await?, 2);
            tx.execute(unchecked("SELECT 1 / 0")).await
        });
        assert_eq!(failed.await.unwrap_err().code().unwrap().code(), "22012");
        let count = unchecked("SELECT count(*), max(balance) FROM wallets");
        assert_eq!(tx.query_one_as::<(i64, i64)>(count).await?, (2, 5));
        tx.savepoint(async |tx| tx.execute(unchecked("DELETE FROM entries")).await).await?;
        assert_eq!(tx.count::<Entry>().await?, 0);
        Ok::<_, Error>(())
    })
    .await
    .unwrap();
    assert_eq!((balances(&fest).await, balances(&other).await), (vec![5, 5], vec![30, 40, 50]));
    // Rolled back, it has changed nobody's rows.
    let rolled_back = other
        .transaction(async |tx| {
            tx.execute(unchecked("UPDATE wallets SET balance = 0")).await?;
            tx.execute(unchecked("SELECT 1 / 0")).await
        })
        .await;
    assert!(rolled_back.is_err());
    assert_eq!((balances(&fest).await, balances(&other).await), (vec![5, 5], vec![30, 40, 50]));
}

async fn an_error_in_the_middle_leaves_nothing_behind(place: Place) {
    let stage = Stage::new(place).await;
    // One connection to each node: whoever comes next gets it.
    let one = stage.app.clone().with_max_connections(1).unwrap();
    let cluster = shardwise::Cluster::connect(one).await.unwrap();
    let (fest, other) = (tenant(&cluster, &[1]).await, tenant(&cluster, &[2]).await);
    for _ in 0..20 {
        let failed = fest.query(unchecked("SELECT 1 / (balance - 1) FROM wallets")).await.unwrap_err();
        assert_eq!(failed.code().unwrap().code(), "22012", "{failed}");
        assert_eq!(balances(&other).await, [2]);
        let failed = other.query(unchecked("SELECT nothing FROM wallets")).await.unwrap_err();
        assert_eq!(failed.code().unwrap().code(), "42703", "{failed}");
        assert_eq!(balances(&fest).await, [1]);
    }
    let duplicate = fest.select::<Wallet>().one().await.unwrap();
    assert!(fest.insert(&duplicate).await.unwrap_err().is_unique_violation());
    assert_eq!(balances(&fest).await, [1]);
}

async fn a_time_limit_leaves_nothing_behind(place: Place) {
    let stage = Stage::new(place).await;
    let limits = Timeouts { statement: Duration::from_millis(300), ..timeouts() };
    let one = stage.app.clone().with_max_connections(1).unwrap().with_timeouts(limits).unwrap();
    let cluster = shardwise::Cluster::connect(one).await.unwrap();
    let (fest, other) = (tenant(&cluster, &[1]).await, tenant(&cluster, &[2]).await);
    let slow = || unchecked("SELECT balance, pg_sleep(600) FROM wallets");
    let late = fest.execute(slow()).await.unwrap_err();
    assert_eq!(late.timeout(), Some(Limit::Statement), "{late}");
    assert!(late.is_outcome_unknown(), "{late}");
    assert_eq!(balances(&other).await, [2]);
    assert!(fest.transaction(async |tx| tx.execute(slow()).await).await.is_err());
    assert_eq!(balances(&other).await, [2]);
    assert_eq!(fest.execute(unchecked("UPDATE wallets SET balance = 5")).await.unwrap(), 1);
    assert_eq!((balances(&fest).await, balances(&other).await), (vec![5], vec![2]));
}

async fn streams_and_copies_are_held(place: Place) {
    let (_, fest, other) = two(place).await;
    let rows = fest.query_stream(unchecked("SELECT balance FROM wallets")).await.unwrap();
    assert_eq!(rows.try_collect::<Vec<_>>().await.unwrap().len(), 2);
    let rows: Vec<Wallet> = other.select::<Wallet>().stream().await.unwrap().try_collect().await.unwrap();
    assert_eq!(rows.len(), 3);
    // Left half-way, it leaves nothing.
    {
        let mut rows = std::pin::pin!(other.query_stream(unchecked("SELECT balance FROM wallets")).await.unwrap());
        assert!(rows.next().await.unwrap().is_ok());
    }
    assert_eq!(balances(&fest).await, [1, 2]);
    // What is streamed may be left half-way, and then nobody would know what was written.
    let writes = fest.query_stream(unchecked("DELETE FROM entries RETURNING id")).await.err().unwrap();
    assert_eq!(writes.kind(), ErrorKind::Usage, "{writes}");

    let mut copy = fest.copy_in::<Wallet>().await.unwrap();
    let wallets: Vec<Wallet> = (0..1_234).map(|balance| Wallet::new(*fest.key(), balance)).collect();
    for wallet in &wallets {
        copy.send(wallet).await.unwrap();
    }
    let strange = Wallet::new(*other.key(), 1);
    assert_eq!(copy.send(&strange).await.unwrap_err().kind(), ErrorKind::WrongTenant);
    assert_eq!(copy.finish().await.unwrap(), 1_234);
    let copied: Vec<Wallet> = fest.copy_out::<Wallet>().await.unwrap().try_collect().await.unwrap();
    assert_eq!(copied.len(), 2 + 1_234);
    assert!(wallets.iter().all(|wallet| copied.contains(wallet)));
    // All or none.
    let mut copy = other.copy_in::<Wallet>().await.unwrap();
    for balance in 0..1_000 {
        copy.send(&Wallet::new(*other.key(), balance)).await.unwrap();
    }
    drop(copy);
    let mut copy = other.copy_in::<Wallet>().await.unwrap();
    let twice = Wallet::new(*other.key(), 1);
    copy.send(&twice).await.unwrap();
    copy.send(&twice).await.unwrap();
    assert!(copy.finish().await.unwrap_err().is_unique_violation());
    assert_eq!(balances(&other).await, [30, 40, 50]);
    // In a transaction too.
    other
        .transaction(async |tx| {
            let mut copy = tx.copy_in::<Wallet>().await?;
            copy.send(&twice).await?;
            assert_eq!(copy.finish().await?, 1);
            assert_eq!(tx.copy_out::<Wallet>().await?.try_collect::<Vec<_>>().await?.len(), 4);
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
    assert_eq!(balances(&other).await, [1, 30, 40, 50]);
}

async fn all_verbs_work_as_without(place: Place) {
    let stage = Stage::new(place).await;
    let cluster = stage.as_app().await;
    cluster.reference().insert(&Country { code: "nl".to_owned(), name: "Nederland".to_owned() }).await.unwrap();
    let user = User { id: shardwise::Uuid::new_v4(), email: "a@b.nl".to_owned(), country: Some("nl".to_owned()) };
    cluster.reference().insert(&user).await.unwrap();
    let (fest, other) = (tenant(&cluster, &[1, 2]).await, tenant(&cluster, &[30]).await);

    let mut wallet = Wallet { user_id: Some(user.id), ..Wallet::new(*fest.key(), 9) };
    assert_eq!(fest.insert_returning(&wallet).await.unwrap(), wallet);
    assert_eq!(fest.get::<Wallet>(wallet.id).await.unwrap(), wallet);
    assert!(other.find::<Wallet>(wallet.id).await.unwrap().is_none());
    assert!(fest.exists::<Wallet>(wallet.id).await.unwrap());
    assert_eq!(fest.get_many::<Wallet>(&[wallet.id]).await.unwrap(), std::slice::from_ref(&wallet));
    wallet.balance = 10;
    fest.update(&wallet).await.unwrap();
    wallet.balance = 11;
    fest.upsert(&wallet).await.unwrap();
    assert!(fest.update_columns::<Wallet>(wallet.id).add(Wallet::BALANCE, 1).run().await.unwrap());
    let more: Vec<Wallet> = (0..700).map(|_| Wallet::new(*fest.key(), 1)).collect();
    assert_eq!(fest.insert_many(&more).await.unwrap(), 700);
    assert_eq!(fest.select::<Wallet>().sum(Wallet::BALANCE).await.unwrap(), 1 + 2 + 12 + 700);
    assert_eq!(fest.count::<Wallet>().await.unwrap(), 703);
    let named = fest.select::<Wallet>().join(Wallet::USER_ID.on(User::ID));
    assert_eq!(named.all().await.unwrap().len(), 1);
    fest.insert(&entry(&wallet)).await.unwrap();
    // Its entries go with it.
    fest.delete::<Wallet>(wallet.id).await.unwrap();
    assert_eq!(fest.count::<Entry>().await.unwrap(), 2);
    assert_eq!(balances(&other).await, [30]);
}

async fn keys_of_text_are_parameters_whatever_is_in_them(place: Place) {
    let stage = Stage::new(place).await;
    let cluster = stage.as_app().await;
    let keys = [
        "plain",
        "it's",
        r"back\slash",
        r"\'; DROP TABLE labels; --",
        "'; DROP TABLE labels; --",
        "$1",
        "%L %s %%",
        "two\nlines\ttab",
        " ",
        "NULL",
        "Ünïcödé 🎪",
        "\"quoted\"",
    ];
    for key in keys {
        cluster.tenant(key.to_owned()).await.unwrap().insert(&label(key, "one")).await.unwrap();
    }
    for key in keys {
        let tenant = cluster.tenant(key.to_owned()).await.unwrap();
        let found = tenant.query_as::<(String,)>(unchecked("SELECT tenant FROM labels")).await.unwrap();
        assert_eq!(found, [(key.to_owned(),)]);
        let copied: Vec<Label> = tenant.copy_out::<Label>().await.unwrap().try_collect().await.unwrap();
        assert_eq!(copied, [label(key, "one")]);
        let count = async |tx: shardwise::Transaction<String>| tx.count::<Label>().await;
        assert_eq!(tenant.transaction(count).await.unwrap(), 1);
    }
    for key in ["", "a\0b"] {
        let refused = cluster.tenant(key.to_owned()).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Usage, "{refused}");
    }
}
