//! Statements in SQL, as the caller writes them.

use std::borrow::Cow;
use std::fmt;

use smallvec::{SmallVec, smallvec};
use tokio_postgres::types::ToSql;

use crate::entity::{Entity, Param, TableFacts};
use crate::scope::{Listed, Literal, listed};

/// A statement of one tenant, made by [`sql!`](crate::sql!) and checked by the compiler: it reads and writes the tenant's rows
/// and reference tables, and nothing else.
#[must_use = "it is sent by `query`, `execute` and their like"]
pub struct Sql<'a> {
    pub(super) literal: &'static Literal,
    /// By the number of the parameter; the tenant's key has none.
    pub(super) values: Values<'a>,
}

pub(super) type Values<'a> = SmallVec<[Option<Param<'a>>; 4]>;

/// A statement of many tenants or none, made by [`unscoped_sql!`](crate::unscoped_sql!). Only the coordinator takes it.
#[must_use = "it is sent by `query`, `execute` and their like"]
pub struct UnscopedSql<'a> {
    pub(super) sql: &'static str,
    pub(super) values: Values<'a>,
    pub(super) seems_to_read: bool,
}

/// A statement of one tenant whose text is made when the program runs. It is checked as the literals of
/// [`sql!`](crate::sql!) are; each text is read once.
///
/// Values belong into parameters: each text is kept, and each new one takes about a quarter of a millisecond to read.
///
/// ```
/// # use shardwise::{Entity, SqlText, Tenant, Uuid};
/// # #[derive(Entity)]
/// # #[entity(table = "wallets", distributed_by = festival_id)]
/// # struct Wallet { festival_id: Uuid, #[entity(key)] id: Uuid, balance: i64 }
/// # async fn f(fest: Tenant, descending: bool) -> shardwise::Result<()> {
/// let direction = if descending { "DESC" } else { "ASC" };
/// let text = format!(
///     "SELECT id FROM wallets WHERE festival_id = :festival_id AND balance > :least ORDER BY balance {direction}"
/// );
/// let ids: Vec<(Uuid,)> = fest.query_as(SqlText::new(text).entity::<Wallet>().bind("least", 10_i64)).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "it is sent by `query`, `execute` and their like"]
pub struct SqlText<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) asserted: Option<AssertTenantSafe>,
    pub(super) entities: SmallVec<[Listed; 2]>,
    pub(super) facts: SmallVec<[TableFacts<'static>; 2]>,
    pub(super) names: SmallVec<[&'a str; 4]>,
    pub(super) values: SmallVec<[Param<'a>; 4]>,
}

/// The caller's word that a statement stays with one tenant, and why: for what the checker refuses, a view with a condition
/// of its own for example. It is logged each time, at the level INFO, by `shardwise::tenant_safety`.
///
/// ```
/// # use shardwise::{AssertTenantSafe, Tenant};
/// # async fn f(fest: Tenant) -> shardwise::Result<()> {
/// let size: (i64,) = fest
///     .query_one_as(AssertTenantSafe("no rows, a size").sql("SELECT pg_database_size(current_database())"))
///     .await?;
/// # Ok(())
/// # }
/// ```
///
/// In the database itself, [row level security](crate::config) holds such a statement to the tenant as any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AssertTenantSafe(pub &'static str);

/// Writes a statement of one tenant in SQL, with `:name` for each parameter. The compiler checks it.
///
/// `entities(…)` names the entities whose tables the text uses: types, and no parameters of a generic function, for which
/// there is [`SqlText::entity`](crate::SqlText::entity). In a tenant's session the parameter named like their
/// distribution column (`:festival_id`) is the tenant's key: it is bound by the session, never by the caller. Each
/// distributed table in the text has to be held to it: by a condition, or by equality with the column of another one.
///
/// ```
/// # use shardwise::{Entity, Tenant, Uuid, sql};
/// # #[derive(Entity)]
/// # #[entity(table = "wallets", distributed_by = festival_id)]
/// # struct Wallet { festival_id: Uuid, #[entity(key)] id: Uuid, balance: i64 }
/// # async fn f(fest: Tenant) -> shardwise::Result<()> {
/// let rows: Vec<(Uuid, i64)> = fest
///     .query_as(sql!(
///         "SELECT id, balance FROM wallets WHERE festival_id = :festival_id AND balance > :least",
///         entities(Wallet),
///         least = 10_000_i64,
///     ))
///     .await?;
/// # Ok(())
/// # }
/// ```
///
/// What forgets the tenant does not compile:
///
/// ```compile_fail
/// # use shardwise::{Entity, Tenant, Uuid, sql};
/// # #[derive(Entity)]
/// # #[entity(table = "wallets", distributed_by = festival_id)]
/// # struct Wallet { festival_id: Uuid, #[entity(key)] id: Uuid, balance: i64 }
/// # async fn f(fest: Tenant) -> shardwise::Result<()> {
/// fest.query(sql!("SELECT id, balance FROM wallets", entities(Wallet))).await?;
/// # Ok(())
/// # }
/// ```
///
/// Nor does what the checker does not understand. A text that is made at run time is a [`SqlText`]; what is known to be safe
/// for another reason is said with [`AssertTenantSafe`]; what concerns many tenants is [`unscoped_sql!`](crate::unscoped_sql!).
#[macro_export]
macro_rules! sql {
    ($text:literal, entities($($entity:ty),* $(,)?) $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::__private::scoped_sql!($crate; $text; [$($entity),*]; [$($name = $value),*])
    };
    ($text:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::__private::scoped_sql!($crate; $text; []; [$($name = $value),*])
    };
    ($($other:tt)*) => {
        ::core::compile_error!(
            "write sql!(\"SELECT … :name …\", entities(Wallet), name = value): the text is a literal, and values are \
             parameters, never part of it. A text that is made at run time is a SqlText"
        )
    };
}

/// Writes a statement of many tenants or none in SQL, with `:name` for each parameter: DDL, reports over all festivals. Only
/// [`coordinator`](crate::Cluster::coordinator) and [`across_shards`](crate::Cluster::across_shards) take it.
///
/// ```
/// # use shardwise::{Cluster, unscoped_sql};
/// # async fn f(cluster: Cluster) -> shardwise::Result<()> {
/// let all = cluster.across_shards("turnover of all festivals, for the monthly report");
/// let turnover: (i64,) = all
///     .query_one_as(unscoped_sql!("SELECT coalesce(sum(amount), 0)::bigint FROM orders WHERE amount > :least", least = 0_i64))
///     .await?;
/// # Ok(())
/// # }
/// ```
#[macro_export]
macro_rules! unscoped_sql {
    ($text:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::__private::unscoped_sql!($crate; $text; []; [$($name = $value),*])
    };
    ($($other:tt)*) => {
        ::core::compile_error!(
            "write unscoped_sql!(\"SELECT … :name …\", name = value): the text is a literal, and values are parameters, never \
             part of it. No entities are named: it is for the coordinator alone"
        )
    };
}

/// A value that a parameter of a statement in SQL can have: of any column type, or what `ToSql` of tokio-postgres knows
/// besides them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the value of a parameter",
    label = "no SQL type for `{Self}`",
    note = "use Uuid, bool, i16, i32, i64, f32, f64, String, &str, Vec<u8>, a date, a decimal, an `Option` or a `Vec` of them, an enum with #[derive(SqlEnum)] or a wrapper with #[derive(SqlNewtype)]"
)]
pub trait SqlValue: ToSql + Send + Sync {}
#[diagnostic::do_not_recommend]
impl<T: ToSql + Send + Sync> SqlValue for T {}

impl<'a> Sql<'a> {
    #[doc(hidden)]
    pub fn __new(literal: &'static Literal) -> Self {
        Self { literal, values: unset(literal.params) }
    }

    #[doc(hidden)]
    pub fn __bind(mut self, at: usize, value: impl SqlValue + 'a) -> Self {
        if let Some(slot) = self.values.get_mut(at) {
            *slot = Some(Param::Owned(Box::new(value)));
        }
        self
    }
}

impl<'a> UnscopedSql<'a> {
    #[doc(hidden)]
    pub fn __new(sql: &'static str, params: usize, seems_to_read: bool) -> Self {
        Self { sql, values: unset(params), seems_to_read }
    }

    #[doc(hidden)]
    pub fn __bind(mut self, at: usize, value: impl SqlValue + 'a) -> Self {
        if let Some(slot) = self.values.get_mut(at) {
            *slot = Some(Param::Owned(Box::new(value)));
        }
        self
    }
}

fn unset<'a>(params: usize) -> Values<'a> {
    (0..params).map(|_| None).collect()
}

impl<'a> SqlText<'a> {
    /// A statement with this text, with `:name` for each parameter. It is checked when it is sent.
    pub fn new(text: impl Into<Cow<'a, str>>) -> Self {
        Self {
            text: text.into(),
            asserted: None,
            entities: smallvec![],
            facts: smallvec![],
            names: smallvec![],
            values: smallvec![],
        }
    }

    /// Says that the text uses the table of this entity.
    pub fn entity<E: Entity>(mut self) -> Self {
        self.entities.push(listed::<E>());
        self.facts.push(E::FACTS);
        self
    }

    /// Gives the parameter of this name its value.
    pub fn bind(mut self, name: &'a str, value: impl SqlValue + 'a) -> Self {
        self.names.push(name);
        self.values.push(Param::Owned(Box::new(value)));
        self
    }
}

impl AssertTenantSafe {
    /// A statement with this text that is sent without a check. A parameter that is called as the distribution column of one of
    /// its entities is bound to the tenant's key, as elsewhere.
    pub fn sql<'a>(self, text: impl Into<Cow<'a, str>>) -> SqlText<'a> {
        SqlText { asserted: Some(self), ..SqlText::new(text) }
    }
}

// A literal is the program's own; values are not shown.
impl fmt::Debug for Sql<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sql").field(&self.literal.statement.sql).finish()
    }
}

impl fmt::Debug for UnscopedSql<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UnscopedSql").field(&self.sql).finish()
    }
}

// Its text may have been made of values.
impl fmt::Debug for SqlText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlText").field("asserted", &self.asserted).finish_non_exhaustive()
    }
}
