//! From what is written to what is valid: defaults, missing values, contradictions.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::health::HealthConfig;
use super::reads::{Consistency, ConsistencyName, ReadsConfig};
use super::settings::{
    AnalyticsSettings, DirectorySettings, NodeSettings, PolicyName, PoolSettings, ReadsSettings, Settings,
    TimeoutSettings, TlsMode, TlsSettings, TopologySettings,
};
use super::values::{
    AnalyticsConfig, ChannelBinding, DirectoryConfig, Endpoint, NodeOverride, Policy, PoolConfig, Secret, Timeouts,
    Tls, TopologyConfig, Verify, is_host,
};
use super::{Config, bad, check_cache, passfile, secret_file};
use crate::error::Result;
use crate::topology::Residency;

/// The valid configuration; `place` is where the settings come from.
pub(super) fn check(settings: Settings, place: &str) -> Result<Config> {
    build(settings).map_err(|reason| bad(format!("{place}: {reason}")))
}

/// A configuration that a setter has changed.
pub(super) fn checked(config: Config) -> Result<Config> {
    contradictions(&config).map_err(bad)?;
    Ok(config)
}

pub(super) type Checked<T> = Result<T, String>;

fn build(settings: Settings) -> Checked<Config> {
    let (file, passfile) = (settings.password_file.as_deref(), settings.passfile.as_deref());
    let password = password(settings.password.as_ref(), file, passfile, "")?;
    let policy = policy(&settings)?;
    let password_files = password_files(&settings);
    let contact_points = settings.contact_points.map(|points| points.0).unwrap_or_default();
    let config = Config {
        mode: settings.mode.unwrap_or_default(),
        contact_points,
        database: named(settings.database, "database", "\"festivals\"")?,
        user: named(settings.user, "user", "\"app\"")?,
        password,
        passfile: settings.passfile,
        password_files,
        channel_binding: settings.channel_binding.unwrap_or_default(),
        application_name: settings.application_name.unwrap_or_else(|| "shardwise".to_owned()),
        tls: settings.tls.and_then(tls),
        pool: pool(settings.pool.unwrap_or_default()),
        timeouts: timeouts(settings.timeouts.unwrap_or_default()),
        local_region: settings.local_region,
        regions: settings.regions.map(|regions| regions.0).unwrap_or_default(),
        residency: settings.residency.unwrap_or_default(),
        check_rows: settings.check_rows.unwrap_or_default(),
        topology: topology(settings.topology.unwrap_or_default()),
        directory: directory(settings.directory.unwrap_or_default()),
        reads: reads(settings.reads.unwrap_or_default())?,
        analytics: analytics(settings.analytics.unwrap_or_default())?,
        cache: check_cache::build(settings.cache.unwrap_or_default())?,
        replicas: settings.replicas.map(|replicas| replicas.0).unwrap_or_default(),
        pooler: settings.pooler.unwrap_or_default(),
        nodes: settings.nodes.unwrap_or_default().into_iter().map(node).collect::<Checked<_>>()?,
        shard_count: settings.shard_count.map(|number| number.0),
        health: HealthConfig::of(settings.health.unwrap_or_default()),
        policy,
    };
    contradictions(&config)?;
    Ok(config)
}

/// All that hold a password and nothing else.
fn password_files(settings: &Settings) -> Vec<PathBuf> {
    let of_analytics = settings.analytics.as_ref().and_then(|analytics| analytics.password_file.as_ref());
    let of_redis = settings.cache.as_ref().and_then(|cache| cache.redis_password_file.as_ref());
    [settings.password_file.as_ref(), of_analytics, of_redis].into_iter().flatten().cloned().collect()
}

fn missing(key: &str, example: &str) -> String {
    let variable = key.to_ascii_uppercase();
    format!("`{key}` is missing: write `{key} = {example}`, or set SHARDWISE_{variable}")
}

fn named(value: Option<String>, key: &str, example: &str) -> Checked<String> {
    value.filter(|value| !value.is_empty()).ok_or_else(|| missing(key, example))
}

/// The password, if it is given, in one way. `table` is what stands before the keys.
pub(super) fn password(
    password: Option<&Secret>,
    file: Option<&Path>,
    passfile: Option<&Path>,
    table: &str,
) -> Checked<Option<Secret>> {
    let ways = [("password", password.is_some()), ("password_file", file.is_some()), ("passfile", passfile.is_some())];
    let given: Vec<&str> = ways.iter().filter(|(_, given)| *given).map(|(key, _)| *key).collect();
    if let [one, another, ..] = given[..] {
        return Err(format!("`{table}{one}` and `{table}{another}` are both given: keep one of them"));
    }
    match file {
        Some(path) => secret_file::read(path).map(Some).map_err(|reason| format!("`{table}password_file`: {reason}")),
        None => Ok(password.cloned()),
    }
}

fn policy(settings: &Settings) -> Checked<Policy> {
    let Settings { policy, application_role, analytics_role, .. } = settings;
    match policy {
        Some(PolicyName::RowLevelSecurity) => Ok(Policy::RowLevelSecurity {
            application_role: named(application_role.clone(), "application_role", "\"festival_app\"")?,
            analytics_role: analytics_role.clone(),
        }),
        // A profile that turns it off need not take the roles away.
        Some(PolicyName::None) => Ok(Policy::None),
        None => {
            let roles = [("application_role", application_role), ("analytics_role", analytics_role)];
            match roles.iter().find(|(_, role)| role.is_some()) {
                Some((key, _)) => Err(format!(
                    "`{key}` is for row level security: write `policy = \"row_level_security\"`, or leave it out"
                )),
                None => Ok(Policy::None),
            }
        }
    }
}

pub(super) fn tls(settings: TlsSettings) -> Option<Tls> {
    let verify = match settings.mode.unwrap_or(TlsMode::VerifyFull) {
        TlsMode::Off => return None,
        TlsMode::VerifyCa => Verify::Ca,
        TlsMode::VerifyFull => Verify::Full,
    };
    let TlsSettings { mode: _, ca_file, cert_file, key_file } = settings;
    Some(Tls { verify, ca_file, cert_file, key_file })
}

fn pool(settings: PoolSettings) -> PoolConfig {
    let usual = PoolConfig::default();
    PoolConfig {
        max_connections: settings.max_connections.map_or(usual.max_connections, |number| number.0),
        shared_connections: settings.shared_connections.map(|number| number.0),
        shared_depth: settings.shared_depth.map_or(usual.shared_depth, |number| number.0),
        shared_limit: settings.shared_limit.map_or(usual.shared_limit, |time| time.0),
        max_waiting: settings.max_waiting.map_or(usual.max_waiting, |number| number.0),
        min_idle: settings.min_idle.map_or(usual.min_idle, |number| number.0),
        idle_timeout: settings.idle_timeout.map_or(usual.idle_timeout, |time| time.0),
        max_lifetime: settings.max_lifetime.map_or(usual.max_lifetime, |time| time.0),
        statement_cache: settings.statement_cache.map_or(usual.statement_cache, |number| number.0),
    }
}

fn timeouts(settings: TimeoutSettings) -> Timeouts {
    let usual = Timeouts::default();
    Timeouts {
        connect: settings.connect.map_or(usual.connect, |time| time.0),
        checkout: settings.checkout.map_or(usual.checkout, |time| time.0),
        statement: settings.statement.map_or(usual.statement, |time| time.0),
        call: settings.call.map_or(usual.call, |time| time.0),
    }
}

fn topology(settings: TopologySettings) -> TopologyConfig {
    let usual = TopologyConfig::default();
    TopologyConfig {
        refresh_interval: settings.refresh_interval.map_or(usual.refresh_interval, |time| time.0),
        probe_interval: settings.probe_interval.map_or(usual.probe_interval, |time| time.0),
        watch: settings.watch.unwrap_or(usual.watch),
    }
}

fn directory(settings: DirectorySettings) -> DirectoryConfig {
    let usual = DirectoryConfig::default();
    DirectoryConfig {
        capacity: settings.capacity.map_or(usual.capacity, |number| number.0),
        ttl: settings.ttl.map_or(usual.ttl, |time| time.0),
        negative_ttl: settings.negative_ttl.map_or(usual.negative_ttl, |time| time.0),
    }
}

fn reads(settings: ReadsSettings) -> Checked<ReadsConfig> {
    let usual = ReadsConfig::default();
    let consistency = match settings.consistency.unwrap_or(ConsistencyName::Primary) {
        ConsistencyName::Primary => Consistency::Primary,
        ConsistencyName::Session => Consistency::Session,
        ConsistencyName::ReplicaOk => match (settings.max_lag, settings.otherwise) {
            (Some(max_lag), Some(otherwise)) => Consistency::ReplicaOk { max_lag: max_lag.0, otherwise },
            (None, _) => return Err(needed("reads.max_lag", "\"1s\"", "how old what is read may be")),
            (Some(_), None) => {
                let why = "what becomes of a read where no standby is that fresh, \"primary\" or \"fail\"";
                return Err(needed("reads.otherwise", "\"primary\"", why));
            }
        },
    };
    Ok(ReadsConfig {
        consistency,
        max_lag: settings.max_lag.map_or(usual.max_lag, |time| time.0),
        wait: settings.wait.map_or(usual.wait, |time| time.0),
        probe_interval: settings.probe_interval.map_or(usual.probe_interval, |time| time.0),
        hedge_percentile: settings.hedge_percentile.map(|number| number.0),
    })
}

/// What `reads.consistency = "replica_ok"` can't do without.
fn needed(key: &str, example: &str, what: &str) -> String {
    format!("`reads.consistency = \"replica_ok\"` needs to know {what}: write `{key} = {example}`")
}

fn analytics(settings: AnalyticsSettings) -> Checked<AnalyticsConfig> {
    let usual = AnalyticsConfig::default();
    Ok(AnalyticsConfig {
        password: password(settings.password.as_ref(), settings.password_file.as_deref(), None, "analytics.")?,
        endpoint: settings.endpoint,
        user: settings.user,
        max_connections: settings.max_connections.map_or(usual.max_connections, |number| number.0),
        checkout: settings.checkout.map_or(usual.checkout, |time| time.0),
        statement: settings.statement.map_or(usual.statement, |time| time.0),
        call: settings.call.map_or(usual.call, |time| time.0),
    })
}

fn node((endpoint, settings): (Endpoint, NodeSettings)) -> Checked<(Endpoint, NodeOverride)> {
    let NodeSettings { host, port, hosts, region, pooler, disk_size } = settings;
    let disk_size = disk_size.map(|size| size.0);
    let hosts = hosts.map_or_else(Vec::new, |hosts| hosts.0);
    let is_reached_so = host.is_some() || port.is_some() || !hosts.is_empty();
    if !is_reached_so && region.is_none() && pooler.is_none() && disk_size.is_none() {
        return Err(format!(
            "`nodes.\"{endpoint}\"` changes nothing: give it a `host`, a `port`, `hosts`, a `region`, a `pooler` or \
             a `disk_size`"
        ));
    }
    if !hosts.is_empty() && (host.is_some() || port.is_some()) {
        return Err(format!(
            "`nodes.\"{endpoint}\"` has `hosts` and one address as well: write all that it can be at into `hosts`"
        ));
    }
    if let Some(twice) = repeated(&hosts) {
        return Err(format!("`nodes.\"{endpoint}\".hosts` lists {twice} twice"));
    }
    // Not shown: a URL with a password may stand here.
    if host.as_ref().is_some_and(|host| !is_host(host) && host.parse::<std::net::Ipv6Addr>().is_err()) {
        return Err(format!(
            "`nodes.\"{endpoint}\".host` is no host: write a name, an address or the folder of a socket"
        ));
    }
    if port.as_ref().is_some_and(|port| port.0 == 0) {
        return Err(format!("`nodes.\"{endpoint}\".port` is 0: write a port from 1 to 65535"));
    }
    Ok((endpoint, NodeOverride { host, port: port.map(|port| port.0), hosts, region, pooler, disk_size }))
}

fn contradictions(config: &Config) -> Checked<()> {
    check_cache::contradictions(&config.cache)?;
    let Config { pool, timeouts, tls, topology, directory, reads, analytics, .. } = config;
    if config.contact_points.is_empty() {
        return Err(missing("contact_points", "[\"host:5432\"]"));
    }
    let texts =
        [("database", &config.database), ("user", &config.user), ("application_name", &config.application_name)];
    if let Some((key, _)) = texts.iter().find(|(_, text)| text.contains('\0')) {
        return Err(format!("`{key}` has a zero byte in it, which PostgreSQL takes in no text: leave it out"));
    }
    if config.password.as_ref().is_some_and(|password| password.expose().contains('\0')) {
        return Err("the password has a zero byte in it, which PostgreSQL takes in no text".to_owned());
    }
    for (key, connections) in
        [("pool.max_connections", pool.max_connections), ("analytics.max_connections", analytics.max_connections)]
    {
        if connections == 0 || connections > MOST_CONNECTIONS {
            return Err(format!("`{key}` is {connections}: write 1 to {MOST_CONNECTIONS}"));
        }
    }
    if pool.shared() >= pool.max_connections {
        return Err(format!(
            "`pool.shared_connections` ({}) leaves nothing of `pool.max_connections` ({}) for transactions: lower the first \
             or raise the second",
            pool.shared(),
            pool.max_connections
        ));
    }
    if pool.min_idle > pool.max_connections - pool.shared() {
        return Err(format!(
            "`pool.min_idle` ({}) is larger than what `pool.max_connections` ({}) has besides the {} shared ones: lower the \
             first or raise the second",
            pool.min_idle,
            pool.max_connections,
            pool.shared()
        ));
    }
    if !(1..=DEEPEST).contains(&pool.shared_depth) {
        return Err(format!("`pool.shared_depth` is {}: write 1 to {DEEPEST}", pool.shared_depth));
    }
    if pool.max_waiting == 0 {
        return Err("`pool.max_waiting` is 0, so that nobody could wait for a connection: write at least 1".to_owned());
    }
    let times = [
        ("pool.idle_timeout", pool.idle_timeout),
        ("pool.max_lifetime", pool.max_lifetime),
        ("pool.shared_limit", pool.shared_limit),
        ("timeouts.connect", timeouts.connect),
        ("timeouts.checkout", timeouts.checkout),
        ("timeouts.statement", timeouts.statement),
        ("timeouts.call", timeouts.call),
        ("topology.refresh_interval", topology.refresh_interval),
        ("topology.probe_interval", topology.probe_interval),
        ("directory.ttl", directory.ttl),
        ("health.size_interval", config.health.size_interval),
        ("reads.max_lag", reads.max_lag),
        ("reads.probe_interval", reads.probe_interval),
        ("analytics.checkout", analytics.checkout),
        ("analytics.statement", analytics.statement),
        ("analytics.call", analytics.call),
    ];
    if let Some((key, _)) = times.iter().find(|(_, time)| time.is_zero()) {
        return Err(format!("`{key}` is no time at all: write one that can pass, such as \"5s\""));
    }
    // To the server none at all means no limit.
    if pool.shared_limit < Duration::from_millis(1) {
        return Err("`pool.shared_limit` is shorter than a millisecond, which is what the server counts in".to_owned());
    }
    // The server counts milliseconds in an int4.
    if let Some((key, _)) = times.iter().find(|(_, time)| *time > LONGEST) {
        return Err(format!("`{key}` is longer than {} days: write a shorter one", LONGEST.as_secs() / 86_400));
    }
    let within = [
        ("timeouts.checkout", timeouts.checkout, "timeouts.call", timeouts.call),
        ("timeouts.statement", timeouts.statement, "timeouts.call", timeouts.call),
        ("pool.shared_limit", pool.shared_limit, "timeouts.statement", timeouts.statement),
        ("analytics.checkout", analytics.checkout, "analytics.call", analytics.call),
        ("analytics.statement", analytics.statement, "analytics.call", analytics.call),
        ("directory.negative_ttl", directory.negative_ttl, "directory.ttl", directory.ttl),
        ("reads.wait", reads.wait, "timeouts.call", timeouts.call),
    ];
    if let Some((key, time, whole, limit)) = within.iter().find(|(_, time, _, limit)| time > limit) {
        return Err(format!(
            "`{key}` ({time:?}) is longer than `{whole}` ({limit:?}), so it would never run out: lower the first or \
             raise the second"
        ));
    }
    if let Some(percentile) = reads.hedge_percentile.filter(|percentile| !(50..=99).contains(percentile)) {
        return Err(format!(
            "`reads.hedge_percentile` is {percentile}: write 50 to 99, such as 95 for reads that take longer than 95 of a hundred"
        ));
    }
    let lags = [Some(reads.max_lag), max_lag(reads.consistency)];
    if let Some(lag) = lags.into_iter().flatten().find(|lag| *lag <= reads.probe_interval) {
        return Err(format!(
            "`reads.max_lag` ({lag:?}) is not longer than `reads.probe_interval` ({:?}), so that no standby could be known to \
             be that fresh: raise the first or lower the second",
            reads.probe_interval
        ));
    }
    if config.residency != Residency::Off && config.regions.is_empty() {
        return Err("`residency` needs to know the `regions`: write `regions = [\"eu\", \"us\"]`".to_owned());
    }
    if config.residency == Residency::Strict && config.local_region.is_none() {
        return Err(
            "`residency = \"strict\"` needs to know where this process runs: write `local_region = \"eu\"`, or \
                    whichever of the `regions` it is"
                .to_owned(),
        );
    }
    if config.channel_binding == ChannelBinding::Require && tls.is_none() {
        return Err(
            "`channel_binding = \"require\"` needs TLS, which is what it binds to: add a `tls` table (in a URL, \
                    `sslmode=verify-full`)"
                .to_owned(),
        );
    }
    if let Some(file) = &config.passfile {
        passfile::check(file).map_err(|reason| format!("`passfile`: {reason}"))?;
    }
    if let Some(tls) = tls {
        match (&tls.cert_file, &tls.key_file) {
            (Some(_), None) => return Err(missing_pair("tls.key_file", "tls.cert_file")),
            (None, Some(_)) => return Err(missing_pair("tls.cert_file", "tls.key_file")),
            _ => {}
        }
    }
    if let Some(region) =
        config.local_region.filter(|region| !config.regions.is_empty() && !config.regions.contains(region))
    {
        return Err(format!(
            "`local_region` is \"{region}\", which is not among `regions`: add it there, or correct it"
        ));
    }
    if let Some(twice) = repeated(&config.contact_points).or(repeated(&config.replicas)) {
        return Err(format!("{twice} is listed twice in `contact_points` or in `replicas`: keep one"));
    }
    if let Some(count) = config.shard_count.filter(|count| !(1..=MOST_SHARDS).contains(count)) {
        return Err(format!("`shard_count` is {count}: write 1 to {MOST_SHARDS}"));
    }
    if config.analytics.password.is_some() && config.analytics.user.is_none() {
        return Err("`analytics.password` is given without `analytics.user`: name the role that it is of".to_owned());
    }
    roles(&config.policy)?;
    config.health.thresholds.check()?;
    if let Some(both) = config.replicas.iter().find(|replica| config.contact_points.contains(replica)) {
        return Err(format!("{both} is a contact point and a replica: a standby belongs to `replicas` alone"));
    }
    Ok(())
}

fn max_lag(consistency: Consistency) -> Option<Duration> {
    match consistency {
        Consistency::ReplicaOk { max_lag, .. } => Some(max_lag),
        Consistency::Primary | Consistency::Session => None,
    }
}

fn roles(policy: &Policy) -> Checked<()> {
    let Policy::RowLevelSecurity { application_role, analytics_role } = policy else { return Ok(()) };
    for (key, role) in [("application_role", Some(application_role)), ("analytics_role", analytics_role.as_ref())] {
        let Some(role) = role else { continue };
        // What PostgreSQL keeps for itself, or would cut off.
        let is_taken = role.starts_with("pg_") || ["public", "none"].contains(&role.as_str());
        if role.is_empty() || role.len() > LONGEST_NAME || role.contains('\0') || is_taken {
            return Err(format!("`{key}` is \"{role}\", which is no name for a role: write one of 1 to 63 bytes"));
        }
    }
    if analytics_role.as_ref() == Some(application_role) {
        return Err(format!(
            "`application_role` and `analytics_role` are both \"{application_role}\": a role that sees every tenant's rows \
             holds nobody to one"
        ));
    }
    Ok(())
}

/// PostgreSQL cuts longer names off without an error.
const LONGEST_NAME: usize = 63;

/// PostgreSQL's own limit for `max_connections`.
const MOST_CONNECTIONS: u32 = 262_143;

/// Beyond this a queue is no pipeline any more.
const DEEPEST: u32 = 4_096;

/// Citus's own limit for `citus.shard_count`.
const MOST_SHARDS: u32 = 64_000;

const LONGEST: Duration = Duration::from_secs(24 * 86_400);

fn missing_pair(missing: &str, given: &str) -> String {
    format!("`{missing}` is missing, and `{given}` is given: a client's certificate needs both")
}

fn repeated(endpoints: &[Endpoint]) -> Option<&Endpoint> {
    endpoints
        .iter()
        .enumerate()
        .find(|(at, endpoint)| endpoints[..*at].contains(endpoint))
        .map(|(_, endpoint)| endpoint)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::config::{ChannelBinding, Config, Policy, PoolConfig, Timeouts, Tls, Verify};

    const LEAST: &str = "[default]\ncontact_points = [\"db\"]\ndatabase = \"d\"\nuser = \"u\"\n";

    fn config(more: &str) -> Result<Config, String> {
        Config::from_toml(&format!("{LEAST}{more}")).map_err(|error| error.to_string())
    }

    fn refused(more: &str) -> String {
        config(more).expect_err("a mistake")
    }

    #[test]
    fn what_is_not_written_has_a_default() {
        let config = config("").expect("valid");
        assert_eq!((config.pool, config.timeouts), (PoolConfig::default(), Timeouts::default()));
        assert_eq!((config.tls, config.password), (None, None));
    }

    #[test]
    fn a_missing_value_names_its_key_and_its_variable() {
        let error = Config::from_toml("[default]\nuser = \"u\"\ndatabase = \"d\"").expect_err("no contact point");
        assert_eq!(
            error.to_string(),
            "the TOML text: `contact_points` is missing: write `contact_points = [\"host:5432\"]`, or set \
             SHARDWISE_CONTACT_POINTS"
        );
    }

    #[test]
    fn tls_verifies_everything_unless_told_otherwise() {
        assert_eq!(config("[default.tls]").expect("valid").tls, Some(Tls::default()));
        let ca = config("[default.tls]\nmode = \"verify-ca\"").expect("valid").tls.expect("TLS");
        assert_eq!(ca.verify, Verify::Ca);
        assert_eq!(config("[default.tls]\nmode = \"off\"").expect("valid").tls, None);
    }

    #[test]
    fn a_policy_comes_with_its_roles() {
        assert_eq!(config("").expect("valid").policy, Policy::None);
        let on = "policy = \"row_level_security\"\napplication_role = \"app\"";
        let policy = Policy::row_level_security("app");
        assert_eq!(config(on).expect("valid").policy, policy);
        let both = config(&format!("{on}\nanalytics_role = \"all\"")).expect("valid");
        assert_eq!(both.policy, policy.with_analytics_role("all"));
        let off = config("policy = \"none\"\napplication_role = \"app\"").expect("valid");
        assert_eq!(off.policy, Policy::None);
        let unknown = refused("policy = \"rls\"");
        assert!(unknown.contains("unknown variant `rls`, expected `none` or `row_level_security`"), "{unknown}");
    }

    #[test]
    fn contradictions_name_both_sides() {
        for (more, told) in [
            ("pool = { max_connections = 0 }", "`pool.max_connections` is 0"),
            (
                "pool = { min_idle = 12 }",
                "`pool.min_idle` (12) is larger than what `pool.max_connections` (16) has besides the 5 shared ones",
            ),
            (
                "pool = { shared_connections = 16 }",
                "`pool.shared_connections` (16) leaves nothing of `pool.max_connections` (16) for transactions",
            ),
            ("pool = { shared_depth = 0 }", "`pool.shared_depth` is 0: write 1 to 4096"),
            ("pool = { shared_limit = \"1ns\" }", "`pool.shared_limit` is shorter than a millisecond"),
            (
                "pool = { shared_limit = \"31s\" }",
                "`pool.shared_limit` (31s) is longer than `timeouts.statement` (30s)",
            ),
            ("pool = { max_waiting = 0 }", "`pool.max_waiting` is 0"),
            ("timeouts = { connect = \"0s\" }", "`timeouts.connect` is no time at all"),
            (
                "residency = \"strict\"\nregions = [\"eu\"]",
                "`residency = \"strict\"` needs to know where this process runs: write `local_region = \"eu\"`",
            ),
            ("timeouts = { call = \"1000d\" }", "`timeouts.call` is longer than 24 days"),
            ("timeouts = { statement = \"2m\" }", "`timeouts.statement` (120s) is longer than `timeouts.call` (60s)"),
            ("tls = { cert_file = \"c\" }", "`tls.key_file` is missing"),
            ("password = \"p\"\npassword_file = \"f\"", "`password` and `password_file` are both given"),
            ("residency = \"strict\"", "`residency` needs to know the `regions`"),
            ("analytics = { max_connections = 0 }", "`analytics.max_connections` is 0"),
            ("analytics = { call = \"1s\" }", "`analytics.checkout` (30s) is longer than `analytics.call` (1s)"),
            ("directory = { ttl = \"1ms\" }", "`directory.negative_ttl` (100ms) is longer than `directory.ttl` (1ms)"),
            (
                "reads = { consistency = \"replica_ok\" }",
                "needs to know how old what is read may be: write `reads.max_lag",
            ),
            (
                "reads = { consistency = \"replica_ok\", max_lag = \"1s\" }",
                "\"primary\" or \"fail\": write `reads.otherwise = \"primary\"`",
            ),
            (
                "reads = { max_lag = \"100ms\" }",
                "`reads.max_lag` (100ms) is not longer than `reads.probe_interval` (100ms)",
            ),
            ("reads = { hedge_percentile = 100 }", "`reads.hedge_percentile` is 100: write 50 to 99"),
            ("reads = { probe_interval = \"0s\" }", "`reads.probe_interval` is no time at all"),
            ("local_region = \"eu\"\nregions = [\"us\"]", "`local_region` is \"eu\", which is not among `regions`"),
            ("replicas = [\"db:5432\"]", "db:5432 is a contact point and a replica"),
            ("replicas = [\"r\", \"r:5432\"]", "r:5432 is listed twice"),
            ("shard_count = 0", "`shard_count` is 0: write 1 to 64000"),
            ("shard_count = 64001", "`shard_count` is 64001"),
            ("policy = \"row_level_security\"", "`application_role` is missing: write `application_role = "),
            ("application_role = \"app\"", "`application_role` is for row level security"),
            ("analytics_role = \"r\"", "`analytics_role` is for row level security"),
            ("policy = \"row_level_security\"\napplication_role = \"public\"", "which is no name for a role"),
            (
                "policy = \"row_level_security\"\napplication_role = \"a\"\nanalytics_role = \"a\"",
                "`application_role` and `analytics_role` are both \"a\"",
            ),
            ("analytics = { password = \"p\" }", "`analytics.password` is given without `analytics.user`"),
            ("nodes.\"db:5432\" = {}", "`nodes.\"db:5432\"` changes nothing"),
            ("url = \"postgres://a@b/c\"", "profile `default`: `url` and `contact_points` are both given"),
            ("password_file = \"/nowhere\"", "`password_file`: /nowhere can't be read"),
            ("password_file = \"f\"\npassfile = \"f\"", "`password_file` and `passfile` are both given"),
            ("passfile = \"/nowhere\"", "`passfile`: /nowhere can't be read"),
            ("passfile = \"/\"", "`passfile`: / is not a plain file"),
            ("channel_binding = \"require\"", "`channel_binding = \"require\"` needs TLS"),
            (
                "channel_binding = \"always\"",
                "unknown variant `always`, expected one of `disable`, `prefer`, `require`",
            ),
            ("application_name = \"a\\u0000b\"", "`application_name` has a zero byte"),
            ("password = \"a\\u0000b\"", "the password has a zero byte"),
            ("nodes.\"db:5432\".host = \"u:p@h\"", "`nodes.\"db:5432\".host` is no host"),
        ] {
            let error = refused(more);
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn setters_check_as_the_file_does() {
        let config = config("").expect("valid");
        assert!(config.clone().with_max_connections(0).is_err());
        let timeouts = Timeouts { statement: Duration::ZERO, ..Timeouts::default() };
        assert!(config.clone().with_timeouts(timeouts).is_err());
        assert!(config.clone().with_channel_binding(ChannelBinding::Require).is_err());
        let bound =
            config.with_tls(Some(Tls::default())).and_then(|it| it.with_channel_binding(ChannelBinding::Require));
        assert!(bound.expect("valid").with_tls(None).is_err(), "without TLS there is nothing to bind to");
    }

    #[test]
    fn a_password_is_not_shown_by_debug() {
        let shown = format!("{:?}", config("password = \"tell nobody\"").expect("valid"));
        assert!(shown.contains("***") && !shown.contains("tell nobody"), "{shown}");
    }
}
