//! What is gathered while a statement is walked.

use std::collections::HashMap;

use crate::pins::{Pinned, Pins, Place};
use crate::scope::{Item, Names, Outer, Source, SourceId};
use crate::text::Numbered;
use crate::tree::{self, Kind, Node};
use crate::{Analysis, ColumnUse, Effect, Pin, Refusal, Relation, Value, Write, WriteKind};

/// Everything that is known so far.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub(crate) refusals: Vec<Refusal>,
    pub(crate) params: Vec<String>,
    pub(crate) pins: Pins,
    pub(crate) sources: Vec<Source>,
    /// The places of the sources' columns.
    pub(crate) places: HashMap<(SourceId, String), Place>,
    /// The sources of these places.
    pub(crate) owners: HashMap<Place, SourceId>,
    /// The places of names that may be columns of several sources, by scope.
    pub(crate) guesses: HashMap<(usize, String), Place>,
    pub(crate) scopes: usize,
    pub(crate) effect: Effect,
    relations: Vec<Draft>,
    columns: Vec<ColumnUse>,
    writes: Vec<WriteDraft>,
}

#[derive(Debug)]
struct Draft {
    relation: Relation,
    source: SourceId,
}

#[derive(Debug)]
struct WriteDraft {
    relation: usize,
    at: std::ops::Range<usize>,
    kind: WriteKindDraft,
}

/// A write whose values are not worked out yet.
#[derive(Debug)]
pub(crate) enum WriteKindDraft {
    /// New rows.
    Insert(Vec<(String, ValueDraft)>),
    /// Columns that change.
    Set(Vec<(String, ValueDraft)>),
    /// Rows that go.
    Delete,
}

/// What is written into a column.
#[derive(Debug, Clone, Default)]
pub(crate) struct ValueDraft {
    /// The parameter that stands there.
    pub(crate) param: Option<String>,
    /// What it equals.
    pub(crate) place: Option<Place>,
}

/// Walks through a statement.
pub(crate) fn survey(statement: Node<'_>, text: &Numbered) -> Result<Analysis, Vec<Refusal>> {
    let mut survey = Survey::default();
    survey.params.clone_from(&text.params);
    match statement.descendants().find(|one| one.kind() == Kind::stmt).and_then(|one| tree::nodes(one).next()) {
        Some(statement) => {
            survey.statement(statement, Outer::default());
        }
        None => survey.refuse(statement, "transactions are begun and ended by the SDK: use its method".to_owned()),
    }
    survey.finish(text)
}

impl Survey {
    pub(crate) fn refuse(&mut self, at: Node<'_>, message: String) {
        self.refusals.push(Refusal { at: tree::span(at), message });
    }

    /// Adds a table, under the name it goes by.
    pub(crate) fn add_relation(
        &mut self,
        at: Node<'_>,
        schema: Option<String>,
        name: String,
        alias: Option<String>,
    ) -> Item {
        let source = self.add_source(Source::Table(self.relations.len()));
        let item = Item {
            schema: schema.clone().filter(|_| alias.is_none()),
            alias: alias.unwrap_or_else(|| name.clone()),
            source,
        };
        let called = item.alias.clone();
        let relation = Relation { schema, name, called, at: tree::span(at), pins: Vec::new() };
        self.relations.push(Draft { relation, source });
        item
    }

    /// The relation of a table.
    pub(crate) fn relation_of(&self, item: &Item) -> usize {
        self.relations.iter().position(|draft| draft.source == item.source).unwrap_or_default()
    }

    /// Whether two sources are one table.
    pub(crate) fn is_same_table(&self, one: SourceId, other: SourceId) -> bool {
        let name = |source: SourceId| match self.sources[source] {
            Source::Table(relation) => {
                Some((&self.relations[relation].relation.schema, &self.relations[relation].relation.name))
            }
            _ => None,
        };
        name(one).is_some() && name(one) == name(other)
    }

    pub(crate) fn note_column(&mut self, at: Node<'_>, name: &str, of: Vec<usize>) {
        self.columns.push(ColumnUse { of, name: name.to_owned(), at: tree::span(at) });
    }

    pub(crate) fn note_write(&mut self, at: Node<'_>, relation: usize, kind: WriteKindDraft) {
        self.effect = Effect::Writes;
        self.writes.push(WriteDraft { relation, at: tree::span(at), kind });
    }

    /// Two tables of one name in one FROM can't be told apart.
    pub(crate) fn refuse_twins(&mut self, at: Node<'_>, names: &Names) {
        for (place, item) in names.items.iter().enumerate() {
            if !item.alias.is_empty() && names.items[..place].iter().any(|one| one.alias == item.alias) {
                self.refuse(at, format!("two tables are called `{}` here: give each an alias of its own", item.alias));
            }
        }
    }

    /// The end: what is pinned is worked out, and places are those of the original text.
    pub(crate) fn finish(mut self, text: &Numbered) -> Result<Analysis, Vec<Refusal>> {
        if !self.refusals.is_empty() {
            for refusal in &mut self.refusals {
                refusal.at = text.original(&refusal.at);
            }
            self.refusals.sort_by_key(|refusal| (refusal.at.start, refusal.at.end));
            self.refusals.dedup();
            return Err(self.refusals);
        }
        let pinned = self.pins.settle();
        let relations = self.relations.iter().map(|draft| {
            let mut pins: Vec<Pin> = (self.places.iter())
                .filter(|((source, _), _)| *source == draft.source)
                .flat_map(|((_, column), place)| {
                    let of_column = |param: &str| Pin { column: column.clone(), param: param.to_owned() };
                    pinned.params(&[*place]).map(of_column).collect::<Vec<_>>()
                })
                .collect();
            pins.sort_by(|a, b| (&a.column, &a.param).cmp(&(&b.column, &b.param)));
            Relation { pins, at: text.original(&draft.relation.at), ..draft.relation.clone() }
        });
        let relations = relations.collect();
        let columns = self.columns.into_iter().map(|one| ColumnUse { at: text.original(&one.at), ..one }).collect();
        let writes = self.writes.into_iter().map(|draft| draft.finish(&pinned, text)).collect();
        Ok(Analysis {
            sql: text.sql.clone(),
            params: text.params.clone(),
            effect: self.effect,
            relations,
            columns,
            writes,
        })
    }
}

impl WriteDraft {
    fn finish(self, pinned: &Pinned, text: &Numbered) -> Write {
        let values = |drafts: Vec<(String, ValueDraft)>| {
            drafts
                .into_iter()
                .map(|(column, draft)| (draft.finish(&column, pinned), column))
                .map(|(v, c)| (c, v))
                .collect()
        };
        let kind = match self.kind {
            WriteKindDraft::Insert(columns) => WriteKind::Insert(values(columns)),
            WriteKindDraft::Set(columns) => WriteKind::Set(values(columns)),
            WriteKindDraft::Delete => WriteKind::Delete,
        };
        Write { relation: self.relation, kind, at: text.original(&self.at) }
    }
}

impl ValueDraft {
    fn finish(self, column: &str, pinned: &Pinned) -> Value {
        if let Some(param) = self.param {
            return Value::Param(param);
        }
        let place = self.place.map(|place| [place]);
        let equal: Vec<&str> = place.iter().flat_map(|place| pinned.params(place)).collect();
        // Of several parameters that all are equal, the one that is called as the column is what a reader expects.
        match equal.iter().find(|param| **param == column).or(equal.first()) {
            Some(param) => Value::Pinned((*param).to_owned()),
            None => Value::Other,
        }
    }
}
