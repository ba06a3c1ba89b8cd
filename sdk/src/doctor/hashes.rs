//! This client's hash of keys against the server's, on random keys: by a wrong one, tenants' statements would go to nodes that pass
//! them on, and new tenants would be born in the wrong region.

use uuid::Uuid;

use super::patient::Patient;
use super::{Finding, Subject};
use crate::cluster::{self, Layout};
use crate::key::{KeyRef, KeyType};
use crate::random;
use crate::topology::Role;
use crate::topology::hash::hash;

/// Keys of each type.
const KEYS: usize = 512;

pub(super) async fn look(layout: &Layout, patients: &[Patient]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let seed = random::number();
    for patient in patients.iter().filter(|patient| patient.node.role != Role::Replica) {
        let Some(session) = &patient.session else { continue };
        let name = patient.name();
        for key in KeyType::ALL {
            let tried = format!("worker_hash of {KEYS} random {} keys (seed {seed})", key.as_str());
            let mut chance = Chance(seed);
            let samples = (0..KEYS).map(|_| chance.sample(key)).collect();
            findings.push(match cluster::differing_hashes(session.client(), key, samples).await {
                Ok(0) => Finding::fine(Subject::Hash, Some(&name), &tried, "all the same"),
                Ok(different) => Finding::critical(
                    Subject::Hash,
                    Some(&name),
                    &tried,
                    format!("{different} are not the same"),
                    "report it, with the server's platform; until then the server is asked for each tenant's hash",
                ),
                Err(error) => Finding::failed(Subject::Hash, &name, &error),
            });
        }
    }
    let tried = "whether the keys of each co-location group are hashed as this client does";
    for map in layout.topology.shard_maps().iter().filter(|map| map.is_hashed_by_the_server()) {
        findings.push(Finding::warning(
            Subject::Hash,
            None,
            tried,
            format!(
                "those of group {} are not: the server is asked for the hash of each tenant's key",
                map.colocation()
            ),
            "distribute by a uuid, an integer, or a text of the database's own collation",
        ));
    }
    findings
}

/// Numbers that a seed gives again: SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ word >> 31
    }

    /// A key as text, with our hash of it.
    fn sample(&mut self, key: KeyType) -> (String, i32) {
        let [low @ .., _, _, _, _] = self.next().to_le_bytes();
        match key {
            KeyType::Uuid => {
                let id = Uuid::from_u64_pair(self.next(), self.next());
                (id.to_string(), hash(KeyRef::Uuid(&id)))
            }
            KeyType::Int2 => {
                let number = i16::from_le_bytes([low[0], low[1]]);
                (number.to_string(), hash(KeyRef::Int2(number)))
            }
            KeyType::Int4 => {
                let number = i32::from_le_bytes(low);
                (number.to_string(), hash(KeyRef::Int4(number)))
            }
            KeyType::Int8 => {
                let number = self.next().cast_signed();
                (number.to_string(), hash(KeyRef::Int8(number)))
            }
            KeyType::Text => {
                // Up to three blocks of the hash, of letters of one to three bytes.
                let length = self.next() % 40;
                let letters = ['a', 'Z', '0', ' ', '-', 'é', 'ß', 'Ж', '€', '음'];
                let count = u64::try_from(letters.len()).unwrap_or(1);
                let letter = |word: u64| usize::try_from(word % count).map_or('a', |at| letters[at]);
                let text: String = (0..length).map(|_| letter(self.next())).collect();
                let hash = hash(KeyRef::Text(&text));
                (text, hash)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Chance;
    use crate::key::KeyType;

    #[test]
    fn a_seed_gives_the_same_keys_again_and_another_seed_others() {
        for key in KeyType::ALL {
            let keys = |seed| {
                let mut chance = Chance(seed);
                (0..50).map(|_| chance.sample(key)).collect::<Vec<_>>()
            };
            assert_eq!(keys(7), keys(7));
            assert_ne!(keys(7), keys(8));
        }
    }
}
