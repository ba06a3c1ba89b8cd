//! Raw SQL with named parameters.

use futures_util::TryStreamExt as _;
use shardwise::{AssertTenantSafe, Cluster, ErrorKind, SqlText, Uuid, sql, unscoped_sql};

use crate::support::collector::Collector;
use crate::support::model::{User, Wallet};
use crate::support::place::{Place, in_both_modes};
use crate::support::pooler;
use crate::support::unchecked;

in_both_modes![
    the_tenants_key_is_bound_by_the_session,
    a_text_and_its_parameters_must_fit,
    texts_made_at_run_time_are_bound_to_the_tenant,
    what_is_vouched_for_is_logged,
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

async fn what_is_vouched_for_is_logged(place: Place) {
    let (_, fest) = place.tenant().await;
    let (collector, guard) = Collector::listen();
    fest.query(AssertTenantSafe("because it is a test").sql("SELECT 7 AS seven")).await.unwrap();
    drop(guard);
    let collected = collector.collected();
    let logged: Vec<_> = collected.events.iter().filter(|event| event.contains_key("reason")).collect();
    assert_eq!(logged.len(), 1, "{:?}", collected.events);
    assert_eq!((logged[0]["reason"].as_str(), logged[0]["scope"].as_str()), ("because it is a test", "tenant"));
    assert!(!format!("{logged:?}").contains("seven"));
}

/// What the compiler refuses in a literal is refused in a text of run time, before anything is sent.
async fn a_text_and_its_parameters_must_fit(place: Place) {
    let (cluster, fest) = place.tenant().await;
    let before = cluster.metrics();
    let of_wallets = |text: &'static str| SqlText::new(text).entity::<Wallet>();
    let cases = [
        (of_wallets("SELECT 1 FROM wallets"), "add `wallets.festival_id = :festival_id`"),
        (of_wallets("SELECT 1 FROM wallets WHERE festival_id = :festival_id OR true"), "add `wallets.festival_id"),
        (of_wallets("DELETE FROM wallets WHERE id = :id").bind("id", Uuid::nil()), "add `wallets.festival_id"),
        (of_wallets("SELECT size FROM wallets WHERE festival_id = :festival_id"), "no column `size` in `wallets`"),
        (
            SqlText::new("SELECT 1 FROM wallets WHERE festival_id = :x").bind("x", Uuid::nil()),
            "name the one whose table",
        ),
        (SqlText::new("SELECT pg_sleep(1)"), "`pg_sleep` is not among the functions"),
        (SqlText::new("SELECT 1; SELECT 2"), "one statement at a time"),
        (SqlText::new("DROP TABLE wallets"), "only SELECT, INSERT, UPDATE, DELETE and MERGE"),
        (SqlText::new("SELECT :a").bind("a", 1).bind("b", 2), "no parameter `:b`"),
        (SqlText::new("SELECT :a, :b").bind("a", 1), "`:b` has no value"),
        (SqlText::new("SELECT :a").bind("a", 1).bind("a", 2), "`a` is given twice"),
        (SqlText::new("SELECT $1").bind("a", 1), "written `:name`"),
        (SqlText::new("SELECT 'a"), "not closed"),
        (
            of_wallets("SELECT 1 FROM wallets WHERE festival_id = :festival_id").bind("festival_id", Uuid::nil()),
            "leave `festival_id = …` out",
        ),
        (unchecked("SELECT :a"), "`:a` has no value"),
        (unchecked("SELECT 'a"), "not closed"),
        (AssertTenantSafe(" ").sql("SELECT 1"), "say why"),
    ];
    for (query, words) in cases {
        let error = fest.query(query).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
    let of_all = sql!("DELETE FROM users WHERE email = :email", entities(User), email = "a@b");
    let error = fest.execute(of_all).await.unwrap_err();
    assert!(error.to_string().contains("change them through `cluster.reference()`"), "{error}");
    let of_a_tenant = || sql!("SELECT 1 FROM wallets WHERE festival_id = :festival_id", entities(Wallet));
    let error = cluster.reference().query(of_a_tenant()).await.unwrap_err();
    assert!(error.to_string().contains("cluster.tenant(key)"), "{error}");
    let error = cluster.tenant(7_i64).await.unwrap().query(of_a_tenant()).await.unwrap_err();
    assert!(error.to_string().contains("by a key of another Rust type"), "{error}");
    assert_eq!(cluster.metrics().routes, before.routes);
}

async fn texts_made_at_run_time_are_bound_to_the_tenant(place: Place) {
    let (cluster, fest) = place.tenant().await;
    let other = cluster.tenant(Uuid::new_v4()).await.unwrap();
    fest.insert(&Wallet::new(*fest.key(), 5)).await.unwrap();
    other.insert(&Wallet::new(*other.key(), 7)).await.unwrap();
    for direction in ["ASC", "DESC", "ASC"] {
        let text = format!(
            "SELECT balance FROM wallets WHERE festival_id = :festival_id AND balance > :least ORDER BY id {direction}"
        );
        let checked = || SqlText::new(text.as_str()).entity::<Wallet>().bind("least", 1_i64);
        assert_eq!(fest.query_as::<(i64,)>(checked()).await.unwrap(), [(5,)]);
        assert_eq!(other.query_as::<(i64,)>(checked()).await.unwrap(), [(7,)]);
    }
    // What is vouched for is not looked at, and its key is bound all the same.
    let vouched = || {
        unchecked("SELECT sum(balance)::bigint FROM wallets WHERE festival_id = (SELECT :festival_id::uuid)")
            .entity::<Wallet>()
    };
    assert_eq!(fest.query_one_as::<(i64,)>(vouched()).await.unwrap(), (5,));
    assert_eq!(other.query_one_as::<(i64,)>(vouched()).await.unwrap(), (7,));
    let text = "UPDATE wallets SET balance = :balance WHERE festival_id = :festival_id";
    let changed = fest.execute(SqlText::new(text).entity::<Wallet>().bind("balance", 9_i64)).await.unwrap();
    assert_eq!((changed, other.select::<Wallet>().sum(Wallet::BALANCE).await.unwrap()), (1, 7));
    // What a vouched text leaves behind is gone before the next statement of whoever it is.
    let one = Cluster::connect(place.prepared().await.with_max_connections(1).unwrap()).await.unwrap();
    let one = one.tenant(Uuid::new_v4()).await.unwrap();
    one.insert(&Wallet::new(*one.key(), 3)).await.unwrap();
    let hides = "CREATE TEMP TABLE wallets (LIKE public.wallets)";
    if !place.is_citus() {
        one.execute(unchecked(hides)).await.unwrap();
    }
    one.query(unchecked("SELECT set_config('search_path', 'elsewhere', false)")).await.unwrap();
    assert_eq!(one.select::<Wallet>().sum(Wallet::BALANCE).await.unwrap(), 3);
    let key = *fest.key();
    let shown = format!("{:?} {:?}", SqlText::new(format!("SELECT '{key}'")), vouched());
    assert!(!shown.contains(&key.to_string()) && shown.contains("a test"), "{shown}");
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
    if pooler::is_there("nobody may set anything there") {
        return;
    }
    let (cluster, fest) = place.tenant().await;
    let other = cluster.tenant(Uuid::new_v4()).await.unwrap();
    fest.insert(&Wallet::new(*fest.key(), 5)).await.unwrap();
    other.insert(&Wallet::new(*other.key(), 7)).await.unwrap();
    let all = cluster.coordinator();
    let sums = all.query_as::<(i64,)>(unscoped_sql!("SELECT sum(balance)::bigint FROM wallets")).await.unwrap();
    assert_eq!(sums, [(12,)]);
    for _ in 0..20 {
        let setting = unscoped_sql!("SELECT current_setting('shardwise.test', true)");
        let before = all.query_one_as::<(Option<String>,)>(setting).await.unwrap();
        assert!(before.0.unwrap_or_default().is_empty());
        all.execute(unscoped_sql!("SET shardwise.test = 'left over'")).await.unwrap();
        all.execute(unscoped_sql!("CREATE TEMP TABLE left_over (a int)")).await.unwrap();
    }
}

async fn a_changed_schema_under_prepared_statements_is_survived(place: Place) {
    let (cluster, fest) = place.tenant().await;
    let query = || sql!("SELECT * FROM wallets WHERE festival_id = :festival_id", entities(Wallet));
    fest.insert(&Wallet::new(*fest.key(), 5)).await.unwrap();
    for i in 0..3 {
        // Prepared on several connections: each of them has a stale one afterwards.
        let slow = || {
            unchecked("SELECT *, pg_sleep(0.05) FROM wallets WHERE festival_id = :festival_id AND id IS NOT NULL")
                .entity::<Wallet>()
        };
        let slow = futures_util::future::join_all((0..4).map(|_| fest.query(slow())));
        let quick = futures_util::future::join_all((0..4).map(|_| fest.query(query())));
        let (slow, quick) = tokio::join!(slow, quick);
        assert!(slow.iter().chain(&quick).all(Result::is_ok), "{slow:?} {quick:?}");
        assert_eq!(fest.query(query()).await.unwrap()[0].columns().len(), 6 + i);
        cluster
            .coordinator()
            .execute(match i {
                0 => unscoped_sql!("ALTER TABLE wallets ADD COLUMN extra_0 int"),
                1 => unscoped_sql!("ALTER TABLE wallets ADD COLUMN extra_1 int"),
                _ => unscoped_sql!("ALTER TABLE wallets ADD COLUMN extra_2 int"),
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
    let gone = sql!("DELETE FROM users WHERE email = :email", entities(User), email = "a@b");
    assert_eq!(cluster.reference().execute(gone).await.unwrap(), 1);
}
