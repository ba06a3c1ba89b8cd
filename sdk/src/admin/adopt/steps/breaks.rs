//! What functions and views of the database say that does not hold any more once rows have their tenant's key. Pure.

use super::keys::{self, UniqueKind};
use super::shape::{Shape, Tenant};
use super::step::Break;
use crate::admin::adopt::catalog::{Function, Name, View};
use crate::admin::adopt::check::views;
use crate::admin::adopt::check::words::{Kind, Token, Writer, tokens};
use crate::admin::adopt::classify::Key;

/// In the order of views and functions, each named once for each reason. Whether tables are distributed in the end makes a difference to views.
pub(super) fn of(shape: &Shape<'_>, distributes: bool) -> Vec<Break> {
    let views = shape.catalog().views.iter().flat_map(|view| of_view(shape, view));
    let joins = if distributes { views::joined_otherwise(shape.found) } else { Vec::new() };
    let views = views.chain(joins.iter().map(|(view, query)| of_joins(shape, view, query)));
    let functions = shape.catalog().functions.iter();
    let mut breaks: Vec<Break> = Vec::new();
    for one in views.chain(functions.flat_map(|function| of_function(shape, function))) {
        if !breaks.contains(&one) {
            breaks.push(one);
        }
    }
    breaks
}

fn of_view(shape: &Shape<'_>, view: &View) -> Vec<Break> {
    let why = |table: &Name| {
        format!("it groups by the primary key of {table}, which changes: name all columns in its GROUP BY")
    };
    by_keys(shape, &view.needs_keys, &format!("view {}", view.name), why)
}

/// Citus runs joins that go by the distribution key, and of all others some.
fn of_joins(shape: &Shape<'_>, view: &Name, query: &str) -> Break {
    let Key { root, column, .. } = &shape.found.key;
    Break {
        object: format!("view {view}"),
        why: format!(
            "it joins tables without their {column}, which Citus refuses or does at a price; within a tenant it is: {query}"
        ),
        before: format!("distribute:{root}"),
    }
}

fn of_function(shape: &Shape<'_>, function: &Function) -> Vec<Break> {
    let kind = if function.kind == "p" { "procedure" } else { "function" };
    let object = format!("{kind} {}({})", function.name, function.arguments);
    let why = |table: &Name| {
        format!(
            "it needs the primary key of {table}, which changes: name all columns in its GROUP BY, or write its text as a string"
        )
    };
    let mut breaks = by_keys(shape, &function.needs_keys, &object, why);
    let mut found = Vec::new();
    Reader { shape, returns: function.returns.as_deref(), found: &mut found }.read(&function.source);
    breaks.extend(found.into_iter().map(|(before, why)| Break { object: object.clone(), why, before }));
    breaks
}

/// A primary key can't go for as long as a query that the server has parsed needs it (PostgreSQL's manual, GROUP BY).
fn by_keys(shape: &Shape<'_>, needed: &[(String, String)], object: &str, why: impl Fn(&Name) -> String) -> Vec<Break> {
    let needs = |tenant: &&Tenant<'_>| {
        let name = (&tenant.table.name.schema, &tenant.table.name.name);
        needed.iter().any(|(schema, table)| (schema, table) == name)
            && keys::uniques(tenant).iter().any(|unique| matches!(unique.kind, UniqueKind::PrimaryKey(_)))
    };
    let broken = shape.tenants.iter().filter(needs).map(|tenant| {
        let table = &tenant.table.name;
        Break { object: object.to_owned(), why: why(table), before: format!("exchange-keys:{table}") }
    });
    broken.collect()
}

/// Reads the text of a function, in whatever language that has SQL in it as it is, or in strings.
struct Reader<'r, 'a> {
    shape: &'r Shape<'a>,
    /// What the function returns.
    returns: Option<&'r str>,
    /// The step before which something has to change, and why.
    found: &'r mut Vec<(String, String)>,
}

impl<'r, 'a> Reader<'r, 'a> {
    fn read(&mut self, text: &str) {
        let all = words(text);
        for (at, token) in all.iter().enumerate() {
            let rest = &all[at..];
            if token.kind == Kind::Constant {
                if let Some(inner) = inside(token.text) {
                    self.read(&inner);
                }
            } else if token.is("insert") && rest.get(1).is_some_and(|next| next.is("into")) {
                self.insert(&rest[2..]);
            } else if token.is("merge") && rest.get(1).is_some_and(|next| next.is("into")) {
                self.merge(&rest[2..]);
            } else if token.is("select") && rest.get(1).is_some_and(|next| next.is_sign("*")) {
                self.select_all(&rest[2..]);
            }
        }
    }

    /// What comes behind INSERT INTO.
    fn insert(&mut self, rest: &[Token<'_>]) {
        let Some((tenant, used)) = self.tenant(rest) else { return };
        let end = rest.iter().position(|token| token.is_sign(";")).unwrap_or(rest.len());
        let rest = &rest[used..end];
        let begin = rest.iter().position(|token| token.is_sign("(") || begins_rows(token));
        let begin = begin.unwrap_or(rest.len());
        let names = list(&rest[begin..]).filter(|_| !rest.get(begin + 1).is_some_and(begins_rows));
        self.named(tenant, names);
        self.conflict(tenant, rest);
    }

    /// What comes behind MERGE INTO.
    fn merge(&mut self, rest: &[Token<'_>]) {
        let Some((tenant, used)) = self.tenant(rest) else { return };
        let end = rest.iter().position(|token| token.is_sign(";")).unwrap_or(rest.len());
        for at in (used..end).filter(|at| rest[*at].is("insert")) {
            self.named(tenant, list(&rest[at + 1..end]));
        }
    }

    /// Rows that are inserted with these columns, if any are named.
    fn named(&mut self, tenant: &Tenant<'_>, names: Option<Vec<String>>) {
        let (table, key) = (&tenant.table.name, &tenant.key);
        if tenant.through.is_some() && !names.is_some_and(|names| names.contains(key)) {
            let why = format!("it inserts into {table} without {key}, which nothing fills from then on: name it there");
            self.found.push((format!("unfill:{table}"), why));
        }
    }

    fn conflict(&mut self, tenant: &Tenant<'_>, rest: &[Token<'_>]) {
        let is_conflict = |pair: &[Token<'_>]| pair[0].is("on") && pair[1].is("conflict");
        let Some(at) = rest.windows(2).position(is_conflict) else { return };
        let rest = &rest[at + 2..];
        let table = &tenant.table.name;
        let by_name = rest.iter().take(2).all(|token| token.is_one_of(&["on", "constraint"]));
        for unique in keys::uniques(tenant) {
            let columns = match unique.kind {
                UniqueKind::PrimaryKey(key) | UniqueKind::Constraint(key) => key.columns.clone(),
                UniqueKind::Index(index) => index.columns.iter().flatten().cloned().collect(),
            };
            // The primary key keeps its name.
            let is_gone = by_name && matches!(unique.kind, UniqueKind::Constraint(_));
            let named = is_gone && rest.get(2).and_then(name).is_some_and(|name| name == unique.name);
            let listed = match unique.kind {
                UniqueKind::Index(index) if index.columns.contains(&None) => {
                    elements(rest).is_some_and(|named| Some(named) == elements(&words(&index.definition)))
                }
                _ => list(rest).is_some_and(|mut names| {
                    let mut columns = columns.clone();
                    names.sort_unstable();
                    columns.sort_unstable();
                    names == columns
                }),
            };
            if named || listed {
                let why = format!(
                    "its ON CONFLICT means {}, which is unique per tenant from then on: name {} there",
                    unique.name, tenant.key
                );
                self.found.push((format!("exchange-keys:{table}"), why));
                return;
            }
        }
    }

    /// What comes behind SELECT *.
    fn select_all(&mut self, rest: &[Token<'_>]) {
        if !rest.first().is_some_and(|token| token.is("from")) {
            return;
        }
        let Some((tenant, _)) = self.tenant(&rest[1..]).filter(|(tenant, _)| !tenant.has_column()) else { return };
        // Whoever returns the table's own rows returns those with one column more.
        let is_listed = |returns: &str| returns.starts_with("TABLE(") || returns.ends_with("record");
        if self.returns.is_some_and(is_listed) {
            let table = &tenant.table.name;
            let why = format!(
                "its columns are listed, and SELECT * of {table} has one more from then on: list them there too"
            );
            self.found.push((format!("column:{table}"), why));
        }
    }

    /// The tenants' table that is named here, and how many tokens its name has.
    fn tenant(&self, rest: &[Token<'_>]) -> Option<(&'r Tenant<'a>, usize)> {
        let first = name(rest.first()?)?;
        let (text, used) = match rest.get(1).filter(|dot| dot.is_sign(".")).and_then(|_| name(rest.get(2)?)) {
            Some(second) => (format!("{first}.{second}"), 3),
            None => (first, 1),
        };
        let shape = self.shape;
        let table = shape.catalog().named(&text)?;
        Some((shape.tenants.iter().find(|tenant| tenant.table.name == table.name)?, used))
    }
}

fn words(text: &str) -> Vec<Token<'_>> {
    tokens(text, Writer::Server).into_iter().filter(|one| one.kind != Kind::Blank).collect()
}

/// What the first parentheses have in them, by which two lists of expressions are the same: without casts and parentheses, which PostgreSQL
/// adds of its own.
fn elements(rest: &[Token<'_>]) -> Option<String> {
    let inside = &rest[rest.iter().position(|token| token.is_sign("("))?..];
    let (mut depth, mut is_cast, mut texts) = (0_usize, false, Vec::new());
    for token in inside {
        match token.text {
            "(" => depth += 1,
            ")" => (depth, is_cast) = (depth - 1, false),
            "::" => is_cast = true,
            _ if is_cast && token.kind == Kind::Word => {}
            text => {
                is_cast = false;
                texts.push(text.to_ascii_lowercase());
            }
        }
        if depth == 0 {
            return Some(texts.join(" "));
        }
    }
    None
}

/// Whether rows come from here on, and no list of columns.
fn begins_rows(token: &Token<'_>) -> bool {
    token.is_one_of(&["select", "values", "with", "default", "table"])
}

/// The names of a list in parentheses, where it begins with one.
fn list(rest: &[Token<'_>]) -> Option<Vec<String>> {
    let inside = rest.first()?.is_sign("(").then(|| &rest[1..])?;
    let end = inside.iter().position(|token| token.is_sign(")"))?;
    inside[..end].split(|token| token.is_sign(",")).map(|part| name(part.first()?)).collect()
}

/// A name as the catalog has it.
fn name(token: &Token<'_>) -> Option<String> {
    match token.kind {
        Kind::Word => Some(token.text.to_ascii_lowercase()),
        Kind::Name => Some(token.text.trim_matches('"').replace("\"\"", "\"")),
        _ => None,
    }
}

/// The text of a string that may be a statement: those that EXECUTE gets.
fn inside(text: &str) -> Option<String> {
    if let Some(rest) = text.strip_prefix('$') {
        let (tag, rest) = rest.split_once('$')?;
        return Some(rest.strip_suffix(&format!("${tag}$"))?.to_owned());
    }
    let quoted = text.strip_prefix(['E', 'e']).unwrap_or(text).strip_prefix('\'')?;
    Some(quoted.strip_suffix('\'')?.replace("''", "'"))
}
