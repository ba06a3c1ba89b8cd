//! What a name means where it stands.
//!
//! There is no schema here: whether a table has a column is not known. So a name without its table is a *guess* wherever more than one
//! source could have it. PostgreSQL refuses ambiguous names: at most one of them has the column, and to say of the others
//! that their column of that name is pinned is to say nothing, for they have none. What is said of a guess is therefore
//! noted for all of them; but nothing may follow from one of them, for that one may be the one that has no such column.
//! A guess has a place of its own, from which things follow within the same scope only: there the name means the same.

use crate::pins::Place;
use crate::survey::Survey;
use crate::tree::{self, Kind, Node};

/// The number of something that rows come from.
pub(crate) type SourceId = usize;

/// What rows come from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// A table, by the number of its relation.
    Table(usize),
    /// A subquery, a CTE, VALUES or a function.
    Derived(Vec<Column>),
    /// Rows of a table as a statement leaves them: what it wrote is known of the columns that it wrote.
    Written {
        /// The number of the relation.
        relation: usize,
        /// What was there before and is still there, in columns that are not among the written.
        before: Option<SourceId>,
        /// Columns with what they now are.
        written: Vec<(String, Option<Place>)>,
    },
}

/// A column, or several, of a query's result.
#[derive(Debug, Clone)]
pub(crate) enum Column {
    /// One column; the name is missing where only the server knows how it would call it.
    Named {
        /// Its name.
        name: Option<String>,
        /// What it is equal to.
        place: Option<Place>,
    },
    /// `*` or `t.*`. Of the columns of one name, all must be pinned.
    Star {
        /// Whose columns.
        sources: Vec<SourceId>,
        /// Those that USING has merged.
        merged: Vec<(String, Place)>,
    },
    /// Any number of columns of unknown names.
    Anything,
}

/// A source by the name it goes by.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// The alias, or the table's own name; empty if it has none.
    pub(crate) alias: String,
    /// The schema, where a table is named with it and has no alias.
    pub(crate) schema: Option<String>,
    /// What it stands for.
    pub(crate) source: SourceId,
}

/// What a part of FROM adds to the names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    /// The sources.
    pub(crate) items: Vec<Item>,
    /// Columns that USING has merged, which hide those that they were made of.
    pub(crate) merged: Vec<(String, Place)>,
}

/// The names that may be used at one spot.
#[derive(Debug)]
pub(crate) struct Scope<'s> {
    /// Its number: the same name means the same only within one scope.
    pub(crate) id: usize,
    /// What is around.
    pub(crate) outer: Outer<'s>,
    /// What is here.
    pub(crate) names: Names,
    /// Whether this is all that the query has in FROM, and not one join of it.
    pub(crate) is_whole: bool,
}

/// What is around a query.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Outer<'s> {
    /// The names of the query around.
    pub(crate) scope: Option<&'s Scope<'s>>,
    /// The CTEs in force.
    pub(crate) ctes: Option<&'s Ctes<'s>>,
}

/// The CTEs of one WITH, and those around.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ctes<'s> {
    /// Those around.
    pub(crate) outer: Option<&'s Ctes<'s>>,
    /// Those that can be used.
    pub(crate) known: &'s [Cte],
    /// Names that WITH RECURSIVE makes known before what they mean is.
    pub(crate) later: &'s [String],
}

/// A CTE.
#[derive(Debug, Clone)]
pub(crate) struct Cte {
    /// Its name.
    pub(crate) name: String,
    /// What it gives.
    pub(crate) columns: Vec<Column>,
}

/// What a CTE's name means.
pub(crate) enum CteFound<'s> {
    /// This one.
    Known(&'s Cte),
    /// One that is defined further back.
    Later,
}

impl<'s> Ctes<'s> {
    pub(crate) fn find(&'s self, name: &str) -> Option<CteFound<'s>> {
        if let Some(cte) = self.known.iter().rev().find(|cte| cte.name == name) {
            return Some(CteFound::Known(cte));
        }
        if self.later.iter().any(|one| one == name) {
            return Some(CteFound::Later);
        }
        self.outer?.find(name)
    }
}

/// A column as an equality sees it.
#[derive(Debug, Clone)]
pub(crate) struct Term {
    /// What follows, follows from this.
    pub(crate) place: Place,
    /// What is said of it, is said of these: none for parameters and for columns of a query around.
    pub(crate) says: Vec<Place>,
}

/// Who may have a column.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Owner {
    /// A derived table that gives it by name.
    Derived,
    /// One of these relations.
    Tables(Vec<usize>),
    /// It can't be told.
    Unknown,
    /// Nobody.
    Nobody,
}

impl Survey {
    pub(crate) fn add_source(&mut self, source: Source) -> SourceId {
        self.sources.push(source);
        self.sources.len() - 1
    }

    pub(crate) fn new_scope<'s>(&mut self, outer: Outer<'s>, names: Names, is_whole: bool) -> Scope<'s> {
        self.scopes += 1;
        Scope { id: self.scopes, outer, names, is_whole }
    }

    /// The place of a source's column.
    pub(crate) fn column(&mut self, source: SourceId, name: &str) -> Place {
        let key = (source, name.to_owned());
        if let Some(place) = self.places.get(&key) {
            return *place;
        }
        let place = self.pins.place();
        self.places.insert(key, place);
        self.owners.insert(place, source);
        let made_of = match self.sources[source].clone() {
            Source::Table(_) => Vec::new(),
            Source::Derived(columns) => self.column_of(&columns, name).unwrap_or_default(),
            Source::Written { before, written, .. } => match written.iter().find(|(one, _)| one == name) {
                Some((_, value)) => value.iter().copied().collect(),
                None => before.map(|before| self.column(before, name)).into_iter().collect(),
            },
        };
        self.pins.rule(place, &made_of);
        place
    }

    /// The places which must all be pinned for a column of a result to be. If the statement is valid, one of them is the column.
    fn column_of(&mut self, columns: &[Column], name: &str) -> Option<Vec<Place>> {
        let mut all = Vec::new();
        let (mut is_listed, mut others) = (false, false);
        for column in columns {
            match column {
                Column::Named { name: Some(one), place } => {
                    if one == name {
                        is_listed = true;
                        all.push((*place)?);
                    }
                }
                Column::Star { merged, .. } if merged.iter().any(|(one, _)| one == name) => {
                    is_listed = true;
                    all.extend(merged.iter().filter(|(one, _)| one == name).map(|(_, place)| *place));
                }
                Column::Star { sources, .. } => {
                    for source in sources {
                        let owner = self.owner(*source, name);
                        is_listed |= owner == Owner::Derived;
                        if owner != Owner::Nobody {
                            all.push(self.column(*source, name));
                        }
                    }
                }
                Column::Named { name: None, .. } | Column::Anything => others = true,
            }
        }
        // A table that is here with all its columns need not have this one: then it may be a column whose name only the
        // server knows. Beside one that surely is called so, it can't be: the name would be ambiguous.
        (is_listed || !others).then_some(all)
    }

    fn owner(&self, source: SourceId, name: &str) -> Owner {
        let columns = match &self.sources[source] {
            Source::Table(relation) | Source::Written { relation, .. } => return Owner::Tables(vec![*relation]),
            Source::Derived(columns) => columns,
        };
        let mut found = Owner::Nobody;
        for column in columns {
            let here = match column {
                Column::Named { name: Some(one), .. } if one == name => Owner::Derived,
                Column::Named { name: Some(_), .. } => Owner::Nobody,
                Column::Named { name: None, .. } | Column::Anything => Owner::Unknown,
                Column::Star { merged, .. } if merged.iter().any(|(one, _)| one == name) => Owner::Derived,
                Column::Star { sources, .. } => {
                    sources.iter().fold(Owner::Nobody, |sum, one| sum.or(self.owner(*one, name)))
                }
            };
            found = found.or(here);
        }
        found
    }

    /// Whether a source surely has the columns that the statement takes from it without naming it.
    fn lists_its_columns(&self, source: SourceId) -> bool {
        match &self.sources[source] {
            Source::Table(_) | Source::Written { .. } => true,
            Source::Derived(columns) => columns.iter().all(|one| matches!(one, Column::Named { name: Some(_), .. })),
        }
    }

    /// What a column's name means in an equality.
    pub(crate) fn resolve(&mut self, columnref: Node<'_>, scope: &Scope<'_>) -> Option<Term> {
        let names = tree::dotted(columnref)?.into_iter().collect::<Option<Vec<_>>>()?;
        match names.as_slice() {
            [name] => self.resolve_alone(name, scope, true),
            [.., table, name] if names.len() <= 3 => {
                let schema = (names.len() == 3).then(|| names[0].as_str());
                let (source, is_here) = find(scope, schema, table)?;
                let place = self.column(source, name);
                Some(Term { place, says: if is_here { vec![place] } else { Vec::new() } })
            }
            _ => None,
        }
    }

    fn resolve_alone(&mut self, name: &str, scope: &Scope<'_>, is_here: bool) -> Option<Term> {
        let says = |places: Vec<Place>| if is_here { places } else { Vec::new() };
        if let Some((_, place)) = scope.names.merged.iter().find(|(one, _)| one == name) {
            return Some(Term { place: *place, says: says(vec![*place]) });
        }
        let candidates: Vec<SourceId> = (scope.names.items.iter().map(|item| item.source))
            .filter(|source| self.owner(*source, name) != Owner::Nobody)
            .collect();
        match candidates.as_slice() {
            [] => self.resolve_alone(name, scope.outer.scope?, false),
            // With one source the name is its column; or, if it has none, one and the same of a query around wherever it
            // stands in this query. `*` of a subquery is not a list of names: there the name has to be this source's.
            [only] if scope.is_whole && (self.lists_its_columns(*only) || scope.outer.scope.is_none()) => {
                let place = self.column(*only, name);
                Some(Term { place, says: says(vec![place]) })
            }
            several => {
                let guess = self.guess(scope.id, name);
                let mut all = vec![guess];
                all.extend(several.iter().map(|source| self.column(*source, name)));
                Some(Term { place: guess, says: says(all) })
            }
        }
    }

    fn guess(&mut self, scope: usize, name: &str) -> Place {
        let key = (scope, name.to_owned());
        match self.guesses.get(&key) {
            Some(place) => *place,
            None => {
                let place = self.pins.place();
                self.guesses.insert(key, place);
                place
            }
        }
    }

    /// Notes that a column is used, and refuses what is no column.
    pub(crate) fn use_column(&mut self, columnref: Node<'_>, scope: &Scope<'_>) {
        let Some(names) = names_before_subscripts(columnref) else {
            return self
                .refuse(columnref, "a part of a value can't be followed: write the column as table.column".to_owned());
        };
        match names.as_slice() {
            [Some(name)] => self.use_name(columnref, name, scope),
            [.., Some(table), name] if names.len() <= 3 => {
                let schema = (names.len() == 3).then(|| names[0].as_deref().unwrap_or_default());
                match (find(scope, schema, table), name) {
                    (None, _) => self.refuse(columnref, format!("there is no table `{table}` here")),
                    (Some(_), None) => {}
                    (Some((source, _)), Some(name)) => match self.owner(source, name) {
                        Owner::Tables(of) => self.note_column(columnref, name, of),
                        Owner::Nobody => self.refuse(columnref, format!("`{table}` has no column `{name}`")),
                        Owner::Derived => {}
                        // What is no column may be a call: `d.f` also means `f(d)`.
                        Owner::Unknown => {
                            self.refuse(columnref, format!("give the columns of `{table}` names, with AS `{name}`"));
                        }
                    },
                }
            }
            _ => self.refuse(columnref, "write the column as table.column".to_owned()),
        }
    }

    /// A name alone may be a column of any source here or around, or a whole row.
    fn use_name(&mut self, columnref: Node<'_>, name: &str, scope: &Scope<'_>) {
        let mut found = Owner::Nobody;
        let mut level = Some(scope);
        while let Some(here) = level {
            if here.names.merged.iter().any(|(one, _)| one == name)
                || here.names.items.iter().any(|one| one.alias == name)
            {
                return;
            }
            for item in &here.names.items {
                found = found.or(self.owner(item.source, name));
            }
            level = here.outer.scope;
        }
        match found {
            Owner::Tables(of) => self.note_column(columnref, name, of),
            Owner::Nobody => self.refuse(columnref, format!("there is no column `{name}` here")),
            Owner::Derived | Owner::Unknown => {}
        }
    }

    /// Makes one column of USING out of those of both sides.
    pub(crate) fn merge(&mut self, at: Node<'_>, name: &str, left: &Names, right: &Names, join: Join) -> Place {
        let merged = self.pins.place();
        let (left, right) = (self.side(at, name, left), self.side(at, name, right));
        let mut equal = |from: &[Place], to: &[Place]| to.iter().for_each(|place| self.pins.rule(*place, from));
        // Each side has the column, or the statement is refused: so if all that could be it are pinned, it is.
        if join == Join::Full {
            let both: Vec<Place> = left.iter().chain(&right).copied().collect();
            if !left.is_empty() && !right.is_empty() {
                equal(&both, &[merged]);
            }
            equal(&[merged], &both);
            return merged;
        }
        if matches!(join, Join::Inner | Join::Left) {
            equal(&left, &[merged]);
            equal(&[merged], &left);
            equal(&left, &right);
        }
        if matches!(join, Join::Inner | Join::Right) {
            equal(&right, &[merged]);
            equal(&[merged], &right);
            equal(&right, &left);
        }
        merged
    }

    /// All that a column of one side of a join could be.
    fn side(&mut self, at: Node<'_>, name: &str, names: &Names) -> Vec<Place> {
        if let Some((_, place)) = names.merged.iter().find(|(one, _)| one == name) {
            return vec![*place];
        }
        let found = names.items.iter().fold(Owner::Nobody, |sum, one| sum.or(self.owner(one.source, name)));
        match found {
            Owner::Tables(of) => self.note_column(at, name, of),
            Owner::Nobody => self.refuse(at, format!("one side of the join has no column `{name}`")),
            Owner::Derived | Owner::Unknown => {}
        }
        let items = names.items.iter().map(|item| item.source).collect::<Vec<_>>();
        let candidates = items.into_iter().filter(|source| self.owner(*source, name) != Owner::Nobody);
        candidates.collect::<Vec<_>>().into_iter().map(|source| self.column(source, name)).collect()
    }
}

/// How two sides are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Join {
    /// Only rows that match.
    Inner,
    /// All rows of the left.
    Left,
    /// All rows of the right.
    Right,
    /// All rows.
    Full,
}

impl Owner {
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Derived, _) | (_, Self::Derived) => Self::Derived,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Nobody, other) | (other, Self::Nobody) => other,
            (Self::Tables(mut all), Self::Tables(more)) => {
                all.extend(more);
                all.sort_unstable();
                all.dedup();
                Self::Tables(all)
            }
        }
    }
}

/// The source that a table's name means, and whether it is one of this very scope.
pub(crate) fn find(scope: &Scope<'_>, schema: Option<&str>, table: &str) -> Option<(SourceId, bool)> {
    let mut level = Some(scope);
    while let Some(here) = level {
        let is_it = |item: &&Item| item.alias == table && (schema.is_none() || item.schema.as_deref() == schema);
        if let Some(item) = here.names.items.iter().find(is_it) {
            return Some((item.source, std::ptr::eq(here, scope)));
        }
        level = here.outer.scope;
    }
    None
}

/// The dotted names of a column, if only subscripts follow them.
fn names_before_subscripts(columnref: Node<'_>) -> Option<Vec<Option<String>>> {
    let mut names = Vec::new();
    let mut subscripted = false;
    for part in tree::nodes(columnref) {
        if part.kind() != Kind::indirection {
            names.push(Some(tree::name(part)));
            continue;
        }
        for element in tree::items(part) {
            match tree::shape(element).as_slice() {
                [Kind::Dot, ..] if subscripted => return None,
                [Kind::Dot, Kind::attr_name] => names.push(tree::child(element, Kind::attr_name).map(tree::name)),
                [Kind::Dot, Kind::Star] => names.push(None),
                _ => subscripted = true,
            }
        }
    }
    Some(names)
}
