//! `schema`: what would change, changing it, what differs.

use clap::Subcommand;

use super::approval::Approval;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::output::Answer;
use super::progress::Bar;
use super::screen::{Screen, Table};
use crate::admin::{Consent, Diff, Plan, Report};
use crate::entity::Schema;

/// The commands on the schema.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Tell what `apply` would do, as SQL; ends with 3 where that is anything
    Plan {
        #[command(flatten)]
        allowed: Allowed,
    },
    /// Bring the database to what the entities say; nothing is lost that is not allowed by name
    Apply {
        #[command(flatten)]
        allowed: Allowed,
        #[command(flatten)]
        approval: Approval,
    },
    /// Tell what differs between the entities and the database, in both directions; ends with 3 where anything does
    Diff,
}

/// What a person has allowed.
#[derive(clap::Args)]
pub(super) struct Allowed {
    /// Allow a change that loses something, as the plan names it: 'drop_column(wallets, note)'. Also drop_table(TABLE),
    /// drop_constraint(TABLE, NAME), drop_index(TABLE, NAME), drop_default(TABLE, COLUMN), change_type(TABLE, COLUMN),
    /// redistribute(TABLE), drop_policy(TABLE, NAME)
    #[arg(long, value_name = "CONSENT")]
    allow: Vec<String>,
}

impl Allowed {
    fn consent(&self) -> Result<Consent, Failure> {
        let all = self.allow.iter().try_fold(Consent::none(), |consent, text| consent.allow(text));
        all.map_err(|error| Failure::usage(format!("--allow: {error}")))
    }
}

impl Command {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let schema = context.entities("schema")?;
        match self {
            Self::Plan { allowed } => plan(context, schema, &allowed.consent()?).await,
            Self::Apply { allowed, approval } => apply(context, schema, &allowed.consent()?, approval).await,
            Self::Diff => {
                let diff = context.cluster().await?.admin().diff(schema).await?;
                context.answer(&diff)?;
                Ok(if diff.is_empty() { Exit::Fine } else { Exit::Found })
            }
        }
    }
}

async fn plan(context: &Context, schema: &Schema, consent: &Consent) -> Result<Exit, Failure> {
    let plan = context.cluster().await?.admin().plan_with(schema, consent).await?;
    context.answer(&plan)?;
    Ok(if plan.is_empty() { Exit::Fine } else { Exit::Found })
}

async fn apply(context: &Context, schema: &Schema, consent: &Consent, approval: Approval) -> Result<Exit, Failure> {
    if approval.dry_run {
        return plan(context, schema, consent).await;
    }
    let admin = context.cluster().await?.admin();
    if !consent.is_empty() {
        let plan = admin.plan_with(schema, consent).await?;
        if !plan.steps().is_empty() && plan.refusals().is_empty() {
            let titles: Vec<_> = plan.steps().iter().map(|step| step.title()).collect();
            approval.ask(&format!("change the schema: {}", titles.join("; "))).await?;
        }
    }
    let bar = Bar::new();
    let report = admin.apply_with(schema, consent, |step| bar.step(step)).await;
    drop(bar);
    context.answer(&report?)?;
    Ok(Exit::Fine)
}

impl Answer for Plan {
    fn show(&self, screen: &mut Screen) {
        screen.line(self);
    }
}

impl Answer for Report {
    fn show(&self, screen: &mut Screen) {
        if self.is_empty() {
            screen.line("nothing to do");
        }
        let mut table = Table::new(["step", "#took"]);
        for done in self.done() {
            table.row([done.step().title().to_owned(), format!("{:.0?}", done.took())]);
        }
        screen.table(table);
        for withheld in self.withheld() {
            let (title, consent) = (withheld.step().title(), withheld.consent().trim_start_matches('.'));
            screen.line(format!("withheld: {title}; to allow it: --allow '{consent}'"));
        }
    }
}

impl Answer for Diff {
    fn show(&self, screen: &mut Screen) {
        screen.line(self);
    }
}
