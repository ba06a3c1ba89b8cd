//! Which node owns a hash: the shards of one co-location group.

use std::ops::Range;

use crate::key::KeyType;

/// The place of a node in [`Topology::nodes`](super::Topology::nodes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIndex(u16);

impl NodeIndex {
    /// `None` beyond what an index can count.
    pub(crate) fn new(at: usize) -> Option<Self> {
        u16::try_from(at).ok().map(Self)
    }

    pub(crate) fn get(self) -> usize {
        self.0.into()
    }
}

/// One shard: a range of hashes. All tables of a co-location group have a shard of this range, on the same node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shard {
    /// `pg_dist_shard.shardid` of the group's first table.
    pub id: i64,
    /// The smallest hash in it.
    pub min: i32,
    /// The largest hash in it.
    pub max: i32,
    /// The node that holds it; `None` while no active node is known for its placement.
    pub owner: Option<NodeIndex>,
}

/// Who hashes the keys of a co-location group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hashing {
    /// This client: the server hashes as [`hash`](super::hash::hash) does.
    Client,
    /// The server alone: by this SQL expression of `$1`, the key as text.
    Server(String),
}

/// The shards of one co-location group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardMap {
    /// `pg_dist_colocation.colocationid`
    colocation: i32,
    key: Option<KeyType>,
    hashing: Hashing,
    // Apart from the shards, so that a search reads neighbouring memory: 4,096 shards are 16 kB.
    starts: Box<[i32]>,
    sections: Sections,
    shards: Box<[Shard]>,
}

impl ShardMap {
    /// A map of these shards, in any order. `key` is `None` for a type that no [`DistributionKey`](crate::DistributionKey)
    /// has.
    pub(crate) fn new(colocation: i32, key: Option<KeyType>, hashing: Hashing, mut shards: Vec<Shard>) -> Self {
        shards.sort_unstable_by_key(|shard| shard.min);
        let starts: Box<[i32]> = shards.iter().map(|shard| shard.min).collect();
        Self { colocation, key, hashing, sections: Sections::of(&starts), starts, shards: shards.into() }
    }

    /// The co-location group: `pg_dist_colocation.colocationid`.
    #[must_use]
    pub fn colocation(&self) -> i32 {
        self.colocation
    }

    pub(crate) fn key(&self) -> Option<KeyType> {
        self.key
    }

    /// Whether the server has a hash of its own for these keys.
    pub(crate) fn is_hashed_by_the_server(&self) -> bool {
        self.hashing != Hashing::Client
    }

    pub(crate) fn hashing(&self) -> &Hashing {
        &self.hashing
    }

    /// The shards by their hashes, the smallest first.
    #[must_use]
    pub fn shards(&self) -> &[Shard] {
        &self.shards
    }

    /// The shard that this hash falls into. Ranges are uneven after a tenant was isolated, so they are searched, not
    /// computed. `None` in a gap, which only a map has that was read in the middle of a change.
    #[must_use]
    pub fn shard(&self, hash: i32) -> Option<&Shard> {
        let Range { start, end } = self.sections.around(hash);
        let after = start + self.starts.get(start..end)?.partition_point(|&least| least <= hash);
        self.shards.get(after.checked_sub(1)?).filter(|shard| hash <= shard.max)
    }
}

/// Where to search: all hashes in about as many even sections as there are shards, so that of even shards one starts in each.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sections {
    // What remains of a hash is the number of its section.
    shift: u32,
    // How many shards start before each section; and before the end.
    before: Box<[u32]>,
}

impl Sections {
    fn of(starts: &[i32]) -> Self {
        // Two of them at least: a shift by all 32 bits is none.
        let bits = starts.len().next_power_of_two().trailing_zeros().clamp(1, 16);
        let shift = u32::BITS - bits;
        let before = |section: u32| starts.partition_point(|&start| place(start) >> shift < section);
        let before = (0..=1 << bits).map(|section| u32::try_from(before(section)).unwrap_or(u32::MAX)).collect();
        Self { shift, before }
    }

    /// The shard that a hash falls into starts in this range, or is the last one before it.
    fn around(&self, hash: i32) -> Range<usize> {
        let section = (place(hash) >> self.shift) as usize;
        self.before[section] as usize..self.before[section + 1] as usize
    }
}

/// A hash by its distance from the smallest.
fn place(hash: i32) -> u32 {
    hash.cast_unsigned() ^ (1 << 31)
}

#[cfg(test)]
mod tests {
    use super::{Hashing, NodeIndex, Shard, ShardMap};

    fn map(ranges: &[(i32, i32)]) -> ShardMap {
        let shard = |(id, &(min, max)): (usize, &(i32, i32))| Shard {
            id: i64::try_from(id).expect("small"),
            min,
            max,
            owner: Some(NodeIndex(0)),
        };
        ShardMap::new(1, None, Hashing::Client, ranges.iter().enumerate().map(shard).collect())
    }

    #[test]
    fn every_hash_has_its_shard_in_uneven_ranges() {
        // As after an isolation: one hash alone, in the middle of a range.
        let map = map(&[(8, i32::MAX), (i32::MIN, 6), (7, 7)]);
        for (hash, shard) in [(i32::MIN, 1), (6, 1), (7, 2), (8, 0), (i32::MAX, 0)] {
            assert_eq!(map.shard(hash).map(|shard| shard.id), Some(shard), "{hash}");
        }
    }

    /// Even ones, as Citus makes them, of any count; and with a piece cut out of one.
    #[test]
    fn a_search_finds_what_a_walk_finds() {
        for count in [1, 2, 3, 5, 32, 33, 4_096] {
            let width = (1_i64 << 32) / count;
            let start = |at: i64| i32::try_from(i64::from(i32::MIN) + at * width).expect("a hash");
            let end = |at: i64| if at + 1 == count { i32::MAX } else { start(at + 1) - 1 };
            let even: Vec<_> = (0..count).map(|at| (start(at), end(at))).collect();
            let (min, max) = even[even.len() / 2];
            let mut cut = even.clone();
            cut[even.len() / 2].1 = min + 9;
            cut.extend([(min + 10, min + 10), (min + 11, max)]);
            for ranges in [even, cut] {
                let map = map(&ranges);
                let edges = ranges.iter().flat_map(|&(min, max)| [min, max, min / 2 + max / 2]);
                for hash in edges {
                    let walked = ranges.iter().position(|&(min, max)| (min..=max).contains(&hash));
                    let found = map.shard(hash).map(|shard| usize::try_from(shard.id).expect("small"));
                    assert_eq!((count, hash, found), (count, hash, walked));
                }
            }
        }
    }

    #[test]
    fn no_shards_are_searched_as_well() {
        assert_eq!(map(&[]).shard(7), None);
    }

    #[test]
    fn a_gap_has_no_shard() {
        let map = map(&[(0, 9), (20, 29)]);
        for (hash, shard) in [(-1, None), (9, Some(0)), (10, None), (19, None), (20, Some(1)), (30, None)] {
            assert_eq!(map.shard(hash).map(|shard| shard.id), shard, "{hash}");
        }
    }
}
