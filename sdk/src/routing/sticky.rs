//! Which of several standbys a tenant's reads keep to, so that its pages stay in one cache.
//!
//! Rendezvous hashing: every standby has a score for the tenant, and the one with the highest is taken. It needs no ring to be
//! kept up to date; where a standby is lost, its tenants alone go elsewhere, evenly to all others; where it is back, they come
//! back.

/// A standby's score for a key.
pub(super) fn score(key: u64, node: u64) -> u64 {
    // The last steps of MurmurHash3: each bit of either changes half of the result's.
    let mut mixed = key ^ node;
    mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    mixed ^ (mixed >> 33)
}

#[cfg(test)]
mod tests {
    use super::score;

    const KEYS: u64 = 30_000;

    /// The standby that each key keeps to.
    fn places(nodes: &[u64]) -> Vec<u64> {
        let best = |key| nodes.iter().copied().max_by_key(|&node| score(key, node)).expect("one");
        (0..KEYS).map(|key| best(score(key, 7))).collect()
    }

    #[test]
    fn each_standby_has_its_share_and_a_lost_one_moves_only_its_own() {
        let nodes: Vec<u64> = (1..=3).map(|node| score(node, 99)).collect();
        let before = places(&nodes);
        for node in &nodes {
            let share = before.iter().filter(|place| *place == node).count();
            assert!((9_500..10_500).contains(&share), "{share} of {KEYS}");
        }
        let after = places(&nodes[..2]);
        let moved: Vec<_> = before.iter().zip(&after).filter(|(before, after)| before != after).collect();
        assert!(moved.iter().all(|(before, _)| **before == nodes[2]), "only those of the one that is lost");
        let to_first = moved.iter().filter(|(_, after)| **after == nodes[0]).count();
        assert!((4_500..5_500).contains(&to_first), "evenly: {to_first} of {}", moved.len());
    }
}
