//! Raw SQL with named parameters.

use futures_util::TryStreamExt as _;
use shardwise::{ErrorKind, Uuid, sql};

use crate::support::model::{Label, User, Wallet};
use crate::support::place::{Place, in_both_modes};

in_both_modes![
    the_tenants_key_is_bound_by_the_session,
    a_text_and_its_parameters_must_fit,
    results_must_fit_what_they_are_read_as,
    a_stream_of_raw_rows,
    the_coordinator_sees_all_tenants_and_keeps_no_settings,
    a_changed_schema_under_prepared_statements_is_survived,
    reference_entities_in_raw_sql,
];

async fn the_tenants_key_is_bound_by_the_session(place: Place) {
    let (cluster, fest) = place.tenant().await;
    let other = cluster.tenant(Uuid::new_v4()).await.unwrap();
    fest.insert(&Wallet::new(*fest.key(), 5)).await.unwrap();
    other.insert(&Wallet::new(*other.key(), 7)).await.unwrap();

    for (session, balance) in [(&fest, 5), (&other, 7)] {
        let query = sql!("SELECT balance FROM wallets WHERE festival_id = :festival_id", entities(Wallet));
        assert_eq!(session.query_as::<(i64,)>(query).await.unwrap(), [(balance,)]);
    }
    let changed = fest
        .execute(sql!(
            "UPDATE wallets SET balance = balance + :plus, note = :note WHERE festival_id = :festival_id",
            entities(Wallet),
            plus = 10_i64,
            note = "it's :not a parameter",
        ))
        .await
        .unwrap();
    assert_eq!(changed, 1);
    let query = sql!("SELECT note, balance FROM wallets WHERE festival_id = :festival_id", entities(Wallet));
    let rows = fest.query(query).await.unwrap();
    assert_eq!(rows[0].get::<i64>("balance").unwrap(), 15);
    assert_eq!(rows[0].get::<&str>(0).unwrap(), "it's :not a parameter");
    assert_eq!(format!("{:?}", rows[0]), r#"Row["note", "balance"]"#);
}

async fn a_text_and_its_parameters_must_fit(place: Place) {
    let (cluster, fest) = place.tenant().await;
    let before = cluster.metrics();
    let cases = [
        (sql!("SELECT 1 FROM wallets", entities(Wallet)), "does not mention `:festival_id`"),
        (sql!("SELECT :a", a = 1, b = 2), "no parameter `:b`"),
        (sql!("SELECT :a, :b", a = 1), "`:b` has no value"),
        (sql!("SELECT :a", a = 1, a = 2), "`a` is given twice"),
        (sql!("SELECT $1", a = 1), "written `:name`"),
        (sql!("SELECT 'a"), "not closed"),
        (
            sql!("SELECT 1 FROM wallets WHERE festival_id = :festival_id", entities(Wallet), festival_id = Uuid::nil()),
            "leave `festival_id = …` out",
        ),
        (sql!("SELECT :festival_id", entities(Wallet, Label)), "different distribution columns"),
    ];
    for (query, words) in cases {
        let error = fest.query(query).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
    let error = cluster.reference().query(sql!("SELECT 1 FROM wallets", entities(Wallet))).await.unwrap_err();
    assert!(error.to_string().contains("cluster.tenant(key)"), "{error}");
    assert_eq!(cluster.metrics().routes, before.routes);
}

async fn results_must_fit_what_they_are_read_as(place: Place) {
    let (_, fest) = place.tenant().await;
    let width = fest.query_as::<(i32,)>(sql!("SELECT 1, 2")).await.unwrap_err();
    let wrong = fest.query_as::<(String,)>(sql!("SELECT 1")).await.unwrap_err();
    let null = fest.query_as::<(i32,)>(sql!("SELECT NULL::int")).await.unwrap_err();
    for error in [width, wrong, null] {
        assert_eq!(error.kind(), ErrorKind::Codec, "{error:?}");
    }
    assert_eq!(fest.query_as::<(Option<i32>,)>(sql!("SELECT NULL::int")).await.unwrap(), [(None,)]);
    assert_eq!(fest.query_one_as::<(i32,)>(sql!("SELECT 7")).await.unwrap(), (7,));
    let none = fest.query_one_as::<(i32,)>(sql!("SELECT 7 WHERE false")).await.unwrap_err();
    assert_eq!(none.kind(), ErrorKind::NotFound);
    let two = fest.query_one_as::<(i32,)>(sql!("SELECT generate_series(1, 2)")).await.unwrap_err();
    assert_eq!(two.kind(), ErrorKind::Usage);
    let parameter = fest.query(sql!("SELECT :a::bigint", a = 1_i32)).await.unwrap_err();
    assert_eq!(parameter.kind(), ErrorKind::Codec);
}

async fn a_stream_of_raw_rows(place: Place) {
    let (_, fest) = place.tenant().await;
    let stream = fest.query_stream(sql!("SELECT generate_series(1, :n)", n = 10_000_i32)).await.unwrap();
    let sum = stream.try_fold(0_i64, async |sum, row| Ok(sum + i64::from(row.get::<i32>(0)?))).await.unwrap();
    assert_eq!(sum, 50_005_000);
}

async fn the_coordinator_sees_all_tenants_and_keeps_no_settings(place: Place) {
    let (cluster, fest) = place.tenant().await;
    let other = cluster.tenant(Uuid::new_v4()).await.unwrap();
    fest.insert(&Wallet::new(*fest.key(), 5)).await.unwrap();
    other.insert(&Wallet::new(*other.key(), 7)).await.unwrap();
    let all = cluster.coordinator();
    let sums =
        all.query_as::<(i64,)>(sql!("SELECT sum(balance)::bigint FROM wallets", entities(Wallet))).await.unwrap();
    assert_eq!(sums, [(12,)]);
    for _ in 0..20 {
        let setting = sql!("SELECT current_setting('shardwise.test', true)");
        let before = all.query_one_as::<(Option<String>,)>(setting).await.unwrap();
        assert!(before.0.unwrap_or_default().is_empty());
        all.execute(sql!("SET shardwise.test = 'left over'")).await.unwrap();
        all.execute(sql!("CREATE TEMP TABLE left_over (a int)")).await.unwrap();
    }
}

async fn a_changed_schema_under_prepared_statements_is_survived(place: Place) {
    let (cluster, fest) = place.tenant().await;
    let query = || sql!("SELECT * FROM wallets WHERE festival_id = :festival_id", entities(Wallet));
    fest.insert(&Wallet::new(*fest.key(), 5)).await.unwrap();
    for i in 0..3 {
        // Prepared on several connections: each of them has a stale one afterwards.
        let slow = || {
            sql!(
                "SELECT *, pg_sleep(0.05) FROM wallets WHERE festival_id = :festival_id AND id IS NOT NULL",
                entities(Wallet)
            )
        };
        let all = futures_util::future::join_all((0..4).flat_map(|_| [fest.query(slow()), fest.query(query())])).await;
        assert!(all.iter().all(Result::is_ok), "{all:?}");
        assert_eq!(fest.query(query()).await.unwrap()[0].columns().len(), 6 + i);
        cluster
            .coordinator()
            .execute(match i {
                0 => sql!("ALTER TABLE wallets ADD COLUMN extra_0 int"),
                1 => sql!("ALTER TABLE wallets ADD COLUMN extra_1 int"),
                _ => sql!("ALTER TABLE wallets ADD COLUMN extra_2 int"),
            })
            .await
            .unwrap();
    }
    assert_eq!(fest.select::<Wallet>().count().await.unwrap(), 1);
}

async fn reference_entities_in_raw_sql(place: Place) {
    let (cluster, _) = place.tenant().await;
    let user = User { id: Uuid::new_v4(), email: "a@b".to_owned(), country: None };
    cluster.reference().insert(&user).await.unwrap();
    let query = sql!("SELECT id FROM users WHERE email = :email", entities(User), email = "a@b");
    assert_eq!(cluster.reference().query_as::<(Uuid,)>(query).await.unwrap(), [(user.id,)]);
}
