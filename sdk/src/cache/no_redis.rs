//! In place of Redis, where the feature is off: there is none, and no call of these is ever reached.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::counters::Counters;
use super::entry::Entry;
use super::place::{Family, Place};
use super::{Cache, Target};
use crate::config::{CacheConfig, RedisConfig};
use crate::error::{Error, ErrorKind, Result};

pub(super) enum Redis {}

pub(super) struct Looked {
    pub(super) run: u64,
    pub(super) generation: Option<u64>,
    pub(super) values: Vec<(Option<Bytes>, Option<Duration>)>,
}

pub(super) struct Claim {
    pub(super) run: u64,
    pub(super) generation: u64,
    pub(super) outcomes: Vec<Outcome>,
}

#[expect(dead_code, reason = "nobody makes one")]
pub(super) enum Outcome {
    Granted,
    Value(Bytes),
    Busy,
    Marked,
}

impl Looked {
    pub(super) fn is_of_generation(&self, _: &Bytes) -> bool {
        false
    }
}

impl Redis {
    pub(super) fn new(_: &CacheConfig, _: &RedisConfig, _: Arc<Counters>) -> Result<Self> {
        Err(Error::new(ErrorKind::Config, "`cache.store` needs the feature `redis` of shardwise"))
    }

    pub(super) fn is_up(&self) -> bool {
        match *self {}
    }

    pub(super) fn wake(&self) {
        match *self {}
    }

    pub(super) async fn look(&self, _: &Family, _: &[&Place]) -> Option<Looked> {
        match *self {}
    }

    pub(super) async fn claim(
        &self,
        _: &Family,
        _: &[(&Place, Option<Bytes>)],
        _: (Duration, Duration),
    ) -> Option<Claim> {
        match *self {}
    }

    pub(super) async fn fill(&self, _: &Claim, _: &[(&Place, Option<(&Entry, Duration)>)]) -> Option<Vec<bool>> {
        match *self {}
    }

    pub(super) async fn release(&self, _: &Place, _: &Claim) {
        match *self {}
    }

    pub(super) async fn mark(&self, _: &Place, _: u64, _: Duration) {
        match *self {}
    }

    pub(super) async fn unmark(&self, _: &Place, _: u64) {
        match *self {}
    }

    pub(super) async fn drop_all(&self, _: &[Target], _: u64) -> bool {
        match *self {}
    }

    pub(super) async fn ping(&self) -> Option<()> {
        match *self {}
    }

    pub(super) async fn clear(&self, _: &[u8], _: u64) -> Option<u64> {
        match *self {}
    }
}

pub(super) fn spawn(_: &Arc<Cache>) {}
