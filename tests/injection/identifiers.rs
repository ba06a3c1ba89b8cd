//! Names of tables, columns, schemas, enums, labels, indexes and partitions that would be SQL without their quotes.

use jiff::Timestamp;
use shardwise::entity::Entity as _;
use shardwise::{Entity, Schema, SqlEnum, unscoped_sql};

use super::{HOSTILE, Victim};
use crate::support::place::{Place, in_both_modes};

in_both_modes![hostile_names_are_names_in_every_verb, hostile_names_of_partitions, names_of_63_bytes,];

#[derive(Debug, Clone, Copy, PartialEq, Eq, SqlEnum)]
#[sql_enum(native = "mood'); DROP TABLE \"victims\"; --")]
enum Mood {
    #[sql_enum(rename = "it's \"fine\" \\ $1")]
    Fine,
    #[sql_enum(rename = "'); DROP TABLE victims; --")]
    Hostile,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, SqlEnum)]
enum Kind {
    #[sql_enum(rename = "o'ne")]
    One,
    #[sql_enum(rename = "tw\\o'); DROP TABLE victims; --")]
    Two,
}

#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(schema = "sch\"ema; DROP TABLE victims", table = "ta\"ble\"; DROP TABLE victims; --", distributed_by = owner)]
struct Odd {
    #[entity(rename = "ow\"ner' $1")]
    owner: String,
    #[entity(key, rename = "$1")]
    id: i64,
    #[entity(rename = "a b:c;--", unique, index(where = "\"select\" <> 'it''s \"x\"; DROP TABLE victims; --'"))]
    text: String,
    #[entity(rename = "select", default = "'d''; DROP TABLE victims; --'", check = "\"select\" <> '\";--'")]
    keyword: String,
    #[entity(rename = "ünï 🎪 \\")]
    unicode: Option<String>,
    #[entity(rename = "Mo\"od")]
    mood: Mood,
    #[entity(rename = "moods[]")]
    moods: Vec<Mood>,
    #[entity(rename = "ki'nd")]
    kind: Kind,
}

fn odd(id: i64) -> Odd {
    Odd {
        owner: "o'wner".to_owned(),
        id,
        text: format!("text {id}"),
        keyword: "k".to_owned(),
        unicode: None,
        mood: Mood::Hostile,
        moods: vec![Mood::Fine, Mood::Hostile],
        kind: Kind::Two,
    }
}

async fn hostile_names_are_names_in_every_verb(place: Place) {
    let cluster = shardwise::Cluster::connect(place.empty().await).await.unwrap();
    let other = Victim::placed(&cluster, Schema::new().with::<Odd>()).await;
    // Nothing is left to do: what was made is what the names say.
    let again = cluster.admin().plan(&Schema::new().with::<Odd>().with::<Victim>()).await.unwrap();
    assert!(again.is_empty(), "{again}");

    let tenant = cluster.tenant("o'wner".to_owned()).await.unwrap();
    tenant.insert(&odd(1)).await.unwrap();
    tenant.insert_many(&[odd(2), odd(3)]).await.unwrap();
    assert_eq!(tenant.insert_returning(&odd(4)).await.unwrap(), odd(4));
    tenant.upsert(&Odd { mood: Mood::Fine, ..odd(4) }).await.unwrap();
    tenant.update(&Odd { unicode: Some("ü".to_owned()), ..odd(1) }).await.unwrap();
    let changed = tenant.update_columns::<Odd>(2).set(Odd::MOOD, Mood::Fine).expect(Odd::KIND, Kind::Two);
    assert!(changed.only_if(Odd::KEYWORD.eq("k")).run().await.unwrap());
    assert_eq!(tenant.get::<Odd>(2).await.unwrap(), Odd { mood: Mood::Fine, ..odd(2) });
    assert_eq!(tenant.get_many::<Odd>(&[1, 2]).await.unwrap().len(), 2);
    assert!(tenant.exists::<Odd>(3).await.unwrap() && tenant.delete::<Odd>(3).await.unwrap());
    let select = || {
        let select = tenant.select::<Odd>().filter(Odd::MOOD.eq(Mood::Fine).and(Odd::TEXT.like("text%")));
        select.filter(Odd::UNICODE.is_null()).order_by(Odd::TEXT.desc())
    };
    let found: Vec<i64> = select().all().await.unwrap().iter().map(|row| row.id).collect();
    assert_eq!(found, [4, 2]);
    let page = select().page(1, None).await.unwrap();
    assert_eq!(select().page(1, page.next.as_ref()).await.unwrap().items[0].id, 2);
    let mut copy = tenant.copy_in::<Odd>().await.unwrap();
    copy.send(&odd(5)).await.unwrap();
    copy.finish().await.unwrap();
    assert_eq!(tenant.count::<Odd>().await.unwrap(), 4);
    let error = tenant.insert(&odd(5)).await.unwrap_err();
    assert!(error.is_unique_violation(), "{error}");
    let error = tenant.insert(&Odd { keyword: "\";--".to_owned(), ..odd(6) }).await.unwrap_err();
    assert!(error.is_check_violation(), "{error}");
    Victim::is_untouched(&other).await;
}

#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(table = "par\"ted'; DROP TABLE victims; --", distributed_by = owner, partition_by = monthly(at))]
struct Parted {
    owner: String,
    #[entity(key)]
    id: i64,
    #[entity(rename = "a\"t'; --")]
    at: Timestamp,
}

async fn hostile_names_of_partitions(place: Place) {
    let cluster = shardwise::Cluster::connect(place.empty().await).await.unwrap();
    let other = Victim::placed(&cluster, Schema::new().with::<Parted>()).await;
    let tenant = cluster.tenant("o'wner".to_owned()).await.unwrap();
    let row = Parted { owner: "o'wner".to_owned(), id: 1, at: "2026-11-26T12:00:00Z".parse().unwrap() };
    let row = Parted { at: Timestamp::now().round(jiff::Unit::Microsecond).unwrap(), ..row };
    tenant.insert(&row).await.unwrap();
    assert_eq!(tenant.get::<Parted>(1).await.unwrap(), row);
    let again = cluster.admin().plan(&Schema::new().with::<Parted>().with::<Victim>()).await.unwrap();
    assert!(again.is_empty(), "{again}");
    Victim::is_untouched(&other).await;
}

/// As long as names can be, which is where PostgreSQL begins to cut them without a word.
#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(table = "täble_of_sixty_three_bytes____________________________________", distributed_by = owner)]
struct Long {
    owner: String,
    #[entity(key, rename = "cölumn_of_sixty_three_bytes___________________________________")]
    id: i64,
    #[entity(unique, index, rename = "cölumn_of_sixty_three_bytes__________________________________2")]
    other: String,
}

async fn names_of_63_bytes(place: Place) {
    let table = Long::table();
    assert_eq!((table.name.len(), table.columns[1].name.len(), table.columns[2].name.len()), (63, 63, 63));
    let cluster = shardwise::Cluster::connect(place.empty().await).await.unwrap();
    let other = Victim::placed(&cluster, Schema::new().with::<Long>()).await;
    let tenant = cluster.tenant("o'wner".to_owned()).await.unwrap();
    let row = |id, other: &str| Long { owner: "o'wner".to_owned(), id, other: other.to_owned() };
    for (id, text) in (0..).zip(HOSTILE) {
        tenant.insert(&row(id, text)).await.unwrap();
    }
    assert_eq!(tenant.select::<Long>().filter(Long::OTHER.eq("$1")).one().await.unwrap().other, "$1");
    let again = cluster.admin().plan(&Schema::new().with::<Long>().with::<Victim>()).await.unwrap();
    assert!(again.is_empty(), "{again}");
    // No name was cut.
    let cut = unscoped_sql!(
        "SELECT count(*) FROM pg_attribute WHERE attname = 'cölumn_of_sixty_three_bytes___________________________________'"
    );
    assert!(cluster.coordinator().query_one_as::<(i64,)>(cut).await.unwrap().0 > 0);
    Victim::is_untouched(&other).await;
}
