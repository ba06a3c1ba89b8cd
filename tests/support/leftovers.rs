//! The databases that tests made are dropped when their test has ended: hundreds of them, on each node of a cluster, would fill
//! the disk of a small machine.

use std::cell::RefCell;
use std::sync::LazyLock;
use std::sync::mpsc::{Sender, channel};

use shardwise::Config;
use shardwise::config::Endpoint;
use shardwise::local::CitusCluster;

use super::direct::connect_at;

thread_local! {
    // Each test has a thread to itself.
    static OF_THIS_TEST: RefCell<Leftovers> = const { RefCell::new(Leftovers(Vec::new())) };
}

/// A new, empty database on a shared cluster, for this test alone.
pub async fn fresh(local: &CitusCluster) -> Config {
    dropped_after_the_test(local.fresh_database().await.unwrap())
}

/// Has the configuration's database dropped, on all its servers, after this test.
pub fn dropped_after_the_test(config: Config) -> Config {
    OF_THIS_TEST.with_borrow_mut(|leftovers| leftovers.0.push(config.clone()));
    config
}

struct Leftovers(Vec<Config>);

impl Drop for Leftovers {
    fn drop(&mut self) {
        // Where the run is ending, the servers are too.
        self.0.drain(..).for_each(|config| drop(SWEEPER.send(config)));
    }
}

/// Drops them one after the other, while other tests run.
static SWEEPER: LazyLock<Sender<Config>> = LazyLock::new(|| {
    let (sender, ended) = channel::<Config>();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for config in ended {
            for server in config.contact_points() {
                // A server that the test stopped, or where the pooler still holds a session: it ends with the run.
                let _ = runtime.block_on(drop_database(&config, server));
            }
        }
    });
    sender
});

async fn drop_database(config: &Config, server: &Endpoint) -> Result<(), tokio_postgres::Error> {
    let main = connect_at(server, config, config.user()).await?;
    main.batch_execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", config.database())).await
}
