//! Updating rows: whole, or some columns under a condition.

use std::marker::PhantomData;

use super::execute::run;
use super::executor::Executor;
use super::get::{not_found, unreadable};
use super::job::{Answer, Effect, Job, Text};
use super::{In, Scope, Session};
use crate::entity::{
    AnyFilter, Assignment, Column, ColumnType, Entity, Filter, Operand, Params, Renderer, Summable, Writable,
};
use crate::error::{Error, ErrorKind, Result};

impl<S: Scope, X: Executor> Session<S, X> {
    /// Writes all columns of the row with this primary key. The last writer wins; to change a row only if nobody else
    /// did, see [`update_columns`](Self::update_columns).
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where there is no such row, [`ErrorKind::WrongTenant`] where it is another tenant's.
    pub async fn update<E: In<S> + Writable>(&self, row: &E) -> Result<()> {
        const OPERATION: &str = "update";
        self.check(OPERATION, row)?;
        let Some(statement) = &E::statements().update else {
            return Err(nothing_to_update().of(OPERATION, Some(E::table().entity)));
        };
        let touch = self.touch(self.touching_row::<E>(|| row.key())).await;
        let mut params = Params::new();
        row.bind_update(&mut params);
        let text = Text::Entity(statement);
        let job = Job {
            operation: OPERATION,
            table: Some(E::table()),
            text,
            params: params.as_slice(),
            effect: Effect::Writes,
        };
        match touch.done(run::<Answer>(&self.executor, &job).await).await?.affected {
            0 => Err(not_found::<E>(OPERATION)),
            _ => Ok(()),
        }
    }

    /// Changes some columns of the row with this key, optionally only if others have the values that were read before.
    ///
    /// ```
    /// # use shardwise::{Entity, Tenant, Uuid};
    /// # #[derive(Entity)]
    /// # #[entity(table = "wallets", distributed_by = festival_id)]
    /// # struct Wallet { festival_id: Uuid, #[entity(key)] id: Uuid, balance: i64, owner: String }
    /// # async fn f(fest: Tenant, id: Uuid) -> shardwise::Result<()> {
    /// // Optimistic: false if the owner is not "ada" any more.
    /// let changed = fest
    ///     .update_columns::<Wallet>(id)
    ///     .set(Wallet::OWNER, "grace".to_owned())
    ///     .expect(Wallet::OWNER, "ada")
    ///     .run()
    ///     .await?;
    /// // Never below zero, in one round trip.
    /// let paid = fest
    ///     .update_columns::<Wallet>(id)
    ///     .add(Wallet::BALANCE, -500)
    ///     .only_if(Wallet::BALANCE.ge(500))
    ///     .returning()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn update_columns<E: In<S> + Writable>(&self, key: E::Key) -> Update<S, X, E> {
        Update { session: self.clone(), key, changes: Vec::new(), conditions: Vec::new(), marker: PhantomData }
    }
}

/// A change of some columns of one row. Made by [`Session::update_columns`].
#[must_use = "an update does nothing until `run` or `returning` is awaited"]
pub struct Update<S, X, E: Entity> {
    session: Session<S, X>,
    key: E::Key,
    changes: Vec<Assignment>,
    conditions: Vec<AnyFilter>,
    marker: PhantomData<fn() -> E>,
}

impl<S, X, E: Entity> std::fmt::Debug for Update<S, X, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Update")
            .field("table", &E::table().name)
            .field("changes", &self.changes)
            .finish_non_exhaustive()
    }
}

impl<S: Scope, X, E: In<S>> Update<S, X, E> {
    /// Gives a column a new value.
    pub fn set<T: ColumnType>(mut self, column: Column<E, T>, value: T) -> Self {
        self.changes.push(Assignment::set(column, value));
        self
    }

    /// Adds to a column; a negative value subtracts. No other change of the row can come in between.
    pub fn add<T: Summable>(mut self, column: Column<E, T>, value: T) -> Self {
        self.changes.push(Assignment::add(column, value));
        self
    }

    /// Makes the change only if the column still has this value.
    pub fn expect<T: ColumnType>(self, column: Column<E, T>, old: impl Operand<T>) -> Self {
        self.only_if(column.eq(old))
    }

    /// Makes the change only if the row meets a condition.
    pub fn only_if(mut self, condition: Filter<E>) -> Self {
        self.conditions.push(condition.erase());
        self
    }
}

impl<S: Scope, X: Executor, E: In<S>> Update<S, X, E> {
    /// Makes the change. False where there is no such row or a condition was not met.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where no column is changed, or one that belongs to the primary key.
    pub async fn run(self) -> Result<bool> {
        Ok(self.send(false).await?.affected > 0)
    }

    /// Makes the change and returns the new row, or None where there is no such row or a condition was not met.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn returning(self) -> Result<Option<E>> {
        let answer = self.send(true).await?;
        self.session.hold_own::<E>(OPERATION, &answer.rows)?;
        answer.rows.first().map(|row| E::read(row, 0).map_err(|error| unreadable::<E>(OPERATION, error))).transpose()
    }

    async fn send(&self, returning: bool) -> Result<Answer> {
        let out = self.render(returning).map_err(|error| error.of(OPERATION, Some(E::table().entity)))?;
        let touch = self.session.touch(self.session.touching_row::<E>(|| self.key.clone())).await;
        let text = Text::Cached { sql: &out.sql, types: &out.types };
        let job = Job {
            operation: OPERATION,
            table: Some(E::table()),
            text,
            params: out.params.as_slice(),
            effect: Effect::Writes,
        };
        touch.done(run::<Answer>(&self.session.executor, &job).await).await
    }
}

impl<S: Scope, X, E: In<S>> Update<S, X, E> {
    pub(super) fn key(&self) -> &E::Key {
        &self.key
    }

    pub(super) fn render(&self, returning: bool) -> Result<Renderer<'_>> {
        let table = E::table();
        if self.changes.is_empty() {
            return Err(Error::new(ErrorKind::Usage, "nothing to change: call `.set(…)` or `.add(…)`"));
        }
        // As for inserts: Citus wants a cast that a column is read with behind a WITH.
        let casts = returning && table.columns.iter().any(|column| !column.read.is_empty());
        let mut out = Renderer::new();
        let alias = out.alias(table);
        out.push(if casts { "WITH __written AS (UPDATE " } else { "UPDATE " });
        out.table(alias);
        out.push(" SET ");
        for (i, change) in self.changes.iter().enumerate() {
            let name = change.column.name;
            if table.primary_key.contains(&name) {
                let message = format!(
                    "`{name}` belongs to the primary key, which never changes: insert a new row and delete this one"
                );
                return Err(Error::new(ErrorKind::Usage, message));
            }
            if self.changes[..i].iter().any(|earlier| earlier.column.name == name) {
                return Err(Error::new(ErrorKind::Usage, format!("`{name}` is changed twice")));
            }
            out.push(if i > 0 { ", " } else { "" });
            out.ident(name);
            out.push(" = ");
            if change.adds {
                out.aliased(alias, name);
                out.push(" + ");
            }
            out.param(change.value.as_ref(), change.wire.clone(), change.column.bind);
        }
        out.push(" WHERE ");
        if self.session.scope.restrict(&mut out, alias, table) && !table.key.is_empty() {
            out.push(" AND ");
        }
        out.key(table, &self.key, |out, i, column| {
            out.push(if i > 0 { " AND " } else { "" });
            out.aliased(alias, column);
            out.push(" = ");
        });
        for condition in &self.conditions {
            out.push(" AND ");
            condition.render(&mut out);
        }
        if casts {
            out.push(" RETURNING t0.*) SELECT ");
            out.select_list(alias);
            out.push(" FROM __written AS t0");
        } else if returning {
            out.push(" RETURNING ");
            out.select_list(alias);
        }
        Ok(out)
    }
}

const OPERATION: &str = "update_columns";

pub(super) fn nothing_to_update() -> Error {
    Error::new(ErrorKind::Usage, "all columns belong to the primary key: there is nothing to update")
}
