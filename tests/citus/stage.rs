//! What these tests play on: a database on a cluster, with tables, and what the servers say of it.

use std::collections::BTreeMap;
use std::time::Duration;

use shardwise::config::{Endpoint, NodeOverride, TopologyConfig, Watch};
use shardwise::local::CitusCluster;
use shardwise::topology::{NodeIndex, Role};
use shardwise::{Cluster, Config, Region, Tenant, Uuid, sql};

use crate::support::model::{Festival, Wallet};
use crate::support::proxy::Proxy;
use crate::support::schema;

/// An hour: what only time would bring, a test does not see.
pub const NEVER: Duration = Duration::from_secs(3_600);

/// A layout that is read on request alone, and every detour seen.
pub fn watched() -> TopologyConfig {
    TopologyConfig { refresh_interval: NEVER, probe_interval: NEVER, watch: Watch::All }
}

/// A new database with the shared entities' tables, all statements watched.
pub async fn config(local: &CitusCluster) -> Config {
    let config = local.fresh_database().await.unwrap().with_topology(watched()).unwrap();
    let cluster = Cluster::connect(config.clone().with_mode(shardwise::Mode::Single)).await.unwrap();
    cluster.admin().apply(&schema()).await.unwrap();
    let c = cluster.coordinator();
    c.execute(sql!("DO $$ DECLARE r record; BEGIN FOR r IN SELECT conrelid::regclass AS t, conname FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 AND connamespace = 'public'::regnamespace LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', r.t, r.conname); END LOOP; END $$")).await.unwrap();
    c.execute(sql!("SELECT create_reference_table('countries')")).await.unwrap();
    c.execute(sql!("SELECT create_reference_table('users')")).await.unwrap();
    c.execute(sql!("SELECT create_reference_table('festivals')")).await.unwrap();
    c.execute(sql!("SELECT create_distributed_table('wallets', 'festival_id')")).await.unwrap();
    c.execute(sql!("SELECT create_distributed_table('entries', 'festival_id')")).await.unwrap();
    c.execute(sql!("SELECT create_distributed_table('seats', 'festival_id')")).await.unwrap();
    c.execute(sql!("SELECT create_distributed_table('everything', 'festival_id')")).await.unwrap();
    c.execute(sql!("SELECT create_distributed_table('labels', 'tenant')")).await.unwrap();
    c.execute(sql!("INSERT INTO shardwise.directories VALUES ('uuid','public','festivals','id','region')"))
        .await
        .unwrap();
    cluster.close(Duration::from_secs(5)).await;
    config
}

pub async fn cluster(local: &CitusCluster) -> Cluster {
    Cluster::connect(config(local).await).await.unwrap()
}

/// A tenant whose shard lies in this region, and which is at home there.
pub async fn tenant_in(cluster: &Cluster, region: Region) -> Tenant {
    tenant_at_home(cluster, region, region).await
}

/// A tenant whose shard lies in one region, and which is at home in another.
pub async fn tenant_at_home(cluster: &Cluster, lies: Region, home: Region) -> Tenant {
    loop {
        let id = Uuid::new_v4();
        let topology = cluster.topology();
        let owner = topology.shard_of((&id).into()).unwrap().owner.unwrap();
        if topology.node(owner).region == Some(lies) {
            let festival = Festival { id, slug: id.to_string(), region: home, name: "of a test".to_owned() };
            cluster.reference().insert(&festival).await.unwrap();
            return cluster.tenant(id).await.unwrap();
        }
    }
}

/// The node that the client takes for the tenant's owner.
pub fn owner(cluster: &Cluster, tenant: &Tenant) -> NodeIndex {
    cluster.topology().shard_of(tenant.key().into()).unwrap().owner.unwrap()
}

pub fn port_of(cluster: &Cluster, node: NodeIndex) -> u16 {
    cluster.topology().node(node).port
}

/// The port of the server that runs this tenant's statements, as the server says.
pub async fn runs_at(tenant: &Tenant) -> u16 {
    let (port,): (i32,) = tenant.query_one_as(sql!("SELECT inet_server_port()")).await.unwrap();
    port.try_into().unwrap()
}

/// Moves the tenant's shard to the other worker, behind the client's back.
pub async fn move_away(local: &CitusCluster, config: &Config, tenant: &Tenant) {
    let admin = Cluster::connect(config.clone().with_application_name("mover")).await.unwrap();
    move_by(&admin, local, tenant).await;
    admin.close(Duration::from_secs(5)).await;
}

/// The same through a client that is kept.
pub async fn move_by(admin: &Cluster, local: &CitusCluster, tenant: &Tenant) {
    let shard = sql!(
        "SELECT p.shardid, n.nodename, n.nodeport FROM pg_dist_placement p JOIN pg_dist_node n USING (groupid) \
         WHERE shardid = get_shard_id_for_distribution_column('wallets', :id::uuid)",
        id = *tenant.key()
    );
    let (shard, host, port): (i64, String, i32) = admin.across_shards("a test").query_one_as(shard).await.unwrap();
    let ports: Vec<i32> =
        local.workers().iter().map(|worker| i32::from(worker.config().contact_points()[0].port)).collect();
    let other = ports.into_iter().find(|&other| other != port).unwrap();
    let moved = sql!(
        "SELECT citus_move_shard_placement(:shard, :host, :port, :host, :other, 'force_logical')",
        shard = shard,
        host = host,
        port = port,
        other = other
    );
    admin.across_shards("a test").query(moved).await.unwrap();
}

/// Proxies in front of all nodes, and a configuration that goes through them.
pub async fn proxied(local: &CitusCluster, config: Config) -> (Config, BTreeMap<u16, Proxy>) {
    let nodes = std::iter::once(local.coordinator()).chain(local.workers());
    let (mut config, mut proxies) = (config, BTreeMap::new());
    for node in nodes {
        let known: Endpoint = node.config().contact_points()[0].clone();
        let proxy = Proxy::to(known.port).await;
        config = config.with_node(known.clone(), NodeOverride { host: None, port: Some(proxy.port) });
        proxies.insert(known.port, proxy);
    }
    (config, proxies)
}

/// The ports of the workers of a region.
pub fn ports_in(cluster: &Cluster, region: Region) -> Vec<u16> {
    let topology = cluster.topology();
    let nodes = topology.nodes().iter().filter(|node| node.region == Some(region) && node.role == Role::Worker);
    nodes.map(|node| node.port).collect()
}

/// Rows to work with.
pub async fn wallets(tenant: &Tenant, count: i64) -> Vec<Wallet> {
    let wallets: Vec<_> = (0..count).map(|balance| Wallet::new(*tenant.key(), balance)).collect();
    tenant.insert_many(&wallets).await.unwrap();
    wallets
}
