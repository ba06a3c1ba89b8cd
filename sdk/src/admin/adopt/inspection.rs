//! What an inspection has found.

use std::collections::BTreeMap;

use serde::Serialize;

use super::catalog::{Catalog, Name};
use super::classify::{Class, Classified, Key};
use super::evidence::Evidence;
use super::file;
use super::steps::{Options, Steps};
use crate::error::{Error, ErrorKind, Result};

/// What each table of a database is, and why.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Inspection {
    /// Whose the rows are is told by this.
    pub key: Key,
    /// The tables, by their names.
    pub tables: Vec<Inspected>,
    /// The database as its catalogs have it.
    #[serde(skip)]
    pub catalog: Catalog,
}

/// A table.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Inspected {
    /// What it is.
    #[serde(flatten)]
    pub classified: Classified,
    /// What its rows say, where they were asked.
    pub evidence: Option<Evidence>,
}

impl Inspection {
    /// How many tables are of each class.
    #[must_use]
    pub fn classes(&self) -> BTreeMap<Class, usize> {
        let mut counts = BTreeMap::new();
        for table in &self.tables {
            *counts.entry(table.classified.class).or_default() += 1;
        }
        counts
    }

    /// The table of this name.
    #[must_use]
    pub fn table(&self, name: &Name) -> Option<&Inspected> {
        self.tables.iter().find(|table| table.classified.table == *name)
    }

    /// What a person has to say, table by table.
    pub fn questions(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().flat_map(|table| &table.classified.questions).map(String::as_str)
    }

    /// What is to be done, step by step.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`] where a person has yet to say what a table is: the message names the questions.
    pub fn steps(&self, options: &Options) -> Result<Steps> {
        let undecided = self.tables.iter().filter(|table| table.classified.class == Class::Undecided);
        let undecided: Vec<String> = undecided.map(|table| table.classified.table.to_string()).collect();
        if !undecided.is_empty() {
            let message = format!(
                "a person has to say what these tables are: {}. Answer it in the file, and inspect again",
                undecided.join(", ")
            );
            return Err(Error::new(ErrorKind::Schema, message));
        }
        Ok(Steps::of(self, options))
    }

    /// The text of a file that says all of it, in which a person changes what is wrong: TOML.
    #[must_use]
    pub fn to_plan(&self) -> String {
        file::write(self)
    }
}

impl Inspected {
    /// What is to be known besides what it is, in sentences.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let counted = |nth: usize| self.evidence.as_ref().and_then(|evidence| evidence.disagreeing.get(nth)).copied();
        for (nth, link) in self.classified.others.iter().enumerate() {
            let way = format!("{} → {}", link.columns.join("+"), link.target);
            notes.push(match counted(nth) {
                None => format!("also: {way}, which may disagree"),
                Some(0) => format!("also: {way}, by which no row is another tenant's"),
                Some(rows) => format!("also: {way}, by which {rows} rows are another tenant's"),
            });
        }
        if let Some(Evidence { rows, without_tenant, .. }) = &self.evidence
            && *without_tenant > 0
        {
            notes.push(format!("{without_tenant} of {rows} rows are nobody's"));
        }
        notes
    }
}
