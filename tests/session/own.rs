//! Rows that come back are the tenant's own, or nothing comes back.

use std::pin::pin;

use futures_util::{StreamExt as _, TryStreamExt as _};
use shardwise::config::CheckRows;
use shardwise::{Cluster, Entity, Error, ErrorKind, Result, Tenant, Uuid, sql, unscoped_sql};

use crate::support::model::Wallet;
use crate::support::place::{Place, in_both_modes};
use crate::support::unchecked;

in_both_modes![a_foreign_row_is_no_result, what_is_called_otherwise_is_not_looked_at];

/// Two tenants with a wallet each.
async fn two(place: Place, check: CheckRows) -> (Tenant, Tenant) {
    let cluster = Cluster::connect(place.prepared().await.with_check_rows(check)).await.unwrap();
    let (fest, other) = (cluster.tenant(Uuid::new_v4()).await.unwrap(), cluster.tenant(Uuid::new_v4()).await.unwrap());
    for tenant in [&fest, &other] {
        tenant.insert(&Wallet::new(*tenant.key(), 1)).await.unwrap();
    }
    (fest, other)
}

fn assert_refused<T: std::fmt::Debug>(result: Result<T>, other: &Tenant) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongTenant, "{error}");
    assert!(!error.is_retryable() && error.to_string().contains("whose `festival_id` is not"), "{error}");
    assert!(!format!("{error:?}").contains(&other.key().to_string()));
}

async fn a_foreign_row_is_no_result(place: Place) {
    let forgetful = || unchecked("SELECT * FROM wallets").entity::<Wallet>();
    for check in [CheckRows::Always, CheckRows::InDebugBuilds] {
        let (fest, other) = two(place, check).await;
        assert_refused(fest.query(forgetful()).await, &other);
        assert_refused(fest.query_stream(forgetful()).await.unwrap().try_collect::<Vec<_>>().await, &other);
        let outcome = fest
            .transaction(|tx| async move {
                let all = tx.query(unchecked("UPDATE wallets SET balance = 9 RETURNING *").entity::<Wallet>()).await;
                all.map(drop)
            })
            .await;
        assert_refused(outcome, &other);
        assert_eq!(other.select::<Wallet>().sum(Wallet::BALANCE).await.unwrap(), 1, "it was rolled back");
        let mut rows = pin!(fest.query_stream(forgetful()).await.unwrap());
        let mut given = 0;
        while let Some(row) = rows.next().await {
            given += usize::from(row.is_ok_and(|row| row.get::<Uuid>("festival_id").unwrap() != *fest.key()));
        }
        assert_eq!(given, 0, "a stream ends with the first row of another tenant");
        let own = sql!("SELECT * FROM wallets WHERE festival_id = :festival_id", entities(Wallet));
        assert_eq!(fest.query(own).await.unwrap().len(), 1);
    }
    let (fest, _) = two(place, CheckRows::Never).await;
    assert_eq!(fest.query(forgetful()).await.unwrap().len(), 2);
}

/// What the message says to do.
async fn what_is_called_otherwise_is_not_looked_at(place: Place) {
    let (fest, other) = two(place, CheckRows::Always).await;
    let named_alike = unchecked("SELECT :other::uuid AS festival_id").entity::<Wallet>();
    assert_refused(fest.query(named_alike.bind("other", *other.key())).await, &other);
    let renamed = unchecked("SELECT :other::uuid AS other_id, NULL::uuid AS festival_id").entity::<Wallet>();
    assert_eq!(fest.query(renamed.bind("other", *other.key())).await.unwrap().len(), 1);
}

#[derive(Debug, Clone, Entity)]
#[entity(table = "badges", distributed_by = tenant)]
struct Badge {
    tenant: String,
    #[entity(key)]
    id: i64,
    holder: String,
}

/// To the database `a` and `A` are equal, to the SDK they are two tenants: each typed verb that reads would hand out the
/// other's row.
#[tokio::test]
async fn a_collation_that_ignores_case_mixes_no_tenants() {
    let config = Place::Single.empty().await.with_check_rows(CheckRows::Always);
    let cluster = Cluster::connect(config.clone()).await.unwrap();
    let admin = cluster.coordinator();
    for statement in [
        unscoped_sql!(
            "CREATE COLLATION ignores_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
        ),
        unscoped_sql!(
            "CREATE TABLE badges (tenant text COLLATE ignores_case NOT NULL, id bigint NOT NULL, holder text NOT NULL, \
             PRIMARY KEY (tenant, id))"
        ),
    ] {
        admin.execute(statement).await.unwrap();
    }
    let (small, large) = (cluster.tenant("a".to_owned()).await.unwrap(), cluster.tenant("A".to_owned()).await.unwrap());
    small.insert(&Badge { tenant: "a".to_owned(), id: 1, holder: "Ada".to_owned() }).await.unwrap();

    let refused = |error: Error| {
        assert_eq!(error.kind(), ErrorKind::WrongTenant, "{error}");
        assert!(!format!("{error:?}").contains("Ada"));
    };
    refused(large.get::<Badge>(1).await.unwrap_err());
    refused(large.get_many::<Badge>(&[1, 2]).await.unwrap_err());
    refused(large.select::<Badge>().all().await.unwrap_err());
    refused(large.select::<Badge>().page(10, None).await.unwrap_err());
    refused(large.select::<Badge>().stream().await.unwrap().try_collect::<Vec<_>>().await.unwrap_err());
    refused(large.copy_out::<Badge>().await.unwrap().try_collect::<Vec<_>>().await.unwrap_err());
    let eve = "Eve".to_owned();
    let changed = large.transaction(move |tx| async move {
        tx.update_columns::<Badge>(1).set(Badge::HOLDER, eve).returning().await.map(drop)
    });
    refused(changed.await.unwrap_err());
    assert_eq!(small.get::<Badge>(1).await.unwrap().holder, "Ada", "it was rolled back");

    // Unchecked, as it would be.
    let trusting = Cluster::connect(config.with_check_rows(CheckRows::Never)).await.unwrap();
    assert_eq!(trusting.tenant("A".to_owned()).await.unwrap().get::<Badge>(1).await.unwrap().tenant, "a");
}
