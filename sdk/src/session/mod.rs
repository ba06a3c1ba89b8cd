//! Sessions: the verbs of one tenant, of the reference entities, and of the coordinator; inside a transaction or not.
//!
//! A [`Session`] is a scope (whose rows) and an executor (on which connection). Each verb is written once, for all of
//! them, in the file of its name; `execute.rs` is the only one that sends anything.

mod batch;
#[cfg(feature = "cache")]
mod by_hand;
#[cfg(feature = "cache")]
mod cached;
mod call;
mod copy;
mod count;
mod delete;
mod directory;
mod execute;
mod executor;
mod explain;
mod fence;
mod get;
mod hedge;
mod insert;
mod job;
mod many;
mod own;
mod page;
mod pipeline;
mod progression;
mod raw;
mod ready;
mod row;
mod scope;
mod select;
mod source;
mod statement;
mod stream;
mod tenant;
mod terms;
#[cfg_attr(not(feature = "cache"), path = "untouched.rs")]
mod touch;
mod transaction;
mod update;
mod watch;
mod written;

use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

#[cfg(feature = "cache")]
pub use by_hand::ByHand;
pub use copy::{CopyIn, CopyOut};
pub use directory::Directory;
pub use executor::{Executor, Pinned, Pooled};
pub(crate) use explain::explain;
pub use explain::{KeyShard, RouteExplanation, Stop, Unreachable};
pub use many::{ByTenant, CopyProgress, RoutedCopy, Tenants};
pub use page::{Cursor, Page};
pub use pipeline::Pipeline;
pub use ready::SqlFor;
pub use row::{FromRow, Row};
pub use scope::{AnyScope, In, ReferenceScope, Scope, TenantScope};
pub use select::Select;
pub use source::{At, Contains, JoinWith, Left, Member, Source};
pub use statement::{AssertTenantSafe, Sql, SqlText, SqlValue, UnscopedSql};
pub use stream::{EntityStream, RowStream};
pub(crate) use tenant::tenant;
pub use transaction::{AsError, Isolation, TransactionOptions};
pub use update::Update;

use crate::cluster::Core;
use crate::config::Mode;
use crate::entity::DistributionKey;
use crate::error::Result;
use crate::route::Route;
use crate::routing::{Need, Pin, Target};
use crate::topology::{Region, Residency};

/// Verbs bound to one scope and one way of running statements. Use its names: [`Tenant`], [`Transaction`],
/// [`ReferenceSession`], [`CoordinatorSession`].
pub struct Session<S, X> {
    pub(crate) scope: S,
    pub(crate) executor: X,
}

/// The rows of one tenant: every statement carries its distribution key, and goes to the node that owns it.
///
/// Cheap to clone, and free of lifetimes: keep it in a request's state.
///
/// A reference entity is not reached through a tenant:
///
/// ```compile_fail
/// # use shardwise::{Entity, Tenant, Uuid};
/// #[derive(Entity)]
/// #[entity(table = "festivals", reference)]
/// struct Festival { #[entity(key)] id: Uuid, name: String }
///
/// async fn f(fest: Tenant, id: Uuid) -> shardwise::Result<Festival> {
///     fest.get::<Festival>(id).await // error: this session can't reach `Festival`
/// }
/// ```
pub type Tenant<K = Uuid> = Session<TenantScope<K>, Pooled>;

/// A tenant's rows inside one transaction.
pub type Transaction<K = Uuid> = Session<TenantScope<K>, Pinned>;

/// The rows of reference entities.
pub type ReferenceSession = Session<ReferenceScope, Pooled>;

/// Reference entities' rows inside one transaction.
pub type ReferenceTransaction = Session<ReferenceScope, Pinned>;

/// Raw SQL on the coordinator (in single mode: on the one server): DDL and work over many tenants, on purpose.
pub type CoordinatorSession = Session<AnyScope, Pooled>;

/// Raw SQL on the coordinator inside one transaction.
pub type CoordinatorTransaction = Session<AnyScope, Pinned>;

impl<S: Scope> Session<S, Pooled> {
    pub(crate) fn pooled(scope: S, core: Arc<Core>, target: Target) -> Self {
        Self { scope, executor: Pooled::new(core, target) }
    }
}

impl<S: Scope, X: Executor> Session<S, X> {
    /// The route that this session's statements take now.
    ///
    /// # Errors
    /// When no node can serve it.
    pub fn route(&self) -> Result<Route> {
        self.executor.route()
    }
}

impl<K: DistributionKey> Session<TenantScope<K>, Pooled> {
    /// Keeps this handle's statements to a place: a [`Region`], the coordinator, or whatever node is nearest.
    ///
    /// Pinned to a region, each statement is bound to it: the node vouches in the statement's own transaction that the
    /// tenant's shard lies in the region, and nothing runs where it does not.
    ///
    /// ```
    /// # use shardwise::{Cluster, Region, Uuid};
    /// # async fn f(cluster: Cluster, id: Uuid) -> shardwise::Result<()> {
    /// let fest = cluster.tenant(id).await?.pinned(Region::EU)?; // an error unless its data really live in the EU
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Residency`](crate::ErrorKind::Residency) where the tenant's data lie outside the region.
    pub fn pinned(mut self, pin: impl Into<Pin>) -> Result<Self> {
        self.executor.target.pin = pin.into();
        let core = self.executor.core();
        core.check(self.executor.target, Need::ANY).inspect_err(|error| watch::refused(core, error))?;
        Ok(self)
    }

    /// Has this handle keep to its home region in this way, in place of what the configuration says.
    ///
    /// # Errors
    /// [`ErrorKind::Residency`](crate::ErrorKind::Residency) where `Strict` is asked for and the data lie outside, or the
    /// tenant has no home region; and when the directory can't be asked.
    pub async fn with_residency(mut self, residency: Residency) -> Result<Self> {
        let core = self.executor.core();
        // One server has no other region to go to.
        let residency = if core.mode() == Mode::Single { Residency::Off } else { residency };
        let target = Target { residency, ..self.executor.target };
        let at_home = tenant::at_home(core, &self.scope.key, target).await;
        self.executor.target = at_home.inspect_err(|error| watch::refused(core, error))?;
        Ok(self)
    }
}

impl<K, X: Executor> Session<TenantScope<K>, X> {
    /// The region that the tenant's rows are in now, where the nodes' regions are known.
    pub fn region(&self) -> Option<Region> {
        self.executor.core().region(*self.executor.target(), Need::ANY)
    }
}

impl<K, X> Session<TenantScope<K>, X> {
    /// The tenant's key.
    pub fn key(&self) -> &K {
        &self.scope.key
    }
}

impl<S: Clone, X: Clone> Clone for Session<S, X> {
    fn clone(&self) -> Self {
        Self { scope: self.scope.clone(), executor: self.executor.clone() }
    }
}

// The tenant's key is a parameter's value: it is not shown.
impl<S: Scope, X> fmt::Debug for Session<S, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({})", S::NAME)
    }
}
