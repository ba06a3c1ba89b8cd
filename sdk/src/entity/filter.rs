//! Filters: a tree of comparisons over typed columns, rendered into a statement's text and parameters.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Not;

use tokio_postgres::types::{ToSql, Type};

use super::column::RawColumn;
use super::{EntityKey, Params};
use crate::schema::Table;

/// A value of a filter or an update, until the statement runs.
pub type Value = Box<dyn ToSql + Send + Sync>;

/// A condition on the columns of one entity. Made by the methods of [`Column`](super::Column).
///
/// ```
/// # use shardwise::{Entity, Uuid};
/// # #[derive(Entity)]
/// # #[entity(table = "wallets", distributed_by = festival_id)]
/// # struct Wallet { festival_id: Uuid, #[entity(key)] id: Uuid, balance: i64, owner: Option<String> }
/// let rich_or_unnamed = Wallet::BALANCE.gt(10_000).or(Wallet::OWNER.is_null());
/// let neither = !rich_or_unnamed;
/// ```
#[must_use = "a filter does nothing until a statement takes it"]
pub struct Filter<E> {
    tree: Tree,
    marker: PhantomData<fn() -> E>,
}

enum Tree {
    Compare { column: RawColumn, comparison: Comparison, value: Value, wire: Type },
    AnyOf { column: RawColumn, values: Vec<Value>, wire: Type },
    Null(RawColumn),
    Not(Box<Tree>),
    And(Box<Tree>, Box<Tree>),
    Or(Box<Tree>, Box<Tree>),
}

#[derive(Clone, Copy)]
pub(super) enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Like,
    ILike,
}

impl Comparison {
    fn sql(self) -> &'static str {
        match self {
            Self::Eq => " = ",
            Self::Ne => " <> ",
            Self::Lt => " < ",
            Self::Le => " <= ",
            Self::Gt => " > ",
            Self::Ge => " >= ",
            Self::Like => " LIKE ",
            Self::ILike => " ILIKE ",
        }
    }
}

impl<E> Filter<E> {
    fn of(tree: Tree) -> Self {
        Self { tree, marker: PhantomData }
    }

    pub(super) fn compare(column: RawColumn, comparison: Comparison, value: Value, wire: Type) -> Self {
        Self::of(Tree::Compare { column, comparison, value, wire })
    }

    pub(super) fn any_of(column: RawColumn, values: Vec<Value>, wire: Type) -> Self {
        Self::of(Tree::AnyOf { column, values, wire })
    }

    pub(super) fn null(column: RawColumn) -> Self {
        Self::of(Tree::Null(column))
    }

    /// Both conditions.
    pub fn and(self, other: Self) -> Self {
        Self::of(Tree::And(Box::new(self.tree), Box::new(other.tree)))
    }

    /// Either condition. It never widens a tenant's rows: the statement adds the distribution key around the whole filter.
    pub fn or(self, other: Self) -> Self {
        Self::of(Tree::Or(Box::new(self.tree), Box::new(other.tree)))
    }

    /// The same condition, its entity forgotten: what a statement over several entities keeps.
    pub(crate) fn erase(self) -> AnyFilter {
        AnyFilter(self.tree)
    }
}

impl<E> Not for Filter<E> {
    type Output = Self;

    fn not(self) -> Self {
        Self::of(Tree::Not(Box::new(self.tree)))
    }
}

impl<E> fmt::Debug for Filter<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Filter")
    }
}

/// A filter whose entity is one of those that the statement names.
pub(crate) struct AnyFilter(Tree);

impl AnyFilter {
    pub(crate) fn render<'a>(&'a self, out: &mut Renderer<'a>) {
        out.tree(&self.0);
    }
}

/// A statement in the making: its text, its parameters and their types, and the alias of each table in it.
#[derive(Debug, Default)]
#[doc(hidden)]
pub struct Renderer<'a> {
    pub(crate) sql: String,
    pub(crate) params: Params<'a>,
    pub(crate) types: Vec<Type>,
    aliases: Vec<&'static Table>,
}

impl<'a> Renderer<'a> {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Names a table of the statement: its alias is `t0`, `t1`… in the order of these calls.
    pub(crate) fn alias(&mut self, table: &'static Table) -> usize {
        self.aliases.push(table);
        self.aliases.len() - 1
    }

    pub(crate) fn push(&mut self, sql: &str) {
        self.sql.push_str(sql);
    }

    /// `t0."name"`
    pub(crate) fn column(&mut self, column: RawColumn) {
        let table = (column.table)();
        // The typed API admits only columns of the statement's own entities.
        let at = self.aliases.iter().position(|&alias| std::ptr::eq(alias, table)).unwrap_or(0);
        self.aliased(at, column.name);
    }

    pub(crate) fn aliased(&mut self, alias: usize, column: &str) {
        self.sql.push_str(&format!("t{alias}."));
        self.ident(column);
    }

    pub(crate) fn ident(&mut self, name: &str) {
        self.sql.push_str(&crate::schema::quote_ident(name));
    }

    /// `$n` and its cast.
    pub(crate) fn param(&mut self, value: &'a (dyn ToSql + Sync), wire: Type, cast: &str) {
        self.params.push(value);
        self.placeholder(wire, cast);
    }

    pub(crate) fn owned_param(&mut self, value: impl ToSql + Send + Sync + 'a, wire: Type, cast: &str) {
        self.params.push_owned(value);
        self.placeholder(wire, cast);
    }

    /// `"schema"."table" AS t0`
    pub(crate) fn table(&mut self, alias: usize) {
        let name = self.aliases[alias].qualified();
        self.push(&format!("{name} AS t{alias}"));
    }

    /// All columns of a table, in the order in which its entity reads them.
    pub(crate) fn select_list(&mut self, alias: usize) {
        for (i, column) in self.aliases[alias].columns.iter().enumerate() {
            self.push(if i > 0 { ", " } else { "" });
            self.aliased(alias, column.name);
            self.push(column.read);
        }
    }

    /// The key's parameters, each after what `before` renders for its column.
    pub(crate) fn key<K: EntityKey>(
        &mut self,
        table: &'static Table,
        key: &'a K,
        before: impl Fn(&mut Self, usize, &'static str),
    ) {
        key.bind(&mut self.params);
        for (i, name) in table.key.iter().enumerate() {
            before(self, i, name);
            if let Some(column) = table.column(name) {
                self.placeholder(column.wire.clone(), column.bind);
            }
        }
    }

    fn placeholder(&mut self, wire: Type, cast: &str) {
        self.types.push(wire);
        self.sql.push_str(&format!("${}{cast}", self.types.len()));
    }

    fn tree(&mut self, tree: &'a Tree) {
        match tree {
            Tree::Compare { column, comparison, value, wire } => {
                self.column(*column);
                self.push(comparison.sql());
                self.param(value.as_ref(), wire.clone(), column.bind);
            }
            Tree::AnyOf { values, .. } if values.is_empty() => self.push("false"),
            Tree::AnyOf { column, values, wire } => {
                self.column(*column);
                self.push(" IN (");
                for (i, value) in values.iter().enumerate() {
                    if i > 0 {
                        self.push(", ");
                    }
                    self.param(value.as_ref(), wire.clone(), column.bind);
                }
                self.push(")");
            }
            Tree::Null(column) => {
                self.column(*column);
                self.push(" IS NULL");
            }
            Tree::Not(inner) => {
                self.push("NOT (");
                self.tree(inner);
                self.push(")");
            }
            Tree::And(left, right) => self.pair(left, " AND ", right),
            Tree::Or(left, right) => self.pair(left, " OR ", right),
        }
    }

    fn pair(&mut self, left: &'a Tree, operator: &str, right: &'a Tree) {
        self.push("(");
        self.tree(left);
        self.push(operator);
        self.tree(right);
        self.push(")");
    }
}

/// Text with the characters escaped that [`like`](super::Column::like) gives a meaning.
///
/// ```
/// assert_eq!(shardwise::entity::escape_like("50%_\\"), "50\\%\\_\\\\");
/// ```
#[must_use]
pub fn escape_like(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
