//! Selects over one entity, or over joined ones, with typed filters.

use std::marker::PhantomData;

use super::execute::run;
use super::executor::Executor;
use super::job::{Answer, Effect, Flow, Job, Text};
use super::own::Own;
use super::row::{count_of, scalar};
use super::source::{Contains, JoinWith, Left, Source};
use super::stream::EntityStream;
use super::{In, Scope, Session};
use crate::entity::{AnyFilter, Column, Entity, Filter, JoinOn, MeetsWith, Order, RawColumn, Renderer, Summable};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::Table;

impl<S: Scope, X: Executor> Session<S, X> {
    /// Starts a select of an entity's rows in this scope.
    ///
    /// ```
    /// # use shardwise::{Entity, Tenant, Uuid};
    /// # #[derive(Entity)]
    /// # #[entity(table = "users", reference)]
    /// # struct User { #[entity(key)] id: Uuid, name: String }
    /// # #[derive(Entity)]
    /// # #[entity(table = "wallets", distributed_by = festival_id)]
    /// # struct Wallet { festival_id: Uuid, #[entity(key)] id: Uuid, #[entity(references = User)] user_id: Uuid, balance: i64 }
    /// # async fn f(fest: Tenant) -> shardwise::Result<()> {
    /// let rich: Vec<(Wallet, User)> = fest
    ///     .select::<Wallet>()
    ///     .join(Wallet::USER_ID.on(User::ID))
    ///     .filter(Wallet::BALANCE.gt(10_000))
    ///     .filter(User::NAME.like("A%"))
    ///     .order_by(Wallet::BALANCE.desc())
    ///     .limit(20)
    ///     .all()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn select<E: In<S>>(&self) -> Select<S, X, (E,)> {
        Select {
            session: self.clone(),
            joins: Vec::new(),
            filters: Vec::new(),
            order: Vec::new(),
            limit: None,
            offset: None,
            lock: "",
            source: PhantomData,
        }
    }
}

/// A select in the making. Made by [`Session::select`].
#[must_use = "a select does nothing until `all`, `first`, `one`, `count`, `stream`, `page`… is awaited"]
pub struct Select<S, X, Q> {
    pub(super) session: Session<S, X>,
    joins: Vec<Join>,
    filters: Vec<AnyFilter>,
    pub(super) order: Vec<OrderBy>,
    pub(super) limit: Option<i64>,
    pub(super) offset: Option<i64>,
    lock: &'static str,
    source: PhantomData<fn() -> Q>,
}

struct Join {
    left: RawColumn,
    right: RawColumn,
    keyword: &'static str,
}

/// One column of the order, its entity forgotten.
pub(super) struct OrderBy {
    pub(super) column: RawColumn,
    pub(super) descending: bool,
    pub(super) nullable: bool,
}

impl<S, X, Q: Source> std::fmt::Debug for Select<S, X, Q> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tables: Vec<_> = Q::tables().iter().map(|table| table.name).collect();
        f.debug_tuple("Select").field(&tables).finish()
    }
}

impl<S: Scope, X: Executor, Q: Source> Select<S, X, Q> {
    /// Keeps the rows that meet the condition. Several filters must all be met.
    pub fn filter<E, Position>(mut self, filter: Filter<E>) -> Self
    where
        Q: Contains<E, Position>,
    {
        self.filters.push(filter.erase());
        self
    }

    /// Joins an entity; rows without a partner are left out. `on` names a column that is selected already and one of the
    /// new entity: `Wallet::USER_ID.on(User::ID)`. Between distributed entities the distribution key is joined by itself.
    pub fn join<E, F, Position>(self, on: JoinOn<E, F>) -> Select<S, X, Q::Joined>
    where
        F: Entity,
        Q: Contains<E, Position> + JoinWith<F>,
        F::Distribution: MeetsWith<<Q::Root as Entity>::Distribution>,
    {
        self.joined(on, " JOIN ")
    }

    /// Joins an entity; where a row has no partner it is `None`.
    pub fn left_join<E, F, Position>(self, on: JoinOn<E, F>) -> Select<S, X, Q::Joined>
    where
        F: Entity,
        Q: Contains<E, Position> + JoinWith<Left<F>>,
        F::Distribution: MeetsWith<<Q::Root as Entity>::Distribution>,
    {
        self.joined(on, " LEFT JOIN ")
    }

    fn joined<E, F, R>(mut self, on: JoinOn<E, F>, keyword: &'static str) -> Select<S, X, R> {
        self.joins.push(Join { left: on.left, right: on.right, keyword });
        Select {
            session: self.session,
            joins: self.joins,
            filters: self.filters,
            order: self.order,
            limit: self.limit,
            offset: self.offset,
            lock: self.lock,
            source: PhantomData,
        }
    }

    /// Sorts by a column: `Wallet::BALANCE.desc()`. Later calls sort rows that earlier ones leave equal.
    pub fn order_by<E, Position>(mut self, order: Order<E>) -> Self
    where
        Q: Contains<E, Position>,
    {
        let Order { column, descending, nullable, .. } = order;
        self.order.push(OrderBy { column, descending, nullable });
        self
    }

    /// Returns at most so many rows.
    pub fn limit(mut self, rows: u32) -> Self {
        self.limit = Some(rows.into());
        self
    }

    /// Leaves out the first rows. The server reads them all the same: to page through many rows use
    /// [`page`](Self::page).
    pub fn offset(mut self, rows: u32) -> Self {
        self.offset = Some(rows.into());
        self
    }

    /// Locks the first entity's rows against changes until the transaction ends.
    pub fn for_update(mut self) -> Self {
        self.lock = " FOR UPDATE OF t0";
        self
    }

    /// All rows.
    ///
    /// # Errors
    /// When the database can't be asked.
    pub async fn all(self) -> Result<Vec<Q::Out>> {
        let out = self.render(Output::Rows);
        let answer = self.send::<Answer>("select", &out).await?;
        self.hold_own(&answer.rows)?;
        answer.rows.iter().map(read::<Q>).collect()
    }

    /// The first row, if there is one.
    ///
    /// # Errors
    /// When the database can't be asked.
    pub async fn first(self) -> Result<Option<Q::Out>> {
        Ok(self.limit(1).all().await?.pop())
    }

    /// The only row.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] where there is none, [`ErrorKind::Usage`] where there are several.
    pub async fn one(self) -> Result<Q::Out> {
        let mut rows = self.limit(2).all().await?;
        let entity = Q::tables().first().map(|table| table.entity);
        match (rows.pop(), rows.is_empty()) {
            (Some(row), true) => Ok(row),
            (None, _) => Err(Error::new(ErrorKind::NotFound, "no row meets the filter").of("select", entity)),
            (Some(_), false) => Err(Error::new(ErrorKind::Usage, "several rows meet the filter").of("select", entity)),
        }
    }

    /// How many rows meet the filters, whatever `limit` and `offset` say.
    ///
    /// # Errors
    /// When the database can't be asked.
    pub async fn count(self) -> Result<u64> {
        let out = self.render(Output::Value("count(*)"));
        Ok(count_of(scalar::<i64>(&self.send::<Answer>("count", &out).await?.rows)?))
    }

    /// Whether any row meets the filters.
    ///
    /// # Errors
    /// When the database can't be asked.
    pub async fn exists(self) -> Result<bool> {
        let out = self.render(Output::Exists);
        scalar(&self.send::<Answer>("exists", &out).await?.rows)
    }

    /// The sum of a column over all rows that meet the filters; zero where there are none.
    ///
    /// # Errors
    /// SQLSTATE 22003 where the sum is too large for its type.
    pub async fn sum<E: Entity, T: Summable, Position>(self, column: Column<E, T>) -> Result<T::Sum>
    where
        Q: Contains<E, Position>,
    {
        let out = self.render(Output::Sum(column.raw(), T::CAST));
        scalar(&self.send::<Answer>("sum", &out).await?.rows)
    }

    /// The rows as they come. Nothing is buffered: while nobody polls, the server waits. Dropping the stream cancels the
    /// query. Outside a transaction the stream holds one connection of the pool until its end.
    ///
    /// # Errors
    /// When the query can't start; later errors come through the stream.
    pub async fn stream(self) -> Result<EntityStream<Q::Out>> {
        let out = self.render(Output::Rows);
        let flow = self.send::<Flow>("select", &out).await?;
        Ok(EntityStream::new(flow, self.session.own(Q::tables), read::<Q>))
    }

    /// Refuses an answer that has a row of another tenant.
    pub(super) fn hold_own(&self, rows: &[tokio_postgres::Row]) -> Result<()> {
        Own::check(self.session.own(Q::tables).as_ref(), rows)
            .map_err(|error| error.of("select", Q::tables().first().map(|table| table.entity)))
    }

    pub(super) async fn send<W: super::job::Want>(
        &self,
        operation: &'static str,
        out: &Renderer<'_>,
    ) -> Result<W::Out> {
        let text = Text::Cached { sql: &out.sql, types: &out.types };
        let table = Q::tables().first().copied();
        // What locks rows has to be where they are written.
        let effect = if self.lock.is_empty() { Effect::Reads } else { Effect::Writes };
        run::<W>(&self.session.executor, &Job { operation, table, text, params: out.params.as_slice(), effect }).await
    }

    /// Renders all of the statement.
    fn render(&self, output: Output) -> Renderer<'_> {
        let mut out = Renderer::new();
        let tables = alias_all::<Q>(&mut out);
        out.push("SELECT ");
        match output {
            Output::Rows => self.columns(&mut out, &tables),
            Output::Value(value) => out.push(value),
            Output::Exists => out.push("EXISTS (SELECT"),
            Output::Sum(column, cast) => {
                out.push("coalesce(sum(");
                out.column(column);
                out.push("), 0)");
                out.push(cast);
            }
        }
        self.render_from(&mut out, &tables);
        match output {
            Output::Rows => {
                self.order_limit(&mut out);
                out.push(self.lock);
            }
            Output::Exists => out.push(")"),
            Output::Value(_) | Output::Sum(..) => {}
        }
        out
    }

    pub(super) fn columns(&self, out: &mut Renderer<'_>, tables: &[&'static Table]) {
        for alias in 0..tables.len() {
            out.push(if alias > 0 { ", " } else { "" });
            out.select_list(alias);
        }
    }

    /// `FROM … JOIN … WHERE …`: every distributed table is held to the scope, inside the joins as well, so that an outer
    /// join can't let another tenant's row in.
    pub(super) fn render_from<'a>(&'a self, out: &mut Renderer<'a>, tables: &[&'static Table]) {
        let scope = &self.session.scope;
        out.push(" FROM ");
        out.table(0);
        for (i, join) in self.joins.iter().enumerate() {
            let alias = i + 1;
            out.push(join.keyword);
            out.table(alias);
            out.push(" ON ");
            if scope.restrict(out, alias, tables[alias]) {
                out.push(" AND ");
            }
            out.column(join.left);
            out.push(" = ");
            out.column(join.right);
        }
        out.push(" WHERE ");
        if !scope.restrict(out, 0, tables[0]) {
            out.push("true");
        }
        for filter in &self.filters {
            out.push(" AND (");
            filter.render(out);
            out.push(")");
        }
    }

    fn order_limit(&self, out: &mut Renderer<'_>) {
        self.render_order(out);
        for (keyword, rows) in [(" LIMIT ", self.limit), (" OFFSET ", self.offset)] {
            if let Some(rows) = rows {
                out.push(keyword);
                out.owned_param(rows, tokio_postgres::types::Type::INT8, "");
            }
        }
    }

    pub(super) fn render_order(&self, out: &mut Renderer<'_>) {
        for (i, order) in self.order.iter().enumerate() {
            out.push(if i > 0 { ", " } else { " ORDER BY " });
            out.column(order.column);
            out.push(if order.descending { " DESC" } else { " ASC" });
        }
    }
}

pub(super) fn alias_all<Q: Source>(out: &mut Renderer<'_>) -> Vec<&'static Table> {
    let tables = Q::tables();
    for table in &tables {
        out.alias(table);
    }
    tables
}

/// What a select returns.
#[derive(Clone, Copy)]
enum Output {
    Rows,
    Value(&'static str),
    Exists,
    Sum(RawColumn, &'static str),
}

pub(super) fn read<Q: Source>(row: &tokio_postgres::Row) -> Result<Q::Out> {
    Q::read(row).map_err(|error| Error::postgres(error).of("select", Q::tables().first().map(|table| table.entity)))
}
