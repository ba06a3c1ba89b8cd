//! From when on something is a warning, and from when on it is critical.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::settings::{HealthSettings, ShareBounds, TimeBounds};

/// Two bounds of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Bounds<T> {
    /// From here on it is a warning.
    pub warning: T,
    /// From here on it is critical.
    pub critical: T,
}

impl<T> Bounds<T> {
    /// These two.
    #[must_use]
    pub const fn new(warning: T, critical: T) -> Self {
        Self { warning, critical }
    }
}

/// By what [`Cluster::health`](crate::Cluster::health) judges, and the alert rules of
/// [`render::prometheus_rules`](crate::render::prometheus_rules) as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Thresholds {
    /// The time in which 95 of 100 calls end. Transactions, COPY and work across tenants, which take as long as their callers have
    /// them take, don't count.
    pub latency_p95: Bounds<Duration>,
    /// How many of a hundred connections are in use: those of this client's pools, and those of each server.
    pub connections: Bounds<u8>,
    /// How far a standby is behind.
    pub replication_lag: Bounds<Duration>,
    /// How much of a hundred of a disk is used.
    pub disk: Bounds<u8>,
    /// How many of a hundred blocks were found in PostgreSQL's buffers: fewer than these are worse.
    pub cache_hit_ratio: Bounds<u8>,
    /// How long ago the topology was last read, or found unchanged.
    pub topology_age: Bounds<Duration>,
}

impl Default for Thresholds {
    fn default() -> Self {
        let (millis, seconds) = (Duration::from_millis, Duration::from_secs);
        Self {
            latency_p95: Bounds::new(millis(100), millis(500)),
            connections: Bounds::new(70, 90),
            replication_lag: Bounds::new(seconds(1), seconds(10)),
            disk: Bounds::new(70, 85),
            cache_hit_ratio: Bounds::new(90, 80),
            topology_age: Bounds::new(seconds(120), seconds(600)),
        }
    }
}

impl Thresholds {
    /// What contradicts itself: each warning has to come before what is critical.
    pub(super) fn check(&self) -> Result<(), String> {
        let times = [
            ("latency_p95", self.latency_p95),
            ("replication_lag", self.replication_lag),
            ("topology_age", self.topology_age),
        ];
        for (key, Bounds { warning, critical }) in times {
            if warning.is_zero() || warning >= critical {
                return Err(format!(
                    "`health.{key}` has the warning at {warning:?} and critical at {critical:?}: the warning has to come first, \
                     and after more than no time"
                ));
            }
        }
        let shares = [
            ("connections", self.connections, true),
            ("disk", self.disk, true),
            ("cache_hit_ratio", self.cache_hit_ratio, false),
        ];
        for (key, Bounds { warning, critical }, more_is_worse) in shares {
            let is_in_order = if more_is_worse { warning < critical } else { warning > critical };
            if !is_in_order || [warning, critical].iter().any(|percent| !(1..=100).contains(percent)) {
                let order = if more_is_worse { "below" } else { "above" };
                return Err(format!(
                    "`health.{key}` has the warning at {warning} and critical at {critical}: write two of 1 to 100, in percent, \
                     with the warning {order} critical"
                ));
            }
        }
        Ok(())
    }
}

/// How the cluster's health is judged, and what no server tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthConfig {
    /// From when on something is a warning, or critical.
    pub thresholds: Thresholds,
    /// How large the disk of each node is, in bytes; `disk_size` of a node goes before it. No server tells that in SQL: where it is
    /// not given, how much of the disk is used is not known.
    pub disk_size: Option<u64>,
    /// Servers are asked for the sizes of what they have on their disks no more often than this, for they look at each file.
    pub size_interval: Duration,
}

impl Default for HealthConfig {
    fn default() -> Self {
        Self { thresholds: Thresholds::default(), disk_size: None, size_interval: Duration::from_secs(60) }
    }
}

impl HealthConfig {
    pub(super) fn of(settings: HealthSettings) -> Self {
        let (usual, of) = (Self::default(), Thresholds::default());
        let times = |given: Option<TimeBounds>, usual: Bounds<Duration>| {
            let TimeBounds { warning, critical } = given.unwrap_or_default();
            Bounds::new(warning.map_or(usual.warning, |time| time.0), critical.map_or(usual.critical, |time| time.0))
        };
        let shares = |given: Option<ShareBounds>, usual: Bounds<u8>| {
            let ShareBounds { warning, critical } = given.unwrap_or_default();
            Bounds::new(
                warning.map_or(usual.warning, |share| share.0),
                critical.map_or(usual.critical, |share| share.0),
            )
        };
        Self {
            thresholds: Thresholds {
                latency_p95: times(settings.latency_p95, of.latency_p95),
                connections: shares(settings.connections, of.connections),
                replication_lag: times(settings.replication_lag, of.replication_lag),
                disk: shares(settings.disk, of.disk),
                cache_hit_ratio: shares(settings.cache_hit_ratio, of.cache_hit_ratio),
                topology_age: times(settings.topology_age, of.topology_age),
            },
            disk_size: settings.disk_size.map(|size| size.0),
            size_interval: settings.size_interval.map_or(usual.size_interval, |time| time.0),
        }
    }
}

/// A number of bytes with its unit, as PostgreSQL has them: 1 GB are 1024 MB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size(pub(super) u64);

impl Size {
    pub(super) const EXPECTED: &str = "a size with its unit, such as \"500GB\" or \"2TB\"";
    const UNITS: [(&str, u32); 4] = [("kB", 10), ("MB", 20), ("GB", 30), ("TB", 40)];
}

impl FromStr for Size {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        let of_unit = |(unit, power): (&str, u32)| {
            let number: u64 = text.strip_suffix(unit)?.trim_end().parse().ok()?;
            number.checked_mul(1 << power).filter(|size| *size > 0)
        };
        Self::UNITS.into_iter().find_map(of_unit).map(Self).ok_or(SizeError)
    }
}

/// A text that is no size.
#[derive(Debug)]
pub(super) struct SizeError;

impl fmt::Display for SizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Size::EXPECTED)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Bounds, Size, Thresholds};
    use crate::config::{Config, Endpoint};

    fn config(more: &str) -> crate::Result<Config> {
        Config::from_toml(&format!(
            "[default]\ncontact_points = [\"db\"]\ndatabase = \"festivals\"\nuser = \"app\"\n{more}"
        ))
    }

    #[test]
    fn what_is_not_written_has_a_default_and_a_node_its_own_disk() {
        let text = "health.disk.warning = 60\nhealth.disk_size = \"500GB\"\nnodes.\"big:5432\".disk_size = \"2TB\"";
        let config = config(text).expect("valid");
        let usual = Thresholds::default();
        assert_eq!(config.health().thresholds, Thresholds { disk: Bounds::new(60, 85), ..usual });
        let size_of = |host: &str| config.disk_size_of(&Endpoint { host: host.to_owned(), port: 5432 });
        assert_eq!((size_of("db"), size_of("big")), (Some(500 << 30), Some(2 << 40)));
        assert_eq!(config.health().size_interval, Duration::from_secs(60));
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        for (more, told) in [
            ("health.latency_p95.warning = \"1s\"", "`health.latency_p95` has the warning at 1s and critical at 500ms"),
            ("health.disk.critical = 101", "`health.disk` has the warning at 70 and critical at 101"),
            ("health.size_interval = \"0s\"", "`health.size_interval` is no time at all"),
            ("health.disk_size = \"500\"", "expected a size with its unit, such as \"500GB\""),
            ("health.latency = {}", "unknown field `latency`, expected one of `latency_p95`"),
            ("health.disk = { warn = 1 }", "unknown field `warn`, expected `warning` or `critical`"),
        ] {
            let error = config(more).expect_err(more).to_string();
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn sizes_are_postgresqls() {
        for (text, size) in [("8kB", 8 << 10), ("500 GB", 500 << 30), ("2TB", 2 << 40)] {
            assert_eq!(text.parse::<Size>().expect(text).0, size);
        }
        for text in ["500", "500gb", "-1GB", "0GB", "1.5GB", "99999999999TB", "GB", ""] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_warning_comes_before_what_is_critical() {
        let usual = Thresholds::default();
        assert_eq!(usual.check(), Ok(()));
        let wrong = [
            Thresholds { connections: Bounds::new(90, 70), ..usual },
            Thresholds { disk: Bounds::new(70, 101), ..usual },
            Thresholds { cache_hit_ratio: Bounds::new(80, 90), ..usual },
            Thresholds { latency_p95: Bounds::new(usual.latency_p95.critical, usual.latency_p95.warning), ..usual },
        ];
        for (wrong, key) in wrong.iter().zip(["connections", "disk", "cache_hit_ratio", "latency_p95"]) {
            let told = wrong.check().expect_err(key);
            assert!(told.contains(&format!("`health.{key}`")), "{told}");
        }
    }
}
