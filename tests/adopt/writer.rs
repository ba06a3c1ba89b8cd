//! An application of the platform that never stops writing: one that was written before there were tenants' keys, and the one that
//! names them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use shardwise::{Config, Uuid};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio_postgres::Client;

use crate::support::stage::session;

/// The tables that it writes.
pub const BUSY: [&str; 7] = ["orders", "order_lines", "wallets", "transactions", "stock", "tickets", "scans"];

/// What its sessions have met.
#[derive(Debug, Default)]
pub struct Felt {
    pub done: AtomicU64,
    pub longest: Mutex<Duration>,
    pub errors: Mutex<Vec<String>>,
}

/// Sessions at work, until they are told to stop.
pub struct Writer {
    tasks: JoinSet<()>,
    stops: Arc<AtomicBool>,
    /// Whether the program is the one that names the key.
    pub knows_keys: Arc<AtomicBool>,
    pub felt: Arc<Felt>,
}

/// What a session sells, and to whom.
struct Goods {
    festival: Uuid,
    wallet: Uuid,
    stand: Uuid,
    product: Uuid,
    kind: Uuid,
    user: Uuid,
}

const GOODS: &str = "SELECT w.festival_id, w.id, s.id, p.id, k.id, w.user_id FROM wallets w \
    JOIN stands s ON s.festival_id = w.festival_id JOIN categories c ON c.festival_id = w.festival_id \
    JOIN products p ON p.category_id = c.id JOIN ticket_kinds k ON k.festival_id = w.festival_id \
    ORDER BY w.id, s.id, p.id OFFSET $1 LIMIT 1";

/// A program's statements: what it names depends on whether it knows of keys.
struct Program {
    key: &'static str,
    value: &'static str,
    and: &'static str,
    conflict: &'static str,
}

const OLD: Program = Program { key: "", value: "", and: "", conflict: "product_id" };
const NEW: Program =
    Program { key: "festival_id, ", value: "$1, ", and: "festival_id = $1 AND ", conflict: "festival_id, product_id" };

/// What a session writes next, in one transaction: by whether the program is the one that names the key.
pub type Script = Box<dyn Fn(bool) -> Vec<String> + Send>;

impl Writer {
    /// Sessions that do what their scripts say.
    pub async fn start(config: &Config, sessions: usize, script: impl AsyncFn(&Client, usize) -> Script) -> Self {
        let (stops, knows_keys, felt) =
            (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default(), Arc::<Felt>::default());
        let mut tasks = JoinSet::new();
        for nth in 0..sessions {
            let client = session(config).await;
            let script = script(&client, nth).await;
            let (stops, knows, felt) = (Arc::clone(&stops), Arc::clone(&knows_keys), Arc::clone(&felt));
            tasks.spawn(async move {
                while !stops.load(Ordering::Relaxed) {
                    let statements = script(knows.load(Ordering::Relaxed));
                    let began = Instant::now();
                    match transaction(&client, &statements).await {
                        Ok(()) => _ = felt.done.fetch_add(1, Ordering::Relaxed),
                        Err(error) => felt.errors.lock().await.push(error),
                    }
                    let mut longest = felt.longest.lock().await;
                    *longest = began.elapsed().max(*longest);
                    drop(longest);
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            });
        }
        Self { tasks, stops, knows_keys, felt }
    }

    /// Sessions that sell on the platform.
    pub async fn selling(config: &Config, sessions: usize) -> Self {
        Self::start(config, sessions, async |client, nth| {
            let goods = goods(client, nth).await;
            Box::new(move |knows| sale(&goods, if knows { &NEW } else { &OLD })) as Script
        })
        .await
    }

    pub async fn stop(mut self) -> Arc<Felt> {
        self.stops.store(true, Ordering::Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
        self.felt
    }
}

/// Each statement for itself, as a program sends them.
async fn transaction(client: &Client, statements: &[String]) -> Result<(), String> {
    for statement in ["BEGIN"].into_iter().chain(statements.iter().map(String::as_str)).chain(["COMMIT"]) {
        if let Err(error) = client.batch_execute(statement).await {
            drop(client.batch_execute("ROLLBACK").await);
            return Err(format!("{statement}: {}", error.as_db_error().map_or(error.to_string(), ToString::to_string)));
        }
    }
    Ok(())
}

async fn goods(client: &Client, nth: usize) -> Goods {
    let row = client.query_one(GOODS, &[&i64::try_from(nth * 7).unwrap()]).await.unwrap();
    let [festival, wallet, stand, product, kind, user] = [0, 1, 2, 3, 4, 5].map(|at| row.get(at));
    Goods { festival, wallet, stand, product, kind, user }
}

/// A sale with all that belongs to it.
fn sale(goods: &Goods, program: &Program) -> Vec<String> {
    let Program { key, value, and, conflict } = program;
    let Goods { festival, wallet, stand, product, kind, user } = goods;
    let (order, ticket) = (Uuid::new_v4(), Uuid::new_v4());
    [
        format!("INSERT INTO orders ({key}id, wallet_id, stand_id) VALUES ({value}'{order}', '{wallet}', '{stand}')"),
        format!(
            "INSERT INTO order_lines ({key}order_id, number, product_id, pieces, price) \
             VALUES ({value}'{order}', 1, '{product}', 1, 300)"
        ),
        format!("UPDATE orders SET total = 300, state = 'paid' WHERE {and}id = '{order}'"),
        format!("UPDATE wallets SET balance = balance - 300 WHERE festival_id = $1 AND id = '{wallet}'"),
        format!("INSERT INTO transactions ({key}wallet_id, order_id, amount) VALUES ({value}'{wallet}', '{order}', -300)"),
        format!(
            "INSERT INTO stock ({key}product_id, pieces) VALUES ({value}'{product}', 1) \
             ON CONFLICT ({conflict}) DO UPDATE SET pieces = stock.pieces + 1"
        ),
        format!("INSERT INTO tickets ({key}id, kind_id, user_id, code) VALUES ({value}'{ticket}', '{kind}', '{user}', '{ticket}')"),
        format!("INSERT INTO scans ({key}ticket_id, gate) VALUES ({value}'{ticket}', 'south')"),
        format!("UPDATE scans SET gate = 'east' WHERE {and}ticket_id = '{ticket}'"),
        format!("DELETE FROM scans WHERE {and}ticket_id = '{ticket}' AND gate = 'north'"),
    ]
    .map(|sql| sql.replace("$1", &format!("'{festival}'")))
    .to_vec()
}
