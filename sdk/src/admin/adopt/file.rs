//! The file in which a person reads and answers what each table is. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;

use super::catalog::{Catalog, Name};
use super::classify::{Answer, Class};
use super::inspection::Inspection;
use crate::error::{Error, ErrorKind, Result};

/// What such a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answers {
    /// The table of the tenants and its key's column: `festivals.id`.
    pub(super) key: String,
    /// What the column is called in the tables of tenants.
    pub(super) column: String,
    /// What each table is that a person or the first guess has decided.
    pub(super) tables: BTreeMap<Name, Answer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    key: String,
    column: String,
    #[serde(default)]
    tables: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    class: Said,
    column: Option<String>,
    through: Option<Vec<String>>,
}

#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Said {
    Tenant,
    Reference,
    Local,
    Undecided,
}

/// The file of an inspection.
pub(super) fn write(inspection: &Inspection) -> String {
    let key = &inspection.key;
    let mut text = format!(
        "# What each table of {} is. Change what is wrong, answer what is asked, and inspect again with this file.\n\
         #\n# class: \"tenant\" with the column that has the tenant's key, or the columns through which it is known;\n\
         #        \"reference\" is everybody's, with a copy on each node; \"local\" stays where it is.\n\n\
         key = {}\ncolumn = {}\n",
        inspection.catalog.database.replace(char::is_control, " "),
        quoted(&format!("{}.{}", key.root, key.root_column)),
        quoted(&key.column)
    );
    for table in &inspection.tables {
        let (classified, name) = (&table.classified, &table.classified.table);
        if matches!(classified.class, Class::Root | Class::Partition) {
            continue;
        }
        let _ = writeln!(text, "\n[tables.{}]", quoted(&name.to_string()));
        let _ = writeln!(text, "# {}", classified.reason);
        for note in table.notes() {
            let _ = writeln!(text, "# {note}");
        }
        for question in &classified.questions {
            let _ = writeln!(text, "# ? {question}");
        }
        let list = |columns: &[String]| columns.iter().map(|column| quoted(column)).collect::<Vec<_>>().join(", ");
        let _ = match (classified.class, &classified.through, &classified.column) {
            (Class::Keyed, _, Some(column)) => writeln!(text, "class = \"tenant\"\ncolumn = {}", quoted(column)),
            (Class::Chained, Some(link), _) => {
                writeln!(text, "class = \"tenant\"\nthrough = [{}]", list(&link.columns))
            }
            (class, ..) => writeln!(text, "class = \"{class}\""),
        };
    }
    text
}

/// Reads such a file; `catalog` has the tables that it may name.
pub(super) fn read(text: &str, catalog: &Catalog) -> Result<Answers> {
    let File { key, column, tables } =
        toml::from_str(text).map_err(|error| wrong(format!("the plan is not as it should be: {error}")))?;
    let mut answers = BTreeMap::new();
    for (text, entry) in tables {
        let Some(table) = catalog.named(&text) else {
            return Err(wrong(format!("the plan names the table {text:?}, and the database has none: take it out")));
        };
        let answer = match (&entry.class, entry.column, entry.through) {
            (Said::Tenant, Some(column), None) => Answer::Keyed(column),
            (Said::Tenant, None, Some(columns)) if !columns.is_empty() => Answer::Through(columns),
            (Said::Tenant, ..) => {
                return Err(wrong(format!(
                    "the plan has to say of {text:?} either which `column` has the tenant's key, or `through` which columns it is \
                     known"
                )));
            }
            (_, None, None) if entry.class == Said::Reference => Answer::Reference,
            (_, None, None) if entry.class == Said::Local => Answer::Local,
            (_, None, None) => continue,
            _ => return Err(wrong(format!("the plan has a column for {text:?}, which is said to be no tenant's"))),
        };
        answers.insert(table.name.clone(), answer);
    }
    Ok(Answers { key, column, tables: answers })
}

fn wrong(message: String) -> Error {
    Error::new(ErrorKind::Schema, message)
}

/// A string of TOML's.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            letter if letter.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(letter));
            }
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}
