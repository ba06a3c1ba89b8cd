//! Transactions: what they promise, and what happens to those that fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use shardwise::{Cluster, Error, ErrorKind, Isolation, Limit, SqlText, Tenant, TransactionOptions, sql, unscoped_sql};
use tokio::sync::Barrier;

use crate::support::activity::idle;
use crate::support::model::Wallet;
use crate::support::place::{Place, in_both_modes};
use crate::support::unchecked;

in_both_modes![
    options_are_the_servers,
    what_is_returned_decides,
    a_swallowed_error_is_no_commit,
    a_session_that_outlives_its_transaction_is_told,
    savepoints_undo_their_part_alone,
    a_lost_race_is_the_callers_unless_they_ask_for_retries,
    a_lost_race_is_run_again_on_request,
    a_deadlock_is_run_again_on_request,
    other_errors_are_not_run_again,
    a_connection_that_breaks_before_the_commit_has_a_known_outcome,
    a_connection_that_breaks_at_the_commit_leaves_the_outcome_open,
    a_transaction_has_a_time_limit_of_its_own,
    transactions_of_reference_entities_and_of_the_coordinator,
    an_open_stream_is_told_to_the_next_statement,
    what_is_still_open_at_the_end_is_rolled_back,
    a_statement_that_is_dropped_inside_a_savepoint_fails_the_transaction_at_once,
    sql_that_would_change_the_connection_for_the_next_one_is_refused,
];

async fn balance(fest: &Tenant, wallet: &Wallet) -> i64 {
    fest.get::<Wallet>(wallet.id).await.unwrap().balance
}

async fn setting(options: TransactionOptions, fest: &Tenant) -> (String, String) {
    fest.transaction_with(options, async |tx| {
        tx.query_one_as(unchecked(
            "SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only')",
        ))
        .await
    })
    .await
    .unwrap()
}

async fn options_are_the_servers(place: Place) {
    let (_, fest) = place.tenant().await;
    for (isolation, name) in [
        (Isolation::ReadCommitted, "read committed"),
        (Isolation::RepeatableRead, "repeatable read"),
        (Isolation::Serializable, "serializable"),
    ] {
        let options = TransactionOptions::new().isolation(isolation);
        assert_eq!(setting(options, &fest).await, (name.to_owned(), "off".to_owned()));
    }
    assert_eq!(setting(TransactionOptions::new().read_only(), &fest).await.1, "on");

    let wallet = Wallet::new(*fest.key(), 1);
    let refused =
        fest.transaction_with(TransactionOptions::new().read_only(), async |tx| tx.insert(&wallet).await).await;
    assert_eq!(refused.unwrap_err().code().unwrap().code(), "25006");
    // The next one on the same connection may write again.
    fest.insert(&wallet).await.unwrap();
}

async fn what_is_returned_decides(place: Place) {
    let (_, fest) = place.tenant().await;
    let wallet = Wallet::new(*fest.key(), 1);
    let inserted = wallet.clone();
    let answer = fest
        .transaction(|tx| async move {
            tx.insert(&inserted).await?;
            Ok::<_, Error>(tx.get::<Wallet>(inserted.id).await?.balance)
        })
        .await;
    assert_eq!(answer.unwrap(), 1);
    let id = wallet.id;
    let answer = fest
        .transaction(|tx| async move {
            assert!(tx.delete::<Wallet>(id).await.map_err(|error| error.to_string())?);
            Err::<(), _>(Refusal("changed my mind".to_owned()))
        })
        .await;
    assert_eq!(answer.unwrap_err().0, "changed my mind");
    assert_eq!(balance(&fest, &wallet).await, 1);
}

/// A service's own error.
#[derive(Debug)]
struct Refusal(String);

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}

impl From<String> for Refusal {
    fn from(text: String) -> Self {
        Self(text)
    }
}

async fn a_swallowed_error_is_no_commit(place: Place) {
    let (_, fest) = place.tenant().await;
    let wallet = Wallet::new(*fest.key(), 1);
    let again = wallet.clone();
    let outcome = fest
        .transaction(|tx| async move {
            tx.insert(&again).await?;
            assert!(tx.insert(&again).await.unwrap_err().is_unique_violation());
            assert_eq!(tx.count::<Wallet>().await.unwrap_err().kind(), ErrorKind::TransactionOver);
            Ok::<_, Error>(())
        })
        .await;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::TransactionOver);
    assert!(!fest.exists::<Wallet>(wallet.id).await.unwrap());
}

async fn a_session_that_outlives_its_transaction_is_told(place: Place) {
    let (_, fest) = place.tenant().await;
    let kept = fest.transaction(|tx| async move { Ok::<_, Error>(tx) }).await.unwrap();
    let error = kept.count::<Wallet>().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TransactionOver);
    assert!(error.to_string().contains("it has ended"), "{error}");
}

async fn savepoints_undo_their_part_alone(place: Place) {
    let (_, fest) = place.tenant().await;
    let [outer, inner, innermost] = [1, 2, 3].map(|balance| Wallet::new(*fest.key(), balance));
    let all = [outer.clone(), inner.clone(), innermost.clone()];
    fest.transaction(move |tx| async move {
        tx.insert(&outer).await?;
        let failed: Result<(), Error> = tx
            .savepoint(|tx| async move {
                tx.insert(&inner).await?;
                tx.savepoint(|tx| async move { tx.insert(&innermost).await }).await?;
                assert_eq!(tx.count::<Wallet>().await?, 3);
                tx.insert(&inner).await
            })
            .await;
        assert!(failed.unwrap_err().is_unique_violation());
        assert_eq!(tx.count::<Wallet>().await?, 1);
        Ok::<_, Error>(())
    })
    .await
    .unwrap();
    let rows = fest.select::<Wallet>().all().await.unwrap();
    assert_eq!(rows, all[..1]);
}

/// Two transactions read both wallets and each empties one of them: serializable lets only one of them do so.
async fn write_skew(place: Place, retries: u32) -> (Vec<Result<u32, Error>>, u64) {
    let (cluster, fest) = place.tenant().await;
    let wallets = [Wallet::new(*fest.key(), 1), Wallet::new(*fest.key(), 1)];
    fest.insert_many(&wallets).await.unwrap();
    let both_have_read = Arc::new(Barrier::new(2));
    let transactions = wallets.map(|wallet| {
        let (fest, both_have_read, runs) = (fest.clone(), both_have_read.clone(), Arc::new(AtomicU32::new(0)));
        async move {
            let options = TransactionOptions::new().isolation(Isolation::Serializable).retries(retries);
            let work = {
                let runs = runs.clone();
                move |tx: shardwise::Transaction| {
                    let (both_have_read, run) = (both_have_read.clone(), runs.fetch_add(1, Ordering::Relaxed));
                    async move {
                        let sum = tx.select::<Wallet>().sum(Wallet::BALANCE).await?;
                        if run == 0 {
                            both_have_read.wait().await;
                        }
                        if sum == 2 {
                            tx.update_columns::<Wallet>(wallet.id).set(Wallet::BALANCE, 0).run().await?;
                        }
                        Ok::<_, Error>(())
                    }
                }
            };
            fest.transaction_with(options, work).await.map(|()| runs.load(Ordering::Relaxed))
        }
    });
    let outcomes = futures_util::future::join_all(transactions).await;
    assert_eq!(fest.select::<Wallet>().sum(Wallet::BALANCE).await.unwrap(), 1, "both were emptied");
    (outcomes, cluster.metrics().retries)
}

async fn a_lost_race_is_the_callers_unless_they_ask_for_retries(place: Place) {
    let (mut outcomes, retries) = write_skew(place, 0).await;
    outcomes.sort_by_key(Result::is_err);
    let error = outcomes.pop().unwrap().unwrap_err();
    assert_eq!(error.code().unwrap().code(), "40001");
    assert!(error.is_serialization_failure() && error.is_retryable() && !error.is_outcome_unknown());
    assert_eq!(outcomes.pop().unwrap().unwrap(), 1);
    assert_eq!(retries, 0);
}

async fn a_lost_race_is_run_again_on_request(place: Place) {
    let (outcomes, retries) = write_skew(place, 5).await;
    let mut runs: Vec<u32> = outcomes.into_iter().map(Result::unwrap).collect();
    runs.sort_unstable();
    assert_eq!((runs, retries), (vec![1, 2], 1));
}

async fn a_deadlock_is_run_again_on_request(place: Place) {
    let (cluster, fest) = place.tenant().await;
    let (one, other) = (Wallet::new(*fest.key(), 0), Wallet::new(*fest.key(), 0));
    fest.insert_many(&[one.clone(), other.clone()]).await.unwrap();
    let both_hold_one = Arc::new(Barrier::new(2));
    let transfer = |first: Wallet, second: Wallet| {
        let (fest, both_hold_one, run) = (fest.clone(), both_hold_one.clone(), Arc::new(AtomicU32::new(0)));
        async move {
            fest.transaction_with(TransactionOptions::new().retries(3), move |tx| {
                let (both_hold_one, run, second) =
                    (both_hold_one.clone(), run.fetch_add(1, Ordering::Relaxed), second.id);
                async move {
                    tx.update_columns::<Wallet>(first.id).add(Wallet::BALANCE, 1).run().await?;
                    if run == 0 {
                        both_hold_one.wait().await;
                    }
                    tx.update_columns::<Wallet>(second).add(Wallet::BALANCE, 1).run().await.map(drop)
                }
            })
            .await
        }
    };
    let (left, right) = tokio::join!(transfer(one.clone(), other.clone()), transfer(other.clone(), one.clone()));
    left.and(right).unwrap();
    assert_eq!((balance(&fest, &one).await, balance(&fest, &other).await), (2, 2));
    // One of the two at least; on a busy machine the server may break the same deadlock twice.
    assert!(cluster.metrics().retries >= 1);
}

async fn other_errors_are_not_run_again(place: Place) {
    let (cluster, fest) = place.tenant().await;
    let runs = AtomicU32::new(0);
    let wallet = Wallet::new(*fest.key(), -1);
    let outcome = fest
        .transaction_with(TransactionOptions::new().retries(5), async |tx| {
            runs.fetch_add(1, Ordering::Relaxed);
            tx.insert(&wallet).await
        })
        .await;
    assert!(outcome.unwrap_err().is_check_violation());
    assert_eq!((runs.into_inner(), cluster.metrics().retries), (1, 0));
}

async fn a_connection_that_breaks_before_the_commit_has_a_known_outcome(place: Place) {
    let (_cluster, fest) = place.tenant().await;
    let wallet = Wallet::new(*fest.key(), 1);
    // On another connection of the node that the transaction is on.
    let other = fest.clone();
    let inserted = wallet.clone();
    let outcome = fest
        .transaction(|tx| async move {
            tx.insert(&inserted).await?;
            let (pid,): (i32,) = tx.query_one_as(unchecked("SELECT pg_backend_pid()")).await?;
            other.execute(unchecked("SELECT pg_terminate_backend(:pid::int4, 0::int8)").bind("pid", pid)).await?;
            tx.count::<Wallet>().await
        })
        .await;
    let error = outcome.unwrap_err();
    assert!(error.is_retryable() && !error.is_outcome_unknown(), "{error:?}");
    assert!(!fest.exists::<Wallet>(wallet.id).await.unwrap());
}

async fn a_connection_that_breaks_at_the_commit_leaves_the_outcome_open(place: Place) {
    let config = place.prepared().await;
    if place.is_citus() {
        // Citus has no triggers on distributed tables for its own users. Sessions that begin after this have them, so what
        // follows is another cluster with other connections.
        let cluster = Cluster::connect(config.clone()).await.unwrap();
        cluster
            .coordinator()
            .execute(unscoped_sql!("ALTER ROLE CURRENT_USER SET citus.enable_unsafe_triggers = on"))
            .await
            .unwrap();
        cluster.close(Duration::from_secs(5)).await;
    }
    let cluster = Cluster::connect(config).await.unwrap();
    let fest = cluster.tenant(shardwise::Uuid::new_v4()).await.unwrap();
    let coordinator = cluster.coordinator();
    // The server ends the session while it commits: a deferred trigger is part of the commit.
    coordinator.execute(unscoped_sql!("CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(600); RETURN NULL; END'")).await.unwrap();
    coordinator.execute(unscoped_sql!("CREATE CONSTRAINT TRIGGER die AFTER INSERT ON wallets DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()")).await.unwrap();
    let wallet = Wallet::new(*fest.key(), 1);
    let error = fest.transaction(|tx| async move { tx.insert(&wallet).await }).await.unwrap_err();
    // With a report from the server the outcome is known, without one it is not. Either way nothing is run again.
    assert!(error.is_outcome_unknown() || error.code().is_some_and(|code| code.code() == "57P01"), "{error:?}");
    assert_eq!(cluster.metrics().retries, 0);
}

async fn a_transaction_has_a_time_limit_of_its_own(place: Place) {
    let (cluster, fest) = place.named_tenant("transaction-limit").await;
    let wallet = Wallet::new(*fest.key(), 1);
    let options = TransactionOptions::new().time_limit(Duration::from_millis(100));
    let outcome = fest
        .transaction_with(options, async |tx| {
            tx.insert(&wallet).await?;
            tx.execute(unchecked("SELECT pg_sleep(600)")).await
        })
        .await;
    let error = outcome.unwrap_err();
    assert_eq!(error.timeout(), Some(Limit::Call));
    assert!(!error.is_outcome_unknown());
    idle(&cluster, "transaction-limit").await;
    assert!(!fest.exists::<Wallet>(wallet.id).await.unwrap());
}

async fn transactions_of_reference_entities_and_of_the_coordinator(place: Place) {
    let (cluster, fest) = place.tenant().await;
    let user = crate::support::model::User { id: shardwise::Uuid::new_v4(), email: "a@b".to_owned(), country: None };
    let inserted = user.clone();
    cluster.reference().transaction(|tx| async move { tx.insert(&inserted).await }).await.unwrap();
    assert_eq!(cluster.reference().get::<crate::support::model::User>(user.id).await.unwrap(), user);
    let (one,): (i32,) = cluster
        .coordinator()
        .transaction(|tx| async move { tx.query_one_as(unscoped_sql!("SELECT 1")).await })
        .await
        .unwrap();
    assert_eq!((one, fest.count::<Wallet>().await.unwrap()), (1, 0));
}

async fn an_open_stream_is_told_to_the_next_statement(place: Place) {
    let (_, fest) = place.tenant().await;
    let counted = fest
        .transaction(|tx| async move {
            {
                let mut rows = std::pin::pin!(tx.query_stream(sql!("SELECT generate_series(1, 1000000)")).await?);
                assert!(rows.next().await.unwrap().is_ok());
                let error = tx.count::<Wallet>().await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Usage);
                assert!(error.to_string().contains("read it to its end, or drop it"), "{error}");
            }
            tx.count::<Wallet>().await
        })
        .await;
    assert_eq!(counted.unwrap(), 0, "a stream that was dropped is in nobody's way");
}

async fn what_is_still_open_at_the_end_is_rolled_back(place: Place) {
    let (cluster, fest) = place.named_tenant("transaction-open").await;
    let wallet = Wallet::new(*fest.key(), 1);
    let inserted = wallet.clone();
    let outcome = fest
        .transaction(|tx| async move {
            tx.insert(&inserted).await?;
            let rows = tx.query_stream(sql!("SELECT generate_series(1, 1000000)")).await?;
            Ok::<_, Error>(Box::pin(rows))
        })
        .await;
    let error = outcome.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::TransactionOver);
    assert!(!error.is_outcome_unknown());
    idle(&cluster, "transaction-open").await;
    assert!(!fest.exists::<Wallet>(wallet.id).await.unwrap());
}

async fn a_statement_that_is_dropped_inside_a_savepoint_fails_the_transaction_at_once(place: Place) {
    let (_, fest) = place.tenant().await;
    let outcome = fest
        .transaction(|tx| async move {
            let inner = tx
                .savepoint(|tx| async move {
                    let slow = tx.execute(unchecked("SELECT pg_sleep(600)"));
                    assert!(tokio::time::timeout(Duration::from_millis(20), slow).await.is_err());
                    Ok::<_, Error>(())
                })
                .await;
            assert_eq!(inner.unwrap_err().kind(), ErrorKind::TransactionOver);
            tx.count::<Wallet>().await
        })
        .await;
    // Not after the statement's time limit: that would be another kind of error.
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::TransactionOver);
}

async fn sql_that_would_change_the_connection_for_the_next_one_is_refused(place: Place) {
    let (cluster, fest) = place.tenant().await;
    for statement in
        ["BEGIN", "/* now */ commit", "SET search_path = elsewhere", "LISTEN news", "COPY wallets TO STDOUT"]
    {
        assert_eq!(fest.execute(unchecked(statement)).await.unwrap_err().kind(), ErrorKind::Usage);
        assert_eq!(fest.execute(SqlText::new(statement)).await.unwrap_err().kind(), ErrorKind::Usage);
    }
    assert!(cluster.metrics().routes.is_empty(), "nothing was sent");
    let local = fest.transaction(|tx| async move {
        tx.execute(unchecked("SET LOCAL work_mem = '5MB'")).await?;
        tx.query_one_as::<(String,)>(unchecked("SELECT current_setting('work_mem')")).await
    });
    assert_eq!(local.await.unwrap().0, "5MB");
}
