//! Tenants whose data lie outside their home regions.

use std::time::Instant;

use jiff::Timestamp;
use shardwise::{ErrorKind, Region, Schema, Uuid, unscoped_sql};

use super::placement_stage::{self as stage, Note, placement};
use crate::support::leftovers::fresh;
use crate::support::model::{Entry, Label, Wallet};

#[tokio::test]
async fn the_misplaced_are_found_with_their_sizes() {
    let regions = [Region::EU, Region::US, Region::EU];
    let Some(local) = stage::own("the_misplaced_are_found_with_their_sizes", &regions).await else { return };
    let cluster = stage::cluster(&local).await;
    let at_home = stage::tenant(&cluster, Region::US, Region::US).await;
    let empty = stage::tenant(&cluster, Region::EU, Region::US).await;
    let misplaced = stage::tenant(&cluster, Region::US, Region::EU).await;
    for tenant in [&at_home, &misplaced] {
        let wallets: Vec<_> = (0..3).map(|_| Wallet::new(*tenant.key(), 7)).collect();
        tenant.insert_many(&wallets).await.unwrap();
        let entry = |n: i64| Entry {
            festival_id: *tenant.key(),
            id: Uuid::new_v4(),
            wallet_id: wallets[0].id,
            amount: 1,
            created_at: Timestamp::now() - jiff::SignedDuration::from_secs(n),
        };
        tenant.insert_many(&[entry(1), entry(2)]).await.unwrap();
        let note = Note { festival_id: *tenant.key(), id: Uuid::new_v4(), text: "x".repeat(100) };
        tenant.insert(&note).await.unwrap();
    }

    let audit = placement(&cluster).audit(&stage::schema()).await.unwrap();
    println!("{audit}");
    assert_eq!((audit.tenants, audit.without_directory.as_slice()), (3, ["Label"].as_slice()));
    let find = |key: &Uuid| audit.misplaced.iter().find(|found| found.key == (*key).into());
    assert_eq!(audit.misplaced.len(), 2);
    assert!(find(at_home.key()).is_none());

    let found = find(misplaced.key()).unwrap();
    assert_eq!((found.home, found.elsewhere.len()), (Region::EU, 2), "{found:?}");
    for part in &found.elsewhere {
        assert_eq!(part.region, Some(Region::US));
        assert_eq!(part.node.as_ref().unwrap().port, local.workers()[1].config().contact_points()[0].port);
    }
    let mut tables: Vec<_> = found.elsewhere.iter().flat_map(|part| &part.tables).collect();
    tables.sort_by_key(|table| table.table);
    let sizes: Vec<_> = tables.iter().map(|table| (table.table, table.rows, table.bytes)).collect();
    // Per row 24 for the header, 16 per uuid, 8 for a number or a time; a text of 36 has one byte before it, one of 100
    // times the same letter as well, for what is shorter than 2 kB is not compressed.
    let (wallet, entry, note) = (24 + 16 + 16 + 8 + 37, 24 + 16 + 16 + 16 + 8 + 8, 24 + 16 + 16 + 101);
    assert_eq!(sizes, [("entries", 2, 2 * entry), ("notes", 1, note), ("wallets", 3, 3 * wallet)]);
    assert_eq!((found.rows(), found.bytes()), (6, 2 * entry + note + 3 * wallet));

    let found = find(empty.key()).unwrap();
    assert_eq!((found.home, found.rows(), found.bytes()), (Region::US, 0, 0));
    assert!(found.elsewhere.iter().all(|part| part.region == Some(Region::EU) && part.tables.is_empty()));

    for tenant in audit.misplaced {
        placement(&cluster).relocate(tenant.key, tenant.home).await.unwrap();
    }
    let audit = placement(&cluster).audit(&stage::schema()).await.unwrap();
    assert!(audit.misplaced.is_empty(), "{audit}");
    assert_eq!(stage::regions_of(&cluster, *empty.key()).await, ["us"]);
}

#[tokio::test]
async fn thousands_of_tenants_are_held_against_what_the_server_says() {
    let regions = [Region::EU, Region::US];
    let Some(local) = stage::own("thousands_of_tenants_are_held_against_what_the_server_says", &regions).await else {
        return;
    };
    let cluster = stage::cluster(&local).await;
    let coordinator = cluster.coordinator();
    coordinator
        .execute(unscoped_sql!(
            "INSERT INTO festivals (id, slug, region, name) SELECT id, id::text, (ARRAY['eu', 'us'])[1 + n % 2], 'many' \
             FROM (SELECT gen_random_uuid() AS id, n FROM generate_series(1, 10000) AS n) AS ids"
        ))
        .await
        .unwrap();
    coordinator
        .execute(unscoped_sql!(
            "INSERT INTO notes SELECT id, gen_random_uuid(), 'note' FROM festivals, generate_series(1, 3)"
        ))
        .await
        .unwrap();
    let wrong = unscoped_sql!(
        "SELECT count(DISTINCT f.id), count(*) * 3 FROM festivals f JOIN pg_dist_placement p \
         ON p.shardid = get_shard_id_for_distribution_column('notes', f.id) JOIN pg_dist_node n USING (groupid) \
         JOIN shardwise.node_regions r ON r.node_id = n.nodeid WHERE r.region <> f.region"
    );
    let (tenants, rows): (i64, i64) = coordinator.query_one_as(wrong).await.unwrap();
    let schema = Schema::new().with::<Note>();
    let started = Instant::now();
    let audit = placement(&cluster).audit(&schema).await.unwrap();
    println!("{} of {} tenants misplaced, found in {:?}", audit.misplaced.len(), audit.tenants, started.elapsed());
    assert_eq!(audit.tenants, 10_000);
    assert_eq!(i64::try_from(audit.misplaced.len()).unwrap(), tenants);
    assert!((4_500..=5_500).contains(&audit.misplaced.len()));
    assert_eq!(audit.misplaced.iter().map(|found| found.rows()).sum::<u64>(), u64::try_from(rows).unwrap());
}

#[tokio::test]
async fn an_audit_needs_to_know_homes() {
    let Some(local) = crate::support::citus::shared("an_audit_needs_to_know_homes").await else { return };
    let cluster = shardwise::Cluster::connect(fresh(local).await).await.unwrap();
    let schema = Schema::new().with::<Label>();
    let missing = placement(&cluster).audit(&schema).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::Schema);
    assert!(missing.to_string().contains("`labels` is not distributed yet"), "{missing}");
    cluster.admin().apply(&schema).await.unwrap();
    let homeless = placement(&cluster).audit(&schema).await.unwrap_err();
    assert!(homeless.to_string().contains("`#[entity(region)]`"), "{homeless}");
}
