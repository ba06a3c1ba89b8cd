//! Statements with parameters that meet the moment when a table's one shard becomes many.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use shardwise::admin::adopt::Options;
use shardwise::admin::adopt::run::End;
use shardwise::admin::adopt::steps::APPLICATION;
use shardwise::{Cluster, Config, Uuid};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error};

use super::run::quietly;
use crate::support::place::{Place, on_citus};
use crate::support::stage::session;

on_citus![@on_two_threads: no_statement_misses_its_row];

/// Each is exchanged once.
const TABLES: usize = 5;
const WRITERS: usize = 24;
/// Of a table.
const ROWS: usize = 12_000;

#[derive(Default)]
struct Felt {
    stops: AtomicBool,
    statements: AtomicU64,
    sold: AtomicU64,
    longest: Mutex<Duration>,
    wrong: Mutex<Vec<String>>,
}

async fn no_statement_misses_its_row(place: Place) {
    let config = place.empty().await;
    let client = session(&config).await;
    client.batch_execute(&schema()).await.unwrap();
    let adopt = Cluster::connect(config.clone()).await.unwrap().admin().adopt();
    let found = adopt.inspect("festivals.id", "festival_id").await.unwrap();
    let mut options = Options::of(&found);
    options.blocking_up_to = 0;
    adopt.begin(&found.steps(&options).unwrap()).await.unwrap();
    // The program that names the key in each statement.
    adopt.run().until(APPLICATION).go(quietly).await.unwrap();
    let (felt, mut tasks) = (Arc::<Felt>::default(), JoinSet::new());
    for nth in 0..WRITERS {
        tasks.spawn(write(config.clone(), nth, felt.clone()));
    }
    let outcome = adopt.run().past(APPLICATION).patience(Duration::from_secs(300)).go(quietly).await.unwrap();
    assert_eq!(outcome.end, End::Finished);
    felt.stops.store(true, Ordering::Relaxed);
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    let [statements, sold] = [&felt.statements, &felt.sold].map(|count| count.load(Ordering::Relaxed));
    println!(
        "EXCHANGE of {TABLES} tables: {statements} statements with parameters, longest {:.0?}",
        *felt.longest.lock().await
    );
    assert_eq!(*felt.wrong.lock().await, Vec::<String>::new());
    assert!(statements > 1000, "{statements}");
    let mut pieces = 0;
    for table in tables() {
        let sum = format!("SELECT sum(pieces)::int8 FROM {table}");
        pieces += client.query_one(&sum, &[]).await.unwrap().get::<_, i64>(0);
        let shards = "SELECT count(*) > 1 FROM pg_dist_shard WHERE logicalrelid = $1::text::regclass";
        assert!(client.query_one(shards, &[&table]).await.unwrap().get::<_, bool>(0), "{table}");
    }
    assert_eq!(u64::try_from(pieces).unwrap(), sold);
}

fn tables() -> Vec<String> {
    (1..=TABLES).map(|nth| format!("sales_{nth}")).collect()
}

fn schema() -> String {
    let sales = tables().into_iter().map(|table| {
        format!(
            "CREATE TABLE {table} (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), festival_id uuid NOT NULL REFERENCES festivals, \
             pieces int NOT NULL DEFAULT 0, what text);
             INSERT INTO {table} (festival_id, what) SELECT id, repeat('wristband', 10) FROM festivals, generate_series(1, {ROWS} / 20) n;"
        )
    });
    let festivals = "CREATE TABLE festivals (id uuid PRIMARY KEY); \
        INSERT INTO festivals SELECT gen_random_uuid() FROM generate_series(1, 20);";
    [festivals.to_owned()].into_iter().chain(sales).collect()
}

/// Sells a piece of one row of each table in turn, in all the ways in which a row is written.
async fn write(config: Config, nth: usize, felt: Arc<Felt>) {
    let mut client = session(&config).await;
    let festival = "SELECT id FROM festivals ORDER BY id OFFSET $1 LIMIT 1";
    let offset = i64::try_from(nth % 20).unwrap();
    let festival: Uuid = client.query_one(festival, &[&offset]).await.unwrap().get(0);
    let mut own = Vec::new();
    for table in tables() {
        // No two writers have the same row.
        let row = format!("SELECT id FROM {table} WHERE festival_id = $1 ORDER BY id OFFSET $2 LIMIT 1");
        let offset = i64::try_from(nth).unwrap();
        own.push((table, client.query_one(&row, &[&festival, &offset]).await.unwrap().get::<_, Uuid>(0)));
    }
    for turn in 0.. {
        if felt.stops.load(Ordering::Relaxed) {
            return;
        }
        let (table, id) = &own[turn % own.len()];
        let began = Instant::now();
        let (what, rows) = sell(&mut client, turn / own.len() % 5, table, (&festival, id)).await;
        let mut longest = felt.longest.lock().await;
        *longest = began.elapsed().max(*longest);
        drop(longest);
        felt.statements.fetch_add(1, Ordering::Relaxed);
        match rows {
            Ok(1) => _ = felt.sold.fetch_add(1, Ordering::Relaxed),
            Ok(rows) => felt.wrong.lock().await.push(format!("{what}: {rows} rows")),
            Err(error) => {
                let told = error.as_db_error().map_or(error.to_string(), ToString::to_string);
                felt.wrong.lock().await.push(format!("{what}: {told}"));
            }
        }
    }
}

/// How many rows it has sold of: one.
async fn sell(client: &mut Client, way: usize, table: &str, key: (&Uuid, &Uuid)) -> (String, Result<u64, Error>) {
    let params: [&(dyn ToSql + Sync); 2] = [key.0, key.1];
    let update = format!("UPDATE {table} SET pieces = pieces + 1 WHERE festival_id = $1 AND id = $2");
    let rows = match way {
        // Parsed for this one time, and prepared before.
        0 => client.execute(&update, &params).await,
        1 => {
            let by = format!("{update} AND id IN (SELECT id FROM {table} WHERE festival_id = $1)");
            client.execute(&by, &params).await
        }
        2 => {
            let insert = format!(
                "INSERT INTO {table} (festival_id, id, pieces) VALUES ($1, $2, 1) \
                 ON CONFLICT (festival_id, id) DO UPDATE SET pieces = {table}.pieces + 1"
            );
            client.execute(&insert, &params).await
        }
        3 => again(client, table, &params).await,
        _ => locked(client, table, &update, &params).await,
    };
    (format!("way {way} at {table}"), rows)
}

/// Takes the row away and puts it back.
async fn again(client: &mut Client, table: &str, params: &[&(dyn ToSql + Sync)]) -> Result<u64, Error> {
    let transaction = client.transaction().await?;
    let delete = format!("DELETE FROM {table} WHERE festival_id = $1 AND id = $2 RETURNING pieces");
    let gone = transaction.query(&delete, params).await?;
    let Some(row) = gone.first() else { return Ok(0) };
    let pieces = row.get::<_, i32>(0) + 1;
    let insert = format!("INSERT INTO {table} (festival_id, id, pieces) VALUES ($1, $2, $3)");
    let rows = transaction.execute(&insert, &[params[0], params[1], &pieces]).await?;
    transaction.commit().await.map(|()| rows)
}

async fn locked(client: &mut Client, table: &str, update: &str, params: &[&(dyn ToSql + Sync)]) -> Result<u64, Error> {
    let transaction = client.transaction().await?;
    let lock = format!("SELECT pieces FROM {table} WHERE festival_id = $1 AND id = $2 FOR UPDATE");
    if transaction.query(&lock, params).await?.is_empty() {
        return Ok(0);
    }
    let rows = transaction.execute(update, params).await?;
    transaction.commit().await.map(|()| rows)
}
