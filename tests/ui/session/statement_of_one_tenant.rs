#[path = "../model.rs"]
mod model;

use model::Wallet;
use shardwise::{Cluster, sql};

async fn misuse(cluster: Cluster) {
    let all = cluster.across_shards("a report");
    let rows = all.query(sql!("SELECT id FROM wallets WHERE festival_id = :festival_id", entities(Wallet)));
}

fn main() {}
