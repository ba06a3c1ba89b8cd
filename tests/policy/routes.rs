//! On Citus: the tenant goes with a statement wherever it is passed on to.

use shardwise::{Cluster, Error, Pin, Region, Residency, Route};

use super::stage::{Stage, balances, tenant};
use crate::citus::stage::{move_away, watched};
use crate::support::model::{Festival, Wallet};
use crate::support::place::{Place, on_citus};
use crate::support::unchecked;

on_citus![
    a_statement_that_is_passed_on_takes_its_tenant_along,
    a_shard_that_has_moved_is_held_on_its_new_node,
    strict_residency_and_the_policy_hold_together,
];

/// All that reaches rows, along whatever way the tenant goes.
async fn is_held(fest: &shardwise::Tenant, expected: &[i64]) {
    assert_eq!(balances(fest).await, expected);
    assert_eq!(fest.select::<Wallet>().all().await.unwrap().len(), expected.len());
    fest.transaction(async |tx| {
        let changed = tx.execute(unchecked("UPDATE wallets SET note = 'seen'")).await?;
        assert_eq!(usize::try_from(changed).unwrap(), expected.len());
        let failed = tx.savepoint(async |tx| tx.execute(unchecked("SELECT 1 / 0")).await).await;
        assert!(failed.is_err());
        let count = unchecked("SELECT count(*) FROM wallets");
        assert_eq!(usize::try_from(tx.query_one_as::<(i64,)>(count).await?.0).unwrap(), expected.len());
        Ok::<_, Error>(())
    })
    .await
    .unwrap();
}

async fn a_statement_that_is_passed_on_takes_its_tenant_along(place: Place) {
    let stage = Stage::new(place).await;
    let cluster = Cluster::connect(stage.app.clone().with_topology(watched()).unwrap()).await.unwrap();
    for _ in 0..8 {
        let (fest, other) = (tenant(&cluster, &[1, 2]).await, tenant(&cluster, &[3, 4, 5]).await);
        for pin in [Pin::Coordinator, Pin::Any] {
            let [fest, other] = [&fest, &other].map(|tenant| tenant.clone().pinned(pin).unwrap());
            is_held(&fest, &[1, 2]).await;
            is_held(&other, &[3, 4, 5]).await;
            let row = Wallet::new(*fest.key(), 9);
            fest.insert(&row).await.unwrap();
            assert!(fest.delete::<Wallet>(row.id).await.unwrap());
        }
        assert_eq!(fest.clone().pinned(Pin::Coordinator).unwrap().route().unwrap(), Route::Coordinator);
    }
}

async fn a_shard_that_has_moved_is_held_on_its_new_node(place: Place) {
    let Place::Citus(local) = place else { panic!("there is no Citus here") };
    let stage = Stage::new(place).await;
    let cluster = Cluster::connect(stage.app.clone().with_topology(watched()).unwrap()).await.unwrap();
    let (fest, _other) = (tenant(&cluster, &[1, 2]).await, tenant(&cluster, &[3]).await);
    let forwarded = || cluster.metrics().tenant_routes.get("forwarded").copied().unwrap_or(0);
    // The owner tells nobody of the tenant.
    assert_eq!(forwarded(), 0);
    move_away(local, &stage.owner.clone().with_topology(watched()).unwrap(), &fest).await;
    // The client does not know it yet: the node that it goes to passes the statements on.
    assert_eq!(fest.count::<Wallet>().await.unwrap(), 2);
    assert!(forwarded() > 0);
    is_held(&fest, &[1, 2]).await;
    cluster.refresh().await.unwrap();
    is_held(&fest, &[1, 2]).await;
}

async fn strict_residency_and_the_policy_hold_together(place: Place) {
    let stage = Stage::new(place).await;
    let cluster = stage.as_app().await;
    let id = cluster.mint_id(Region::US).unwrap();
    let festival = Festival { id, slug: id.to_string(), region: Region::US, name: "of a test".to_owned() };
    cluster.reference().insert(&festival).await.unwrap();
    tenant(&cluster, &[3]).await;
    let fest = cluster.tenant(id).await.unwrap().with_residency(Residency::Strict).await.unwrap();
    for balance in [1, 2] {
        fest.insert(&Wallet::new(id, balance)).await.unwrap();
    }
    // With strict residency a text has to name its tables.
    let all = unchecked("SELECT count(*) FROM wallets WHERE festival_id = :festival_id OR true").entity::<Wallet>();
    assert_eq!(fest.query_one_as::<(i64,)>(all).await.unwrap(), (2,));
    let mut copy = fest.copy_in::<Wallet>().await.unwrap();
    copy.send(&Wallet::new(id, 3)).await.unwrap();
    assert_eq!(copy.finish().await.unwrap(), 1);
    let count = fest.transaction(async |tx| tx.count::<Wallet>().await).await.unwrap();
    assert_eq!(count, 3);
}
