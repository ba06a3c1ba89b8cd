//! The home regions of tenants, kept small: a platform has many more tenants than anything else that is kept, and each request asks
//! for one.
//!
//! What holds for the directory (see `directory.rs`) holds here too: bounded, an end for each entry, one look-up for many who ask
//! at once, and a write of this process makes what was read before it count for nothing.

use std::hash::Hash;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use quick_cache::sync::Cache;
use quick_cache::{DefaultHashBuilder, Equivalent, OptionsBuilder, UnitWeighter};

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

    /// The same, else what `look_up` finds.
    pub(super) async fn get_or_look_up(
        &self,
        key: KeyRef<'_>,
        generation: u64,
        within: Option<Duration>,
        look_up: impl Future<Output = Result<Option<Region>>>,
    ) -> Result<Option<Region>> {
        let is_good = |home: &Home| self.is_good(home, generation, within);
        let find = async { look_up.await.and_then(|region| self.home(region, generation)) };
        let home = match key {
            KeyRef::Uuid(id) => find_in(&self.uuids, id.as_bytes(), is_good, find).await,
            KeyRef::Text(text) => find_in(&self.texts, text, is_good, find).await,
            KeyRef::Int2(_) | KeyRef::Int4(_) | KeyRef::Int8(_) => {
                find_in(&self.numbers, &of_number(key), is_good, find).await
            }
        };
        home.map(|home| self.regions.get(home.region))
    }

    fn home(&self, region: Option<Region>, generation: u64) -> Result<Home> {
        let region = region.map_or(Ok(Regions::NONE), |region| self.regions.number(region))?;
        let [part, ..] = random::number().to_le_bytes();
        Ok(Home { read: self.now(), generation: short(generation), region, part })
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

/// One that is not good any more is read anew, by one of those who ask.
async fn find_in<K, Q>(
    kept: &Kept<K>,
    key: &Q,
    is_good: impl Fn(&Home) -> bool,
    find: impl Future<Output = Result<Home>>,
) -> Result<Home>
where
    K: Hash + Eq,
    Q: Hash + Equivalent<K> + ToOwned<Owned = K> + ?Sized,
{
    kept.remove_if(key, |home| !is_good(home));
    kept.get_or_insert_async(key, find).await
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
    use crate::error::{Error, ErrorKind};
    use crate::key::KeyRef;
    use crate::topology::Region;

    const AN_HOUR: Duration = Duration::from_secs(3_600);

    fn homes(ttl: Duration) -> Homes {
        Homes::new(DirectoryConfig { capacity: 1_000, ttl, negative_ttl: ttl })
    }

    async fn found(homes: &Homes, key: KeyRef<'_>, generation: u64, region: Option<Region>) -> Option<Region> {
        homes.get_or_look_up(key, generation, None, async { Ok(region) }).await.expect("found")
    }

    #[tokio::test]
    async fn keys_of_each_type_are_told_apart_and_looked_up_once() {
        let (homes, id) = (homes(AN_HOUR), Uuid::nil());
        let keys = [KeyRef::Uuid(&id), KeyRef::Int2(0), KeyRef::Int4(0), KeyRef::Int8(0), KeyRef::Text("")];
        for (number, key) in keys.into_iter().enumerate() {
            let own: Region = format!("region-{number}").parse().expect("a region");
            assert_eq!(homes.get(key, 1, None), None);
            assert_eq!(found(&homes, key, 1, Some(own)).await, Some(own));
            // What another look-up would find does not matter.
            assert_eq!(found(&homes, key, 1, None).await, Some(own));
            assert_eq!(homes.get(key, 1, None), Some(Some(own)));
        }
    }

    #[tokio::test]
    async fn a_write_an_end_and_an_age_make_it_count_for_nothing() {
        let (homes, key) = (homes(Duration::from_millis(100)), KeyRef::Int8(7));
        assert_eq!(found(&homes, key, 1, Some(Region::EU)).await, Some(Region::EU));
        assert_eq!(homes.get(key, 2, None), None, "the table was written");
        assert_eq!(homes.get(key, 1, Some(Duration::ZERO)), None, "it was read before");
        assert_eq!(found(&homes, key, 2, Some(Region::US)).await, Some(Region::US));
        tokio::time::sleep(Duration::from_millis(120)).await;
        assert_eq!(homes.get(key, 2, None), None, "its time is over");
        assert_eq!(found(&homes, key, 2, None).await, None);
        assert_eq!(homes.get(key, 2, None), Some(None), "that there is none is known too");
    }

    #[tokio::test]
    async fn a_failure_is_not_kept() {
        let (homes, key) = (homes(AN_HOUR), KeyRef::Text("festival"));
        let failure = async { Err(Error::new(ErrorKind::Connect, "")) };
        assert!(homes.get_or_look_up(key, 1, None, failure).await.is_err());
        assert_eq!(found(&homes, key, 1, Some(Region::US)).await, Some(Region::US));
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
