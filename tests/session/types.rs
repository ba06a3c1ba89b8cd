//! Every type of column, there and back.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde_json::json;
use shardwise::{Cluster, Entity, SqlNewtype, Uuid};

use crate::support::model::{Everything, Label, Profile, TicketState, Tier};
use crate::support::place::{Place, in_both_modes};
use crate::support::schema;
use crate::support::secrets::VALUE;

in_both_modes![
    a_row_of_everything_comes_back_as_it_went,
    the_extremes_of_numbers_and_sizes,
    generated_columns_are_the_servers_in_every_verb,
    what_a_column_cannot_hold_is_an_error_without_the_value,
    keys_of_numbers_of_text_and_of_newtypes,
];

/// A row with something special in each column.
pub fn everything(festival_id: Uuid, id: i64) -> Everything {
    let at: Timestamp = "2024-02-29T23:59:59.999999Z".parse().unwrap();
    Everything {
        festival_id,
        id,
        flag: id % 2 == 0,
        small: i16::MIN,
        medium: i32::try_from(id % 1_000).unwrap(),
        single: f32::MIN_POSITIVE,
        double: f64::MAX,
        bytes: vec![0, 255, b'\\', b'\''],
        value: json!({"a": [1, null, "ü"], "b": {"c": 1.5}}),
        profile: Profile { nick: "Zoë \"Z\" O'Neil 🎪".to_owned(), likes: vec![VALUE.to_owned()] },
        maybe_profile: (id % 2 == 0).then(|| Profile { nick: String::new(), likes: vec![] }),
        numbers: vec![i32::MIN, 0, i32::MAX],
        names: vec![String::new(), "a,b".to_owned(), "{\"c\"}".to_owned(), "NULL".to_owned()],
        ids: vec![Uuid::nil(), Uuid::max()],
        state: TicketState::ScannedOnce,
        states: vec![TicketState::Issued, TicketState::ScannedOnce],
        maybe_state: (id % 3 == 0).then_some(TicketState::Issued),
        tier: Tier::BackStage,
        at,
        day: "1582-10-15".parse().unwrap(),
        system: SystemTime::UNIX_EPOCH - Duration::from_micros(1),
        short: "12345678".to_owned(),
        keyword: format!("; DROP TABLE everything; -- {VALUE}"),
        doubled: 0,
        serial: 0,
        cached: 0,
    }
}

async fn a_row_of_everything_comes_back_as_it_went(place: Place) {
    let (_, fest) = place.tenant().await;
    for id in [i64::MIN, -1, 0, 7, i64::MAX] {
        let row = Everything { medium: 21, ..everything(*fest.key(), 0) };
        let row = Everything { id, ..row };
        let stored = fest.insert_returning(&row).await.unwrap();
        assert_eq!(stored, Everything { doubled: 42, serial: stored.serial, ..row });
        assert_eq!(fest.get::<Everything>(id).await.unwrap(), stored);
    }
}

async fn the_extremes_of_numbers_and_sizes(place: Place) {
    let (_, fest) = place.tenant().await;
    let mut row = everything(*fest.key(), 1);
    row.bytes = (0..1_000_000_u32).map(|byte| u8::try_from(byte % 256).unwrap()).collect();
    (row.numbers, row.names, row.ids, row.states) = (vec![], vec![], vec![], vec![]);
    (row.single, row.double) = (f32::NEG_INFINITY, f64::MIN);
    row.keyword = "ü".repeat(100_000);
    fest.insert(&row).await.unwrap();
    let stored = fest.get::<Everything>(1).await.unwrap();
    assert_eq!(stored, Everything { doubled: row.medium * 2, serial: stored.serial, ..row });

    let row = Everything { single: f32::NAN, double: f64::NAN, ..everything(*fest.key(), 2) };
    fest.insert(&row).await.unwrap();
    let stored = fest.get::<Everything>(2).await.unwrap();
    assert!(stored.single.is_nan() && stored.double.is_nan());
}

async fn generated_columns_are_the_servers_in_every_verb(place: Place) {
    let (_, fest) = place.tenant().await;
    let mut row = fest.insert_returning(&everything(*fest.key(), 1)).await.unwrap();
    assert!(row.serial > 0);
    (row.medium, row.doubled) = (100, -1);
    fest.update(&row).await.unwrap();
    let updated = fest.get::<Everything>(1).await.unwrap();
    assert_eq!((updated.doubled, updated.serial), (200, row.serial));
    row.medium = 50;
    fest.upsert(&row).await.unwrap();
    assert_eq!(fest.get::<Everything>(1).await.unwrap().doubled, 100);
    fest.insert_many(&[everything(*fest.key(), 2), everything(*fest.key(), 3)]).await.unwrap();
    assert_ne!(fest.get::<Everything>(2).await.unwrap().serial, fest.get::<Everything>(3).await.unwrap().serial);
}

async fn what_a_column_cannot_hold_is_an_error_without_the_value(place: Place) {
    let (_, fest) = place.tenant().await;
    let row = Everything { short: "too long for it".to_owned(), ..everything(*fest.key(), 1) };
    let error = fest.insert(&row).await.unwrap_err();
    assert_eq!(error.code().unwrap().code(), "22001");
    assert!(!format!("{error:?}").contains("too long for it"), "{error:?}");
    let row = Everything { names: vec!["a\0b".to_owned()], ..everything(*fest.key(), 1) };
    let error = fest.insert(&row).await.unwrap_err();
    assert!(!format!("{error:?}").contains("a\0b"), "{error:?}");
    assert_eq!(fest.count::<Everything>().await.unwrap(), 0);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, SqlNewtype)]
struct SiteId(i64);

#[derive(Debug, Clone, PartialEq, Eq, Hash, SqlNewtype)]
struct Code(String);

#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(table = "gates", distributed_by = site)]
struct Gate {
    site: SiteId,
    #[entity(key)]
    code: Code,
    next: Option<Code>,
}

#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(table = "counters", distributed_by = shop)]
struct Counter {
    shop: i32,
    #[entity(key)]
    number: i16,
}

async fn keys_of_numbers_of_text_and_of_newtypes(place: Place) {
    let config = place.prepared_with(schema().with::<Gate>().with::<Counter>()).await;
    let cluster = Cluster::connect(config).await.unwrap();

    let site = cluster.tenant(SiteId(-5)).await.unwrap();
    let gate = Gate { site: SiteId(-5), code: Code("north".to_owned()), next: Some(Code("south".to_owned())) };
    site.insert(&gate).await.unwrap();
    assert_eq!(site.get::<Gate>(Code("north".to_owned())).await.unwrap(), gate);
    assert_eq!(site.select::<Gate>().filter(Gate::NEXT.eq(Code("south".to_owned()))).count().await.unwrap(), 1);
    assert_eq!(cluster.tenant(SiteId(5)).await.unwrap().count::<Gate>().await.unwrap(), 0);

    let shop = cluster.tenant(7_i32).await.unwrap();
    shop.insert_many(&[Counter { shop: 7, number: 1 }, Counter { shop: 7, number: -1 }]).await.unwrap();
    assert_eq!(shop.get_many::<Counter>(&[1, -1, 3]).await.unwrap().len(), 2);

    let label = Label { tenant: "a'b".to_owned(), name: String::new() };
    let tenant = cluster.tenant("a'b".to_owned()).await.unwrap();
    tenant.insert(&label).await.unwrap();
    assert_eq!(tenant.get::<Label>(String::new()).await.unwrap(), label);
}
