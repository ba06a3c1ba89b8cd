//! tokio-postgres alone, over connections that all tasks share: whoever sends while another waits is pipelined behind it. What
//! can be done with this protocol and this driver at all.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result};
use tokio_postgres::Client;

use super::statements::{Statements, wallet};
use super::{Pools, Reads};
use crate::model::{Key, Wallet};
use crate::servers::session;

/// Connections that nobody has to wait for.
#[derive(Clone)]
pub struct Raw(Pools<Box<[Shared]>>);

struct Shared {
    client: Client,
    statements: Statements,
    under_way: AtomicUsize,
}

impl Raw {
    /// With so many connections to each of these nodes.
    ///
    /// # Errors
    /// When one can't be opened.
    pub async fn connect(urls: &[String], connections: u32) -> Result<Self> {
        let open = async |url: &str| {
            let mut all = Vec::new();
            for _ in 0..connections {
                let client = session(url).await?;
                let statements = Statements::prepare(&client).await?;
                all.push(Shared { client, statements, under_way: AtomicUsize::new(0) });
            }
            Ok(all.into_boxed_slice())
        };
        Ok(Self(Pools::at(urls, open).await?))
    }

    /// The connection with the least to do, and of those the first: one task alone meets a server process that is warm.
    fn least_busy(&self, key: &Key) -> Result<Busy<'_>> {
        let connections = self.0.of(key).iter();
        let least = connections.min_by_key(|shared| shared.under_way.load(Ordering::Relaxed));
        let least = least.context("there is no connection")?;
        least.under_way.fetch_add(1, Ordering::Relaxed);
        Ok(Busy(least))
    }
}

/// A connection with something under way, for as long as this is held.
struct Busy<'a>(&'a Shared);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Reads for Raw {
    async fn read(&self, key: Key) -> Result<Wallet> {
        let busy = self.least_busy(&key)?;
        let Shared { client, statements, .. } = busy.0;
        wallet(&client.query_one(&statements.read, &[&key.festival_id, &key.id]).await?)
    }
}
