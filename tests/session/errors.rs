//! What errors say, and what they don't.

use std::error::Error as _;
use std::time::Duration;

use shardwise::{Cluster, Config, ErrorKind, Uuid, sql};

use crate::secrets::shown;
use crate::support::activity::{Activity, end_an_active};
use crate::support::model::{Entry, User, Wallet};
use crate::support::place::{Place, in_both_modes};
use crate::support::pooler;
use crate::support::protocol::Message;
use crate::support::proxy::{Moment, Proxy};
use crate::support::secrets::PASSWORD;
use crate::support::server;
use crate::support::unchecked;

in_both_modes![
    violations_name_what_was_violated_and_where,
    values_are_not_shown_whatever_goes_wrong_with_them,
    a_value_of_the_wrong_type_names_both_types,
    a_statement_that_cannot_be_written_down_is_no_broken_connection,
    a_statement_that_the_server_cannot_read_says_where,
    after_close_everything_says_so,
    a_connection_that_broke_while_idle_is_replaced_without_a_word,
    a_write_whose_answer_is_lost_is_not_repeated_and_says_so,
];

async fn violations_name_what_was_violated_and_where(place: Place) {
    let (_, fest) = place.tenant().await;
    let wallet = Wallet::new(*fest.key(), 1);
    fest.insert(&wallet).await.unwrap();

    let error = fest.insert(&wallet).await.unwrap_err();
    assert!(error.is_unique_violation() && !error.is_retryable());
    assert_eq!((error.code().unwrap().code(), error.constraint()), ("23505", Some("wallets_pkey")));
    assert_eq!((error.kind(), error.entity(), error.table()), (ErrorKind::Database, Some("Wallet"), Some("wallets")));
    assert_eq!(error.route(), Some(fest.route().unwrap()));
    assert!(error.node().unwrap().starts_with("127.0.0.1:"));
    assert_eq!(
        error.to_string(),
        format!(
            "insert Wallet: duplicate key value violates unique constraint \"wallets_pkey\" (SQLSTATE 23505, constraint \
             wallets_pkey) [node {}, route {}]",
            error.node().unwrap(),
            place.pick("single", "owner")
        )
    );
    assert!(!shown(&error).contains(&wallet.id.to_string()), "{}", shown(&error));

    let twin = Wallet { id: Uuid::new_v4(), ..wallet.clone() };
    let error = fest.insert(&twin).await.unwrap_err();
    assert_eq!(error.constraint(), Some("wallets_festival_id_tag_key"));
    assert!(!shown(&error).contains(&twin.tag), "{}", shown(&error));

    let error = fest.insert(&Wallet { balance: -7_654_321, ..Wallet::new(*fest.key(), 0) }).await.unwrap_err();
    assert!(error.is_check_violation());
    assert!(!shown(&error).contains("7654321"), "{}", shown(&error));

    let orphan = Entry {
        festival_id: *fest.key(),
        id: Uuid::new_v4(),
        wallet_id: Uuid::new_v4(),
        amount: 1,
        created_at: jiff::Timestamp::now(),
    };
    let error = fest.insert(&orphan).await.unwrap_err();
    assert!(error.is_foreign_key_violation(), "{error}");
    assert_eq!(error.entity(), Some("Entry"));
    assert!(!shown(&error).contains(&orphan.wallet_id.to_string()), "{}", shown(&error));

    let error = fest.get::<Wallet>(Uuid::nil()).await.unwrap_err();
    assert!(error.is_not_found() && error.code().is_none());
    assert!(!shown(&error).contains(&Uuid::nil().to_string()), "{}", shown(&error));
}

async fn values_are_not_shown_whatever_goes_wrong_with_them(place: Place) {
    let (_, fest) = place.tenant().await;
    let secret = "4929 1234 5678 9012".to_owned();
    let statements = [
        sql!("SELECT :secret::text::int", secret = secret.clone()),
        sql!("SELECT :secret::text::uuid", secret = secret.clone()),
        sql!("SELECT :secret::text::timestamptz", secret = secret.clone()),
        sql!("SELECT :secret::text::jsonb", secret = secret.clone()),
        sql!("SELECT :secret::bigint", secret = secret.clone()),
    ];
    for statement in statements {
        let error = fest.execute(statement).await.unwrap_err();
        assert!(!shown(&error).contains("4929") && !shown(&error).contains("5678"), "{}", shown(&error));
    }
}

async fn a_value_of_the_wrong_type_names_both_types(place: Place) {
    let (_, fest) = place.tenant().await;
    let error = fest.query_as::<(String,)>(sql!("SELECT 1")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Codec);
    assert!(error.to_string().contains("Rust type `alloc::string::String` and the Postgres type `int4`"), "{error}");
    let error = fest.execute(sql!("SELECT 1 + :more", more = 1_i64)).await.unwrap_err();
    assert!(error.to_string().contains("Rust type `i64` and the Postgres type `int4`"), "{error}");
    assert!(error.to_string().contains("cast in the SQL"), "{error}");
}

async fn a_statement_that_cannot_be_written_down_is_no_broken_connection(place: Place) {
    let (cluster, fest) = place.tenant().await;
    let error = fest.execute(unchecked("SELECT $$a\0b$$")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage, "{error:?}");
    assert!(!error.is_retryable() && !error.is_outcome_unknown());
    assert!(error.to_string().contains("embedded null"), "{error}");
    assert_eq!(cluster.metrics().retries, 0);
    assert_eq!(fest.query_one_as::<(i32,)>(sql!("SELECT 7")).await.unwrap(), (7,));
}

#[tokio::test]
async fn display_does_not_repeat_its_source() {
    let error = Cluster::connect(Config::from_url("postgres://app@127.0.0.1:1/d").unwrap()).await.unwrap_err();
    let source = error.source().expect("the socket's error").to_string();
    assert!(!error.to_string().contains(&source), "{error} / {source}");
    assert!(format!("{error:?}").contains(&source), "{error:?} / {source}");
}

async fn a_statement_that_the_server_cannot_read_says_where(place: Place) {
    let (_, fest) = place.tenant().await;
    let error = fest.execute(unchecked("SELECT 1 FORM wallets")).await.unwrap_err();
    assert_eq!(error.code().unwrap().code(), "42601");
    assert!(error.to_string().contains("at character 15"), "{error}");
}

#[tokio::test]
async fn a_log_in_that_fails_says_why() {
    let config = server().await.config();
    let missing = Cluster::connect(config.clone().with_database("nowhere")).await.unwrap_err();
    assert_eq!((missing.kind(), missing.code().unwrap().code()), (ErrorKind::Connect, "3D000"));
    assert!(missing.to_string().contains("database \"nowhere\" does not exist"), "{missing}");

    // A port that nobody listens on: it was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("postgres://app:{PASSWORD}@127.0.0.1:{port},127.0.0.1:1/d");
    let error = Cluster::connect(Config::from_url(&url).unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.is_retryable() && !error.is_outcome_unknown());
    assert!(error.to_string().contains(&format!("127.0.0.1:{port}")), "{error}");
    assert!(error.to_string().contains("127.0.0.1:1"), "{error}");
    assert!(!shown(&error).contains(PASSWORD));
}

async fn after_close_everything_says_so(place: Place) {
    let (cluster, fest) = place.named_tenant("closing").await;
    let looking = Cluster::connect(place.empty().await).await.unwrap();
    let slow = tokio::spawn({
        let fest = fest.clone();
        async move { fest.execute(unchecked("SELECT pg_sleep(1)")).await }
    });
    while Activity::of(&looking, "closing").await.active == 0 {}
    cluster.close(Duration::from_secs(20)).await;
    slow.await.unwrap().expect("what was under way is finished");
    assert_eq!(fest.count::<Wallet>().await.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(cluster.health().await.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(cluster.refresh().await.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(cluster.reference().count::<User>().await.unwrap_err().kind(), ErrorKind::Closed);
}

async fn a_connection_that_broke_while_idle_is_replaced_without_a_word(place: Place) {
    let config = place.prepared().await.with_max_connections(1).unwrap();
    let cluster = Cluster::connect(config.clone()).await.unwrap();
    let fest = cluster.tenant(Uuid::new_v4()).await.unwrap();
    let (pid,): (i32,) = fest.query_one_as(unchecked("SELECT pg_backend_pid()")).await.unwrap();
    let other = Cluster::connect(pooler::past(config).await).await.unwrap();
    let there = other.tenant(*fest.key()).await.unwrap();
    there.execute(unchecked("SELECT pg_terminate_backend(:pid::int4, 10000::int8)").bind("pid", pid)).await.unwrap();
    fest.insert(&Wallet::new(*fest.key(), 1)).await.unwrap();
    assert_eq!(cluster.metrics().errors, 0);
}

async fn a_write_whose_answer_is_lost_is_not_repeated_and_says_so(place: Place) {
    let (cluster, fest) = place.tenant().await;
    let fest_pid = unchecked("INSERT INTO labels SELECT 'x', pg_backend_pid()::text WHERE pg_sleep(600) IS NOT NULL");
    let (outcome, ()) = tokio::join!(fest.execute(fest_pid), end_an_active(&cluster));
    let error = outcome.unwrap_err();
    // The server's own last word, or none at all.
    assert!(error.is_outcome_unknown() || error.code().is_some_and(|code| code.code() == "57P01"), "{error:?}");
    assert!(error.is_retryable());
    assert_eq!(cluster.metrics().retries, 0);
}

#[tokio::test]
async fn a_connection_that_broke_says_why() {
    let proxy = Proxy::to(server().await.config().contact_points()[0].port).await;
    let config = Place::Single.prepared().await;
    let config = config.with_contact_points([format!("127.0.0.1:{}", proxy.port).parse().unwrap()]).unwrap();
    let fest = Cluster::connect(config).await.unwrap().tenant(Uuid::new_v4()).await.unwrap();
    fest.insert(&Wallet::new(*fest.key(), 1)).await.unwrap();
    proxy.reset_at(Message::Execute, Moment::Sent);
    let error = fest.insert(&Wallet::new(*fest.key(), 1)).await.unwrap_err();
    assert!(error.kind() == ErrorKind::ConnectionLost && error.is_outcome_unknown(), "{error:?}");
    let reason = std::iter::successors(error.source(), |error| (*error).source()).last().unwrap();
    let reason = reason.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    assert_eq!(reason, Some(std::io::ErrorKind::ConnectionReset), "{error:?}");
}
