//! Which tables belong to tenants, and by which column or by which foreign keys that is known. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::catalog::{Catalog, Constraint, Name, Reference, Table};

/// The table of the tenants, and what tells whose a row is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Key {
    /// The table of the tenants: festivals.
    pub root: Name,
    /// Its key's column: id.
    pub root_column: String,
    /// What the column is called in the tables of tenants: festival_id.
    pub column: String,
    /// Its type, without length.
    pub sql_type: String,
}

/// What a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The tenants themselves.
    Root,
    /// Its rows are tenants', and a column says whose.
    Keyed,
    /// Its rows are tenants', and foreign keys say whose.
    Chained,
    /// A partition, which is what its table is.
    Partition,
    /// Its rows are everybody's, and tenants' rows point at them: a copy on each node.
    Reference,
    /// Nothing of it belongs to a tenant: it stays where it is.
    Local,
    /// A person has to say.
    Undecided,
}

/// What a person has said of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// Its rows are everybody's.
    Reference,
    /// It stays where it is.
    Local,
    /// This column has the tenant's key.
    Keyed(String),
    /// These columns point at a row of the tenant's.
    Through(Vec<String>),
}

/// A way from a table to another one that tells whose a row is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Link {
    /// The foreign key; `None` where nobody has declared it.
    pub constraint: Option<String>,
    /// Its columns.
    pub columns: Vec<String>,
    /// The table that they point at.
    pub target: Name,
    /// Its columns, in the same order.
    pub target_columns: Vec<String>,
    /// Whether a row may point at none.
    pub may_be_null: bool,
    /// The column of `columns` that has the tenant's key itself.
    pub key: Option<String>,
}

/// A table, with what it is and why.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Classified {
    /// The table.
    pub table: Name,
    /// What it is.
    pub class: Class,
    /// Why, in a sentence.
    pub reason: String,
    /// The column that has, or will have, the tenant's key.
    pub column: Option<String>,
    /// By which it is known whose a row is, where no column says so.
    pub through: Option<Link>,
    /// Others by which it could be known. They may disagree.
    pub others: Vec<Link>,
    /// The tables on the way to the one whose column says it, with the columns that point there.
    pub chain: Vec<String>,
    /// What a person has to say.
    pub questions: Vec<String>,
}

/// From this many rows on, a copy on each node, to which each write goes, is worth a question.
const LARGE: u64 = 100_000;

/// Each table of the catalog, by what is declared and what a person has said.
pub(super) fn classify(catalog: &Catalog, key: &Key, answers: &BTreeMap<Name, Answer>) -> Vec<Classified> {
    let mut tenants = Tenants { catalog, key, answers, known: BTreeMap::new() };
    tenants.begin();
    while tenants.go_on() {}
    // What was found late may be better than what led there first. Each round can only change what the last one has changed.
    for _ in &catalog.tables {
        if !tenants.choose_again() {
            break;
        }
    }
    let around = Around { everybodys: everybodys(catalog, &tenants), open: tenants.open() };
    catalog.tables.iter().map(|table| tenants.classified(table, &around)).collect()
}

/// What is known of the other tables.
struct Around {
    /// Those that rows of tenants point at, and those that these point at.
    everybodys: BTreeSet<Name>,
    /// Those of which a person has to say what they are, and those that belong to them.
    open: BTreeMap<Name, Option<Name>>,
}

/// What is known of a table of tenants.
#[derive(Debug, Clone)]
struct Tenant {
    /// The number of steps to the tenants' own table.
    level: usize,
    /// The column that has the key already.
    column: Option<String>,
    through: Option<Link>,
}

struct Tenants<'a> {
    catalog: &'a Catalog,
    key: &'a Key,
    answers: &'a BTreeMap<Name, Answer>,
    known: BTreeMap<&'a Name, Tenant>,
}

impl<'a> Tenants<'a> {
    /// The tenants' own table, and those with a column by the key's name or of somebody's choice.
    fn begin(&mut self) {
        for table in &self.catalog.tables {
            if table.is_partition {
                continue;
            }
            let column = match self.answers.get(&table.name) {
                _ if table.name == self.key.root => &self.key.root_column,
                Some(Answer::Keyed(column)) => column,
                // Each row has got it by now, or has had it before.
                Some(Answer::Through(_)) if table.column(&self.key.column).is_some_and(|column| column.not_null) => {
                    &self.key.column
                }
                Some(_) => continue,
                None => &self.key.column,
            };
            if self.has_key(table, column) {
                let level = usize::from(table.name != self.key.root);
                self.known.insert(&table.name, Tenant { level, column: Some(column.clone()), through: None });
            }
        }
    }

    fn has_key(&self, table: &Table, column: &str) -> bool {
        table.column(column).is_some_and(|column| column.base_type == self.key.sql_type)
    }

    /// One step further from the tenants' own table. Returns whether anything was found.
    fn go_on(&mut self) -> bool {
        let mut found = Vec::new();
        for table in &self.catalog.tables {
            if table.is_partition || self.known.contains_key(&table.name) {
                continue;
            }
            if let Some(link) = self.usable(table).min_by_key(|link| self.rank(table, link)) {
                found.push((&table.name, self.by(link)));
            }
        }
        let is_some = !found.is_empty();
        self.known.extend(found);
        is_some
    }

    /// Takes the best of all ways that are known by now. Returns whether anything is another one.
    fn choose_again(&mut self) -> bool {
        let mut found = Vec::new();
        for table in &self.catalog.tables {
            let is_said = matches!(self.answers.get(&table.name), Some(Answer::Keyed(_)));
            let Some(now) = self.known.get(&table.name) else { continue };
            let is_by_name = now.through.is_none() && now.column.as_ref() == Some(&self.key.column);
            if table.name == self.key.root || is_said || is_by_name {
                continue;
            }
            // Whose columns have yet to be filled are filled before.
            let level = |link: &Link| self.known.get(&link.target).map_or(usize::MAX, |target| target.level);
            let ways = self.usable(table).filter(|link| link.key.is_some() || level(link) < now.level);
            if let Some(link) = ways.min_by_key(|link| self.rank(table, link)) {
                let best = self.by(link);
                if (&best.column, &best.through) != (&now.column, &now.through) {
                    found.push((&table.name, best));
                }
            }
        }
        let is_some = !found.is_empty();
        self.known.extend(found);
        is_some
    }

    /// The ways that tell of all rows of a table whose they are, or the one that somebody has named.
    fn usable(&self, table: &'a Table) -> impl Iterator<Item = Link> {
        let said = self.answers.get(&table.name);
        self.links(table).into_iter().filter(move |link| match said {
            Some(Answer::Through(columns)) => link.columns == *columns,
            Some(_) => false,
            // What may point at nothing tells nothing of some rows.
            None => !link.may_be_null && link.constraint.is_some(),
        })
    }

    /// What a table is by a way.
    fn by(&self, link: Link) -> Tenant {
        let level = 1 + self.known.get(&link.target).map_or(0, |target| target.level);
        let through = link.key.is_none().then(|| link.clone());
        Tenant { level, column: link.key, through }
    }

    /// The better the smaller: a column that is a part of the table's key, any other that has the tenant's key, the shortest way.
    fn rank(&self, table: &Table, link: &Link) -> (bool, bool, usize, Option<String>) {
        let in_key = link.key.as_ref().and_then(|key| table.primary_key().iter().position(|column| column == key));
        let level = self.known.get(&link.target).map_or(usize::MAX, |target| target.level);
        (in_key.is_none(), link.key.is_none(), level, link.constraint.clone())
    }

    /// The ways from a table to those that are known to be tenants', but for those to itself.
    fn links(&self, table: &'a Table) -> Vec<Link> {
        let declared = table.foreign_keys().map(|(constraint, reference)| declared(table, constraint, reference));
        let all = declared.chain(guesses(self.catalog, table)).filter(|link| link.target != table.name);
        all.filter_map(|link| {
            let target = self.known.get(&link.target)?;
            let pair = |key: &String| link.target_columns.iter().position(|column| column == key);
            let key = target.column.as_ref().and_then(pair).and_then(|at| link.columns.get(at)).cloned();
            Some(Link { key, ..link })
        })
        .collect()
    }

    /// The tables that only may lead to a tenant; and those whose rows belong to rows of such a table, with that one.
    fn open(&self) -> BTreeMap<Name, Option<Name>> {
        let is_open = |table: &&Table| !self.known.contains_key(&table.name) && !self.answers.contains_key(&table.name);
        let tables: Vec<&Table> =
            self.catalog.tables.iter().filter(is_open).filter(|table| !table.is_partition).collect();
        let begin = tables.iter().filter(|table| !self.links(table).is_empty());
        let mut found: BTreeMap<Name, Option<Name>> = begin.map(|table| (table.name.clone(), None)).collect();
        loop {
            let before = found.len();
            for table in &tables {
                let strong = table.foreign_keys().filter(|(key, _)| !table.may_be_null(&key.columns));
                let target = strong.map(|(_, reference)| reference.name()).find(|target| found.contains_key(target));
                if let Some(target) = target.filter(|_| !found.contains_key(&table.name)) {
                    found.insert(table.name.clone(), Some(target));
                }
            }
            if found.len() == before {
                return found;
            }
        }
    }

    fn classified(&self, table: &'a Table, around: &Around) -> Classified {
        let said = self.answers.get(&table.name);
        let mut classified = Classified {
            table: table.name.clone(),
            class: Class::Local,
            reason: String::new(),
            column: None,
            through: None,
            others: Vec::new(),
            chain: Vec::new(),
            questions: Vec::new(),
        };
        if table.is_partition {
            let of = table.parents.first().map_or_else(String::new, |(schema, name)| {
                Name { schema: schema.clone(), name: name.clone() }.to_string()
            });
            return Classified { class: Class::Partition, reason: format!("it is a partition of {of}"), ..classified };
        }
        if let Some(tenant) = self.known.get(&table.name) {
            self.tenants_own(table, tenant, &mut classified);
            return classified;
        }
        match said {
            Some(Answer::Reference) => {
                return Classified { class: Class::Reference, reason: "so it was answered".to_owned(), ..classified };
            }
            Some(Answer::Local) => return Classified { reason: "so it was answered".to_owned(), ..classified },
            Some(Answer::Keyed(_) | Answer::Through(_)) => {
                let reason =
                    format!("what was answered has no {} and leads to no table of the tenants'", self.key.sql_type);
                return Classified { class: Class::Undecided, reason, ..classified };
            }
            None => {}
        }
        let links = self.links(table);
        if !links.is_empty() {
            classified.class = Class::Undecided;
            classified.reason = undecided(&links);
            classified.questions.push(format!(
                "are all rows of {} a tenant's (answer `through = [\"{}\"]`), everybody's (`reference`), or nobody's (`local`)?",
                table.name,
                links.first().map(|link| link.columns.join("\", \"")).unwrap_or_default()
            ));
            classified.others = links;
            return classified;
        }
        if let Some(Some(of)) = around.open.get(&table.name) {
            classified.class = Class::Undecided;
            classified.reason = format!("its rows belong to rows of {of}, and it is not known what that is");
        } else if table.kind == "f" {
            classified.reason = "it is a foreign table, which can't be distributed".to_owned();
        } else if around.everybodys.contains(&table.name) {
            classified.class = Class::Reference;
            classified.reason = "it has nothing of a tenant's, and rows of tenants point at it".to_owned();
            if table.rows >= LARGE {
                classified.questions.push(format!(
                    "{} has about {} rows, and as a reference table each node has a copy and takes part in each write: is it \
                     written seldom?",
                    table.name, table.rows
                ));
            }
        } else {
            classified.reason =
                "no foreign key leads from it to a tenant's row, and none of a tenant's row to it".to_owned();
        }
        classified
    }

    fn tenants_own(&self, table: &'a Table, tenant: &Tenant, classified: &mut Classified) {
        let links = self.links(table);
        let is_other =
            |link: &Link| tenant.through.as_ref() != Some(link) && (link.key.is_none() || link.key != tenant.column);
        classified.others =
            links.into_iter().filter(|link| link.constraint.is_some()).filter(|link| is_other(link)).collect();
        classified.column = Some(tenant.column.clone().unwrap_or_else(|| self.key.column.clone()));
        classified.through.clone_from(&tenant.through);
        classified.chain = self.chain(&table.name);
        let column = classified.column.clone().unwrap_or_default();
        match (&tenant.column, &tenant.through) {
            _ if table.name == self.key.root => {
                classified.class = Class::Root;
                classified.reason = "it is the table of the tenants".to_owned();
            }
            (Some(_), _) => {
                classified.class = Class::Keyed;
                classified.reason = format!("its column {column} has the tenant's key");
                if table.may_be_null(std::slice::from_ref(&column)) {
                    classified.questions.push(may_be_null(table, &column, Self::through(&classified.others)));
                }
            }
            (None, _) => {
                if let Some(other) = table.column(&column).filter(|one| one.base_type != self.key.sql_type) {
                    classified.questions.push(format!(
                        "{}.{column} is of the type {}, and a tenant's key is {}: rename it, or change its type",
                        table.name, other.sql_type, self.key.sql_type
                    ));
                }
                classified.class = Class::Chained;
                classified.reason = format!("foreign keys lead to a tenant: {}", classified.chain.join(" → "));
            }
        }
    }

    /// The first of these ways that a row always has, else the first: to a row that gets its own key from another one.
    fn through(others: &[Link]) -> Option<&Link> {
        let ways = || others.iter().filter(|link| link.key.is_none());
        ways().find(|link| !link.may_be_null).or_else(|| ways().next())
    }

    /// `tickets.order_id`, `orders.wallet_id`, `wallets.festival_id`.
    fn chain(&self, name: &Name) -> Vec<String> {
        let (mut chain, mut at) = (Vec::new(), name.clone());
        while let Some(tenant) = self.known.get(&at) {
            match (&tenant.column, &tenant.through) {
                (Some(column), _) => {
                    chain.push(format!("{at}.{column}"));
                    break;
                }
                (None, Some(link)) => {
                    chain.push(format!("{at}.{}", link.columns.join("+")));
                    at = link.target.clone();
                }
                (None, None) => break,
            }
        }
        chain
    }
}

fn declared(table: &Table, constraint: &Constraint, reference: &Reference) -> Link {
    Link {
        constraint: Some(constraint.name.clone()),
        columns: constraint.columns.clone(),
        target: reference.name(),
        target_columns: reference.columns.clone(),
        may_be_null: table.may_be_null(&constraint.columns),
        key: None,
    }
}

/// What a person has to say of a column that has the tenant's key of some rows only.
fn may_be_null(table: &Table, column: &str, way: Option<&Link>) -> String {
    let filled = way.map(|link| {
        let columns = link.columns.join("\", \"");
        format!("say `through = [\"{columns}\"]` in place of the column where they get it from {}, ", link.target)
    });
    format!(
        "{}.{column} may be NULL: whose are such rows? Give them a tenant, {}or answer `reference` or `local`",
        table.name,
        filled.unwrap_or_default()
    )
}

fn undecided(links: &[Link]) -> String {
    let way = |link: &Link| match link.constraint {
        Some(_) => format!("{} to {}, which may be NULL", link.columns.join("+"), link.target),
        None => format!("{}, which may point at {} and is no foreign key", link.columns.join("+"), link.target),
    };
    let ways: Vec<String> = links.iter().map(way).collect();
    format!("only this could lead to a tenant: {}", ways.join("; "))
}

/// Tables that rows of tenants point at, and those that these point at.
fn everybodys(catalog: &Catalog, tenants: &Tenants<'_>) -> BTreeSet<Name> {
    let mut found: BTreeSet<Name> = BTreeSet::new();
    let mut to_look_at: Vec<&Table> =
        catalog.tables.iter().filter(|table| tenants.known.contains_key(&table.name)).collect();
    while let Some(table) = to_look_at.pop() {
        for (_, reference) in table.foreign_keys() {
            let name = reference.name();
            if !tenants.known.contains_key(&name) && found.insert(name.clone()) {
                to_look_at.extend(catalog.table(&name));
            }
        }
    }
    found
}

/// Columns that are called as those are that point at a table, and are no foreign keys: `wallet_id`, where there are `wallets`
/// whose key is of that type.
pub(super) fn guesses(catalog: &Catalog, table: &Table) -> Vec<Link> {
    let is_declared = |column: &str| table.foreign_keys().any(|(key, _)| key.columns.iter().any(|name| name == column));
    let mut found = Vec::new();
    for column in &table.columns {
        let Some(stem) = column.name.strip_suffix("_id").filter(|stem| !stem.is_empty() && !is_declared(&column.name))
        else {
            continue;
        };
        let fits = |other: &&Table| {
            let key = other.primary_key();
            let is_typed = key.len() == 1 && other.column(&key[0]).is_some_and(|key| key.base_type == column.base_type);
            !other.is_partition && is_typed && is_plural(stem, &other.name.name)
        };
        if let Some(other) = catalog.tables.iter().find(fits) {
            found.push(Link {
                constraint: None,
                columns: vec![column.name.clone()],
                target: other.name.clone(),
                target_columns: other.primary_key().to_vec(),
                may_be_null: !column.not_null,
                key: None,
            });
        }
    }
    found
}

/// Whether a table of this name has what `stem` is one of.
fn is_plural(stem: &str, table: &str) -> bool {
    let ies = stem.strip_suffix('y').map(|stem| format!("{stem}ies"));
    table == stem || table == format!("{stem}s") || table == format!("{stem}es") || ies.as_deref() == Some(table)
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Root => "root",
            Self::Keyed => "keyed",
            Self::Chained => "chained",
            Self::Partition => "partition",
            Self::Reference => "reference",
            Self::Local => "local",
            Self::Undecided => "undecided",
        })
    }
}

#[cfg(test)]
#[path = "classify_tests.rs"]
mod tests;
