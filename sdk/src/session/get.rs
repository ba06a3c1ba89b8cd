//! Reading rows by key.

use tokio_postgres::Row;

use super::execute::run;
use super::executor::Executor;
use super::job::{Answer, Effect, Job, Text};
use super::{In, Scope, Session};
use crate::entity::{Entity, EntityKey, Param, Params, Renderer};
use crate::error::{Error, ErrorKind, Result};

/// The most keys of several columns in one statement: PostgreSQL's planner goes through them recursively, and runs out of
/// stack (SQLSTATE 54001) at some ten thousand.
const MOST_KEYS: usize = 1_000;

impl<S: Scope, X: Executor> Session<S, X> {
    /// Reads the row with this key.
    ///
    /// ```
    /// # use shardwise::{Entity, Tenant, Uuid};
    /// # #[derive(Entity)]
    /// # #[entity(table = "wallets", distributed_by = festival_id)]
    /// # struct Wallet { festival_id: Uuid, #[entity(key)] id: Uuid, balance: i64 }
    /// # async fn f(fest: Tenant, id: Uuid) -> shardwise::Result<()> {
    /// let wallet = fest.get::<Wallet>(id).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where the tenant has no such row.
    pub async fn get<E: In<S>>(&self, key: E::Key) -> Result<E> {
        let found = self.find_by::<E>("get", &key).await?;
        found.ok_or_else(|| not_found::<E>("get"))
    }

    /// Reads the row with this key, if there is one.
    ///
    /// # Errors
    /// When the database can't be asked.
    pub async fn find<E: In<S>>(&self, key: E::Key) -> Result<Option<E>> {
        self.find_by("find", &key).await
    }

    async fn find_by<E: In<S>>(&self, operation: &'static str, key: &E::Key) -> Result<Option<E>> {
        #[cfg(feature = "cache")]
        // On the heap: the way of the others must not be as large.
        if E::CACHING.is_some()
            && let Some(found) = Box::pin(self.find_cached::<E>(operation, key)).await
        {
            return found;
        }
        self.find_uncached(operation, key).await
    }

    pub(super) async fn find_uncached<E: In<S>>(&self, operation: &'static str, key: &E::Key) -> Result<Option<E>> {
        let row = row_by_key::<E, S>(&self.scope, &self.executor, operation, key).await?;
        self.hold_own::<E>(operation, row.as_slice())?;
        row.map(|row| E::read(&row, 0).map_err(|error| unreadable::<E>(operation, error))).transpose()
    }

    /// Reads the rows with these keys, in no particular order; those that do not exist are left out. One round trip;
    /// for keys of several columns one per thousand of them.
    ///
    /// # Errors
    /// When the database can't be asked.
    pub async fn get_many<E: In<S>>(&self, keys: &[E::Key]) -> Result<Vec<E>> {
        #[cfg(feature = "cache")]
        if E::CACHING.is_some()
            && let Some(found) = Box::pin(self.get_many_cached::<E>(keys)).await
        {
            return found;
        }
        let rows = rows_by_keys::<E, S>(&self.scope, &self.executor, keys).await?;
        self.hold_own::<E>(GET_MANY, &rows)?;
        rows.iter().map(|row| E::read(row, 0).map_err(|error| unreadable::<E>(GET_MANY, error))).collect()
    }

    /// Whether the tenant has a row with this key.
    ///
    /// # Errors
    /// When the database can't be asked.
    pub async fn exists<E: In<S>>(&self, key: E::Key) -> Result<bool> {
        let mut params = Params::new();
        self.scope.bind(&mut params);
        key.bind(&mut params);
        let job = Job {
            operation: "exists",
            table: Some(E::table()),
            text: Text::Entity(&E::statements().exists),
            params: params.as_slice(),
            effect: Effect::Reads,
        };
        let answer = run::<Answer>(&self.executor, &job).await?;
        super::row::scalar(&answer.rows).map_err(|error| error.of("exists", Some(E::table().entity)))
    }
}

const GET_MANY: &str = "get_many";

/// The row with this key.
pub(super) async fn row_by_key<E: Entity, S: Scope>(
    scope: &S,
    executor: &impl Executor,
    operation: &'static str,
    key: &E::Key,
) -> Result<Option<Row>> {
    let mut params = Params::new();
    scope.bind(&mut params);
    key.bind(&mut params);
    let text = Text::Entity(&E::statements().get);
    let job = Job { operation, table: Some(E::table()), text, params: params.as_slice(), effect: Effect::Reads };
    Ok(run::<Answer>(executor, &job).await?.rows.into_iter().next())
}

/// The rows with these keys.
pub(super) async fn rows_by_keys<E: Entity, S: Scope>(
    scope: &S,
    executor: &impl Executor,
    keys: &[E::Key],
) -> Result<Vec<Row>> {
    fn job<'a, E: Entity>(text: Text<'a>, params: &'a [Param<'a>]) -> Job<'a> {
        Job { operation: GET_MANY, table: Some(E::table()), text, params, effect: Effect::Reads }
    }
    match &E::statements().get_many {
        _ if keys.is_empty() => Ok(Vec::new()),
        Some(statement) => {
            let mut params = Params::new();
            scope.bind(&mut params);
            E::Key::bind_array(keys, &mut params);
            Ok(run::<Answer>(executor, &job::<E>(Text::Entity(statement), params.as_slice())).await?.rows)
        }
        None => {
            let mut rows = Vec::new();
            for keys in keys.chunks(MOST_KEYS) {
                let out = by_any_key::<E, S>(scope, keys);
                let text = Text::Once { sql: &out.sql, types: &out.types };
                rows.append(&mut run::<Answer>(executor, &job::<E>(text, out.params.as_slice())).await?.rows);
            }
            Ok(rows)
        }
    }
}

/// `SELECT … WHERE (a, b) IN (($2, $3), …)`: a key of several columns has no array to travel in.
fn by_any_key<'a, E: Entity, S: Scope>(scope: &'a S, keys: &'a [E::Key]) -> Renderer<'a> {
    let table = E::table();
    let mut out = Renderer::new();
    let alias = out.alias(table);
    out.push("SELECT ");
    out.select_list(alias);
    out.push(" FROM ");
    out.table(alias);
    out.push(" WHERE ");
    if scope.restrict(&mut out, alias, table) {
        out.push(" AND ");
    }
    out.push("(");
    for (i, column) in table.key.iter().enumerate() {
        out.push(if i > 0 { ", " } else { "" });
        out.aliased(alias, column);
    }
    out.push(") IN (");
    for (i, key) in keys.iter().enumerate() {
        out.push(if i > 0 { ", (" } else { "(" });
        out.key(table, key, |out, i, _| out.push(if i > 0 { ", " } else { "" }));
        out.push(")");
    }
    out.push(")");
    out
}

pub(super) fn not_found<E: Entity>(operation: &'static str) -> Error {
    Error::new(ErrorKind::NotFound, "no such row in this scope").of(operation, Some(E::table().entity))
}

pub(super) fn unreadable<E: Entity>(operation: &'static str, error: tokio_postgres::Error) -> Error {
    Error::postgres(error).of(operation, Some(E::table().entity))
}
