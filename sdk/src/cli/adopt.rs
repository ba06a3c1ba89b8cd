//! `adopt`: what the tables of a grown database are.

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::output::Answer;
use super::screen::{Screen, Table};
use crate::admin::adopt::{Class, Inspection};

/// The commands of an adoption.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Tell of each table whose its rows are, and how that is known; ends with 3 where a person has to say
    Inspect {
        /// The table of the tenants and its key's column: festivals.id
        #[arg(value_name = "TABLE.COLUMN", required_unless_present = "plan", conflicts_with = "plan")]
        key: Option<String>,
        /// What the column is, or shall be, called in the tables of tenants; festival_id where it is not said
        #[arg(long, value_name = "NAME", conflicts_with = "plan")]
        column: Option<String>,
        /// The answers of an earlier inspection, in place of a key
        #[arg(long, value_name = "FILE")]
        plan: Option<PathBuf>,
        /// Write what was found into this file, for a person to change
        #[arg(long, value_name = "FILE")]
        write: Option<PathBuf>,
        /// Write over a file that is there
        #[arg(long, requires = "write")]
        force: bool,
    },
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let Self::Inspect { key, column, plan, write, force } = self;
        let plan = plan.as_deref().map(read).transpose()?;
        let adopt = context.cluster().await?.admin().adopt();
        let found = match (plan, key) {
            (Some(plan), _) => adopt.inspect_with(&plan).await?,
            (None, key) => {
                let key = key.unwrap_or_default();
                let column = column.unwrap_or_else(|| column_of(&key));
                adopt.inspect(&key, &column).await?
            }
        };
        if let Some(file) = &write {
            save(file, &found.to_plan(), force)?;
        }
        context.answer(&found)?;
        let is_decided = found.tables.iter().all(|table| table.classified.class != Class::Undecided);
        Ok(if is_decided && found.questions().next().is_none() { Exit::Fine } else { Exit::Found })
    }
}

/// `festival_id` of `festivals.id`.
fn column_of(key: &str) -> String {
    let (table, column) = key.rsplit_once('.').unwrap_or((key, "id"));
    let table = table.rsplit_once('.').map_or(table, |(_, table)| table);
    let one = match table.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => table.strip_suffix('s').unwrap_or(table).to_owned(),
    };
    format!("{one}_{column}")
}

fn read(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| Failure::usage(format!("{} can't be read: {error}", file.display())))
}

fn save(file: &Path, text: &str, force: bool) -> Result<(), Failure> {
    if file.exists() && !force {
        return Err(Failure::usage(format!("{} is there already: --force writes over it", file.display())));
    }
    let failed = |error| Failure::new(Exit::Failed, format!("{} can't be written: {error}", file.display()));
    std::fs::write(file, text).map_err(failed)
}

impl Answer for Inspection {
    fn show(&self, screen: &mut Screen) {
        let mut table = Table::new(["table", "is", "by", "~#rows"]);
        for found in &self.tables {
            let one = &found.classified;
            let by = match one.class {
                Class::Root | Class::Keyed => one.column.clone().unwrap_or_default(),
                Class::Chained => one.chain.join(" → "),
                Class::Partition | Class::Reference | Class::Local | Class::Undecided => one.reason.clone(),
            };
            let rows = self.catalog.table(&one.table).map_or(0, |table| table.rows);
            table.row([one.table.to_string(), one.class.to_string(), by, rows.to_string()]);
        }
        screen.table(table);
        let notes: Vec<String> = self
            .tables
            .iter()
            .flat_map(|table| {
                table.notes().into_iter().map(|note| format!("{}: {note}", table.classified.table)).collect::<Vec<_>>()
            })
            .collect();
        if !notes.is_empty() {
            screen.gap();
            notes.iter().for_each(|note| screen.line(note));
        }
        if self.questions().next().is_some() {
            screen.gap();
            self.questions().for_each(|question| screen.line(format!("? {question}")));
        }
        screen.gap();
        let counts: Vec<String> = self.classes().iter().map(|(class, count)| format!("{count} {class}")).collect();
        screen.line(format!("{} tables: {}", self.tables.len(), counts.join(", ")));
    }
}

#[cfg(test)]
mod tests {
    use super::column_of;

    #[test]
    fn a_column_is_called_as_one_of_its_table() {
        for (key, column) in [
            ("festivals.id", "festival_id"),
            ("public.festivals.id", "festival_id"),
            ("companies.id", "company_id"),
            ("staff.key", "staff_key"),
        ] {
            assert_eq!(column_of(key), column);
        }
    }
}
