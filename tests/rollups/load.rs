//! Many write as they like, sessions are killed, and at each moment the rollup is what a recount gives.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::ToSpan;
use jiff::civil::Date;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use shardwise::{Error, Tenant, Uuid};
use tokio::task::JoinSet;

use super::stage::{DIFFERING, Stage, entry, session};
use crate::support::model::{Entry, Wallet};
use crate::support::place::{Place, in_both_modes};

in_both_modes![@on_two_threads: whoever_writes_what_the_sums_are_right, writers_of_one_group_get_by_each_other];

const WRITERS: u64 = 64;
const TENANTS: usize = 5;
const TIME: Duration = Duration::from_secs(12);

#[derive(Default)]
struct Tally {
    stop: AtomicBool,
    done: AtomicU64,
    /// Transactions that were rolled back on purpose.
    undone: AtomicU64,
    /// What failed because its session was killed.
    killed: AtomicU64,
    checks: AtomicU64,
}

async fn whoever_writes_what_the_sums_are_right(place: Place) {
    let seed: u64 = std::env::var("TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
    println!("TEST_SEED={seed}");
    let stage = Stage::rolled_up(place).await;
    let month = stage.month().await;
    let mut wallets = Vec::new();
    for _ in 0..TENANTS {
        let festival = Uuid::new_v4();
        for _ in 0..3 {
            wallets.push(stage.wallet_of(festival).await);
        }
    }
    let (tally, mut tasks) = (Arc::new(Tally::default()), JoinSet::new());
    for number in 0..WRITERS {
        let festival = &wallets[usize::try_from(number).unwrap() % TENANTS * 3];
        let own: Vec<Wallet> =
            wallets.iter().filter(|wallet| wallet.festival_id == festival.festival_id).cloned().collect();
        let fest = stage.cluster.tenant(festival.festival_id).await.unwrap();
        let (tally, random) = (tally.clone(), StdRng::seed_from_u64(seed ^ number));
        tasks.spawn(write(fest, own, month, random, tally));
    }
    for _ in 0..2 {
        let (config, tally) = (stage.config.clone(), tally.clone());
        tasks.spawn(async move {
            let mut client = session(&config).await;
            while !tally.stop.load(Ordering::SeqCst) {
                match client.query_one(DIFFERING, &[]).await {
                    Ok(row) => {
                        assert_eq!(row.get::<_, i64>(0), 0, "groups differ while others write");
                        tally.checks.fetch_add(1, Ordering::SeqCst);
                    }
                    // It is killed itself, or a session that it has on a worker.
                    Err(error) => {
                        let code = error.code().map(|code| code.code().to_owned());
                        let is_lost = |code: &str| code == "57P01" || code.starts_with("08");
                        assert!(error.is_closed() || code.as_deref().is_some_and(is_lost), "{error:?}");
                        client = session(&config).await;
                    }
                }
                tokio::time::sleep(Duration::from_millis(150)).await;
            }
        });
    }
    let killers = kill_sessions(&stage, seed, &tally).await;
    let mut stopped = tasks;
    while let Some(outcome) = stopped.join_next().await {
        outcome.unwrap();
    }
    stage.assert_exact("the end").await;
    let get = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
    let rows = stage.number("SELECT count(*) FROM entries").await;
    let parts = stage
        .number("SELECT max(parts) FROM (SELECT count(*) AS parts FROM daily_stats_parts GROUP BY festival_id, day) p")
        .await;
    println!(
        "ROLLUPS {}: {WRITERS} writers, {} writes, {} rolled back, {killers} sessions killed ({} writes failed by it), {} recounts \
         meanwhile, {rows} rows at the end, 0 groups differ, at most {parts} parts",
        place.pick("single", "citus"),
        get(&tally.done),
        get(&tally.undone),
        get(&tally.killed),
        get(&tally.checks),
    );
    assert!(get(&tally.undone) > 10 && get(&tally.checks) > 3 && killers > 0, "too little happened to tell anything");
}

/// Ends sessions of the writers now and then, until the time is over.
async fn kill_sessions(stage: &Stage, seed: u64, tally: &Tally) -> u64 {
    let (since, mut random, mut killed) = (Instant::now(), StdRng::seed_from_u64(!seed), 0);
    let kill = "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity \
                WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' \
                AND query ~* 'entries' AND query !~ 'WITH days' ORDER BY random() LIMIT 2) chosen";
    let everywhere = format!(
        "SELECT coalesce(sum(result::bigint), 0)::bigint FROM run_command_on_all_nodes($kill${kill}$kill$) WHERE success"
    );
    let kill = stage.place.pick(kill, everywhere.as_str());
    while since.elapsed() < TIME {
        tokio::time::sleep(Duration::from_millis(random.random_range(100..700))).await;
        killed += u64::try_from(stage.number(kill).await).unwrap();
    }
    tally.stop.store(true, Ordering::SeqCst);
    killed
}

/// Inserts, changes, deletes, copies and rolls back, by chance. Every write that failed was one of a killed session's.
async fn write(fest: Tenant, wallets: Vec<Wallet>, month: Date, mut random: StdRng, tally: Arc<Tally>) {
    let mut own: Vec<Uuid> = Vec::new();
    while !tally.stop.load(Ordering::SeqCst) {
        let wallet = &wallets[random.random_range(0..wallets.len())];
        // Late rows, in partitions of months ago.
        let day = month - i64::from(random.random_range(0..70_u8)).days();
        let day = if random.random_bool(0.6) { month } else { day };
        let row = entry(wallet, random.random_range(-500..500), day);
        let chosen = own.get(random.random_range(0..own.len().max(1))).copied();
        let (what, undo) = (random.random_range(0..100), random.random_bool(0.5));
        let outcome = match (what, chosen) {
            (0..30, _) | (_, None) => {
                own.push(row.id);
                fest.insert(&row).await
            }
            (30..45, Some(id)) => {
                fest.transaction(async |tx| {
                    tx.insert(&row).await?;
                    tx.update_columns::<Entry>(row.id).set(Entry::AMOUNT, -row.amount).run().await?;
                    tx.delete::<Entry>(id).await?;
                    if undo { Err(tx.get::<Entry>(Uuid::new_v4()).await.unwrap_err()) } else { Ok(()) }
                })
                .await
            }
            (45..60, Some(id)) => {
                let other = wallets[0].id;
                fest.update_columns::<Entry>(id)
                    .set(Entry::AMOUNT, 17)
                    .set(Entry::WALLET_ID, other)
                    .run()
                    .await
                    .map(drop)
            }
            (60..75, Some(id)) => fest.delete::<Entry>(id).await.map(drop),
            // To another day, and perhaps to another partition, beside whoever else changes it.
            (75..85, Some(id)) => {
                let upserted = Entry { id, ..row };
                fest.upsert(&upserted).await
            }
            (85..92, Some(_)) => {
                let rows: Vec<_> = (0..20).map(|n| entry(wallet, n - 5, month - (n % 4).days())).collect();
                own.extend(rows.iter().map(|row| row.id));
                fest.insert_many(&rows).await.map(drop)
            }
            (92..96, Some(_)) => copy(&fest, wallet, month).await,
            (_, Some(_)) => {
                fest.transaction(async |tx| {
                    tx.insert(&row).await?;
                    let rows = [entry(wallet, 1, month), entry(wallet, 2, month), row.clone()];
                    let inner = tx.savepoint(async |tx| tx.insert_many(&rows).await).await;
                    match inner {
                        Err(error) if error.is_unique_violation() => Ok(()),
                        other => other.map(drop),
                    }
                })
                .await
            }
        };
        match outcome {
            Ok(()) => tally.done.fetch_add(1, Ordering::SeqCst),
            Err(error) if error.kind() == shardwise::ErrorKind::NotFound => tally.undone.fetch_add(1, Ordering::SeqCst),
            // The row of this id may be in two partitions by then.
            Err(error) if error.is_unique_violation() => tally.undone.fetch_add(1, Ordering::SeqCst),
            Err(error) => {
                let deadlock = error.code().is_some_and(|code| code.code() == "40P01");
                assert!(!deadlock, "{error:?}");
                tally.killed.fetch_add(1, Ordering::SeqCst)
            }
        };
    }
}

async fn copy(fest: &Tenant, wallet: &Wallet, month: Date) -> Result<(), Error> {
    let mut copy = fest.copy_in::<Entry>().await?;
    for n in 0..30_i64 {
        copy.send(&entry(wallet, n - 10, month - (n % 40).days())).await?;
    }
    copy.finish().await.map(drop)
}

/// Payments of one festival and day, in transactions that lock rows of their own before and after the entry: in a single row
/// of sums they would wait for each other, and in a circle.
async fn writers_of_one_group_get_by_each_other(place: Place) {
    let stage = Stage::rolled_up(place).await;
    let (festival, month) = (Uuid::new_v4(), stage.month().await);
    let shared = stage.wallet_of(festival).await;
    let (stop, mut tasks) = (Arc::new(AtomicBool::new(false)), JoinSet::new());
    for number in 0..WRITERS {
        let (wallet, shared, stop) = (stage.wallet_of(festival).await, shared.clone(), stop.clone());
        let fest = stage.cluster.tenant(festival).await.unwrap();
        tasks.spawn(async move {
            let mut payments = 0_u64;
            while !stop.load(Ordering::SeqCst) {
                let row = entry(&wallet, 1, month);
                // Half of them take the common row first, half the sums.
                let outcome: Result<(), Error> = fest
                    .transaction(async |tx| {
                        if number % 2 == 0 {
                            tx.update_columns::<Wallet>(shared.id).add(Wallet::BALANCE, 1).run().await?;
                        }
                        tx.insert(&row).await?;
                        if number % 2 == 1 {
                            tx.update_columns::<Wallet>(shared.id).add(Wallet::BALANCE, 1).run().await?;
                        }
                        Ok(())
                    })
                    .await;
                outcome.unwrap();
                payments += 1;
            }
            payments
        });
    }
    let since = Instant::now();
    while since.elapsed() < Duration::from_secs(5) {
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(stage.number(DIFFERING).await, 0);
    }
    stop.store(true, Ordering::SeqCst);
    let mut payments = 0;
    while let Some(one) = tasks.join_next().await {
        payments += one.unwrap();
    }
    stage.assert_exact("the end").await;
    println!(
        "ROLLUPS {}: {WRITERS} writers of one group, {payments} payments, none failed",
        place.pick("single", "citus")
    );
}
