//! What the second act came to.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;
use shardwise::Region;

use super::Change;
use super::view::View;
use crate::load::metrics::share_of_owner;

/// A worker's festivals have to be served again so soon after its return. It takes a fraction of a second; a busy machine
/// may take longer.
const RECOVERY: Duration = Duration::from_secs(10);

/// All acts.
#[derive(Debug, Clone, Serialize)]
pub struct Acts {
    /// A festival was relocated from 'us' to 'eu'.
    pub festival_relocated: Act,
    /// A shard was moved away and back, and nobody told the service.
    pub shard_moved: Act,
    /// The coordinator was stopped, and started.
    pub coordinator_stopped: Act,
    /// The worker in 'us' was killed, and started.
    pub us_worker_killed: Act,
    /// The worker in 'eu', which is the nearest to the service, was killed, and started.
    pub eu_worker_killed: Act,
}

/// One act.
#[derive(Debug, Clone, Serialize)]
pub struct Act {
    /// Operations that were played.
    pub operations: u64,
    /// Operations that did not end as they should, for all their repetitions.
    pub failed: u64,
    /// Requests that were sent once more, also those whose answers the clients themselves lost.
    pub repeated: u64,
    /// Requests that were answered with an error, by where the festivals' data were.
    pub errors: BTreeMap<Region, u64>,
    /// Those of them that don't say what is the matter and that it may be tried again.
    pub untyped: u64,
    /// 99 of 100 answers took no longer, in milliseconds.
    pub p99_ms: f64,
    /// How long the change took, or the server was away.
    pub seconds: f64,
    /// Why the change could not be made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The region whose server was away: its festivals, and they alone, may see errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub down: Option<Region>,
    /// Requests that were answered while the server was away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meanwhile: Option<BTreeMap<Region, u64>>,
    /// Milliseconds from the server's return to the last error at the region's festivals, or to the first answer where that
    /// came later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovered_ms: Option<u64>,
    /// Statements about one festival's rows, by route.
    pub tenant_routes: BTreeMap<String, u64>,
    /// What the first errors said.
    #[serde(skip)]
    pub texts: Vec<String>,
}

impl Act {
    pub(super) fn new(view: &View, change: anyhow::Result<Change>, tenant_routes: BTreeMap<String, u64>) -> Self {
        let seen = view.by_region();
        let error = change.as_ref().err().map(|error| format!("{error:#}"));
        let Change { down, took, meanwhile, recovered } = change.unwrap_or_default();
        Self {
            operations: view.stats.operations(),
            failed: view.stats.errors(),
            repeated: view.stats.retries(),
            errors: seen.iter().map(|(&region, seen)| (region, seen.errors())).collect(),
            untyped: seen.values().map(|seen| seen.broken).sum(),
            p99_ms: view.stats.latency().p99_ms,
            error,
            seconds: (took.as_secs_f64() * 10.0).round() / 10.0,
            down,
            meanwhile,
            recovered_ms: recovered.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            tenant_routes,
            texts: view.stats.error_texts(),
        }
    }

    /// What is not as it should be.
    fn faults(&self) -> Vec<String> {
        let spared = |region: &Region| Some(*region) != self.down;
        let mut faults: Vec<_> = self.error.iter().chain(&self.texts).cloned().collect();
        let mut fault = |is: bool, text: String| faults.extend(is.then_some(text));
        fault(self.operations == 0, "nothing was played".to_owned());
        fault(self.failed > 0, format!("{} operations failed", self.failed));
        fault(self.untyped > 0, format!("{} errors without a type", self.untyped));
        for (region, errors) in self.errors.iter().filter(|(region, errors)| spared(region) && **errors > 0) {
            fault(true, format!("{errors} errors at festivals in {region}"));
        }
        for (region, _) in self.meanwhile.iter().flatten().filter(|(region, answers)| spared(region) && **answers == 0)
        {
            fault(true, format!("no answers at festivals in {region} while a server was away"));
        }
        if let Some(millis) = self.recovered_ms {
            fault(u128::from(millis) > RECOVERY.as_millis(), format!("errors until {millis} ms after the return"));
        }
        faults
    }
}

impl Acts {
    fn all(&self) -> [(&'static str, &Act); 5] {
        [
            ("festival relocated", &self.festival_relocated),
            ("shard moved", &self.shard_moved),
            ("coordinator stopped", &self.coordinator_stopped),
            ("us worker killed", &self.us_worker_killed),
            ("eu worker killed", &self.eu_worker_killed),
        ]
    }

    /// What is not as it should be.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let of = |(name, act): (&str, &Act)| act.faults().into_iter().map(|fault| format!("{name}: {fault}")).collect();
        self.all().into_iter().flat_map::<Vec<_>, _>(of).collect()
    }
}

impl fmt::Display for Acts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<20} {:>10} {:>8} {:>8} {:>10} {:>10} {:>8} {:>8} {:>10} {:>7}",
            "while",
            "operations",
            "failed",
            "repeated",
            "errors eu",
            "errors us",
            "p99 ms",
            "took s",
            "recovered",
            "owner"
        )?;
        for (name, act) in self.all() {
            let errors = |region| act.errors.get(&region).copied().unwrap_or(0);
            let recovered = act.recovered_ms.map_or("-".to_owned(), |millis| format!("{millis} ms"));
            writeln!(
                f,
                "{name:<20} {:>10} {:>8} {:>8} {:>10} {:>10} {:>8.0} {:>8.1} {recovered:>10} {:>6.2}%",
                act.operations,
                act.failed,
                act.repeated,
                errors(Region::EU),
                errors(Region::US),
                act.p99_ms,
                act.seconds,
                100.0 * share_of_owner(&act.tenant_routes).unwrap_or(0.0),
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use shardwise::Region;

    use super::Act;

    /// The worker in 'us' was away for a while.
    fn outage() -> Act {
        Act {
            operations: 500,
            failed: 0,
            repeated: 90,
            errors: BTreeMap::from([(Region::EU, 0), (Region::US, 80)]),
            untyped: 0,
            p99_ms: 12.5,
            seconds: 5.0,
            error: None,
            down: Some(Region::US),
            meanwhile: Some(BTreeMap::from([(Region::EU, 300), (Region::US, 0)])),
            recovered_ms: Some(140),
            tenant_routes: BTreeMap::new(),
            texts: Vec::new(),
        }
    }

    #[test]
    fn festivals_of_a_killed_worker_may_see_errors() {
        assert_eq!(outage().faults(), Vec::<String>::new());
    }

    #[test]
    fn everything_else_is_a_fault() {
        let eu = |count| BTreeMap::from([(Region::EU, count)]);
        for (act, fault) in [
            (Act { errors: eu(1), ..outage() }, "1 errors at festivals in eu"),
            (Act { down: None, ..outage() }, "80 errors at festivals in us"),
            (Act { meanwhile: Some(eu(0)), ..outage() }, "no answers at festivals in eu while a server was away"),
            (Act { untyped: 2, ..outage() }, "2 errors without a type"),
            (Act { failed: 3, ..outage() }, "3 operations failed"),
            (Act { recovered_ms: Some(10_001), ..outage() }, "errors until 10001 ms after the return"),
            (Act { error: Some("it takes too long".to_owned()), ..outage() }, "it takes too long"),
            (Act { operations: 0, ..outage() }, "nothing was played"),
        ] {
            assert!(act.faults().contains(&fault.to_owned()), "{fault:?} is not in {:?}", act.faults());
        }
    }
}
