//! What somebody tampers with shows, and the next apply mends it.

use shardwise::admin::{Consent, StepKind};
use shardwise::config::Policy;
use shardwise::{Cluster, Config};

use super::stage::{Stage, balances, tenant, unique};
use crate::support::place::{Place, in_both_modes};
use crate::support::schema;

in_both_modes![
    a_second_apply_changes_nothing_and_ten_at_once_agree,
    what_is_tampered_with_shows_and_is_mended,
    a_policy_of_somebody_elses_waits_for_a_consent,
    tables_with_rows_are_held_from_the_next_apply_on,
];

async fn lines(config: &Config) -> Vec<String> {
    let cluster = Cluster::connect(config.clone()).await.unwrap();
    let diff = cluster.admin().diff(&schema()).await.unwrap();
    diff.differences().iter().map(ToString::to_string).collect()
}

async fn a_second_apply_changes_nothing_and_ten_at_once_agree(place: Place) {
    let policy = Policy::row_level_security(unique("App \"odd")).with_analytics_role(unique("Reports $role0$"));
    let config = place.empty().await.with_policy(policy.clone()).unwrap();
    // Roles are shared with other databases, whose applies don't take turns with ours.
    let other = place.empty().await.with_policy(policy).unwrap();
    let all = (0..20).map(|number| {
        let config = if number < 10 { &config } else { &other };
        async { Cluster::connect(config.clone()).await.unwrap().admin().apply(&schema()).await.unwrap() }
    });
    let reports = futures_util::future::join_all(all).await;
    for reports in reports.chunks(10) {
        assert_eq!(reports.iter().filter(|report| !report.is_empty()).count(), 1);
    }
    assert_eq!(lines(&other).await, [""; 0]);
    assert_eq!(lines(&config).await, [""; 0]);
    let cluster = Cluster::connect(config).await.unwrap();
    let plan = cluster.admin().plan(&schema()).await.unwrap();
    assert!(plan.is_empty() && plan.withheld().is_empty(), "{plan}");
    assert!(cluster.admin().apply(&schema()).await.unwrap().is_empty());
}

async fn what_is_tampered_with_shows_and_is_mended(place: Place) {
    let stage = Stage::new(place).await;
    let (role, other) = (stage.role.as_str(), unique("other"));
    let cluster = stage.as_app().await;
    let (fest, neighbour) = (tenant(&cluster, &[1]).await, tenant(&cluster, &[2]).await);
    let superuser = stage.superuser().await;
    let first = "SELECT min(inhrelid::regclass::text) FROM pg_inherits WHERE inhparent = 'entries'::regclass";
    let partition: String = superuser.query_one(first, &[]).await.unwrap().get(0);
    let condition = "(festival_id = (NULLIF(current_setting('shardwise.tenant'::text, true), ''::text))::uuid)";
    let policy = format!("FOR ALL TO {role} USING ({condition}) WITH CHECK ({condition})");
    stage.by_hand(&[&format!("CREATE ROLE {other}")]).await;

    let cases: &[(String, String)] = &[
        (
            "ALTER TABLE wallets DISABLE ROW LEVEL SECURITY".into(),
            "different: row level security of wallets: wanted on, forced on the owner, is off, forced on the owner"
                .into(),
        ),
        (
            "ALTER TABLE wallets NO FORCE ROW LEVEL SECURITY".into(),
            "different: row level security of wallets: wanted on, forced on the owner, is on, not forced on the owner"
                .into(),
        ),
        (
            format!("ALTER TABLE {partition} DISABLE ROW LEVEL SECURITY"),
            format!(
                "different: row level security of {partition}: wanted on, forced on the owner, is off, forced on the owner"
            ),
        ),
        (
            "DROP POLICY shardwise_tenant ON wallets".into(),
            format!("missing: policy wallets.shardwise_tenant: {policy}"),
        ),
        (
            format!("DROP POLICY shardwise_tenant ON {partition}"),
            format!("missing: policy {partition}.shardwise_tenant: {policy}"),
        ),
        (
            "ALTER POLICY shardwise_tenant ON wallets USING (true)".into(),
            format!(
                "different: policy wallets.shardwise_tenant: wanted {policy}, is FOR ALL TO {role} USING (true) WITH CHECK \
                 ({condition})"
            ),
        ),
        (
            "ALTER POLICY shardwise_tenant ON wallets TO PUBLIC".into(),
            format!(
                "different: policy wallets.shardwise_tenant: wanted {policy}, is {}",
                policy.replace(role, "PUBLIC")
            ),
        ),
        (format!("REVOKE DELETE ON wallets FROM {role}"), format!("missing: rights on wallets.{role}: DELETE")),
        (format!("REVOKE ALL ON countries FROM {role}"), {
            format!("missing: rights on countries.{role}: SELECT, INSERT, UPDATE, DELETE")
        }),
        (format!("GRANT TRUNCATE ON wallets TO {role}"), format!("unknown: rights on wallets.{role}: TRUNCATE")),
        ("GRANT TRUNCATE ON wallets TO PUBLIC".into(), "unknown: rights on wallets.PUBLIC: TRUNCATE".into()),
        (format!("GRANT SELECT ON {partition} TO {role}"), format!("unknown: rights on {partition}.{role}: SELECT")),
        ("REVOKE USAGE ON SCHEMA public FROM PUBLIC".into(), format!("missing: rights on schema public.{role}: USAGE")),
        (
            format!("ALTER ROLE {role} BYPASSRLS CREATEDB"),
            format!("different: role {role}: wanted NOBYPASSRLS NOCREATEDB, is BYPASSRLS CREATEDB"),
        ),
        (format!("ALTER ROLE {role} SUPERUSER"), format!("different: role {role}: wanted NOSUPERUSER, is SUPERUSER")),
        (
            format!("GRANT {other} TO {role}"),
            format!("different: role {role}: wanted a member of no role, is a member of {other}"),
        ),
        (
            "CREATE POLICY shardwise_analytics ON wallets USING (true)".into(),
            "unknown: policy wallets.shardwise_analytics: FOR ALL TO PUBLIC USING (true)".into(),
        ),
    ];
    let owner = stage.as_owner().await;
    for (tampering, difference) in cases {
        stage.by_hand(&[tampering]).await;
        assert_eq!(lines(&stage.owner).await, [difference.as_str()], "{tampering}");
        let plan = owner.admin().plan(&schema()).await.unwrap();
        assert_eq!((plan.steps().len(), plan.refusals().len()), (1, 0), "{tampering}: {plan}");
        assert_eq!(owner.admin().apply(&schema()).await.unwrap().done().len(), 1, "{tampering}");
        assert_eq!(lines(&stage.owner).await, [""; 0], "{tampering}");
        assert_eq!((balances(&fest).await, balances(&neighbour).await), (vec![1], vec![2]), "{tampering}");
    }
    // Who owns a table is held by nothing, and that is for a person to change.
    stage.by_hand(&[&format!("ALTER TABLE wallets OWNER TO {role}")]).await;
    let plan = owner.admin().plan(&schema()).await.unwrap();
    assert!(plan.refusals().iter().any(|refusal| refusal.title().contains("wallets belongs to")), "{plan}");
}

async fn a_policy_of_somebody_elses_waits_for_a_consent(place: Place) {
    let stage = Stage::new(place).await;
    let owner = stage.as_owner().await;
    let reader = unique("reader");
    stage
        .by_hand(&[
            &format!("CREATE ROLE {reader}"),
            // Neither shows the application role a row more.
            &format!("CREATE POLICY for_another ON wallets TO {reader} USING (true)"),
            "CREATE POLICY narrower ON wallets AS RESTRICTIVE USING (balance >= 0)",
        ])
        .await;
    assert_eq!(lines(&stage.owner).await, [""; 0]);
    stage.by_hand(&["CREATE POLICY wider ON wallets FOR SELECT USING (balance = 7)"]).await;
    assert_eq!(
        lines(&stage.owner).await,
        ["unknown: policy wallets.wider: FOR SELECT TO PUBLIC USING ((balance = 7))"]
    );
    let plan = owner.admin().plan(&schema()).await.unwrap();
    assert!(plan.is_empty(), "{plan}");
    assert_eq!(plan.withheld()[0].consent(), ".drop_policy(\"wallets\", \"wider\")");
    let consent = Consent::none().drop_policy("wallets", "wider");
    let report = owner.admin().apply_with(&schema(), &consent, |_| {}).await.unwrap();
    assert_eq!(report.done()[0].step().kind(), StepKind::DropPolicy, "{report}");
    assert_eq!(lines(&stage.owner).await, [""; 0]);
}

async fn tables_with_rows_are_held_from_the_next_apply_on(place: Place) {
    let config = place.prepared().await;
    let (fest, other) = {
        let cluster = Cluster::connect(config.clone()).await.unwrap();
        (tenant(&cluster, &[1, 2]).await, tenant(&cluster, &[3]).await)
    };
    let (role, login) = (unique("app"), unique("login"));
    let owner = config.with_policy(Policy::row_level_security(&role)).unwrap();
    let stage = Stage { place, app: owner.clone().with_user(&login), owner, role };
    assert!(lines(&stage.owner).await.len() > 20);
    stage.as_owner().await.admin().apply(&schema()).await.unwrap();
    assert_eq!(lines(&stage.owner).await, [""; 0]);
    // A partition that somebody makes by hand is held as well, and shows until then.
    stage
        .by_hand(&["CREATE TABLE entries_2001 PARTITION OF entries FOR VALUES FROM ('2001-01-01') TO ('2002-01-01')"])
        .await;
    let drift = lines(&stage.owner).await;
    assert_eq!(
        drift[0],
        "different: row level security of entries_2001: wanted on, forced on the owner, is off, not forced on the owner"
    );
    stage.as_owner().await.admin().apply(&schema()).await.unwrap();
    assert_eq!(lines(&stage.owner).await, [""; 0]);

    stage.by_hand(&[&format!("CREATE ROLE {login} LOGIN IN ROLE {}", stage.role)]).await;
    let cluster = stage.as_app().await;
    let [fest, other] = [fest, other].map(|tenant| *tenant.key());
    assert_eq!(balances(&cluster.tenant(fest).await.unwrap()).await, [1, 2]);
    assert_eq!(balances(&cluster.tenant(other).await.unwrap()).await, [3]);
}
