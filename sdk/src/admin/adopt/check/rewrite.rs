//! Where a statement has to name the tenant's key, and what is written there. Pure.

use std::ops::Range;

use shardwise_scope::{Analysis, ConditionSite, InsertSite, Inserted, Sites, Value, WriteKind};

use super::statement::{Edit, KEY, NEW};
use super::tables::{Known, Role, Tables};
use crate::schema::quote_ident;

/// What is to be written into a statement.
#[derive(Debug)]
pub(super) struct Rewrite {
    /// The parameter with the tenant's key: one that is there, or [`NEW`].
    pub(super) tenant: String,
    /// What is written where, besides conditions.
    edits: Vec<Edit>,
    /// In the order of the tables.
    conditions: Vec<Condition>,
    /// What is wrong with the statement as it is, in words.
    pub(super) reasons: Vec<String>,
}

/// Holds the rows of a table to the tenant, or to another table that is held.
#[derive(Debug)]
pub(super) struct Condition {
    /// The table, in the order of the analysis.
    pub(super) relation: usize,
    pub(super) place: ConditionSite,
    text: String,
}

impl Rewrite {
    /// Whether nothing is to be written.
    pub(super) fn is_empty(&self) -> bool {
        self.edits.is_empty() && self.conditions.is_empty()
    }

    /// How many conditions there are.
    pub(super) fn conditions(&self) -> usize {
        self.conditions.len()
    }

    /// Those of the conditions that hold a table by another one. Of those that name the tenant, `by` tells the column that can take its place
    /// there; the others go.
    pub(super) fn that_join(mut self, needed: &[bool], by: impl Fn(&Condition) -> Option<String>) -> Vec<Edit> {
        let mut joins = needed.to_vec();
        for (condition, join) in self.conditions.iter_mut().zip(&mut joins) {
            if *join && condition.text.contains(KEY) {
                let column = by(condition);
                *join = column.is_some();
                condition.text = column.map_or_else(String::new, |column| condition.text.replace(KEY, &column));
            }
        }
        self.edits(&joins)
    }

    /// What is to be written, with those conditions alone that are `needed`.
    pub(super) fn edits(&self, needed: &[bool]) -> Vec<Edit> {
        let mut edits = self.edits.clone();
        let mut places: Vec<(&ConditionSite, Vec<&str>)> = Vec::new();
        for (Condition { place, text, .. }, _) in self.conditions.iter().zip(needed).filter(|(_, needed)| **needed) {
            match places.iter_mut().find(|(known, _)| *known == place) {
                Some((_, texts)) => texts.push(text),
                None => places.push((place, vec![text])),
            }
        }
        let mut edit = |at: usize, text: String| edits.push(Edit { at, text });
        for (place, texts) in places {
            match place {
                ConditionSite::And { condition, is_loose, .. } => {
                    if *is_loose {
                        edit(condition.start, "(".to_owned());
                    }
                    let close = if *is_loose { ")" } else { "" };
                    edit(condition.end, format!("{close} AND {}", texts.join(" AND ")));
                }
                ConditionSite::Where { at, .. } => edit(*at, format!(" WHERE {}", texts.join(" AND "))),
                ConditionSite::Using { at, .. } => edit(*at, format!(", {}", texts.join(", "))),
            }
        }
        edits
    }
}

/// Works out what a statement lacks. `known` are its tables, in the order of the analysis.
pub(super) fn rewrite(analysis: &Analysis, sites: &Sites, known: &[&Known], tables: &Tables) -> Rewrite {
    let tenant = tenant_of(analysis, known);
    let mut writing = Writing {
        analysis,
        sites,
        known,
        key_type: &tables.key.sql_type,
        is_qualified: sites.tables.len() + sites.inserts.len() > 1
            || analysis.relations.iter().any(|relation| relation.called != relation.name),
        anchors: Vec::new(),
        out: Rewrite { tenant, edits: Vec::new(), conditions: Vec::new(), reasons: Vec::new() },
    };
    writing.find_anchors();
    (0..known.len()).for_each(|relation| writing.hold(relation));
    (0..known.len()).for_each(|relation| writing.insert(relation));
    writing.tell_apart();
    writing.out
}

/// The parameter that most tables are held to by their keys.
fn tenant_of(analysis: &Analysis, known: &[&Known]) -> String {
    let count = |param: &str| {
        let pinned = analysis.relations.iter().zip(known).filter(|(relation, known)| {
            relation.pins.iter().any(|pin| pin.param == param && known.key.as_ref() == Some(&pin.column))
        });
        let written = analysis.writes.iter().filter(|write| match &write.kind {
            WriteKind::Insert(values) => {
                key_value(values, known.get(write.relation).copied()).is_some_and(|value| value.param() == Some(param))
            }
            _ => false,
        });
        pinned.count() + written.count()
    };
    let mut best = (0, NEW);
    for param in &analysis.params {
        let found = count(param);
        if found > best.0 {
            best = (found, param);
        }
    }
    best.1.to_owned()
}

/// What is written into the column with the key.
pub(super) fn key_value<'v>(values: &'v [(String, Value)], known: Option<&Known>) -> Option<&'v Value> {
    let key = known?.key.as_ref()?;
    values.iter().find(|(column, _)| column == key).map(|(_, value)| value)
}

struct Writing<'a> {
    analysis: &'a Analysis,
    sites: &'a Sites,
    known: &'a [&'a Known],
    key_type: &'a str,
    /// Whether columns are written with their tables.
    is_qualified: bool,
    /// Tables of which all rows are the tenant's, by which others can be held.
    anchors: Vec<Anchor>,
    out: Rewrite,
}

struct Anchor {
    query: usize,
    at: Range<usize>,
    column: String,
}

impl<'a> Writing<'a> {
    fn key(&self, relation: usize) -> Option<&'a str> {
        self.known.get(relation)?.key.as_deref()
    }

    fn column(&self, relation: usize, key: &str) -> String {
        match self.is_qualified {
            true => format!("{}.{}", ident(&self.analysis.relations[relation].called), ident(key)),
            false => ident(key),
        }
    }

    fn is_held(&self, relation: usize, key: &str) -> bool {
        self.analysis.relations[relation].pins.iter().any(|pin| pin.column == key && pin.param == self.out.tenant)
    }

    fn find_anchors(&mut self) {
        for relation in 0..self.known.len() {
            if let Some(key) = self.key(relation).filter(|key| self.is_held(relation, key)) {
                self.add_anchor(relation, key);
            }
        }
    }

    fn add_anchor(&mut self, relation: usize, key: &str) {
        let at = &self.analysis.relations[relation].at;
        if let Some(site) = self.sites.tables.iter().find(|site| site.at == *at && !site.is_optional) {
            self.anchors.push(Anchor { query: site.query, at: at.clone(), column: self.column(relation, key) });
        }
    }

    /// A condition on the rows of a table that is read or changed.
    fn hold(&mut self, relation: usize) {
        let (Some(key), at) = (self.key(relation), &self.analysis.relations[relation].at) else { return };
        let Some(site) = self.sites.tables.iter().find(|site| site.at == *at) else { return };
        if self.is_held(relation, key) {
            return;
        }
        let name = &self.known[relation].name;
        let others = &self.analysis.relations[relation].pins;
        self.out.reasons.push(match others.iter().any(|pin| pin.column == key) {
            true => format!("{name} is held to {key} by another parameter, which may have another value"),
            false => format!("{name} is not held to {key}"),
        });
        let Some(place) = &site.condition else { return };
        if let ConditionSite::Using { scope, columns, .. } = place {
            if !columns.iter().any(|column| column == key) {
                self.hold_by_using(relation, key, site.query, place, scope);
            }
            return;
        }
        let mine = self.column(relation, key);
        let near = self.anchors.iter().find(|one| one.query == site.query && is_in(&one.at, place.scope()));
        let other = near.map_or_else(|| KEY.to_string(), |anchor| anchor.column.clone());
        self.put(relation, place, format!("{mine} = {other}"));
        self.add_anchor(relation, key);
    }

    /// One more column in USING, where the only other table of tenants has it as well.
    fn hold_by_using(&mut self, relation: usize, key: &str, query: usize, place: &ConditionSite, scope: &Range<usize>) {
        let is_other = |other: &usize| {
            let at = &self.analysis.relations[*other].at;
            let is_here = self.sites.tables.iter().any(|site| site.at == *at && site.query == query);
            *other != relation && is_here && is_in(at, scope) && self.key(*other).is_some()
        };
        let others: Vec<usize> = (0..self.known.len()).filter(is_other).collect();
        let is_there = self.out.conditions.iter().any(|known| known.place == *place);
        if let [other] = others.as_slice()
            && self.key(*other) == Some(key)
            && !is_there
        {
            self.put(relation, place, ident(key));
        }
    }

    fn put(&mut self, relation: usize, place: &ConditionSite, text: String) {
        self.out.conditions.push(Condition { relation, place: place.clone(), text });
    }

    fn edit(&mut self, at: usize, text: impl Into<String>) {
        self.out.edits.push(Edit { at, text: text.into() });
    }

    /// The key among what is inserted, and among the columns of a conflict.
    fn insert(&mut self, relation: usize) {
        let (Some(key), at) = (self.key(relation), &self.analysis.relations[relation].at) else { return };
        let Some(site) = self.sites.inserts.iter().find(|site| site.at == *at) else { return };
        let name = &self.known[relation].name;
        let values = self.analysis.writes.iter().find_map(|write| match &write.kind {
            WriteKind::Insert(values) if write.relation == relation => Some(values),
            _ => None,
        });
        if values.is_some_and(|values| key_value(values, Some(self.known[relation])).is_none()) {
            self.out.reasons.push(format!("rows of {name} are inserted without {key}"));
            self.insert_key(site, key);
        }
        if let Some((at, columns)) = &site.conflict
            && !columns.iter().any(|column| column == key)
        {
            let listed = columns.join(", ");
            self.out.reasons.push(format!("ON CONFLICT ({listed}) finds no unique index once each has {key} in it"));
            self.edit(*at, format!("{}, ", ident(key)));
        }
    }

    fn insert_key(&mut self, site: &InsertSite, key: &str) {
        let Some(list) = site.columns else { return };
        match &site.values {
            Inserted::Rows { ends, .. } => ends.iter().for_each(|end| self.edit(*end, format!(", {KEY}"))),
            Inserted::Query { query, end, is_grouped } => {
                let near = self.anchors.iter().find(|one| one.query == *query && !is_grouped);
                // The type of a parameter that stands alone in a query is not known by what it is inserted into.
                let value = near.map_or_else(|| format!("{KEY}::{}", self.key_type), |one| one.column.clone());
                self.edit(*end, format!(", {value}"));
            }
            Inserted::Other => return,
        }
        self.edit(list, format!(", {}", ident(key)));
    }

    /// A column without its table that is the key's of one table today, and of several when all have it.
    fn tell_apart(&mut self) {
        for column in &self.analysis.columns {
            if column.of.len() < 2 || !self.sites.bare_columns.contains(&column.at) {
                continue;
            }
            let has = |relation: &&usize| self.known.get(**relation).is_some_and(|known| known.has(&column.name));
            let will = |relation: &&usize| {
                self.known
                    .get(**relation)
                    .is_some_and(|known| !known.has(&column.name) && known.will_have(&column.name))
            };
            let owners: Vec<&usize> = column.of.iter().filter(has).collect();
            let [owner] = owners.as_slice() else { continue };
            if column.of.iter().filter(will).any(|other| self.hides(*other, **owner)) {
                let called = &self.analysis.relations[**owner].called;
                self.out.reasons.push(format!("{} will be a column of several of its tables", column.name));
                self.out.edits.push(Edit { at: column.at.start, text: format!("{}.", ident(called)) });
            }
        }
    }

    /// Whether a name can mean a column of `new` where it has meant one of `owner`: not where `new` is further out.
    fn hides(&self, new: usize, owner: usize) -> bool {
        let site = |relation: usize| {
            let at = &self.analysis.relations[relation].at;
            self.sites.tables.iter().find(|site| site.at == *at)
        };
        let (Some(new), Some(owner)) = (site(new), site(owner)) else { return true };
        let scopes =
            (new.condition.as_ref().map(ConditionSite::scope), owner.condition.as_ref().map(ConditionSite::scope));
        new.query == owner.query || matches!(scopes, (Some(new), Some(owner)) if is_in(new, owner))
    }
}

/// A list of all columns for an INSERT that has none, for as many values as there are. What is inserted by a query is left: how many columns
/// that has can't be told.
pub(super) fn column_lists(sites: &Sites, text: &str, tables: &Tables) -> Vec<Edit> {
    let mut edits = Vec::new();
    for site in sites.inserts.iter().filter(|site| site.columns.is_none()) {
        let known = tables.written(&text[site.at.clone()]).filter(|known| known.role != Role::View);
        if let (Some(known), Inserted::Rows { width, .. }) = (known, &site.values)
            && let Some(columns) = known.columns.get(..*width)
        {
            let listed: Vec<String> = columns.iter().map(|column| ident(column)).collect();
            edits.push(Edit { at: site.list, text: format!(" ({})", listed.join(", ")) });
        }
    }
    edits
}

fn is_in(inner: &Range<usize>, outer: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// A name as a person would write it: in quotes only where it needs them.
pub(super) fn ident(name: &str) -> String {
    let is_plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if is_plain && !RESERVED.contains(&name) { name.to_owned() } else { quote_ident(name) }
}

/// Words that are no names without quotes.
const RESERVED: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "binary",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "group",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "natural",
    "not",
    "notnull",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "overlaps",
    "placing",
    "primary",
    "references",
    "returning",
    "right",
    "select",
    "session_user",
    "similar",
    "some",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
];
