//! Scopes: whose rows a session reaches.

use std::any::TypeId;
use std::fmt;

use tokio_postgres::types::Type;

use crate::entity::{Distributed, DistributionKey, Entity, Params, Reference, Renderer, View};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::Table;
use crate::scope::Listed;

/// Whose rows a session reaches. Sealed.
pub trait Scope: Clone + Send + Sync + sealed::Sealed + 'static {
    /// The scope's name, for spans and messages.
    const NAME: &'static str;

    /// Binds `$1` of a static statement, where the scope has a key.
    #[doc(hidden)]
    fn bind<'a>(&'a self, params: &mut Params<'a>);

    /// The type in which the scope's key travels, where it has one.
    #[doc(hidden)]
    fn key_type(&self) -> Option<Type> {
        None
    }

    /// The tenant's key, as it stands in the names of what is kept of its rows; empty where there is none.
    #[doc(hidden)]
    fn kept_as(&self) -> String {
        String::new()
    }

    /// Whether a statement over these tables is for this session.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where it is not.
    #[doc(hidden)]
    fn reach(&self, entities: &[Listed], writes: bool) -> Result<()>;

    /// Renders the condition that keeps the table with this alias inside the scope; false where there is none.
    #[doc(hidden)]
    fn restrict<'a>(&'a self, out: &mut Renderer<'a>, alias: usize, table: &'static Table) -> bool;
}

mod sealed {
    pub trait Sealed {}
    impl<K> Sealed for super::TenantScope<K> {}
    impl Sealed for super::ReferenceScope {}
    impl Sealed for super::AnyScope {}
}

/// One tenant's rows.
#[derive(Clone)]
pub struct TenantScope<K> {
    pub(crate) key: K,
}

/// The rows of reference entities.
#[derive(Clone)]
pub struct ReferenceScope;

/// Everybody's rows: by raw SQL, and those of materialized views.
#[derive(Clone)]
pub struct AnyScope;

impl<K: DistributionKey> Scope for TenantScope<K> {
    const NAME: &'static str = "tenant";

    fn bind<'a>(&'a self, params: &mut Params<'a>) {
        params.push(&self.key);
    }

    fn key_type(&self) -> Option<Type> {
        Some(K::WIRE)
    }

    fn kept_as(&self) -> String {
        self.key.key_ref().text()
    }

    fn reach(&self, entities: &[Listed], writes: bool) -> Result<()> {
        let mut is_own = false;
        for listed in entities {
            let Some(key) = (listed.key)() else { continue };
            is_own = true;
            if key != TypeId::of::<K>() {
                let entity = (listed.table)().entity;
                let message = format!("`{entity}` is distributed by a key of another Rust type than this tenant's");
                return Err(Error::new(ErrorKind::Usage, message));
            }
        }
        // Beside rows of its own, the checker refuses to change what is every tenant's.
        match entities.first() {
            Some(shared) if writes && !is_own => {
                let entity = (shared.table)().entity;
                let message =
                    format!("the rows of `{entity}` are every tenant's: change them through `cluster.reference()`");
                Err(Error::new(ErrorKind::Usage, message))
            }
            _ => Ok(()),
        }
    }

    fn restrict<'a>(&'a self, out: &mut Renderer<'a>, alias: usize, table: &'static Table) -> bool {
        let Some(column) = table.distribution_column() else { return false };
        let cast = table.column(column).map_or("", |column| column.bind);
        out.aliased(alias, column);
        out.push(" = ");
        out.param(&self.key, K::WIRE, cast);
        true
    }
}

impl Scope for ReferenceScope {
    const NAME: &'static str = "reference";

    fn bind<'a>(&'a self, _: &mut Params<'a>) {}

    fn reach(&self, entities: &[Listed], _: bool) -> Result<()> {
        match entities.iter().find(|listed| (listed.key)().is_some()) {
            None => Ok(()),
            Some(listed) => {
                let table = (listed.table)();
                let message = format!("`{}` is distributed: it is reached through `cluster.tenant(key)`", table.entity);
                Err(Error::new(ErrorKind::Usage, message))
            }
        }
    }

    fn restrict<'a>(&'a self, _: &mut Renderer<'a>, _: usize, _: &'static Table) -> bool {
        false
    }
}

impl Scope for AnyScope {
    const NAME: &'static str = "coordinator";

    fn bind<'a>(&'a self, _: &mut Params<'a>) {}

    fn reach(&self, _: &[Listed], _: bool) -> Result<()> {
        Ok(())
    }

    fn restrict<'a>(&'a self, _: &mut Renderer<'a>, _: usize, _: &'static Table) -> bool {
        false
    }
}

impl<K> fmt::Debug for TenantScope<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TenantScope")
    }
}

impl fmt::Debug for ReferenceScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReferenceScope")
    }
}

impl fmt::Debug for AnyScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnyScope")
    }
}

/// The entities that a session with the scope `S` reaches: a tenant the distributed ones with its type of key, a
/// reference session the reference ones, the coordinator's the materialized views.
#[diagnostic::on_unimplemented(
    message = "this session can't reach `{Self}`",
    label = "out of this session's reach",
    note = "a reference entity is reached with `cluster.reference()`; a tenant's select can join it",
    note = "a distributed entity is reached with `cluster.tenant(key)`, where the key has the type of its `distributed_by` field",
    note = "`cluster.coordinator()` takes raw SQL, and materialized views"
)]
pub trait In<S>: Entity {
    /// Whether this row lies in the scope.
    #[doc(hidden)]
    fn is_in(&self, scope: &S) -> bool;
}

#[diagnostic::do_not_recommend]
impl<E, K> In<TenantScope<K>> for E
where
    E: Distributed<DistributionKey = K>,
    K: DistributionKey,
{
    fn is_in(&self, scope: &TenantScope<K>) -> bool {
        self.distribution_key().key_ref() == scope.key.key_ref()
    }
}

#[diagnostic::do_not_recommend]
impl<E: Reference> In<ReferenceScope> for E {
    fn is_in(&self, _: &ReferenceScope) -> bool {
        true
    }
}

#[diagnostic::do_not_recommend]
impl<E: View> In<AnyScope> for E {
    fn is_in(&self, _: &AnyScope) -> bool {
        true
    }
}
