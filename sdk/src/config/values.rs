//! The values of a configuration.

use std::error::Error as StdError;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::topology::Region;

/// How the servers are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Citus where the database has the extension, else single. The choice is logged.
    #[default]
    Auto,
    /// One PostgreSQL server: every statement goes to it.
    Single,
    /// A Citus cluster: an error where the database lacks the extension.
    Citus,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Single => "single",
            Self::Citus => "citus",
        })
    }
}

/// The address of a node: `host:port`. A host that begins with `/` is the folder of a Unix socket.
///
/// ```
/// use shardwise::config::Endpoint;
///
/// let endpoint: Endpoint = "db.example.org".parse()?;
/// assert_eq!(endpoint.port, 5432);
/// assert_eq!("[::1]:5433".parse::<Endpoint>()?.host, "::1");
/// # Ok::<(), shardwise::config::EndpointError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// A name, an address, or the folder of a Unix socket.
    pub host: String,
    /// The port; 5432 where none is given.
    pub port: u16,
}

impl Endpoint {
    /// PostgreSQL's own port.
    pub const DEFAULT_PORT: u16 = 5432;
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// A text that is no [`Endpoint`]. One with an `@` is not kept, for what stands before it may be a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointError(Option<String>);

impl EndpointError {
    fn new(text: &str) -> Self {
        Self(Some(text.to_owned()).filter(|text| !text.contains('@')))
    }
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(text) => write!(f, "{text:?} is no node")?,
            None => f.write_str("what has an `@` is no node, a URL belongs to `url`")?,
        }
        f.write_str(": write \"host\" or \"host:port\", and \"[::1]:5432\" for an IPv6 address")
    }
}

impl StdError for EndpointError {}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let bad = || EndpointError::new(text);
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => rest
                .split_once(']')
                .map(|(host, port)| (host, port.strip_prefix(':').or(port.is_empty().then_some(":")))),
            None => Some(text.rsplit_once(':').map_or((text, Some(":")), |(host, port)| (host, Some(port)))),
        }
        .ok_or_else(bad)?;
        let port = match port.ok_or_else(bad)? {
            ":" => Self::DEFAULT_PORT,
            port => port.parse().ok().filter(|&port| port != 0).ok_or_else(bad)?,
        };
        let is_host = match text.starts_with('[') {
            true => host.parse::<std::net::Ipv6Addr>().is_ok(),
            false => is_host(host),
        };
        if is_host { Ok(Self { host: host.to_owned(), port }) } else { Err(bad()) }
    }
}

/// Whether it can be a name, an IPv4 address, or the folder of a Unix socket.
pub(super) fn is_host(text: &str) -> bool {
    !text.is_empty()
        && !text.contains([':', ' ', ',', '@'])
        && !text.contains(char::is_control)
        && (text.starts_with('/') || !text.contains('/'))
}

/// A password: never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a password.
    #[must_use]
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into())
    }

    /// The password itself, to be sent and never to be shown.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// TLS to every node, by rustls.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tls {
    /// What of the server's certificate is verified.
    pub verify: Verify,
    /// The certificates (PEM) of the CAs that may have signed the servers'; the system's where it is `None`.
    pub ca_file: Option<PathBuf>,
    /// This client's certificate chain (PEM), where the servers ask for one.
    pub cert_file: Option<PathBuf>,
    /// The key (PEM) of this client's certificate.
    pub key_file: Option<PathBuf>,
}

/// What of the server's certificate is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Verify {
    /// That a known CA signed it, and that it is made out to the host that we connect to: libpq's `verify-full`.
    #[default]
    Full,
    /// That a known CA signed it: libpq's `verify-ca`.
    Ca,
}

/// Whether the log-in proves, besides the password, that both ends see the same TLS connection: SCRAM's channel binding, by
/// the server's certificate. libpq's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelBinding {
    /// It does not.
    Disable,
    /// It does where the connection has TLS and the server offers it.
    #[default]
    Prefer,
    /// It does, or there is no connection: a server that asks for the password in another way, or for none, is refused.
    Require,
}

/// The pool of connections to one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolConfig {
    /// The most connections there can be, the shared ones among them.
    pub max_connections: u32,
    /// How many of them are shared: single statements of many tasks are sent on them one behind the other, without waiting
    /// for each other's answers. A third of these, but one at least, is for statements that write, the rest for those that
    /// read. `None`: a third of `max_connections`, eight at most. With none at all each statement has a connection for
    /// itself, as transactions, streams and COPY always have.
    pub shared_connections: Option<u32>,
    /// How many statements may be under way on a shared connection; more wait for their turn.
    pub shared_depth: u32,
    /// A statement may keep a shared connection busy for so long. One that takes longer, or waits longer for a lock, is
    /// ended by the server, which has it take no effect, and is run on a connection of its own; the next time it goes there
    /// at once.
    pub shared_limit: Duration,
    /// How many may wait for a connection at the same time. Whoever comes then is told at once, by
    /// [`Overloaded`](crate::ErrorKind::Overloaded).
    pub max_waiting: u32,
    /// Connections kept open while there is nothing to do.
    pub min_idle: u32,
    /// An idle connection is closed after this time.
    pub idle_timeout: Duration,
    /// A connection is replaced when it is this old.
    pub max_lifetime: Duration,
    /// Prepared statements that each connection keeps, besides those of the entities.
    pub statement_cache: usize,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self {
            max_connections: 16,
            shared_connections: None,
            shared_depth: 32,
            shared_limit: Duration::from_millis(100),
            max_waiting: 10_000,
            min_idle: 0,
            idle_timeout: Duration::from_secs(10 * 60),
            max_lifetime: Duration::from_secs(30 * 60),
            statement_cache: 256,
        }
    }
}

impl PoolConfig {
    /// How many connections are shared.
    pub(crate) fn shared(&self) -> u32 {
        self.shared_connections.unwrap_or_else(|| (self.max_connections / 3).min(8))
    }
}

/// The time limits. None of them can be turned off: a wait without an end is what takes a service down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Opening a connection: socket, TLS and log-in. A node that does not answer at all is gone around after this time.
    pub connect: Duration,
    /// Waiting for a free connection. Where none could be opened until then, the node counts as one that does not answer.
    pub checkout: Duration,
    /// One statement. When it runs out, the statement is cancelled on the server.
    pub statement: Duration,
    /// A whole call, its waits and retries included.
    pub call: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connect: seconds(2), checkout: seconds(5), statement: seconds(30), call: seconds(60) }
    }
}

/// How the cluster's layout is kept up to date (Citus).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopologyConfig {
    /// The whole layout is read anew after this time, give or take a tenth.
    pub refresh_interval: Duration,
    /// One node is asked this often whether the layout has changed since: a single row.
    pub probe_interval: Duration,
    /// On which connections it is noticed that a node passed a statement on.
    pub watch: Watch,
}

impl Default for TopologyConfig {
    fn default() -> Self {
        let (refresh_interval, probe_interval) = (Duration::from_secs(30), Duration::from_secs(1));
        Self { refresh_interval, probe_interval, watch: Watch::Sample }
    }
}

/// On which connections to workers it is noticed that the worker did not run a statement itself but passed it on: the
/// layout that the client knows has grown old then.
///
/// A watched connection has `citus.log_remote_commands` on, by which a worker reports to the client what it sends to
/// others, and what it runs itself as well: that costs a few microseconds per statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Watch {
    /// On all: the route of each statement is what really happened.
    All,
    /// On one of sixteen, the first one of each node among them: enough to learn of a move, at a sixteenth of the cost.
    #[default]
    Sample,
    /// On none.
    Off,
}

/// When rows that come back are held against the tenant's key, where the statement's result has it: a row of another tenant
/// is an error then, of the kind [`WrongTenant`](crate::ErrorKind::WrongTenant).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckRows {
    /// In builds with debug assertions, as of `cargo build` and `cargo test` without `--release`.
    // Not `Debug`: rustc names traits in full where a crate has something else of that name.
    #[default]
    #[serde(rename = "debug")]
    InDebugBuilds,
    /// In all builds. ARCHITECTURE.md has what it costs.
    Always,
    /// In none.
    Never,
}

impl CheckRows {
    pub(crate) fn now(self) -> bool {
        match self {
            Self::InDebugBuilds => cfg!(debug_assertions),
            Self::Always => true,
            Self::Never => false,
        }
    }
}

/// What is kept of the directory: the home regions of tenants, and reference entities read through
/// [`Directory`](crate::Directory).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryConfig {
    /// The most entries.
    pub capacity: u64,
    /// How long an entry is believed; each one up to a tenth less, so that they don't all end at once.
    pub ttl: Duration,
    /// How long it is believed that there is no such row. Short: another process may have made it.
    pub negative_ttl: Duration,
}

impl Default for DirectoryConfig {
    fn default() -> Self {
        Self { capacity: 10_000, ttl: Duration::from_secs(60), negative_ttl: Duration::from_millis(100) }
    }
}

/// Work over many tenants: [`Cluster::across_shards`](crate::Cluster::across_shards). Its connections are its own, so that
/// it can't keep the tenants' statements waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnalyticsConfig {
    /// Where it goes, such as a read-only standby of the coordinator; to the coordinator where this is `None`.
    pub endpoint: Option<Endpoint>,
    /// The role that logs in there; that of the tenants' statements where this is `None`.
    pub user: Option<String>,
    /// Its password, where it is a role of its own.
    pub password: Option<Secret>,
    /// The most connections.
    pub max_connections: u32,
    /// Waiting for a free connection.
    pub checkout: Duration,
    /// One statement.
    pub statement: Duration,
    /// A whole call.
    pub call: Duration,
}

impl Default for AnalyticsConfig {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        let (endpoint, user, password) = (None, None, None);
        let (checkout, statement, call) = (seconds(30), seconds(600), seconds(900));
        Self { endpoint, user, password, max_connections: 4, checkout, statement, call }
    }
}

/// How the database itself keeps tenants apart, whatever the SQL says.
///
/// ```
/// use shardwise::config::{Config, Policy};
///
/// let policy = Policy::row_level_security("festival_app").with_analytics_role("festival_reports");
/// let config = Config::from_url("postgres://festival_login@db.example.org/festivals")?.with_policy(policy)?;
/// # Ok::<(), shardwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Policy {
    /// It does not: what keeps tenants apart is the SDK's types and what it checks of SQL.
    #[default]
    None,
    /// By PostgreSQL's row level security. [`apply`](crate::admin::Admin::apply) makes the roles, their grants and a policy
    /// per distributed table; each statement of a tenant's session tells the server its tenant, within its own transaction
    /// and its one round trip. A statement that forgets the tenant then reads and writes that tenant's rows alone.
    ///
    /// The service logs in as a member of the application role, or as that role itself; `apply` is run by whoever owns the
    /// tables. A role that the policies don't hold (a superuser, one with BYPASSRLS, the tables' owner) is refused as soon
    /// as it asks for a tenant. A role that sees no tenant's rows is refused on the coordinator and across shards: it would
    /// read nothing, and take that for the answer.
    RowLevelSecurity {
        /// The role that may read and write rows, of one tenant at a time. `apply` makes it without LOGIN: grant it to the
        /// roles that log in (`GRANT festival_app TO festival_login`), or let it log in itself
        /// (`ALTER ROLE festival_app LOGIN PASSWORD …`).
        application_role: String,
        /// A role that may read the rows of all tenants and write none, for
        /// [`Cluster::across_shards`](crate::Cluster::across_shards): `user` of [`AnalyticsConfig`] is a member of it.
        analytics_role: Option<String>,
    },
}

impl Policy {
    /// Row level security with this application role, and no role for analytics.
    #[must_use]
    pub fn row_level_security(application_role: impl Into<String>) -> Self {
        Self::RowLevelSecurity { application_role: application_role.into(), analytics_role: None }
    }

    /// With a role that reads the rows of all tenants. Without row level security every role does.
    #[must_use]
    pub fn with_analytics_role(mut self, role: impl Into<String>) -> Self {
        if let Self::RowLevelSecurity { analytics_role, .. } = &mut self {
            *analytics_role = Some(role.into());
        }
        self
    }

    /// Whether the database holds a tenant's statements to its rows.
    pub(crate) fn is_on(&self) -> bool {
        *self != Self::None
    }
}

/// What stands between this process and a node, and whether a session stays with one server there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooler {
    /// It is found out when the node is first connected to, and logged.
    #[default]
    Auto,
    /// Nothing that matters: the server itself, or a proxy that passes on what it is given.
    None,
    /// A pooler such as PgBouncer in session mode: a session has its server until it ends.
    Session,
    /// A pooler in transaction mode: each transaction may be on another server. Then nothing is prepared under a name, nothing
    /// is set for longer than a transaction, and each statement has a connection for itself: they are the pooler's to share.
    /// Changes of the schema and of the placement hold a session, and are refused.
    Transaction,
}

/// How this process reaches a node that is known by another address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeOverride {
    /// The host to connect to instead.
    pub host: Option<String>,
    /// The port to connect to instead.
    pub port: Option<u16>,
    /// The servers of which the primary is the node, in place of one address: `target_session_attrs = read-write` of libpq. It is
    /// looked for among them with each connection that is opened, where it was last first.
    pub hosts: Vec<Endpoint>,
    /// Where it stands, if the database does not know.
    pub region: Option<Region>,
    /// What stands in between, in place of what holds for all nodes.
    pub pooler: Option<Pooler>,
    /// How large its disk is, in bytes: see [`HealthConfig`](super::HealthConfig).
    pub disk_size: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, Secret};

    #[test]
    fn endpoints_print_as_they_are_read() {
        for (text, shown) in [
            ("db", "db:5432"),
            ("db:5433", "db:5433"),
            ("10.0.0.1:1", "10.0.0.1:1"),
            ("[::1]", "[::1]:5432"),
            ("[fe80::1]:65535", "[fe80::1]:65535"),
            ("/run/postgresql", "/run/postgresql:5432"),
        ] {
            assert_eq!(text.parse::<Endpoint>().map(|endpoint| endpoint.to_string()).as_deref(), Ok(shown));
            assert_eq!(shown.parse::<Endpoint>().map(|endpoint| endpoint.to_string()).as_deref(), Ok(shown));
        }
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        for text in [
            "",
            ":5432",
            "db:",
            "db:0",
            "db:65536",
            "db:x",
            "::1",
            "[::1",
            "[::1]5432",
            "[db]:1",
            "[::1]:",
            "a b",
            "a\0b",
            "a\nb",
            "user@db",
            "postgres://db",
            "db/x",
        ] {
            assert!(text.parse::<Endpoint>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_url_in_the_place_of_a_node_is_not_shown() {
        let error = "postgres://app:secret@db/festivals".parse::<Endpoint>().expect_err("no node");
        assert!(error.to_string().contains("a URL belongs to `url`"), "{error}");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }

    #[test]
    fn a_secret_is_not_shown() {
        assert_eq!(format!("{:?}", Secret::new("tell nobody")), "***");
    }
}
