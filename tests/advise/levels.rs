//! Each level's checklist is the playbook's.

use std::collections::BTreeSet;

use shardwise::advise::{AdviceOptions, Level, Topic};
use shardwise::{ErrorKind, Schema};

use super::stage::{Stage, options};
use crate::support::place::{Place, in_both_modes};

in_both_modes![
    each_level_has_its_checklist_and_those_below,
    a_schema_without_entities_is_advised_too,
    nothing_is_written
];

async fn each_level_has_its_checklist_and_those_below(place: Place) {
    let stage = Stage::filled(place).await;
    let lists: [(Level, &[Topic]); 4] = [
        (Level::Small, &[Topic::Indexes, Topic::ApplicationPool, Topic::Queries]),
        (Level::Medium, &[Topic::Pooler, Topic::AnalyticsReplica, Topic::RedisCache, Topic::MaterializedViews]),
        (Level::Large, &[Topic::Replicas, Topic::Partitions, Topic::ShardingPreparation, Topic::Regions]),
        (Level::Enterprise, &[Topic::Sharding, Topic::GeoRouting, Topic::ReadWriteRouting, Topic::AnalyticsCluster]),
    ];
    let mut wanted = BTreeSet::new();
    for ((level, topics), users) in lists.into_iter().zip([999, 9_999, 99_999, 100_000]) {
        wanted.extend(topics.iter().map(|topic| (level, *topic)));
        let advice = stage.advice_by(&AdviceOptions { users: Some(users), ..options() }).await;
        assert_eq!(advice.level, level);
        let items: BTreeSet<_> = advice.items.iter().map(|item| (item.level, item.topic)).collect();
        assert_eq!(items, wanted, "{users} users");
        for item in &advice.items {
            assert!(!item.why.is_empty(), "{item}");
        }
        let json = serde_json::to_value(&advice).unwrap();
        assert_eq!(json["level"], level.as_str());
        assert_eq!(json["items"].as_array().unwrap().len(), items.len());
        assert!(json["items"][0]["complexity"].is_string() && json["items"][0]["cost"].is_string(), "{json:#}");
        assert_eq!(json["path"].as_array().unwrap().len(), 6);
        if users == 100_000 {
            println!("{advice}");
        }
    }
    // By evidence, each with its source.
    let advice = stage.advice().await;
    assert_eq!(advice.level, Level::Small, "{advice}");
    assert!(advice.signals.len() >= 3, "{advice}");
    let wrong =
        stage.cluster.admin().advise(&stage.schema, &AdviceOptions { skew: 0.5, ..options() }).await.unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::Config);
}

async fn a_schema_without_entities_is_advised_too(place: Place) {
    let stage = Stage::filled(place).await;
    let advice = stage
        .cluster
        .admin()
        .advise(&Schema::new(), &AdviceOptions { users: Some(50_000), ..options() })
        .await
        .unwrap();
    assert!(
        super::stage::found(&advice, shardwise::advise::FindingKind::MissingIndex, "wallets (user_id)").is_some(),
        "{advice}"
    );
    let preparation = advice.item(Topic::ShardingPreparation).unwrap();
    assert_eq!(
        preparation.state,
        place.pick(shardwise::advise::State::Missing, shardwise::advise::State::There),
        "{advice}"
    );
}

/// What it asks, it asks in transactions that may only read.
async fn nothing_is_written(place: Place) {
    let stage = Stage::filled(place).await;
    let read_only = format!("ALTER DATABASE {} SET default_transaction_read_only = on", stage.config.database());
    stage.run(&read_only).await;
    let cluster = shardwise::Cluster::connect(stage.config.clone()).await.unwrap();
    let advice = cluster.admin().advise(&stage.schema, &options()).await.unwrap();
    assert!(advice.nodes.iter().all(|node| node.problem.is_none()), "{advice}");
}
