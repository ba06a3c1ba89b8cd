//! Reading many rows of one family at once: what is kept, in one round trip to Redis, and the rest from the database.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Cache;
use super::entry::{self, Entry, LogPlace};
use super::memory::Generation;
use super::place::Place;
use super::read::{Ask, Judged, ToKeep};
use super::redis::{Claim, Looked, Outcome};
use crate::schema::Caching;
use crate::topology::Position;

/// What was not kept, and who may fill which place when it is loaded.
pub(crate) struct Missing {
    /// By the place's number among those that were asked for.
    pub(crate) numbers: Vec<usize>,
    claim: Option<Claim>,
    // Of each that is missing: its generation, and whether it may be filled.
    filling: Vec<(Generation, bool)>,
    began: Instant,
    loaded: u64,
}

impl Cache {
    /// What is kept of these places, which are of one family, each by its number; and what is missing.
    pub(crate) async fn look_for(
        &self,
        places: &[Arc<Place>],
        caching: Caching,
        after: Option<Position>,
    ) -> (Vec<(usize, Entry)>, Missing) {
        let (mut found, mut numbers, mut filling) = (Vec::new(), Vec::new(), Vec::new());
        for (number, place) in places.iter().enumerate() {
            let generation = self.memory.generation(place);
            if self.backlog.holds(place) {
                self.bypassed();
                numbers.push(number);
                filling.push((generation, false));
                continue;
            }
            match self.remembered(&Ask { place: place.clone(), caching, after }, generation) {
                Some(entry) => found.push((number, entry)),
                None => {
                    numbers.push(number);
                    filling.push((generation, true));
                }
            }
        }
        let claim = self.look_in_redis(places, caching, after, &mut found, &mut numbers, &mut filling).await;
        self.counters.misses.more(numbers.len());
        (found, Missing { numbers, claim, filling, began: Instant::now(), loaded: entry::now() })
    }

    async fn look_in_redis(
        &self,
        places: &[Arc<Place>],
        caching: Caching,
        after: Option<Position>,
        found: &mut Vec<(usize, Entry)>,
        numbers: &mut Vec<usize>,
        filling: &mut Vec<(Generation, bool)>,
    ) -> Option<Claim> {
        let redis = self.redis.as_ref()?;
        let asked: Vec<usize> = (0..numbers.len()).filter(|&at| filling[at].1).collect();
        let wanted: Vec<&Place> = asked.iter().map(|&at| &*places[numbers[at]]).collect();
        let family = &wanted.first()?.family;
        let past = |filling: &mut Vec<(Generation, bool)>| {
            self.counters.bypassed.more(asked.len());
            filling.iter_mut().for_each(|(_, fills)| *fills = false);
            None
        };
        let Some(mut looked) = redis.look(family, &wanted).await else { return past(filling) };
        let (mut hits, mut claims) = (Vec::new(), Vec::new());
        for (&at, (value, left)) in asked.iter().zip(std::mem::take(&mut looked.values)) {
            match self.judged(&looked, value, left, after) {
                Judged::Good((entry, left)) => hits.push((at, entry, left)),
                Judged::Absent(refused) => claims.push((at, refused)),
                // Who waited for one would keep all others waiting.
                Judged::Busy | Judged::Marked => filling[at].1 = false,
            }
        }
        let wanted: Vec<_> = claims.iter().map(|(at, refused)| (&*places[numbers[*at]], refused.clone())).collect();
        let claim = match wanted.is_empty() {
            true => None,
            false => match redis.claim(family, &wanted, self.lease(caching)).await {
                None => return past(filling),
                Some(mut claim) => {
                    let known = Looked { run: claim.run, generation: Some(claim.generation), values: Vec::new() };
                    for (&(at, _), outcome) in claims.iter().zip(std::mem::take(&mut claim.outcomes)) {
                        match outcome {
                            Outcome::Granted => continue,
                            Outcome::Value(value) => {
                                if let Judged::Good((entry, left)) = self.judged(&known, Some(value), None, after) {
                                    hits.push((at, entry, left));
                                }
                            }
                            Outcome::Busy | Outcome::Marked => {}
                        }
                        filling[at].1 = false;
                    }
                    Some(claim)
                }
            },
        };
        self.counters.hits_redis.more(hits.len());
        let mut is_found = vec![false; numbers.len()];
        for (at, entry, left) in hits {
            self.count_absence(&entry);
            self.memory.keep(&places[numbers[at]], filling[at].0, &entry, Instant::now() + left);
            is_found[at] = true;
            found.push((numbers[at], entry));
        }
        let mut keeps = is_found.iter();
        numbers.retain(|_| !keeps.next().copied().unwrap_or(false));
        let mut keeps = is_found.iter();
        filling.retain(|_| !keeps.next().copied().unwrap_or(false));
        claim
    }

    /// Keeps what was loaded of the missing, each with its number among the missing.
    pub(crate) async fn keep_all(
        &self,
        places: &[Arc<Place>],
        missing: &Missing,
        caching: Caching,
        loaded: Vec<(usize, ToKeep)>,
        read_at: Option<LogPlace>,
    ) {
        self.learn(read_at);
        let mut entries = Vec::new();
        let mut unused = Vec::new();
        for (at, row) in loaded {
            let (generation, fills) = missing.filling[at];
            let place = &places[missing.numbers[at]];
            match self.entry_of(caching, missing.loaded, row, read_at) {
                _ if !fills => {}
                Some(entry) => {
                    let until = missing.began + Duration::from_millis(entry.ttl.into());
                    entries.push((place, generation, entry, until));
                }
                // Nobody has to wait for what is not kept.
                None => unused.push(place),
            }
        }
        let is_kept = match (&self.redis, &missing.claim) {
            (None, _) => vec![true; entries.len()],
            (Some(_), None) => return,
            (Some(redis), Some(claim)) => {
                let now = Instant::now();
                let filled = entries
                    .iter()
                    .map(|(place, _, entry, until)| (&***place, Some((entry, until.saturating_duration_since(now)))));
                let values: Vec<_> = filled.chain(unused.iter().map(|place| (&***place, None))).collect();
                let Some(kept) = redis.fill(claim, &values).await else { return };
                kept
            }
        };
        for ((place, generation, entry, until), is_kept) in entries.iter().zip(is_kept) {
            match is_kept {
                true => self.memory.keep(place, *generation, entry, *until),
                false => self.counters.void.one(),
            }
        }
    }
}
