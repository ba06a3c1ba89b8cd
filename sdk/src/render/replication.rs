//! Standbys: the role that they log in as, who lets it in, slots, and the command that makes one.
//!
//! In this order:
//!
//! 1. on the primary [`role`](Replication::role), [`slots`](Replication::slots) and [`settings`](Replication::settings); on every
//!    server [`rules`](Replication::rules), at the beginning of `pg_hba.conf`: a standby has them for the day that it is promoted;
//! 2. on each standby's machine [`passfile`](Replication::passfile), for the server's user alone, and
//!    [`base_backup`](Replication::base_backup) as that user; then start it. Its `max_connections`, `max_worker_processes`,
//!    `max_wal_senders`, `max_prepared_transactions` and `max_locks_per_transaction` have to be the primary's, or more;
//! 3. on Citus [`secondary`], on the coordinator: so this client, too, learns of it;
//! 4. after a promotion [`slots`](Replication::slots) on the new primary, and [`follow`](Replication::follow) in
//!    `postgresql.auto.conf` of those that are to follow it. The old one must not be started again as it is: `pg_rewind` it first, or make
//!    it anew.
//!
//! ```
//! use shardwise::config::Secret;
//! use shardwise::render::access::Verifier;
//! use shardwise::render::replication::Replication;
//!
//! let password = Secret::new("a long one from the vault");
//! let replication = Replication::of("db-1.example.org".parse()?)
//!     .with_standby("standby_2", "db-2.example.org".parse()?)
//!     .with_passfile("/var/lib/postgresql/standby.pgpass")
//!     .with_tls("/etc/postgresql/ca.pem");
//! let sql = replication.role(&Verifier::of(&password)?)?;        // no password in it
//! let lines = replication.rules(&["10.0.0.0/16".parse()?])?;     // of pg_hba.conf
//! assert_eq!(lines, "hostssl replication \"replicator\" 10.0.0.0/16 scram-sha-256\n");
//! let command = replication.base_backup("standby_2", "/var/lib/postgresql/15/main")?;
//! assert_eq!(command[0], "pg_basebackup");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::access::{Login, Network, Rule, Verifier};
use super::text::{self, bad};
use super::{Group, Server};
use crate::config::{Endpoint, Secret};
use crate::error::Result;
use crate::schema::quote_literal;
use crate::tune::Size;

/// A primary and the standbys that follow it.
#[derive(Debug, Clone)]
#[must_use]
pub struct Replication {
    primary: Endpoint,
    standbys: Vec<(String, Endpoint)>,
    role: String,
    passfile: Option<String>,
    ca_file: Option<String>,
}

impl Replication {
    /// From this primary, as the role `replicator`.
    pub fn of(primary: Endpoint) -> Self {
        Self { primary, standbys: Vec::new(), role: "replicator".to_owned(), passfile: None, ca_file: None }
    }

    /// From the first server of a group to its others, by the names that [`name_of`] gives them: whichever of them is the primary, the
    /// others keep theirs.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for a group without a server, and where two of them have one name.
    pub fn of_group(group: &Group) -> Result<Self> {
        let Some((primary, standbys)) = group.servers.split_first() else {
            return Err(bad(format!("the group {} has no server: name its primary", group.name)));
        };
        let named = |Server { endpoint, .. }: &Server| (name_of(endpoint), endpoint.clone());
        let standbys: Vec<_> = standbys.iter().map(named).collect();
        let mut seen = BTreeSet::from([name_of(&primary.endpoint)]);
        if let Some((name, endpoint)) = standbys.iter().find(|(name, _)| !seen.insert(name.clone())) {
            return Err(bad(format!("{endpoint} and another server of {} are both named {name}", group.name)));
        }
        Ok(Self { standbys, ..Self::of(primary.endpoint.clone()) })
    }

    /// To one more standby. Its name is that of its slot, and its `application_name`, by which `synchronous_standby_names` knows it.
    pub fn with_standby(mut self, name: impl Into<String>, endpoint: Endpoint) -> Self {
        self.standbys.push((name.into(), endpoint));
        self
    }

    /// Its standbys, by their names.
    pub fn standbys(&self) -> impl Iterator<Item = (&str, &Endpoint)> {
        self.standbys.iter().map(|(name, endpoint)| (name.as_str(), endpoint))
    }

    /// As this role.
    pub fn with_role(self, role: impl Into<String>) -> Self {
        Self { role: role.into(), ..self }
    }

    /// Standbys find the password there: see [`passfile`](Self::passfile). Where nothing is said, libpq looks into `~/.pgpass` of the
    /// server's user.
    pub fn with_passfile(self, path: impl Into<String>) -> Self {
        Self { passfile: Some(path.into()), ..self }
    }

    /// Over TLS alone; standbys verify that the primary's certificate is by this CA and made out to its host.
    pub fn with_tls(self, ca_file: impl Into<String>) -> Self {
        Self { ca_file: Some(ca_file.into()), ..self }
    }

    /// The SQL that makes the role. It may read the log of all databases, and log in to none where nothing else lets it.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for a name that no role can have.
    pub fn role(&self, password: &Verifier) -> Result<String> {
        Login::new(&self.role).with_password(password).for_replication().sql()
    }

    /// The lines of `pg_hba.conf` that let the role in from these networks.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for a name that can't stand there.
    pub fn rules(&self, from: &[Network]) -> Result<String> {
        let rule = |network: &Network| {
            let rule = Rule::new(&self.role, *network).for_replication();
            let rule = if self.ca_file.is_some() { rule.over_tls() } else { rule };
            rule.line().map(|line| line + "\n")
        };
        from.iter().map(rule).collect()
    }

    /// The SQL that makes a slot for each standby, where there is none: what a standby has not read yet is kept for it. Before its
    /// first use a slot keeps nothing, so those on a server that may be promoted one day do no harm.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for a name that no slot can have.
    pub fn slots(&self) -> Result<String> {
        let mut sql = String::new();
        for (name, _) in &self.standbys {
            let name = quote_literal(slot(name)?);
            let _ = writeln!(
                sql,
                "SELECT pg_catalog.pg_create_physical_replication_slot({name}) WHERE NOT EXISTS \
                 (SELECT FROM pg_catalog.pg_replication_slots WHERE slot_name = {name});"
            );
        }
        Ok(sql)
    }

    /// The lines of `postgresql.conf` that all of them need beside what [`tune`](crate::tune) says. A standby that does not come back
    /// must not fill the disk: beyond this size the log is not kept for it, and it has to be made anew.
    #[must_use]
    pub fn settings(&self, keep_at_most: Size) -> String {
        format!(
            "# Reads on a standby.\nhot_standby = on\n# For pg_rewind, by which an old primary follows the new one.\nwal_log_hints = \
             on\n# The log that is kept for a standby that does not come back.\nmax_slot_wal_keep_size = {keep_at_most}\n"
        )
    }

    /// The lines of libpq's password file for the role, one for each of the servers, since each may be the primary one day.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for a password or a name with a line's end, and a host that is none.
    pub fn passfile(&self, password: &Secret) -> Result<Secret> {
        let escaped = |text: &str| text.replace('\\', "\\\\").replace(':', "\\:");
        let password = password.expose();
        if password.is_empty() || password.contains(char::is_control) {
            return Err(bad("the password is empty or has a control character, which a password file can't hold"));
        }
        let (role, password) = (escaped(text::name("role", &self.role)?), escaped(password));
        let mut lines = String::new();
        for endpoint in std::iter::once(&self.primary).chain(self.standbys.iter().map(|(_, endpoint)| endpoint)) {
            let (host, port) = text::address(endpoint)?;
            let _ = writeln!(lines, "{}:{port}:replication:{role}:{password}", escaped(host));
        }
        Ok(Secret::new(lines))
    }

    /// The command that makes a standby's data out of the running primary's, and has it follow by its slot: the program and its
    /// arguments. The folder has to be empty or not there.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for a standby that was not named, and for names and paths that are none.
    pub fn base_backup(&self, standby: &str, data: &str) -> Result<Vec<String>> {
        let slot = slot(self.named(standby)?)?;
        let command = [
            "pg_basebackup".to_owned(),
            format!("--pgdata={}", text::path("the data", data)?),
            "--write-recovery-conf".to_owned(),
            "--wal-method=stream".to_owned(),
            "--checkpoint=fast".to_owned(),
            "--no-password".to_owned(),
            format!("--slot={slot}"),
            format!("--dbname={}", self.conninfo(standby, &self.primary)?),
        ];
        Ok(command.into())
    }

    /// The lines of a standby's `postgresql.auto.conf` by which it follows another primary from its next start or reload on.
    ///
    /// # Errors
    /// As [`base_backup`](Self::base_backup).
    pub fn follow(&self, standby: &str, primary: &Endpoint) -> Result<String> {
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('\'', "''");
        let slot = slot(self.named(standby)?)?;
        let conninfo = quoted(&self.conninfo(standby, primary)?);
        Ok(format!("primary_conninfo = '{conninfo}'\nprimary_slot_name = '{slot}'\n"))
    }

    fn named<'a>(&'a self, standby: &str) -> Result<&'a str> {
        let known = self.standbys.iter().find(|(name, _)| name == standby);
        known
            .map(|(name, _)| name.as_str())
            .ok_or_else(|| bad(format!("{standby:?} is no standby here: `with_standby`")))
    }

    fn conninfo(&self, standby: &str, primary: &Endpoint) -> Result<String> {
        let (host, port) = text::address(primary)?;
        let mut pairs = vec![("host", host), ("port", &port), ("user", text::name("role", &self.role)?)];
        pairs.push(("application_name", standby));
        if let Some(path) = &self.passfile {
            pairs.push(("passfile", text::path("the password file", path)?));
        }
        if let Some(path) = &self.ca_file {
            pairs.extend([("sslmode", "verify-full"), ("sslrootcert", text::path("the CA", path)?)]);
        }
        Ok(text::conninfo(&pairs))
    }
}

/// The SQL by which Citus knows a worker's standby, on the coordinator; it can be run again. Clients of Citus don't read from it
/// before; this one does, where its [`reads`](crate::config) say so.
///
/// # Errors
/// [`ErrorKind::Config`](crate::ErrorKind::Config) for a host that is none.
pub fn secondary(standby: &Endpoint, worker: &Endpoint) -> Result<String> {
    let literal = |endpoint: &Endpoint| text::host(&endpoint.host).map(quote_literal);
    let (host, of_worker) = (literal(standby)?, literal(worker)?);
    let (port, port_of_worker) = (standby.port, worker.port);
    Ok(format!(
        "SELECT pg_catalog.citus_add_secondary_node({host}, {port}, {of_worker}, {port_of_worker}) WHERE NOT EXISTS \
         (SELECT FROM pg_catalog.pg_dist_node WHERE nodename = {host} AND nodeport = {port});\n"
    ))
}

/// A name for a server that a slot can have as well: `db_1_example_org_5432`. Of hosts that are too long it has the beginning.
///
/// ```
/// use shardwise::render::replication::name_of;
///
/// assert_eq!(name_of(&"DB-1.example.org:5433".parse()?), "db_1_example_org_5433");
/// # Ok::<(), shardwise::config::EndpointError>(())
/// ```
#[must_use]
pub fn name_of(endpoint: &Endpoint) -> String {
    // A name of PostgreSQL's has 63 bytes, a port 5.
    const HOST: usize = 57;
    let part = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let host: String = endpoint.host.chars().map(part).take(HOST).collect();
    format!("{host}_{}", endpoint.port)
}

fn slot(name: &str) -> Result<&str> {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if text::name("slot", name)?.chars().all(is_part) {
        return Ok(name);
    }
    Err(bad(format!("{name:?} names no slot: write a-z, 0-9 and '_'")))
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, Group, Replication, Secret, Size, secondary};

    fn at(host: &str) -> Endpoint {
        Endpoint { host: host.to_owned(), port: 5432 }
    }

    fn replication() -> Replication {
        Replication::of_group(&Group::new("a", [at("db-1"), at("::1"), at("db-3")])).expect("a group")
    }

    #[test]
    fn the_others_of_a_group_follow_its_first() {
        let command = replication().with_passfile("/x/it's").base_backup("__1_5432", "/data").expect("it is named");
        let last = command.last().map(String::as_str);
        let expected =
            r"--dbname=host='db-1' port='5432' user='replicator' application_name='__1_5432' passfile='/x/it\'s'";
        assert_eq!(last, Some(expected));
        let lines = replication().with_passfile("/x/it's").follow("db_3_5432", &at("::1")).expect("it is named");
        assert!(lines.contains(r"passfile=''/x/it\\''s'''") && lines.contains("host=''::1''"), "{lines}");
        assert_eq!(replication().slots().map(|sql| sql.matches("'__1_5432'").count()).ok(), Some(2));
        let settings = replication().settings(Size::gb(64));
        assert!(settings.contains("max_slot_wal_keep_size = 64GB"), "{settings}");
    }

    #[test]
    fn a_server_keeps_its_name_when_another_becomes_the_primary() {
        let promoted = Group::new("a", [at("::1"), at("db-1"), at("db-3")]);
        let names = |group: &Replication| group.standbys().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
        assert_eq!(names(&replication()), ["__1_5432", "db_3_5432"]);
        assert_eq!(names(&Replication::of_group(&promoted).expect("a group")), ["db_1_5432", "db_3_5432"]);
        assert!(super::name_of(&at(&"x".repeat(200))).len() <= 63);
    }

    #[test]
    fn a_password_is_in_its_file_alone() {
        let password = Secret::new(r"a:b\c");
        let file = replication().passfile(&password).expect("a password");
        let lines: Vec<_> = file.expose().lines().collect();
        assert_eq!(lines[1], r"\:\:1:5432:replication:replicator:a\:b\\c");
        assert_eq!(lines.len(), 3);
        for bad in ["", "a\nb"] {
            assert!(replication().passfile(&Secret::new(bad)).is_err());
        }
    }

    #[test]
    fn names_that_are_none_are_refused() {
        for (outcome, fix) in [
            (replication().base_backup("standby_9", "/data").map(|_| String::new()), "with_standby"),
            (replication().base_backup("__1_5432", "/data\n").map(|_| String::new()), "no path"),
            (replication().with_role("").rules(&["10.0.0.1".parse().expect("an address")]), "no name"),
            (replication().with_standby("Standby-4", at("db-4")).slots(), "a-z, 0-9"),
            (replication().with_standby("x'y", at("db-4")).slots(), "a-z, 0-9"),
            (secondary(&at("a'b"), &at("c")), "no host"),
            (
                Replication::of_group(&Group::new("a", [at("db-1"), at("db.1")])).map(|_| String::new()),
                "both named db_1_5432",
            ),
            (Replication::of_group(&Group::new("a", [])).map(|_| String::new()), "has no server"),
        ] {
            let error = outcome.expect_err(fix).to_string();
            assert!(error.contains(fix), "{error}");
        }
    }
}
