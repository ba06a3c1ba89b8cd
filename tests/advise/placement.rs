//! Where data are on Citus, and whose statements they are.

use shardwise::advise::{AdviceOptions, FindingKind, Rung, State, Topic};
use shardwise::{Cluster, Region, Uuid, unscoped_sql};

use super::stage::{Stage, options};
use crate::citus::stage::tenant_at_home;
use crate::support::model::Wallet;
use crate::support::place::{Place, on_citus};

on_citus![
    a_tenant_that_is_larger_than_all_others_skews_its_shard_and_node,
    a_tenant_outside_its_home_is_found_until_it_is_at_home,
    a_tenant_with_most_of_the_statements_is_found_until_it_has_not,
    a_directory_that_is_missing_is_told,
];

fn enterprise() -> AdviceOptions {
    AdviceOptions { users: Some(200_000), ..options() }
}

async fn a_tenant_that_is_larger_than_all_others_skews_its_shard_and_node(place: Place) {
    let stage = Stage::new(place).await;
    // Empty shards have 8 kB for each index.
    let options = AdviceOptions { skew: 1.2, ..enterprise() };
    let even = stage.advice_by(&options).await;
    assert!(even.found(FindingKind::SkewedShards).next().is_none(), "{even}");
    assert_eq!(even.item(Topic::Sharding).unwrap().state, State::There, "{even}");
    stage.fill(stage.tenant, 40_000).await;
    let skewed = stage.advice_by(&options).await;
    let (topology, tenant) = (stage.cluster.topology(), stage.tenant);
    let shard = *topology.shard_of((&tenant).into()).unwrap();
    let owner = topology.node(shard.owner.unwrap()).to_string();
    let subjects: Vec<_> = skewed.found(FindingKind::SkewedShards).map(|finding| finding.subject.clone()).collect();
    assert_eq!(subjects.len(), 2, "{skewed}");
    assert!(subjects.contains(&owner), "{owner} in {subjects:?}");
    assert!(subjects.iter().any(|subject| subject.ends_with(&format!("hash {}", shard.min))), "{subjects:?}");
    assert_eq!(skewed.item(Topic::Sharding).unwrap().state, State::Missing);
    for finding in skewed.found(FindingKind::SkewedShards) {
        println!("{finding}");
    }
    stage.run(&format!("DELETE FROM wallets WHERE festival_id = '{tenant}'")).await;
    stage.compacted_until(&options, |advice| advice.found(FindingKind::SkewedShards).next().is_none()).await;
}

async fn a_tenant_outside_its_home_is_found_until_it_is_at_home(place: Place) {
    let stage = Stage::new(place).await;
    let at_home = tenant_at_home(&stage.cluster, Region::EU, Region::EU).await;
    let advice = stage.advice_by(&enterprise()).await;
    assert!(advice.found(FindingKind::MisplacedTenants).next().is_none(), "{advice}");
    assert_eq!(advice.item(Topic::Regions).unwrap().state, State::There, "{advice}");
    let away = tenant_at_home(&stage.cluster, Region::EU, Region::US).await;
    let advice = stage.advice_by(&enterprise()).await;
    let found = advice.found(FindingKind::MisplacedTenants).next().unwrap_or_else(|| panic!("{advice}"));
    println!("{found}");
    assert_eq!(found.subject, "1 of 2 tenants");
    assert!(found.why.contains(&format!("{} is at home in us, in eu", away.key())), "{found}");
    assert!(!found.why.contains(&at_home.key().to_string()), "{found}");
    assert!(found.actions[0].contains(&format!("relocate({}, us)", away.key())), "{found}");
    assert_eq!(advice.item(Topic::Regions).unwrap().state, State::Missing);
    // It moves its home in place of its data.
    let home = unscoped_sql!("UPDATE festivals SET region = 'eu' WHERE id = :id", id = *away.key());
    stage.cluster.coordinator().execute(home).await.unwrap();
    let advice = stage.advice_by(&enterprise()).await;
    assert!(advice.found(FindingKind::MisplacedTenants).next().is_none(), "{advice}");
    assert_eq!(advice.item(Topic::Regions).unwrap().state, State::There);
}

async fn a_tenant_with_most_of_the_statements_is_found_until_it_has_not(place: Place) {
    let stage = Stage::new(place).await;
    let advice = stage.advice_by(&enterprise()).await;
    assert!(advice.unseen.iter().any(|what| what.contains("citus.stat_tenants_track = 'all'")), "{advice}");
    let database = stage.config.database();
    // Citus sets it on the workers as well.
    stage.run(&format!("ALTER DATABASE {database} SET citus.stat_tenants_track = 'all'")).await;
    // Whoever connects from now on is counted.
    let cluster = Cluster::connect(stage.config.clone()).await.unwrap();
    let stage = Stage { cluster, ..stage };
    let work = async |tenant: Uuid, reads: usize| {
        let fest = stage.cluster.tenant(tenant).await.unwrap();
        for _ in 0..reads {
            fest.count::<Wallet>().await.unwrap();
        }
    };
    let hot = Uuid::new_v4();
    for _ in 0..9 {
        work(Uuid::new_v4(), 5).await;
    }
    let advice = stage.advice_by(&enterprise()).await;
    assert!(advice.found(FindingKind::HotTenant).next().is_none(), "{advice}");
    assert!(!advice.unseen.iter().any(|what| what.contains("hot tenants")), "{advice}");
    work(hot, 200).await;
    let advice = stage.until_by(&enterprise(), |advice| advice.found(FindingKind::HotTenant).next().is_some()).await;
    let found: Vec<_> = advice.found(FindingKind::HotTenant).collect();
    println!("{}", found[0]);
    assert_eq!((found.len(), found[0].subject.as_str()), (1, hot.to_string().as_str()), "{advice}");
    assert_eq!(advice.path.last().unwrap().rung, Rung::Sharding);
    stage.everywhere("SELECT citus_stat_tenants_local_reset()").await;
    stage.until_by(&enterprise(), |advice| advice.found(FindingKind::HotTenant).next().is_none()).await;
}

async fn a_directory_that_is_missing_is_told(place: Place) {
    let schema = shardwise::Schema::new().with::<crate::support::model::Seat>();
    let stage = Stage::with(place, schema).await;
    let advice = stage.advice_by(&enterprise()).await;
    let regions = advice.item(Topic::Regions).unwrap();
    assert_eq!(regions.state, State::Unknown, "{advice}");
    assert!(regions.why.contains("#[entity(region)]"), "{advice}");
}
