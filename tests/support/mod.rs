//! One server for the whole run, a fresh database per test, and the entities that the tests share.

pub mod activity;
pub mod browser;
pub mod citus;
pub mod collector;
pub mod direct;
pub mod leftovers;
pub mod logs;
pub mod model;
pub mod place;
pub mod pooler;
pub mod programs;
pub mod protocol;
pub mod proxy;
pub mod secrets;
pub mod stage;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use shardwise::config::Timeouts;
use shardwise::local::{self, Server};
use shardwise::{AssertTenantSafe, Schema, SqlText};
use tokio::sync::OnceCell;

/// The run's server. It ends with the process.
pub async fn server() -> &'static Server {
    static SERVER: OnceCell<Server> = OnceCell::const_new();
    logs::keep();
    SERVER.get_or_init(|| async { local::single().start().await.unwrap() }).await
}

/// A statement that no checker looks at.
pub fn unchecked(text: &'static str) -> SqlText<'static> {
    AssertTenantSafe("a test").sql(text)
}

pub fn schema() -> Schema {
    use model::{Country, Entry, Everything, Festival, Label, Seat, User, Wallet};
    Schema::new()
        .with::<Country>()
        .with::<Festival>()
        .with::<User>()
        .with::<Wallet>()
        .with::<Entry>()
        .with::<Seat>()
        .with::<Label>()
        .with::<Everything>()
}

/// Limits short enough to run into in a test.
pub fn timeouts() -> Timeouts {
    Timeouts {
        connect: Duration::from_secs(5),
        checkout: Duration::from_secs(20),
        statement: Duration::from_secs(20),
        call: Duration::from_secs(30),
    }
}

/// How many futures ended, and how many were dropped half-way.
#[derive(Clone, Default)]
pub struct Tally(Arc<[AtomicUsize; 2]>);

impl Tally {
    /// Runs a future for so many polls, and counts how that went. What ends has to end well.
    pub async fn count(&self, polls: usize, future: impl Future<Output = shardwise::Result<()>>) {
        let ended = at_most(polls, future).await.map(Result::unwrap).is_some();
        self.0[usize::from(ended)].fetch_add(1, Ordering::Relaxed);
    }

    /// That enough of both came about to tell anything.
    pub fn assert_enough(&self, least_finished: usize, least_dropped: usize) {
        let [dropped, finished] = [0, 1].map(|which| self.0[which].load(Ordering::Relaxed));
        println!("{finished} finished, {dropped} were dropped half-way");
        assert!(
            finished >= least_finished && dropped >= least_dropped,
            "{finished} finished, {dropped} dropped: too few of one kind to tell"
        );
    }
}

/// Drops a future after so many polls: at a random place, however fast the machine is.
async fn at_most<T>(mut polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if polls == 0 => Poll::Ready(None),
        Poll::Pending => {
            polls -= 1;
            Poll::Pending
        }
    })
    .await
}
