//! A payment: a transaction that reads a wallet, writes its new balance, and inserts two rows.

use std::collections::HashMap;

use anyhow::{Context as _, Result, ensure};
use shardwise::Uuid;

use crate::args::Args;
use crate::clients::Load;
use crate::clients::bb8::Bb8;
use crate::clients::deadpool::Deadpool;
use crate::clients::diesel::Diesel;
use crate::clients::sea_orm::SeaOrm;
use crate::clients::shardwise::Sdk;
use crate::clients::sqlx::Sqlx;
use crate::contest::contest;
use crate::load::Sample;
use crate::model::Key;
use crate::report::{Report, say, say_outcomes};
use crate::rows::{self, Populated};
use crate::servers::{Owners, session};
use crate::verdict::Verdict;

const TASKS: usize = 64;
const US: &str = "shardwise";
const PEERS: [&str; 8] = [
    "sqlx_coordinator",
    "diesel_async_coordinator",
    "sea_orm_coordinator",
    "sqlx_owner",
    "diesel_async_owner",
    "sea_orm_owner",
    "bb8_owner",
    "deadpool_owner",
];

/// The names of the results.
#[must_use]
pub fn results() -> Vec<String> {
    PEERS.iter().map(|peer| versus(peer)).collect()
}

fn versus(peer: &str) -> String {
    format!("payment_{TASKS}_vs_{peer}")
}

/// Measures, and checks the books.
///
/// # Errors
/// What anybody met.
pub async fn run(args: &Args, report: &mut Report) -> Result<()> {
    let Populated { citus: _citus, cluster, owners, keys } = rows::populated().await?;

    let load = Load { keys: keys.clone(), tasks: TASKS, time: args.plan.time };
    let (there, at_owner) = (owners.coordinator_alone(), owners.urls.as_slice());
    let mut contenders = vec![
        load.pays(US, "shardwise", Sdk::new(cluster))?,
        load.pays("bb8_owner", "bb8-postgres, owner", Bb8::connect(at_owner).await?)?,
        load.pays("deadpool_owner", "deadpool-postgres, owner", Deadpool::connect(at_owner).await?)?,
        load.pays("sqlx_owner", "sqlx, owner", Sqlx::connect(at_owner).await?)?,
        load.pays("diesel_async_owner", "diesel-async, owner", Diesel::connect(at_owner).await?)?,
        load.pays("sea_orm_owner", "SeaORM, owner", SeaOrm::connect(at_owner).await?)?,
        load.pays("sqlx_coordinator", "sqlx, coordinator", Sqlx::connect(there).await?)?,
        load.pays("diesel_async_coordinator", "diesel-async, coordinator", Diesel::connect(there).await?)?,
        load.pays("sea_orm_coordinator", "SeaORM, coordinator", SeaOrm::connect(there).await?)?,
    ];
    contenders.retain(|contender| contender.slug == US || args.wanted.has(&versus(contender.slug)));
    let outcomes = contest(args.plan.rounds, &contenders).await?;
    say_outcomes(&format!("payments, {TASKS} tasks"), &outcomes);
    let rate = |sample: &Sample| sample.per_second;
    for peer in outcomes.iter().filter(|outcome| outcome.slug != US) {
        let name = versus(peer.slug);
        report.add(Verdict::beside(name, "payments/s", &outcomes[0].each(rate), &peer.each(rate)));
    }
    audit(&owners, &keys).await
}

/// Whether every wallet holds what it held first less what was paid from it, and each payment has its order.
///
/// # Errors
/// When money is missing.
pub async fn audit(owners: &Owners, keys: &[Key]) -> Result<()> {
    const BOOKS: &str = "SELECT w.id, w.balance, coalesce(paid, 0)::bigint, coalesce(payments, 0), \
                         coalesce(bought, 0)::bigint, coalesce(orders, 0) FROM wallets w \
                         LEFT JOIN (SELECT festival_id, wallet_id, sum(amount) AS paid, count(*) AS payments \
                         FROM transactions GROUP BY festival_id, wallet_id) t \
                         ON t.festival_id = w.festival_id AND t.wallet_id = w.id \
                         LEFT JOIN (SELECT festival_id, wallet_id, sum(total) AS bought, count(*) AS orders \
                         FROM orders GROUP BY festival_id, wallet_id) o \
                         ON o.festival_id = w.festival_id AND o.wallet_id = w.id";
    let first: HashMap<Uuid, i64> = keys.iter().map(|key| (key.id, key.first_balance())).collect();
    let books = session(&owners.coordinator).await?.query(BOOKS, &[]).await?;
    ensure!(books.len() == keys.len(), "{} wallets of {} are left", books.len(), keys.len());
    let mut all = 0;
    for wallet in books {
        let first = first.get(&wallet.try_get(0)?).context("a wallet that nobody stored")?;
        let [balance, paid, payments, bought, orders]: [i64; 5] =
            [wallet.try_get(1)?, wallet.try_get(2)?, wallet.try_get(3)?, wallet.try_get(4)?, wallet.try_get(5)?];
        ensure!(balance == first - paid && bought == paid && orders == payments, "a wallet's books are wrong");
        all += payments;
    }
    ensure!(all > 0, "nothing was paid");
    say(&format!("the books of {all} payments are right"));
    Ok(())
}
