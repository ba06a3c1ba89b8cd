//! Who may ask for a tenant, and who for the rows of all of them: an error that names the fix, in place of rows of others or of
//! none.

use shardwise::config::{AnalyticsConfig, Policy};
use shardwise::{Cluster, Config, ErrorKind, Uuid, unscoped_sql};

use super::stage::{Stage, balances, tenant, unique};
use crate::citus::stage::{move_away, watched};
use crate::support::model::Wallet;
use crate::support::place::{Place, in_both_modes};
use crate::support::schema;

in_both_modes![
    whoever_is_not_held_gets_no_tenant,
    a_client_that_does_not_know_of_the_policy_is_told,
    who_would_read_nothing_is_refused,
    an_owner_who_is_no_superuser_applies_and_sees_all_rows,
];

/// Why this configuration gets no tenant.
async fn refusal(config: &Config) -> String {
    let cluster = Cluster::connect(config.clone()).await.unwrap();
    let error = cluster.tenant(Uuid::new_v4()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    error.to_string()
}

async fn whoever_is_not_held_gets_no_tenant(place: Place) {
    let stage = Stage::new(place).await;
    let (app, role) = (&stage.app, &stage.role);
    tenant(&stage.as_app().await, &[1]).await;

    let superuser = refusal(&stage.owner).await;
    assert!(
        superuser.contains("does not hold the role postgres, which is a superuser or has BYPASSRLS"),
        "{superuser}"
    );
    assert!(superuser.contains(&format!("GRANT \"{role}\" TO it")), "{superuser}");
    // All else works.
    let owner = stage.as_owner().await;
    assert!(owner.admin().diff(&schema()).await.unwrap().is_empty());
    let count = unscoped_sql!("SELECT count(*) FROM wallets");
    assert_eq!(owner.coordinator().query_one_as::<(i64,)>(count).await.unwrap(), (1,));

    stage.by_hand(&[&format!("ALTER ROLE {} BYPASSRLS", app.user())]).await;
    assert!(refusal(app).await.contains("which is a superuser or has BYPASSRLS"));
    stage
        .by_hand(&[&format!("ALTER ROLE {} NOBYPASSRLS", app.user()), "CREATE POLICY open ON wallets USING (true)"])
        .await;
    assert!(refusal(app).await.contains("which a policy, or being the owner, shows all rows of wallets"));
    stage.by_hand(&["DROP POLICY open ON wallets", "ALTER TABLE wallets DISABLE ROW LEVEL SECURITY"]).await;
    assert!(refusal(app).await.contains("row level security of wallets is off: apply the schema"));
    owner.admin().apply(&schema()).await.unwrap();
    stage.by_hand(&[&format!("REVOKE {role} FROM {}", app.user())]).await;
    let stranger = refusal(app).await;
    assert!(stranger.contains(&format!("run GRANT \"{role}\" TO \"{}\"", app.user())), "{stranger}");
    // It is asked anew after each refusal.
    let cluster = stage.as_app().await;
    assert!(cluster.tenant(Uuid::new_v4()).await.is_err());
    stage.by_hand(&[&format!("GRANT {role} TO {}", app.user())]).await;
    assert!(cluster.tenant(Uuid::new_v4()).await.is_ok());

    let nothing = place.prepared().await.with_user(app.user());
    let nothing = refusal(&nothing.with_policy(Policy::row_level_security(role)).unwrap()).await;
    assert!(nothing.contains("no table of this database has the policy: apply the schema once"), "{nothing}");
}

async fn a_client_that_does_not_know_of_the_policy_is_told(place: Place) {
    let stage = Stage::new(place).await;
    let error = Cluster::connect(stage.app.clone().with_policy(Policy::None).unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("and `policy` is not set: write `policy = \"row_level_security\"`"), "{error}");
    // Whom it does not hold, it does not concern.
    Cluster::connect(stage.owner.clone().with_policy(Policy::None).unwrap()).await.unwrap();
}

async fn who_would_read_nothing_is_refused(place: Place) {
    let stage = Stage::new(place).await;
    let cluster = stage.as_app().await;
    let fest = tenant(&cluster, &[1, 2]).await;
    tenant(&cluster, &[3]).await;
    let count = || unscoped_sql!("SELECT count(*) FROM wallets");
    for (session, fix) in [
        (cluster.coordinator(), "use `cluster.across_shards(…)`, or log in as the owner"),
        (cluster.across_shards("a test"), "name an `analytics_role`, apply the schema, and set `analytics.user`"),
    ] {
        let refused = session.query(count()).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Config, "{refused}");
        assert!(refused.to_string().contains(fix), "{refused}");
        assert!(session.transaction(async |tx| tx.query(count()).await).await.is_err());
    }

    // With a role of its own it reads all rows, and writes none.
    let (analytics, reports) = (unique("analytics"), unique("reports"));
    let policy = Policy::row_level_security(&stage.role).with_analytics_role(&analytics);
    let owner = Cluster::connect(stage.owner.clone().with_policy(policy.clone()).unwrap()).await.unwrap();
    let drift = owner.admin().diff(&schema()).await.unwrap();
    assert_eq!(drift.differences()[0].to_string(), format!("missing: role {analytics}"));
    owner.admin().apply(&schema()).await.unwrap();
    assert!(owner.admin().diff(&schema()).await.unwrap().is_empty());
    stage.by_hand(&[&format!("CREATE ROLE {reports} LOGIN IN ROLE {analytics}")]).await;
    let config = stage.app.clone().with_policy(policy).unwrap();
    let without = Cluster::connect(config.clone()).await.unwrap();
    let refused = without.across_shards("a test").query(count()).await.unwrap_err().to_string();
    assert!(refused.contains(&format!("set `analytics.user` to a member of the role {analytics}")), "{refused}");

    let login = AnalyticsConfig { user: Some(reports.clone()), ..AnalyticsConfig::default() };
    let cluster = Cluster::connect(config.with_analytics(login).unwrap()).await.unwrap();
    let all = cluster.across_shards("a test");
    assert_eq!(all.query_one_as::<(i64,)>(count()).await.unwrap(), (3,));
    let written = all.execute(unscoped_sql!("UPDATE wallets SET balance = 0")).await.unwrap_err();
    assert_eq!(written.code().unwrap().code(), "42501", "{written}");
    // The tenants' connections are another role's.
    let fest = cluster.tenant(*fest.key()).await.unwrap();
    assert_eq!(balances(&fest).await, [1, 2]);
    // Who reads all rows gets no tenant.
    let reader = refusal(&stage.app.clone().with_user(&reports)).await;
    assert!(reader.contains("which a policy, or being the owner, shows all rows of"), "{reader}");
}

async fn an_owner_who_is_no_superuser_applies_and_sees_all_rows(place: Place) {
    let (role, login, maker) = (unique("app"), unique("login"), unique("maker"));
    let config = place.empty().await.with_policy(Policy::row_level_security(&role)).unwrap();
    let database = config.database().to_owned();
    let (owner, app) = (config.clone().with_user(&maker), config.clone().with_user(&login));
    let stage = Stage { place, owner: owner.clone(), app: app.clone(), role: role.clone() };
    let rights = format!("GRANT CREATE, TEMPORARY ON DATABASE {database} TO {maker}");
    stage.by_hand(&[&format!("CREATE ROLE {maker} LOGIN"), &rights]).await;
    if place.is_citus() {
        // A database that is a copy is none that Citus takes care of.
        let workers = format!("SELECT run_command_on_workers('{rights}')");
        stage.by_hand(&["DROP SCHEMA IF EXISTS shardwise CASCADE", &workers]).await;
    }
    stage.by_hand(&[&format!("GRANT CREATE ON SCHEMA public TO {maker}")]).await;

    let name = maker;
    let maker = Cluster::connect(owner.clone()).await.unwrap();
    let refused = maker.admin().apply(&schema()).await.unwrap_err().to_string();
    assert!(refused.contains(&format!("the role {role} must be made, and {name} may make none")), "{refused}");
    assert!(refused.contains(&format!("CREATE ROLE \"{role}\" NOLOGIN NOSUPERUSER")), "{refused}");
    stage.by_hand(&[&format!("ALTER ROLE {name} CREATEROLE")]).await;
    maker.admin().apply(&schema()).await.unwrap();
    assert!(maker.admin().apply(&schema()).await.unwrap().is_empty());
    assert!(maker.admin().diff(&schema()).await.unwrap().is_empty());
    stage.by_hand(&[&format!("CREATE ROLE {login} LOGIN IN ROLE {role}")]).await;
    let cluster = Cluster::connect(app).await.unwrap();
    let (fest, other) = (tenant(&cluster, &[1, 2]).await, tenant(&cluster, &[3]).await);
    assert_eq!((balances(&fest).await, balances(&other).await), (vec![1, 2], vec![3]));

    // The owner works on all rows, and can't be taken for somebody whom a policy holds.
    let sum = unscoped_sql!("SELECT sum(balance)::bigint FROM wallets");
    assert_eq!(maker.coordinator().query_one_as::<(i64,)>(sum).await.unwrap(), (6,));
    assert!(refusal(&owner).await.contains("which a policy, or being the owner, shows all rows of"));
    // It moves shards, as Citus does it: by COPY, in its name.
    if let Place::Citus(local) = place {
        move_away(local, &owner.with_topology(watched()).unwrap(), &fest).await;
        assert_eq!((balances(&fest).await, balances(&other).await), (vec![1, 2], vec![3]));
        assert!(maker.admin().diff(&schema()).await.unwrap().is_empty());
    }
    // Foreign keys are checked for whoever writes.
    let strange = Wallet { user_id: Some(Uuid::new_v4()), ..Wallet::new(*fest.key(), 1) };
    assert_eq!(fest.insert(&strange).await.unwrap_err().code().unwrap().code(), "23503");
}
