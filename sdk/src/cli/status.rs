//! `status`: the cluster in one picture, for a person, for a script, or as a page.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::output::Answer;
use super::screen::{Screen, Table};
use super::watch::Watch;
use crate::advise::{Advice, AdviceOptions};
use crate::health::Verdict;
use crate::status::{Block, Status};

/// `status`.
#[derive(clap::Args)]
pub(super) struct Command {
    #[command(flatten)]
    watch: Watch,
    /// Write it as one page of HTML into this file, and tell how it is
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// How many users there are at the same time, for the advice on the page; judged by what servers tell where it is not said
    #[arg(long, value_name = "NUMBER", requires = "html")]
    users: Option<u32>,
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let mut verdict = Verdict::Unknown;
        match self.html {
            Some(file) => {
                self.watch
                    .answer(context, async || {
                        let status = take(context).await?;
                        verdict = status.verdict;
                        let advice = advised(context, self.users).await;
                        write(&file, &status, advice.as_ref())
                    })
                    .await?;
            }
            None => {
                self.watch
                    .answer(context, async || {
                        let status = take(context).await?;
                        verdict = status.verdict;
                        Ok(status)
                    })
                    .await?;
            }
        }
        Ok(Exit::of_verdict(verdict))
    }
}

/// With what the entities tell, where there are any.
async fn take(context: &Context) -> Result<Status, Failure> {
    let (cluster, schema) = (context.cluster().await?, context.schema());
    Ok(if schema.tables().is_empty() { cluster.status().await } else { cluster.status_of(schema).await })
}

/// What should be done, for the page. Where nobody can tell, the page goes without it, and whoever asked for it hears why.
async fn advised(context: &Context, users: Option<u32>) -> Option<Advice> {
    let advise = async || {
        let cluster = context.cluster().await?;
        let options = AdviceOptions { users, ..AdviceOptions::default() };
        Ok(cluster.admin().advise(context.schema(), &options).await?)
    };
    let told = |failure: Failure| failure.during("the page is written without advice").tell(context.output().format);
    advise().await.map_err(told).ok()
}

/// Beside the file first: whoever reads it never finds half of a page.
fn write(file: &Path, status: &Status, advice: Option<&Advice>) -> Result<Written, Failure> {
    let page = status.html(advice);
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    let written = std::fs::write(&part, &page).and_then(|()| std::fs::rename(&part, file));
    let failed = |error| Failure::new(Exit::Failed, format!("{} can't be written: {error}", file.display()));
    written.map_err(failed)?;
    Ok(Written { file: file.to_owned(), bytes: page.len(), verdict: status.verdict })
}

/// A page that was written.
#[derive(Serialize)]
struct Written {
    file: PathBuf,
    bytes: usize,
    verdict: Verdict,
}

impl Answer for Written {
    fn show(&self, screen: &mut Screen) {
        screen.line(format!("{} is written: {}", self.file.display(), self.verdict));
    }
}

impl Answer for Status {
    fn show(&self, screen: &mut Screen) {
        for block in self.blocks() {
            match block {
                Block::Gap => screen.gap(),
                Block::Line(line) => screen.line(line),
                Block::Table(head, rows) => screen.table(Table::of(head, rows)),
            }
        }
    }
}
