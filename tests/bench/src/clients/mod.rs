//! The clients that are compared, each written as a good user of its library would: prepared statements, a pool of the same
//! size without a probe at checkout, the row decoded into a struct.

pub mod bb8;
pub mod deadpool;
pub mod diesel;
pub mod raw;
pub mod sea_orm;
pub mod shardwise;
pub mod sqlx;
mod statements;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::contest::Contender;
use crate::load::{Sample, drive};
use crate::model::{Key, Payment, Wallet};

/// A client that can read a wallet.
pub trait Reads: Clone + Send + Sync + 'static {
    /// Reads this one.
    fn read(&self, key: Key) -> impl Future<Output = Result<Wallet>> + Send;
}

/// A client that can make a payment: read the wallet, write its new balance, insert a transaction and an order, all or nothing.
pub trait Pays: Clone + Send + Sync + 'static {
    /// Makes this one.
    fn pay(&self, payment: Payment) -> impl Future<Output = Result<()>> + Send;
}

/// What a round is like.
#[derive(Clone)]
pub struct Load {
    /// The wallets that there are.
    pub keys: Arc<[Key]>,
    /// How many tasks there are at once.
    pub tasks: usize,
    /// How long it goes on.
    pub time: Duration,
}

impl Load {
    /// Somebody who reads. Each read is of another wallet, and each round begins at another one, so that none finds warm what
    /// the round before has read.
    pub fn reads<C: Reads>(&self, slug: &'static str, title: &'static str, client: C) -> Contender<'static, Sample> {
        // Far apart, and prime: so all wallets come up before one does again.
        const STRIDE: usize = 104_729;
        let Self { keys, tasks, time } = self.clone();
        Contender::new(slug, title, move || {
            let (client, keys) = (client.clone(), keys.clone());
            let begin = usize::from(rand::random::<u16>()) * tasks;
            drive(tasks, time, move |task, turn| {
                let (client, key) = (client.clone(), keys[(begin + turn * tasks + task) * STRIDE % keys.len()]);
                async move { key.verify(&client.read(key).await?) }
            })
        })
    }

    /// Somebody who pays. Each task has wallets of its own, for nobody here is measured at waiting for a row's lock.
    ///
    /// # Errors
    /// Where the wallets can't be shared out.
    pub fn pays<C: Pays>(
        &self,
        slug: &'static str,
        title: &'static str,
        client: C,
    ) -> Result<Contender<'static, Sample>> {
        let Self { keys, tasks, time } = self.clone();
        ensure!(keys.len().is_multiple_of(tasks), "some wallet would be of two tasks");
        Ok(Contender::new(slug, title, move || {
            let (client, keys) = (client.clone(), keys.clone());
            drive(tasks, time, move |task, turn| {
                let (client, key) = (client.clone(), keys[(turn * tasks + task) % keys.len()]);
                let amount = i64::try_from(turn % 1_000).unwrap_or_default() + 1;
                async move { client.pay(Payment::new(key, amount)).await }
            })
        }))
    }
}

/// The pools of one client: one for the coordinator, or one for each node that owns rows.
#[derive(Debug)]
pub struct Pools<P>(Arc<[P]>);

impl<P> Pools<P> {
    /// A pool at each of these addresses.
    ///
    /// # Errors
    /// When one can't be made.
    pub async fn at(urls: &[String], open: impl AsyncFn(&str) -> Result<P>) -> Result<Self> {
        let mut pools = Vec::with_capacity(urls.len());
        for url in urls {
            pools.push(open(url).await?);
        }
        Ok(Self(pools.into()))
    }

    /// The pool for this key: its owner's, or the only one.
    #[must_use]
    pub fn of(&self, key: &Key) -> &P {
        &self.0[key.owner % self.0.len()]
    }
}

impl<P> Clone for Pools<P> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}
