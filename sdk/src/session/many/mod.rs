//! Work on the rows of many tenants at once, each statement that of one tenant, and each sent to that tenant's own node: all
//! nodes work at the same time.

mod copy;
mod rows;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

pub use copy::{CopyProgress, RoutedCopy};
pub use rows::ByTenant;

use crate::cluster::Core;

/// The rows of many tenants. Made by [`Cluster::tenants`](crate::Cluster::tenants).
///
/// It has what can be split by tenant: reading and inserting many rows, and COPY. What has to look at several tenants' rows
/// together is for [`across_shards`](crate::Cluster::across_shards).
pub struct Tenants<K> {
    core: Arc<Core>,
    key: PhantomData<fn() -> K>,
}

impl<K> Tenants<K> {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core, key: PhantomData }
    }
}

impl<K> Clone for Tenants<K> {
    fn clone(&self) -> Self {
        Self::new(self.core.clone())
    }
}

impl<K> fmt::Debug for Tenants<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tenants")
    }
}
