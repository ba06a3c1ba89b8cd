//! Connections that many tasks share: what takes long does not hold up the others, and nothing is lost with them.

use std::time::Duration;

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};
use shardwise::config::PoolConfig;
use shardwise::entity::Json;
use shardwise::{Cluster, Config, ErrorKind, Sql, Tenant, Transaction, Uuid, sql, unscoped_sql};
use tokio::task::JoinSet;

use crate::support::activity::{Activity, idle};
use crate::support::model::Wallet;
use crate::support::place::{Place, in_both_modes};
use crate::support::{Tally, unchecked};

in_both_modes![
    many_tasks_need_few_connections,
    each_task_gets_its_own_answer_while_others_go_away,
    a_slow_read_is_moved_to_a_connection_of_its_own,
    a_write_that_waits_for_a_lock_is_moved_and_holds_nobody_up,
    a_transaction_that_writes_besides_itself_does_not_wait_for_itself,
    connections_that_are_ended_from_outside_are_replaced,
    what_does_not_fit_is_told_at_once,
    a_value_whose_code_panics_breaks_nothing,
    idle_ones_are_closed_and_old_ones_replaced,
];

/// So many connections, three of which are shared: two by reads, one by writes.
const CONNECTIONS: u32 = 9;

async fn prepared(place: Place, name: &str) -> Config {
    place.prepared().await.with_application_name(name).with_max_connections(CONNECTIONS).unwrap()
}

/// A tenant with one wallet, when its shared connections are open.
async fn warm(config: Config) -> (Cluster, Tenant, Wallet) {
    let cluster = Cluster::connect(config).await.unwrap();
    let fest = cluster.tenant(Uuid::new_v4()).await.unwrap();
    let wallet = Wallet::new(*fest.key(), 100);
    fest.insert(&wallet).await.unwrap();
    for _ in 0..10 {
        let reads = (0..8).map(|_| fest.get::<Wallet>(wallet.id));
        futures_util::future::try_join_all(reads).await.unwrap();
        fest.update(&wallet).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    (cluster, fest, wallet)
}

async fn with_pool(place: Place, name: &str, change: impl FnOnce(PoolConfig) -> PoolConfig) -> Config {
    let config = prepared(place, name).await;
    let pool = change(config.pool().clone());
    config.with_pool(pool).unwrap()
}

async fn many_tasks_need_few_connections(place: Place) {
    const NAME: &str = "shared-few";
    let (cluster, fest, wallet) = warm(prepared(place, NAME).await).await;
    let mut tasks = JoinSet::new();
    for _ in 0..64 {
        let (fest, id) = (fest.clone(), wallet.id);
        tasks.spawn(async move {
            for _ in 0..50 {
                assert_eq!(fest.get::<Wallet>(id).await.unwrap().id, id);
            }
        });
    }
    tasks.join_all().await;
    let activity = Activity::of(&cluster, NAME).await;
    // On Citus there is one more, on which the layout is asked for, and the coordinator's.
    assert!(activity.connections <= i64::from(CONNECTIONS) + place.pick(0, 2), "{activity:?}");
}

async fn each_task_gets_its_own_answer_while_others_go_away(place: Place) {
    const NAME: &str = "shared-dropped";
    let (cluster, fest, _) = warm(prepared(place, NAME).await).await;
    let wallets: Vec<Wallet> = (0..50).map(|balance| Wallet::new(*fest.key(), balance)).collect();
    fest.insert_many(&wallets).await.unwrap();
    let tally = Tally::default();
    let mut tasks = JoinSet::new();
    for (task, wallet) in wallets.iter().cycle().take(2_000).cloned().enumerate() {
        let (fest, tally) = (fest.clone(), tally.clone());
        tasks.spawn(async move {
            let polls = if task % 3 == 0 { task % 7 } else { usize::MAX };
            let work = async {
                assert_eq!(fest.get::<Wallet>(wallet.id).await?, wallet, "a reply went to the wrong task");
                if task % 5 == 0 {
                    fest.update(&wallet).await?;
                }
                Ok(())
            };
            tally.count(polls, work).await;
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    tally.assert_enough(1_000, 50);
    idle(&cluster, NAME).await;
    assert_eq!(fest.get::<Wallet>(wallets[7].id).await.unwrap(), wallets[7]);
}

/// A read that takes longer than `pool.shared_limit`.
fn slow<'a>() -> Sql<'a> {
    sql!("SELECT count(*) FROM generate_series(1, 8000000) AS i")
}

async fn a_slow_read_is_moved_to_a_connection_of_its_own(place: Place) {
    let (cluster, fest, wallet) = warm(prepared(place, "shared-slow").await).await;
    let counted = async {
        assert_eq!(fest.query_one_as::<(i64,)>(slow()).await.unwrap().0, 8_000_000);
    };
    let meanwhile = async {
        for _ in 0..200 {
            fest.get::<Wallet>(wallet.id).await.unwrap();
        }
    };
    tokio::join!(counted, meanwhile);
    assert_eq!(cluster.metrics().moved, 1);
    // What was slow once goes there at once.
    assert_eq!(fest.query_one_as::<(i64,)>(slow()).await.unwrap().0, 8_000_000);
    let own = fest.transaction(async |tx: Transaction| tx.query_one_as::<(i64,)>(slow()).await).await;
    assert_eq!(own.unwrap().0, 8_000_000);
    assert_eq!(cluster.metrics().moved, 1);
    assert_eq!(cluster.metrics().errors, 0);
}

async fn a_write_that_waits_for_a_lock_is_moved_and_holds_nobody_up(place: Place) {
    // What took long on a busy machine is held for slow, and has a connection of its own from the start.
    for _ in 0..5 {
        if is_moved_while_it_waits(place).await {
            return;
        }
    }
    panic!("it was never moved");
}

async fn is_moved_while_it_waits(place: Place) -> bool {
    let (cluster, fest, held) = warm(prepared(place, "shared-lock").await).await;
    let others: Vec<Wallet> = (0..20).map(|_| Wallet::new(*fest.key(), 1)).collect();
    fest.insert_many(&others).await.unwrap();
    let (locked, is_locked) = tokio::sync::oneshot::channel();
    let (release, released) = tokio::sync::oneshot::channel();
    let holder = fest.transaction(async |tx: Transaction| {
        tx.update(&held).await?;
        locked.send(()).unwrap();
        released.await.unwrap();
        Ok::<_, shardwise::Error>(())
    });
    let waiting = async {
        is_locked.await.unwrap();
        let waits = tokio::spawn({
            let (fest, held) = (fest.clone(), held.clone());
            async move { fest.update(&Wallet { balance: 7, ..held }).await }
        });
        let moved = async {
            while cluster.metrics().moved == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let is_moved = tokio::time::timeout(Duration::from_secs(3), moved).await.is_ok();
        // It still waits; they don't.
        for other in &others {
            fest.update(other).await.unwrap();
        }
        assert!(!waits.is_finished());
        release.send(()).unwrap();
        waits.await.unwrap().unwrap();
        is_moved
    };
    let (holder, is_moved) = tokio::join!(holder, waiting);
    holder.unwrap();
    assert_eq!(fest.get::<Wallet>(held.id).await.unwrap().balance, 7);
    assert_eq!(cluster.metrics().errors, 0);
    is_moved
}

/// What a transaction writes on the side may stand in line behind a write that waits for that transaction's own lock.
async fn a_transaction_that_writes_besides_itself_does_not_wait_for_itself(place: Place) {
    let (_, fest, held) = warm(prepared(place, "shared-aside").await).await;
    let aside = Wallet::new(*fest.key(), 1);
    let mut waits = None;
    fest.transaction(async |tx: Transaction| {
        tx.update(&held).await?;
        waits = Some(tokio::spawn({
            let (fest, held) = (fest.clone(), held.clone());
            async move { fest.update(&Wallet { balance: 7, ..held }).await }
        }));
        tokio::time::sleep(Duration::from_millis(20)).await;
        fest.insert(&aside).await
    })
    .await
    .unwrap();
    waits.unwrap().await.unwrap().unwrap();
    assert_eq!(fest.get::<Wallet>(held.id).await.unwrap().balance, 7);
    assert_eq!(fest.get::<Wallet>(aside.id).await.unwrap(), aside);
}

async fn connections_that_are_ended_from_outside_are_replaced(place: Place) {
    const NAME: &str = "shared-ended";
    let config = prepared(place, NAME).await;
    let other = Cluster::connect(config.clone().with_application_name("shared-ender")).await.unwrap();
    let (cluster, fest, wallet) = warm(config).await;
    for _ in 0..5 {
        let end = match place {
            Place::Single => unscoped_sql!(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'shared-ended'"
            ),
            Place::Citus(_) => unscoped_sql!(
                "SELECT count(*) FROM run_command_on_all_nodes($$SELECT count(pg_terminate_backend(pid)) FROM \
                 pg_stat_activity WHERE application_name = 'shared-ended'$$)"
            ),
        };
        other.coordinator().query(end).await.unwrap();
        let reads = (0..32).map(|_| fest.get::<Wallet>(wallet.id));
        for read in futures_util::future::join_all(reads).await {
            assert_eq!(read.unwrap(), wallet);
        }
    }
    assert_eq!(cluster.metrics().errors, 0);
}

async fn what_does_not_fit_is_told_at_once(place: Place) {
    let config =
        with_pool(place, "shared-full", |pool| PoolConfig { max_connections: 1, max_waiting: 3, ..pool }).await;
    let cluster = Cluster::connect(config).await.unwrap();
    let fest = cluster.tenant(Uuid::new_v4()).await.unwrap();
    let wallet = Wallet::new(*fest.key(), 1);
    let waiting = fest
        .transaction(async |tx: Transaction| {
            tx.insert(&wallet).await?;
            // Three wait for the connection of this transaction.
            let waiting: Vec<_> = (0..3)
                .map(|_| {
                    let (fest, id) = (fest.clone(), wallet.id);
                    tokio::spawn(async move { fest.find::<Wallet>(id).await })
                })
                .collect();
            tokio::time::sleep(Duration::from_millis(50)).await;
            let error = fest.find::<Wallet>(wallet.id).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Overloaded);
            assert!(error.is_retryable() && error.to_string().contains("`pool.max_waiting`"), "{error}");
            assert!(waiting.iter().all(|one| !one.is_finished()));
            Ok::<_, shardwise::Error>(waiting)
        })
        .await
        .unwrap();
    for one in waiting {
        assert_eq!(one.await.unwrap().unwrap().as_ref(), Some(&wallet));
    }
    assert_eq!(fest.get::<Wallet>(wallet.id).await.unwrap(), wallet);
}

/// A document that ends in the middle, by a panic.
#[derive(Debug, Deserialize)]
struct Panics;

impl Serialize for Panics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_map(None)?;
        document.serialize_entry("written", &"x".repeat(100))?;
        // As a panic does, without its words in the output.
        std::panic::resume_unwind(Box::new("as it is written"))
    }
}

/// A shared connection has one buffer, in which half of a message would stand before the next one's.
async fn a_value_whose_code_panics_breaks_nothing(place: Place) {
    let (cluster, fest, wallet) = warm(prepared(place, "shared-panics").await).await;
    let panicking = || {
        let documents = sql!(
            "SELECT balance FROM wallets WHERE festival_id = :festival_id AND to_jsonb(note) = :document",
            entities(Wallet),
            document = Json(Panics)
        );
        let fest = fest.clone();
        async move { fest.query(documents).await }
    };
    for _ in 0..20 {
        let reads = futures_util::future::join_all((0..16).map(|_| fest.get::<Wallet>(wallet.id)));
        let (failed, reads, also) = tokio::join!(panicking(), reads, panicking());
        for error in [failed.unwrap_err(), also.unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::Codec, "{error}");
            assert!(error.to_string().contains("`Serialize` panicked: it was not sent"), "{error}");
        }
        for read in reads {
            assert_eq!(read.unwrap(), wallet);
        }
    }
    fest.transaction(async |tx: Transaction| {
        let document = unchecked("SELECT :document::jsonb").bind("document", Json(Panics));
        assert_eq!(tx.query(document).await.unwrap_err().kind(), ErrorKind::Codec);
        Ok::<_, shardwise::Error>(())
    })
    .await
    .unwrap_err();
    fest.update(&wallet).await.unwrap();
    assert_eq!(cluster.metrics().retries, 0);
}

async fn idle_ones_are_closed_and_old_ones_replaced(place: Place) {
    let brief = Duration::from_millis(300);
    let idle = with_pool(place, "shared-idle", |pool| PoolConfig { idle_timeout: brief, min_idle: 0, ..pool }).await;
    let (cluster, fest, wallet) = warm(idle).await;
    let open = cluster.health().await.unwrap().connections;
    let closed = async {
        while cluster.health().await.unwrap().connections >= open {
            tokio::time::sleep(brief).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), closed).await.expect("idle connections stay open");

    let old = with_pool(place, "shared-old", |pool| PoolConfig { max_lifetime: brief, ..pool }).await;
    let (cluster, other, _) = warm(old).await;
    let aged = Wallet::new(*other.key(), 5);
    other.insert(&aged).await.unwrap();
    for _ in 0..100 {
        assert_eq!(other.get::<Wallet>(aged.id).await.unwrap(), aged);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(cluster.metrics().errors, 0);
    assert_eq!(fest.get::<Wallet>(wallet.id).await.unwrap(), wallet);
}
