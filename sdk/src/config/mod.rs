//! Configuration: parsed means valid. (Draft of the values; the parser comes from its own branch.)
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::topology::Region;

/// draft
#[derive(Debug, Clone)]
#[allow(dead_code, missing_docs)]
pub struct Config {
    pub(crate) mode: Mode,
    pub(crate) contact_points: Vec<Endpoint>,
    pub(crate) database: String,
    pub(crate) user: String,
    pub(crate) password: Option<Secret>,
    pub(crate) application_name: String,
    pub(crate) tls: Option<Tls>,
    pub(crate) pool: PoolConfig,
    pub(crate) timeouts: Timeouts,
    pub(crate) local_region: Option<Region>,
    pub(crate) regions: Vec<Region>,
    pub(crate) replicas: Vec<Endpoint>,
    pub(crate) nodes: BTreeMap<Endpoint, NodeOverride>,
}
/// draft
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Mode {
    Auto,
    Single,
    Citus,
}
/// draft
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub struct Endpoint {
    pub host: String,
    pub port: u16,
}
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}
/// draft
#[derive(Clone)]
pub struct Secret(String);
impl Secret {
    /// draft
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
/// draft
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Tls {
    pub verify: Verify,
    pub ca_file: Option<PathBuf>,
    pub cert_file: Option<PathBuf>,
    pub key_file: Option<PathBuf>,
}
/// draft
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Verify {
    Full,
    Ca,
}
/// draft
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct PoolConfig {
    pub max_connections: u32,
    pub min_idle: u32,
    pub idle_timeout: Duration,
    pub max_lifetime: Duration,
    pub statement_cache: usize,
}
/// draft
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)]
pub struct Timeouts {
    pub connect: Duration,
    pub checkout: Duration,
    pub statement: Duration,
    pub call: Duration,
}
/// draft
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct NodeOverride {
    pub host: Option<String>,
    pub port: Option<u16>,
}
