//! Where data lie: keys, homes and regions that would be SQL in what the coordinator has its nodes run.

use shardwise::admin::placement::RelocateOptions;
use shardwise::{Cluster, Entity, Region, Schema};

use super::Victim;
use crate::citus::placement_stage::own;

#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(table = "clubs'; DROP TABLE victims; --", reference)]
struct Club {
    #[entity(key, rename = "sl\"ug';--")]
    slug: String,
    #[entity(region, rename = "re\"gion")]
    home: Region,
}

#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(schema = "cl\"ub", table = "mem\"bers'; DROP TABLE victims; --", distributed_by = club)]
struct Member {
    #[entity(rename = "clu\"b'")]
    club: String,
    #[entity(key)]
    id: i64,
}

const KEYS: [&str; 2] = ["o'brien\\'); DROP TABLE victims; -- $1 %L \"x\"", "\\"];

#[tokio::test]
async fn a_tenant_with_a_hostile_key_in_tables_with_hostile_names_is_relocated() {
    let test = "a_tenant_with_a_hostile_key_in_tables_with_hostile_names_is_relocated";
    let Some(local) = own(test, &[Region::EU, Region::US]).await else { return };
    let cluster = Cluster::connect(local.fresh_database().await.unwrap()).await.unwrap();
    let other = Victim::placed(&cluster, Schema::new().with::<Club>().with::<Member>()).await;
    let placement = cluster.admin().placement();
    for key in KEYS {
        let club = Club { slug: key.to_owned(), home: Region::EU };
        cluster.reference().insert(&club).await.unwrap();
        let tenant = cluster.tenant(key.to_owned()).await.unwrap();
        let members: Vec<_> = (0..5).map(|id| Member { club: key.to_owned(), id }).collect();
        tenant.insert_many(&members).await.unwrap();
        for region in [Region::US, Region::EU] {
            let done =
                placement.relocate_with(key.to_owned(), region, &RelocateOptions::default(), |_| {}).await.unwrap();
            assert!(done.moved.len() <= 1);
            cluster.refresh().await.unwrap();
            let tenant = cluster.tenant(key.to_owned()).await.unwrap();
            assert_eq!(tenant.region(), Some(region), "{key}");
            assert_eq!(tenant.count::<Member>().await.unwrap(), 5, "{key}");
        }
        assert_eq!(cluster.reference().get::<Club>(key.to_owned()).await.unwrap().home, Region::EU);
    }
    let schema = Schema::new().with::<Club>().with::<Member>();
    assert!(placement.audit(&schema).await.unwrap().misplaced.is_empty());
    Victim::is_untouched(&other).await;
}

/// A region is a word before it can be anything else.
#[test]
fn a_region_is_a_word() {
    for name in ["", "eu'", "eu; --", "EU", "e u", "eu\0", "ü", "eu_1", "%", &"e".repeat(32)] {
        assert!(name.parse::<Region>().is_err(), "{name:?}");
    }
    // What a row says of its region goes the same way.
    let read = shardwise::Config::from_toml(
        "[default]\ncontact_points = [\"db\"]\ndatabase = \"d\"\nuser = \"u\"\nlocal_region = \"eu'; --\"",
    );
    assert!(read.unwrap_err().to_string().contains("is not a region"));
}
