//! What clients see while something happens to the cluster, by where the festivals' data are.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

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

    /// Whether festivals of this region were served after this moment.
    pub(super) fn is_answered_since(&self, region: Region, moment: Instant) -> bool {
        self.by_region().get(&region).is_some_and(|seen| seen.last_answer > Some(moment))
    }

    /// Whether festivals of this region have not seen an error for a while.
    pub(super) fn is_calm(&self, region: Region, a_while: Duration) -> bool {
        self.last_error(region).is_none_or(|last| last.elapsed() > a_while)
    }

    /// When festivals of this region saw the last error.
    pub(super) fn last_error(&self, region: Region) -> Option<Instant> {
        self.by_region().get(&region)?.last_error
    }
}
