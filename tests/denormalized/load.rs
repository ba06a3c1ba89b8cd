//! Many write as they like, those who are followed change, sessions are killed and shards move; and at each moment all rows have
//! what they follow.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use shardwise::session::TransactionOptions;
use shardwise::{Cluster, Error, Tenant, Uuid};
use tokio::task::JoinSet;

use super::stage::{Booth, DIFFERING, Sale, Stage, sale, session, stage};
use crate::support::model::Festival;
use crate::support::place::{Place, in_both_modes};

in_both_modes![@on_two_threads: whoever_writes_rows_have_what_they_follow];

const WRITERS: u64 = 48;
const TIME: Duration = Duration::from_secs(12);
const LONGEST: Duration = Duration::from_secs(90);

#[derive(Default)]
struct Tally {
    stop: AtomicBool,
    written: AtomicU64,
    renamed: AtomicU64,
    /// Of those that failed for a killed session, and of deadlocks that were no longer tried.
    failed: AtomicU64,
    checks: AtomicU64,
}

async fn whoever_writes_rows_have_what_they_follow(place: Place) {
    let seed: u64 = std::env::var("TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
    println!("TEST_SEED={seed}");
    let stage = stage(place).await;
    let (tally, mut tasks) = (Arc::new(Tally::default()), JoinSet::new());
    let mut festivals = Vec::new();
    for _ in 0..4 {
        festivals.push(stage.festival(5).await);
    }
    for number in 0..WRITERS {
        let (fest, booths) = festivals[usize::try_from(number).unwrap() % 4].clone();
        let random = StdRng::seed_from_u64(seed ^ number);
        tasks.spawn(write(stage.cluster.clone(), fest, booths, random, tally.clone()));
    }
    let (config, checking) = (stage.config.clone(), tally.clone());
    tasks.spawn(async move {
        let client = session(&config).await;
        while !checking.stop.load(Ordering::SeqCst) {
            let differing: i64 = client.query_one(DIFFERING, &[]).await.unwrap().get(0);
            // On Citus each shard is seen at a moment of its own, and a festival's name is in a table of its own.
            assert!(differing == 0 || place.is_citus(), "{differing} rows differ while others write");
            checking.checks.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    let moves = disturb(&stage, seed, &tally).await;
    while let Some(outcome) = tasks.join_next().await {
        outcome.unwrap();
    }
    stage.assert_followed("the end").await;
    let get = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
    println!(
        "DENORMALISED {}: {WRITERS} writers, {} writes, {} names changed, {} failed with their sessions or for a deadlock, {moves} \
         sessions killed or shards moved, {} checks meanwhile, {} rows, 0 differ",
        place.pick("single", "citus"),
        get(&tally.written),
        get(&tally.renamed),
        get(&tally.failed),
        get(&tally.checks),
        stage.number("SELECT count(*) FROM sales").await,
    );
    assert!(get(&tally.renamed) > 50 && get(&tally.written) > 200 && moves > 0, "too little happened to tell anything");
}

/// Kills sessions of the writers; on Citus moves shards in place of that. Until the time is over.
async fn disturb(stage: &Stage, seed: u64, tally: &Tally) -> u64 {
    let (since, mut random, mut count) = (Instant::now(), StdRng::seed_from_u64(!seed), 0);
    let kill = "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity \
                WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' \
                AND query ~* 'sales|booths' AND query !~ 'JOIN booths' ORDER BY random() LIMIT 2) chosen";
    let shard = "SELECT min(p.shardid)::bigint FROM pg_dist_placement p JOIN pg_dist_shard s USING (shardid) \
                 WHERE s.logicalrelid = 'booths'::regclass AND s.shardid = get_shard_id_for_distribution_column('booths', $1::text::uuid)";
    // A move may take longer than all of that.
    while since.elapsed() < TIME || count == 0 && since.elapsed() < LONGEST {
        tokio::time::sleep(Duration::from_millis(random.random_range(100..700))).await;
        if !stage.place.is_citus() {
            count += u64::try_from(stage.number(kill).await).unwrap();
            continue;
        }
        let tenants = stage.by_hand.query("SELECT id::text FROM festivals ORDER BY id", &[]).await.unwrap();
        let tenant: String = tenants[random.random_range(0..tenants.len())].get(0);
        let shard: i64 = stage.by_hand.query_one(shard, &[&tenant]).await.unwrap().get(0);
        let ends = "SELECT f.nodename, f.nodeport, t.nodename, t.nodeport FROM pg_dist_placement p \
                    JOIN pg_dist_node f ON f.groupid = p.groupid \
                    JOIN pg_dist_node t ON t.groupid <> f.groupid AND t.shouldhaveshards AND t.noderole = 'primary' \
                    WHERE p.shardid = $1 ORDER BY t.groupid LIMIT 1";
        let row = stage.by_hand.query_one(ends, &[&shard]).await.unwrap();
        let (from, from_port, to, to_port): (String, i32, String, i32) =
            (row.get(0), row.get(1), row.get(2), row.get(3));
        let sql = format!(
            "SELECT citus_move_shard_placement({shard}, '{from}', {from_port}, '{to}', {to_port}, 'force_logical')"
        );
        match stage.by_hand.batch_execute(&sql).await {
            Ok(()) => count += 1,
            Err(error) => println!("a move failed: {}", error.as_db_error().map_or("", |error| error.message())),
        }
    }
    tally.stop.store(true, Ordering::SeqCst);
    count
}

async fn write(cluster: Cluster, fest: Tenant, booths: Vec<Booth>, mut random: StdRng, tally: Arc<Tally>) {
    let mut own: Vec<Uuid> = Vec::new();
    let again = TransactionOptions::new().retries(8);
    while !tally.stop.load(Ordering::SeqCst) {
        let booth = &booths[random.random_range(0..booths.len())];
        let partner = random.random_bool(0.3).then(|| &booths[random.random_range(0..booths.len())]);
        let row = sale(booth, partner, random.random_range(0..100));
        let chosen = own.get(random.random_range(0..own.len().max(1))).copied();
        let name = format!("{:x}", random.random::<u64>());
        let mut renames = false;
        let outcome: Result<(), Error> = match (random.random_range(0..100), chosen) {
            (0..5, _) => {
                renames = true;
                fest.transaction_with(again, async |tx| {
                    tx.update_columns::<Booth>(booth.id).set(Booth::NAME, name.clone()).run().await.map(drop)
                })
                .await
            }
            (5..6, _) => {
                renames = true;
                let reference = cluster.reference();
                reference
                    .update_columns::<Festival>(*fest.key())
                    .set(Festival::NAME, name.clone())
                    .run()
                    .await
                    .map(drop)
            }
            (6..50, _) | (_, None) => {
                own.push(row.id);
                fest.insert(&row).await
            }
            (50..75, Some(id)) => {
                fest.transaction_with(again, async |tx| {
                    tx.insert(&row).await?;
                    tx.update_columns::<Sale>(id).set(Sale::BOOTH_ID, booth.id).run().await?;
                    tx.update_columns::<Sale>(row.id).add(Sale::AMOUNT, 1).run().await.map(drop)
                })
                .await
            }
            (75..90, Some(id)) => {
                let partner = partner.map(|booth| booth.id);
                fest.transaction_with(again, async |tx| {
                    tx.update_columns::<Sale>(id).set(Sale::PARTNER_ID, partner).run().await.map(drop)
                })
                .await
            }
            (_, Some(id)) => fest.delete::<Sale>(id).await.map(drop),
        };
        match outcome {
            Ok(()) if renames => tally.renamed.fetch_add(1, Ordering::SeqCst),
            Ok(()) => tally.written.fetch_add(1, Ordering::SeqCst),
            Err(error) => {
                let code = error.code().map(|code| code.code().to_owned()).unwrap_or_default();
                let is_expected = matches!(code.as_str(), "" | "57P01" | "40P01" | "55P03" | "57014");
                assert!(is_expected, "{error:?}");
                tally.failed.fetch_add(1, Ordering::SeqCst)
            }
        };
    }
}
