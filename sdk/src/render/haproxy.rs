//! `haproxy.cfg`: one port that leads to whoever is the primary, others that lead to standbys.
//!
//! HAProxy asks each server what it is (`pg_is_in_recovery()`), and not only whether somebody listens. So a promoted standby takes
//! the writes as soon as it says that it is none any more, and a primary that became a standby loses them. The sessions of a server
//! whose answer has changed are ended (`on-marked-down shutdown-sessions`): whoever wrote to the old primary learns of it at once.
//!
//! **Two primaries** are none: where two servers of a group say that they take writes, as when a lost primary is started again by
//! mistake, nobody new is led to either, until one of them is stopped. HAProxy can't tell which one has the data. The same holds right
//! after its start, until it has looked.
//!
//! **A server without a free place** for the role that asks is not taken for lost: its sessions stay, and nobody new is led to it until
//! it answers again. Such a one is not counted among two primaries either: where another server is promoted because of it, sessions of both
//! go on until one is stopped. Keep places for the role, so that a full server answers: from PostgreSQL 16 on by `reserved_connections` and
//! `GRANT pg_use_reserved_connections`, before by the limits of all other roles.
//!
//! **The role that asks** logs in without a password, for HAProxy's checks know none of SCRAM: make it with
//! [`check_role`](HaProxy::check_role), and let it in from HAProxy's address alone, to one database in which nobody has anything, by
//! [`check_rule`](HaProxy::check_rule). Whoever logs in as it learns whether the server is a standby, and what the catalogs tell
//! everybody.
//!
//! TLS goes through untouched: the server's certificate has to be made out to the name by which clients know HAProxy as well. A
//! request to cancel comes over a connection of its own, and on a port of several standbys it may reach another one, which does
//! nothing about it: the statement ends by its own time limit then.
//!
//! ```
//! use shardwise::render::{Group, haproxy::HaProxy};
//!
//! let servers = ["10.0.1.1:5432".parse()?, "10.0.1.2:5432".parse()?];
//! let proxy = HaProxy::before([Group::new("festivals", servers)]).listen("10.0.1.9", 6000)?;
//! let file = proxy.file()?;                                  // haproxy.cfg
//! let [write, read] = &proxy.listeners()?[..] else { panic!("one to write, and one to read") };
//! assert_eq!((write.endpoint.port, read.endpoint.port), (6000, 6001));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod check;

use std::fmt::Write as _;
use std::time::Duration;

use super::access::{Login, Network, Rule};
use super::text::{self, bad};
use super::{Group, Server};
use crate::config::Endpoint;
use crate::error::Result;
use crate::schema::quote_ident;
use crate::topology::Region;

/// Each group has so many ports for itself, so that those of others stay when it gets one more.
const PORTS_OF_A_GROUP: u16 = 10;

/// HAProxy before groups of servers.
#[derive(Debug, Clone)]
#[must_use]
pub struct HaProxy {
    groups: Vec<Group>,
    host: String,
    ports: Ports,
    role: String,
    database: String,
    interval: Duration,
    run_as: Option<String>,
}

#[derive(Debug, Clone)]
enum Ports {
    /// Ten for each group from this one on.
    From(u16),
    /// In the order of the listeners.
    These(Vec<u16>),
}

/// What a port leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The primary.
    Write,
    /// The standbys, by turns.
    Read,
    /// Those in this region, by turns; the others where it has none that is up.
    ReadIn(Region),
}

/// A port on which HAProxy listens.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listener {
    /// Its name in the file, and in HAProxy's statistics.
    pub name: String,
    /// The group that it leads to.
    pub group: String,
    /// To which of its servers.
    pub access: Access,
    /// Where it listens.
    pub endpoint: Endpoint,
}

impl HaProxy {
    /// On the loopback, from port 6000 on; it asks each second.
    pub fn before(groups: impl IntoIterator<Item = Group>) -> Self {
        Self {
            groups: groups.into_iter().collect(),
            host: "127.0.0.1".to_owned(),
            ports: Ports::From(6000),
            role: "shardwise_check".to_owned(),
            database: "postgres".to_owned(),
            interval: Duration::from_secs(1),
            run_as: None,
        }
    }

    /// Listens at this address. The first group has the ports from this one on, the second those ten above, and so on: the first of
    /// them to write, the next to read, the others to read in one region each, where the group has servers in several.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for what is no address.
    pub fn listen(self, host: &str, first_port: u16) -> Result<Self> {
        let host = text::host(host)?.to_owned();
        Ok(Self { host, ports: Ports::From(first_port), ..self })
    }

    /// Listens on these ports, in the order of [`listeners`](Self::listeners).
    pub fn on_ports(self, ports: impl IntoIterator<Item = u16>) -> Self {
        Self { ports: Ports::These(ports.into_iter().collect()), ..self }
    }

    /// Asks as this role in this database: `shardwise_check` in `postgres` where nothing is said.
    pub fn check_as(self, role: impl Into<String>, database: impl Into<String>) -> Self {
        Self { role: role.into(), database: database.into(), ..self }
    }

    /// Asks this often. A server is left after two answers that it should not have given, or two of 3 s that did not come, and taken
    /// after one that it should; nobody new is led to one that is full after one answer.
    pub fn check_every(self, interval: Duration) -> Self {
        Self { interval, ..self }
    }

    /// Runs as this user and its group, once it has its ports. Where systemd starts it as another user than root, leave it.
    pub fn run_as(self, user: impl Into<String>) -> Self {
        Self { run_as: Some(user.into()), ..self }
    }

    /// The SQL that makes the role that asks. It may log in and nothing else.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for a name that no role can have.
    pub fn check_role(&self) -> Result<String> {
        // Two checks at a time of each of some proxies; it can't take the connections of others.
        const CONNECTIONS: u32 = 16;
        let make = Login::new(&self.role).with_connections(CONNECTIONS).sql()?;
        Ok(format!("{make}ALTER ROLE {} SET statement_timeout = '2s';\n", quote_ident(&self.role)))
    }

    /// The line of `pg_hba.conf` that lets that role in from there: HAProxy's own address.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for names that can't stand there.
    pub fn check_rule(&self, from: Network) -> Result<String> {
        Rule::new(&self.role, from).with_database(&self.database).without_password().line()
    }

    /// On which ports it listens, and what each leads to.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for a group with no or too many servers, or a name twice, and where there are
    /// fewer ports than listeners.
    pub fn listeners(&self) -> Result<Vec<Listener>> {
        let mut listeners: Vec<Listener> = Vec::new();
        for (number, group) in self.groups.iter().enumerate() {
            check_name(group)?;
            let regions = group.regions();
            // Of a single region there is nothing to choose.
            let regions = if regions.len() > 1 { regions } else { Vec::new() };
            let of_group = [Access::Write, Access::Read].into_iter().chain(regions.into_iter().map(Access::ReadIn));
            for (place, access) in of_group.enumerate() {
                let port = self.port(number, place, listeners.len())?;
                let name = match access {
                    Access::Write => format!("{}_write", group.name),
                    Access::Read => format!("{}_read", group.name),
                    Access::ReadIn(region) => format!("{}_read_{region}", group.name),
                };
                if listeners.iter().any(|other| other.name == name) {
                    return Err(bad(format!("two groups are named {:?}: name each once", group.name)));
                }
                let endpoint = Endpoint { host: self.host.clone(), port };
                listeners.push(Listener { name, group: group.name.clone(), access, endpoint });
            }
        }
        Ok(listeners)
    }

    fn port(&self, group: usize, place: usize, listener: usize) -> Result<u16> {
        let port = match &self.ports {
            Ports::These(ports) => ports.get(listener).copied(),
            Ports::From(first) => {
                let place = u16::try_from(place).ok().filter(|place| *place < PORTS_OF_A_GROUP);
                let block = u16::try_from(group).ok().and_then(|group| group.checked_mul(PORTS_OF_A_GROUP));
                place.zip(block).and_then(|(place, block)| first.checked_add(block)?.checked_add(place))
            }
        };
        port.ok_or_else(|| {
            bad(format!(
                "there is no port for listener {} of group {}: name one for each by `on_ports`, or begin lower; a group has \
                 {PORTS_OF_A_GROUP}",
                place + 1,
                group + 1
            ))
        })
    }

    /// `haproxy.cfg`.
    ///
    /// # Errors
    /// As [`listeners`](Self::listeners), and for names and addresses that HAProxy would read otherwise.
    pub fn file(&self) -> Result<String> {
        let mut file = String::new();
        if let Some(user) = &self.run_as {
            let user = text::host(text::name("user", user)?)?;
            let _ = writeln!(file, "global\n  user {user}\n  group {user}\n");
        }
        file += DEFAULTS;
        for listener in self.listeners()? {
            let groups = self.groups.iter().filter(|group| group.name == listener.group);
            for group in groups {
                file += &self.section(&listener, group)?;
            }
        }
        Ok(file)
    }

    fn section(&self, Listener { name, access, endpoint, .. }: &Listener, group: &Group) -> Result<String> {
        let is_write = *access == Access::Write;
        let mut section = format!("\nlisten {name}\n  bind {endpoint}\n");
        let _ = match is_write {
            // Also before the first answers, when all count as up.
            true => writeln!(
                section,
                "  # Two that take writes are one too many: nobody new is led to either.\n  tcp-request connection reject if {{ \
                 nbsrv({name}) gt 1 }}"
            ),
            false => writeln!(section, "  balance leastconn\n  option allbackups"),
        };
        let (role, database) = (text::name("role", &self.role)?, text::name("database", &self.database)?);
        section += &check::steps(role, database, !is_write);
        let interval = self.interval.as_millis().max(1);
        let _ = writeln!(
            section,
            "  default-server check inter {interval}ms fall 2 rise 1 on-marked-down shutdown-sessions init-addr last,libc,none"
        );
        for (number, Server { endpoint, region }) in (1..).zip(&group.servers) {
            let is_far = matches!(access, Access::ReadIn(wanted) if *region != Some(*wanted));
            let backup = if is_far { " backup" } else { "" };
            let _ = writeln!(section, "  server s{number} {}{backup}", address(endpoint)?);
        }
        Ok(section)
    }
}

/// Whom it can lead nowhere, it tells at once. A server that has much to do may answer a check late: it is not lost by that, and its
/// sessions must not be ended. Peers that vanished are noticed by keepalive; a session that does nothing for an hour
/// is ended, which is longer than pools keep idle connections.
const DEFAULTS: &str = "defaults\n  mode tcp\n  retries 0\n  timeout connect 1s\n  timeout check 3s\n  timeout queue 100ms\n  timeout client 1h\n  \
                        timeout server 1h\n  option clitcpka\n  option srvtcpka\n";

fn check_name(group: &Group) -> Result<()> {
    let name = &group.name;
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) {
        return Err(bad(format!("{name:?} names no group: write letters, digits, '-' and '_'")));
    }
    if group.servers.is_empty() {
        return Err(bad(format!("the group {name} has no server: name its primary and its standbys")));
    }
    Ok(())
}

fn address(endpoint: &Endpoint) -> Result<String> {
    let host = text::host(&endpoint.host)?;
    match host.starts_with('/') {
        // Where PostgreSQL has its socket in that folder.
        true => Ok(format!("unix@{host}/.s.PGSQL.{}", endpoint.port)),
        false => Ok(endpoint.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Access, Endpoint, Group, HaProxy, Region, Server};

    fn at(host: &str) -> Endpoint {
        Endpoint { host: host.to_owned(), port: 5432 }
    }

    fn in_regions() -> Group {
        let regions = [Region::EU, Region::EU, Region::US];
        let server =
            |(number, region): (u32, Region)| Server { endpoint: at(&format!("db-{number}")), region: Some(region) };
        Group { name: "worker_1".to_owned(), servers: (1..).zip(regions).map(server).collect() }
    }

    #[test]
    fn ports_of_a_group_stay_when_another_grows() {
        let proxy = HaProxy::before([in_regions(), Group::new("worker_2", [at("db-4")])]);
        let found: Vec<_> = proxy
            .listeners()
            .expect("groups")
            .into_iter()
            .map(|one| (one.name, one.access, one.endpoint.port))
            .collect();
        let expected = [
            ("worker_1_write", Access::Write, 6000),
            ("worker_1_read", Access::Read, 6001),
            ("worker_1_read_eu", Access::ReadIn(Region::EU), 6002),
            ("worker_1_read_us", Access::ReadIn(Region::US), 6003),
            ("worker_2_write", Access::Write, 6010),
            ("worker_2_read", Access::Read, 6011),
        ];
        assert_eq!(found, expected.map(|(name, access, port)| (name.to_owned(), access, port)));
    }

    #[test]
    fn standbys_elsewhere_are_for_when_there_is_none_here() {
        let file = HaProxy::before([in_regions()]).file().expect("a group");
        let of_us = file.split("listen worker_1_read_us").nth(1).expect("its section");
        let servers: Vec<_> = of_us.lines().filter(|line| line.starts_with("  server ")).collect();
        assert_eq!(servers, ["  server s1 db-1:5432 backup", "  server s2 db-2:5432 backup", "  server s3 db-3:5432"]);
        let write =
            file.split("listen worker_1_write").nth(1).and_then(|rest| rest.split("listen").next()).expect("it");
        assert!(write.contains("reject if { nbsrv(worker_1_write) gt 1 }") && !write.contains("backup"), "{write}");
    }

    #[test]
    fn what_haproxy_would_read_otherwise_is_refused() {
        for (proxy, fix) in [
            (HaProxy::before([Group::new("a b", [at("db")])]), "write letters"),
            (HaProxy::before([Group::new("a", [])]), "has no server"),
            (HaProxy::before([Group::new("a", [at("db\n  server evil")])]), "is no host"),
            (HaProxy::before([Group::new("a", [at("$HOME")])]), "is no host"),
            (HaProxy::before([Group::new("a", [at("db")]), Group::new("a", [at("db")])]), "name each once"),
            (HaProxy::before([Group::new("a", [at("db")])]).on_ports([1]), "no port for listener 2"),
            (HaProxy::before([Group::new("a", [at("db")])]).check_as("a\0b", "x"), "control characters"),
            (HaProxy::before([Group::new("a", [at("db")])]).run_as("a b"), "is no host"),
        ] {
            let error = proxy.file().expect_err(fix).to_string();
            assert!(error.contains(fix), "{error}");
        }
        let high = HaProxy::before([Group::new("a", [at("db")])]).listen("::1", 65_535).expect("an address");
        assert!(high.file().is_err());
        assert!(HaProxy::before([]).listen("a b", 1).is_err());
    }
}
