//! An entity that is to be written. Pure.

use proc_macro2::Ident;

use super::types::Typed;
use crate::admin::adopt::catalog::Name;

/// An entity.
#[derive(Debug)]
pub(super) struct Entity {
    pub(super) table: Name,
    /// The schema, where it is not the one in which names are found.
    pub(super) schema: Option<String>,
    pub(super) ident: Ident,
    /// Whether its rows are the tenants themselves.
    pub(super) is_root: bool,
    /// What its table's comment says, line by line.
    pub(super) docs: Vec<String>,
    /// The field that rows are distributed by; none where each node has them all.
    pub(super) distribution: Option<usize>,
    /// The field that it is partitioned by, with the derive's word for how long a partition is.
    pub(super) partition: Option<(usize, &'static str)>,
    pub(super) fields: Vec<Field>,
    /// What is in the database and can't be said by attributes, in sentences.
    pub(super) notes: Vec<String>,
    /// Foreign keys to rows of entities.
    pub(super) links: Vec<Link>,
    /// Those to rows of tables that have none: the fields, and the table.
    pub(super) outside: Vec<(Vec<usize>, Name)>,
}

/// A column.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) ident: Ident,
    pub(super) column: String,
    pub(super) typed: Typed,
    pub(super) is_nullable: bool,
    pub(super) is_key: bool,
    /// Whether it is made by the server, and of what.
    pub(super) made: Option<Made>,
    pub(super) default: Option<String>,
    /// What it points at, with the derive's word for what a delete there does.
    pub(super) references: Option<(Ident, Option<&'static str>)>,
    /// The groups of unique keys; none for one of this column alone.
    pub(super) uniques: Vec<Option<String>>,
    pub(super) indexes: Vec<IndexAttr>,
    pub(super) checks: Vec<String>,
    pub(super) docs: Vec<String>,
    /// Conditions that are of this column alone, by which a value can be found that meets them.
    pub(super) conditions: Vec<String>,
    /// Whether a unique key has it.
    pub(super) is_unique: bool,
    /// A day that is in one of the partitions, of a column that a table is partitioned by.
    pub(super) day: Option<String>,
}

/// How the server makes a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Made {
    /// From a sequence.
    Counted,
    /// From the row.
    Computed(String),
}

/// A field's part of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IndexAttr {
    pub(super) group: Option<String>,
    pub(super) is_descending: bool,
    pub(super) predicate: Option<String>,
}

/// A foreign key to the rows of another entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    /// The other entity's place.
    pub(super) target: usize,
    /// Fields, each with the one of the other entity that it equals.
    pub(super) pairs: Vec<(usize, usize)>,
}

impl Entity {
    /// The field with this column.
    pub(super) fn at(&self, column: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.column == column)
    }

    /// The fields with these columns, if there is one for each.
    pub(super) fn all_at(&self, columns: &[String]) -> Option<Vec<usize>> {
        columns.iter().map(|column| self.at(column)).collect()
    }

    /// Which fields tell its rows apart within a tenant.
    pub(super) fn key(&self) -> Vec<usize> {
        let is_key = |at: &usize| self.fields[*at].is_key && Some(*at) != self.distribution;
        (0..self.fields.len()).filter(is_key).collect()
    }

    /// Which fields the primary key has.
    pub(super) fn primary_key(&self) -> Vec<usize> {
        self.widened(&self.key())
    }

    /// The fields of a unique key with those that Citus and PostgreSQL need in it, as the derive adds them.
    pub(super) fn widened(&self, fields: &[usize]) -> Vec<usize> {
        let mut all: Vec<usize> = self.distribution.into_iter().filter(|at| !fields.contains(at)).collect();
        all.extend(fields);
        all.extend(self.partition.map(|(at, _)| at).filter(|at| !fields.contains(at)));
        all
    }

    /// Whether a row can point at nothing by this foreign key.
    pub(super) fn may_be_null(&self, fields: impl IntoIterator<Item = usize>) -> bool {
        fields.into_iter().any(|at| self.fields[at].is_nullable)
    }
}

impl Field {
    /// A column of which nothing but its type is known.
    pub(super) fn new(ident: Ident, column: &str, typed: Typed) -> Self {
        Self {
            ident,
            column: column.to_owned(),
            typed,
            is_nullable: false,
            is_key: false,
            made: None,
            default: None,
            references: None,
            uniques: Vec::new(),
            indexes: Vec::new(),
            checks: Vec::new(),
            docs: Vec::new(),
            conditions: Vec::new(),
            is_unique: false,
            day: None,
        }
    }
}
