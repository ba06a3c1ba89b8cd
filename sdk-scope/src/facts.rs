//! What [`verify`](crate::verify()) needs to know, in a form that a macro can write as a constant.

use std::ops::Range;

use crate::{Analysis, Value, WriteKind};

/// What a statement does, as slices. Places are the first byte and the one behind the last, in the text as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts<'a> {
    /// The parameters that it names, each once.
    pub params: &'a [&'a str],
    /// The parameters that the caller gives a value.
    pub given: &'a [&'a str],
    /// The tables it uses.
    pub relations: &'a [RelationFact<'a>],
    /// What their columns are held to.
    pub pins: &'a [PinFact<'a>],
    /// The columns it uses.
    pub columns: &'a [ColumnFact<'a>],
    /// What it writes.
    pub writes: &'a [WriteFact],
    /// What it writes into which column.
    pub values: &'a [ValueFact<'a>],
}

impl<'a> Facts<'a> {
    /// Of a text whose parameters alone are known.
    pub const fn of_values(params: &'a [&'a str], given: &'a [&'a str]) -> Self {
        Self { params, given, relations: &[], pins: &[], columns: &[], writes: &[], values: &[] }
    }
}

/// A table that a statement uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelationFact<'a> {
    /// The schema, where it is written.
    pub schema: Option<&'a str>,
    /// The name.
    pub name: &'a str,
    /// The name that it goes by in the statement.
    pub called: &'a str,
    /// Where it is named.
    pub at: (usize, usize),
}

/// A column that is held to a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinFact<'a> {
    /// The number of the relation.
    pub relation: usize,
    /// The column.
    pub column: &'a str,
    /// The parameter.
    pub param: &'a str,
}

/// A column that a statement uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnFact<'a> {
    /// The numbers of the relations it may belong to.
    pub of: &'a [usize],
    /// The name.
    pub name: &'a str,
    /// Where it is used.
    pub at: (usize, usize),
}

/// Something that a statement writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteFact {
    /// The number of the relation.
    pub relation: usize,
    /// How.
    pub kind: WriteFactKind,
    /// Where.
    pub at: (usize, usize),
}

/// How something is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteFactKind {
    /// New rows.
    Insert,
    /// Columns of rows that are there.
    Set,
    /// Rows go.
    Delete,
}

/// What is written into a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValueFact<'a> {
    /// The number of the write.
    pub write: usize,
    /// The column.
    pub column: &'a str,
    /// The parameter that it is, or is equal to.
    pub param: Option<&'a str>,
}

/// A table as it is in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableFacts<'a> {
    /// The schema, if statements have to name it.
    pub schema: Option<&'a str>,
    /// The name.
    pub name: &'a str,
    /// The column by which it is distributed; a reference table has none.
    pub key: Option<&'a str>,
    /// The type of that column: tables with keys of different types are never co-located.
    pub key_type: &'a str,
    /// The co-location group; a reference table's does not matter.
    pub group: &'a str,
    /// All columns.
    pub columns: &'a [&'a str],
}

/// What an [`Analysis`] found, as lists that [`Facts`] can borrow from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactLists<'a> {
    params: Vec<&'a str>,
    given: &'a [&'a str],
    relations: Vec<RelationFact<'a>>,
    pins: Vec<PinFact<'a>>,
    columns: Vec<ColumnFact<'a>>,
    writes: Vec<WriteFact>,
    values: Vec<ValueFact<'a>>,
}

impl FactLists<'_> {
    /// The facts.
    pub fn facts(&self) -> Facts<'_> {
        Facts {
            params: &self.params,
            given: self.given,
            relations: &self.relations,
            pins: &self.pins,
            columns: &self.columns,
            writes: &self.writes,
            values: &self.values,
        }
    }
}

impl Analysis {
    /// What `verify` needs of this, and of the names of the parameters that are given a value.
    pub fn fact_lists<'a>(&'a self, given: &'a [&'a str]) -> FactLists<'a> {
        let place = |at: &Range<usize>| (at.start, at.end);
        let relations = self.relations.iter().map(|one| RelationFact {
            schema: one.schema.as_deref(),
            name: &one.name,
            called: &one.called,
            at: place(&one.at),
        });
        let pins = self.relations.iter().enumerate().flat_map(|(relation, one)| {
            one.pins.iter().map(move |pin| PinFact { relation, column: &pin.column, param: &pin.param })
        });
        let columns = self.columns.iter().map(|one| ColumnFact { of: &one.of, name: &one.name, at: place(&one.at) });
        let mut writes = Vec::with_capacity(self.writes.len());
        let mut values = Vec::new();
        for (number, write) in self.writes.iter().enumerate() {
            let (kind, written) = match &write.kind {
                WriteKind::Insert(written) => (WriteFactKind::Insert, written.as_slice()),
                WriteKind::Set(written) => (WriteFactKind::Set, written.as_slice()),
                WriteKind::Delete => (WriteFactKind::Delete, [].as_slice()),
            };
            writes.push(WriteFact { relation: write.relation, kind, at: place(&write.at) });
            values.extend(written.iter().map(|(column, value)| ValueFact {
                write: number,
                column,
                param: value.param(),
            }));
        }
        FactLists {
            params: self.params.iter().map(String::as_str).collect(),
            given,
            relations: relations.collect(),
            pins: pins.collect(),
            columns: columns.collect(),
            writes,
            values,
        }
    }
}

impl Value {
    /// The parameter that this is, or is equal to.
    pub fn param(&self) -> Option<&str> {
        match self {
            Self::Param(name) | Self::Pinned(name) => Some(name),
            Self::Other => None,
        }
    }
}
