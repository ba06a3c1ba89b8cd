//! `adopt entities`: the tables as entities of Rust.

use std::path::PathBuf;

use clap::ValueEnum;
use serde::Serialize;

use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::output::Answer;
use super::super::screen::{Screen, Table};
use super::save;
use super::source::Source;
use crate::admin::adopt::{Dates, Entities, Pick};

/// Which tables, and where the file goes.
#[derive(clap::Args)]
pub(in crate::cli) struct Command {
    #[command(flatten)]
    source: Source,
    /// This table, and those that its rows have to point at, in place of all; may be given more than once
    #[arg(long = "table", value_name = "NAME")]
    tables: Vec<String>,
    /// The crate whose types dates and times have
    #[arg(long, value_enum, default_value_t = Crate::Jiff)]
    dates: Crate,
    /// Write them into this file, in place of standard output
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long, requires = "write")]
    force: bool,
}

/// A crate of dates.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Crate {
    Jiff,
    Chrono,
    Time,
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let Self { source, tables, dates, write, force } = self;
        let dates = match dates {
            Crate::Jiff => Dates::Jiff,
            Crate::Chrono => Dates::Chrono,
            Crate::Time => Dates::Time,
        };
        let pick = tables.into_iter().fold(Pick::all(), Pick::table).with_dates(dates);
        if let Some(journal) = context.cluster().await?.admin().adopt().journal().await?
            && journal.lacks_foreign_keys()
        {
            let why = "an adoption is under way, and foreign keys are gone until it has ended, so that what rows point at is not to be \
                       seen: `adopt run` goes on";
            return Err(Failure::usage(why));
        }
        let entities = source.inspect(context).await?.entities(&pick)?;
        match &write {
            Some(file) => {
                save(file, &entities.source, force)?;
                context.answer(&Saved { file: file.display().to_string(), entities: &entities })?;
            }
            None => context.output().file(&entities.source, &entities)?,
        }
        Ok(if entities.refused.is_empty() { Exit::Fine } else { Exit::Found })
    }
}

/// What was written into a file.
#[derive(Serialize)]
struct Saved<'a> {
    file: String,
    #[serde(flatten)]
    entities: &'a Entities,
}

impl Answer for Saved<'_> {
    fn show(&self, screen: &mut Screen) {
        let Entities { tables, refused, untested, needs, .. } = self.entities;
        let mut table = Table::new(["table", "entity", "to be known"]);
        for one in tables {
            let mut notes = one.notes.iter().map(String::as_str);
            table.row([one.table.to_string(), one.entity.clone(), notes.next().unwrap_or_default().to_owned()]);
            for note in notes {
                table.row([String::new(), String::new(), note.to_owned()]);
            }
        }
        screen.table(table);
        for (reasons, what) in [(refused, "no entity"), (untested, "not in the test")] {
            if !reasons.is_empty() {
                screen.gap();
            }
            reasons.iter().for_each(|one| screen.line(format!("{what}: {}: {}", one.table, one.reason)));
        }
        screen.gap();
        let needs: Vec<&str> = needs.iter().map(|need| need.name.as_str()).collect();
        screen.line(format!("{} entities in {}, which takes {}", tables.len(), self.file, needs.join(", ")));
    }
}
