//! Every verb, for the tenant's own rows and against another tenant's.

use shardwise::{ErrorKind, Uuid};

use crate::support::model::{Country, Label, Seat, User, Wallet};
use crate::support::place::{Place, in_both_modes};

in_both_modes![
    a_row_is_written_read_changed_and_deleted,
    another_tenants_rows_are_out_of_reach_of_every_verb,
    a_row_of_another_tenant_is_refused_before_anything_is_sent,
    many_rows_take_one_round_trip,
    more_values_than_the_protocol_counts_go_in_whole_or_not_at_all,
    a_key_of_several_columns,
    more_keys_than_the_protocol_counts_values,
    a_text_key_is_no_pattern_and_no_sql,
    columns_change_only_if_nobody_else_changed_them,
    an_update_that_makes_no_sense_is_refused,
    reference_entities_have_the_same_verbs,
];

async fn a_row_is_written_read_changed_and_deleted(place: Place) {
    let (_, fest) = place.tenant().await;
    let mut wallet = Wallet::new(*fest.key(), 100);
    fest.insert(&wallet).await.unwrap();
    assert_eq!(fest.get::<Wallet>(wallet.id).await.unwrap(), wallet);
    assert!(fest.exists::<Wallet>(wallet.id).await.unwrap());
    assert_eq!(fest.count::<Wallet>().await.unwrap(), 1);

    wallet.balance = 250;
    wallet.note = Some("gold".to_owned());
    fest.update(&wallet).await.unwrap();
    assert_eq!(fest.find::<Wallet>(wallet.id).await.unwrap(), Some(wallet.clone()));

    wallet.balance = 300;
    fest.upsert(&wallet).await.unwrap();
    assert_eq!(fest.get::<Wallet>(wallet.id).await.unwrap().balance, 300);
    let other = Wallet::new(*fest.key(), 1);
    fest.upsert(&other).await.unwrap();
    assert_eq!(fest.count::<Wallet>().await.unwrap(), 2);

    assert!(fest.delete::<Wallet>(wallet.id).await.unwrap());
    assert!(!fest.delete::<Wallet>(wallet.id).await.unwrap());
    assert_eq!(fest.find::<Wallet>(wallet.id).await.unwrap(), None);
    assert_eq!(fest.get::<Wallet>(wallet.id).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(fest.update(&wallet).await.unwrap_err().kind(), ErrorKind::NotFound);
}

async fn another_tenants_rows_are_out_of_reach_of_every_verb(place: Place) {
    let (cluster, ours) = place.tenant().await;
    let theirs = cluster.tenant(Uuid::new_v4()).await.unwrap();
    let foreign = Wallet::new(*theirs.key(), 100);
    theirs.insert(&foreign).await.unwrap();

    assert_eq!(ours.find::<Wallet>(foreign.id).await.unwrap(), None);
    assert_eq!(ours.get_many::<Wallet>(&[foreign.id]).await.unwrap(), []);
    assert!(!ours.exists::<Wallet>(foreign.id).await.unwrap());
    assert_eq!(ours.count::<Wallet>().await.unwrap(), 0);
    assert_eq!(ours.select::<Wallet>().all().await.unwrap(), []);
    assert_eq!(ours.select::<Wallet>().sum(Wallet::BALANCE).await.unwrap(), 0);
    assert!(!ours.update_columns::<Wallet>(foreign.id).set(Wallet::BALANCE, 0).run().await.unwrap());
    assert!(!ours.delete::<Wallet>(foreign.id).await.unwrap());
    assert_eq!(theirs.get::<Wallet>(foreign.id).await.unwrap(), foreign);
}

async fn a_row_of_another_tenant_is_refused_before_anything_is_sent(place: Place) {
    let (cluster, fest) = place.tenant().await;
    let foreign = Wallet::new(Uuid::new_v4(), 1);
    let before = cluster.metrics();
    let own = Wallet::new(*fest.key(), 1);
    let errors = [
        fest.insert(&foreign).await.unwrap_err(),
        fest.insert_returning(&foreign).await.unwrap_err(),
        fest.upsert(&foreign).await.unwrap_err(),
        fest.update(&foreign).await.unwrap_err(),
        fest.insert_many(&[own, foreign.clone()]).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::WrongTenant);
        assert!(error.to_string().contains("write it through `cluster.tenant(festival_id)`"), "{error}");
        assert!(!error.to_string().contains(&foreign.festival_id.to_string()), "{error}");
    }
    assert_eq!(cluster.metrics(), before);
}

async fn many_rows_take_one_round_trip(place: Place) {
    let (cluster, fest) = place.tenant().await;
    let wallets: Vec<_> = (0..500).map(|i| Wallet::new(*fest.key(), i)).collect();
    let sent = || cluster.metrics().tenant_routes.values().sum::<u64>();
    let before = sent();
    assert_eq!(fest.insert_many(&wallets).await.unwrap(), 500);
    assert_eq!(sent() - before, 1);

    let ids: Vec<_> = wallets.iter().map(|wallet| wallet.id).chain([Uuid::new_v4()]).collect();
    let mut found = fest.get_many::<Wallet>(&ids).await.unwrap();
    found.sort_by_key(|wallet| wallet.balance);
    assert_eq!(found, wallets);
    assert_eq!(sent() - before, 2);
    assert_eq!(fest.insert_many::<Wallet>(&[]).await.unwrap(), 0);
    assert_eq!(fest.get_many::<Wallet>(&[]).await.unwrap(), []);
}

async fn more_values_than_the_protocol_counts_go_in_whole_or_not_at_all(place: Place) {
    let (_, fest) = place.tenant().await;
    // Six values each: two statements.
    let mut wallets: Vec<_> = (0..11_000).map(|i| Wallet::new(*fest.key(), i)).collect();
    assert_eq!(fest.insert_many(&wallets).await.unwrap(), 11_000);
    assert_eq!(fest.count::<Wallet>().await.unwrap(), 11_000);

    let last = wallets.last().unwrap().clone();
    wallets = (0..11_000).map(|i| Wallet::new(*fest.key(), i)).chain([last]).collect();
    assert!(fest.insert_many(&wallets).await.unwrap_err().is_unique_violation());
    assert_eq!(fest.count::<Wallet>().await.unwrap(), 11_000);
}

async fn a_key_of_several_columns(place: Place) {
    let (_, fest) = place.tenant().await;
    let seats: Vec<_> = (0..4)
        .map(|number| Seat { festival_id: *fest.key(), stage: "main".to_owned(), number, taken: number == 2 })
        .collect();
    fest.insert_many(&seats).await.unwrap();
    assert_eq!(fest.get::<Seat>(("main".to_owned(), 2)).await.unwrap(), seats[2]);
    let keys = [("main".to_owned(), 1), ("main".to_owned(), 3), ("side".to_owned(), 1)];
    let mut found = fest.get_many::<Seat>(&keys).await.unwrap();
    found.sort_by_key(|seat| seat.number);
    assert_eq!(found, [seats[1].clone(), seats[3].clone()]);
    assert!(fest.update_columns::<Seat>(("main".to_owned(), 0)).set(Seat::TAKEN, true).run().await.unwrap());
    assert!(fest.delete::<Seat>(("main".to_owned(), 0)).await.unwrap());
    assert_eq!(fest.count::<Seat>().await.unwrap(), 3);
}

async fn more_keys_than_the_protocol_counts_values(place: Place) {
    let (cluster, fest) = place.tenant().await;
    let seats: Vec<_> = [0, 39_999]
        .map(|number| Seat { festival_id: *fest.key(), stage: "main".to_owned(), number, taken: false })
        .into();
    fest.insert_many(&seats).await.unwrap();
    let sent = || cluster.metrics().tenant_routes.values().sum::<u64>();
    let before = sent();
    // Two values each: a thousand keys to a statement …
    let keys: Vec<_> = (0..40_000).map(|number| ("main".to_owned(), number)).collect();
    let mut found = fest.get_many::<Seat>(&keys).await.unwrap();
    found.sort_by_key(|seat| seat.number);
    assert_eq!(found, seats);
    assert_eq!(sent() - before, 40);
    // … and one value for all keys of one column.
    let wallet = Wallet::new(*fest.key(), 1);
    fest.insert(&wallet).await.unwrap();
    let keys: Vec<_> = (0..70_000).map(|_| Uuid::new_v4()).chain([wallet.id]).collect();
    assert_eq!(fest.get_many::<Wallet>(&keys).await.unwrap(), [wallet]);
    let error = fest.select::<Wallet>().filter(Wallet::ID.is_in(keys)).all().await.unwrap_err();
    assert!(error.to_string().contains("there can be 65,535 parameters"), "{error}");
}

async fn a_text_key_is_no_pattern_and_no_sql(place: Place) {
    let cluster = place.cluster().await;
    for key in ["a", "A", "a ", "it's", "%", "a\\' OR true --", "größe", ""] {
        let tenant = cluster.tenant(key.to_owned()).await.unwrap();
        assert_eq!(tenant.count::<Label>().await.unwrap(), 0, "{key:?}");
        tenant.insert(&Label { tenant: key.to_owned(), name: "x".to_owned() }).await.unwrap();
        assert_eq!(tenant.count::<Label>().await.unwrap(), 1, "{key:?}");
    }
    // All columns belong to the key.
    let tenant = cluster.tenant("a".to_owned()).await.unwrap();
    let label = Label { tenant: "a".to_owned(), name: "x".to_owned() };
    tenant.upsert(&label).await.unwrap();
    assert_eq!(tenant.update(&label).await.unwrap_err().kind(), ErrorKind::Usage);
}

async fn columns_change_only_if_nobody_else_changed_them(place: Place) {
    let (_, fest) = place.tenant().await;
    let wallet = Wallet::new(*fest.key(), 100);
    fest.insert(&wallet).await.unwrap();

    let optimistic =
        |old| fest.update_columns::<Wallet>(wallet.id).set(Wallet::BALANCE, 50).expect(Wallet::BALANCE, old);
    assert!(!optimistic(99).run().await.unwrap());
    assert!(optimistic(100).run().await.unwrap());
    assert!(!optimistic(100).run().await.unwrap());

    let pay = |amount: i64| {
        fest.update_columns::<Wallet>(wallet.id).add(Wallet::BALANCE, -amount).only_if(Wallet::BALANCE.ge(amount))
    };
    assert_eq!(pay(30).returning().await.unwrap().unwrap().balance, 20);
    assert_eq!(pay(30).returning().await.unwrap(), None);
    assert!(fest.update_columns::<Wallet>(wallet.id).set(Wallet::NOTE, Some("x".to_owned())).run().await.unwrap());
    assert!(
        fest.update_columns::<Wallet>(wallet.id).set(Wallet::NOTE, None).expect(Wallet::NOTE, "x").run().await.unwrap()
    );
    assert_eq!(fest.get::<Wallet>(wallet.id).await.unwrap().note, None);
}

async fn an_update_that_makes_no_sense_is_refused(place: Place) {
    let (_, fest) = place.tenant().await;
    let id = Uuid::new_v4();
    let empty = fest.update_columns::<Wallet>(id).run().await.unwrap_err();
    let key = fest.update_columns::<Wallet>(id).set(Wallet::ID, id).run().await.unwrap_err();
    let moved = fest.update_columns::<Wallet>(id).set(Wallet::FESTIVAL_ID, id).run().await.unwrap_err();
    let twice =
        fest.update_columns::<Wallet>(id).set(Wallet::BALANCE, 1).add(Wallet::BALANCE, 1).run().await.unwrap_err();
    for (error, words) in
        [(empty, "nothing to change"), (key, "`id`"), (moved, "`festival_id`"), (twice, "changed twice")]
    {
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().contains(words), "{error}");
    }
}

async fn reference_entities_have_the_same_verbs(place: Place) {
    let cluster = place.cluster().await;
    let reference = cluster.reference();
    let country = Country { code: "DE".to_owned(), name: "Germany".to_owned() };
    reference.insert(&country).await.unwrap();
    let user = User { id: Uuid::new_v4(), email: "ada@example.org".to_owned(), country: Some("DE".to_owned()) };
    assert_eq!(reference.insert_returning(&user).await.unwrap(), user);
    assert_eq!(reference.get::<User>(user.id).await.unwrap(), user);
    let found = reference.select::<User>().join(User::COUNTRY.on(Country::CODE)).filter(User::EMAIL.like("ada@%"));
    assert_eq!(found.all().await.unwrap(), [(user.clone(), country)]);
    let result = reference.transaction(async |tx| tx.delete::<Country>("DE".to_owned()).await).await;
    assert!(result.unwrap_err().is_foreign_key_violation());
    assert!(reference.delete::<User>(user.id).await.unwrap());
    assert_eq!(reference.count::<User>().await.unwrap(), 0);
}
