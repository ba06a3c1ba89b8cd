//! The entities of a service, gathered for the schema commands.

use super::Entity;
use crate::schema::{Caching, Table, layout_of_all};

/// The entities of a service, in any order.
///
/// ```
/// use shardwise::{Entity, Schema, Uuid};
///
/// #[derive(Entity)]
/// #[entity(table = "wallets", distributed_by = festival_id)]
/// struct Wallet { festival_id: Uuid, #[entity(key)] id: Uuid, balance: i64 }
///
/// let schema = Schema::new().with::<Wallet>();
/// assert_eq!(schema.tables()[0].name, "wallets");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Schema {
    tables: Vec<&'static Table>,
    cached: Vec<(&'static Table, Caching)>,
}

impl Schema {
    /// No entities yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { tables: Vec::new(), cached: Vec::new() }
    }

    /// Adds an entity. Adding it twice changes nothing.
    #[must_use]
    pub fn with<E: Entity>(mut self) -> Self {
        let table = E::table().stored();
        if !self.tables.iter().any(|&known| std::ptr::eq(known, table)) {
            self.tables.push(table);
            self.cached.extend(E::CACHING.map(|caching| (table, caching)));
        }
        self
    }

    /// What tells the layout of these tables from another one, in any order: their names, columns, types and keys.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        format!("{:016x}", layout_of_all(&self.tables))
    }

    /// The entities' tables, in the order they were added.
    #[must_use]
    pub fn tables(&self) -> &[&'static Table] {
        &self.tables
    }

    /// Those of them whose rows are cached, and how.
    #[must_use]
    pub fn cached(&self) -> &[(&'static Table, Caching)] {
        &self.cached
    }

    /// Whether the entity of this table has `cache`.
    pub(crate) fn is_cached(&self, table: &Table) -> bool {
        self.cached.iter().any(|(cached, _)| std::ptr::eq(*cached, table))
    }
}
