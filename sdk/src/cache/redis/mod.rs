//! Redis as a store: one key holds a lease, a mark or a value, and scripts change it only if it is what it should be.
//!
//! | first byte | what it is      | behind it                                        |
//! | ---------- | --------------- | ------------------------------------------------ |
//! | `L`        | a lease         | the family's generation, the holder's token      |
//! | `D`        | a mark          | the number of the write                          |
//! | `V`        | a value         | generation, token, run of the server, the entry  |
//!
//! Any failure here is told as `None`, and the database is asked. A command that is not answered in time is one; three in a row,
//! or a broken connection, and Redis is given up until it answers again, which a task of its own finds out.

mod answer;
mod dial;
mod keeper;
mod link;
mod listen;
mod script;
mod sweep;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use redis::{RedisResult, Value};
use tokio::sync::Notify;

use super::Target;
use super::counters::Counters;
use super::entry::{Entry, VALUE, millis};
use super::place::{Family, Place};
use crate::config::{CacheConfig, CacheStore, RedisConfig};
use crate::error::Result;
use crate::random;
use answer::{bytes, into_bytes, list, number};
use dial::Dialer;
use link::{Link, is_over, run_of};

pub(super) use keeper::spawn;

/// So many failures in a row, and Redis is given up.
const ENOUGH: u32 = 3;

/// The most names in one script.
const MOST_NAMES: usize = 500;

pub(super) struct Redis {
    dialer: Dialer,
    // None: it is given up.
    link: ArcSwapOption<Link>,
    failures: AtomicU32,
    limit: Duration,
    // On which processes tell each other what they wrote; None where nobody keeps anything.
    channel: Option<String>,
    wake: Notify,
    counters: Arc<Counters>,
}

/// What stands in some places.
pub(super) struct Looked {
    pub(super) run: u64,
    pub(super) generation: Option<u64>,
    /// Of each place, and how long it will stay there as far as that was asked for.
    pub(super) values: Vec<(Option<Bytes>, Option<Duration>)>,
}

impl Looked {
    /// Whether a lease is of the family's present generation.
    pub(super) fn is_of_generation(&self, lease: &Bytes) -> bool {
        let of = lease.get(1..9).and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes);
        of.is_some() && of == self.generation
    }
}

/// Leases on some places.
pub(super) struct Claim {
    token: u64,
    pub(super) run: u64,
    pub(super) generation: u64,
    /// What became of each place.
    pub(super) outcomes: Vec<Outcome>,
}

pub(super) enum Outcome {
    Granted,
    /// It has been filled meanwhile.
    Value(Bytes),
    /// Somebody loads it.
    Busy,
    /// Somebody writes it.
    Marked,
}

/// Makes a connection, and gives it up again.
pub(super) async fn reach(config: &RedisConfig, limit: Duration) -> std::result::Result<(), String> {
    let dialer = Dialer::new(config).map_err(|error| error.to_string())?;
    dialer.dial(limit).await.map(drop).map_err(|error| error.to_string())
}

impl Redis {
    pub(super) fn new(cache: &CacheConfig, config: &RedisConfig, counters: Arc<Counters>) -> Result<Self> {
        let channel = (cache.store == CacheStore::TwoTier).then(|| format!("{}:written", cache.prefix));
        Ok(Self {
            dialer: Dialer::new(config)?,
            link: ArcSwapOption::empty(),
            failures: AtomicU32::new(0),
            limit: cache.response_limit,
            channel,
            wake: Notify::new(),
            counters,
        })
    }

    /// Whether it is asked at all.
    pub(super) fn is_up(&self) -> bool {
        self.link.load().is_some()
    }

    /// Has the task in the background look after what waits.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    /// What stands in these places of a family.
    pub(super) async fn look(&self, family: &Family, places: &[&Place]) -> Option<Looked> {
        let link = self.link.load_full()?;
        match link.run() {
            Some(run) => {
                let mut commands = redis::pipe();
                let names: Vec<&[u8]> = names(family, places);
                commands.cmd("MGET").arg(&names);
                if self.channel.is_some() {
                    for name in &names[1..] {
                        commands.cmd("PTTL").arg(name);
                    }
                }
                let mut answers = self.within(&link, link.ask_all(&commands)).await?.into_iter();
                let mut values = list(answers.next()?)?.into_iter();
                let generation = number(&values.next()?);
                let times = answers.map(Some).chain(std::iter::repeat(None));
                let values = values.zip(times).map(|(value, time)| (into_bytes(value), time.and_then(left))).collect();
                Some(Looked { run, generation, values })
            }
            None => {
                let answer = self.within(&link, script::LOOK.run(&link, &names(family, places), &[])).await?;
                let mut answer = list(answer)?.into_iter();
                let (run, generation) = (run_of(bytes(&answer.next()?)?), number(&answer.next()?));
                let mut values = Vec::with_capacity(places.len());
                while let (Some(value), Some(time)) = (answer.next(), answer.next()) {
                    values.push((into_bytes(value), left(time)));
                }
                (values.len() == places.len()).then_some(Looked { run, generation, values })
            }
        }
    }

    /// Leases on places that have nothing which counts; what is refused, by its token, counts as nothing. The times are those of the
    /// lease, and of the family's generation.
    pub(super) async fn claim(
        &self,
        family: &Family,
        places: &[(&Place, Option<Bytes>)],
        (lease, generation): (Duration, Duration),
    ) -> Option<Claim> {
        let link = self.link.load_full()?;
        let (token, fresh) = (random::number(), random::number());
        let keys: Vec<&[u8]> =
            std::iter::once(family.name()).chain(places.iter().map(|(place, _)| &*place.name)).collect();
        let (token_bytes, fresh) = (token.to_be_bytes(), fresh.to_be_bytes());
        let (lease, generation) = (millis(lease).max(1).to_string(), millis(generation).to_string());
        let tells_run: &[u8] = if link.run().is_none() { b"1" } else { b"" };
        let mut args: Vec<&[u8]> = vec![&token_bytes, lease.as_bytes(), &fresh, generation.as_bytes(), tells_run];
        args.extend(places.iter().map(|(_, refused)| refused.as_deref().unwrap_or_default()));
        let answer = self.within(&link, script::CLAIM.run(&link, &keys, &args)).await?;
        let mut answer = list(answer)?.into_iter();
        let told = answer.next()?;
        let run = link.run().or_else(|| bytes(&told).map(run_of))?;
        let generation = number(&answer.next()?)?;
        let outcome = |value: Value| {
            let value = into_bytes(value)?;
            Some(match value.first()? {
                b'+' => Outcome::Granted,
                b'L' => Outcome::Busy,
                b'D' => Outcome::Marked,
                &VALUE => Outcome::Value(value),
                _ => return None,
            })
        };
        let outcomes: Vec<Outcome> = answer.map(outcome).collect::<Option<_>>()?;
        (outcomes.len() == places.len()).then_some(Claim { token, run, generation, outcomes })
    }

    /// Fills places on which this lease still stands, each for so long; what nothing comes of is given back. Of each whether it did.
    pub(super) async fn fill(
        &self,
        claim: &Claim,
        values: &[(&Place, Option<(&Entry, Duration)>)],
    ) -> Option<Vec<bool>> {
        let written = values.iter().map(|(place, value)| match value {
            Some((entry, left)) => (*place, millis(*left), entry.write(claim.generation, claim.token, claim.run)),
            None => (*place, 0, Bytes::new()),
        });
        self.settle(claim, &written.collect::<Vec<_>>()).await
    }

    /// Gives a lease back that nothing comes of.
    pub(super) async fn release(&self, place: &Place, claim: &Claim) {
        // Where that fails, it ends by itself.
        drop(self.fill(claim, &[(place, None)]).await);
    }

    async fn settle(&self, claim: &Claim, values: &[(&Place, u32, Bytes)]) -> Option<Vec<bool>> {
        let Some((first, _, _)) = values.first() else { return Some(Vec::new()) };
        let link = self.link.load_full()?;
        let places: Vec<&Place> = values.iter().map(|(place, _, _)| *place).collect();
        let (token, generation) = (claim.token.to_be_bytes(), claim.generation.to_be_bytes());
        let times: Vec<String> = values.iter().map(|(_, millis, _)| millis.to_string()).collect();
        let mut args: Vec<&[u8]> = vec![&token, &generation];
        for ((_, millis, value), time) in values.iter().zip(&times) {
            // What has no time left is not kept.
            args.extend([time.as_bytes(), if *millis == 0 { b"" } else { value }]);
        }
        let answer = self.within(&link, script::FILL.run(&link, &names(&first.family, &places), &args)).await?;
        let filled = list(answer)?.into_iter().map(|answer| answer == Value::Int(1));
        Some(filled.collect())
    }

    /// Says that a row is being written, for so long at most.
    pub(super) async fn mark(&self, place: &Place, number: u64, longest: Duration) {
        let Some(link) = self.link.load_full() else { return };
        let mut command = redis::cmd("SET");
        command.arg(&*place.name).arg(&mark(number)[..]).arg("PX").arg(millis(longest));
        self.within(&link, link.ask(&command)).await;
    }

    /// Takes a mark away, if it is still there.
    pub(super) async fn unmark(&self, place: &Place, number: u64) {
        let Some(link) = self.link.load_full() else { return };
        self.within(&link, script::UNMARK.run(&link, &[&place.name], &[&mark(number)])).await;
    }

    /// Removes these, and has everybody else who keeps anything forget them. `me` is whom this need not be told. Returns whether
    /// all are gone.
    pub(super) async fn drop_all(&self, targets: &[Target], me: u64) -> bool {
        let Some(link) = self.link.load_full() else { return false };
        // A family is on one node, and one script asks one node.
        let mut rest: Vec<&Target> = targets.iter().collect();
        while let Some(first) = rest.first() {
            let family = first.family();
            let (mut now, later): (Vec<&Target>, Vec<&Target>) =
                rest.iter().partition(|target| target.family() == family);
            let beyond = now.split_off(now.len().min(MOST_NAMES));
            let names: Vec<&[u8]> = now.iter().map(|target| target.name()).collect();
            let message: Vec<u8> =
                std::iter::once(me).chain(now.iter().map(|target| target.hash())).flat_map(u64::to_be_bytes).collect();
            let channel = self.channel.as_deref().unwrap_or_default();
            if self.within(&link, script::DROP.run(&link, &names, &[channel.as_bytes(), &message])).await.is_none() {
                return false;
            }
            rest = beyond.into_iter().chain(later).collect();
        }
        true
    }

    /// What is answered in time.
    async fn within<T>(&self, link: &Arc<Link>, answer: impl Future<Output = RedisResult<T>>) -> Option<T> {
        let error = match tokio::time::timeout(self.limit, answer).await {
            Ok(Ok(answer)) => {
                // Zero nearly always, and so only read.
                if self.failures.load(Ordering::Relaxed) != 0 {
                    self.failures.store(0, Ordering::Relaxed);
                }
                return Some(answer);
            }
            Ok(Err(error)) => Some(error),
            Err(_) => None,
        };
        self.counters.errors.one();
        let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        if failures >= ENOUGH || error.as_ref().is_some_and(is_over) {
            self.give_up(link, error);
        }
        None
    }

    fn give_up(&self, link: &Arc<Link>, error: Option<redis::RedisError>) {
        // What was connected anew meanwhile stays; and of many that fail at once one tells.
        let before = self.link.compare_and_swap(&Some(link.clone()), None);
        if before.as_ref().is_some_and(|before| Arc::ptr_eq(before, link)) {
            self.counters.opened.one();
            let error = error.map_or_else(|| "no answer in time".to_owned(), |error| error.to_string());
            tracing::warn!(target: "shardwise::cache", error, "Redis is given up until it answers again");
        }
        self.wake();
    }
}

fn names<'a>(family: &'a Family, places: &[&'a Place]) -> Vec<&'a [u8]> {
    std::iter::once(family.name()).chain(places.iter().map(|place| &*place.name)).collect()
}

fn mark(number: u64) -> [u8; 9] {
    let mut mark = [b'D'; 9];
    mark[1..].copy_from_slice(&number.to_be_bytes());
    mark
}

/// What `PTTL` tells: below zero where there is no such key.
fn left(time: Value) -> Option<Duration> {
    match time {
        Value::Int(millis) => Some(Duration::from_millis(u64::try_from(millis).unwrap_or(0))),
        _ => None,
    }
}
