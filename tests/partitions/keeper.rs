//! One process keeps the partitions.

use std::time::Duration;

use jiff::ToSpan;
use shardwise::Cluster;
use shardwise::admin::partitions::KeeperOptions;

use super::stage::{DAY, Stage, name, noon};
use crate::support::place::{Place, in_both_modes};

in_both_modes![one_of_two_leads_and_the_other_takes_over, what_fails_keeps_nothing_else_from_being_done];

async fn one_of_two_leads_and_the_other_takes_over(place: Place) {
    let stage = Stage::new(place).await;
    let (month, wallet) = (stage.month().await, stage.wallet().await);
    stage.make(month - 15.months()).await;
    stage.make(month - 2.months()).await;
    stage.partitions().create_default().await.unwrap();
    stage.fill(&wallet, noon(month + 20.months()), 5).await;
    let options = || KeeperOptions::default().every(Duration::from_millis(200)).ahead(5).drop_older_than(DAY * 365);
    let other = Cluster::connect(stage.config.clone()).await.unwrap();
    let first = stage.partitions().keep(options());
    let status = first.wait_for(|status| status.rounds >= 2).await;
    assert!(status.is_leader && status.errors.is_empty() && status.last_success.is_some(), "{status:?}");
    let live = stage.live().await;
    for ahead in [-1, 4, 5, 20] {
        assert!(live.contains(&name(month + ahead.months())), "{ahead}: {live:?}");
    }
    assert!(!live.contains(&name(month - 15.months())), "{live:?}");
    assert_eq!(stage.number("SELECT count(*) FROM entries_default").await, 0);

    let second = other.admin().partitions(&super::stage::schema()).keep(options());
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!((second.status().rounds, second.status().is_leader), (0, false));
    assert!(first.status().is_leader);
    drop(first);
    let status = second.wait_for(|status| status.rounds >= 1).await;
    assert!(status.is_leader, "{status:?}");
    // Its session is lost, and with it the lock: it takes it again.
    let holders = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1885434484 \
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let ended = stage.by_hand.query(holders, &[]).await.unwrap().len();
    assert_eq!(ended, 1);
    let rounds = second.status().rounds;
    second.wait_for(|status| status.rounds >= rounds + 2).await;
    stage.cluster.close(Duration::from_secs(1)).await;
}

async fn what_fails_keeps_nothing_else_from_being_done(place: Place) {
    let stage = Stage::new(place).await;
    let month = stage.month().await;
    stage.make(month - 15.months()).await;
    let taken = name(month + 4.months());
    stage.run(&[&format!("CREATE TABLE {taken} (a int)"), &format!("INSERT INTO {taken} VALUES (1)")]).await;
    let options = KeeperOptions::default().every(Duration::from_millis(100)).ahead(4).drop_older_than(DAY * 365);
    let keeper = stage.partitions().keep(options);
    let status = keeper.wait_for(|status| status.rounds >= 1).await;
    assert_eq!((status.errors.len(), status.last_success), (1, None), "{status:?}");
    assert!(status.errors[0].to_string().contains(&taken), "{status:?}");
    assert!(
        !stage.live().await.contains(&name(month - 15.months())),
        "the old one is gone although another part failed"
    );
    stage.run(&[&format!("DROP TABLE {taken}")]).await;
    keeper.wait_for(|status| status.last_success.is_some()).await;
    assert!(stage.live().await.contains(&taken));
}
