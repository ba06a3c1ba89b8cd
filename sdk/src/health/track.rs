//! How far standbys are behind. Pure: samples in, verdict out.
//!
//! A standby's own clock does not tell: `now() - pg_last_xact_replay_timestamp()` grows while the primary has nothing to do. So
//! the primary's log is sampled with our clock. What a standby has replayed is compared with that: it lacks nothing that is
//! older than the latest sample that it has reached.

use std::collections::VecDeque;
use std::time::Duration;

/// The most samples: enough for minutes, at any reasonable interval.
const MOST: usize = 4_096;

/// How far a primary's log was, and when.
#[derive(Debug, Default)]
pub(crate) struct Track {
    // All grow.
    samples: VecDeque<Sample>,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    /// When the log was first seen there …
    first: Duration,
    /// … and last.
    last: Duration,
    lsn: u64,
}

impl Track {
    /// The log had come at least this far when it was asked at this time. Times count from whenever, the same for all.
    pub(crate) fn record(&mut self, asked: Duration, lsn: u64) {
        match self.samples.back_mut() {
            // Nothing was written: the standby that has this has all that there was until now.
            Some(sample) if sample.lsn == lsn => sample.last = asked,
            // Another server, or one that was set back: what was known of the former says nothing.
            Some(sample) if sample.lsn > lsn => {
                self.samples.clear();
                self.samples.push_back(Sample { first: asked, last: asked, lsn });
            }
            _ => {
                if self.samples.len() == MOST {
                    self.samples.pop_front();
                }
                self.samples.push_back(Sample { first: asked, last: asked, lsn });
            }
        }
    }

    /// Until when a standby that has replayed this much has everything. `None` where that is too long ago to know.
    pub(crate) fn complete_until(&self, replayed: u64) -> Option<Duration> {
        let reached = self.samples.partition_point(|sample| sample.lsn <= replayed);
        self.samples.get(reached.checked_sub(1)?).map(|sample| sample.last)
    }

    /// Since when a standby that has reached none of the samples has lacked something at least; `None` where there are none.
    pub(crate) fn incomplete_since(&self) -> Option<Duration> {
        self.samples.front().map(|sample| sample.first)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{MOST, Track};

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_standby_lacks_what_came_after_the_latest_sample_that_it_has_reached() {
        let mut track = Track::default();
        for (time, lsn) in [(100, 10), (200, 20), (300, 30)] {
            track.record(at(time), lsn);
        }
        for (replayed, until) in [(9, None), (10, Some(100)), (29, Some(200)), (30, Some(300)), (99, Some(300))] {
            assert_eq!(track.complete_until(replayed), until.map(at), "{replayed}");
        }
    }

    #[test]
    fn an_idle_primary_makes_no_lag() {
        let mut track = Track::default();
        track.record(at(100), 10);
        track.record(at(60_000), 10);
        assert_eq!(track.complete_until(10), Some(at(60_000)));
        assert_eq!(track.complete_until(9), None);
    }

    #[test]
    fn who_has_reached_none_lacks_something_since_the_first_was_seen() {
        let mut track = Track::default();
        assert_eq!(track.incomplete_since(), None);
        for time in [100, 200, 60_000] {
            track.record(at(time), 10);
        }
        assert_eq!((track.complete_until(9), track.incomplete_since()), (None, Some(at(100))));
    }

    #[test]
    fn a_server_that_was_set_back_starts_anew() {
        let mut track = Track::default();
        track.record(at(100), 1_000);
        track.record(at(200), 10);
        assert_eq!(track.complete_until(1_000), Some(at(200)));
        assert_eq!(track.complete_until(9), None);
    }

    #[test]
    fn it_remembers_no_more_than_it_has_to() {
        let mut track = Track::default();
        for n in 0..10_000 {
            track.record(at(n), n);
        }
        assert_eq!(track.samples.len(), MOST);
        assert_eq!(track.complete_until(10), None);
        assert_eq!(track.complete_until(9_000), Some(at(9_000)));
    }
}
