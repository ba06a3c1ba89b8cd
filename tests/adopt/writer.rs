//! An application of the platform that never stops writing: one that was written before there were tenants' keys, and the one that
//! names them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use shardwise::{Config, Uuid};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio_postgres::{Client, Error};

use crate::support::stage::session;

/// What its sessions have met.
#[derive(Debug, Default)]
pub struct Felt {
    pub done: AtomicU64,
    pub longest: Mutex<(Duration, &'static str)>,
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
}

const OLD: Program = Program { key: "", value: "", and: "" };
const NEW: Program = Program { key: "festival_id, ", value: "$1, ", and: "festival_id = $1 AND " };

impl Writer {
    pub async fn start(config: &Config, sessions: usize) -> Self {
        let (stops, knows_keys, felt) = (Arc::default(), Arc::default(), Arc::<Felt>::default());
        let mut tasks = JoinSet::new();
        for nth in 0..sessions {
            let (stops, knows_keys, felt) = (Arc::clone(&stops), Arc::clone(&knows_keys), Arc::clone(&felt));
            let client = session(config).await;
            tasks.spawn(async move {
                let goods = goods(&client, nth).await;
                let stops: Arc<AtomicBool> = stops;
                let knows: Arc<AtomicBool> = knows_keys;
                while !stops.load(Ordering::Relaxed) {
                    let program = if knows.load(Ordering::Relaxed) { NEW } else { OLD };
                    let began = Instant::now();
                    match sell(&client, &goods, &program).await {
                        Ok(()) => _ = felt.done.fetch_add(1, Ordering::Relaxed),
                        Err((what, error)) => {
                            let detail = error.as_db_error().map_or(error.to_string(), ToString::to_string);
                            felt.errors.lock().await.push(format!("{what}: {detail}"));
                            drop(client.batch_execute("ROLLBACK").await);
                        }
                    }
                    let took = began.elapsed();
                    let mut longest = felt.longest.lock().await;
                    if took > longest.0 {
                        *longest = (took, "a sale");
                    }
                    drop(longest);
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            });
        }
        Self { tasks, stops, knows_keys, felt }
    }

    pub async fn stop(mut self) -> Arc<Felt> {
        self.stops.store(true, Ordering::Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
        self.felt
    }
}

async fn goods(client: &Client, nth: usize) -> Goods {
    let row = client.query_one(GOODS, &[&i64::try_from(nth * 7).unwrap()]).await.unwrap();
    let [festival, wallet, stand, product, kind, user] = [0, 1, 2, 3, 4, 5].map(|at| row.get(at));
    Goods { festival, wallet, stand, product, kind, user }
}

/// A sale with all that belongs to it, in one transaction.
async fn sell(client: &Client, goods: &Goods, program: &Program) -> Result<(), (&'static str, Error)> {
    let Program { key, value, and } = program;
    let Goods { festival, wallet, stand, product, kind, user } = goods;
    let (order, ticket) = (Uuid::new_v4(), Uuid::new_v4());
    let shown = |sql: String| sql.replace("$1", &format!("'{festival}'"));
    let run =
        async |what: &'static str, sql: String| client.batch_execute(&shown(sql)).await.map_err(|error| (what, error));
    run("begin", "BEGIN".to_owned()).await?;
    run(
        "order",
        format!("INSERT INTO orders ({key}id, wallet_id, stand_id) VALUES ({value}'{order}', '{wallet}', '{stand}')"),
    )
    .await?;
    run(
        "line",
        format!("INSERT INTO order_lines ({key}order_id, number, product_id, pieces, price) VALUES ({value}'{order}', 1, '{product}', 1, 300)"),
    )
    .await?;
    run("total", format!("UPDATE orders SET total = 300, state = 'paid' WHERE {and}id = '{order}'")).await?;
    run("balance", format!("UPDATE wallets SET balance = balance - 300 WHERE festival_id = $1 AND id = '{wallet}'"))
        .await?;
    run(
        "transaction",
        format!(
            "INSERT INTO transactions ({key}wallet_id, order_id, amount) VALUES ({value}'{wallet}', '{order}', -300)"
        ),
    )
    .await?;
    let conflict = format!(
        "({})",
        [key.trim_end_matches(", "), "product_id"]
            .iter()
            .filter(|one| !one.is_empty())
            .copied()
            .collect::<Vec<_>>()
            .join(", ")
    );
    run(
        "stock",
        format!(
            "INSERT INTO stock ({key}product_id, pieces) VALUES ({value}'{product}', 1) \
             ON CONFLICT {conflict} DO UPDATE SET pieces = stock.pieces + 1"
        ),
    )
    .await?;
    run(
        "ticket",
        format!("INSERT INTO tickets ({key}id, kind_id, user_id, code) VALUES ({value}'{ticket}', '{kind}', '{user}', '{ticket}')"),
    )
    .await?;
    run("scan", format!("INSERT INTO scans ({key}ticket_id, gate) VALUES ({value}'{ticket}', 'south')")).await?;
    run("scanned", format!("UPDATE scans SET gate = 'east' WHERE {and}ticket_id = '{ticket}'")).await?;
    run("forget", format!("DELETE FROM scans WHERE {and}ticket_id = '{ticket}' AND gate = 'north'")).await?;
    run("commit", "COMMIT".to_owned()).await
}
