//! Reference rows that are kept: read once, forgotten when they change.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use shardwise::config::DirectoryConfig;
use shardwise::{Cluster, ErrorKind, Region, Uuid};

use super::stage::{self, until};
use crate::support::citus::shared;
use crate::support::model::Festival;

fn festival(name: &str) -> Festival {
    let id = Uuid::new_v4();
    Festival { id, slug: id.to_string(), region: Region::EU, name: name.to_owned() }
}

fn reads(cluster: &Cluster) -> u64 {
    cluster.metrics().routes.get("nearest").copied().unwrap_or(0)
}

#[tokio::test]
async fn a_row_is_read_once_and_seen_anew_when_it_changes() {
    let Some(local) = shared("a_row_is_read_once_and_seen_anew_when_it_changes").await else { return };
    let cluster = stage::cluster(local).await;
    let directory = cluster.directory::<Festival>();
    let mut first = festival("one");
    cluster.reference().insert(&first).await.unwrap();

    let before = reads(&cluster);
    let all = join_all((0..100).map(|_| directory.find_by(Festival::SLUG, first.slug.as_str()))).await;
    assert!(all.into_iter().all(|found| *found.unwrap().unwrap() == first));
    assert_eq!(reads(&cluster) - before, 1, "one looks it up for all");
    assert_eq!(*directory.find(first.id).await.unwrap().unwrap(), first);
    let kept = [directory.find(first.id).await, directory.find(first.id).await].map(|found| found.unwrap().unwrap());
    assert!(Arc::ptr_eq(&kept[0], &kept[1]));

    first.name = "another".to_owned();
    cluster.reference().update(&first).await.unwrap();
    assert_eq!(directory.find(first.id).await.unwrap().unwrap().name, "another", "our own write is seen at once");
    first.name = "a third".to_owned();
    cluster.reference().transaction(async |tx| tx.update(&first).await).await.unwrap();
    assert_eq!(directory.find(first.id).await.unwrap().unwrap().name, "a third");
    cluster.reference().delete::<Festival>(first.id).await.unwrap();
    assert_eq!(directory.find(first.id).await.unwrap(), None);

    let refused = directory.find_by(Festival::NAME, "one").await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Usage);
    assert!(refused.to_string().contains("`name` is not unique"), "{refused}");
}

#[tokio::test]
async fn what_another_process_creates_is_seen() {
    let Some(local) = shared("what_another_process_creates_is_seen").await else { return };
    let config = stage::config(local).await;
    let [ours, theirs] = [Cluster::connect(config.clone()).await.unwrap(), Cluster::connect(config).await.unwrap()];
    let new = festival("new");
    let directory = ours.directory::<Festival>();
    assert_eq!(directory.find_by(Festival::SLUG, new.slug.as_str()).await.unwrap(), None);
    let before = reads(&ours);
    assert_eq!(directory.find_by(Festival::SLUG, new.slug.as_str()).await.unwrap(), None);
    assert!(reads(&ours) - before <= 1);
    theirs.reference().insert(&new).await.unwrap();
    until(async || directory.find_by(Festival::SLUG, new.slug.as_str()).await.unwrap().is_some()).await;
    // One that nobody asked for before is there at once.
    let newer = festival("newer");
    theirs.reference().insert(&newer).await.unwrap();
    assert_eq!(directory.find(newer.id).await.unwrap().as_deref(), Some(&newer));
}

#[tokio::test]
async fn entries_end_and_are_bounded() {
    let Some(local) = shared("entries_end_and_are_bounded").await else { return };
    let kept =
        DirectoryConfig { capacity: 8, ttl: Duration::from_millis(300), negative_ttl: Duration::from_millis(10) };
    let config = stage::config(local).await;
    let [ours, theirs] = [config.clone().with_directory(kept).unwrap(), config]
        .map(|config| async { Cluster::connect(config).await.unwrap() });
    let (ours, theirs) = (ours.await, theirs.await);
    let mut changed = festival("before");
    theirs.reference().insert(&changed).await.unwrap();
    let directory = ours.directory::<Festival>();
    assert_eq!(directory.find(changed.id).await.unwrap().unwrap().name, "before");
    changed.name = "after".to_owned();
    theirs.reference().update(&changed).await.unwrap();
    until(async || directory.find(changed.id).await.unwrap().unwrap().name == "after").await;
    // More than fit: each is found all the same.
    for _ in 0..50 {
        let one = festival("one of many");
        theirs.reference().insert(&one).await.unwrap();
        assert_eq!(directory.find(one.id).await.unwrap().as_deref(), Some(&one));
    }
}
