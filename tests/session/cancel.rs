//! Futures that are dropped half-way: nobody after them sees a transaction, a reply or a lock of theirs.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use rand::{Rng as _, SeedableRng as _};
use shardwise::{Cluster, Error, ErrorKind, Tenant, Uuid, sql};
use tokio::task::JoinSet;

use crate::support::activity::{Activity, idle};
use crate::support::model::{Entry, Wallet};
use crate::support::place::{Place, in_both_modes};
use crate::support::pooler;
use crate::support::{Tally, timeouts, unchecked};

in_both_modes![
    a_dropped_statement_ends_on_the_server,
    a_dropped_transaction_is_rolled_back_and_its_locks_are_gone,
    a_dropped_statement_of_a_transaction_fails_the_transaction,
    a_panic_rolls_back,
    dropped_streams_and_copies_leave_the_connection_to_the_next,
];

mod parallel {
    use super::a_thousand_tasks_on_sixteen_connections_with_random_cancellations;
    use crate::support::place::in_both_modes;

    in_both_modes![@on_two_threads: a_thousand_tasks_on_sixteen_connections_with_random_cancellations];
}

const TASKS: usize = 1_000;
const CONNECTIONS: u32 = 16;

/// What a task does until it is dropped or done. Each checks that the answers are its own.
async fn work(fest: Tenant, task: usize, wallets: Arc<[Uuid]>) -> shardwise::Result<()> {
    let number = i64::try_from(task).unwrap();
    let (from, to) = (wallets[task % wallets.len()], wallets[(task + 1) % wallets.len()]);
    match task % 6 {
        0 => {
            let (echo,): (i64,) = fest
                .query_one_as(
                    unchecked("SELECT :number::bigint + 0 * length(pg_sleep(0.005)::text)").bind("number", number),
                )
                .await?;
            assert_eq!(echo, number, "a reply went to the wrong task");
        }
        1 => {
            let wallet = fest.get::<Wallet>(from).await?;
            assert_eq!(wallet.id, from, "a reply went to the wrong task");
        }
        2 | 3 => {
            fest.transaction(move |tx| async move {
                tx.update_columns::<Wallet>(from).add(Wallet::BALANCE, -1).run().await?;
                tx.execute(unchecked("SELECT pg_sleep(0.002)")).await?;
                tx.update_columns::<Wallet>(to).add(Wallet::BALANCE, 1).run().await?;
                Ok::<_, Error>(())
            })
            .await?;
        }
        4 => {
            let rows = sql!("SELECT :number::bigint * 100000 + i FROM generate_series(1, 5000) i", number = number);
            let mut rows = std::pin::pin!(fest.query_stream(rows).await?);
            let mut expected = number * 100_000;
            while let Some(row) = rows.next().await {
                expected += 1;
                assert_eq!(row?.get::<i64>(0)?, expected, "a reply went to the wrong task");
            }
        }
        _ => {
            let mut copy = fest.copy_in::<Wallet>().await?;
            for _ in 0..20 {
                let mut wallet = Wallet::new(*fest.key(), 0);
                wallet.note = Some(format!("copy {task}"));
                copy.send(&wallet).await?;
                tokio::task::yield_now().await;
            }
            assert_eq!(copy.finish().await?, 20);
        }
    }
    Ok(())
}

async fn a_thousand_tasks_on_sixteen_connections_with_random_cancellations(place: Place) {
    let config = place.prepared().await.with_application_name("cancel-1000").with_max_connections(CONNECTIONS).unwrap();
    let cluster = Cluster::connect(config.with_timeouts(timeouts()).unwrap()).await.unwrap();
    let fest = cluster.tenant(Uuid::new_v4()).await.unwrap();
    let wallets: Vec<Wallet> = (0..50).map(|_| Wallet::new(*fest.key(), 1_000)).collect();
    fest.insert_many(&wallets).await.unwrap();
    let ids: Arc<[Uuid]> = wallets.iter().map(|wallet| wallet.id).collect();

    let tally = Tally::default();
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let (fest, ids, tally) = (fest.clone(), ids.clone(), tally.clone());
        tasks.spawn(async move {
            let mut random = rand::rngs::StdRng::seed_from_u64(u64::try_from(task).unwrap());
            // Some are never dropped, so that whatever a neighbour leaves behind has somebody to hit.
            let polls = if random.random_bool(0.4) { usize::MAX } else { random.random_range(0..10) };
            tally.count(polls, work(fest, task, ids)).await;
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    tally.assert_enough(300, 100);

    // Once the cleaning is over, no connection is in a transaction, none runs anything, and there are 16 at most.
    let activity = idle(&cluster, "cancel-1000").await;
    // On Citus there is one more, on which the layout is asked for.
    assert!(activity.connections <= i64::from(CONNECTIONS) + place.pick(0, 1), "{activity:?}");
    // All sixteen can be taken at once.
    let all = (0..CONNECTIONS).map(|_| fest.execute(unchecked("SELECT pg_sleep(0.05)")));
    for result in futures_util::future::join_all(all).await {
        result.unwrap();
    }
    // Transfers happened whole or not at all, and so did copies.
    assert_eq!(fest.select::<Wallet>().sum(Wallet::BALANCE).await.unwrap(), 50 * 1_000);
    let partial = sql!(
        "SELECT count(*) FROM (SELECT FROM wallets WHERE festival_id = :festival_id AND note LIKE 'copy %' \
         GROUP BY note HAVING count(*) <> 20) AS partial",
        entities(Wallet)
    );
    assert_eq!(fest.query_one_as::<(i64,)>(partial).await.unwrap(), (0,));
}

/// Polls a future until the server runs what it sent, then drops it.
async fn drop_while_it_runs<T>(cluster: &Cluster, name: &'static str, future: impl Future<Output = T>) {
    let running = async { while Activity::of(cluster, name).await.active == 0 {} };
    tokio::select! {
        _ = future => panic!("it ended before it could be dropped"),
        () = running => {}
    }
}

/// A cluster of one connection whose neighbour would meet whatever was left on it, and another one to look on.
async fn watched(place: Place, name: &'static str) -> (Cluster, Cluster, Tenant) {
    let config = place.prepared().await;
    let looking = Cluster::connect(config.clone()).await.unwrap();
    let config = config.with_application_name(name).with_max_connections(1).unwrap();
    let cluster = Cluster::connect(config).await.unwrap();
    let fest = cluster.tenant(Uuid::new_v4()).await.unwrap();
    (looking, cluster, fest)
}

async fn a_dropped_statement_ends_on_the_server(place: Place) {
    if pooler::is_there("what is dropped there ends by the server's own limit") {
        return;
    }
    let (looking, _cluster, fest) = watched(place, "dropped-statement").await;
    drop_while_it_runs(&looking, "dropped-statement", fest.execute(unchecked("SELECT pg_sleep(600)"))).await;
    // The same connection, and its own reply.
    assert_eq!(fest.query_one_as::<(i32,)>(sql!("SELECT 42")).await.unwrap(), (42,));
    idle(&looking, "dropped-statement").await;
}

async fn a_dropped_transaction_is_rolled_back_and_its_locks_are_gone(place: Place) {
    if pooler::is_there("what is dropped there ends by the server's own limit") {
        return;
    }
    let (looking, _cluster, fest) = watched(place, "dropped-transaction").await;
    let wallet = Wallet::new(*fest.key(), 10);
    fest.insert(&wallet).await.unwrap();
    let id = wallet.id;
    let transaction = fest.transaction(move |tx| async move {
        tx.update_columns::<Wallet>(id).set(Wallet::BALANCE, 0).run().await?;
        tx.execute(unchecked("SELECT pg_sleep(600)")).await
    });
    drop_while_it_runs(&looking, "dropped-transaction", transaction).await;
    // Waits for the lock, if there were one, until its time limit.
    assert!(fest.update_columns::<Wallet>(id).add(Wallet::BALANCE, 1).run().await.unwrap());
    assert_eq!(fest.get::<Wallet>(id).await.unwrap().balance, 11);
    idle(&looking, "dropped-transaction").await;
}

async fn a_dropped_statement_of_a_transaction_fails_the_transaction(place: Place) {
    let (_, fest) = place.tenant().await;
    let wallet = Wallet::new(*fest.key(), 10);
    let outcome = fest
        .transaction(|tx| async move {
            tx.insert(&wallet).await?;
            let slow = tx.execute(unchecked("SELECT pg_sleep(600)"));
            assert!(tokio::time::timeout(Duration::from_millis(20), slow).await.is_err());
            assert_eq!(tx.count::<Wallet>().await.unwrap_err().kind(), ErrorKind::TransactionOver);
            Ok::<_, Error>(())
        })
        .await;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::TransactionOver);
    assert_eq!(fest.count::<Wallet>().await.unwrap(), 0);
}

async fn a_panic_rolls_back(place: Place) {
    let (cluster, fest) = place.tenant().await;
    let in_task = fest.clone();
    let task = tokio::spawn(async move {
        let wallet = Wallet::new(*in_task.key(), 10);
        let work = in_task.transaction(|tx| async move {
            tx.insert(&wallet).await?;
            assert_eq!(tx.count::<Wallet>().await?, 1);
            panic!("on purpose");
            #[allow(unreachable_code)]
            Ok::<(), Error>(())
        });
        work.await
    });
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(fest.count::<Wallet>().await.unwrap(), 0);
    assert!(cluster.health().await.unwrap().connections >= 1);
}

async fn dropped_streams_and_copies_leave_the_connection_to_the_next(place: Place) {
    let (looking, _cluster, fest) = watched(place, "dropped-stream").await;
    {
        let rows = fest.query_stream(sql!("SELECT i FROM generate_series(1, 10000000) i")).await.unwrap();
        let mut rows = std::pin::pin!(rows);
        assert_eq!(rows.next().await.unwrap().unwrap().get::<i32>(0).unwrap(), 1);
    }
    assert_eq!(fest.query_one_as::<(i32,)>(sql!("SELECT 1")).await.unwrap(), (1,));

    let mut copy = fest.copy_in::<Wallet>().await.unwrap();
    copy.send(&Wallet::new(*fest.key(), 1)).await.unwrap();
    drop(copy);
    assert_eq!(fest.count::<Wallet>().await.unwrap(), 0);

    let wallets: Vec<Wallet> = (0..2_000).map(|balance| Wallet::new(*fest.key(), balance)).collect();
    fest.insert_many(&wallets).await.unwrap();
    {
        let mut rows = std::pin::pin!(fest.copy_out::<Wallet>().await.unwrap());
        assert!(rows.next().await.unwrap().is_ok());
    }
    {
        let mut rows = std::pin::pin!(fest.select::<Wallet>().stream().await.unwrap());
        assert!(rows.next().await.unwrap().is_ok());
    }
    assert_eq!(fest.count::<Wallet>().await.unwrap(), 2_000);
    assert_eq!(fest.count::<Entry>().await.unwrap(), 0);
    idle(&looking, "dropped-stream").await;
}
