//! Which statement in SQL may be sent in which session, and with which parameters.

use std::fmt;

use shardwise_scope::{Facts, TableFacts, explain, name_parameters, seems_to_read, session_control, verify};
use smallvec::SmallVec;

use super::executor::Executor;
use super::job::{Effect, Text};
use super::{AnyScope, ReferenceScope, Scope, Sql, SqlText, TenantScope, UnscopedSql};
use crate::entity::{DistributionKey, Param, Params};
use crate::error::{Error, ErrorKind, Result};
use crate::routing::{Access, Intent, Need};
use crate::schema::Table;
use crate::scope::{self, Listed, Literal, Texts};

/// What can be sent in a session with the scope `S`: to a tenant and to reference tables what is checked for one tenant, to the
/// coordinator what is not. Sealed.
#[diagnostic::on_unimplemented(
    message = "this session can't send a `{Self}`",
    label = "not a statement for this session",
    note = "for a tenant and for reference tables write sql!(\"…\", entities(…)), which is checked to stay with one tenant",
    note = "for `cluster.coordinator()` and `cluster.across_shards(…)` write unscoped_sql!(\"…\")"
)]
pub trait SqlFor<S>: Send + Sync + sealed::Sealed {
    #[doc(hidden)]
    fn ready<'s>(&'s self, scope: &'s S, texts: &Texts) -> Result<Ready<'s>>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Sql<'_> {}
    impl Sealed for super::UnscopedSql<'_> {}
    impl Sealed for super::SqlText<'_> {}
}

/// A statement that may be sent.
#[doc(hidden)]
pub struct Ready<'s> {
    text: Form,
    pub(super) params: Params<'s>,
    pub(super) effect: Effect,
    tables: SmallVec<[&'static Table; 4]>,
    /// The entities that a statement which writes names.
    written: SmallVec<[Listed; 2]>,
    /// Whether it uses no other tables than these.
    has_all_tables: bool,
}

enum Form {
    Literal(&'static Literal),
    Unscoped(&'static str),
    Checked(scope::Text),
    Asserted(String),
}

#[diagnostic::do_not_recommend]
impl<K: DistributionKey> SqlFor<TenantScope<K>> for Sql<'_> {
    fn ready<'s>(&'s self, scope: &'s TenantScope<K>, _: &Texts) -> Result<Ready<'s>> {
        literal(self, scope)
    }
}

#[diagnostic::do_not_recommend]
impl SqlFor<ReferenceScope> for Sql<'_> {
    fn ready<'s>(&'s self, scope: &'s ReferenceScope, _: &Texts) -> Result<Ready<'s>> {
        literal(self, scope)
    }
}

#[diagnostic::do_not_recommend]
impl<K: DistributionKey> SqlFor<TenantScope<K>> for SqlText<'_> {
    fn ready<'s>(&'s self, scope: &'s TenantScope<K>, texts: &Texts) -> Result<Ready<'s>> {
        text(self, scope, texts)
    }
}

#[diagnostic::do_not_recommend]
impl SqlFor<ReferenceScope> for SqlText<'_> {
    fn ready<'s>(&'s self, scope: &'s ReferenceScope, texts: &Texts) -> Result<Ready<'s>> {
        text(self, scope, texts)
    }
}

#[diagnostic::do_not_recommend]
impl SqlFor<AnyScope> for UnscopedSql<'_> {
    fn ready<'s>(&'s self, scope: &'s AnyScope, _: &Texts) -> Result<Ready<'s>> {
        Ok(Ready {
            text: Form::Unscoped(self.sql),
            params: numbered(&self.values, &[], scope),
            effect: if self.seems_to_read { Effect::SeemsToRead } else { Effect::Writes },
            tables: SmallVec::new(),
            written: SmallVec::new(),
            has_all_tables: false,
        })
    }
}

fn literal<'s, S: Scope>(sql: &'s Sql<'_>, scope: &'s S) -> Result<Ready<'s>> {
    let literal = sql.literal;
    scope.reach(literal.entities, literal.writes)?;
    let tables = literal.entities.iter().map(|listed| (listed.table)()).collect();
    Ok(Ready {
        text: Form::Literal(literal),
        params: numbered(&sql.values, literal.keys, scope),
        effect: if literal.writes { Effect::Writes } else { Effect::Reads },
        written: written(literal.entities, literal.writes),
        tables,
        has_all_tables: true,
    })
}

fn text<'s, S: Scope>(sql: &'s SqlText<'_>, scope: &'s S, texts: &Texts) -> Result<Ready<'s>> {
    let tables = sql.entities.iter().map(|listed| (listed.table)()).collect();
    if let Some(asserted) = sql.asserted {
        // Whatever it does: it is vouched for.
        scope.reach(&sql.entities, false)?;
        return asserted_text(sql, scope, asserted.0).map(|(text, params)| Ready {
            // It may write, whatever its first word is: so it is never replayed. A function in it that writes can do so from
            // where reads go.
            written: written(&sql.entities, !seems_to_read(&text)),
            effect: if seems_to_read(&text) { Effect::SeemsToRead } else { Effect::Writes },
            text: Form::Asserted(text),
            params,
            tables,
            has_all_tables: false,
        });
    }
    let checked = texts.check(&sql.text, &sql.names, &sql.facts)?;
    scope.reach(&sql.entities, checked.writes())?;
    Ok(Ready {
        params: named(sql, checked.params(), scope),
        written: written(&sql.entities, checked.writes()),
        effect: if checked.writes() { Effect::Writes } else { Effect::Reads },
        text: Form::Checked(checked),
        tables,
        has_all_tables: true,
    })
}

/// Asked for by the cache alone.
fn written(entities: &[Listed], writes: bool) -> SmallVec<[Listed; 2]> {
    if cfg!(feature = "cache") && writes { SmallVec::from_slice(entities) } else { SmallVec::new() }
}

fn asserted_text<'s, S: Scope>(
    sql: &'s SqlText<'_>,
    scope: &'s S,
    reason: &'static str,
) -> Result<(String, Params<'s>)> {
    if reason.trim().is_empty() {
        return Err(usage("say why it stays with one tenant: AssertTenantSafe(\"…\")"));
    }
    if let Some(fix) = session_control(&sql.text) {
        return Err(usage(format!("this can't be sent: {fix}")));
    }
    let named_text = name_parameters(&sql.text)
        .map_err(|refusals| usage(refusals.into_iter().map(|one| one.message).collect::<Vec<_>>().join("; ")))?;
    let params: SmallVec<[&str; 8]> = named_text.params.iter().map(String::as_str).collect();
    check_values(&params, &sql.names, &sql.facts)?;
    // The text may hold values: it is not shown.
    tracing::info!(target: "shardwise::tenant_safety", scope = S::NAME, reason, "a statement is sent unchecked");
    let params = named(sql, &named_text.params, scope);
    Ok((named_text.sql, params))
}

fn check_values(params: &[&str], given: &[&str], tables: &[TableFacts<'_>]) -> Result<()> {
    let facts = Facts::of_values(params, given);
    verify(&facts, tables).map_err(|problem| usage(explain(problem, &facts, tables).as_str()))
}

/// The values by their numbers, and the key where it belongs.
fn numbered<'s, S: Scope>(values: &'s [Option<Param<'_>>], keys: &[usize], scope: &'s S) -> Params<'s> {
    let mut params = Params::new();
    for (at, value) in values.iter().enumerate() {
        match value {
            Some(value) if !keys.contains(&at) => params.push(value),
            _ => scope.bind(&mut params),
        }
    }
    params
}

/// The values by their names. What has none is the key.
fn named<'s, S: Scope>(sql: &'s SqlText<'_>, names: &[String], scope: &'s S) -> Params<'s> {
    let mut params = Params::new();
    for name in names {
        match sql.names.iter().position(|given| given == name) {
            Some(at) => params.push(&sql.values[at]),
            None => scope.bind(&mut params),
        }
    }
    params
}

impl<'s> Ready<'s> {
    /// A statement for a session's scope.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where the parameters don't fit the text, or no node could vouch for all tables that it uses.
    pub(super) fn checked<S: Scope>(sql: &'s impl SqlFor<S>, scope: &'s S, executor: &impl Executor) -> Result<Self> {
        let ready = sql.ready(scope, &executor.core().texts)?;
        ready.check_bound(executor)?;
        Ok(ready)
    }

    pub(super) fn text(&self) -> Text<'_> {
        match &self.text {
            Form::Literal(literal) => Text::Literal(&literal.statement),
            Form::Unscoped(sql) => Text::Cached { sql, types: &[] },
            Form::Checked(text) => Text::Cached { sql: text.sql(), types: &[] },
            Form::Asserted(sql) => Text::Unread(sql),
        }
    }

    pub(super) fn written(&self) -> &[Listed] {
        &self.written
    }

    pub(super) fn tables(&self) -> &[&'static Table] {
        &self.tables
    }

    /// The table that decides the route, and that spans and errors name: the first distributed one, else the first one.
    pub(super) fn table(&self) -> Option<&'static Table> {
        let distributed = self.tables.iter().find(|table| table.distribution_column().is_some());
        distributed.or(self.tables.first()).copied()
    }

    /// Where the node has to vouch for the tenant's shard: whether that speaks for all tables that the text uses.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where it does not.
    fn check_bound(&self, executor: &impl Executor) -> Result<()> {
        let (core, target) = (executor.core(), *executor.target());
        let bound = |table| core.bound(target, Need::new(table, Access::Write));
        let Some(shard) = bound(self.table())?.filter(|_| target.intent == Intent::Tenant) else { return Ok(()) };
        if self.tables.is_empty() && !self.has_all_tables {
            return Err(usage(
                "a statement that must stay in a region has to say which tables it uses: add `.entity::<…>()`",
            ));
        }
        for &table in self.tables.iter().filter(|table| table.distribution_column().is_some()) {
            if bound(Some(table))? != Some(shard) {
                return Err(usage(
                    "its entities are in several co-location groups, whose shards may lie apart, and it must stay in a region: \
                     write a statement for each",
                ));
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Ready<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ready")
    }
}

fn usage(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Usage, message)
}
