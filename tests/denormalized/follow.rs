//! What a row follows, whatever is written and by whom.

use shardwise::session::{Isolation, TransactionOptions};
use shardwise::{ErrorKind, Uuid};

use jiff::{Timestamp, ToSpan};

use super::stage::{Booth, Sale, sale, stage};
use crate::support::model::Festival;
use crate::support::place::{Place, in_both_modes};

in_both_modes![verbs_leave_it_out_and_rows_follow, by_hand_it_is_overruled, a_snapshot_of_the_past_may_not_change_it];

async fn verbs_leave_it_out_and_rows_follow(place: Place) {
    let stage = stage(place).await;
    let (fest, booths) = stage.festival(3).await;
    let [first, second, third] = [0, 1, 2].map(|nth| &booths[nth]);
    let festival = format!("Festival {}", fest.key());

    let one = sale(first, Some(second), 5);
    fest.insert(&one).await.unwrap();
    let stored = fest.get::<Sale>(one.id).await.unwrap();
    let expected = Sale {
        booth_name: first.name.clone(),
        booth_motto: None,
        partner_name: Some(second.name.clone()),
        festival_name: festival.clone(),
        ..one.clone()
    };
    assert_eq!(stored, expected);

    // Whoever is followed changes.
    fest.update_columns::<Booth>(first.id).set(Booth::NAME, "Falafel".to_owned()).run().await.unwrap();
    fest.update(&Booth { motto: Some("hot".to_owned()), ..first.clone() }).await.unwrap();
    fest.update_columns::<Booth>(first.id).set(Booth::NAME, "Falafel".to_owned()).run().await.unwrap();
    fest.update_columns::<Booth>(second.id).set(Booth::NAME, "Bar %s $1".to_owned()).run().await.unwrap();
    let renamed = fest.get::<Sale>(one.id).await.unwrap();
    let names = |sale: &Sale| (sale.booth_name.clone(), sale.booth_motto.clone(), sale.partner_name.clone());
    assert_eq!(names(&renamed), ("Falafel".into(), Some("hot".into()), Some("Bar %s $1".into())));

    // Another one is followed, and none.
    fest.update_columns::<Sale>(one.id).set(Sale::BOOTH_ID, third.id).set(Sale::PARTNER_ID, None).run().await.unwrap();
    assert_eq!(names(&fest.get::<Sale>(one.id).await.unwrap()), (third.name.clone(), None, None));
    fest.update(&Sale { booth_id: second.id, ..one.clone() }).await.unwrap();
    assert_eq!(names(&fest.get::<Sale>(one.id).await.unwrap()), ("Bar %s $1".into(), None, Some("Bar %s $1".into())));

    // Many at once, and what is there already.
    let many: Vec<Sale> = (0..40).map(|nth| sale(&booths[nth % 3], None, 1)).collect();
    fest.insert_many(&many).await.unwrap();
    fest.upsert(&Sale { booth_id: first.id, ..many[1].clone() }).await.unwrap();
    assert_eq!(fest.get::<Sale>(many[1].id).await.unwrap().booth_name, "Falafel");
    let mut copy = fest.copy_in::<Sale>().await.unwrap();
    for nth in 0..40 {
        copy.send(&sale(&booths[nth % 3], Some(first), 1)).await.unwrap();
    }
    copy.finish().await.unwrap();
    stage.assert_followed("written in all ways").await;
    assert_eq!(fest.count::<Sale>().await.unwrap(), 81);

    // A change that is rolled back is none.
    let undone: Result<(), shardwise::Error> = fest
        .transaction(async |tx| {
            tx.update_columns::<Booth>(first.id).set(Booth::NAME, "never".to_owned()).run().await?;
            Err(tx.get::<Sale>(Uuid::new_v4()).await.unwrap_err())
        })
        .await;
    assert_eq!(undone.unwrap_err().kind(), ErrorKind::NotFound);
    stage.assert_followed("rolled back").await;

    // Another row in the place of the one that is followed, in one statement. Citus makes two of it, and the foreign key refuses.
    if !place.is_citus() {
        let reborn = format!(
            "WITH gone AS (DELETE FROM booths WHERE festival_id = '{0}' AND id = '{1}' RETURNING *) \
             INSERT INTO booths (festival_id, id, name) SELECT festival_id, id, 'reborn' FROM gone WHERE festival_id = '{0}'",
            fest.key(),
            third.id
        );
        stage.run(&[&reborn]).await;
        stage.assert_followed("another row in its place").await;
    }

    // A festival of its own, beside another one.
    let (other, theirs) = stage.festival(1).await;
    other.insert(&sale(&theirs[0], None, 1)).await.unwrap();
    let reference = stage.cluster.reference();
    reference.update_columns::<Festival>(*fest.key()).set(Festival::NAME, "Open Air".to_owned()).run().await.unwrap();
    let named = async |fest: &shardwise::Tenant, name: &str| {
        fest.select::<Sale>().filter(Sale::FESTIVAL_NAME.eq(name)).count().await.unwrap()
    };
    assert_eq!((named(&fest, "Open Air").await, named(&other, "Open Air").await), (81, 0));
    stage.run(&["UPDATE festivals SET name = name || '!'"]).await;
    assert_eq!((named(&fest, "Open Air!").await, fest.count::<Sale>().await.unwrap()), (81, 81));
    stage.assert_followed("all festivals are renamed").await;

    // The row that is pointed at has to be there, as a foreign key has it.
    let error = fest.insert(&Sale { booth_id: Uuid::new_v4(), ..sale(first, None, 1) }).await.unwrap_err();
    assert!(error.is_foreign_key_violation(), "{error:?}");
    assert_eq!(error.constraint(), Some("sales_festival_id_booth_id_fkey"), "{error:?}");
}

async fn by_hand_it_is_overruled(place: Place) {
    let stage = stage(place).await;
    let (fest, booths) = stage.festival(2).await;
    let (first, second) = (&booths[0], &booths[1]);
    let one = sale(first, None, 5);
    fest.insert(&one).await.unwrap();
    stage.run(&["UPDATE sales SET booth_name = 'x', festival_name = 'y', partner_name = 'z'"]).await;
    stage.assert_followed("set by hand").await;
    let (festival, id) = (fest.key(), Uuid::new_v4());
    stage
        .run(&[
            &format!(
                "INSERT INTO sales (festival_id, id, booth_id, amount, created_at, booth_name, festival_name) \
                 VALUES ('{festival}', '{id}', '{}', 1, now(), 'x', 'y')",
                second.id
            ),
            // Beside the partition column, to a row of another partition.
            &format!("UPDATE sales SET created_at = '{}'", Timestamp::now() + 31 * 24.hours()),
            "DELETE FROM sales WHERE amount = 5",
        ])
        .await;
    stage.assert_followed("inserted and moved").await;
    assert_eq!(fest.get::<Sale>(id).await.unwrap().booth_name, second.name);
    fest.delete::<Sale>(id).await.unwrap();
    fest.delete::<Booth>(second.id).await.unwrap();
}

async fn a_snapshot_of_the_past_may_not_change_it(place: Place) {
    let stage = stage(place).await;
    let (fest, booths) = stage.festival(1).await;
    fest.insert(&sale(&booths[0], None, 5)).await.unwrap();
    for isolation in [Isolation::RepeatableRead, Isolation::Serializable] {
        let options = TransactionOptions::new().isolation(isolation);
        let outcome: Result<(), shardwise::Error> = fest
            .transaction_with(options, async |tx| {
                // What nobody follows may change.
                tx.insert(&sale(&booths[0], None, 5)).await?;
                tx.update_columns::<Sale>(Uuid::new_v4()).set(Sale::AMOUNT, 5).run().await?;
                tx.update_columns::<Booth>(booths[0].id).set(Booth::NAME, "late".to_owned()).run().await.map(drop)
            })
            .await;
        let error = outcome.unwrap_err();
        assert_eq!(error.code().unwrap().code(), "0A000", "{error:?}");
        assert!(error.to_string().contains("READ COMMITTED"), "{error}");
    }
    assert_eq!(fest.count::<Sale>().await.unwrap(), 1);
    stage.assert_followed("the end").await;
}
