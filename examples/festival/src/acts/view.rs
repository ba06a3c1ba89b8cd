//! What clients see while something happens to the cluster, by where the festivals' data are.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use shardwise::Region;

use crate::load::stats::{Seen, Stats};

/// What clients see.
#[derive(Debug)]
pub(super) struct View {
    pub(super) stats: Arc<Stats>,
    /// Where the data of each festival were when the act began.
    pub(super) regions: BTreeMap<usize, Region>,
}

impl View {
    /// What was seen of all festivals of each region together.
    pub(super) fn by_region(&self) -> BTreeMap<Region, Seen> {
        let seen = self.stats.festivals();
        let mut all: BTreeMap<Region, Seen> = self.regions.values().map(|&region| (region, Seen::default())).collect();
        for (festival, region) in &self.regions {
            if let (Some(sum), Some(more)) = (all.get_mut(region), seen.get(festival)) {
                sum.merge(more);
            }
        }
        all
    }

    /// Answers so far.
    pub(super) fn answers(&self) -> BTreeMap<Region, u64> {
        self.by_region().into_iter().map(|(region, seen)| (region, seen.answers)).collect()
    }

    /// Since this moment the festivals of a region have been answered, and there has been no error for a while.
    pub(super) fn is_calm_since(&self, back: Instant, region: Region, for_a: std::time::Duration) -> bool {
        self.by_region().get(&region).is_some_and(|seen| {
            seen.last_answer.is_some_and(|last| last > back)
                && seen.last_error.is_none_or(|last| last.max(back).elapsed() > for_a)
        })
    }
}
