//! `adopt check`: what becomes of an application's statements.

use std::path::PathBuf;

use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::output::Answer;
use super::super::screen::{Screen, Table, or_dash};
use super::source::Source;
use crate::admin::adopt::{Checked, CheckedStatement, Sources, Verdict};

/// Where the statements are.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("statements of").args(["statements", "logs", "folders"]).required(true).multiple(true))]
pub(in crate::cli) struct Command {
    #[command(flatten)]
    source: Source,
    /// Those that pg_stat_statements has counted in this database
    #[arg(long)]
    statements: bool,
    /// Those of a server's log: text, csvlog or jsonlog; may be given more than once
    #[arg(long = "log", value_name = "FILE")]
    logs: Vec<PathBuf>,
    /// Those in programs (Rust, Go, Python, Java, TypeScript) and files of SQL in this folder; may be given more than once
    #[arg(long = "source", value_name = "FOLDER")]
    folders: Vec<PathBuf>,
    /// Tell of so many statements, the worst of each kind first; all are counted
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let Self { source, statements, logs, folders, limit } = self;
        let sources = if statements { Sources::new().with_statements() } else { Sources::new() };
        let sources = logs.into_iter().fold(sources, Sources::with_log);
        let sources = folders.into_iter().fold(sources, Sources::with_folder);
        let inspection = source.inspect(context).await?;
        let mut checked = context.cluster().await?.admin().adopt().check(&inspection, &sources).await?;
        let is_due = checked.is_due();
        if let Some(limit) = limit {
            checked.statements.truncate(limit);
        }
        context.answer(&checked)?;
        Ok(if is_due { Exit::Found } else { Exit::Fine })
    }
}

impl Answer for Checked {
    fn show(&self, screen: &mut Screen) {
        let told = |verdict| self.statements.iter().filter(move |statement| statement.verdict == verdict);
        for verdict in Verdict::ALL {
            for statement in told(*verdict) {
                show(statement, screen);
                screen.gap();
            }
        }
        let mut table = Table::new(["statements", "#different", "#calls", "#of calls", "#of the time"]);
        for total in &self.totals {
            let percent = |part: Option<f64>| or_dash(part.map(|part| format!("{part} %")));
            let (calls, time) = (percent(total.calls_percent), percent(total.time_percent));
            table.row([total.verdict.to_string(), total.statements.to_string(), total.calls.to_string(), calls, time]);
        }
        screen.table(table);
        let all: usize = self.totals.iter().map(|total| total.statements).sum();
        if all > self.statements.len() {
            screen.line(format!("{} of {all} are shown", self.statements.len()));
        }
        self.notes.iter().for_each(|note| screen.line(note));
    }
}

fn show(statement: &CheckedStatement, screen: &mut Screen) {
    let mut head = vec![statement.verdict.to_string()];
    head.extend(statement.time_percent.map(|part| format!("{part} % of the time")));
    if statement.calls > 0 {
        head.push(format!("{} calls", statement.calls));
    }
    let places: Vec<String> = statement.found_at.iter().map(|at| format!("{}:{}", at.file, at.line)).collect();
    head.extend(places.first().map(|first| match places.len() {
        1 => first.clone(),
        more => format!("{first} and {} more", more - 1),
    }));
    screen.line(head.join(" · "));
    let indented = |begin: &str, sql: &str, screen: &mut Screen| {
        for (at, line) in sql.lines().filter(|line| !line.trim().is_empty()).enumerate() {
            screen.line(format!("{}{}", if at == 0 { begin } else { "    " }, line.trim_end().replace('\t', "    ")));
        }
    };
    indented("    ", &statement.sql, screen);
    if statement.verdict != Verdict::Routes {
        screen.line(format!("  {}", statement.why));
    }
    if let Some(rewritten) = &statement.rewritten {
        indented("  → ", rewritten, screen);
    }
    statement.warnings.iter().for_each(|warning| screen.line(format!("  ! {}", warning.text)));
}
