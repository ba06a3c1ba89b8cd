//! How fast rows are written: as fast as standbys and others who are at work let it.

use std::time::Duration;

use tokio::time::Instant;

use super::{Event, Teller};
use crate::admin::batch;
use crate::admin::desk::Desk;
use crate::admin::wire::{column, only};
use crate::error::Result;

/// What bounds the rate at which rows are written.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Pace {
    /// How far a standby may be behind, by `pg_stat_replication.replay_lag`, before it is waited for. A standby that is further behind
    /// answers with older rows, or not at all.
    pub max_lag: Duration,
    /// How many sessions may be at work, by `pg_stat_activity`, this one left out, before it is waited; no bound where there is none.
    pub max_active: Option<u32>,
    /// Which part of the time rows are written, from 0 to 1: the rest is left to others.
    pub share: f64,
}

/// Half the time, and standbys within 10 s.
impl Default for Pace {
    fn default() -> Self {
        Self { max_lag: Duration::from_secs(10), max_active: None, share: 0.5 }
    }
}

/// How often standbys and sessions are asked for.
const EVERY: Duration = Duration::from_millis(500);

/// What is asked for, and when.
pub(super) struct Pacer<'a> {
    pace: &'a Pace,
    asked: Option<Instant>,
}

impl<'a> Pacer<'a> {
    pub(super) fn new(pace: &'a Pace) -> Self {
        Self { pace, asked: None }
    }

    /// Waits behind a batch that took so long.
    pub(super) async fn rest(&mut self, desk: &Desk, took: Duration, teller: &mut Teller<'_>) -> Result<()> {
        tokio::time::sleep(batch::rest(took, self.pace.share)).await;
        while self.asked.is_none_or(|asked| asked.elapsed() >= EVERY) {
            self.asked = Some(Instant::now());
            let Some(why) = self.reason(desk).await? else { break };
            teller.tell(Event::Waiting { why: &why });
            tokio::time::sleep(EVERY).await;
        }
        Ok(())
    }

    /// Why it is waited now.
    async fn reason(&self, desk: &Desk) -> Result<Option<String>> {
        const ASKED: &str = "SELECT \
            (SELECT (extract(epoch FROM max(replay_lag)) * 1000)::int8 FROM pg_catalog.pg_stat_replication), \
            (SELECT count(*) FROM pg_catalog.pg_stat_activity \
             WHERE state = 'active' AND backend_type = 'client backend' AND pid <> pg_catalog.pg_backend_pid())";
        let rows = desk.query(ASKED, &[]).await?;
        let row = only(&rows)?;
        let lag: Option<i64> = column(row, 0)?;
        let lag = lag.map(|millis| Duration::from_millis(millis.unsigned_abs()));
        let active: i64 = column(row, 1)?;
        Ok(reason(self.pace, lag, active.unsigned_abs()))
    }
}

fn reason(pace: &Pace, lag: Option<Duration>, active: u64) -> Option<String> {
    if let Some(lag) = lag.filter(|lag| *lag > pace.max_lag) {
        return Some(format!("a standby is {lag:.1?} behind, more than {:.1?}", pace.max_lag));
    }
    let most = u64::from(pace.max_active?);
    (active > most).then(|| format!("{active} sessions are at work, more than {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standbys_come_before_sessions() {
        let pace = Pace { max_active: Some(4), ..Pace::default() };
        let lag = |secs| Some(Duration::from_secs(secs));
        assert_eq!(reason(&pace, lag(10), 4), None);
        assert_eq!(reason(&pace, None, 0), None);
        assert!(reason(&pace, lag(11), 9).expect("there is one").contains("11.0s behind"));
        assert!(reason(&pace, lag(1), 5).expect("there is one").contains("5 sessions"));
        assert_eq!(reason(&Pace::default(), lag(1), 500), None);
    }
}
