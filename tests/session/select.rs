//! Typed filters, orders and joins.

use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use shardwise::entity::{Filter, escape_like};
use shardwise::{ErrorKind, Tenant, Uuid};

use crate::support::model::{Country, Entry, User, Wallet};
use crate::support::place::{Place, in_both_modes};

in_both_modes![
    every_filter_means_what_it_says,
    an_or_never_widens_the_tenant,
    order_limit_offset_and_the_short_forms,
    joins_reach_co_located_and_reference_entities_of_one_tenant,
    a_stream_brings_all_rows_and_gives_its_connection_back,
];

/// Five wallets with the balances 0, 10 … 40; the third has a note.
async fn five(fest: &Tenant) -> Vec<Wallet> {
    let mut wallets: Vec<_> = (0..5).map(|i| Wallet::new(*fest.key(), i * 10)).collect();
    for (i, wallet) in wallets.iter_mut().enumerate() {
        wallet.tag = format!("tag_{i}");
    }
    wallets[2].note = Some("50% off_x".to_owned());
    fest.insert_many(&wallets).await.unwrap();
    wallets
}

async fn balances(fest: &Tenant, filter: Filter<Wallet>) -> Vec<i64> {
    let rows = fest.select::<Wallet>().filter(filter).order_by(Wallet::BALANCE.asc()).all().await.unwrap();
    rows.iter().map(|wallet| wallet.balance).collect()
}

async fn every_filter_means_what_it_says(place: Place) {
    let (_, fest) = place.tenant().await;
    five(&fest).await;
    let b = Wallet::BALANCE;
    assert_eq!(balances(&fest, b.eq(10)).await, [10]);
    assert_eq!(balances(&fest, b.ne(10)).await, [0, 20, 30, 40]);
    assert_eq!(balances(&fest, b.lt(20)).await, [0, 10]);
    assert_eq!(balances(&fest, b.le(20)).await, [0, 10, 20]);
    assert_eq!(balances(&fest, b.gt(20)).await, [30, 40]);
    assert_eq!(balances(&fest, b.ge(20)).await, [20, 30, 40]);
    assert_eq!(balances(&fest, b.between(10, 30)).await, [10, 20, 30]);
    assert_eq!(balances(&fest, b.is_in([10, 40, 99])).await, [10, 40]);
    assert_eq!(balances(&fest, b.is_in(Vec::<i64>::new())).await, [0; 0]);
    assert_eq!(balances(&fest, !b.is_in(Vec::<i64>::new())).await, [0, 10, 20, 30, 40]);
    assert_eq!(balances(&fest, Wallet::NOTE.is_null()).await, [0, 10, 30, 40]);
    assert_eq!(balances(&fest, Wallet::NOTE.is_not_null()).await, [20]);
    assert_eq!(balances(&fest, Wallet::TAG.like("tag\\__")).await, [0, 10, 20, 30, 40]);
    assert_eq!(balances(&fest, Wallet::TAG.ilike("TAG%1")).await, [10]);
    assert_eq!(balances(&fest, Wallet::NOTE.like(format!("%{}%", escape_like("% off_")))).await, [20]);
    assert_eq!(balances(&fest, Wallet::NOTE.like(escape_like("50% off?x"))).await, [0; 0]);
    assert_eq!(balances(&fest, b.lt(10).or(b.gt(30))).await, [0, 40]);
    assert_eq!(balances(&fest, !(b.lt(10).or(b.gt(30)))).await, [10, 20, 30]);
    assert_eq!(balances(&fest, b.gt(0).and(b.lt(20)).or(Wallet::NOTE.eq("50% off_x"))).await, [10, 20]);
}

async fn an_or_never_widens_the_tenant(place: Place) {
    let (cluster, fest) = place.tenant().await;
    five(&fest).await;
    let other = cluster.tenant(Uuid::new_v4()).await.unwrap();
    let filter = Wallet::BALANCE.ge(0).or(Wallet::FESTIVAL_ID.eq(*fest.key()));
    assert_eq!(other.select::<Wallet>().filter(filter).all().await.unwrap(), []);
}

async fn order_limit_offset_and_the_short_forms(place: Place) {
    let (_, fest) = place.tenant().await;
    five(&fest).await;
    let select = || fest.select::<Wallet>().order_by(Wallet::BALANCE.desc());
    let top: Vec<_> = select().limit(2).offset(1).all().await.unwrap().iter().map(|w| w.balance).collect();
    assert_eq!(top, [30, 20]);
    assert_eq!(select().first().await.unwrap().unwrap().balance, 40);
    assert_eq!(select().filter(Wallet::BALANCE.gt(99)).first().await.unwrap(), None);
    assert_eq!(select().filter(Wallet::BALANCE.eq(10)).one().await.unwrap().balance, 10);
    assert_eq!(select().one().await.unwrap_err().kind(), ErrorKind::Usage);
    assert_eq!(select().filter(Wallet::BALANCE.gt(99)).one().await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(select().filter(Wallet::BALANCE.gt(10)).count().await.unwrap(), 3);
    assert_eq!(select().filter(Wallet::BALANCE.gt(10)).sum(Wallet::BALANCE).await.unwrap(), 90);
    assert_eq!(select().filter(Wallet::BALANCE.gt(99)).sum(Wallet::BALANCE).await.unwrap(), 0);
    assert!(select().filter(Wallet::BALANCE.eq(10)).exists().await.unwrap());
    assert!(!select().filter(Wallet::BALANCE.eq(11)).exists().await.unwrap());
}

async fn joins_reach_co_located_and_reference_entities_of_one_tenant(place: Place) {
    let (cluster, fest) = place.tenant().await;
    let country = Country { code: "BE".to_owned(), name: "Belgium".to_owned() };
    cluster.reference().insert(&country).await.unwrap();
    let user = User { id: Uuid::new_v4(), email: "u@example.org".to_owned(), country: Some("BE".to_owned()) };
    cluster.reference().insert(&user).await.unwrap();

    let mut wallets = five(&fest).await;
    wallets[1].user_id = Some(user.id);
    fest.update(&wallets[1]).await.unwrap();
    let entry = Entry {
        festival_id: *fest.key(),
        id: Uuid::new_v4(),
        wallet_id: wallets[1].id,
        amount: 10,
        created_at: Timestamp::from_second(Timestamp::now().as_second()).unwrap(),
    };
    fest.insert(&entry).await.unwrap();

    // Another tenant has a wallet with the same id and an entry: neither may be joined.
    let other = cluster.tenant(Uuid::new_v4()).await.unwrap();
    other.insert(&Wallet { festival_id: *other.key(), ..wallets[1].clone() }).await.unwrap();
    other.insert(&Entry { festival_id: *other.key(), amount: 666, ..entry.clone() }).await.unwrap();

    let inner = fest.select::<Entry>().join(Entry::WALLET_ID.on(Wallet::ID)).join(Wallet::USER_ID.on(User::ID));
    let rows = inner.filter(User::EMAIL.eq("u@example.org")).filter(Wallet::BALANCE.gt(0)).all().await.unwrap();
    assert_eq!(rows, [(entry.clone(), wallets[1].clone(), user.clone())]);

    let outer = fest.select::<Wallet>().left_join(Wallet::ID.on(Entry::WALLET_ID)).order_by(Wallet::BALANCE.asc());
    let rows = outer.all().await.unwrap();
    assert_eq!(rows.len(), 5);
    assert_eq!(rows.iter().filter_map(|(_, entry)| entry.clone()).collect::<Vec<_>>(), [entry]);

    let four = fest
        .select::<Entry>()
        .join(Entry::WALLET_ID.on(Wallet::ID))
        .left_join(Wallet::USER_ID.on(User::ID))
        .left_join(User::COUNTRY.on(Country::CODE))
        .one()
        .await
        .unwrap();
    assert_eq!((four.2, four.3), (Some(user), Some(country)));
}

async fn a_stream_brings_all_rows_and_gives_its_connection_back(place: Place) {
    let (_, fest) = place.tenant().await;
    let wallets: Vec<_> = (0..3_000).map(|i| Wallet::new(*fest.key(), i)).collect();
    fest.insert_many(&wallets).await.unwrap();
    let stream = fest.select::<Wallet>().order_by(Wallet::BALANCE.asc()).stream().await.unwrap();
    assert_eq!(stream.try_collect::<Vec<_>>().await.unwrap(), wallets);

    // Many more streams than connections, each dropped after one row.
    for _ in 0..50 {
        let mut stream = fest.select::<Wallet>().stream().await.unwrap();
        assert!(stream.try_next().await.unwrap().is_some());
    }
    assert_eq!(fest.count::<Wallet>().await.unwrap(), 3_000);
}
