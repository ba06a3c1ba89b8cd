//! `pgbouncer.ini` and `userlist.txt`.
//!
//! A pooler stands before one server, or before the port of a proxy that leads to whoever is the primary ([`haproxy`](super::haproxy)):
//! on Citus before each node that clients reach. It pools transactions, by which hundreds of clients share some tens of connections;
//! this client finds that out, and prepares nothing under a name there (`pooler` in the [configuration](crate::config)).
//!
//! **Log-ins** are SCRAM's on both sides, without a password in any file. PgBouncer has the [`Verifier`](super::access::Verifier) that
//! the server has, for each user in `userlist.txt`, and logs in to the server by what it learns from the client's log-in. That is so for
//! the very verifier of the server alone: take it from `pg_authid`, or give the server the one that is made here. With [`Auth::query`]
//! PgBouncer asks the server for it instead, as a role whose own password has to be in `userlist.txt` in plain.
//!
//! **The budget**: all poolers before a server together never take more than it lets clients have, whatever the number of clients.
//!
//! ```
//! use shardwise::config::Secret;
//! use shardwise::render::access::Verifier;
//! use shardwise::render::pgbouncer::{Auth, PgBouncer};
//!
//! let verifier = Verifier::of(&Secret::new("a long one from the vault"))?;
//! let pooler = PgBouncer::before("10.0.1.9:6000".parse()?, ["festivals"])
//!     .with_auth(Auth::verifiers([("festival_login", verifier)]))
//!     .with_budget(200, 2)
//!     .with_client_connections(5000);
//! let files = pooler.files()?;
//! assert!(files.ini.contains("pool_mode = transaction") && files.ini.contains("max_db_connections = 100"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod auth;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::text::{self, bad};
use crate::config::{Endpoint, Secret};
use crate::error::Result;

pub use auth::{Auth, lookup};

/// The first version that keeps prepared statements of its own: `max_prepared_statements`.
const PREPARES: (u32, u32) = (1, 21);
/// As many as PgBouncer has by default since version 1.24.
const PREPARED: u32 = 200;

/// PgBouncer before one server.
#[derive(Debug, Clone)]
#[must_use]
pub struct PgBouncer {
    server: Endpoint,
    databases: Databases,
    listen: Endpoint,
    auth: Auth,
    mode: Mode,
    sizes: Sizes,
    clients: u32,
    version: (u32, u32),
    userlist: PathBuf,
    socket_folder: Option<PathBuf>,
    server_ca: Option<PathBuf>,
    certificate: Option<(PathBuf, PathBuf)>,
}

#[derive(Debug, Clone)]
enum Databases {
    Named(Vec<String>),
    Any,
}

/// How long a client keeps a connection to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Transaction,
    Session,
}

#[derive(Debug, Clone, Copy)]
enum Sizes {
    /// So many for clients on the server, shared by so many poolers.
    Budget { connections: u32, poolers: u32 },
    /// So many for each pair of database and user.
    Each(u32),
}

/// The two files.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Files {
    /// `pgbouncer.ini`. There is no secret in it.
    pub ini: String,
    /// `userlist.txt`, where `ini` says (`auth_file`); nobody but PgBouncer's user may be able to read it.
    pub userlist: Secret,
}

impl PgBouncer {
    /// Before the server, or the proxy, at this address; it has these databases. It listens on the loopback's port 6432, takes 1000
    /// clients, and 20 connections of the server for each database and user.
    pub fn before(server: Endpoint, databases: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            server,
            databases: Databases::Named(databases.into_iter().map(Into::into).collect()),
            listen: Endpoint { host: "127.0.0.1".to_owned(), port: 6432 },
            auth: Auth::default(),
            mode: Mode::Transaction,
            sizes: Sizes::Each(20),
            clients: 1000,
            version: (1, 18),
            userlist: PathBuf::from("/etc/pgbouncer/userlist.txt"),
            socket_folder: None,
            server_ca: None,
            certificate: None,
        }
    }

    /// Whatever database a client names.
    pub fn any_database(self) -> Self {
        Self { databases: Databases::Any, ..self }
    }

    /// Listens there.
    pub fn listen(self, listen: Endpoint) -> Self {
        Self { listen, ..self }
    }

    /// Lets these in.
    pub fn with_auth(self, auth: Auth) -> Self {
        Self { auth, ..self }
    }

    /// A client keeps its connection to the server until it leaves, and not only for a transaction: as many clients as connections.
    pub fn session_mode(self) -> Self {
        Self { mode: Mode::Session, ..self }
    }

    /// The server has so many connections for clients (`max_connections` without those that are kept for others; on Citus
    /// `citus.max_client_connections`), and so many poolers like this one stand before it: each takes its part, of which each
    /// database and user has an equal one.
    pub fn with_budget(self, connections: u32, poolers: u32) -> Self {
        Self { sizes: Sizes::Budget { connections, poolers }, ..self }
    }

    /// Takes so many connections of the server for each database and user.
    pub fn with_server_connections(self, each: u32) -> Self {
        Self { sizes: Sizes::Each(each), ..self }
    }

    /// Takes so many clients. Each needs a file descriptor: see `LimitNOFILE` of systemd.
    pub fn with_client_connections(self, clients: u32) -> Self {
        Self { clients, ..self }
    }

    /// For this version of PgBouncer, 1.18 where nothing is said: an older one does not start with what a newer one knows. From 1.21
    /// on it keeps track of prepared statements, of which clients other than this one make use.
    pub fn for_version(self, major: u32, minor: u32) -> Self {
        Self { version: (major, minor), ..self }
    }

    /// Where `userlist.txt` is to be.
    pub fn userlist_at(self, path: impl Into<PathBuf>) -> Self {
        Self { userlist: path.into(), ..self }
    }

    /// Listens on a Unix socket in this folder as well. Who runs PgBouncer may log in there to its console.
    pub fn socket_in(self, folder: impl Into<PathBuf>) -> Self {
        Self { socket_folder: Some(folder.into()), ..self }
    }

    /// Speaks TLS to the server alone, and verifies that its certificate is by this CA and made out to its host.
    pub fn with_server_tls(self, ca_file: impl Into<PathBuf>) -> Self {
        Self { server_ca: Some(ca_file.into()), ..self }
    }

    /// Takes clients over TLS alone, with this certificate and its key.
    pub fn with_client_tls(self, cert_file: impl Into<PathBuf>, key_file: impl Into<PathBuf>) -> Self {
        Self { certificate: Some((cert_file.into(), key_file.into())), ..self }
    }

    /// The two files.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for names, addresses and paths that PgBouncer would read otherwise, and for a
    /// budget that is less than one connection for each database and user.
    pub fn files(&self) -> Result<Files> {
        let mut ini = self.databases()?;
        ini += "\n[pgbouncer]\n";
        self.listening(&mut ini)?;
        let userlist = self.auth.write(&mut ini)?;
        let _ = writeln!(ini, "auth_file = {}", file("userlist.txt", &self.userlist)?);
        self.pools(&mut ini)?;
        self.tls(&mut ini)?;
        ini += WAITS;
        Ok(Files { ini, userlist: Secret::new(userlist) })
    }

    fn databases(&self) -> Result<String> {
        let (host, port) = text::address(&self.server)?;
        let server = format!("host={host} port={port}");
        let mut section = "[databases]\n".to_owned();
        let names = match &self.databases {
            Databases::Any => return Ok(format!("{section}* = {server}\n")),
            Databases::Named(names) if names.is_empty() => {
                return Err(bad("PgBouncer has no database: name those that clients may connect to"));
            }
            Databases::Named(names) => names,
        };
        for name in names {
            let name = text::name("database", name)?;
            if name == "pgbouncer" {
                return Err(bad(
                    "a database named pgbouncer can't be reached through PgBouncer, whose console that is",
                ));
            }
            // Its documentation has quotes for other names; PgBouncer itself calls them a syntax error.
            if !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')) {
                return Err(bad(format!(
                    "pgbouncer.ini can't name the database {name:?}, which has more than letters, digits, '_', '-' and '.': let \
                     clients name it, by `any_database`"
                )));
            }
            let _ = writeln!(section, "{name} = {server}");
        }
        Ok(section)
    }

    fn listening(&self, ini: &mut String) -> Result<()> {
        let host = text::host(&self.listen.host)?;
        let folder =
            self.socket_folder.as_deref().map(|folder| file("the socket", folder)).transpose()?.unwrap_or_default();
        let _ = writeln!(ini, "listen_addr = {host}\nlisten_port = {}\nunix_socket_dir = {folder}", self.listen.port);
        Ok(())
    }

    fn pools(&self, ini: &mut String) -> Result<()> {
        let mode = match self.mode {
            Mode::Transaction => "transaction",
            Mode::Session => "session",
        };
        let _ = writeln!(ini, "pool_mode = {mode}\nmax_client_conn = {}", self.clients);
        match self.sizes {
            Sizes::Each(each) => {
                let _ = writeln!(ini, "default_pool_size = {each}");
            }
            Sizes::Budget { connections, poolers } => {
                let (databases, users) = self.pairs();
                let of_database =
                    connections.checked_div(poolers).and_then(|all| all.checked_div(databases)).unwrap_or(0);
                let each = of_database.checked_div(users).unwrap_or(0);
                if each == 0 {
                    return Err(bad(format!(
                        "{connections} connections are not one for each of {poolers} poolers, {databases} databases and {users} \
                         users: raise max_connections, or use fewer poolers"
                    )));
                }
                let _ = writeln!(
                    ini,
                    "; {connections} connections of the server for {poolers} poolers, {databases} databases, {users} users.\n\
                     default_pool_size = {each}\nmax_db_connections = {of_database}"
                );
            }
        }
        if self.version >= PREPARES && self.mode == Mode::Transaction {
            let _ = writeln!(ini, "max_prepared_statements = {PREPARED}");
        }
        Ok(())
    }

    /// How many databases there are, and users.
    fn pairs(&self) -> (u32, u32) {
        let databases = match &self.databases {
            Databases::Named(names) => u32::try_from(names.len()).unwrap_or(u32::MAX),
            Databases::Any => 1,
        };
        (databases, self.auth.users())
    }

    fn tls(&self, ini: &mut String) -> Result<()> {
        match &self.certificate {
            Some((cert_file, key_file)) => {
                let (cert, key) = (file("the certificate", cert_file)?, file("its key", key_file)?);
                let _ = writeln!(
                    ini,
                    "client_tls_sslmode = require\nclient_tls_cert_file = {cert}\nclient_tls_key_file = {key}"
                );
            }
            None => ini.push_str("client_tls_sslmode = disable\n"),
        }
        match &self.server_ca {
            Some(ca) => {
                let _ = writeln!(ini, "server_tls_sslmode = verify-full\nserver_tls_ca_file = {}", file("the CA", ca)?);
            }
            None => ini.push_str("server_tls_sslmode = disable\n"),
        }
        Ok(())
    }
}

/// What holds for all: none of it can be wrong for a client, and the defaults wait long where a server is lost.
const WAITS: &str = "\
; Asked for by session pools alone; in transaction mode nothing is left behind.
server_reset_query = DISCARD ALL
; JDBC sends it. Not `options`: a client whose options are dropped believes that its limits hold.
ignore_startup_parameters = extra_float_digits
; A server that was lost is tried again after a second, and not after fifteen.
server_login_retry = 1
server_connect_timeout = 5
; Whoever waits that long for a connection is told; the default is two minutes.
query_wait_timeout = 30
server_idle_timeout = 600
server_lifetime = 3600
tcp_keepalive = 1
";

fn file<'a>(what: &str, path: &'a Path) -> Result<&'a str> {
    let text = path.to_str().ok_or_else(|| bad(format!("the path of {what} is no UTF-8: {}", path.display())))?;
    text::path(what, text)
}

#[cfg(test)]
mod tests {
    use super::super::access::Verifier;
    use super::{Auth, Endpoint, PgBouncer, Secret, lookup};

    fn server() -> Endpoint {
        Endpoint { host: "10.0.1.9".to_owned(), port: 6000 }
    }

    fn verifier() -> Verifier {
        Verifier::of(&Secret::new("tell nobody")).expect("a password")
    }

    fn pooler(users: u32) -> PgBouncer {
        let users = (0..users).map(|number| (format!("user_{number}"), verifier()));
        PgBouncer::before(server(), ["festivals", "festivals-2"]).with_auth(Auth::verifiers(users))
    }

    #[test]
    fn all_poolers_together_stay_within_the_budget() {
        for (connections, poolers, users) in [(200, 2, 3), (100, 7, 1), (97, 3, 5)] {
            let ini = pooler(users).with_budget(connections, poolers).files().expect("enough").ini;
            let value = |key: &str| {
                let line = ini.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
                line.and_then(|value| value.parse::<u32>().ok()).expect(key)
            };
            let (each, of_database) = (value("default_pool_size"), value("max_db_connections"));
            assert!(of_database * 2 * poolers <= connections && each * users <= of_database && each > 0, "{ini}");
        }
        let error = pooler(3).with_budget(11, 2).files().expect_err("too few").to_string();
        assert!(error.contains("raise max_connections"), "{error}");
        assert!(pooler(1).with_budget(100, 0).files().is_err());
    }

    #[test]
    fn no_password_is_in_what_is_printed() {
        let password = Secret::new("tell \"nobody\"");
        let files = pooler(1).with_auth(Auth::query("pgbouncer", Some(&password), 2)).files().expect("valid");
        assert_eq!(files.userlist.expose(), "\"pgbouncer\" \"tell \"\"nobody\"\"\"\n");
        assert!(!format!("{files:?}").contains("nobody") && !format!("{:?}", pooler(1)).contains("nobody"));
        let without = pooler(1).with_auth(Auth::query("pgbouncer", None, 2)).files().expect("valid");
        assert_eq!(without.userlist.expose(), "");
        let of_verifiers = pooler(1).files().expect("valid").userlist;
        assert!(
            of_verifiers.expose().starts_with("\"user_0\" \"SCRAM-SHA-256$4096:")
                && !of_verifiers.expose().contains("nobody")
        );
    }

    #[test]
    fn names_stay_names_and_lines_stay_lines() {
        let ini = pooler(1).files().expect("valid").ini;
        assert!(ini.contains("\nfestivals-2 = host=10.0.1.9 port=6000\n"), "{ini}");
        let with = |database: &str| PgBouncer::before(server(), [database]).with_auth(Auth::query("asks", None, 1));
        for (pooler, fix) in [
            (with("a\nb"), "control characters"),
            (with("pgbouncer"), "console"),
            (with("it's"), "any_database"),
            (with("%include"), "any_database"),
            (with("a").with_auth(Auth::query(";x", None, 1)), "otherwise"),
            (with("a").with_auth(Auth::verifiers([("a\n\"b\" \"\"", verifier())])), "control characters"),
            (with("a").with_auth(Auth::query("a", Some(&Secret::new("a\nb")), 1)), "control character"),
            (with("a").userlist_at("/x\n"), "no path"),
            (PgBouncer::before(server(), ["a"]), "name its users"),
            (PgBouncer::before(server(), [""; 0]).with_auth(Auth::query("a", None, 1)), "has no database"),
            (
                PgBouncer::before(Endpoint { host: "a b".to_owned(), port: 1 }, ["a"])
                    .with_auth(Auth::query("a", None, 1)),
                "no host",
            ),
        ] {
            let error = pooler.files().expect_err(fix).to_string();
            assert!(error.contains(fix), "{error}");
        }
        assert!(lookup("a\nb").is_err() && lookup("we\"ird").is_ok_and(|sql| sql.contains("TO \"we\"\"ird\"")));
    }

    #[test]
    fn what_only_newer_versions_know_is_left_out_for_older_ones() {
        let has = |minor| {
            pooler(1).for_version(1, minor).files().expect("valid").ini.contains("max_prepared_statements = 200")
        };
        assert_eq!((has(18), has(20), has(21), has(24)), (false, false, true, true));
    }
}
