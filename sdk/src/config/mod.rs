//! Configuration: one TOML file with profiles, overridden by the environment. Parsed means valid.
//!
//! ```toml
//! # shardwise.toml. `[default]` holds for all profiles; SHARDWISE_PROFILE=prod lays `[prod]` over it.
//! [default]
//! mode = "auto"                              # auto | single | citus
//! contact_points = ["127.0.0.1:5432"]        # host, host:port or /folder/of/a/socket; tried in order
//! database = "festivals"
//! user = "app"
//!
//! [default.pool]                             # of each node
//! max_connections = 16
//! shared_connections = 5                     # of them, for single statements of many tasks at once; a third if not given
//! shared_depth = 32                          # statements under way on each shared one
//! shared_limit = "100ms"                     # a longer statement is moved to a connection of its own
//! max_waiting = 10000                        # for a connection; whoever comes then is refused at once
//! min_idle = 0
//! idle_timeout = "10m"
//! max_lifetime = "30m"
//! statement_cache = 256                      # prepared statements kept by each connection
//!
//! [default.timeouts]
//! connect = "2s"                             # socket, TLS and log-in
//! checkout = "5s"                            # waiting for a free connection
//! statement = "30s"                          # one statement; it is cancelled on the server
//! call = "60s"                               # a whole call, retries and waits included
//!
//! [default.topology]                         # Citus: how the layout of the cluster is kept up to date
//! refresh_interval = "30s"                   # read whole
//! probe_interval = "1s"                      # asked whether it changed
//! watch = "sample"                           # all | sample | off: connections on which a detour is noticed
//!
//! [default.directory]                        # home regions, and reference entities by unique columns
//! capacity = 10000
//! ttl = "1m"
//! negative_ttl = "100ms"                     # how long "there is none" is believed
//!
//! [default.reads]                            # from which servers reads may come
//! consistency = "primary"                    # primary | replica_ok (with max_lag and otherwise) | session
//! max_lag = "10s"                            # a standby lacks nothing that is older
//! wait = "50ms"                              # session: for a standby to have what was written; then to the primary
//! probe_interval = "100ms"                   # standbys are asked how far they are
//! hedge_percentile = 95                      # a read that takes longer than 95 of 100 goes to a second place; none if not given
//!
//! [default.health]                           # what `health()` judges by, and the alerts; shares are in percent
//! latency_p95 = { warning = "100ms", critical = "500ms" }
//! connections = { warning = 70, critical = 90 }
//! replication_lag = { warning = "1s", critical = "10s" }
//! disk = { warning = 70, critical = 85 }
//! cache_hit_ratio = { warning = 90, critical = 80 }
//! topology_age = { warning = "2m", critical = "10m" }
//! size_interval = "1m"                       # how often servers are asked what they have on their disks
//!
//! [default.analytics]                        # work across tenants, with connections of its own
//! max_connections = 4
//! checkout = "30s"
//! statement = "10m"
//! call = "15m"
//!
//! [default.cache]                            # rows of entities with `cache`: features `cache` and `redis`
//! store = "off"                              # off | memory | redis | two_tier: memory with Redis behind it
//! prefix = "shardwise"                       # of all keys in Redis
//! memory_bytes = 67108864                    # of this process
//! largest_bytes = 1048576                    # a larger row is not kept
//! response_limit = "30ms"                    # Redis has to answer within that, or the database is asked
//! lease = "2s"                               # for the one reader who loads what others wait for
//!
//! [prod]
//! mode = "citus"
//! contact_points = ["coordinator-1.example.org", "coordinator-2.example.org"]
//! password_file = "/run/secrets/postgres"    # or password, or passfile: see below
//! channel_binding = "require"                # disable | prefer (the default) | require: SCRAM bound to the TLS connection
//! local_region = "eu"                        # where this process runs
//! regions = ["eu", "us"]                     # all that there are
//! residency = "strict"                       # off (the default) | prefer | strict: may data leave the home region?
//! check_rows = "always"                      # debug (the default) | always | never: hold rows against the tenant's key
//! replicas = ["replica-1.example.org"]       # standbys of the primary, or of workers, one per address; never contact points
//! pooler = "transaction"                     # auto (the default) | none | session | transaction: PgBouncer and the like
//! reads.consistency = "replica_ok"
//! reads.max_lag = "1s"
//! reads.otherwise = "primary"                # primary | fail: where no standby is that fresh
//! analytics.endpoint = "coordinator-standby.example.org" # the coordinator where it is not given
//! shard_count = 64                           # of new tables on Citus; without it the server's citus.shard_count
//! policy = "row_level_security"              # none (the default): does the database itself keep tenants apart?
//! application_role = "festival_app"          # made by `apply`; `user` is a member of it, or is it
//! analytics_role = "festival_reports"        # made by `apply`; it reads all tenants' rows: for `analytics.user`
//! health.disk_size = "500GB"                 # of each node: no server tells it, and without it nobody knows how full it is
//! analytics.user = "reports"                 # `user` where it is not given
//! analytics.password_file = "/run/secrets/reports"
//!
//! [prod.cache]
//! store = "two_tier"
//! redis = ["cache-1.example.org", "cache-2.example.org:26379"]
//! redis_mode = "sentinel"                    # single (the default) | sentinel | cluster
//! redis_master = "festivals"                 # by which name the Sentinels know the primary
//! redis_user = "app"
//! redis_password_file = "/run/secrets/redis" # or redis_password
//! redis_database = 0
//! redis_tls.ca_file = "certs/ca.pem"         # a `redis_tls` table turns TLS on; its keys are those of `tls`
//!
//! [prod.tls]                                 # a `tls` table turns TLS on
//! mode = "verify-full"                       # verify-full (the default) | verify-ca | off
//! ca_file = "certs/ca.pem"                   # without it, the system's CAs; relative to this file
//! cert_file = "certs/client.pem"             # this client's certificate, where the servers ask for one …
//! key_file = "certs/client.key"              # … and its key, which nobody else may be able to read
//!
//! [prod.nodes."10.0.1.5:5432"]               # how this process reaches a node that is known by another address
//! host = "worker-1.example.org"
//! pooler = "none"                            # this one is reached as it is
//! disk_size = "2TB"                          # and has more room
//!
//! [prod.nodes."10.0.1.6:5432"]               # whichever of these is the primary
//! hosts = ["worker-2a.example.org", "worker-2b.example.org"]
//!
//! [prod.nodes."replica-1.example.org:5432"]
//! region = "eu"                              # where it stands, if it is not known to the database: that of its primary else
//! ```
//!
//! Every key can be set by a variable: `SHARDWISE_` and its path in capitals, two underscores for a dot, commas between
//! the entries of a list: `SHARDWISE_POOL__MAX_CONNECTIONS=32`, `SHARDWISE_CONTACT_POINTS=db-1,db-2:5433`. The
//! environment wins over the file. `url` stands for the keys that a `postgres://` URL can name.
//!
//! **Passwords** come from the first of these that gives one:
//!
//! 1. [`Config::with_password`], [`Config::with_passfile`];
//! 2. the environment: `SHARDWISE_PASSWORD`, `SHARDWISE_PASSWORD_FILE`, `SHARDWISE_PASSFILE` or `SHARDWISE_URL`;
//! 3. the file: `password`, `password_file`, `passfile` or `url`, those of the profile before those of `[default]`;
//! 4. with [`Config::load`] alone, libpq's password file: the one that `PGPASSFILE` names, else `~/.pgpass`.
//!
//! Two of them in one layer are an error. A `password_file` holds the password and nothing else; newlines at its end are not
//! part of it, and where others than its owner can read it (or the group, if it is root's) a warning says so. A `passfile`
//! has libpq's format, `host:port:database:user:password`, and is asked for each node by the address at which the node is
//! reached; it must have the permissions `0600` or less. One that is named by a setting has to be there and to have them;
//! libpq's own is ignored otherwise, with a warning where others can access it. A `password_file` is read when the
//! configuration is loaded, a `passfile` when a node is first connected to: a changed password needs a new
//! [`Cluster`](crate::Cluster).
//!
//! Unknown keys and variables, contradictions and missing values are errors that name the place, the key and the fix.

mod cache;
mod check;
mod check_cache;
mod env;
mod file;
mod health;
mod nodes;
mod passfile;
mod permissions;
mod reads;
mod secret_file;
mod settings;
mod url;
mod values;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::topology::{Region, Residency};
use settings::Settings;

pub use cache::{CacheConfig, CacheStore, RedisConfig, RedisEndpoint, RedisMode};
pub use health::{Bounds, HealthConfig, Thresholds};
pub(crate) use permissions::{is_open_to_others, is_open_to_strangers};
pub use reads::{Consistency, Otherwise, ReadsConfig};
pub use values::{
    AnalyticsConfig, ChannelBinding, CheckRows, DirectoryConfig, Endpoint, EndpointError, Mode, NodeOverride, Policy,
    PoolConfig, Pooler, Secret, Timeouts, Tls, TopologyConfig, Verify, Watch,
};

/// Where the file is when `SHARDWISE_CONFIG` does not say so.
const DEFAULT_FILE: &str = "shardwise.toml";

/// A valid configuration.
///
/// ```
/// use shardwise::{Config, Mode};
///
/// let config = Config::from_toml(
///     r#"
///     [default]
///     contact_points = ["db.example.org"]
///     database = "festivals"
///     user = "app"
///     "#,
/// )?;
/// assert_eq!(config.contact_points()[0].to_string(), "db.example.org:5432");
/// assert_eq!(config.mode(), Mode::Auto);
/// # Ok::<(), shardwise::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Config {
    pub(crate) mode: Mode,
    pub(crate) contact_points: Vec<Endpoint>,
    pub(crate) database: String,
    pub(crate) user: String,
    pub(crate) password: Option<Secret>,
    /// Never given together with a password.
    pub(crate) passfile: Option<PathBuf>,
    /// The files that passwords were read from.
    pub(crate) password_files: Vec<PathBuf>,
    pub(crate) channel_binding: ChannelBinding,
    pub(crate) application_name: String,
    pub(crate) tls: Option<Tls>,
    pub(crate) pool: PoolConfig,
    pub(crate) timeouts: Timeouts,
    pub(crate) local_region: Option<Region>,
    pub(crate) regions: Vec<Region>,
    pub(crate) residency: Residency,
    pub(crate) check_rows: CheckRows,
    pub(crate) topology: TopologyConfig,
    pub(crate) directory: DirectoryConfig,
    pub(crate) reads: ReadsConfig,
    pub(crate) analytics: AnalyticsConfig,
    pub(crate) cache: CacheConfig,
    pub(crate) replicas: Vec<Endpoint>,
    pub(crate) pooler: Pooler,
    pub(crate) nodes: BTreeMap<Endpoint, NodeOverride>,
    pub(crate) shard_count: Option<u32>,
    pub(crate) health: HealthConfig,
    pub(crate) policy: Policy,
}

impl Config {
    /// The file that `SHARDWISE_CONFIG` names, else `shardwise.toml` in the working directory, else no file at all;
    /// its profile `SHARDWISE_PROFILE`; over them the other variables that begin with `SHARDWISE_`. Where none of them gives
    /// a password, libpq's password file is asked.
    ///
    /// # Errors
    /// [`ErrorKind::Config`], naming the place, the key and the fix.
    pub fn load() -> Result<Self> {
        Self::load_with(None, None)
    }

    /// The same, with this file and this profile in place of those that the variables name: for a program that has them as
    /// arguments.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_with(file: Option<&Path>, profile: Option<&str>) -> Result<Self> {
        let mut environment = env::read()?;
        environment.file = file.map(Path::to_owned).or(environment.file);
        environment.profile = profile.map(str::to_owned).or(environment.profile);
        let (path, wanted) = match &environment.file {
            Some(path) => (path.clone(), true),
            None => (PathBuf::from(DEFAULT_FILE), false),
        };
        let (settings, place) = if wanted || path.exists() {
            file::read(&path, environment.profile.as_deref())?
        } else if let Some(profile) = &environment.profile {
            return Err(bad(format!(
                "SHARDWISE_PROFILE is {profile:?}, but there is no {DEFAULT_FILE} in the working directory: \
                 name the file in SHARDWISE_CONFIG"
            )));
        } else {
            (Settings::default(), format!("no {DEFAULT_FILE} in the working directory"))
        };
        let settings = environment.settings.over(settings);
        let config = check::check(settings, &format!("{place} and SHARDWISE_… variables"))?;
        let asks = config.password.is_none() && config.passfile.is_none();
        Ok(Self { passfile: if asks { passfile::usual(environment.passfile) } else { config.passfile }, ..config })
    }

    /// Whether there is a file or a variable from which [`load`](Self::load) would take anything.
    #[cfg(feature = "cli")]
    pub(crate) fn is_there() -> bool {
        Path::new(DEFAULT_FILE).exists() || env::says_anything()
    }

    /// This file and nothing else: no environment. `profile` is laid over `[default]`.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_from(path: impl AsRef<Path>, profile: Option<&str>) -> Result<Self> {
        let (settings, place) = file::read(path.as_ref(), profile)?;
        check::check(settings, &place)
    }

    /// The `[default]` profile of a text such as the file has, and nothing else. Relative paths start at the working
    /// directory.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn from_toml(text: &str) -> Result<Self> {
        let place = "the TOML text";
        check::check(file::parse(text, place, None)?, place)
    }

    /// `postgres://user:password@host:port/database?…`, with several hosts separated by commas. The parameters are
    /// `application_name`, `connect_timeout`, `passfile`, `channel_binding`, `sslmode`, `sslrootcert`, `sslcert` and `sslkey`,
    /// as libpq has them; the modes of TLS are `disable` (the default), `verify-ca` and `verify-full`, for a connection
    /// that does not know whom it talks to hides nothing.
    ///
    /// ```
    /// let config = shardwise::Config::from_url("postgres://app@db.example.org/festivals?sslmode=verify-full")?;
    /// # Ok::<(), shardwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`load`](Self::load). The URL itself is never shown: it may hold a password.
    pub fn from_url(url: &str) -> Result<Self> {
        let settings = url::parse(url).map_err(|reason| bad(format!("the URL: {reason}")))?;
        check::check(settings, "the URL")
    }

    /// The mode that was asked for; [`Cluster::mode`](crate::Cluster::mode) tells the one in use.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Where to connect first, in order.
    #[must_use]
    pub fn contact_points(&self) -> &[Endpoint] {
        &self.contact_points
    }

    /// The database's name.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The role that logs in.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// How TLS is used; `None` where it is off.
    #[must_use]
    pub fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }

    /// Whether log-ins are bound to their TLS connection.
    #[must_use]
    pub fn channel_binding(&self) -> ChannelBinding {
        self.channel_binding
    }

    /// The pool of each node.
    #[must_use]
    pub fn pool(&self) -> &PoolConfig {
        &self.pool
    }

    /// The time limits.
    #[must_use]
    pub fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    /// How many shards the first table of a co-location group is distributed to on Citus; `None` where the server's
    /// `citus.shard_count` decides. Tables that are distributed already keep theirs.
    #[must_use]
    pub fn shard_count(&self) -> Option<u32> {
        self.shard_count
    }

    /// How the cluster's health is judged.
    #[must_use]
    pub fn health(&self) -> &HealthConfig {
        &self.health
    }

    /// How the database itself keeps tenants apart.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Asks for this mode.
    #[must_use]
    pub fn with_mode(self, mode: Mode) -> Self {
        Self { mode, ..self }
    }

    /// Logs in to this database.
    #[must_use]
    pub fn with_database(self, database: impl Into<String>) -> Self {
        Self { database: database.into(), ..self }
    }

    /// Logs in as this role.
    #[must_use]
    pub fn with_user(self, user: impl Into<String>) -> Self {
        Self { user: user.into(), ..self }
    }

    /// Logs in with this password, or without one; no password file is asked.
    #[must_use]
    pub fn with_password(self, password: Option<&str>) -> Self {
        Self { password: password.map(Secret::new), passfile: None, ..self }
    }

    /// Logs in to each node with the password that this file has for it, in libpq's format.
    ///
    /// # Errors
    /// A file that can't be read, or that others than its owner can.
    pub fn with_passfile(self, file: impl Into<PathBuf>) -> Result<Self> {
        check::checked(Self { password: None, passfile: Some(file.into()), ..self })
    }

    /// Whether log-ins are bound to their TLS connection.
    ///
    /// # Errors
    /// [`ChannelBinding::Require`] without TLS.
    pub fn with_channel_binding(self, channel_binding: ChannelBinding) -> Result<Self> {
        check::checked(Self { channel_binding, ..self })
    }

    /// The name that `pg_stat_activity` shows.
    #[must_use]
    pub fn with_application_name(self, name: impl Into<String>) -> Self {
        Self { application_name: name.into(), ..self }
    }

    /// Says when rows that come back are held against the tenant's key.
    #[must_use]
    pub fn with_check_rows(self, check_rows: CheckRows) -> Self {
        Self { check_rows, ..self }
    }

    pub(crate) fn checks_rows(&self) -> bool {
        self.check_rows.now()
    }

    /// Distributes new co-location groups to this many shards on Citus.
    ///
    /// # Errors
    /// None at all, or more than Citus takes (64,000).
    pub fn with_shard_count(self, shard_count: Option<u32>) -> Result<Self> {
        check::checked(Self { shard_count, ..self })
    }

    /// Has the database itself keep tenants apart, or not.
    ///
    /// # Errors
    /// A role without a name that PostgreSQL takes, or one role for both.
    pub fn with_policy(self, policy: Policy) -> Result<Self> {
        check::checked(Self { policy, ..self })
    }

    /// Turns TLS on or off.
    ///
    /// # Errors
    /// A client's certificate without its key, or the reverse.
    pub fn with_tls(self, tls: Option<Tls>) -> Result<Self> {
        check::checked(Self { tls, ..self })
    }

    /// At most this many connections to each node.
    ///
    /// # Errors
    /// None at all, or fewer than `min_idle`.
    pub fn with_max_connections(self, max_connections: u32) -> Result<Self> {
        let pool = PoolConfig { max_connections, ..self.pool };
        self.with_pool(pool)
    }

    /// The pool of each node.
    ///
    /// # Errors
    /// Numbers that contradict each other.
    pub fn with_pool(self, pool: PoolConfig) -> Result<Self> {
        check::checked(Self { pool, ..self })
    }

    /// Where this process runs: nodes of this region are the nearest.
    ///
    /// # Errors
    /// A region that is not among `regions`, where these are given.
    pub fn with_local_region(self, region: Region) -> Result<Self> {
        check::checked(Self { local_region: Some(region), ..self })
    }

    /// All the regions that there are.
    ///
    /// # Errors
    /// When `local_region` is not among them.
    pub fn with_regions(self, regions: impl IntoIterator<Item = Region>) -> Result<Self> {
        check::checked(Self { regions: regions.into_iter().collect(), ..self })
    }

    /// What happens to tenants whose data can't be reached within their home region.
    ///
    /// # Errors
    /// When `regions` are not given.
    pub fn with_residency(self, residency: Residency) -> Result<Self> {
        check::checked(Self { residency, ..self })
    }

    /// How the cluster's layout is kept up to date.
    ///
    /// # Errors
    /// Intervals of nothing.
    pub fn with_topology(self, topology: TopologyConfig) -> Result<Self> {
        check::checked(Self { topology, ..self })
    }

    /// What is kept of the directory.
    ///
    /// # Errors
    /// Times that contradict each other.
    pub fn with_directory(self, directory: DirectoryConfig) -> Result<Self> {
        check::checked(Self { directory, ..self })
    }

    /// What stands between this process and the nodes.
    #[must_use]
    pub fn with_pooler(self, pooler: Pooler) -> Self {
        Self { pooler, ..self }
    }

    /// Where work over many tenants goes.
    ///
    /// # Errors
    /// Numbers that contradict each other.
    pub fn with_analytics(self, analytics: AnalyticsConfig) -> Result<Self> {
        check::checked(Self { analytics, ..self })
    }

    /// Tries these contact points, in order.
    ///
    /// # Errors
    /// None at all, or one that is listed twice.
    pub fn with_contact_points(self, contact_points: impl IntoIterator<Item = Endpoint>) -> Result<Self> {
        check::checked(Self { contact_points: contact_points.into_iter().collect(), ..self })
    }

    /// Reaches the node that is known as `known` by another address.
    #[must_use]
    pub fn with_node(mut self, known: Endpoint, address: NodeOverride) -> Self {
        self.nodes.insert(known, address);
        self
    }

    /// The password for the node that is reached at this address.
    pub(crate) fn password_for(&self, host: &str, port: u16) -> Result<Option<Secret>> {
        let (None, Some(file)) = (&self.password, &self.passfile) else { return Ok(self.password.clone()) };
        let login = passfile::Login { host, port, database: &self.database, user: &self.user };
        passfile::look_up(file, login).map_err(|reason| bad(format!("the password file: {reason}")))
    }

    /// The same with the log-in, the connections and the limits of the work over many tenants.
    pub(crate) fn as_analytics(&self) -> Self {
        let mut config = self.clone();
        // Each of its statements may take long.
        let (max_connections, shared_connections, min_idle) = (self.analytics.max_connections, Some(0), 0);
        config.pool = PoolConfig { max_connections, shared_connections, min_idle, ..config.pool };
        config.timeouts.checkout = self.analytics.checkout;
        if let Some(user) = &self.analytics.user {
            config.user.clone_from(user);
            config.password.clone_from(&self.analytics.password);
        }
        config
    }

    /// Judges health by these.
    ///
    /// # Errors
    /// A warning that comes after what is critical, or a share that is none.
    pub fn with_health(self, health: HealthConfig) -> Result<Self> {
        check::checked(Self { health, ..self })
    }

    /// The time limits.
    ///
    /// # Errors
    /// A limit of nothing, or one that a longer one makes void.
    pub fn with_timeouts(self, timeouts: Timeouts) -> Result<Self> {
        check::checked(Self { timeouts, ..self })
    }
}

fn bad(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, message)
}

#[cfg(test)]
mod tests {
    use super::{check, file};

    /// The example above, as a reader would copy it.
    fn example() -> String {
        let lines = include_str!("mod.rs").lines().filter_map(|line| line.strip_prefix("//!"));
        let within = lines.skip_while(|line| *line != " ```toml").skip(1).take_while(|line| *line != " ```");
        within.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_documented_file_is_valid_in_each_profile() {
        let default = check::check(file::parse(&example(), "example", None).expect("it parses"), "example");
        let usual = super::PoolConfig::default();
        let written = super::PoolConfig { shared_connections: Some(usual.shared()), ..usual };
        assert_eq!(default.expect("valid").pool, written, "it shows the defaults");
        let mut prod = file::parse(&example(), "example", Some("prod")).expect("it parses");
        // A secret that this machine does not have.
        assert!(prod.password_file.take().is_some());
        assert!(prod.analytics.as_mut().and_then(|analytics| analytics.password_file.take()).is_some());
        let cache = prod.cache.as_mut().expect("a cache");
        assert!(cache.redis_password_file.take().is_some());
        cache.redis_password = Some(super::Secret::new("in place of the file"));
        if !cfg!(feature = "redis") {
            cache.store = None;
        }
        let prod = check::check(prod, "example").expect("valid");
        assert_eq!((prod.contact_points.len(), prod.nodes.len()), (2, 3));
    }
}
