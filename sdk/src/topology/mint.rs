//! Ids that are born where their data belong.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use uuid::{Builder, Uuid};

use super::hash::hash;
use super::{Hashing, Node, NodeIndex, Region, Shard, ShardMap, Topology};
use crate::error::{Error, ErrorKind, Result};
use crate::key::{KeyRef, KeyType};
use crate::random;

/// What a node's shards have to cover of the 2³² hashes to be aimed at: shards that hold one isolated tenant each cover
/// next to nothing.
const LEAST: u64 = 1 << 19;

/// Tries to hit such a node: by chance all of them miss once in e³² calls.
const TRIES: u32 = 1 << 18;

/// Mints ids whose rows lie in one region: in every co-location group whose key is a `uuid`.
#[derive(Debug)]
pub(crate) struct Mint<'t> {
    topology: &'t Topology,
    region: Region,
    /// The group that most tables are in: it decides which node is aimed at.
    usual: &'t ShardMap,
    others: Vec<&'t ShardMap>,
    nodes: Vec<NodeIndex>,
}

impl<'t> Mint<'t> {
    /// # Errors
    /// [`ErrorKind::Placement`] where no id can lie in the region as the shards are now.
    pub(crate) fn new(topology: &'t Topology, region: Region) -> Result<Self> {
        let usual =
            topology.usual_map(KeyType::Uuid).filter(|usual| !usual.shards().is_empty()).ok_or_else(no_tables)?;
        let is_other = |map: &&ShardMap| map.key() == Some(KeyType::Uuid) && !map.shards().is_empty() && *map != usual;
        let others: Vec<_> = topology.shard_maps().iter().filter(is_other).collect();
        if others.iter().chain([&usual]).any(|map| *map.hashing() != Hashing::Client) {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "this cluster hashes a uuid otherwise than this client does",
            ));
        }
        let mut mint = Self { topology, region, usual, others, nodes: Vec::new() };
        let wide = mint.shares().into_iter().filter(|(_, share)| *share >= LEAST);
        mint.nodes = wide.map(|(node, _)| node).collect();
        if mint.nodes.is_empty() { Err(mint.owns_nothing()) } else { Ok(mint) }
    }

    /// The nodes that an id can be aimed at.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &'t Node> {
        self.nodes.iter().map(|&at| &**self.topology.node(at))
    }

    /// An id for one of the nodes that are wanted, each of which is as likely as the others.
    pub(crate) fn id(&self, wanted: impl Fn(&Node) -> bool) -> Result<Uuid> {
        let nodes: Vec<_> = self.nodes.iter().filter(|&&at| wanted(self.topology.node(at))).collect();
        let pick = random::number() % u64::try_from(nodes.len()).unwrap_or(u64::MAX).max(1);
        let node = usize::try_from(pick).ok().and_then(|pick| nodes.get(pick));
        let node = **node.ok_or_else(|| self.owns_nothing())?;
        for _ in 0..TRIES {
            let id = version_7();
            let hash = hash(KeyRef::Uuid(&id));
            let owner = self.usual.shard(hash).and_then(|shard| shard.owner);
            if owner == Some(node)
                && self.others.iter().all(|map| map.shard(hash).is_some_and(|shard| self.holds(shard)))
            {
                return Ok(id);
            }
        }
        Err(Error::new(
            ErrorKind::Placement,
            format!("no id for {} was found in {TRIES} tries: try again", self.region),
        ))
    }

    /// By node, how many hashes lie on it and in the region in the other groups as well.
    fn shares(&self) -> BTreeMap<NodeIndex, u64> {
        let mut ranges: Vec<_> = self.held(self.usual).map(|shard| (shard.min, shard.max, shard.owner)).collect();
        for map in &self.others {
            let common = |&(min, max, owner): &(i32, i32, Option<NodeIndex>)| {
                let first = map.shards().partition_point(|shard| shard.max < min);
                let within = map.shards()[first..].iter().take_while(move |shard| shard.min <= max);
                within
                    .filter(|shard| self.holds(shard))
                    .map(move |shard| (min.max(shard.min), max.min(shard.max), owner))
            };
            ranges = ranges.iter().flat_map(common).collect();
        }
        let mut shares = BTreeMap::new();
        for (min, max, owner) in ranges {
            if let Some(owner) = owner {
                *shares.entry(owner).or_default() += u64::from(max.abs_diff(min)) + 1;
            }
        }
        shares
    }

    fn held(&self, map: &'t ShardMap) -> impl Iterator<Item = &'t Shard> {
        map.shards().iter().filter(|shard| self.holds(shard))
    }

    fn holds(&self, shard: &Shard) -> bool {
        self.topology.region_of(shard) == Some(self.region)
    }

    fn owns_nothing(&self) -> Error {
        let (region, all) = (self.region, self.others.iter().chain([&self.usual]));
        let lacking = all.filter(|map| self.held(map).next().is_none()).map(|map| map.colocation().to_string());
        let which = match lacking.collect::<Vec<_>>().as_slice() {
            [] => format!("{region} owns next to no hashes, or no common ones in all co-location groups"),
            groups => format!("{region} owns no shards of co-location group {}", groups.join(", ")),
        };
        let message = format!(
            "{which}: no new id can lie there. Place shards on a node of the region (`citus_move_shard_placement`) while \
             they hold no tenant of another region"
        );
        Error::new(ErrorKind::Placement, message)
    }
}

/// The time of now, and random bits.
fn version_7() -> Uuid {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // The bytes of version 4 that are random throughout: those with its version and variant are left out.
    let [a, b, c, d, e, f, _, g, _, h, i, j, ..] = Uuid::new_v4().into_bytes();
    let bits = [a, b, c, d, e, f, g, h, i, j];
    Builder::from_unix_timestamp_millis(u64::try_from(now.as_millis()).unwrap_or(u64::MAX), &bits).into_uuid()
}

fn no_tables() -> Error {
    Error::new(ErrorKind::Placement, "no table is distributed by a uuid yet: apply the schema first")
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use uuid::{Uuid, Variant};

    use super::{KeyRef, KeyType, Mint, hash};
    use crate::error::ErrorKind;
    use crate::topology::{Hashing, Node, NodeIndex, Place, Region, Role, Shard, ShardMap, Topology};

    fn node(id: i32, region: Region) -> Node {
        Node { id, group: id, role: Role::Worker, ..Node::single("localhost".to_owned(), 5432, Some(region)) }
    }

    /// Shards that begin at these hashes, each with the place of its owner.
    fn map(colocation: i32, starts: &[(i32, usize)]) -> ShardMap {
        let ends = starts.iter().skip(1).map(|(start, _)| start - 1).chain([i32::MAX]);
        let shard = |((id, &(min, owner)), max)| Shard { id, min, max, owner: NodeIndex::new(owner) };
        ShardMap::new(
            colocation,
            Some(KeyType::Uuid),
            Hashing::Client,
            (1..).zip(starts).zip(ends).map(shard).collect(),
        )
    }

    /// Two nodes in eu, one of which has three times as much as the other, and one in us.
    fn topology(more: &[ShardMap]) -> Topology {
        let nodes = vec![node(1, Region::EU), node(2, Region::EU), node(3, Region::US)];
        let maps = [&[map(1, &[(i32::MIN, 0), (-1_000_000_000, 1), (0, 2)])], more].concat();
        let tables = HashMap::from([("wallets".to_owned(), Place::Distributed(0))]);
        Topology::new(nodes, maps, "public".to_owned(), HashMap::from([("public".to_owned(), tables)]), Vec::new())
    }

    fn owner(topology: &Topology, map: usize, id: &Uuid) -> i32 {
        let shard = topology.shard_maps()[map].shard(hash(KeyRef::Uuid(id))).expect("no gap");
        topology.node(shard.owner.expect("an owner")).id
    }

    #[test]
    fn ids_have_the_form_of_version_7_and_the_time_of_now() {
        let (topology, before) = (topology(&[]), Uuid::now_v7().get_timestamp().expect("a time").to_unix().0);
        let id = Mint::new(&topology, Region::EU).and_then(|mint| mint.id(|_| true)).expect("an id");
        assert_eq!((id.get_version_num(), id.get_variant()), (7, Variant::RFC4122));
        assert!((before..=before + 5).contains(&id.get_timestamp().expect("a time").to_unix().0));
    }

    #[test]
    fn ids_spread_evenly_over_the_nodes_of_the_region_however_much_each_owns() {
        let topology = topology(&[]);
        let mint = Mint::new(&topology, Region::EU).expect("nodes");
        let mut counts = [0; 4];
        for _ in 0..4000 {
            counts[usize::try_from(owner(&topology, 0, &mint.id(|_| true).expect("an id"))).expect("small")] += 1;
        }
        assert_eq!((counts[3], counts[1] + counts[2]), (0, 4000));
        // Six times the standard deviation of a fair coin.
        assert!((1810..=2190).contains(&counts[1]), "{counts:?}");
        assert_eq!(owner(&topology, 0, &mint.id(|node| node.id == 2).expect("an id")), 2);
    }

    #[test]
    fn ids_lie_in_the_region_in_every_group() {
        // In eu in all three: the hashes from -500,000,000 to -1, on the second node.
        let topology = topology(&[map(2, &[(i32::MIN, 2), (-500_000_000, 1)]), map(3, &[(i32::MIN, 0), (1, 2)])]);
        let mint = Mint::new(&topology, Region::EU).expect("common hashes");
        assert_eq!(mint.nodes().map(|node| node.id).collect::<Vec<_>>(), [2]);
        for _ in 0..100 {
            let id = mint.id(|_| true).expect("an id");
            assert_eq!([0, 1, 2].map(|map| owner(&topology, map, &id)), [2, 2, 1]);
        }
        let nowhere =
            Mint::new(&topology, Region::US).map(drop).expect_err("us owns only the upper half of two groups");
        assert!(nowhere.to_string().contains("no common ones"), "{nowhere}");
    }

    #[test]
    fn a_region_that_owns_nothing_wide_is_refused() {
        let nothing = Mint::new(&topology(&[]), Region::constant("ap")).map(drop).expect_err("no node");
        assert!(nothing.to_string().contains("ap owns no shards of co-location group 1"), "{nothing}");
        let nodes = vec![node(1, Region::EU), node(2, Region::US)];
        let maps = vec![map(1, &[(i32::MIN, 0), (7, 1), (8, 0)])];
        let tables = HashMap::from([("wallets".to_owned(), Place::Distributed(0))]);
        let isolated =
            Topology::new(nodes, maps, "public".to_owned(), HashMap::from([("public".to_owned(), tables)]), Vec::new());
        assert_eq!(Mint::new(&isolated, Region::US).map(drop).expect_err("one hash").kind(), ErrorKind::Placement);
        let none = Topology::single(node(1, Region::EU), []);
        assert!(
            Mint::new(&none, Region::EU).map(drop).expect_err("no tables").to_string().contains("apply the schema")
        );
    }
}
