//! The whole suite of sessions through a pooler: with `TEST_POOLER=transaction` (or `session`) the tests on one server go through
//! PgBouncer, which has three connections to it.

use shardwise::Config;
use shardwise::local::{PgBouncer, pgbouncer};
use tokio::sync::OnceCell;

static POOLER: OnceCell<Option<PgBouncer>> = OnceCell::const_new();

/// What stands before the run's server, if anything does.
pub async fn before(config: Config) -> Config {
    let start = async || {
        let mode = std::env::var("TEST_POOLER").ok()?;
        let pooler = pgbouncer(super::server().await).server_connections(3);
        let pooler = match mode.as_str() {
            "transaction" => pooler,
            "session" => pooler.session_mode().server_connections(60),
            other => panic!("TEST_POOLER is {other:?}: write transaction or session"),
        };
        Some(pooler.start().await.unwrap())
    };
    match POOLER.get_or_init(start).await {
        Some(pooler) => pooler.before(config).unwrap(),
        None => config,
    }
}

/// The way to the same database that no pooler is on: behind one, whoever ends a session of the server may end its own.
pub async fn past(config: Config) -> Config {
    match POOLER.get() {
        Some(Some(_)) => config.with_contact_points(super::server().await.config().contact_points().to_vec()).unwrap(),
        _ => config,
    }
}

/// Whether there is one, and so a test has nothing to look at; it says why.
pub fn is_there(why: &str) -> bool {
    let is_there = std::env::var_os("TEST_POOLER").is_some();
    if is_there {
        println!("SKIPPED behind a pooler: {why}");
    }
    is_there
}
