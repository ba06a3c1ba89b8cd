//! `views`: materialized views, how old they are, and their refresh.

use clap::Subcommand;

use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::keeping::follow;
use super::output::Answer;
use super::progress::Bar;
use super::screen::{Screen, Table, or_dash, size};
use super::watch::Watch;
use super::words::time;
use crate::admin::Progress;
use crate::admin::views::{Refresh, ViewInfo, Views};

/// The commands on materialized views.
#[derive(Subcommand)]
pub(super) enum Command {
    /// The views, how old they are and how old they may become; ends with 3 where one is older than that, or missing
    List {
        #[command(flatten)]
        watch: Watch,
    },
    /// Refresh views while they are read
    Refresh {
        /// The view, in place of all
        view: Option<String>,
    },
    /// Refresh those that say how old they may become, until it is interrupted
    Keep,
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        context.entities("views")?;
        let views = context.cluster().await?.admin().views(context.schema());
        match self {
            Self::List { watch } => list(context, &views, watch).await,
            Self::Refresh { view } => refresh(context, &views, view).await,
            Self::Keep => {
                let keeper = views.keep();
                follow(
                    context,
                    async |is_so| keeper.wait_for(is_so).await,
                    |status| {
                        if status.refreshed.is_empty() { Ok(()) } else { context.answer(&status.refreshed) }
                    },
                )
                .await
            }
        }
    }
}

async fn list(context: &Context, views: &Views, watch: Watch) -> Result<Exit, Failure> {
    let mut is_late = false;
    let answer = watch.answer(context, async || {
        let list = views.list().await?;
        is_late = list.iter().any(|view| !view.is_current || view.is_stale());
        Ok(list)
    });
    answer.await?;
    Ok(if is_late { Exit::Found } else { Exit::Fine })
}

/// One that fails keeps no other from its turn.
async fn refresh(context: &Context, views: &Views, name: Option<String>) -> Result<Exit, Failure> {
    let tables = match name {
        Some(name) => vec![context.table(&name, "materialized", |table| table.view.is_some())?],
        None => context.schema().tables().iter().copied().filter(|table| table.view.is_some()).collect(),
    };
    let (bar, total) = (Bar::new(), tables.len());
    let (mut done, mut last) = (Vec::new(), None);
    for (at, table) in tables.into_iter().enumerate() {
        bar.step(Progress { number: at + 1, total, title: &format!("refresh {}", table.name) });
        match views.refresh_table(table).await {
            Ok(refresh) => done.push(refresh),
            Err(error) => {
                if let Some(failure) = last.replace(Failure::from(error)) {
                    failure.tell(context.output().format);
                }
            }
        }
    }
    drop(bar);
    context.answer(&done)?;
    last.map_or(Ok(Exit::Fine), Err)
}

impl Answer for Vec<ViewInfo> {
    fn show(&self, screen: &mut Screen) {
        let mut table = Table::new(["view", "#age", "#at most", "#took", "#rows", "#size", "state"]);
        for view in self {
            let state = match (view.is_current, view.is_stale()) {
                (false, _) => "to be applied",
                (true, true) => "stale",
                (true, false) => "current",
            };
            table.row([
                view.name.clone(),
                or_dash(view.age.map(time)),
                or_dash(view.every.map(time)),
                or_dash(view.took.map(time)),
                format!("~{}", view.rows),
                size(view.bytes),
                state.to_owned(),
            ]);
        }
        screen.table(table);
        if self.is_empty() {
            screen.line("no entity is a materialized view");
        }
    }
}

impl Answer for Vec<Refresh> {
    fn show(&self, screen: &mut Screen) {
        for refresh in self {
            screen.line(refresh);
        }
        if self.is_empty() {
            screen.line("no view was refreshed");
        }
    }
}
