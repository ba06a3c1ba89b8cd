//! Reading rows by key.

use super::execute::run;
use super::executor::Executor;
use super::job::{Answer, Effect, Job, Text};
use super::{In, Scope, Session};
use crate::entity::{Entity, EntityKey, Params, Renderer};
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
        let mut params = Params::new();
        self.scope.bind(&mut params);
        key.bind(&mut params);
        let job = Job {
            operation,
            table: Some(E::table()),
            text: Text::Entity(&E::statements().get),
            params: params.as_slice(),
            effect: Effect::Reads,
        };
        let answer = run::<Answer>(&self.executor, &job).await?;
        self.hold_own::<E>(operation, &answer.rows)?;
        answer.rows.first().map(|row| E::read(row, 0).map_err(|error| unreadable::<E>(operation, error))).transpose()
    }

    /// Reads the rows with these keys, in no particular order; those that do not exist are left out. One round trip;
    /// for keys of several columns one per thousand of them.
    ///
    /// # Errors
    /// When the database can't be asked.
    pub async fn get_many<E: In<S>>(&self, keys: &[E::Key]) -> Result<Vec<E>> {
        const OPERATION: &str = "get_many";
        let rows = match &E::statements().get_many {
            _ if keys.is_empty() => return Ok(Vec::new()),
            Some(statement) => {
                let mut params = Params::new();
                self.scope.bind(&mut params);
                E::Key::bind_array(keys, &mut params);
                let text = Text::Entity(statement);
                let job = Job {
                    operation: OPERATION,
                    table: Some(E::table()),
                    text,
                    params: params.as_slice(),
                    effect: Effect::Reads,
                };
                run::<Answer>(&self.executor, &job).await?.rows
            }
            None => {
                let mut rows = Vec::new();
                for keys in keys.chunks(MOST_KEYS) {
                    let out = by_any_key::<E, S>(&self.scope, keys);
                    let text = Text::Once { sql: &out.sql, types: &out.types };
                    let job = Job {
                        operation: OPERATION,
                        table: Some(E::table()),
                        text,
                        params: out.params.as_slice(),
                        effect: Effect::Reads,
                    };
                    rows.append(&mut run::<Answer>(&self.executor, &job).await?.rows);
                }
                rows
            }
        };
        self.hold_own::<E>(OPERATION, &rows)?;
        rows.iter().map(|row| E::read(row, 0).map_err(|error| unreadable::<E>(OPERATION, error))).collect()
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
