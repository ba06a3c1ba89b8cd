//! `adopt inspect`: what the tables of a grown database are.

use std::path::PathBuf;

use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::output::Answer;
use super::super::screen::{Screen, Table};
use super::save;
use super::source::Source;
use crate::admin::adopt::{Class, Inspection};

/// By which key, and where the plan goes.
#[derive(clap::Args)]
pub(in crate::cli) struct Command {
    #[command(flatten)]
    source: Source,
    /// Write what was found into this file, for a person to change
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long, requires = "write")]
    force: bool,
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let Self { source, write, force } = self;
        let found = source.inspect(context).await?;
        if let Some(file) = &write {
            save(file, &found.to_plan(), force)?;
        }
        context.answer(&found)?;
        let is_decided = found.tables.iter().all(|table| table.classified.class != Class::Undecided);
        Ok(if is_decided && found.questions().next().is_none() { Exit::Fine } else { Exit::Found })
    }
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
