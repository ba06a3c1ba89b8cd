//! The home regions of tenants, kept small: a platform has many more tenants than anything else that is kept, and each request asks
//! for one.
//!
//! What holds for the directory (see `directory.rs`, which does the looking up) holds here too: bounded, an end for each entry, and
//! a write of this process makes what was read before it count for nothing.

use std::hash::Hash;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use quick_cache::sync::Cache;
use quick_cache::{DefaultHashBuilder, OptionsBuilder, UnitWeighter};

use crate::config::DirectoryConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::key::KeyRef;
use crate::random;
use crate::topology::Region;

/// Memory for so many at first; then as much as there are.
const FIRST: usize = 64;

/// What times are counted in. It comes round after more than a year, when nothing of the round before is left.
const TICK: Duration = Duration::from_millis(10);

pub(super) struct Homes {
    uuids: Kept<[u8; 16]>,
    // With the type before the number.
    numbers: Kept<[u8; 16]>,
    texts: Kept<String>,
    regions: Regions,
    // What ticks count from.
    epoch: Instant,
    config: DirectoryConfig,
}

type Kept<K> = Cache<K, Home>;

/// Eight bytes.
#[derive(Clone, Copy)]
struct Home {
    read: u32,
    generation: u16,
    region: u8,
    // Which part of a tenth it ends sooner.
    part: u8,
}

impl Homes {
    pub(super) fn new(config: DirectoryConfig) -> Self {
        let (uuids, numbers, texts) = (kept(&config), kept(&config), kept(&config));
        Self { uuids, numbers, texts, regions: Regions::new(), epoch: Instant::now(), config }
    }

    /// What is kept of this tenant, if it was read under this generation of the table and is not older than `within`: its home
    /// region, or that it has none.
    pub(super) fn get(&self, key: KeyRef<'_>, generation: u64, within: Option<Duration>) -> Option<Option<Region>> {
        let home = match key {
            KeyRef::Uuid(id) => self.uuids.get(id.as_bytes()),
            KeyRef::Text(text) => self.texts.get(text),
            KeyRef::Int2(_) | KeyRef::Int4(_) | KeyRef::Int8(_) => self.numbers.get(&of_number(key)),
        };
        home.filter(|home| self.is_good(home, generation, within)).map(|home| self.regions.get(home.region))
    }

    /// Keeps what was read of this tenant under this generation.
    pub(super) fn keep(&self, key: KeyRef<'_>, generation: u64, region: Option<Region>) -> Result<()> {
        let region = region.map_or(Ok(Regions::NONE), |region| self.regions.number(region))?;
        let [part, ..] = random::number().to_le_bytes();
        let home = Home { read: self.now(), generation: short(generation), region, part };
        match key {
            KeyRef::Uuid(id) => self.uuids.insert(*id.as_bytes(), home),
            KeyRef::Text(text) => self.texts.insert(text.to_owned(), home),
            KeyRef::Int2(_) | KeyRef::Int4(_) | KeyRef::Int8(_) => self.numbers.insert(of_number(key), home),
        }
        Ok(())
    }

    fn is_good(&self, home: &Home, generation: u64, within: Option<Duration>) -> bool {
        let usual = if home.region == Regions::NONE { self.config.negative_ttl } else { self.config.ttl };
        let ends = usual - usual / 10 * u32::from(home.part) / u32::from(u8::MAX);
        let age = TICK * self.now().wrapping_sub(home.read);
        home.generation == short(generation) && age < within.map_or(ends, |within| within.min(ends))
    }

    fn now(&self) -> u32 {
        // Of what does not fit, the lower part: see `TICK`.
        let ticks = self.epoch.elapsed().as_millis() / TICK.as_millis();
        u32::try_from(ticks & u128::from(u32::MAX)).unwrap_or(0)
    }
}

fn kept<K: Hash + Eq>(config: &DirectoryConfig) -> Kept<K> {
    let options = OptionsBuilder::new().estimated_items_capacity(FIRST).weight_capacity(config.capacity).build();
    let options = options.unwrap_or_else(|_| unreachable!("both capacities are given"));
    Cache::with_options(options, UnitWeighter, DefaultHashBuilder::default(), Default::default())
}

fn of_number(key: KeyRef<'_>) -> [u8; 16] {
    let number = match key {
        KeyRef::Int2(number) => i64::from(number),
        KeyRef::Int4(number) => i64::from(number),
        KeyRef::Int8(number) => number,
        KeyRef::Uuid(_) | KeyRef::Text(_) => 0,
    };
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    bytes[8] = u8::try_from(key.key_type().index()).unwrap_or(u8::MAX);
    bytes
}

fn short(generation: u64) -> u16 {
    u16::try_from(generation & u64::from(u16::MAX)).unwrap_or(0)
}

/// The regions' numbers: there are few, and their names are long.
struct Regions([OnceLock<Region>; Regions::MOST]);

impl Regions {
    const NONE: u8 = u8::MAX;
    const MOST: usize = 255;

    fn new() -> Self {
        Self([const { OnceLock::new() }; Self::MOST])
    }

    fn get(&self, number: u8) -> Option<Region> {
        self.0.get(usize::from(number)).and_then(|region| region.get().copied())
    }

    fn number(&self, region: Region) -> Result<u8> {
        let place = self.0.iter().zip(0..Self::NONE).find(|(place, _)| *place.get_or_init(|| region) == region);
        place.map(|(_, number)| number).ok_or_else(|| {
            Error::new(ErrorKind::Unsupported, format!("tenants are at home in more than {} regions", Self::MOST))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use uuid::Uuid;

    use super::{Home, Homes, Regions};
    use crate::config::DirectoryConfig;
    use crate::key::KeyRef;
    use crate::topology::Region;

    const AN_HOUR: Duration = Duration::from_secs(3_600);

    fn homes(ttl: Duration) -> Homes {
        Homes::new(DirectoryConfig { capacity: 1_000, ttl, negative_ttl: ttl })
    }

    #[test]
    fn keys_of_each_type_are_told_apart() {
        let (homes, id) = (homes(AN_HOUR), Uuid::nil());
        let keys = [KeyRef::Uuid(&id), KeyRef::Int2(0), KeyRef::Int4(0), KeyRef::Int8(0), KeyRef::Text("")];
        let own = |number: usize| -> Region { format!("region-{number}").parse().expect("a region") };
        for (number, key) in keys.into_iter().enumerate() {
            assert_eq!(homes.get(key, 1, None), None);
            homes.keep(key, 1, Some(own(number))).expect("room");
        }
        for (number, key) in keys.into_iter().enumerate() {
            assert_eq!(homes.get(key, 1, None), Some(Some(own(number))));
        }
    }

    #[test]
    fn a_write_an_end_and_an_age_make_it_count_for_nothing() {
        let (homes, key) = (homes(Duration::from_millis(100)), KeyRef::Int8(7));
        homes.keep(key, 1, Some(Region::EU)).expect("room");
        assert_eq!(homes.get(key, 2, None), None, "the table was written");
        assert_eq!(homes.get(key, 1, Some(Duration::ZERO)), None, "it was read before");
        homes.keep(key, 2, Some(Region::US)).expect("room");
        assert_eq!(homes.get(key, 2, None), Some(Some(Region::US)));
        std::thread::sleep(Duration::from_millis(120));
        assert_eq!(homes.get(key, 2, None), None, "its time is over");
        homes.keep(key, 2, None).expect("room");
        assert_eq!(homes.get(key, 2, None), Some(None), "that there is none is known too");
    }

    #[test]
    fn small_and_few() {
        assert_eq!(size_of::<Home>(), 8);
        let regions = Regions::new();
        for number in 0..255_u8 {
            let region = format!("region-{number}").parse().expect("a region");
            assert_eq!(regions.number(region).expect("room"), number);
            assert_eq!(regions.number(region).expect("there"), number);
            assert_eq!(regions.get(number), Some(region));
        }
        assert!(regions.number(Region::EU).is_err());
        assert_eq!(regions.get(Regions::NONE), None);
    }
}
