//! Finds out why a client can't work as it is configured, or soon won't: [`doctor`].
//!
//! It looks at the configuration, at the way from here to every server (those that the cluster itself lists among them), and at the
//! servers, each by itself: one that can't be reached is a finding, and keeps nobody else from being looked at. Nothing is changed.
//!
//! | subject             | what is looked at                                                                                     |
//! | ------------------- | ----------------------------------------------------------------------------------------------------- |
//! | `configuration`     | whether it can be read; who else can read the files of passwords and keys                              |
//! | `address`           | the name of each server, asked of DNS                                                                  |
//! | `connection`        | a TCP connection to it                                                                                 |
//! | `log_in`            | TLS, the role, the password, the database                                                              |
//! | `tls`               | whether the connection is encrypted, and the server's name verified                                    |
//! | `certificate`       | when the server's certificate ends                                                                     |
//! | `pooler`            | what stands in between, and PgBouncer's version where it tells                                         |
//! | `role`              | whether each server is the primary or standby that it is taken for                                     |
//! | `limits`            | this client's pool of the server against its `max_connections`                                         |
//! | `versions`          | PostgreSQL and Citus: the same on all nodes, and the extension as new as its library                   |
//! | `locale`            | encoding, collation, character type and time zone, the same on all nodes; the collation's version       |
//! | `clock`             | each server's against this machine's, by the halves of a round trip, and the servers' among themselves |
//! | `hash`              | this client's hash of random keys of each type against the server's                                    |
//! | `metadata`          | whether each worker has the metadata, and the same as the coordinator                                  |
//! | `decoding`          | whether shards can be moved and split: `wal_level`, `output_plugin_libraries`                          |
//! | `row_security`      | the role against the policies (see [`Policy`](crate::config::Policy))                                  |
//! | `schema`            | the entities against the database                                                                      |
//! | `slots`             | replication slots that nobody uses, standbys without one                                               |
//! | `redis`             | whether it answers, where the configuration has one                                                    |

mod certificate;
mod citus;
mod compare;
mod configuration;
mod facts;
mod finding;
mod hashes;
mod patient;
mod reach;
mod server;

use futures_util::future::join_all;

use crate::cluster::{self, Layout};
use crate::config::{Config, Mode};
use crate::entity::Schema;
use crate::error::Error;
use crate::topology::Role;
pub use finding::{Diagnosis, Finding, Subject};
use patient::Patient;

/// Looks at all of it. With entities their tables are held against the database.
///
/// ```
/// use shardwise::{Config, Schema, doctor::Diagnosis, health::Verdict};
///
/// # async fn f() {
/// let diagnosis = match Config::load() {
///     Ok(config) => shardwise::doctor(&config, &Schema::new()).await,
///     Err(error) => Diagnosis::of_configuration(&error),
/// };
/// println!("{diagnosis}");
/// assert!(diagnosis.verdict() < Verdict::Critical);
/// # }
/// ```
pub async fn doctor(config: &Config, schema: &Schema) -> Diagnosis {
    let mut findings = configuration::look(config);
    let layout = cluster::layout(config).await;
    let mut patients = Patient::all(config, layout.as_ref().ok());
    let reached = join_all(patients.iter_mut().map(|patient| reach::reach(config, patient))).await;
    findings.extend(reached.into_iter().flatten());
    // A clock is looked at by round trips, which others would disturb: one server after the other.
    let mut charts = Vec::new();
    for patient in &patients {
        match server::look(config, patient).await {
            Some(Ok((chart, found))) => {
                findings.extend(found);
                charts.push(chart);
            }
            Some(Err(error)) => findings.push(Finding::failed(Subject::Connection, &patient.name(), &error)),
            None => {}
        }
    }
    findings.extend(compare::look(&charts));
    match &layout {
        Err(error) => findings.push(no_layout(error)),
        Ok(layout) => {
            if layout.mode == Mode::Citus {
                findings.extend(citus::look(&patients).await);
                findings.extend(hashes::look(layout, &patients).await);
            }
            findings.extend(of_primary(config, schema, layout, &mut patients).await);
        }
    }
    findings.extend(redis(config).await);
    Diagnosis::new(findings)
}

/// What is asked of the coordinator, or of the one server.
async fn of_primary(config: &Config, schema: &Schema, layout: &Layout, patients: &mut [Patient]) -> Vec<Finding> {
    let is_it = |patient: &&mut Patient| matches!(patient.node.role, Role::Single | Role::Coordinator);
    let mut findings = Vec::new();
    let Some(patient) = patients.iter_mut().filter(|patient| patient.session.is_some()).find(is_it) else {
        return findings;
    };
    let name = patient.name();
    let Some(session) = &mut patient.session else { return findings };
    findings.extend(server::row_security(config, session, &name).await);
    if !schema.tables().is_empty() {
        findings.push(server::schema(config, schema, layout.mode, session, &name).await);
    }
    findings
}

fn no_layout(error: &Error) -> Finding {
    Finding::critical(
        Subject::Connection,
        None,
        "finding out, at the contact points, what the cluster is",
        format!("no client could start: {error}"),
        "see to what was found of the contact points; there must be one that takes writes",
    )
}

async fn redis(config: &Config) -> Option<Finding> {
    let tried = "a connection to Redis as the configuration has it, and its role";
    if config.cache.redis.is_none() || !config.cache.store.has_redis() {
        return None;
    }
    #[cfg(feature = "redis")]
    let reached = crate::cache::reach(&config.cache).await;
    #[cfg(not(feature = "redis"))]
    let reached: Result<(), String> = Err("this program was built without the feature `redis`".to_owned());
    Some(match reached {
        Ok(()) => Finding::fine(Subject::Redis, None, tried, "it answers and takes writes"),
        Err(why) => Finding::warning(
            Subject::Redis,
            None,
            tried,
            format!("{why}; until it answers, each process asks the database for what it would have there"),
            "start it, or set `cache.redis` and its log-in right; `cache.store = \"memory\"` does without",
        ),
    })
}
