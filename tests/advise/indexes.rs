//! Indexes that are missing, and those that are there for nothing.

use shardwise::advise::{FindingKind, Rung, Severity, State, Topic};

use super::stage::{Stage, found, options, statement};
use crate::support::place::{Place, in_both_modes};

in_both_modes![
    a_foreign_key_without_an_index_is_found_until_it_has_one,
    an_index_that_nobody_uses_is_found_until_somebody_does,
    a_long_name_is_the_same_index_on_its_shards,
    of_two_alike_one_is_found_until_it_is_gone,
    an_index_that_was_left_half_made_is_found_until_it_is_mended,
    sequential_scans_of_a_large_table_are_found,
];

async fn a_foreign_key_without_an_index_is_found_until_it_has_one(place: Place) {
    let stage = Stage::filled(place).await;
    let subject = "wallets (user_id)";
    let advice = stage.advice().await;
    let missing = found(&advice, FindingKind::MissingIndex, subject).unwrap_or_else(|| panic!("{advice}"));
    assert_eq!(missing.severity, Severity::Warning);
    assert_eq!(advice.item(Topic::Indexes).unwrap().state, State::Missing);
    assert_eq!(advice.next, Some(Rung::QueriesAndIndexes));
    println!("{missing}");
    // The one on a partitioned table is of two columns, and of no rows yet.
    let entries = found(&advice, FindingKind::MissingIndex, "entries (festival_id, wallet_id)").unwrap();
    assert_eq!(entries.severity, Severity::Note);

    for finding in [missing, entries] {
        stage.run(statement(finding)).await;
    }
    let advice = stage.advice().await;
    assert!(found(&advice, FindingKind::MissingIndex, subject).is_none(), "{advice}");
    assert!(found(&advice, FindingKind::MissingIndex, &entries.subject).is_none(), "{advice}");
}

async fn an_index_that_nobody_uses_is_found_until_somebody_does(place: Place) {
    let stage = Stage::filled(place).await;
    stage.run("CREATE INDEX by_note ON wallets (note)").await;
    stage.run("CREATE INDEX by_balance ON wallets (festival_id, balance)").await;
    stage.run("CREATE INDEX by_user ON wallets (user_id)").await;
    let subject = |name: &str| format!("{name} on wallets");
    let used = format!("SELECT id FROM wallets WHERE festival_id = '{}' AND balance = 7", stage.tenant);
    let advice = stage
        .until(|advice| {
            found(advice, FindingKind::UnusedIndex, &subject("by_note")).is_some()
                && found(advice, FindingKind::UnusedIndex, &subject("by_balance")).is_some()
        })
        .await;
    // It serves a foreign key; and keys are for more than speed.
    for other in ["by_user", "wallets_pkey", "wallets_festival_id_tag_key"] {
        assert!(found(&advice, FindingKind::UnusedIndex, &subject(other)).is_none(), "{advice}");
    }
    stage.run(&used).await;
    let gone = stage.until(|advice| found(advice, FindingKind::UnusedIndex, &subject("by_balance")).is_none()).await;
    let unused = found(&gone, FindingKind::UnusedIndex, &subject("by_note")).unwrap();
    println!("{unused}");
    stage.run(statement(unused)).await;
    assert!(found(&stage.advice().await, FindingKind::UnusedIndex, &subject("by_note")).is_none());
    // While the counters are young, nothing can be said.
    stage.run("CREATE INDEX by_note ON wallets (note)").await;
    let advice =
        stage.advice_by(&shardwise::advise::AdviceOptions { unused_after: super::tables::YEAR, ..options() }).await;
    assert!(advice.found(FindingKind::UnusedIndex).next().is_none(), "{advice}");
}

async fn a_long_name_is_the_same_index_on_its_shards(place: Place) {
    let stage = Stage::filled(place).await;
    let name = "an_index_whose_name_is_as_long_as_postgresql_lets_a_name_be_yes";
    assert_eq!(name.len(), 63);
    stage.run(&format!("CREATE INDEX {name} ON wallets (festival_id, balance)")).await;
    let subject = format!("{name} on wallets");
    stage.until(|advice| found(advice, FindingKind::UnusedIndex, &subject).is_some()).await;
    stage.run(&format!("SELECT id FROM wallets WHERE festival_id = '{}' AND balance = 7", stage.tenant)).await;
    stage.until(|advice| found(advice, FindingKind::UnusedIndex, &subject).is_none()).await;
}

async fn of_two_alike_one_is_found_until_it_is_gone(place: Place) {
    let stage = Stage::filled(place).await;
    stage.run("CREATE INDEX one ON wallets (festival_id, balance)").await;
    stage.run("CREATE INDEX two ON wallets (festival_id, balance)").await;
    stage.run("CREATE INDEX wide ON wallets (note, balance)").await;
    stage.run("CREATE INDEX narrow ON wallets (note)").await;
    // Other rows, and another order, are another matter.
    stage.run("CREATE INDEX partly ON wallets (festival_id, balance) WHERE balance > 5").await;
    stage.run("CREATE INDEX down ON wallets (festival_id, balance DESC)").await;
    let advice = stage.advice().await;
    let mut all: Vec<_> = advice.found(FindingKind::DuplicateIndex).collect();
    all.sort_by_key(|finding| &finding.subject);
    let subjects: Vec<_> = all.iter().map(|finding| finding.subject.as_str()).collect();
    assert_eq!(subjects, ["narrow on wallets", "two on wallets"], "{advice}");
    for finding in all {
        println!("{finding}");
        stage.run(statement(finding)).await;
    }
    assert!(stage.advice().await.found(FindingKind::DuplicateIndex).next().is_none());
}

async fn an_index_that_was_left_half_made_is_found_until_it_is_mended(place: Place) {
    let stage = Stage::filled(place).await;
    stage.run(&format!("UPDATE wallets SET balance = 1 WHERE festival_id = '{}'", stage.tenant)).await;
    // There are two rows of one balance: it ends half-way, and leaves what it has.
    let broken = "CREATE UNIQUE INDEX CONCURRENTLY half ON wallets (festival_id, balance)";
    stage.by_hand.batch_execute(broken).await.unwrap_err();
    let advice = stage.advice().await;
    let half = found(&advice, FindingKind::InvalidIndex, "half on wallets").unwrap_or_else(|| panic!("{advice}"));
    println!("{half}");
    stage.run(statement(half)).await;
    assert!(stage.advice().await.found(FindingKind::InvalidIndex).next().is_none());
}

async fn sequential_scans_of_a_large_table_are_found(place: Place) {
    let stage = Stage::filled(place).await;
    stage.everywhere("SELECT pg_stat_reset()").await;
    let none = stage.until(|advice| advice.found(FindingKind::SequentialScans).next().is_none()).await;
    assert!(none.found(FindingKind::SequentialScans).next().is_none());
    for _ in 0..10 {
        stage.run("SELECT count(*) FROM wallets WHERE note LIKE '%nothing has this%'").await;
    }
    let advice = stage.until(|advice| found(advice, FindingKind::SequentialScans, "wallets").is_some()).await;
    println!("{}", found(&advice, FindingKind::SequentialScans, "wallets").unwrap());
    assert_eq!(advice.item(Topic::Indexes).unwrap().state, State::Missing);
    stage.everywhere("SELECT pg_stat_reset()").await;
    stage.until(|advice| advice.found(FindingKind::SequentialScans).next().is_none()).await;
}
