//! Tasks that do the same over and over, and how long each time took.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use uuid::Uuid;

use super::Work;
use super::model::{Account, Entry};
use crate::error::{Error, Result};
use crate::random;
use crate::session::Tenant;

/// What is done before anything counts: connections are made, statements prepared, pages read.
pub(super) const WARM_UP: Duration = Duration::from_millis(500);

/// What is measured.
pub(super) struct Load {
    pub(super) tenants: Vec<(Tenant<i64>, i64)>,
    pub(super) work: Work,
    pub(super) rows: i64,
    pub(super) clients: usize,
    pub(super) time: Duration,
}

/// What came of it.
#[derive(Default)]
pub(super) struct Measured {
    /// Of each operation that went well, in microseconds.
    pub(super) times: Vec<u32>,
    pub(super) errors: u64,
    pub(super) first_error: Option<String>,
    pub(super) took: Duration,
}

impl Load {
    /// All tasks at once. They end when this is dropped.
    pub(super) async fn run(self) -> Measured {
        let (begins, load) = (Instant::now() + WARM_UP, Arc::new(self));
        let ends = begins + load.time;
        let mut tasks = JoinSet::new();
        for _ in 0..load.clients {
            let load = load.clone();
            tasks.spawn(async move { load.task(begins, ends).await });
        }
        let mut all = Measured { took: load.time, ..Measured::default() };
        while let Some(one) = tasks.join_next().await {
            let Ok(one) = one else { continue };
            all.times.extend(one.times);
            all.errors += one.errors;
            all.first_error = all.first_error.or(one.first_error);
        }
        all
    }

    async fn task(&self, begins: Instant, ends: Instant) -> Measured {
        let mut measured = Measured::default();
        loop {
            let started = Instant::now();
            if started >= ends {
                return measured;
            }
            let outcome = self.once().await;
            let took = started.elapsed();
            match outcome {
                _ if started < begins => {}
                Ok(()) => measured.times.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX)),
                Err(error) => {
                    measured.errors += 1;
                    measured.first_error.get_or_insert_with(|| error.to_string());
                    // What fails at once would be all that is done.
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        }
    }

    async fn once(&self) -> Result<()> {
        let Some((tenant, key)) = pick(&self.tenants) else { return Ok(()) };
        let account = below(self.rows) + 1;
        match self.work {
            Work::Read => tenant.get::<Account>(account).await.map(drop),
            Work::Write => tenant.update_columns::<Account>(account).add(Account::BALANCE, 1).run().await.map(drop),
            Work::Payment => pay(tenant, *key, account).await,
        }
    }
}

/// As a platform would: the balance is read and written back, and both sides of the payment are noted.
async fn pay(tenant: &Tenant<i64>, tenant_id: i64, account_id: i64) -> Result<()> {
    let entry = |amount| Entry { tenant_id, id: Uuid::now_v7(), account_id, amount };
    let (of_one, of_other) = (entry(5), entry(-5));
    let paid = tenant.transaction(move |tx| async move {
        let account = tx.get::<Account>(account_id).await?;
        let change = tx.update_columns::<Account>(account.id).add(Account::BALANCE, 5);
        tx.pipeline().change(&change).insert(&of_one).insert(&of_other).commit().await?;
        Ok::<_, Error>(())
    });
    paid.await
}

fn pick<T>(all: &[T]) -> Option<&T> {
    let most = u64::try_from(all.len()).ok().filter(|&most| most > 0)?;
    all.get(usize::try_from(random::number() % most).ok()?)
}

fn below(most: i64) -> i64 {
    let most = u64::try_from(most).unwrap_or(1).max(1);
    i64::try_from(random::number() % most).unwrap_or_default()
}
