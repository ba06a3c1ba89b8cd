//! Row level security holds for a rollup as for its source.

use jiff::Timestamp;
use shardwise::Uuid;

use super::stage::{DailyStats, entry, schema};
use crate::policy::stage::Stage;
use crate::support::model::{Entry, Wallet};
use crate::support::place::{Place, in_both_modes};
use crate::support::unchecked;

in_both_modes![a_tenant_reads_its_own_groups_and_writes_none];

async fn a_tenant_reads_its_own_groups_and_writes_none(place: Place) {
    let stage = Stage::new(place).await;
    let owner = stage.as_owner().await;
    owner.admin().apply(&schema()).await.unwrap();
    let diff = owner.admin().diff(&schema()).await.unwrap();
    assert!(diff.is_empty(), "{diff}");
    let (app, today) = (stage.as_app().await, Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date());
    let mut tenants = Vec::new();
    for amount in [10, 20] {
        let fest = app.tenant(Uuid::new_v4()).await.unwrap();
        let wallet = Wallet::new(*fest.key(), 0);
        fest.insert(&wallet).await.unwrap();
        let row = entry(&wallet, amount, today);
        fest.insert(&row).await.unwrap();
        fest.update_columns::<Entry>(row.id).add(Entry::AMOUNT, 1).run().await.unwrap();
        tenants.push((fest, amount + 1));
    }
    for (fest, credits) in &tenants {
        assert_eq!(fest.get::<DailyStats>(today).await.unwrap().credits, *credits);
        let all: Vec<(i64,)> = fest.query_as(unchecked("SELECT credits FROM daily_stats")).await.unwrap();
        assert_eq!(all, [(*credits,)], "a statement that names no tenant");
    }
    for client in stage.app_by_hand().await {
        let none: i64 = client.query_one("SELECT count(*) FROM daily_stats", &[]).await.unwrap().get(0);
        assert_eq!(none, 0, "without a tenant there are no groups");
        for sql in [
            "UPDATE daily_stats_parts SET credits = 0",
            "DELETE FROM daily_stats_parts",
            "INSERT INTO daily_stats_parts (festival_id, day, part, rows) VALUES (gen_random_uuid(), '2026-01-01', 0, 1)",
        ] {
            let error = client.batch_execute(sql).await.expect_err(sql);
            assert_eq!(error.code().unwrap().code(), "42501", "{sql}");
        }
    }
    for client in stage.app_by_hand().await {
        client.batch_execute("CREATE TEMP TABLE mine (festival_id uuid, amount bigint)").await.unwrap();
        let sql = "CREATE TRIGGER x AFTER INSERT ON mine FOR EACH STATEMENT EXECUTE FUNCTION daily_stats_rollup()";
        let error = client.batch_execute(sql).await.expect_err(sql);
        assert_eq!(error.code().unwrap().code(), "42501", "{error:?}");
    }
    assert!(owner.admin().rollups(&schema()).verify::<DailyStats>().await.unwrap().is_exact());
    stage.by_hand(&[&format!("REVOKE SELECT ON daily_stats FROM {}", stage.role)]).await;
    let diff = owner.admin().diff(&schema()).await.unwrap().to_string();
    assert!(diff.contains(&format!("missing: rights on daily_stats.{}", stage.role)), "{diff}");
    owner.admin().apply(&schema()).await.unwrap();
    assert_eq!(tenants[0].0.count::<DailyStats>().await.unwrap(), 1);
}
