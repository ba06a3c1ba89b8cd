//! Roles that log in, and who is let in from where.
//!
//! ```
//! use shardwise::config::Secret;
//! use shardwise::render::access::{Login, Rule, Verifier};
//!
//! let verifier = Verifier::of(&Secret::new("a long one from the vault"))?;
//! let sql = Login::new("festival_login").with_password(&verifier).sql()?;            // no password in it
//! let rule = Rule::new("festival_login", "10.0.0.0/16".parse()?).with_database("festivals").over_tls();
//! assert_eq!(rule.line()?, "hostssl \"festivals\" \"festival_login\" 10.0.0.0/16 scram-sha-256");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::error::Error as StdError;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use postgres_protocol::password::scram_sha_256;

use super::text::{self, bad};
use crate::config::Secret;
use crate::error::Result;
use crate::schema::{quote_ident, quote_literal};

/// What the server keeps in place of a password: `pg_authid.rolpassword`, for SCRAM. It is made here, with a salt by chance, so that
/// the password itself reaches neither the network nor the server's log, as `\password` of psql does it. Whoever has it can't log in
/// with it, but can try passwords against it: it is never printed by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier(String);

impl Verifier {
    /// That of a password.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for an empty password, with which PostgreSQL lets nobody in, and for one with a
    /// zero byte.
    pub fn of(password: &Secret) -> Result<Self> {
        let password = password.expose();
        if password.is_empty() || password.contains('\0') {
            return Err(bad("a password has one character at least, and no zero byte"));
        }
        Ok(Self(scram_sha_256(password.as_bytes())))
    }

    /// One that a server has already: `SELECT rolpassword FROM pg_authid`. PgBouncer can log in for a client only with the very one
    /// that the server has.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for a text that is none, such as a password or an MD5 hash. It is not shown.
    pub fn known(text: &str) -> Result<Self> {
        let is_base64 = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
        };
        let parsed = || {
            let rest = text.strip_prefix("SCRAM-SHA-256$")?;
            let (salted, keys) = rest.split_once('$')?;
            let (iterations, salt) = salted.split_once(':')?;
            let (stored, server) = keys.split_once(':')?;
            iterations.parse::<u32>().ok()?;
            [salt, stored, server].into_iter().all(is_base64).then(|| Self(text.to_owned()))
        };
        parsed().ok_or_else(|| {
            bad("what is to be a SCRAM verifier is none: take `rolpassword` of `pg_authid`, which begins with SCRAM-SHA-256$; where it \
                 begins with md5, set password_encryption = 'scram-sha-256' and give the role its password anew")
        })
    }

    /// As the server keeps it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SCRAM-SHA-256$***")
    }
}

/// A role that logs in.
#[derive(Debug, Clone)]
#[must_use]
pub struct Login<'a> {
    name: &'a str,
    password: Option<&'a Verifier>,
    replicates: bool,
    connections: Option<u32>,
}

impl<'a> Login<'a> {
    /// One without a password.
    pub fn new(name: &'a str) -> Self {
        Self { name, password: None, replicates: false, connections: None }
    }

    /// With a password.
    pub fn with_password(self, password: &'a Verifier) -> Self {
        Self { password: Some(password), ..self }
    }

    /// It may read the log of all databases: a standby's role.
    pub fn for_replication(self) -> Self {
        Self { replicates: true, ..self }
    }

    /// With so many connections at most.
    pub fn with_connections(self, most: u32) -> Self {
        Self { connections: Some(most), ..self }
    }

    /// The SQL that makes it, or gives a role that is there what is said here and leaves it as it is otherwise; it can be run again.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for a name that no role can have.
    pub fn sql(&self) -> Result<String> {
        let name = quote_ident(text::name("role", self.name)?);
        let there = quote_literal(self.name);
        let make = format!(
            "BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {there}) THEN CREATE ROLE {name}; END IF; END"
        );
        let mut alter = format!("ALTER ROLE {name} WITH LOGIN");
        if self.replicates {
            alter += " REPLICATION";
        }
        if let Some(most) = self.connections {
            alter += &format!(" CONNECTION LIMIT {most}");
        }
        if let Some(verifier) = self.password {
            alter += &format!(" PASSWORD {}", quote_literal(verifier.expose()));
        }
        Ok(format!("DO {};\n{alter};\n", quote_literal(&make)))
    }
}

/// Addresses, as `pg_hba.conf` has them: `10.0.0.0/16`, or a single one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// A text that is no [`Network`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkError(String);

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no network: write \"10.0.0.0/16\", \"fd00::/8\", or a single address", self.0)
    }
}

impl StdError for NetworkError {}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let parsed = || {
            let (address, prefix) =
                text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
            let address: IpAddr = address.parse().ok()?;
            let most = if address.is_ipv4() { 32 } else { 128 };
            let prefix = prefix.map_or(Some(most), |prefix| prefix.parse().ok())?;
            (prefix <= most).then_some(Self { address, prefix })
        };
        parsed().ok_or_else(|| NetworkError(text.chars().take(60).collect()))
    }
}

/// Which databases a rule is for. "All" are not the log of all, which standbys read.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Databases {
    All,
    One(String),
    Replication,
}

/// A line of `pg_hba.conf`. Put it before those that let more in, for the first one that fits decides.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Rule {
    role: String,
    network: Network,
    databases: Databases,
    over_tls: bool,
    trusts: bool,
}

impl Rule {
    /// Lets a role in from a network, to all databases, with its password.
    pub fn new(role: impl Into<String>, network: Network) -> Self {
        Self { role: role.into(), network, databases: Databases::All, over_tls: false, trusts: false }
    }

    /// To this database.
    pub fn with_database(self, database: impl Into<String>) -> Self {
        Self { databases: Databases::One(database.into()), ..self }
    }

    /// To the log of all databases.
    pub fn for_replication(self) -> Self {
        Self { databases: Databases::Replication, ..self }
    }

    /// Over TLS alone.
    pub fn over_tls(self) -> Self {
        Self { over_tls: true, ..self }
    }

    /// Without a password: for a role that may do nothing. See [`haproxy`](super::haproxy).
    pub(super) fn without_password(self) -> Self {
        Self { trusts: true, ..self }
    }

    /// The line.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for a name that can't stand there: PostgreSQL takes what begins with `/` for a
    /// pattern since version 16, in quotes as well.
    pub fn line(&self) -> Result<String> {
        let quoted = |what, name| match text::name(what, name)? {
            name if name.starts_with('/') => {
                Err(bad(format!("{name:?} would be a pattern in pg_hba.conf: name the {what} otherwise")))
            }
            name => Ok(quote_ident(name)),
        };
        let role = quoted("role", &self.role)?;
        let database = match &self.databases {
            Databases::All => "all".to_owned(),
            Databases::One(name) => quoted("database", name)?,
            // In quotes it would be a database of that name.
            Databases::Replication => "replication".to_owned(),
        };
        let kind = if self.over_tls { "hostssl" } else { "host" };
        let method = if self.trusts { "trust" } else { "scram-sha-256" };
        Ok(format!("{kind} {database} {role} {} {method}", self.network))
    }
}

#[cfg(test)]
mod tests {
    use super::{Login, Network, Rule, Secret, Verifier};

    #[test]
    fn a_verifier_is_what_servers_keep() {
        let verifier = Verifier::of(&Secret::new("secret")).expect("a password");
        assert!(Verifier::known(verifier.expose()).is_ok());
        assert_ne!(verifier, Verifier::of(&Secret::new("secret")).expect("another salt"));
        assert_eq!(format!("{verifier:?}"), "SCRAM-SHA-256$***");
        assert!(Verifier::of(&Secret::new("")).is_err());
        for none in ["secret", "md5abc", "SCRAM-SHA-256$x:a$b:c", "SCRAM-SHA-256$4096:a'$b:c", "SCRAM-SHA-256$4096:a$b"]
        {
            let error = Verifier::known(none).expect_err(none).to_string();
            assert!(error.contains("rolpassword") && !error.contains(none), "{error}");
        }
    }

    #[test]
    fn a_name_stays_a_name() {
        let sql = Login::new("it's \"$$\"").with_connections(2).sql().expect("a name");
        assert!(sql.contains("''it''''s \"$$\"''") && sql.contains("\"it's \"\"$$\"\"\" WITH LOGIN"), "{sql}");
        assert!(Login::new("a\nb").sql().is_err());
        let rule = Rule::new("say \"hi\"", "::1".parse().expect("an address"));
        assert_eq!(rule.line().ok().as_deref(), Some("host all \"say \"\"hi\"\"\" ::1/128 scram-sha-256"));
        let network: Network = "10.0.0.0/8".parse().expect("a network");
        assert!(Rule::new("/.*", network).line().is_err());
        assert!(Rule::new("app", network).with_database("a\nhost all all all trust").line().is_err());
        assert_eq!(
            Rule::new("r", network).for_replication().line().ok().as_deref(),
            Some("host replication \"r\" 10.0.0.0/8 scram-sha-256")
        );
    }

    #[test]
    fn networks_are_read() {
        for text in ["10.0.0.0/16", "fd00::/8", "0.0.0.0/0"] {
            assert_eq!(text.parse::<Network>().map(|network| network.to_string()).as_deref(), Ok(text));
        }
        for text in ["", "10.0.0.0/33", "db.example.org", "10.0.0.0/x", "::/129", "10.0.0.0/-1"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
