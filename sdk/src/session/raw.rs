//! Raw SQL with named parameters, bound to the scope.

use std::fmt;

use futures_util::{Stream, StreamExt as _};
use tokio_postgres::types::ToSql;

use super::execute::{Answer, Effect, Executor, Flow, Job, Text, run};
use super::row::{FromRow, Row};
use super::stream::RowFlow;
use super::{Scope, Session};
use crate::entity::{Param, Params};
use crate::error::{Error, ErrorKind, Result};
use crate::routing::{Access, Intent, Need};
use crate::schema::Table;
use crate::sql::{leading_words, may_use_tables, number};

/// A statement in SQL, made by [`sql!`](crate::sql!): a literal text, the entities in it, the values of its parameters.
pub struct Sql<'a> {
    text: &'static str,
    entities: Vec<&'static Table>,
    values: Vec<(&'static str, Param<'a>)>,
}

/// Writes a statement in SQL, with `:name` for each parameter.
///
/// `entities(…)` names the entities whose tables the text uses. In a tenant's session the parameter named like their
/// distribution column (`:festival_id`) is the tenant's key: it is bound by the session, never by the caller, and a text
/// over distributed entities without it is refused before anything is sent.
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
#[macro_export]
macro_rules! sql {
    ($text:literal, entities($($entity:ty),* $(,)?) $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::Sql::__new($text, ::std::vec![$(<$entity as $crate::entity::Entity>::table()),*])
            $(.__bind(::core::stringify!($name), $value))*
    };
    ($text:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::Sql::__new($text, ::std::vec![])$(.__bind(::core::stringify!($name), $value))*
    };
    ($($other:tt)*) => {
        ::core::compile_error!(
            "write sql!(\"SELECT … :name …\", entities(Wallet), name = value): the text is a literal, and values are \
             parameters, never part of it"
        )
    };
}

/// A value that a parameter of [`sql!`](crate::sql!) can have: of any column type, or what `ToSql` of tokio-postgres
/// knows besides them.
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
    #[must_use]
    pub fn __new(text: &'static str, entities: Vec<&'static Table>) -> Self {
        Self { text, entities, values: Vec::new() }
    }

    #[doc(hidden)]
    #[must_use]
    pub fn __bind(mut self, name: &'static str, value: impl SqlValue + 'a) -> Self {
        self.values.push((name.strip_prefix("r#").unwrap_or(name), Param::Owned(Box::new(value))));
        self
    }

    /// The text with numbers, and the parameters in their order.
    fn resolve<'s, S: Scope>(&'s self, scope: &'s S) -> Result<(String, Params<'s>)> {
        refuse_control(self.text, S::NAME)?;
        let numbered = number(self.text).map_err(|flaw| usage(flaw.explain()))?;
        let key = self.key_name(S::NAME)?;
        let mut params = Params::new();
        for name in &numbered.names {
            if key == Some(name.as_str()) {
                scope.bind(&mut params);
            } else {
                let value = self.values.iter().find(|(known, _)| known == name);
                params.push(&value.ok_or_else(|| usage(format!("`:{name}` has no value: add `{name} = …`")))?.1);
            }
        }
        self.check_values(key, &numbered.names)?;
        Ok((numbered.sql, params))
    }

    /// The name of the parameter that is the tenant's key: the distribution column of the entities.
    fn key_name(&self, scope: &str) -> Result<Option<&'static str>> {
        let mut name = None;
        for table in &self.entities {
            match (table.distribution_column(), name) {
                (Some(_), _) if scope == super::ReferenceScope::NAME => {
                    let message =
                        format!("`{}` is distributed: it is reached through `cluster.tenant(key)`", table.entity);
                    return Err(usage(message));
                }
                (Some(column), None) => name = Some(column),
                (Some(column), Some(other)) if column != other => {
                    let message = format!("the entities have different distribution columns, `{other}` and `{column}`");
                    return Err(usage(message));
                }
                _ => {}
            }
        }
        // On the coordinator no tenant is bound.
        Ok(name.filter(|_| scope == super::scope::TENANT))
    }

    fn check_values(&self, key: Option<&str>, names: &[String]) -> Result<()> {
        if let Some(key) = key {
            if self.values.iter().any(|(name, _)| *name == key) {
                return Err(usage(format!(
                    "`:{key}` is the tenant's key, which the session binds: leave `{key} = …` out"
                )));
            }
            if !names.iter().any(|name| name == key) {
                let message = format!(
                    "the text does not mention `:{key}`: add `WHERE {key} = :{key}` for each distributed table"
                );
                return Err(usage(message));
            }
        }
        for (i, (name, _)) in self.values.iter().enumerate() {
            if !names.iter().any(|known| known == name) {
                return Err(usage(format!("the text has no parameter `:{name}`")));
            }
            if self.values[..i].iter().any(|(earlier, _)| earlier == name) {
                return Err(usage(format!("`{name}` is given twice")));
            }
        }
        Ok(())
    }

    /// Where the node has to vouch for the tenant's shard: whether that speaks for all tables that the text uses.
    fn check_bound(&self, executor: &impl Executor) -> Result<()> {
        let (core, target) = (executor.core(), *executor.target());
        let bound = |table| core.bound(target, Need { table, access: Access::Write });
        let Some(shard) = bound(self.table())?.filter(|_| target.intent == Intent::Tenant) else { return Ok(()) };
        if self.entities.is_empty() && may_use_tables(self.text) {
            let message = "a statement that must stay in a region has to say which tables it uses: add `entities(…)`";
            return Err(usage(message.to_owned()));
        }
        for &table in self.entities.iter().filter(|table| table.distribution_column().is_some()) {
            if bound(Some(table))? != Some(shard) {
                let message = "its entities are in several co-location groups, whose shards may lie apart, and it must stay in \
                               a region: write a statement for each";
                return Err(usage(message.to_owned()));
            }
        }
        Ok(())
    }

    /// The table that decides the route, and that spans and errors name: the first distributed one, else the first one.
    fn table(&self) -> Option<&'static Table> {
        let distributed = self.entities.iter().find(|table| table.distribution_column().is_some());
        distributed.or(self.entities.first()).copied()
    }

    /// A text may write, whatever its first word is: so it is never replayed. One that says SELECT goes where reads go,
    /// and a function in it that writes can do so from there.
    fn effect(&self) -> Effect {
        let [first, _] = leading_words(self.text);
        if matches!(first.as_str(), "select" | "values" | "table") { Effect::SeemsToRead } else { Effect::Writes }
    }
}

/// Refuses what would change the connection for whoever uses it next. The coordinator's connections are reset after use.
fn refuse_control(text: &str, scope: &str) -> Result<()> {
    let words = leading_words(text);
    let [first, second] = [words[0].as_str(), words[1].as_str()];
    let fix = match first {
        "begin" | "start" | "commit" | "end" | "rollback" | "abort" | "savepoint" | "release" => {
            "transactions begin and end with `transaction` and `savepoint`"
        }
        _ if scope == super::AnyScope::NAME => return Ok(()),
        "copy" => "use `copy_in` and `copy_out`",
        // They end with the transaction.
        "set" if matches!(second, "local" | "constraints") => return Ok(()),
        "set" | "reset" | "listen" | "unlisten" | "discard" | "prepare" | "deallocate" | "load" => {
            "it would stay with the connection, for other tenants as well: write SET LOCAL inside a transaction, or use \
             `cluster.coordinator()`"
        }
        _ => return Ok(()),
    };
    Err(usage(format!("`{}` can't be sent: {fix}", first.to_ascii_uppercase())))
}

// The text is a literal of the program; values are not shown.
impl fmt::Debug for Sql<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sql").field(&self.text).finish()
    }
}

fn usage(message: String) -> Error {
    Error::new(ErrorKind::Usage, message)
}

impl<S: Scope, X: Executor> Session<S, X> {
    /// Runs a query and returns all its rows.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] before anything is sent, where the parameters don't fit the text.
    pub async fn query(&self, sql: Sql<'_>) -> Result<Vec<Row>> {
        Ok(self.raw("query", &sql).await?.rows.into_iter().map(Row).collect())
    }

    /// Runs a query and reads each row as a tuple, by position.
    ///
    /// # Errors
    /// As [`query`](Self::query); [`ErrorKind::Codec`] where a row does not fit the tuple.
    pub async fn query_as<T: FromRow>(&self, sql: Sql<'_>) -> Result<Vec<T>> {
        self.query(sql).await?.iter().map(T::from_row).collect()
    }

    /// Runs a query that returns exactly one row.
    ///
    /// # Errors
    /// As [`query_as`](Self::query_as); [`ErrorKind::NotFound`] where there is no row, [`ErrorKind::Usage`] where there
    /// are several.
    pub async fn query_one_as<T: FromRow>(&self, sql: Sql<'_>) -> Result<T> {
        match self.query(sql).await?.as_slice() {
            [row] => T::from_row(row),
            [] => Err(Error::new(ErrorKind::NotFound, "the query returned no row").of("query", None)),
            rows => Err(usage(format!("the query returned {} rows in place of one", rows.len())).of("query", None)),
        }
    }

    /// Runs a query and returns its rows as they come. Dropping the stream cancels the query.
    ///
    /// # Errors
    /// As [`query`](Self::query), when the query starts; later ones come through the stream.
    pub async fn query_stream(&self, sql: Sql<'_>) -> Result<impl Stream<Item = Result<Row>> + Send + use<S, X>> {
        let (text, params) = sql.resolve(&self.scope).map_err(|error| error.of("query", None))?;
        sql.check_bound(&self.executor).map_err(|error| error.of("query", None))?;
        let text = Text::Cached { sql: &text, types: &[] };
        let effect = sql.effect();
        let job = Job { operation: "query", table: sql.table(), text, params: params.as_slice(), effect };
        let flow = run::<Flow>(&self.executor, &job).await?;
        Ok(RowFlow::new(flow).map(|row| row.map(Row)))
    }

    /// Runs a statement and returns how many rows it changed.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub async fn execute(&self, sql: Sql<'_>) -> Result<u64> {
        Ok(self.raw("execute", &sql).await?.affected)
    }

    async fn raw(&self, operation: &'static str, sql: &Sql<'_>) -> Result<Answer> {
        let (text, params) = sql.resolve(&self.scope).map_err(|error| error.of(operation, None))?;
        sql.check_bound(&self.executor).map_err(|error| error.of(operation, None))?;
        let text = Text::Cached { sql: &text, types: &[] };
        let effect = sql.effect();
        run::<Answer>(&self.executor, &Job { operation, table: sql.table(), text, params: params.as_slice(), effect })
            .await
    }
}
