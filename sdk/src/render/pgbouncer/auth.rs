//! Who may log in to PgBouncer.

use std::fmt::Write as _;

use super::super::access::Verifier;
use super::super::text::{self, bad};
use crate::config::Secret;
use crate::error::Result;
use crate::schema::quote_ident;

/// Who may log in to PgBouncer, and by what.
#[derive(Debug, Clone)]
pub struct Auth(Kind);

impl Default for Auth {
    /// Nobody.
    fn default() -> Self {
        Self(Kind::Verifiers(Vec::new()))
    }
}

#[derive(Debug, Clone)]
enum Kind {
    Verifiers(Vec<(String, Verifier)>),
    Query {
        role: String,
        password: Option<Secret>,
        users: u32,
    },
    /// Without a password: for throwaway servers.
    #[cfg(feature = "local")]
    Trust(Vec<String>),
}

impl Auth {
    /// These users, with the verifiers that the server has.
    pub fn verifiers(users: impl IntoIterator<Item = (impl Into<String>, Verifier)>) -> Self {
        Self(Kind::Verifiers(users.into_iter().map(|(user, verifier)| (user.into(), verifier)).collect()))
    }

    /// All users of the server: their verifiers are asked for as this role, by the function that [`lookup`] makes. So many of them
    /// share what the pooler may take of the server.
    ///
    /// The role logs in with its password, which stands in `userlist.txt` in plain: PgBouncer has no other way. Where it is not given
    /// here, `userlist.txt` is empty, and the line `"role" "password"` is yours to add.
    pub fn query(role: impl Into<String>, password: Option<&Secret>, users: u32) -> Self {
        Self(Kind::Query { role: role.into(), password: password.cloned(), users })
    }

    /// These users, without a password.
    #[cfg(feature = "local")]
    pub(crate) fn trust(users: impl IntoIterator<Item = String>) -> Self {
        Self(Kind::Trust(users.into_iter().collect()))
    }

    /// How many users share what there is of each database.
    pub(super) fn users(&self) -> u32 {
        let count = |all: usize| u32::try_from(all).unwrap_or(u32::MAX);
        match &self.0 {
            Kind::Verifiers(users) => count(users.len()),
            // And the one that asks.
            Kind::Query { users, .. } => users.saturating_add(1),
            #[cfg(feature = "local")]
            Kind::Trust(users) => count(users.len()),
        }
    }

    /// Writes the lines of `pgbouncer.ini`, and returns `userlist.txt`.
    pub(super) fn write(&self, ini: &mut String) -> Result<String> {
        let mut userlist = String::new();
        let mut user = |name: &str, secret: &str| -> Result<()> {
            let quoted = |text: &str| text.replace('"', "\"\"");
            let _ = writeln!(userlist, "\"{}\" \"{}\"", quoted(text::name("role", name)?), quoted(secret));
            Ok(())
        };
        let kind = match &self.0 {
            Kind::Verifiers(users) if users.is_empty() => {
                return Err(bad(
                    "nobody could log in to PgBouncer: name its users, `Auth::verifiers` or `Auth::query`",
                ));
            }
            Kind::Verifiers(users) => {
                users.iter().try_for_each(|(name, verifier)| user(name, verifier.expose()))?;
                "scram-sha-256"
            }
            Kind::Query { role, password, .. } => {
                if let Some(password) = password {
                    if password.expose().contains(char::is_control) {
                        return Err(bad(format!(
                            "the password of {role} has a control character, which userlist.txt can't hold"
                        )));
                    }
                    user(role, password.expose())?;
                }
                let _ = writeln!(ini, "auth_user = {}", plain(role)?);
                let _ = writeln!(ini, "auth_query = SELECT username, verifier FROM pgbouncer.verifier_of($1)");
                "scram-sha-256"
            }
            #[cfg(feature = "local")]
            Kind::Trust(users) => {
                users.iter().try_for_each(|name| user(name, ""))?;
                "trust"
            }
        };
        let _ = writeln!(ini, "auth_type = {kind}");
        Ok(userlist)
    }
}

/// The SQL that lets this role ask for verifiers, of users that may log in and are no superusers: a function in the schema
/// `pgbouncer`, which runs as its owner. To be run in each of the databases, as a superuser.
///
/// # Errors
/// [`ErrorKind::Config`](crate::ErrorKind::Config) for a name that no role can have.
pub fn lookup(role: &str) -> Result<String> {
    let role = quote_ident(text::name("role", role)?);
    Ok(format!(
        "CREATE SCHEMA IF NOT EXISTS pgbouncer;
CREATE OR REPLACE FUNCTION pgbouncer.verifier_of(wanted text, OUT username text, OUT verifier text) RETURNS SETOF record
  LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS 'SELECT rolname::text, CASE WHEN rolvaliduntil < now() THEN NULL ELSE rolpassword END FROM pg_catalog.pg_authid
      WHERE rolname = wanted AND rolcanlogin AND NOT rolsuper AND NOT rolreplication';
REVOKE ALL ON FUNCTION pgbouncer.verifier_of FROM PUBLIC;
GRANT USAGE ON SCHEMA pgbouncer TO {role};
GRANT EXECUTE ON FUNCTION pgbouncer.verifier_of TO {role};
"
    ))
}

/// A value that PgBouncer reads to the end of the line.
fn plain(name: &str) -> Result<&str> {
    let name = text::name("role", name)?;
    if name.trim() != name || name.starts_with([';', '#', '%']) {
        return Err(bad(format!("{name:?} can't stand in pgbouncer.ini: name the role otherwise")));
    }
    Ok(name)
}
