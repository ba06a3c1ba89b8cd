//! What a Rust struct must tell about itself to be stored: the traits that `#[derive(Entity)]` implements.
//!
//! Nothing here does IO. The derive writes every statement and the row codec at compile time, so that the hot path
//! only binds values and reads columns by position.

mod column;
mod column_type;
#[doc(hidden)]
pub mod concat;
mod denormalized;
mod distribution_key;
mod filter;
mod foreign_key;
mod json;
#[doc(hidden)]
pub mod label;
mod params;
mod raw;
mod registry;
mod rollup;
mod view;

pub(crate) use column::Assignment;
pub(crate) use column::RawColumn;
pub use column::{Column, JoinOn, Operand, Order, SameValue, Summable};
pub use column_type::{ColumnType, Element, NeverNull, PartitionColumn, RegionColumn, SequenceColumn, TextLike};
pub use denormalized::CopyOf;
#[doc(hidden)]
pub use denormalized::Followed;
pub use distribution_key::{DistributionKey, Newtype};
pub(crate) use filter::AnyFilter;
#[doc(hidden)]
pub use filter::Renderer;
pub use filter::{Filter, Value, escape_like};
pub use foreign_key::{ClearedByDelete, ForeignKeyTo, OnEveryNode};
pub use json::{Json, JsonDocument};
pub(crate) use params::bytes_of;
pub use params::{Param, Params};
pub(crate) use raw::Raw;
pub use registry::Schema;
#[doc(hidden)]
pub use rollup::checked;
pub use rollup::{CountColumn, ExactSum, HourOf, PeriodOf, Rollup, Writable};
pub use view::View;

#[doc(hidden)]
pub use shardwise_scope::TableFacts;
use tokio_postgres::Row;
use tokio_postgres::binary_copy::BinaryCopyOutRow;
use tokio_postgres::types::{FromSqlOwned, Type};

use std::any::TypeId;

use crate::schema::{Caching, Table};

/// One SQL statement with the wire types of its parameters, known at compile time.
#[derive(Debug)]
pub struct Statement {
    /// The text, with `$1`… for the parameters.
    pub sql: &'static str,
    /// The parameters' types, in order.
    pub params: &'static [Type],
}

/// Every statement that an entity's verbs need.
///
/// In all of them a distributed entity's distribution key is `$1`. "Key" below is [`Entity::Key`], "primary key" the
/// whole one (distribution key, key, and the partition column of a partitioned entity).
#[derive(Debug)]
pub struct Statements {
    /// Reads one row by key: `[distribution key,] key…` → all columns.
    pub get: Statement,
    /// Reads many rows by key: `[distribution key,] key[]` → all columns. Only where the key is one column.
    pub get_many: Option<Statement>,
    /// Tells whether a row exists: `[distribution key,] key…` → boolean.
    pub exists: Statement,
    /// Deletes one row by key: `[distribution key,] key…`.
    pub delete: Statement,
    /// Counts the tenant's rows: `[distribution key]` → bigint.
    pub count: Statement,
    /// Inserts a row: the parameters of [`Entity::bind_insert`].
    pub insert: Statement,
    /// Inserts a row and reads it back: the same parameters → all columns.
    pub insert_returning: Statement,
    /// Inserts a row, or replaces the columns of the one with this primary key: the same parameters.
    pub upsert: Statement,
    /// Writes all columns of the row with this primary key: the parameters of [`Entity::bind_update`]. None where all
    /// columns belong to the primary key.
    pub update: Option<Statement>,
    /// The same, which fails (SQLSTATE 2201G) where there is no such row.
    pub update_existing: Option<Statement>,
}

/// What stands behind `WITH __written AS (` and an UPDATE that must not go without effect, which a COMMIT sent with it would not
/// notice: `width_bucket` takes no number of buckets below one (SQLSTATE 2201G).
#[doc(hidden)]
pub const OR_FAIL: &str =
    " RETURNING 1) SELECT pg_catalog.width_bucket(0::float8, 0, 1, pg_catalog.count(*)::int4) FROM __written";

/// A struct stored as the rows of one table. Derive it; the manual implementation is not stable.
///
/// ```
/// use shardwise::{Entity, Uuid};
///
/// #[derive(Entity)]
/// #[entity(table = "wallets", distributed_by = festival_id)]
/// struct Wallet {
///     festival_id: Uuid,
///     #[entity(key)]
///     id: Uuid,
///     balance: i64,
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an entity",
    label = "not an entity",
    note = "add #[derive(Entity)] and #[entity(table = \"…\", distributed_by = …)] or #[entity(table = \"…\", reference)] to `{Self}`"
)]
pub trait Entity: Sized + Send + Sync + 'static {
    /// How the rows are spread over the nodes: [`HashDistributed`] or [`Replicated`].
    type Distribution: Spread;
    /// The key within the tenant: the type of the `key` field, a tuple of several, `()` where the distribution key
    /// alone is the key.
    type Key: EntityKey;
    /// Whether the table is partitioned. PostgreSQL can't point a foreign key at a partitioned table without its
    /// partition column, so the derive refuses that.
    const PARTITIONED: bool;

    /// How its rows are cached, where they are.
    const CACHING: Option<Caching> = None;

    /// What the compiler holds statements in SQL against.
    #[doc(hidden)]
    const FACTS: TableFacts<'static>;

    /// The table's description.
    fn table() -> &'static Table;
    /// The statements.
    fn statements() -> &'static Statements;
    /// This row's key.
    fn key(&self) -> Self::Key;
    /// Binds what `insert`, `insert_returning` and `upsert` take: every column that is not generated, in order.
    fn bind_insert<'a>(&'a self, params: &mut Params<'a>);
    /// Binds what `update` takes: the primary key first (the distribution key is `$1`), then all other columns that
    /// are not generated, in order.
    fn bind_update<'a>(&'a self, params: &mut Params<'a>);
    /// Reads an entity from the columns `at`, `at + 1`… of a row, in the order of [`Table::columns`].
    ///
    /// # Errors
    /// When a column's type or NULL does not fit its field.
    fn read<R: Columns>(row: &R, at: usize) -> Result<Self, R::Error>;
}

/// A row whose columns are read by position: of a result, of a binary COPY, or one that was kept.
pub trait Columns {
    /// What is wrong with a column.
    type Error;

    /// The value of the column `at`, from 0.
    ///
    /// # Errors
    /// When the column's type or NULL does not fit `T`.
    fn column<T: FromSqlOwned>(&self, at: usize) -> Result<T, Self::Error>;
}

impl Columns for Row {
    type Error = tokio_postgres::Error;

    fn column<T: FromSqlOwned>(&self, at: usize) -> Result<T, tokio_postgres::Error> {
        self.try_get(at)
    }
}

impl Columns for BinaryCopyOutRow {
    type Error = tokio_postgres::Error;

    fn column<T: FromSqlOwned>(&self, at: usize) -> Result<T, tokio_postgres::Error> {
        self.try_get(at)
    }
}

/// An entity whose rows are spread by a distribution key. It is reached only through a tenant.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a distributed entity",
    label = "not distributed",
    note = "to distribute it, write #[entity(distributed_by = festival_id)] in place of `reference`"
)]
pub trait Distributed: Entity<Distribution = HashDistributed<Self::DistributionKey, Self::Group>> {
    /// The distribution column's type.
    type DistributionKey: DistributionKey;
    /// The co-location group.
    type Group: 'static;
    /// This row's distribution key.
    fn distribution_key(&self) -> &Self::DistributionKey;
}

/// An entity that others with a distribution key of type `K` can be co-located with.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not distributed by a `{K}`, so its rows can't be co-located with these",
    label = "not distributed by a `{K}`",
    note = "name an entity whose `distributed_by` field is a `{K}`, or remove `colocated_with`"
)]
pub trait DistributedBy<K> {
    /// The co-location group.
    type Group: 'static;
}
#[diagnostic::do_not_recommend]
impl<K, E: Distributed<DistributionKey = K>> DistributedBy<K> for E {
    type Group = E::Group;
}

/// An entity replicated to every node.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a reference entity",
    label = "not replicated to every node",
    note = "a distributed entity is reached through its tenant: `cluster.tenant(key).await?`"
)]
pub trait Reference: Entity<Distribution = Replicated> {}

/// A way to spread rows over the nodes. Sealed.
pub trait Spread: sealed::Sealed + 'static {
    /// The type of the distribution key, where there is one.
    #[doc(hidden)]
    fn key() -> Option<TypeId>;
}

mod sealed {
    pub trait Sealed {}
    impl<K, G> Sealed for super::HashDistributed<K, G> {}
    impl Sealed for super::Replicated {}
    impl Sealed for super::OnCoordinator {}
}

impl<K: 'static, G: 'static> Spread for HashDistributed<K, G> {
    fn key() -> Option<TypeId> {
        Some(TypeId::of::<K>())
    }
}

impl Spread for Replicated {
    fn key() -> Option<TypeId> {
        None
    }
}

impl Spread for OnCoordinator {
    fn key() -> Option<TypeId> {
        None
    }
}

/// Spread by the hash of a key of type `K`, together with the other entities of the co-location group `G`.
#[derive(Debug)]
pub struct HashDistributed<K, G>(std::marker::PhantomData<fn() -> (K, G)>);

/// Replicated to every node.
#[derive(Debug)]
pub struct Replicated;

/// Not spread: on the coordinator alone.
#[derive(Debug)]
pub struct OnCoordinator;

/// The co-location group of entities that name none.
#[derive(Debug)]
pub struct DefaultGroup;

/// Which distributions can meet in one statement on one node: the same key type and co-location group, or a reference
/// entity.
#[diagnostic::on_unimplemented(
    message = "these entities are not co-located",
    label = "its rows can live on another node",
    note = "join and reference only entities of one distribution key and co-location group, or reference entities; see `colocated_with`"
)]
pub trait MeetsIn<K, G> {
    #[doc(hidden)]
    const CHECKED: () = ();
}
impl<K, G> MeetsIn<K, G> for HashDistributed<K, G> {}
impl<K, G> MeetsIn<K, G> for Replicated {}

/// Which distributions can be joined to entities of the distribution `D`.
#[diagnostic::on_unimplemented(
    message = "these entities can't be joined: they are not co-located",
    label = "its rows can live on another node",
    note = "join only entities of one distribution key and co-location group, or reference entities; see `colocated_with`"
)]
pub trait MeetsWith<D> {}
#[diagnostic::do_not_recommend]
impl<K, G, T: MeetsIn<K, G>> MeetsWith<HashDistributed<K, G>> for T {}
impl MeetsWith<Replicated> for Replicated {}

/// What can follow the distribution key in an entity's primary key: an [`Element`], a tuple of up to four, or `()`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be an entity's key",
    label = "not a key type",
    note = "use Uuid, bool, i16, i32, i64, f32, f64, String, a date or a decimal; never an `Option`",
    note = "an enum needs #[derive(Debug, Clone, SqlEnum)], a wrapper of one of these #[derive(Debug, Clone, SqlNewtype)]"
)]
pub trait EntityKey: Clone + Send + Sync + 'static {
    /// Binds the key's columns in order.
    fn bind<'a>(&'a self, params: &mut Params<'a>);

    /// Binds many keys as one array, where a key is one column; else false.
    fn bind_array<'a>(_: &'a [Self], _: &mut Params<'a>) -> bool {
        false
    }
}

#[diagnostic::do_not_recommend]
impl<T: Element + Clone> EntityKey for T {
    fn bind<'a>(&'a self, params: &mut Params<'a>) {
        params.push(self);
    }

    fn bind_array<'a>(keys: &'a [Self], params: &mut Params<'a>) -> bool {
        params.push_owned(keys);
        true
    }
}

impl EntityKey for () {
    fn bind<'a>(&'a self, _: &mut Params<'a>) {}
}

macro_rules! tuple_keys {
    ($(($($t:ident $i:tt),+))+) => {$(
        impl<$($t: Element + Clone),+> EntityKey for ($($t,)+) {
            fn bind<'a>(&'a self, params: &mut Params<'a>) {
                $(params.push(&self.$i);)+
            }
        }
    )+};
}
tuple_keys! { (A 0, B 1) (A 0, B 1, C 2) (A 0, B 1, C 2, D 3) }
