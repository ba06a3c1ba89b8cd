//! Statements with parameters that meet the moment when a table's one shard becomes many.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use shardwise::admin::adopt::Adopt;
use shardwise::admin::adopt::run::End;
use shardwise::admin::adopt::steps::APPLICATION;
use shardwise::{Cluster, Config, ErrorKind, Uuid};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error};

use super::run::quietly;
use super::spread::{TURN, begin_with_all_of_them_written};
use crate::support::place::{Place, on_citus};
use crate::support::stage::session;

on_citus![@on_two_threads: no_statement_misses_its_row, what_is_in_the_way_ends_or_is_told];

/// Each is exchanged once; the last one is partitioned.
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
    let (config, client, adopt) = keyed(place).await;
    let (felt, mut tasks) = (Arc::<Felt>::default(), JoinSet::new());
    for nth in 0..WRITERS {
        tasks.spawn(write(config.clone(), nth, felt.clone()));
    }
    let outcome = adopt.run().past(APPLICATION).patience(TURN).go(quietly).await.unwrap();
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

/// Long transactions are waited for; and where the session is lost that keeps Citus waiting, it is told, nothing is left, and the next run goes on.
async fn what_is_in_the_way_ends_or_is_told(place: Place) {
    let (config, client, adopt) = keyed(place).await;
    adopt.run().past(APPLICATION).until("distribute:festivals").patience(TURN).go(quietly).await.unwrap();
    let gate = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 44000 AND objid = 55152 AND mode = 'ExclusiveLock' \
        AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 44000 AND objid = 55152 AND NOT granted \
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let until = async |wanted: i64, sql: &str| {
        while client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) != wanted {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let run = async || adopt.run().past(APPLICATION).until("distribute:sales_1").patience(TURN).go(quietly).await;
    let kill = async {
        until(1, waiting).await;
        let pid: i32 = client.query_one(gate, &[]).await.unwrap().get(0);
        client.execute("SELECT pg_terminate_backend($1::int)", &[&pid]).await.unwrap();
    };
    let (outcome, ()) = tokio::join!(run(), kill);
    let error = outcome.unwrap_err();
    // By whether it was asked something just then.
    let is_ended = error.code().is_some_and(|code| code.code() == "57P01");
    assert!(is_ended || error.kind() == ErrorKind::ConnectionLost, "{error}");
    let left = "SELECT count(*) FROM pg_locks WHERE relation = 'sales_1'::regclass AND mode = 'ExclusiveLock'";
    until(0, left).await;
    // One who has written already when Citus is done, and takes his time.
    let mut other = session(&config).await;
    let slots = "SELECT slot_name::text FROM pg_replication_slots WHERE slot_name LIKE 'citus\\_shard\\_split\\_slot\\_%' \
        AND database = current_database() AND confirmed_flush_lsn IS NOT NULL AND slot_name::text <> ALL ($1)";
    let earlier: Vec<String> =
        client.query(slots, &[&Vec::<String>::new()]).await.unwrap().iter().map(|row| row.get(0)).collect();
    let end = async {
        while client.query(slots, &[&earlier]).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let busy = other.transaction().await.unwrap();
        busy.execute("UPDATE sales_1 SET pieces = 1", &[]).await.unwrap();
        until(1, waiting).await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        busy.commit().await.unwrap();
    };
    let (outcome, ()) = tokio::join!(run(), end);
    outcome.unwrap();
    let pieces = "SELECT sum(pieces) FROM sales_1";
    assert_eq!(client.query_one(pieces, &[]).await.unwrap().get::<_, i64>(0), i64::try_from(ROWS).unwrap());
    let shards = "SELECT count(*) > 1 FROM pg_dist_shard WHERE logicalrelid = 'sales_1'::regclass";
    assert!(client.query_one(shards, &[]).await.unwrap().get::<_, bool>(0));
}

/// A database whose rows have their keys, for the program that names them in each statement, before anything is distributed.
async fn keyed(place: Place) -> (Config, Client, Adopt) {
    let config = place.empty().await;
    let client = session(&config).await;
    client.batch_execute(&schema()).await.unwrap();
    let adopt = Cluster::connect(config.clone()).await.unwrap().admin().adopt();
    begin_with_all_of_them_written(&adopt).await;
    adopt.run().until(APPLICATION).go(quietly).await.unwrap();
    (config, client, adopt)
}

fn tables() -> Vec<String> {
    (1..=TABLES).map(|nth| format!("sales_{nth}")).collect()
}

/// What a row is found by, besides its festival.
fn key_of(table: &str) -> &'static str {
    if table.ends_with(&TABLES.to_string()) { "id, day" } else { "id" }
}

fn schema() -> String {
    let sales = tables().into_iter().map(|table| {
        let key = key_of(&table);
        let parts = match key {
            "id" => String::new(),
            _ => format!(
                "CREATE TABLE {table}_old PARTITION OF {table} FOR VALUES FROM (MINVALUE) TO ('2026-08-01');
                 CREATE TABLE {table}_new PARTITION OF {table} FOR VALUES FROM ('2026-08-01') TO (MAXVALUE);"
            ),
        };
        let by = if parts.is_empty() { "" } else { "PARTITION BY RANGE (day)" };
        format!(
            "CREATE TABLE {table} (id uuid NOT NULL DEFAULT gen_random_uuid(), festival_id uuid NOT NULL REFERENCES festivals, \
             day date NOT NULL DEFAULT '2026-08-08', pieces int NOT NULL DEFAULT 0, what text, PRIMARY KEY ({key})) {by}; {parts}
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
    // As a program that plans once for all keys, and one that plans for each.
    let plans = if nth.is_multiple_of(2) { "force_generic_plan" } else { "force_custom_plan" };
    client.batch_execute(&format!("SET plan_cache_mode = {plans}")).await.unwrap();
    let mut own = Vec::new();
    for table in tables() {
        // No two writers have the same row.
        let row = format!("SELECT id FROM {table} WHERE festival_id = $1 ORDER BY id OFFSET $2 LIMIT 1");
        let offset = i64::try_from(nth).unwrap();
        let id = client.query_one(&row, &[&festival, &offset]).await.unwrap().get::<_, Uuid>(0);
        let update = format!("UPDATE {table} SET pieces = pieces + 1 WHERE festival_id = $1 AND id = $2");
        let prepared = client.prepare(&update).await.unwrap();
        own.push((table, id, update, prepared));
    }
    for turn in 0.. {
        if felt.stops.load(Ordering::Relaxed) {
            return;
        }
        let (table, id, update, prepared) = &own[turn % own.len()];
        let (way, began) = (turn / own.len() % 6, Instant::now());
        let params: [&(dyn ToSql + Sync); 2] = [&festival, id];
        let rows = match way {
            // Prepared before the table was distributed.
            0 => client.execute(prepared, &params).await,
            1 => client.execute(update, &params).await,
            _ => sell(&mut client, way, table, update, &params).await,
        };
        let mut longest = felt.longest.lock().await;
        *longest = began.elapsed().max(*longest);
        drop(longest);
        felt.statements.fetch_add(1, Ordering::Relaxed);
        match rows {
            Ok(1) => _ = felt.sold.fetch_add(1, Ordering::Relaxed),
            Ok(rows) => felt.wrong.lock().await.push(format!("way {way} at {table}: {rows} rows")),
            Err(error) => {
                let told = error.as_db_error().map_or(error.to_string(), ToString::to_string);
                felt.wrong.lock().await.push(format!("way {way} at {table}: {told}"));
            }
        }
    }
}

/// How many rows it has sold of: one.
async fn sell(
    client: &mut Client,
    way: usize,
    table: &str,
    update: &str,
    params: &[&(dyn ToSql + Sync)],
) -> Result<u64, Error> {
    match way {
        2 => {
            let by = format!("{update} AND id IN (SELECT id FROM {table} WHERE festival_id = $1)");
            client.execute(&by, params).await
        }
        3 => {
            let insert = format!(
                "INSERT INTO {table} (festival_id, id, pieces) VALUES ($1, $2, 1) \
                 ON CONFLICT (festival_id, {}) DO UPDATE SET pieces = {table}.pieces + 1",
                key_of(table)
            );
            client.execute(&insert, params).await
        }
        4 => again(client, table, params).await,
        _ => locked(client, table, update, params).await,
    }
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
