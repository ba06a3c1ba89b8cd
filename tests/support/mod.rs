//! One server for the whole run, a fresh database per test, and the entities that the tests share.

pub mod activity;
pub mod citus;
pub mod collector;
pub mod logs;
pub mod model;
pub mod place;
pub mod proxy;
pub mod secrets;

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
        checkout: Duration::from_secs(10),
        statement: Duration::from_secs(20),
        call: Duration::from_secs(30),
    }
}

/// Drops a future after so many polls: at a random place, however fast the machine is.
pub async fn at_most<T>(mut polls: usize, future: impl Future<Output = T>) -> Option<T> {
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
