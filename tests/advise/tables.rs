//! Tables that are large, that will be, that ought to be partitioned, and that waste room.

use std::time::Duration;

use jiff::Timestamp;
use shardwise::advise::{AdviceOptions, FindingKind, Level, Rung, State, Topic};
use shardwise::{Entity, Schema, Uuid};

use super::stage::{ROWS, Stage, found, options};
use crate::support::model::{Country, Entry, User, Wallet};
use crate::support::place::{Place, in_both_modes};

in_both_modes![
    a_table_of_many_rows_makes_it_large,
    a_table_that_grows_is_told_with_the_time,
    an_entity_whose_table_is_not_partitioned_is_found_until_it_is,
    dead_rows_are_found_until_they_are_gone,
    free_space_is_estimated_and_measured,
    a_locked_table_keeps_nobody_waiting,
    rollups_are_seen,
];

pub const YEAR: Duration = Duration::from_secs(365 * 86_400);

async fn a_table_of_many_rows_makes_it_large(place: Place) {
    let stage = Stage::filled(place).await;
    let bound = |big_rows| AdviceOptions { big_rows, horizon: Duration::ZERO, ..options() };
    let advice = stage.advice_by(&bound(ROWS)).await;
    let big = found(&advice, FindingKind::BigTable, "wallets").unwrap_or_else(|| panic!("{advice}"));
    println!("{big}");
    assert_eq!(advice.level, Level::Large, "{advice}");
    assert_eq!(advice.item(Topic::Partitions).unwrap().state, State::Missing);
    let rows = &advice.signals.iter().find(|signal| signal.why.starts_with("wallets")).unwrap().figure;
    assert_eq!(rows.amount, shardwise::advise::Amount::Count(ROWS), "the rows of all shards");
    // By what is there, and by one more.
    let advice = stage.advice_by(&bound(ROWS + 1)).await;
    assert!(advice.found(FindingKind::BigTable).next().is_none(), "{advice}");
    assert_eq!(advice.level, Level::Small, "{advice}");
}

async fn a_table_that_grows_is_told_with_the_time(place: Place) {
    let stage = Stage::filled(place).await;
    let bound = AdviceOptions { big_rows: 1_000_000, horizon: YEAR, ..options() };
    let advice = stage.until_by(&bound, |advice| found(advice, FindingKind::GrowingTable, "wallets").is_some()).await;
    println!("{}", found(&advice, FindingKind::GrowingTable, "wallets").unwrap());
    assert_eq!(
        advice.path.iter().find(|step| step.rung == Rung::Partitions).unwrap().state,
        shardwise::advise::RungState::Due
    );
    // As many go as come.
    stage.run(&format!("DELETE FROM wallets WHERE festival_id = '{}'", stage.tenant)).await;
    stage.until_by(&bound, |advice| found(advice, FindingKind::GrowingTable, "wallets").is_none()).await;
}

/// As `Entry`, from before it was partitioned.
#[derive(Debug, Entity)]
#[entity(table = "entries", distributed_by = festival_id)]
struct WholeEntry {
    festival_id: Uuid,
    #[entity(key)]
    id: Uuid,
    #[entity(references = Wallet, on_delete = cascade)]
    wallet_id: Uuid,
    amount: i64,
    created_at: Timestamp,
}

async fn an_entity_whose_table_is_not_partitioned_is_found_until_it_is(place: Place) {
    let with_entries = |schema: Schema| schema.with::<Country>().with::<User>().with::<Wallet>();
    let stage = Stage::with(place, with_entries(Schema::new()).with::<WholeEntry>()).await;
    let stage = Stage { schema: with_entries(Schema::new()).with::<Entry>(), ..stage };
    let advice = stage.advice().await;
    let finding = found(&advice, FindingKind::NotPartitioned, "entries").unwrap_or_else(|| panic!("{advice}"));
    println!("{finding}");
    stage.cluster.admin().partitions(&stage.schema).convert::<Entry>().await.unwrap();
    let advice = stage.advice_by(&AdviceOptions { users: Some(50_000), ..options() }).await;
    assert!(advice.found(FindingKind::NotPartitioned).next().is_none(), "{advice}");
    assert_eq!(advice.item(Topic::Partitions).unwrap().state, State::There, "{advice}");
}

async fn dead_rows_are_found_until_they_are_gone(place: Place) {
    let stage = Stage::filled(place).await;
    stage.run("ALTER TABLE wallets SET (autovacuum_enabled = off)").await;
    assert!(found(&stage.advice().await, FindingKind::Bloat, "wallets").is_none());
    for _ in 0..2 {
        stage.run("UPDATE wallets SET note = 'another'").await;
    }
    let advice = stage.until(|advice| found(advice, FindingKind::Bloat, "wallets").is_some()).await;
    let bloat = found(&advice, FindingKind::Bloat, "wallets").unwrap();
    println!("{bloat}");
    assert!(bloat.why.contains("dead rows"), "{bloat}");
    stage.compacted_until(&options(), |advice| found(advice, FindingKind::Bloat, "wallets").is_none()).await;
}

/// Of which VACUUM has removed the rows and kept the room: no counter tells of it.
async fn free_space_is_estimated_and_measured(place: Place) {
    let stage = Stage::new(place).await;
    // The estimate is of shards that have some size.
    stage.fill(stage.tenant, 20_000).await;
    stage.run("ALTER TABLE wallets SET (autovacuum_enabled = off)").await;
    stage.run("ANALYZE wallets").await;
    assert!(found(&stage.advice().await, FindingKind::Bloat, "wallets").is_none(), "{}", stage.advice().await);
    // The first of them: what is free at the end of a file is given back.
    stage.run(&format!("DELETE FROM wallets WHERE festival_id = '{}' AND balance < 18000", stage.tenant)).await;
    for vacuum in ["VACUUM (TRUNCATE off) wallets", "ANALYZE wallets"] {
        stage.run(vacuum).await;
    }
    let estimated = stage.until(|advice| found(advice, FindingKind::Bloat, "wallets").is_some()).await;
    let bloat = found(&estimated, FindingKind::Bloat, "wallets").unwrap();
    println!("{bloat}");
    assert!(bloat.why.contains("right to a fifth or so") && !bloat.why.contains("dead rows"), "{bloat}");
    // Citus makes it on the workers as well.
    stage.run("CREATE EXTENSION pgstattuple").await;
    let measured = stage.advice_by(&AdviceOptions { measures_bloat: true, ..options() }).await;
    let bloat = found(&measured, FindingKind::Bloat, "wallets").unwrap_or_else(|| panic!("{measured}"));
    println!("{bloat}");
    assert!(bloat.evidence.iter().any(|figure| figure.source == "pgstattuple_approx"), "{bloat}");
    stage.compacted_until(&options(), |advice| found(advice, FindingKind::Bloat, "wallets").is_none()).await;
}

async fn a_locked_table_keeps_nobody_waiting(place: Place) {
    let stage = Stage::filled(place).await;
    let exact = stage.advice().await;
    assert!(!exact.unseen.iter().any(|what| what.contains("is locked")), "{exact}");
    stage.run("BEGIN").await;
    stage.run("LOCK TABLE wallets IN ACCESS EXCLUSIVE MODE").await;
    let advice = stage.advice().await;
    assert!(advice.unseen.iter().any(|what| what.contains("is locked")), "{advice}");
    assert!(advice.nodes.iter().all(|node| node.problem.is_none()), "{advice}");
    assert!(found(&advice, FindingKind::MissingIndex, "wallets (user_id)").is_some(), "{advice}");
    stage.run("ROLLBACK").await;
}

async fn rollups_are_seen(place: Place) {
    use crate::rollups::stage::{schema, source};
    let stage = Stage::with(place, source()).await;
    let users = AdviceOptions { users: Some(5_000), ..options() };
    let advice = stage.advice_by(&users).await;
    assert_eq!(advice.item(Topic::MaterializedViews).unwrap().state, State::Unknown, "{advice}");
    stage.cluster.admin().apply(&schema()).await.unwrap();
    let stage = Stage { schema: schema(), ..stage };
    let advice = stage.advice_by(&users).await;
    let views = advice.item(Topic::MaterializedViews).unwrap();
    assert_eq!((views.state, views.why.as_str()), (State::There, "2 rollups of entries"), "{advice}");
    // Their tables are known, and so are their keys.
    let prepared = stage.advice_by(&AdviceOptions { users: Some(50_000), ..options() }).await;
    assert_eq!(prepared.item(Topic::ShardingPreparation).unwrap().state, State::There, "{prepared}");
}
