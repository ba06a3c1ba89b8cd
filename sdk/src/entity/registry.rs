//! The entities of a service, gathered for the schema commands.

use super::Entity;
use crate::schema::Table;

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
}

impl Schema {
    /// No entities yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { tables: Vec::new() }
    }

    /// Adds an entity. Adding it twice changes nothing.
    #[must_use]
    pub fn with<E: Entity>(mut self) -> Self {
        let table = E::table().stored();
        if !self.tables.iter().any(|&known| std::ptr::eq(known, table)) {
            self.tables.push(table);
        }
        self
    }

    /// The entities' tables, in the order they were added.
    #[must_use]
    pub fn tables(&self) -> &[&'static Table] {
        &self.tables
    }
}
