//! One server: its limits, slots, time zone, policies, tables.

use shardwise::config::{AnalyticsConfig, Policy};
use shardwise::doctor::Subject;
use shardwise::health::Verdict;
use shardwise::{Cluster, Schema, local, unscoped_sql};

use super::{examine, examine_with, fine, found, worst};
use crate::support::direct::{connect, on};
use crate::support::model::{Country, Wallet};
use crate::support::place::{Place, in_both_modes};
use crate::support::schema;

in_both_modes![a_schema_that_differs, a_role_that_the_policies_do_not_hold, one_that_is_well];

async fn one_that_is_well(place: Place) {
    let config = place.prepared().await;
    let diagnosis = examine_with(&config, &schema()).await;
    println!("{diagnosis}");
    for subject in [
        Subject::Configuration,
        Subject::Connection,
        Subject::LogIn,
        Subject::Tls,
        Subject::Pooler,
        Subject::Limits,
        Subject::Clock,
        Subject::Schema,
    ] {
        fine(&diagnosis, subject);
    }
    if place.is_citus() {
        for subject in [Subject::Hash, Subject::Metadata, Subject::Decoding, Subject::Versions, Subject::Locale] {
            fine(&diagnosis, subject);
        }
        let hashes = diagnosis.findings().iter().filter(|it| it.subject == Subject::Hash).count();
        assert_eq!(hashes, 3 * 5, "each node, each type of key");
    }
    let json = serde_json::to_value(&diagnosis).unwrap();
    assert_eq!(json["findings"][0]["subject"], "configuration");
    assert_eq!(json["verdict"], serde_json::to_value(diagnosis.verdict()).unwrap());
}

async fn a_schema_that_differs(place: Place) {
    let config = place.empty().await;
    let cluster = Cluster::connect(config.clone()).await.unwrap();
    let entities = Schema::new().with::<Country>();
    found(&examine_with(&config, &entities).await, Subject::Schema, Verdict::Warning, "table countries");
    cluster.admin().apply(&entities).await.unwrap();
    fine(&examine_with(&config, &entities).await, Subject::Schema);
    cluster.coordinator().execute(unscoped_sql!("ALTER TABLE countries ADD COLUMN extra integer")).await.unwrap();
    found(&examine_with(&config, &entities).await, Subject::Schema, Verdict::Warning, "extra");
}

async fn a_role_that_the_policies_do_not_hold(place: Place) {
    let app = format!("app_{}", shardwise::Uuid::new_v4().simple());
    let config = place.empty().await.with_policy(Policy::row_level_security(&app)).unwrap();
    let owner = Cluster::connect(config.clone()).await.unwrap();
    owner
        .admin()
        .apply(&Schema::new().with::<Country>().with::<Wallet>().with::<crate::support::model::User>())
        .await
        .unwrap();
    // Who owns the tables is no role for a service.
    found(&examine(&config).await, Subject::RowSecurity, Verdict::Critical, "");
    let login = format!("login_{}", shardwise::Uuid::new_v4().simple());
    let create = shardwise::AssertTenantSafe("a test").sql(format!("CREATE ROLE {login} LOGIN IN ROLE {app}"));
    owner.reference().execute(create).await.unwrap();
    fine(&examine(&config.with_user(&login)).await, Subject::RowSecurity);
    for role in [login, app] {
        let drop = shardwise::AssertTenantSafe("a test").sql(format!("DROP OWNED BY {role}; "));
        owner.reference().execute(drop).await.ok();
    }
}

#[tokio::test]
async fn a_pool_that_is_as_large_as_the_server() {
    let server = local::single().setting("max_connections", "23").start().await.unwrap();
    let config = server.config();
    found(&examine(&config).await, Subject::Limits, Verdict::Critical, "23 of 20");
    let analytics = AnalyticsConfig { max_connections: 1, ..AnalyticsConfig::default() };
    let smaller = config.clone().with_analytics(analytics).unwrap();
    found(
        &examine(&smaller.clone().with_max_connections(11).unwrap()).await,
        Subject::Limits,
        Verdict::Warning,
        "15 of 20",
    );
    fine(&examine(&smaller.with_max_connections(4).unwrap()).await, Subject::Limits);
}

#[tokio::test]
async fn slots_that_nobody_uses_and_standbys_without_one() {
    let server = local::single().setting("wal_keep_size", "0").standbys(1).start().await.unwrap();
    let standby = server.standbys()[0].config().contact_points()[0].clone();
    let config = server.config().with_replicas([standby]).unwrap();
    let well = examine(&config).await;
    fine(&well, Subject::Slots);
    fine(&well, Subject::Role);
    let alone = server.standbys()[0].config();
    found(&examine(&alone).await, Subject::Role, Verdict::Critical, "is a standby, which takes no writes");
    assert_eq!(well.findings().iter().filter(|it| it.subject == Subject::LogIn).count(), 2, "{well}");
    on(&server, "SELECT pg_create_physical_replication_slot('left_over', true)").await;
    let left = examine(&config).await;
    let fix = found(&left, Subject::Slots, Verdict::Warning, "nobody uses left_over").fix.clone().unwrap();
    assert!(fix.contains("pg_drop_replication_slot('left_over')"), "{fix}");
    on(&server, "SELECT pg_drop_replication_slot('left_over')").await;
    fine(&examine(&config).await, Subject::Slots);

    // The standby goes on without its slot.
    let session = connect(&server.standbys()[0], server.config().database()).await.unwrap();
    let slot: String = session.query_one("SHOW primary_slot_name", &[]).await.unwrap().get(0);
    session.batch_execute("ALTER SYSTEM SET primary_slot_name = ''").await.unwrap();
    session.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    let primary = connect(&server, server.config().database()).await.unwrap();
    crate::citus::stage::until(async || {
        let free = "SELECT count(*) FROM pg_stat_replication r WHERE state = 'streaming' AND NOT EXISTS \
                    (SELECT FROM pg_replication_slots s WHERE s.active_pid = r.pid)";
        primary.query_one(free, &[]).await.unwrap().get::<_, i64>(0) == 1
    })
    .await;
    let bare = examine(&config).await;
    found(&bare, Subject::Slots, Verdict::Warning, "streams without a slot");
    found(&bare, Subject::Slots, Verdict::Warning, &format!("nobody uses {slot}"));
    session.batch_execute("ALTER SYSTEM RESET primary_slot_name").await.unwrap();
    session.batch_execute(&format!("ALTER SYSTEM SET primary_slot_name = '{slot}'")).await.unwrap();
    session.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    crate::citus::stage::until(async || worst(&examine(&config).await, Subject::Slots) == Verdict::Ok).await;
}

#[tokio::test]
async fn a_collation_that_the_system_has_changed() {
    let server = local::single().start().await.unwrap();
    // The template has the C collation, which has no version; those of ICU have one.
    on(&server, "CREATE DATABASE sorted TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US' ENCODING 'UTF8'")
        .await;
    let config = server.config().with_database("sorted");
    let session = connect(&server, "sorted").await.unwrap();
    let actual = "SELECT pg_database_collation_actual_version(oid) FROM pg_database WHERE datname = 'sorted'";
    let actual: String = session.query_one(actual, &[]).await.unwrap().get(0);
    session.batch_execute("UPDATE pg_database SET datcollversion = '1.0' WHERE datname = 'sorted'").await.unwrap();
    found(&examine(&config).await, Subject::Locale, Verdict::Critical, "indexes were made with 1.0");
    session.batch_execute("ALTER DATABASE sorted REFRESH COLLATION VERSION").await.unwrap();
    found(&examine(&config).await, Subject::Locale, Verdict::Ok, &format!("both are {actual}"));
}
