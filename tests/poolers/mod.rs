//! Behind a pooler that gives each transaction another server, and behind one that does not. (The whole suite of sessions goes
//! through one as well: see `support/pooler.rs`.)

use std::time::Duration;

use futures_util::TryStreamExt as _;
use shardwise::config::{Policy, Pooler, Timeouts};
use shardwise::local::{self, PgBouncer, pgbouncer};
use shardwise::{Cluster, Config, ErrorKind, Transaction, Uuid, sql, unscoped_sql};
use tokio::task::JoinSet;

use crate::session::types::everything;
use crate::support::activity::{Activity, idle};

use crate::support::model::{Entry, Everything, Wallet};
use crate::support::place::Place;
use crate::support::protocol::Message;
use crate::support::proxy::{Moment, Proxy};
use crate::support::{schema, server, timeouts, unchecked};

/// The shared server, a database with the shared entities' tables, and PgBouncer before it with three connections.
async fn behind(session: bool) -> (PgBouncer, Config, Config) {
    let direct = Place::Single.empty().await;
    Cluster::connect(direct.clone()).await.unwrap().admin().apply(&schema()).await.unwrap();
    let pooler = pgbouncer(server().await).server_connections(3);
    let pooler = if session { pooler.session_mode().server_connections(40) } else { pooler };
    let pooler = pooler.start().await.unwrap();
    let config = pooler.before(direct.clone()).unwrap();
    (pooler, config, direct)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_tasks_share_three_servers() {
    const NAME: &str = "pooled-64";
    let (_pooler, config, direct) = behind(false).await;
    let config = config.with_application_name(NAME).with_max_connections(64).unwrap();
    let cluster = Cluster::connect(config.with_timeouts(timeouts()).unwrap()).await.unwrap();
    let mut tasks = JoinSet::new();
    for task in 0..64_i64 {
        let cluster = cluster.clone();
        tasks.spawn(async move {
            let fest = cluster.tenant(Uuid::new_v4()).await.unwrap();
            let mut wallet = Wallet::new(*fest.key(), task);
            fest.insert(&wallet).await.unwrap();
            for round in 0..10 {
                wallet.balance = task * 100 + round;
                match round % 4 {
                    0 => fest.update(&wallet).await.unwrap(),
                    1 => fest.transaction(async |tx: Transaction| tx.update(&wallet).await).await.unwrap(),
                    2 => fest.pipeline().update(&wallet).insert(&Entry::new(&wallet, 1)).commit().await.unwrap(),
                    _ => {
                        let text = "UPDATE wallets SET balance = :balance WHERE festival_id = :festival_id";
                        let text = shardwise::SqlText::new(text).entity::<Wallet>().bind("balance", wallet.balance);
                        assert_eq!(fest.execute(text).await.unwrap(), 1);
                    }
                }
                assert_eq!(fest.get::<Wallet>(wallet.id).await.unwrap(), wallet, "a reply went to the wrong task");
                let mine = sql!(
                    "SELECT balance + :plus FROM wallets WHERE festival_id = :festival_id",
                    entities(Wallet),
                    plus = 1_i64
                );
                assert_eq!(fest.query_one_as::<(i64,)>(mine).await.unwrap().0, wallet.balance + 1);
                let all: Vec<Wallet> = fest.copy_out::<Wallet>().await.unwrap().try_collect().await.unwrap();
                assert_eq!(all.len(), 1);
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    let activity = Activity::of(&Cluster::connect(direct).await.unwrap(), NAME).await;
    assert!(activity.connections <= 3, "{activity:?}");
    assert_eq!((cluster.metrics().errors, cluster.metrics().retries), (0, 0));
}

#[tokio::test]
async fn what_stands_in_between_is_found_out() {
    let (_pooler, pooled, direct) = behind(false).await;
    let (_other, session, _) = behind(true).await;
    let proxy = Proxy::to(direct.contact_points()[0].port).await;
    let proxied = format!("127.0.0.1:{}", proxy.port).parse().unwrap();
    let proxied = direct.clone().with_contact_points([proxied]).unwrap();
    // Whether something is prepared under a name tells what was found.
    for (config, named) in [(pooled, false), (session, true), (proxied, true), (direct, true)] {
        let cluster = Cluster::connect(config.with_max_connections(1).unwrap()).await.unwrap();
        let fest = cluster.tenant(Uuid::new_v4()).await.unwrap();
        fest.insert(&Wallet::new(*fest.key(), 1)).await.unwrap();
        fest.count::<Wallet>().await.unwrap();
        let prepared = unchecked("SELECT count(*) FILTER (WHERE statement LIKE 'INSERT%') FROM pg_prepared_statements");
        assert_eq!(fest.query_one_as::<(i64,)>(prepared).await.unwrap().0 > 0, named);
    }
}

#[tokio::test]
async fn enums_and_other_types_of_the_database_come_back() {
    let (_pooler, config, direct) = behind(false).await;
    let cluster = Cluster::connect(config).await.unwrap();
    let fest = cluster.tenant(Uuid::new_v4()).await.unwrap();
    let sent = everything(*fest.key(), 1);
    fest.insert(&sent).await.unwrap();
    let read = fest.get::<Everything>(1).await.unwrap();
    assert_eq!(read, Everything { doubled: read.doubled, serial: read.serial, ..sent });
    assert_eq!(fest.insert_returning(&everything(*fest.key(), 2)).await.unwrap().id, 2);
    // As they are, without a cast to text: the driver has to know their types, on whatever server it is.
    let raw = async || {
        fest.query(sql!(
            "SELECT state, states FROM everything WHERE festival_id = :festival_id ORDER BY id",
            entities(Everything)
        ))
        .await
    };
    for _ in 0..20 {
        for rows in futures_util::future::join_all((0..4).map(|_| raw())).await {
            assert_eq!(rows.unwrap().len(), 2);
        }
    }
    // One that was made since: reading finds a new connection that knows it.
    let direct = Cluster::connect(direct).await.unwrap();
    direct.coordinator().execute(unscoped_sql!("CREATE TYPE mood AS ENUM ('fine')")).await.unwrap();
    let mut answered = 0;
    for _ in 0..10 {
        answered += usize::from(cluster.coordinator().query(unscoped_sql!("SELECT 'fine'::mood")).await.is_ok());
    }
    assert!(answered >= 9, "{answered}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_level_security_holds_behind_a_pooler() {
    let server = local::single().start().await.unwrap();
    let owner = server.config().with_policy(Policy::row_level_security("pooled_app")).unwrap();
    let cluster = Cluster::connect(owner.clone()).await.unwrap();
    cluster.admin().apply(&schema()).await.unwrap();
    cluster.coordinator().execute(unscoped_sql!("CREATE ROLE pooled_login LOGIN IN ROLE pooled_app")).await.unwrap();
    let pooler = pgbouncer(&server).user("pooled_login").server_connections(2).start().await.unwrap();
    let config = pooler.before(owner.with_user("pooled_login")).unwrap().with_max_connections(32).unwrap();
    let cluster = Cluster::connect(config).await.unwrap();
    let mut tasks = JoinSet::new();
    for _ in 0..32 {
        let cluster = cluster.clone();
        tasks.spawn(async move {
            let fest = cluster.tenant(Uuid::new_v4()).await.unwrap();
            fest.insert(&Wallet::new(*fest.key(), 1)).await.unwrap();
            for _ in 0..10 {
                let all = unchecked("SELECT festival_id FROM wallets");
                assert_eq!(fest.query_as::<(Uuid,)>(all).await.unwrap(), [(*fest.key(),)]);
                let all =
                    async |tx: Transaction| tx.query_as::<(Uuid,)>(unchecked("SELECT festival_id FROM wallets")).await;
                assert_eq!(fest.transaction(all).await.unwrap(), [(*fest.key(),)]);
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
}

#[tokio::test]
async fn what_is_dropped_ends_by_the_servers_own_limit() {
    const NAME: &str = "pooled-dropped";
    let (_pooler, config, direct) = behind(false).await;
    let limits = Timeouts { statement: Duration::from_secs(2), ..timeouts() };
    let config = config.with_application_name(NAME).with_timeouts(limits).unwrap();
    let (cluster, looking) = (Cluster::connect(config).await.unwrap(), Cluster::connect(direct).await.unwrap());
    let fest = cluster.tenant(Uuid::new_v4()).await.unwrap();
    let sleep = || fest.execute(unchecked("SELECT pg_sleep(600)"));
    assert!(tokio::time::timeout(Duration::from_millis(300), sleep()).await.is_err());
    assert_eq!(Activity::of(&looking, NAME).await.active, 1);
    let slow = sleep().await.unwrap_err();
    assert!(slow.code().is_some_and(|code| code.code() == "57014") || slow.timeout().is_some(), "{slow}");
    idle(&looking, NAME).await;
    fest.insert(&Wallet::new(*fest.key(), 1)).await.unwrap();
    assert_eq!(fest.count::<Wallet>().await.unwrap(), 1);
}

/// A pooler that loses its server answers whatever is first in line, be that the BEGIN, while the COMMIT may have been done.
#[tokio::test]
async fn what_a_pooler_lost_the_answer_to_is_of_unknown_outcome_and_not_done_twice() {
    let (_, _, direct) = behind(false).await;
    let proxy = Proxy::to(direct.contact_points()[0].port).await;
    let pooler = pgbouncer(server().await).by_way_of(proxy.port).server_connections(3).start().await.unwrap();
    let cluster = Cluster::connect(pooler.before(direct.clone()).unwrap()).await.unwrap();
    let fest = cluster.tenant(Uuid::new_v4()).await.unwrap();
    let wallet = Wallet::new(*fest.key(), 0);
    fest.insert(&wallet).await.unwrap();
    let looking = Cluster::connect(direct).await.unwrap().tenant(*fest.key()).await.unwrap();
    let mut balance = 0;
    for round in 0..20 {
        // A connection that is open is there then: as it is opened, it asks for types in a transaction of its own.
        fest.get::<Wallet>(wallet.id).await.unwrap();
        proxy.reset_at(Message::Commit, Moment::Sent);
        let outcome = match round % 2 {
            0 => fest.update_columns::<Wallet>(wallet.id).add(Wallet::BALANCE, 1).run().await.map(drop),
            _ => {
                let entry = Entry::new(&wallet, 1);
                let paid = Wallet { balance: balance + 1, ..wallet.clone() };
                fest.pipeline().update(&paid).insert(&entry).commit().await
            }
        };
        let error = outcome.unwrap_err();
        assert!(error.is_outcome_unknown(), "{error:?}");
        let now = looking.get::<Wallet>(wallet.id).await.unwrap().balance;
        assert!((balance..=balance + 1).contains(&now), "{balance} became {now} with {error:?}");
        balance = now;
    }
    assert_eq!((proxy.resets(), cluster.metrics().retries), (20, 0));
}

#[tokio::test]
async fn what_needs_a_session_is_refused() {
    let (_pooler, config, _) = behind(false).await;
    let cluster = Cluster::connect(config.with_pooler(Pooler::Transaction)).await.unwrap();
    let refused = cluster.admin().apply(&schema()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    assert!(refused.to_string().contains("names the server itself"), "{refused}");
    let set = cluster.coordinator().execute(unscoped_sql!("SET search_path = elsewhere")).await.unwrap_err();
    assert_eq!(set.kind(), ErrorKind::Usage);
    assert!(set.to_string().contains("another client's afterwards"), "{set}");
    // What a vouched text sets is gone with its transaction.
    let fest = cluster.tenant(Uuid::new_v4()).await.unwrap();
    for _ in 0..5 {
        fest.query(unchecked("SELECT set_config('shardwise.test', 'left over', false)")).await.unwrap();
        let left = unchecked("SELECT coalesce(current_setting('shardwise.test', true), '')");
        assert_eq!(fest.query_one_as::<(String,)>(left).await.unwrap().0, "");
    }
}
