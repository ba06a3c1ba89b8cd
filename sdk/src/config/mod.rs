//! Configuration: parsed means valid.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::topology::Region;

/// A valid configuration.
#[derive(Debug, Clone)]
pub struct Config {
    pub(crate) mode: Mode,
    /// Where to connect first. Never empty.
    pub(crate) contact_points: Vec<Endpoint>,
    pub(crate) database: String,
    pub(crate) user: String,
    pub(crate) password: Option<Secret>,
    pub(crate) application_name: String,
    pub(crate) tls: Option<Tls>,
    pub(crate) pool: PoolConfig,
    pub(crate) timeouts: Timeouts,
    /// The region that this process runs in.
    pub(crate) local_region: Option<Region>,
    /// All regions; `local_region` is one of them.
    pub(crate) regions: Vec<Region>,
    /// Standbys of the primary, in single mode.
    pub(crate) replicas: Vec<Endpoint>,
    /// How to reach nodes whose own address is of no use here.
    pub(crate) nodes: BTreeMap<Endpoint, NodeOverride>,
}
