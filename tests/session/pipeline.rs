//! Writes that are sent in one go, with the COMMIT: all or nothing, and how few round trips.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use shardwise::config::Endpoint;
use shardwise::{Cluster, Error, ErrorKind, Tenant, Transaction, Uuid, sql, unscoped_sql};

use crate::support::model::{Entry, Seat, Wallet};
use crate::support::place::{Place, in_both_modes};
use crate::support::proxy::Proxy;
use crate::support::server;

in_both_modes![
    all_of_them_have_an_effect,
    every_kind_of_write_can_be_part_of_it,
    a_row_that_is_not_there_undoes_the_others,
    a_condition_that_is_not_met_undoes_the_others,
    a_violation_undoes_the_others_and_is_told,
    a_row_of_another_tenant_has_nothing_sent,
    what_is_sent_without_commit_can_be_read_and_rolled_back,
    the_commit_ends_the_transaction,
    a_failure_that_is_not_returned_is_no_commit,
    a_value_that_cannot_be_sent_undoes_the_others,
    nothing_gets_in_behind_the_commit,
];

fn wallets(fest: &Tenant, count: usize) -> Vec<Wallet> {
    (0..count).map(|_| Wallet::new(*fest.key(), 100)).collect()
}

async fn count(fest: &Tenant) -> u64 {
    fest.select::<Wallet>().count().await.unwrap()
}

async fn all_of_them_have_an_effect(place: Place) {
    let (_, fest) = place.tenant().await;
    let [first, second, third] = wallets(&fest, 3).try_into().unwrap();
    fest.pipeline().insert(&first).insert(&second).commit().await.unwrap();
    assert_eq!(count(&fest).await, 2);
    let balance = fest
        .transaction(async |tx: Transaction| {
            let mut wallet = tx.get::<Wallet>(first.id).await?;
            wallet.balance -= 30;
            tx.pipeline().update(&wallet).insert(&third).commit().await?;
            Ok::<_, Error>(wallet.balance)
        })
        .await;
    assert_eq!(balance.unwrap(), 70);
    assert_eq!(fest.get::<Wallet>(first.id).await.unwrap().balance, 70);
    assert_eq!(count(&fest).await, 3);
    fest.pipeline().commit().await.unwrap();
}

async fn every_kind_of_write_can_be_part_of_it(place: Place) {
    let (_, fest) = place.tenant().await;
    let [mut kept, gone, new] = wallets(&fest, 3).try_into().unwrap();
    fest.insert_many(&[kept.clone(), gone.clone()]).await.unwrap();
    kept.note = Some("replaced".to_owned());
    let seat = Seat { festival_id: *fest.key(), stage: "main".to_owned(), number: 1, taken: false };
    let taken = fest.update_columns::<Seat>(("main".to_owned(), 1)).set(Seat::TAKEN, true);
    let rise = sql!(
        "UPDATE wallets SET balance = balance + :by WHERE festival_id = :festival_id",
        entities(Wallet),
        by = 1_i64
    );
    let pipeline = fest.pipeline().upsert(&kept).delete::<Wallet>(&gone.id).insert(&new).insert(&seat).change(&taken);
    assert!(format!("{pipeline:?}").contains("\"upsert\", \"delete\", \"insert\", \"insert\", \"update_columns\""));
    pipeline.execute(&rise).commit().await.unwrap();
    let read = fest.get::<Wallet>(kept.id).await.unwrap();
    assert_eq!((read.balance, read.note.as_deref()), (101, Some("replaced")));
    assert!(fest.find::<Wallet>(gone.id).await.unwrap().is_none());
    assert_eq!(fest.get::<Wallet>(new.id).await.unwrap().balance, 101);
    assert!(fest.get::<Seat>(("main".to_owned(), 1)).await.unwrap().taken);
}

async fn a_row_that_is_not_there_undoes_the_others(place: Place) {
    let (_, fest) = place.tenant().await;
    let [there, missing] = wallets(&fest, 2).try_into().unwrap();
    let error = fest.pipeline().insert(&there).update(&missing).commit().await.unwrap_err();
    assert!(error.is_not_found() && error.to_string().starts_with("update Wallet: "), "{error}");
    assert_eq!(count(&fest).await, 0);
    // The connection goes on.
    fest.pipeline().insert(&there).update(&there).commit().await.unwrap();
    let error = fest
        .transaction(async |tx: Transaction| tx.pipeline().delete::<Wallet>(&there.id).update(&there).commit().await)
        .await
        .unwrap_err();
    assert!(error.is_not_found(), "{error}");
    assert_eq!(count(&fest).await, 1);
}

async fn a_condition_that_is_not_met_undoes_the_others(place: Place) {
    let (_, fest) = place.tenant().await;
    let wallet = Wallet::new(*fest.key(), 100);
    fest.insert(&wallet).await.unwrap();
    let debit =
        |by: i64| fest.update_columns::<Wallet>(wallet.id).add(Wallet::BALANCE, -by).only_if(Wallet::BALANCE.ge(by));
    let entry = Entry::new(&wallet, -60);
    fest.pipeline().change(&debit(60)).insert(&entry).commit().await.unwrap();
    let second = Entry::new(&wallet, -60);
    let error = fest.pipeline().insert(&second).change(&debit(60)).commit().await.unwrap_err();
    assert!(error.is_not_found() && error.to_string().contains("does not meet the conditions"), "{error}");
    assert_eq!(fest.get::<Wallet>(wallet.id).await.unwrap().balance, 40);
    assert_eq!(fest.select::<Entry>().count().await.unwrap(), 1);
}

async fn a_violation_undoes_the_others_and_is_told(place: Place) {
    let (_, fest) = place.tenant().await;
    let [first, second, mut twin] = wallets(&fest, 3).try_into().unwrap();
    twin.id = first.id;
    let error = fest.pipeline().insert(&first).insert(&twin).insert(&second).commit().await.unwrap_err();
    assert!(error.is_unique_violation(), "{error}");
    assert_eq!((error.constraint(), error.entity()), (Some("wallets_pkey"), Some("Wallet")));
    assert!(!error.is_outcome_unknown());
    assert_eq!(count(&fest).await, 0);
}

async fn a_row_of_another_tenant_has_nothing_sent(place: Place) {
    let (cluster, fest) = place.tenant().await;
    let (own, foreign) = (Wallet::new(*fest.key(), 1), Wallet::new(Uuid::new_v4(), 1));
    let sent = cluster.metrics().routes;
    let error = fest.pipeline().insert(&own).insert(&foreign).commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongTenant);
    assert_eq!(cluster.metrics().routes, sent);
}

async fn what_is_sent_without_commit_can_be_read_and_rolled_back(place: Place) {
    let (_, fest) = place.tenant().await;
    let wallet = Wallet::new(*fest.key(), 1);
    let rolled_back = fest
        .transaction(async |tx: Transaction| {
            tx.pipeline().insert(&wallet).update(&wallet).send().await?;
            assert_eq!(tx.get::<Wallet>(wallet.id).await?.balance, 1);
            Err::<(), _>(tx.get::<Wallet>(Uuid::new_v4()).await.unwrap_err())
        })
        .await;
    assert!(rolled_back.unwrap_err().is_not_found());
    assert_eq!(count(&fest).await, 0);
}

async fn the_commit_ends_the_transaction(place: Place) {
    let (_, fest) = place.tenant().await;
    let wallet = Wallet::new(*fest.key(), 1);
    let after = fest
        .transaction(async |tx: Transaction| {
            tx.pipeline().insert(&wallet).commit().await?;
            Ok::<_, Error>(tx.get::<Wallet>(wallet.id).await.unwrap_err())
        })
        .await
        .unwrap();
    assert_eq!(after.kind(), ErrorKind::TransactionOver);
    assert!(after.to_string().contains("sent with the COMMIT"), "{after}");
    assert_eq!(count(&fest).await, 1);
}

async fn a_failure_that_is_not_returned_is_no_commit(place: Place) {
    let (_, fest) = place.tenant().await;
    let wallet = Wallet::new(*fest.key(), 1);
    let swallowed = fest
        .transaction(async |tx: Transaction| {
            assert!(tx.pipeline().insert(&wallet).insert(&wallet).commit().await.is_err());
            Ok::<_, Error>(())
        })
        .await;
    assert_eq!(swallowed.unwrap_err().kind(), ErrorKind::TransactionOver);
    assert_eq!(count(&fest).await, 0);
}

async fn a_value_that_cannot_be_sent_undoes_the_others(place: Place) {
    let (_, fest) = place.tenant().await;
    let [first, second] = wallets(&fest, 2).try_into().unwrap();
    let wrong = sql!(
        "UPDATE wallets SET balance = :balance WHERE festival_id = :festival_id",
        entities(Wallet),
        balance = "no number"
    );
    let error = fest.pipeline().insert(&first).execute(&wrong).insert(&second).commit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Codec, "{error}");
    assert!(!error.is_outcome_unknown());
    assert_eq!(count(&fest).await, 0);
    let swallowed = fest
        .transaction(async |tx: Transaction| {
            assert!(tx.pipeline().insert(&first).execute(&wrong).commit().await.is_err());
            Ok::<_, Error>(())
        })
        .await;
    assert!(swallowed.is_err());
    assert_eq!(count(&fest).await, 0);
}

async fn nothing_gets_in_behind_the_commit(place: Place) {
    let (_, fest) = place.tenant().await;
    let [first, second, third] = wallets(&fest, 3).try_into().unwrap();
    let both = async |tx: Transaction| {
        let (committed, late) = tokio::join!(tx.pipeline().insert(&first).commit(), tx.insert(&second));
        committed?;
        Ok::<_, Error>(late)
    };
    // It was part of the transaction, or it was refused.
    let late = fest.transaction(both).await.unwrap();
    assert!(late.as_ref().err().is_none_or(|error| error.kind() == ErrorKind::TransactionOver), "{late:?}");
    assert_eq!(fest.find::<Wallet>(second.id).await.unwrap().is_some(), late.is_ok());
    let more = u64::from(late.is_ok());
    // Also where it ends a savepoint with the transaction.
    fest.transaction(async |tx: Transaction| {
        tx.savepoint(async |tx: Transaction| tx.pipeline().insert(&third).commit().await).await
    })
    .await
    .unwrap();
    assert_eq!(count(&fest).await, 2 + more);
}

/// A cluster with one connection through a proxy, with all that is used prepared: what is counted is the work itself.
async fn behind_a_proxy() -> (Proxy, Tenant, Wallet) {
    let proxy = Proxy::to(server().await.config().contact_points()[0].port).await;
    let config = Place::Single.prepared().await.with_max_connections(1).unwrap();
    let config = config.with_contact_points([Endpoint { host: "127.0.0.1".to_owned(), port: proxy.port }]).unwrap();
    let fest = Cluster::connect(config).await.unwrap().tenant(Uuid::new_v4()).await.unwrap();
    let wallet = Wallet::new(*fest.key(), 100);
    fest.insert(&wallet).await.unwrap();
    (proxy, fest, wallet)
}

async fn payment(fest: &Tenant, wallet: &Wallet) {
    let (first, second) = (Entry::new(wallet, -1), Entry::new(wallet, -2));
    fest.transaction(async |tx: Transaction| {
        let mut wallet = tx.get::<Wallet>(wallet.id).await?;
        wallet.balance -= 3;
        tx.pipeline().update(&wallet).insert(&first).insert(&second).commit().await
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_payment_takes_two_round_trips() {
    let (proxy, fest, wallet) = behind_a_proxy().await;
    payment(&fest, &wallet).await;
    let before = proxy.round_trips();
    payment(&fest, &wallet).await;
    assert_eq!(proxy.round_trips() - before, 2);
    assert_eq!(fest.get::<Wallet>(wallet.id).await.unwrap().balance, 94);
}

#[tokio::test]
async fn a_pipeline_of_its_own_takes_one_round_trip() {
    let (proxy, fest, wallet) = behind_a_proxy().await;
    for expected in [None, Some(1)] {
        let before = proxy.round_trips();
        let debit = fest.update_columns::<Wallet>(wallet.id).add(Wallet::BALANCE, -1).only_if(Wallet::BALANCE.ge(1));
        let entry = Entry::new(&wallet, -1);
        fest.pipeline().change(&debit).insert(&entry).commit().await.unwrap();
        let taken = proxy.round_trips() - before;
        assert!(expected.is_none_or(|expected| taken == expected), "{taken}");
    }
}

#[tokio::test]
async fn a_transaction_begins_with_its_first_statement() {
    let (proxy, fest, wallet) = behind_a_proxy().await;
    for expected in [None, Some(3)] {
        let before = proxy.round_trips();
        let entry = Entry::new(&wallet, -1);
        let both = async |tx: Transaction| {
            tx.insert(&entry).await?;
            tx.get::<Wallet>(wallet.id).await
        };
        fest.transaction(both).await.unwrap();
        let taken = proxy.round_trips() - before;
        assert!(expected.is_none_or(|expected| taken == expected), "{taken}");
    }
    let before = proxy.round_trips();
    fest.transaction(async |_| Ok::<_, Error>(())).await.unwrap();
    assert_eq!(proxy.round_trips(), before, "one without statements sends nothing");
}

/// Somebody cancels whatever runs, as fast as they can: also BEGIN, when what follows it is on its way already. What is
/// acknowledged is there whole, and what is not is not there at all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_cancellations_leaves_no_half() {
    const NAME: &str = "pipeline-storm";
    let config = Place::Single.prepared().await;
    let cluster = Cluster::connect(config.clone().with_application_name(NAME)).await.unwrap();
    let fest = cluster.tenant(Uuid::new_v4()).await.unwrap();
    let wallet = Wallet::new(*fest.key(), 0);
    fest.insert(&wallet).await.unwrap();
    let (acknowledged, failed) = (AtomicU64::new(0), AtomicU64::new(0));
    // Until there are enough of both to tell something; a storm that hits nothing fails by its time.
    let end = tokio::time::Instant::now() + Duration::from_secs(60);
    let goes_on = || {
        let counts = [&acknowledged, &failed].map(|count| count.load(Ordering::Relaxed));
        counts.iter().any(|count| *count < 20) && tokio::time::Instant::now() < end
    };
    let storm = async {
        let other = Cluster::connect(config.with_max_connections(1).unwrap()).await.unwrap();
        while goes_on() {
            let cancel = unscoped_sql!(
                "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE application_name = :name",
                name = NAME.to_owned()
            );
            other.coordinator().query(cancel).await.unwrap();
        }
    };
    let pay = |task: usize| {
        let (fest, wallet) = (fest.clone(), &wallet);
        let (acknowledged, failed) = (&acknowledged, &failed);
        async move {
            while goes_on() {
                let (first, second) = (Entry::new(wallet, 1), Entry::new(wallet, 2));
                let outcome = match task % 2 {
                    0 => fest.pipeline().insert(&first).insert(&second).commit().await,
                    _ => {
                        let both = async |tx: Transaction| {
                            tx.insert(&first).await?;
                            tx.insert(&second).await
                        };
                        fest.transaction(both).await
                    }
                };
                let found = loop {
                    // The storm hits this one as well.
                    let ids = [first.id, second.id];
                    match fest.get_many::<Entry>(&ids).await {
                        Ok(rows) => break rows.len(),
                        Err(_) => continue,
                    }
                };
                match outcome {
                    Ok(()) => {
                        acknowledged.fetch_add(1, Ordering::Relaxed);
                        assert_eq!(found, 2, "an acknowledged one is not whole");
                    }
                    Err(error) => {
                        failed.fetch_add(1, Ordering::Relaxed);
                        assert!(found == 0 || (error.is_outcome_unknown() && found == 2), "{found} are there: {error}");
                    }
                }
            }
        }
    };
    tokio::join!(futures_util::future::join_all((0..4).map(pay)), storm);
    let (acknowledged, failed) = (acknowledged.into_inner(), failed.into_inner());
    println!("{acknowledged} acknowledged, {failed} cancelled");
    assert!(acknowledged >= 20 && failed >= 20, "{acknowledged} acknowledged, {failed} failed: too few to tell");
    let entries = fest.select::<Entry>().count().await.unwrap();
    assert!(entries >= 2 * acknowledged && entries.is_multiple_of(2), "{entries}");
}
