//! Partitions come and go while many write.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::ToSpan;
use jiff::civil::Date;
use shardwise::{Error, Tenant, Uuid};
use tokio::task::JoinSet;

use super::stage::{DAY, Stage, month_bounds, name, noon, schema, session};
use crate::support::model::{Entry, Wallet};
use crate::support::place::{Place, in_both_modes};

in_both_modes![@on_two_threads:
    nobody_fails_while_partitions_come_and_go,
    nobody_fails_while_they_are_detached_and_rows_move,
];

const WRITERS: usize = 64;

/// Whoever makes and drops partitions gets by, in whichever order writers use tables.
async fn nobody_fails_while_partitions_come_and_go(place: Place) {
    let stage = Stage::new(place).await;
    let month = stage.month().await;
    // What a service finds missing when it starts.
    let ahead = name(month + 3.months());
    stage.run(&[&format!("DROP TABLE {ahead}")]).await;
    let load = Load::start(&stage, Order::ALL).await;
    let applied = stage.cluster.admin().apply(&schema()).await.unwrap();
    let titles: Vec<_> = applied.done().iter().map(|done| done.step().title()).collect();
    assert_eq!(titles, [format!("create the partition {ahead} of entries")]);
    let (partitions, mut changes) = (stage.partitions(), 1);
    for round in 0..4 {
        // With a default partition, Citus has all writers use that as well, and a new partition has to keep them out of it.
        if round == 2 && !place.is_citus() {
            changes += partitions.create_default().await.unwrap().changes().len();
        }
        stage.run(&["CREATE TABLE oldest (LIKE entries)"]).await;
        changes +=
            partitions.attach_as::<Entry>("oldest", month_bounds(month - 6.months())).await.unwrap().changes().len();
        let filled = partitions.fill_gaps().await.unwrap();
        assert!(filled.changes().len() >= 3, "{filled}");
        let gone = partitions.drop_older_than(DAY * 62).await.unwrap();
        assert!(gone.changes().len() >= 3, "{gone}");
        changes += filled.changes().len() + gone.changes().len();
    }
    load.finish(&stage, "made and dropped", changes).await;
}

/// Whoever has to keep writers out of two tables at once meets them in their order, whichever that is.
async fn nobody_fails_while_they_are_detached_and_rows_move(place: Place) {
    for orders in [&[Order::WalletFirst][..], &[Order::EntryFirst]] {
        let stage = Stage::new(place).await;
        let month = stage.month().await;
        let wallet = stage.wallet().await;
        stage.make(month - 1.month()).await;
        stage.fill(&wallet, noon(month - 1.month()), 500).await;
        let load = Load::start(&stage, orders).await;
        let (partitions, mut changes) = (stage.partitions(), 0);
        for round in 0..3 {
            let old: Date = month - 1.month();
            insist(async || partitions.detach::<Entry>(&name(old)).await).await;
            assert_eq!(stage.number(&format!("SELECT count(*) FROM {}", name(old))).await, 500);
            insist(async || partitions.attach::<Entry>(&name(old)).await).await;
            insist(async || partitions.create_default().await).await;
            stage.fill(&wallet, noon(month + (10 + round).months()), 50).await;
            let moved = insist(async || partitions.drain_default().await).await;
            assert_eq!(moved.changes()[0].rows, Some(50), "{moved}");
            changes += 2 + moved.changes().len();
        }
        let tenant = stage.cluster.tenant(wallet.festival_id).await.unwrap();
        assert_eq!(tenant.count::<Entry>().await.unwrap(), 500 + 3 * 50);
        load.finish(&stage, &format!("detached, attached and moved, {orders:?}"), changes).await;
    }
}

/// On a machine that is busy with other things, whoever makes changes may give up after a minute, and says so: that is no writer's
/// failure, and it may be tried again.
async fn insist<T>(change: impl AsyncFn() -> Result<T, Error>) -> T {
    for _ in 0..2 {
        match change().await {
            Err(error) if error.to_string().contains("the locks did not come within") => println!("PARTITIONS {error}"),
            outcome => return outcome.unwrap(),
        }
    }
    change().await.unwrap()
}

/// In which order a payment writes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Order {
    WalletFirst,
    EntryFirst,
}

impl Order {
    const ALL: &[Self] = &[Self::WalletFirst, Self::EntryFirst];
}

/// Many that pay, most of them straight to the owner, some through the coordinator.
struct Load {
    tasks: JoinSet<Result<(), String>>,
    tenants: Vec<Tenant>,
    books: Arc<Books>,
    since: Instant,
}

/// What was paid.
#[derive(Default)]
struct Books {
    payments: AtomicU64,
    slowest: AtomicU64,
    stop: AtomicBool,
}

impl Load {
    async fn start(stage: &Stage, orders: &[Order]) -> Self {
        let (mut tasks, mut tenants, books) = (JoinSet::new(), Vec::new(), Arc::new(Books::default()));
        for number in 0..WRITERS {
            let (order, wallet) = (orders[number % orders.len()], stage.wallet().await);
            let (tenant, books) = (stage.cluster.tenant(wallet.festival_id).await.unwrap(), books.clone());
            tenants.push(tenant.clone());
            if number % 8 >= 6 {
                let client = session(&stage.config).await;
                tasks.spawn(async move { by_the_coordinator(&client, &wallet, order, &books).await });
            } else {
                tasks.spawn(async move {
                    let outcome = straight(&tenant, &wallet, order, &books).await;
                    outcome.map_err(|error| format!("{error:?}"))
                });
            }
        }
        Self { tasks, tenants, books, since: Instant::now() }
    }

    /// All that was paid is there, once, and nobody failed.
    async fn finish(mut self, stage: &Stage, what: &str, changes: usize) {
        self.books.stop.store(true, Ordering::SeqCst);
        while let Some(outcome) = self.tasks.join_next().await {
            outcome.unwrap().unwrap();
        }
        let (took, slowest) = (self.since.elapsed(), self.books.slowest.load(Ordering::SeqCst));
        let payments = self.books.payments.load(Ordering::SeqCst);
        let mut sums = [0, 0];
        for tenant in &self.tenants {
            sums[0] += tenant.select::<Entry>().sum(Entry::AMOUNT).await.unwrap();
            sums[1] += tenant.select::<Wallet>().sum(Wallet::BALANCE).await.unwrap();
        }
        assert_eq!(sums, [i64::try_from(payments).unwrap(); 2], "entries and balances are what was paid");
        let place = stage.place.pick("single", "citus");
        println!(
            "PARTITIONS {place}: {changes} {what} in {took:.1?} under {WRITERS} writers: {payments} payments, 0 failed, \
             slowest {slowest} ms"
        );
    }
}

impl Books {
    fn paid(&self, since: Instant) {
        self.payments.fetch_add(1, Ordering::SeqCst);
        self.slowest.fetch_max(u64::try_from(since.elapsed().as_millis()).unwrap(), Ordering::SeqCst);
    }
}

/// As services do it, with a read in between.
async fn straight(tenant: &Tenant, wallet: &Wallet, order: Order, books: &Books) -> Result<(), Error> {
    while !books.stop.load(Ordering::SeqCst) {
        let (since, entry) = (Instant::now(), Entry::new(wallet, 1));
        let id = entry.id;
        tenant
            .transaction(async |tx| {
                if order == Order::EntryFirst {
                    tx.insert(&entry).await?;
                }
                tx.update_columns::<Wallet>(wallet.id).add(Wallet::BALANCE, 1).run().await?;
                if order == Order::WalletFirst {
                    tx.insert(&entry).await?;
                }
                Ok(())
            })
            .await?;
        books.paid(since);
        tenant.get::<Entry>(id).await?;
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    Ok(())
}

async fn by_the_coordinator(
    client: &tokio_postgres::Client,
    wallet: &Wallet,
    order: Order,
    books: &Books,
) -> Result<(), String> {
    let Wallet { festival_id, id, .. } = wallet;
    let update =
        format!("UPDATE wallets SET balance = balance + 1 WHERE festival_id = '{festival_id}' AND id = '{id}'");
    while !books.stop.load(Ordering::SeqCst) {
        let (since, entry) = (Instant::now(), Uuid::new_v4());
        let insert = format!(
            "INSERT INTO entries (festival_id, id, wallet_id, amount, created_at) \
             VALUES ('{festival_id}', '{entry}', '{id}', 1, now())"
        );
        let [first, second] = if order == Order::WalletFirst { [&update, &insert] } else { [&insert, &update] };
        for statement in ["BEGIN", first, second, "COMMIT"] {
            client.batch_execute(statement).await.map_err(|error| format!("{statement}: {error:?}"))?;
        }
        books.paid(since);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}
