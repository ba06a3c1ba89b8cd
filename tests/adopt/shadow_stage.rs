//! An old database and a new one, and a service that writes the old one and never stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use shardwise::admin::adopt::shadow::{Shadow, ShadowTable};
use shardwise::local::{self, Server};
use shardwise::{Cluster, Config};
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;
use tokio_postgres::Client;

use crate::support::leftovers::dropped_after_the_test;
use crate::support::place::Place;
use crate::support::stage::session;

/// What both sides have. `{pk}` is the primary key of tenants' tables.
const TABLES: &str = "
    CREATE TYPE mood AS ENUM ('good', 'so so', 'bad');
    CREATE TABLE countries (code text PRIMARY KEY, name text NOT NULL);
    CREATE TABLE festivals (id int PRIMARY KEY, name text NOT NULL, country text REFERENCES countries);
    CREATE TABLE wallets (
        festival_id int NOT NULL REFERENCES festivals, id uuid NOT NULL DEFAULT gen_random_uuid(), owner text NOT NULL,
        balance numeric(20, 4) NOT NULL, note text, {pk}, UNIQUE (festival_id, owner)
    );
    CREATE TABLE payments (
        festival_id int NOT NULL, id bigint NOT NULL GENERATED ALWAYS AS IDENTITY, wallet_id uuid NOT NULL, amount numeric NOT NULL,
        at timestamptz NOT NULL DEFAULT clock_timestamp(), {pk}
    );
    CREATE TABLE everything (
        festival_id int NOT NULL, id bigserial NOT NULL, small smallint, single real, double double precision, exact numeric, bytes bytea,
        long text, value jsonb, source json, numbers int[], names text[], mood mood, moods mood[], at timestamptz, plain timestamp, day date,
        time time, span interval, padded char(6), short varchar(9), flag bool, who uuid, address inet, bits bit varying(12), range int4range,
        twice numeric GENERATED ALWAYS AS (exact * 2) STORED, nothing text, {pk}
    );
    ALTER TABLE everything ALTER long SET STORAGE EXTERNAL;
    CREATE TABLE scans (festival_id int NOT NULL, id uuid NOT NULL DEFAULT gen_random_uuid(), at timestamptz NOT NULL, gate int, {scans})
        PARTITION BY RANGE (at);
    CREATE TABLE scans_1 PARTITION OF scans FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
    CREATE TABLE scans_2 PARTITION OF scans FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
    CREATE TABLE steps (festival_id int NOT NULL, id bigserial NOT NULL, what text, {pk});
";

/// One row of every kind of value, whose numbers are `n`.
const EVERYTHING: &str = "
    INSERT INTO everything (festival_id, small, single, double, exact, bytes, long, value, source, numbers, names, mood, moods, at, plain, day,
        time, span, padded, short, flag, who, address, bits, range)
    SELECT 1 + n % 7, n % 30000, (ARRAY['NaN', '-0', '1e-40', 'Infinity', '0.1']::real[])[1 + n % 5],
        (ARRAY['-0', '4.9e-324', '0.30000000000000004', '-Infinity', '1.7976931348623157e308']::float8[])[1 + n % 5] , n / 7.0,
        decode(lpad(to_hex(n), 8, '0'), 'hex'), CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN E'tab\\t\\\\N\\r\\n ''\"' ELSE {long} END,
        jsonb_build_object('n', n, 'deep', jsonb_build_array(1.10, NULL, 'ü')), '{\"b\" : 1,  \"a\":2}', ARRAY[n, NULL, -n],
        ARRAY['a,b', NULL, '', '\"}'], (ARRAY['good', 'so so', 'bad', NULL]::mood[])[1 + n % 4], ARRAY['so so', NULL]::mood[],
        CASE n % 3 WHEN 0 THEN 'infinity' WHEN 1 THEN '0044-03-15 12:00:00.000001+00 BC' ELSE '2026-07-01 00:00:00.123456+02' END::timestamptz,
        timestamp '2026-07-01' + n * interval '1.000001 s', date '0001-01-01' + n, time '00:00:00.5' + n * interval '1 s',
        make_interval(months => n % 100, days => -n % 50, secs => -n / 3.0), 'a' || n % 9, 'b ', n % 2 = 0,
        md5(n::text)::uuid, ('10.0.0.' || n % 255 || '/24')::inet, (n % 16)::bit(4)::varbit, int4range(n, n + 3)
    FROM generate_series($1::int, $2::int) n";

/// The old server: one for the run, whose log can be told.
async fn old_server() -> &'static Server {
    static SERVER: OnceCell<Server> = OnceCell::const_new();
    let start = || async {
        local::single().setting("wal_level", "logical").setting("max_replication_slots", "32").start().await.unwrap()
    };
    SERVER.get_or_init(start).await
}

/// Both sides.
pub struct Sides {
    pub old: Config,
    pub new: Config,
    pub on_old: Client,
    pub on_new: Client,
    is_citus: bool,
}

impl Sides {
    /// With tables on both, and so many rows of each kind on the old one.
    pub async fn with_rows(place: Place, rows: i32) -> Self {
        let old = dropped_after_the_test(old_server().await.fresh_database().await.unwrap());
        let new = place.empty().await;
        let (on_old, on_new) = (session(&old).await, session(&new).await);
        // As a grown database has it: keys of one column, and the tenant's key beside them.
        let tables = TABLES.replace("{pk}", "PRIMARY KEY (id), UNIQUE (festival_id, id)");
        on_old.batch_execute(&tables.replace("{scans}", "PRIMARY KEY (festival_id, id, at)")).await.unwrap();
        let tables = TABLES.replace("{pk}", "PRIMARY KEY (festival_id, id)");
        on_new.batch_execute(&tables.replace("{scans}", "PRIMARY KEY (festival_id, id, at)")).await.unwrap();
        let sides = Self { old, new, on_old, on_new, is_citus: place.is_citus() };
        sides.distribute().await;
        sides.fill(rows).await;
        sides
    }

    async fn distribute(&self) {
        if self.is_citus {
            for statement in [
                "SET citus.shard_count = 8",
                "SELECT create_reference_table('countries')",
                "SELECT create_reference_table('festivals')",
                "SELECT create_distributed_table('wallets', 'festival_id')",
                "SELECT create_distributed_table('payments', 'festival_id', colocate_with => 'wallets')",
                "SELECT create_distributed_table('everything', 'festival_id', colocate_with => 'wallets')",
                "SELECT create_distributed_table('scans', 'festival_id', colocate_with => 'wallets')",
                "SELECT create_distributed_table('steps', 'festival_id', colocate_with => 'wallets')",
            ] {
                self.on_new.batch_execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
            }
        } else {
            // What would count twice what the old side has counted.
            let count = "
                CREATE FUNCTION twice() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.note := NEW.note || ''!''; RETURN NEW; END';
                CREATE TRIGGER twice BEFORE INSERT OR UPDATE ON wallets FOR EACH ROW EXECUTE FUNCTION twice()";
            self.on_new.batch_execute(count).await.unwrap();
        }
    }

    async fn fill(&self, rows: i32) {
        let sql = "
            INSERT INTO countries SELECT 'c' || n, 'C' || n FROM generate_series(1, 5) n;
            INSERT INTO festivals SELECT n, 'F' || n, 'c' || 1 + n % 5 FROM generate_series(1, 7) n;
            INSERT INTO wallets (festival_id, owner, balance, note) SELECT 1 + n % 7, 'o' || n, n / 3.0, CASE n % 3 WHEN 0 THEN '' WHEN 1 THEN 'x' END
                FROM generate_series(1, {rows}) n;
            INSERT INTO payments (festival_id, wallet_id, amount) SELECT festival_id, id, balance FROM wallets;
            INSERT INTO scans (festival_id, at, gate) SELECT 1 + n % 7, timestamptz '2026-01-01 00:00Z' + n % 58 * interval '1 day', n
                FROM generate_series(1, {rows}) n;
            INSERT INTO steps (festival_id, what) SELECT 1 + n % 7, 'before' FROM generate_series(1, {rows} / 10) n";
        self.on_old.batch_execute(&sql.replace("{rows}", &rows.to_string())).await.unwrap();
        self.on_old.execute(&everything(), &[&1i32, &(rows / 10)]).await.unwrap();
        self.on_old.batch_execute("ANALYZE").await.unwrap();
    }

    pub async fn shadow(&self) -> Shadow {
        shadow(&self.old, &self.new).await
    }

    /// Begins, with what is in the way removed as it is told.
    pub async fn begun(&self) -> Shadow {
        let mut shadow = self.shadow().await;
        for obstacle in shadow.obstacles().await.unwrap() {
            assert!(obstacle.on_old, "{obstacle}");
            self.on_old.batch_execute(obstacle.fix.as_ref().unwrap()).await.unwrap();
        }
        shadow.begin().await.unwrap();
        shadow
    }
}

pub fn tables() -> Vec<ShadowTable> {
    let of = |name, tenant| ShadowTable::new("public", name, tenant);
    let tenants = ["wallets", "payments", "everything", "scans", "steps"].map(|name| of(name, Some("festival_id")));
    [of("countries", None), of("festivals", Some("id"))].into_iter().chain(tenants).collect()
}

pub async fn shadow(old: &Config, new: &Config) -> Shadow {
    let (old, new) = (Cluster::connect(old.clone()).await.unwrap(), Cluster::connect(new.clone()).await.unwrap());
    Shadow::between(&old, &new, tables())
}

/// Stored apart from its row, and different each time.
fn everything() -> String {
    EVERYTHING
        .replace("{long}", "(SELECT string_agg(md5(n::text || i || random()), '') FROM generate_series(1, 400) i)")
}

/// A service that writes.
pub struct Service {
    told: Arc<Told>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Told {
    ends: AtomicBool,
    transactions: AtomicU64,
    truncates: AtomicU64,
    /// The longest time that one transaction took, in microseconds.
    longest: AtomicU64,
}

/// What became of it.
pub struct Ended {
    pub transactions: u64,
    pub truncates: u64,
    pub longest: Duration,
}

impl Service {
    /// Goes on until it is told to end, or that the old side takes no writes. Anything else fails.
    pub async fn start(old: &Config, seed: u64) -> Self {
        let client = session(old).await;
        let told = Arc::new(Told::default());
        let task = tokio::spawn(write(client, told.clone(), seed));
        Self { told, task }
    }

    pub fn transactions(&self) -> u64 {
        self.told.transactions.load(Ordering::Relaxed)
    }

    /// Ends it, or waits until it has ended by itself. Panics where it has met an error.
    pub async fn end(self) -> Ended {
        self.told.ends.store(true, Ordering::Relaxed);
        self.task.await.unwrap();
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let longest = Duration::from_micros(of(&self.told.longest));
        Ended { transactions: of(&self.told.transactions), truncates: of(&self.told.truncates), longest }
    }
}

async fn write(client: Client, told: Arc<Told>, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let everything = everything();
    while !told.ends.load(Ordering::Relaxed) {
        let (sql, is_truncate) = transaction(&mut random);
        let began = Instant::now();
        let outcome = match sql {
            Some(sql) => client.batch_execute(&sql).await,
            None => {
                let n = random.random_range(1..100_000i32);
                client.execute(&everything, &[&n, &(n + random.random_range(0..4))]).await.map(drop)
            }
        };
        match outcome {
            Ok(()) => {
                told.longest.fetch_max(u64::try_from(began.elapsed().as_micros()).unwrap(), Ordering::Relaxed);
            }
            Err(error) if error.code().is_some_and(|code| code.code() == "25006") => return,
            Err(error) => panic!("the service met {error:?}"),
        }
        // Some hundred in a second, so that two sides and their service have room on a small machine.
        tokio::time::sleep(Duration::from_millis(1)).await;
        told.transactions.fetch_add(1, Ordering::Relaxed);
        told.truncates.fetch_add(u64::from(is_truncate), Ordering::Relaxed);
    }
}

/// A transaction of a service; `None` for rows of every kind of value. And whether it empties a table.
fn transaction(random: &mut StdRng) -> (Option<String>, bool) {
    let (festival, other, number) =
        (random.random_range(1..8), random.random_range(1..8), random.random_range(0..1_000_000));
    // One of all, wherever it lies: a whole scan for one row would be most of the time.
    let some = |table: &str| format!("(SELECT ctid FROM {table} TABLESAMPLE SYSTEM (3) ORDER BY random() LIMIT 1)");
    let sql = match random.random_range(0..100) {
        // A purchase.
        0..25 => format!(
            "BEGIN; WITH w AS (INSERT INTO wallets (festival_id, owner, balance) VALUES ({festival}, 'n' || gen_random_uuid(), {number} / 7.0)
                RETURNING festival_id, id) INSERT INTO payments (festival_id, wallet_id, amount) SELECT festival_id, id, -{number} FROM w;
             INSERT INTO steps (festival_id, what) VALUES ({festival}, 'bought'); COMMIT"
        ),
        25..45 => format!("UPDATE wallets SET balance = balance + 0.0001, note = coalesce(note, '') || 'y' WHERE ctid = {}", some("wallets")),
        45..50 => format!("DELETE FROM wallets WHERE ctid = {}", some("wallets")),
        // What has a unique name gives it to another one.
        50..52 => format!(
            "DO $$ DECLARE a wallets; b wallets; BEGIN
                SELECT * INTO a FROM wallets TABLESAMPLE SYSTEM (3) WHERE festival_id = {festival} LIMIT 1;
                SELECT * INTO b FROM wallets TABLESAMPLE SYSTEM (3) WHERE festival_id = {festival} AND id <> a.id LIMIT 1;
                IF b.id IS NOT NULL THEN
                    UPDATE wallets SET owner = 'nobody' WHERE id = a.id;
                    UPDATE wallets SET owner = a.owner WHERE id = b.id;
                    UPDATE wallets SET owner = b.owner WHERE id = a.id;
                END IF;
            END $$"
        ),
        52..55 => format!(
            "BEGIN; WITH w AS (DELETE FROM wallets WHERE ctid = {} RETURNING *)
             INSERT INTO wallets (festival_id, owner, balance) SELECT festival_id, owner, balance FROM w; COMMIT",
            some("wallets")
        ),
        // Another key, and what is stored apart goes along; another tenant.
        55..60 => format!("UPDATE everything SET id = id + 1000000 WHERE ctid = {}", some("everything")),
        60..64 => format!("UPDATE everything SET festival_id = {other} WHERE ctid = {}", some("everything")),
        64..67 => format!("UPDATE wallets SET id = gen_random_uuid() WHERE ctid = {}", some("wallets")),
        // What is stored apart stays, comes and goes.
        67..74 => format!("UPDATE everything SET small = {number} % 30000, nothing = NULL WHERE ctid = {}", some("everything")),
        74..77 => format!(
            "UPDATE everything SET long = (SELECT string_agg(md5(i::text || {number}), '') FROM generate_series(1, 350) i), nothing = ''
             WHERE ctid = {}",
            some("everything")
        ),
        77..79 => format!("UPDATE everything SET long = NULL WHERE ctid = {}", some("everything")),
        79..81 => format!("DELETE FROM everything WHERE ctid = {}", some("everything")),
        81..86 => return (None, false),
        86..89 => format!("INSERT INTO scans (festival_id, at, gate) VALUES ({festival}, '2026-01-31 23:59Z', {number})"),
        // From one partition to the other.
        89..91 => format!("UPDATE scans_1 SET gate = -1 WHERE ctid = {}", some("scans_1")),
        91..92 => format!(
            "UPDATE scans SET at = at + interval '1 day' WHERE (festival_id, id) = (SELECT festival_id, id FROM scans_1 LIMIT 1 OFFSET {})",
            number % 100
        ),
        92..94 => format!("UPDATE festivals SET name = 'G{number}' WHERE id = {festival}"),
        // Nothing, and half of something.
        94..96 => format!("BEGIN; DELETE FROM payments WHERE festival_id = {festival}; ROLLBACK"),
        96..98 => format!(
            "BEGIN; INSERT INTO steps (festival_id, what) VALUES ({festival}, 'kept'); SAVEPOINT s;
             INSERT INTO steps (festival_id, what) VALUES ({festival}, 'not'); ROLLBACK TO s;
             INSERT INTO steps (festival_id, what) VALUES ({other}, 'kept too'); COMMIT"
        ),
        98 => format!("UPDATE payments SET amount = amount + 1 WHERE festival_id = {festival} AND id % 50 = {}", number % 50),
        _ if number % 4 == 0 => {
            return (Some(format!("BEGIN; TRUNCATE steps; INSERT INTO steps (festival_id, what) VALUES ({festival}, 'first'); COMMIT")), true);
        }
        _ => format!("DELETE FROM payments WHERE ctid = {}", some("payments")),
    };
    (Some(sql), false)
}
