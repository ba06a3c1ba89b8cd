//! The three commands over one connection, for whoever has one.

use std::collections::BTreeSet;

use tokio_postgres::{Client, IsolationLevel, Transaction};

use super::inspect::{Live, Session};
use super::need::Need;
use super::target::Aim;
use super::wanted::{self, Wanted};
use super::{
    Consent, Diff, Plan, Progress, Report, Target, apply, citus, compare, denormalized, planner, policies, rollups,
    target, views,
};
use crate::config::{Config, Mode};
use crate::error::{Error, Result};
use crate::schema::{Table, validate};

/// What an apply with this consent would do. Nothing is changed.
///
/// # Errors
/// When the entities don't fit together, when the server refuses a definition, or when it can't be reached.
pub async fn plan(
    client: &mut Client,
    aim: impl Into<Aim>,
    tables: &[&'static Table],
    consent: &Consent,
) -> Result<Plan> {
    let aim = aim.into();
    // Dropped, and so rolled back, at the end.
    let transaction = begin(client, aim.target).await?;
    let plan = survey(&transaction, &aim, tables).await?.plan(&transaction, consent).await?;
    transaction.rollback().await.map_err(Error::postgres)?;
    Ok(plan)
}

/// What differs between the entities and the database, in both directions. Nothing is changed.
///
/// # Errors
/// As for [`plan`].
pub async fn diff(client: &mut Client, aim: impl Into<Aim>, tables: &[&'static Table]) -> Result<Diff> {
    let aim = aim.into();
    let transaction = begin(client, aim.target).await?;
    let survey = survey(&transaction, &aim, tables).await?;
    transaction.rollback().await.map_err(Error::postgres)?;
    Ok(survey.diff)
}

/// The same, as this configuration has it.
///
/// # Errors
/// As for [`plan`].
pub(crate) async fn difference(
    client: &mut Client,
    config: &Config,
    mode: Mode,
    tables: &[&'static Table],
) -> Result<Diff> {
    diff(client, Aim::of(config, mode), tables).await
}

/// Brings the database to what the entities say. `progress` is called before each step.
///
/// # Errors
/// As for [`plan`]; when the plan has refusals (nothing is done); when a step fails (the error names it, and tells what
/// stays).
pub async fn apply(
    client: &mut Client,
    aim: impl Into<Aim>,
    tables: &[&'static Table],
    consent: &Consent,
    progress: &mut (dyn FnMut(Progress<'_>) + Send),
) -> Result<Report> {
    apply::apply(client, aim.into(), tables, consent, progress).await
}

/// A transaction whose queries each see what was committed before them, and which may make temporary tables, whatever
/// the role's defaults are.
pub(super) async fn begin(client: &mut Client, target: Target) -> Result<Transaction<'_>> {
    let transaction = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).read_only(false);
    let transaction = transaction.start().await.map_err(Error::postgres)?;
    target::prepare(transaction.client(), target).await?;
    Ok(transaction)
}

/// Both sides, and what differs between them.
pub(super) struct Survey {
    wanted: Wanted,
    live: Live,
    diff: Diff,
    /// What has to change for row level security, for denormalised columns, for rollups and for views.
    needs: Vec<Need>,
}

/// Reads both sides, within the caller's transaction. The live one first: a scratch type would hide one of its name.
pub(super) async fn survey(transaction: &Transaction<'_>, aim: &Aim, tables: &[&'static Table]) -> Result<Survey> {
    let client = transaction.client();
    let session = Session::read(client).await?;
    // Views have no rows of their own, and are made of tables behind all else.
    let (shown, tables): (Vec<&'static Table>, Vec<&'static Table>) =
        tables.iter().copied().partition(|table| table.view.is_some());
    let tables = tables.as_slice();
    validate(tables, &session.schema)?;
    let named: Vec<(String, String)> = tables
        .iter()
        .map(|table| (table.schema.unwrap_or(&session.schema).to_owned(), table.name.to_owned()))
        .collect();
    let enums: Vec<&str> = wanted::native_enums(tables).iter().map(|enumeration| enumeration.name).collect();
    let live = Live::read(client, aim.target, &named, &enums).await?;
    let policies = policies::State::read(client, aim, &named).await?;
    let live_views = views::State::read(client, &session, &shown).await?;
    let copies = denormalized::State::read(client, &session, tables).await?;
    let rollups = rollups::State::read(client, &session, aim, tables).await?;
    let wanted = wanted::read(client, &session, aim, tables).await?;
    if let Some(state) = &live.citus {
        citus::check(&wanted, state)?;
    }
    let mut diff = compare::compare(&session, &wanted, &live);
    let mut needs = policies.map_or_else(Vec::new, |state| policies::needs(&session, &wanted, &state));
    needs.extend(views::needs(&session, &aim.policy, &shown, &live_views));
    needs.extend(denormalized::needs(&session, aim.target, &wanted, &live, &copies));
    needs.extend(rollups::needs(&session, aim.target, &wanted, &live, &rollups));
    diff.differences.extend(needs.iter().filter_map(|need| need.difference.clone()));
    Ok(Survey { wanted, live, diff, needs })
}

impl Survey {
    pub(super) async fn plan(&self, transaction: &Transaction<'_>, consent: &Consent) -> Result<Plan> {
        let mut populated = BTreeSet::new();
        for table in planner::tables_to_probe(&self.diff, &self.wanted, &self.live) {
            if wanted::has_rows(transaction.client(), &table.table.qualified()).await? {
                populated.insert(table.label.clone());
            }
        }
        let mut plan = planner::plan(&self.diff, &self.wanted, &self.live, &populated, consent);
        for need in &self.needs {
            if let Some(table) = need.needs_rows_of()
                && !wanted::has_rows(transaction.client(), table).await?
            {
                continue;
            }
            need.add_to(&mut plan, consent);
        }
        plan.keep_behind_moves();
        plan.sort();
        Ok(plan)
    }
}
