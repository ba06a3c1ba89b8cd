//! Many tenants on few connections, with errors and dropped futures: nobody meets another one's rows, and nothing stays with a
//! connection.

use std::collections::BTreeSet;

use futures_util::TryStreamExt as _;
use rand::{Rng as _, SeedableRng as _};
use shardwise::config::CheckRows;
use shardwise::{Cluster, Config, Error, Region, SqlText, Tenant, Uuid, unscoped_sql};
use tokio::task::JoinSet;

use super::stage::Stage;
use crate::support::activity::idle;
use crate::support::model::Wallet;
use crate::support::place::{Place, in_both_modes};
use crate::support::unchecked;
use crate::support::{Tally, timeouts};

in_both_modes![@on_two_threads:
    tenants_that_the_server_holds_share_connections_and_nothing_else,
    tenants_that_their_statements_hold_share_connections_and_nothing_else,
];

const TENANTS: usize = 64;
const ROUNDS: usize = 12;
const CONNECTIONS: u32 = 8;
const WALLETS: usize = 4;

/// What keeps a statement to its tenant.
#[derive(Clone, Copy)]
enum Held {
    /// Row level security: the text forgets whose rows it is about.
    ByTheServer,
    /// The text, as the checker demands it.
    ByTheText,
}

impl Held {
    fn text(self, text: &'static str) -> SqlText<'static> {
        match self {
            Self::ByTheServer => unchecked(text),
            Self::ByTheText => SqlText::new(format!("{text} WHERE festival_id = :festival_id")).entity::<Wallet>(),
        }
    }
}

/// One thing that a tenant does.
async fn work(fest: &Tenant, kind: usize, held: Held) -> shardwise::Result<()> {
    let own = |rows: Vec<(Uuid,)>| {
        assert!(rows.iter().all(|(id,)| id == fest.key()), "a row of another tenant");
        assert_eq!(rows.len(), WALLETS);
    };
    match kind {
        0 => own(fest.query_as(held.text("SELECT festival_id FROM wallets")).await?),
        1 => {
            let mark = held.text("UPDATE wallets SET note = :note").bind("note", fest.key().to_string());
            assert_eq!(fest.execute(mark).await?, 4);
        }
        2 => {
            fest.transaction(async |tx| {
                own(tx.query_as(held.text("SELECT festival_id FROM wallets")).await?);
                let failed = tx.savepoint(async |tx| tx.execute(unchecked("SELECT 1 / 0")).await).await;
                assert!(failed.is_err());
                let plus = held.text("UPDATE wallets SET balance = balance + 1");
                assert_eq!(tx.execute(plus).await?, 4);
                own(tx.query_as(held.text("SELECT festival_id FROM wallets")).await?);
                Ok::<_, Error>(())
            })
            .await?;
        }
        3 => {
            let rows = fest.query_stream(held.text("SELECT festival_id FROM wallets")).await?;
            let rows: Vec<_> = rows.try_collect().await?;
            own(rows.iter().map(|row| Ok((row.get(0)?,))).collect::<shardwise::Result<_>>()?);
        }
        4 => {
            let failed = fest.query(held.text("SELECT 1 / (balance - balance) FROM wallets")).await;
            assert_eq!(failed.unwrap_err().code().unwrap().code(), "22012");
        }
        _ => {
            let rows: Vec<Wallet> = fest.copy_out::<Wallet>().await?.try_collect().await?;
            own(rows.iter().map(|row| (row.festival_id,)).collect());
        }
    }
    Ok(())
}

async fn tenants_that_their_statements_hold_share_connections_and_nothing_else(place: Place) {
    let config = place.prepared().await;
    play(config.clone(), "text-parallel", Held::ByTheText).await;
    assert_all_unmixed(&Cluster::connect(config).await.unwrap(), "text-parallel").await;
}

async fn tenants_that_the_server_holds_share_connections_and_nothing_else(place: Place) {
    let stage = Stage::new(place).await;
    let cluster = play(stage.app.clone(), "policy-parallel", Held::ByTheServer).await;
    assert_all_unmixed(&stage.as_owner().await, "policy-parallel").await;
    // All connections at once, each for itself: none has a tenant, and so none has rows.
    let left = || async {
        let sql = unchecked(
            "SELECT pg_backend_pid(), coalesce(current_setting('shardwise.tenant', true), ''), \
             (SELECT count(*) FROM wallets) FROM pg_sleep(0.2)",
        );
        cluster.reference().query_one_as::<(i32, String, i64)>(sql).await.unwrap()
    };
    let mut connections = BTreeSet::new();
    // A third is shared, on which each statement is told its tenant.
    let exclusive = CONNECTIONS - CONNECTIONS / 3;
    for (pid, setting, rows) in futures_util::future::join_all((0..exclusive).map(|_| left())).await {
        assert_eq!((setting.as_str(), rows), ("", 0));
        connections.insert(pid);
    }
    assert_eq!(connections.len(), usize::try_from(exclusive).unwrap());
}

/// Has all tenants work at once.
async fn play(config: Config, name: &str, held: Held) -> Cluster {
    // What the SDK does with a foreign row is another test's: here it would be seen.
    let config = config.with_application_name(name).with_check_rows(CheckRows::Never);
    let config = config.with_max_connections(CONNECTIONS).unwrap().with_timeouts(timeouts()).unwrap();
    // On Citus the nearest node, which is asked in the end, is one that owns shards.
    let cluster = Cluster::connect(config.with_local_region(Region::US).unwrap()).await.unwrap();
    let mut tenants = Vec::new();
    for _ in 0..TENANTS {
        let fest = cluster.tenant(Uuid::new_v4()).await.unwrap();
        fest.insert_many(&[(); WALLETS].map(|()| Wallet::new(*fest.key(), 0))).await.unwrap();
        tenants.push(fest);
    }
    let tally = Tally::default();
    let mut tasks = JoinSet::new();
    for (number, fest) in tenants.iter().cloned().enumerate() {
        let tally = tally.clone();
        tasks.spawn(async move {
            let mut random = rand::rngs::StdRng::seed_from_u64(u64::try_from(number).unwrap());
            for round in 0..ROUNDS {
                let polls = if random.random_bool(0.5) { usize::MAX } else { random.random_range(0..8) };
                tally.count(polls, work(&fest, (number + round) % 6, held)).await;
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    tally.assert_enough(200, 50);
    for fest in &tenants {
        work(fest, 0, held).await.unwrap();
    }
    cluster
}

/// Nobody wrote into another one's rows, and no connection is left in a transaction.
async fn assert_all_unmixed(owner: &Cluster, name: &str) {
    idle(owner, name).await;
    let strange = unscoped_sql!("SELECT count(*) FROM wallets WHERE note <> festival_id::text");
    assert_eq!(owner.coordinator().query_one_as::<(i64,)>(strange).await.unwrap(), (0,));
    let marked = unscoped_sql!("SELECT count(*) FROM wallets WHERE note = festival_id::text");
    assert!(owner.coordinator().query_one_as::<(i64,)>(marked).await.unwrap().0 > 0);
}
