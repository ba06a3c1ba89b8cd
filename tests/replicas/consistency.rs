//! How old what is read may be, and read-your-writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::TryStreamExt as _;
use shardwise::config::{Consistency, Otherwise, ReadsConfig};
use shardwise::{Cluster, Error, ErrorKind, Isolation, Position, Route, Tenant, Transaction, TransactionOptions, Uuid};
use tokio::task::JoinSet;
use tokio_postgres::error::SqlState;

use super::{FRESH, Stage, caught_up, taken};
use crate::support::direct::{address, connect, on};
use crate::support::model::Wallet;
use crate::support::proxy::Proxy;

const PAUSE: &str = "SELECT pg_wal_replay_pause()";
const RESUME: &str = "SELECT pg_wal_replay_resume()";

/// Has the standby apply everything so much later.
async fn delay(stage: &Stage, delay: &str) {
    let standby = &stage.primary.standbys()[0];
    on(standby, &format!("ALTER SYSTEM SET recovery_min_apply_delay = '{delay}'")).await;
    on(standby, "SELECT pg_reload_conf()").await;
}

async fn with_wallet(stage: &Stage) -> (Cluster, Tenant, Wallet) {
    let cluster = stage.cluster().await;
    let fest = cluster.tenant(Uuid::new_v4()).await.unwrap();
    let wallet = Wallet::new(*fest.key(), 100);
    fest.insert(&wallet).await.unwrap();
    (cluster, fest, wallet)
}

#[tokio::test]
async fn reads_come_from_a_standby_and_writes_do_not() {
    let stage = Stage::with_standbys(1).await;
    let (cluster, fest, wallet) = with_wallet(&stage).await;
    let reading = fest.clone().with_consistency(FRESH);
    caught_up(&reading, async |fest| fest.find::<Wallet>(wallet.id).await.unwrap().is_some()).await;
    let (replica, single) = (taken(&cluster, Route::Replica), taken(&cluster, Route::Single));
    assert_eq!(reading.get::<Wallet>(wallet.id).await.unwrap(), wallet);
    assert_eq!(reading.select::<Wallet>().all().await.unwrap(), std::slice::from_ref(&wallet));
    assert_eq!(reading.count::<Wallet>().await.unwrap(), 1);
    let streamed: Vec<Wallet> = reading.select::<Wallet>().stream().await.unwrap().try_collect().await.unwrap();
    assert_eq!(streamed.len(), 1);
    let copied: Vec<Wallet> = reading.copy_out::<Wallet>().await.unwrap().try_collect().await.unwrap();
    assert_eq!(copied.len(), 1);
    let read_only = TransactionOptions::new().read_only();
    for (options, route) in [
        (read_only, Route::Replica),
        (read_only.isolation(Isolation::RepeatableRead), Route::Replica),
        // A standby takes none.
        (read_only.isolation(Isolation::Serializable), Route::Single),
    ] {
        let took = reading.transaction_with(options, async |tx: Transaction| {
            tx.get::<Wallet>(wallet.id).await?;
            tx.route()
        });
        assert_eq!(took.await.unwrap(), route);
    }
    assert_eq!((taken(&cluster, Route::Replica) - replica, taken(&cluster, Route::Single) - single), (7, 1));
    reading.update(&Wallet { balance: 1, ..wallet.clone() }).await.unwrap();
    reading.transaction(async |tx: Transaction| tx.get::<Wallet>(wallet.id).await).await.unwrap();
    assert_eq!(taken(&cluster, Route::Single) - single, 3);
    assert_eq!(reading.route().unwrap(), Route::Single, "of whatever it may do");
    let [replica] = &cluster.replicas()[..] else { panic!("there is one") };
    assert!(replica.is_up && replica.lag.unwrap() < Duration::from_secs(1), "{replica:?}");
}

#[tokio::test]
async fn an_idle_primary_makes_no_standby_old() {
    let stage = Stage::with_standbys(1).await;
    let (_, fest, wallet) = with_wallet(&stage).await;
    let brief = Consistency::replica_ok(Duration::from_millis(600), Otherwise::Fail);
    let reading = fest.with_consistency(brief);
    caught_up(&reading, async |fest| fest.find::<Wallet>(wallet.id).await.is_ok_and(|found| found.is_some())).await;
    // By its own clock it is seconds behind by now: `now() - pg_last_xact_replay_timestamp()`.
    tokio::time::sleep(Duration::from_secs(3)).await;
    for _ in 0..20 {
        assert_eq!(reading.get::<Wallet>(wallet.id).await.unwrap(), wallet);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn where_no_standby_is_fresh_a_named_policy_decides() {
    let stage = Stage::with_standbys(1).await;
    let (cluster, fest, wallet) = with_wallet(&stage).await;
    let failing = fest.clone().with_consistency(FRESH);
    caught_up(&failing, async |fest| fest.find::<Wallet>(wallet.id).await.is_ok_and(|found| found.is_some())).await;
    let standby = &stage.primary.standbys()[0];
    on(standby, PAUSE).await;
    let written = tokio::time::Instant::now();
    fest.update(&Wallet { balance: 7, ..wallet.clone() }).await.unwrap();
    let refused = loop {
        match failing.get::<Wallet>(wallet.id).await {
            // No older than was asked for: the write is not seen for a second at most.
            Ok(old) => assert!(old.balance == 100 && written.elapsed() < Duration::from_millis(1_500)),
            Err(error) => break error,
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(refused.kind(), ErrorKind::NoReplica);
    assert!(refused.is_retryable() && refused.to_string().contains("older than 1s"), "{refused}");
    let spilling = fest.clone().with_consistency(Consistency::replica_ok(Duration::from_secs(1), Otherwise::Primary));
    let before = cluster.metrics().fallbacks;
    assert_eq!(spilling.get::<Wallet>(wallet.id).await.unwrap().balance, 7);
    assert_eq!(cluster.metrics().fallbacks - before, 1);
    on(standby, RESUME).await;
    caught_up(&failing, async |fest| fest.get::<Wallet>(wallet.id).await.is_ok_and(|it| it.balance == 7)).await;
    // One that is gone is as good as none.
    standby.kill().await.unwrap();
    assert_eq!(spilling.get::<Wallet>(wallet.id).await.unwrap().balance, 7);
    let gone = async {
        while failing.get::<Wallet>(wallet.id).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone).await.unwrap();
    standby.restart().await.unwrap();
    caught_up(&failing, async |fest| fest.get::<Wallet>(wallet.id).await.is_ok()).await;
}

#[tokio::test]
async fn what_a_query_on_a_standby_loses_to_replaying_is_read_from_the_primary() {
    let stage = Stage::with_standbys(1).await;
    let (cluster, fest, wallet) = with_wallet(&stage).await;
    let standby = &stage.primary.standbys()[0];
    on(standby, "ALTER SYSTEM SET max_standby_streaming_delay = 0").await;
    on(standby, "SELECT pg_reload_conf()").await;
    let reading = fest.clone().with_consistency(Consistency::replica_ok(Duration::from_secs(60), Otherwise::Primary));
    caught_up(&reading, async |fest| fest.find::<Wallet>(wallet.id).await.unwrap().is_some()).await;
    let replica = taken(&cluster, Route::Replica);
    // Holds a snapshot on the standby while the primary takes the table's rows away.
    let read = crate::support::unchecked("SELECT count(*) FROM wallets, generate_series(1, 6000000)");
    let slow = async { reading.query_one_as::<(i64,)>(read).await };
    let vacuum = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        on(&stage.primary, "ALTER TABLE wallets ADD COLUMN another int").await;
    };
    let (read, ()) = tokio::join!(slow, vacuum);
    assert_eq!(read.unwrap().0, 6_000_000);
    assert_eq!(taken(&cluster, Route::Replica) - replica, 1);
    assert_eq!(cluster.metrics().fallbacks, 1);
}

/// Writes and reads back, many times at once. Returns how many reads a standby served.
async fn pairs(stage: &Stage, count: u64, wait: Duration) -> (u64, u64) {
    let reads = ReadsConfig { consistency: Consistency::Session, wait, ..ReadsConfig::default() };
    let cluster = Cluster::connect(stage.config.clone().with_reads(reads).unwrap()).await.unwrap();
    let (done, stale) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut tasks = JoinSet::new();
    for task in 0..50 {
        let (cluster, done, stale) = (cluster.clone(), done.clone(), stale.clone());
        tasks.spawn(async move {
            let id = Uuid::new_v4();
            let mut fest = cluster.tenant(id).await.unwrap();
            let mut wallet = Wallet::new(id, 0);
            fest.insert(&wallet).await.unwrap();
            let mut round = 0;
            while done.fetch_add(1, Ordering::Relaxed) < count {
                round += 1;
                wallet.balance = round;
                match (task + round) % 4 {
                    0 => fest.update(&wallet).await.unwrap(),
                    1 => fest.transaction(async |tx: Transaction| tx.update(&wallet).await).await.unwrap(),
                    2 => fest.pipeline().update(&wallet).commit().await.unwrap(),
                    _ => {
                        fest.update_columns::<Wallet>(wallet.id).set(Wallet::BALANCE, round).run().await.unwrap();
                    }
                }
                if round % 5 == 0 {
                    // The next request, which has the position from a cookie.
                    let position: Position = fest.position().unwrap().to_string().parse().unwrap();
                    fest = cluster.tenant(id).await.unwrap().after(position);
                }
                let read = fest.get::<Wallet>(wallet.id).await.unwrap();
                stale.fetch_add(u64::from(read.balance != round), Ordering::Relaxed);
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    let stale = stale.load(Ordering::Relaxed);
    println!(
        "{count} pairs, {stale} stale, {} read from the standby, {} fell back",
        taken(&cluster, Route::Replica),
        cluster.metrics().fallbacks
    );
    (stale, taken(&cluster, Route::Replica))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_sees_its_writes_with_a_standby_that_is_two_seconds_behind() {
    let stage = Stage::with_standbys(1).await;
    delay(&stage, "2s").await;
    let (cluster, fest, wallet) = with_wallet(&stage).await;
    let session = fest.with_consistency(Consistency::Session);
    for balance in 1..100 {
        session.update(&Wallet { balance, ..wallet.clone() }).await.unwrap();
        let copied: Vec<Wallet> = session.copy_out::<Wallet>().await.unwrap().try_collect().await.unwrap();
        assert_eq!(copied[0].balance, balance);
    }
    assert_eq!(taken(&cluster, Route::Replica), 0);
    let (stale, _) = pairs(&stage, 10_000, Duration::from_millis(1)).await;
    assert_eq!(stale, 0);
    // What was written longer ago comes from the standby.
    let (cluster, fest, wallet) = with_wallet(&stage).await;
    let session = fest.with_consistency(Consistency::Session);
    session.update(&Wallet { balance: 1, ..wallet.clone() }).await.unwrap();
    caught_up(&session, async |session| {
        assert_eq!(session.get::<Wallet>(wallet.id).await.unwrap().balance, 1);
        taken(&cluster, Route::Replica) > 0
    })
    .await;
    let replica = taken(&cluster, Route::Replica);
    let copied: Vec<Wallet> = session.copy_out::<Wallet>().await.unwrap().try_collect().await.unwrap();
    assert_eq!((copied[0].balance, taken(&cluster, Route::Replica)), (1, replica + 1));
}

/// Whatever is known of a standby, it is asked right before the read.
#[tokio::test]
async fn a_standby_that_was_set_back_is_found_out_by_the_read_itself() {
    let stage = Stage::with_standbys(2).await;
    let [ahead, behind] = [0, 1].map(|at| &stage.primary.standbys()[at]);
    let proxy = Proxy::to(address(ahead).port).await;
    // Nobody asks it in between.
    let rarely = Duration::from_secs(3_000);
    let reads = ReadsConfig { max_lag: rarely * 2, probe_interval: rarely, ..ReadsConfig::default() };
    let config = stage.config.clone().with_reads(reads).unwrap();
    let config = config.with_replicas([format!("127.0.0.1:{}", proxy.port).parse().unwrap()]).unwrap();
    on(behind, PAUSE).await;
    let cluster = Cluster::connect(config).await.unwrap();
    let fest = cluster.tenant(Uuid::new_v4()).await.unwrap().with_consistency(Consistency::Session);
    let wallet = Wallet::new(*fest.key(), 100);
    fest.insert(&wallet).await.unwrap();
    let is_from_standby = async || {
        let before = taken(&cluster, Route::Replica);
        let copied: Vec<Wallet> = fest.copy_out::<Wallet>().await.unwrap().try_collect().await.unwrap();
        assert_eq!(copied, std::slice::from_ref(&wallet));
        taken(&cluster, Route::Replica) > before
    };
    caught_up(&fest, async |_| is_from_standby().await).await;
    let before = cluster.metrics().fallbacks;
    proxy.lead_to(address(behind).port);
    assert!(!is_from_standby().await);
    assert_eq!(fest.get::<Wallet>(wallet.id).await.unwrap(), wallet);
    assert!(cluster.metrics().fallbacks >= before + 2);
    on(behind, RESUME).await;
}

/// What a deployment creates on the primary is on a standby a moment later: until then the primary answers.
#[tokio::test]
async fn a_table_that_has_not_come_to_the_standby_is_read_from_the_primary() {
    let stage = Stage::with_standbys(1).await;
    let (cluster, fest, wallet) = with_wallet(&stage).await;
    let fresh = fest.clone().with_consistency(FRESH);
    caught_up(&fresh, async |fresh| fresh.count::<Wallet>().await.is_ok_and(|count| count == 1)).await;
    on(&stage.primary, "ALTER TABLE wallets RENAME TO later").await;
    let standby = &stage.primary.standbys()[0];
    let is_gone = "SELECT to_regclass('wallets') IS NULL AND to_regclass('later') IS NOT NULL";
    let client = connect(standby, standby.config().database()).await.unwrap();
    caught_up(&fest, async |_| client.query_one(is_gone, &[]).await.unwrap().get(0)).await;
    on(standby, PAUSE).await;
    on(&stage.primary, "ALTER TABLE later RENAME TO wallets").await;
    let wait = Duration::from_secs(60);
    for (consistency, answers) in [
        (Consistency::replica_ok(wait, Otherwise::Primary), true),
        (Consistency::replica_ok(wait, Otherwise::Fail), false),
    ] {
        let reading = fest.clone().with_consistency(consistency);
        let before = cluster.metrics().fallbacks;
        let read = reading.get::<Wallet>(wallet.id).await;
        let copied = async { reading.copy_out::<Wallet>().await?.try_collect::<Vec<Wallet>>().await };
        match (answers, read, copied.await) {
            (true, Ok(read), Ok(copied)) => assert_eq!((&read, &copied[..]), (&wallet, std::slice::from_ref(&wallet))),
            (false, Err(read), Err(copied)) => {
                assert_eq!([read.code(), copied.code()], [Some(&SqlState::UNDEFINED_TABLE); 2], "{read}\n{copied}");
            }
            (_, read, copied) => panic!("{read:?}\n{copied:?}"),
        }
        assert_eq!(cluster.metrics().fallbacks - before, if answers { 2 } else { 0 });
    }
    on(standby, RESUME).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_sees_its_writes_on_a_standby_that_keeps_up() {
    let stage = Stage::with_standbys(1).await;
    let (stale, replica) = pairs(&stage, 3_000, Duration::from_secs(2)).await;
    assert_eq!(stale, 0);
    assert!(replica > 2_500, "{replica}");
}

#[tokio::test]
async fn a_position_of_another_node_is_read_from_the_primary() {
    let stage = Stage::with_standbys(1).await;
    let (cluster, fest, wallet) = with_wallet(&stage).await;
    for position in ["9:0/1", "0:FFFFFFF0/0"] {
        let before = cluster.metrics().fallbacks;
        let session = fest.clone().after(position.parse().unwrap());
        assert_eq!(session.get::<Wallet>(wallet.id).await.unwrap(), wallet);
        assert_eq!(cluster.metrics().fallbacks - before, 1, "{position}");
    }
    assert!(fest.position().is_none());
    let untouched = fest.with_consistency(Consistency::Session);
    assert!(untouched.position().is_none());
    untouched.transaction(async |_| Ok::<_, Error>(())).await.unwrap();
    assert!(untouched.position().is_none());
    untouched.update(&wallet).await.unwrap();
    assert!(untouched.clone().position().is_some());
}
