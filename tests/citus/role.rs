//! What a service logs in as: a role that owns nothing, and may read and write rows.

use std::time::Duration;

use shardwise::{Cluster, Region, Residency, Route, unscoped_sql};

use super::stage::{self, until};
use crate::support::citus::shared;
use crate::support::model::{Festival, Wallet};

#[tokio::test]
async fn a_role_that_may_read_and_write_rows_is_enough_for_a_service() {
    let test = "a_role_that_may_read_and_write_rows_is_enough_for_a_service";
    let Some(local) = shared(test).await else { return };
    let config = stage::config(local).await;
    let owner = Cluster::connect(config.clone()).await.unwrap();
    // Roles are the servers', which may have it from an earlier run.
    let made = owner.coordinator().execute(unscoped_sql!("CREATE ROLE clerk LOGIN")).await;
    assert!(made.is_ok() || made.unwrap_err().code().unwrap().code() == "42710");
    let grant = unscoped_sql!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO clerk");
    owner.coordinator().execute(grant).await.unwrap();
    let fest = stage::tenant_in(&owner, Region::US).await;

    let clerk = Cluster::connect(config.clone().with_user("clerk")).await.unwrap();
    let tenant = clerk.tenant(*fest.key()).await.unwrap();
    assert_eq!((tenant.route().unwrap(), tenant.region()), (Route::Owner, Some(Region::US)));
    let wallets = stage::wallets(&tenant, 3).await;
    let id = wallets[0].id;
    tenant
        .transaction(async |tx| tx.update_columns::<Wallet>(id).add(Wallet::BALANCE, 1).run().await.map(drop))
        .await
        .unwrap();
    // Bound to its region: what vouches for it runs as the role that made it.
    let bound = tenant.clone().with_residency(Residency::Strict).await.unwrap();
    assert_eq!(bound.count::<Wallet>().await.unwrap(), 3);
    assert_eq!(clerk.directory::<Festival>().find(*fest.key()).await.unwrap().unwrap().id, *fest.key());
    assert_eq!(clerk.across_shards("a test").query(unscoped_sql!("SELECT id FROM wallets")).await.unwrap().len(), 3);

    // It sees moves as others do: its connections are watched, and the map is read anew.
    let old = stage::owner(&clerk, &tenant);
    stage::move_away(local, &config, &fest).await;
    assert_eq!(tenant.count::<Wallet>().await.unwrap(), 3);
    until(async || stage::owner(&clerk, &tenant) != old).await;
    assert_eq!(clerk.metrics().tenant_routes["forwarded"], 1);

    let refused = clerk.coordinator().execute(unscoped_sql!("DROP TABLE wallets")).await.unwrap_err();
    assert_eq!(refused.code().unwrap().code(), "42501", "{refused}");
    clerk.close(Duration::from_secs(5)).await;
}
