//! What keeps the columns may be tampered with, and rows written past it: it is told, and mended.

use super::stage::{Booth, sale, schema, stage};
use crate::support::place::{Place, in_both_modes};

in_both_modes![what_keeps_it_is_compared_and_mended, rows_written_past_it_are_counted_and_put_right];

async fn what_keeps_it_is_compared_and_mended(place: Place) {
    let stage = stage(place).await;
    let (fest, booths) = stage.festival(2).await;
    let admin = stage.cluster.admin();
    let diff = admin.diff(&schema()).await.unwrap();
    assert!(diff.is_empty(), "{diff}");
    let allow = place.pick("SELECT 1", "SET citus.enable_unsafe_triggers = on");
    let function = "CREATE OR REPLACE FUNCTION sales_denormalized() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.booth_name := ''x''; RETURN NEW; END'";
    let (own, of_booth) =
        ("zz_shardwise_copy_public_sales_write_denormalized", "zz_shardwise_copy_public_sales_booth_id_denormalized");
    let strikes: [&[&str]; 5] = [
        &[allow, &format!("DROP TRIGGER {own} ON sales")],
        &[allow, &format!("ALTER TABLE booths DISABLE TRIGGER {of_booth}")],
        &[function],
        &[allow, &format!("DROP TRIGGER {of_booth} ON booths")],
        &["ALTER TABLE sales ALTER festival_name DROP NOT NULL"],
    ];
    for statements in strikes {
        stage.run(statements).await;
        let diff = admin.diff(&schema()).await.unwrap().to_string();
        assert!(diff.contains("sales"), "{statements:?}: {diff}");
        // What is written meanwhile is put right by the apply.
        if !statements.iter().any(|sql| sql.contains(own) || *sql == function) {
            fest.insert(&sale(&booths[0], Some(&booths[1]), 5)).await.unwrap();
        }
        let name = format!("renamed {}", shardwise::Uuid::new_v4());
        fest.update_columns::<Booth>(booths[0].id).set(Booth::NAME, name).run().await.unwrap();
        admin.apply(&schema()).await.unwrap();
        stage.assert_followed(&format!("{statements:?}")).await;
        let plan = admin.plan(&schema()).await.unwrap();
        assert!(plan.is_empty(), "{statements:?}: {plan}");
    }
}

async fn rows_written_past_it_are_counted_and_put_right(place: Place) {
    let stage = stage(place).await;
    let (fest, booths) = stage.festival(2).await;
    for nth in 0..30 {
        fest.insert(&sale(&booths[nth % 2], None, i64::try_from(nth).unwrap())).await.unwrap();
    }
    // As restored by whoever turns triggers off; on the workers, whose sessions a `SET` here does not reach.
    let damage = "SET session_replication_role = replica; \
                  UPDATE %1$s SET booth_name = 'lost' WHERE amount < 10; \
                  UPDATE %1$s SET partner_name = 'nobody' WHERE amount < 3; \
                  RESET session_replication_role";
    match place {
        Place::Single => stage.run(&[&damage.replace("%1$s", "sales")]).await,
        Place::Citus(_) => {
            let damage = damage.replace('\'', "''");
            let sql = format!("SELECT * FROM run_command_on_shards('sales', '{damage}')");
            for row in stage.by_hand.query(&sql, &[]).await.unwrap() {
                assert!(row.get::<_, bool>("success"), "{row:?}");
            }
        }
    }
    let admin = stage.cluster.admin();
    let diff = admin.diff(&schema()).await.unwrap();
    let told: Vec<String> = diff.differences().iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "different: denormalised columns sales.booth_name: wanted what booths.name has, is something else in 10 rows",
            "different: denormalised columns sales.partner_name: wanted what booths.name has, is something else in 3 rows",
        ]
    );
    let found = stage.denormalized().verify().await.unwrap();
    assert_eq!(found[0].differing.iter().map(|one| one.rows).collect::<Vec<_>>(), [10, 3]);
    let repaired = stage.denormalized().repair().await.unwrap();
    assert_eq!(repaired[0].corrected, 13, "ten names, and three that are none");
    stage.assert_followed("repaired").await;
    assert_eq!(stage.denormalized().repair().await.unwrap()[0].corrected, 0, "again");
}
