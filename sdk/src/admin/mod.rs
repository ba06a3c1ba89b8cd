//! Brings a database to the schema of its entities: `plan` tells what would change, `apply` changes it, `diff` tells
//! what differs, in both directions.
//!
//! - **Exact.** What the entities want is made once as temporary tables, in a transaction that is rolled back, and read
//!   from the same catalogs as the live schema. Two spellings of one expression are no difference. The role needs the
//!   right TEMPORARY on the database (every role has it unless it was revoked), for `plan` and `diff` as well.
//! - **Once.** Applies to one database take turns by an advisory lock, so any number of services may start at once;
//!   each looks anew when it is its turn.
//! - **All or nothing.** An apply is one transaction. The one exception are new labels of an enum type that a later
//!   step of the same plan uses: PostgreSQL wants them committed first, so they are.
//! - **Nothing is lost.** What the entities don't know is left alone, unless a [`Consent`] names it. What they need and
//!   what could lose data or stop writers for long (a type, a primary key) is refused until a consent names it.
//! - **Not alone.** Tables that no entity has are no drift: another service's entities may have them.
//!
//! Expressions in defaults and checks are read with the time zone UTC and the ISO date style, whatever the session's.

mod apply;
mod compare;
mod consent;
mod diff;
mod inspect;
mod plan;
mod planner;
mod wanted;

pub use apply::{Done, Progress, Report};
pub use consent::Consent;
pub use diff::{Diff, Difference, Object, Side};
pub use plan::{Plan, Refusal, Step, StepKind, Withheld};

use std::collections::BTreeSet;

use tokio_postgres::{Client, IsolationLevel, Transaction};

use crate::error::{Error, Result};
use crate::schema::{Table, validate};
use inspect::{Live, Session};
use wanted::Wanted;

/// What an apply with this consent would do. Nothing is changed.
///
/// # Errors
/// When the entities don't fit together, when the server refuses a definition, or when it can't be reached.
pub async fn plan(client: &mut Client, tables: &[&'static Table], consent: &Consent) -> Result<Plan> {
    // Dropped, and so rolled back, at the end.
    let transaction = begin(client).await?;
    let plan = survey(&transaction, tables).await?.plan(&transaction, consent).await?;
    transaction.rollback().await.map_err(Error::postgres)?;
    Ok(plan)
}

/// What differs between the entities and the database, in both directions. Nothing is changed.
///
/// # Errors
/// As for [`plan`].
pub async fn diff(client: &mut Client, tables: &[&'static Table]) -> Result<Diff> {
    let transaction = begin(client).await?;
    let survey = survey(&transaction, tables).await?;
    transaction.rollback().await.map_err(Error::postgres)?;
    Ok(survey.diff)
}

/// Brings the database to what the entities say. `progress` is called before each step.
///
/// # Errors
/// As for [`plan`]; when the plan has refusals (nothing is done); when a step fails (the error names it, and nothing
/// stays).
pub async fn apply(
    client: &mut Client,
    tables: &[&'static Table],
    consent: &Consent,
    progress: &mut (dyn FnMut(Progress<'_>) + Send),
) -> Result<Report> {
    apply::apply(client, tables, consent, progress).await
}

/// How the catalogs print expressions, bounds and names, the same in every session.
const SPELLING: &str = "SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'; \
                        SET LOCAL IntervalStyle = 'postgres'; SET LOCAL quote_all_identifiers = off";

/// A transaction whose queries each see what was committed before them, and which may make temporary tables, whatever
/// the role's defaults are.
async fn begin(client: &mut Client) -> Result<Transaction<'_>> {
    let transaction = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).read_only(false);
    transaction.start().await.map_err(Error::postgres)
}

/// Both sides, and what differs between them.
struct Survey {
    wanted: Wanted,
    live: Live,
    diff: Diff,
}

/// Reads both sides, within the caller's transaction. The live one first: a scratch type would hide one of its name.
async fn survey(transaction: &Transaction<'_>, tables: &[&'static Table]) -> Result<Survey> {
    let client = transaction.client();
    client.batch_execute(SPELLING).await.map_err(Error::postgres)?;
    let session = Session::read(client).await?;
    validate(tables, &session.schema)?;
    let named: Vec<(String, String)> = tables
        .iter()
        .map(|table| (table.schema.unwrap_or(&session.schema).to_owned(), table.name.to_owned()))
        .collect();
    let enums: Vec<&str> = wanted::native_enums(tables).iter().map(|enumeration| enumeration.name).collect();
    let live = Live::read(client, &named, &enums).await?;
    let wanted = wanted::read(client, &session, tables).await?;
    let diff = compare::compare(&session, &wanted, &live);
    Ok(Survey { wanted, live, diff })
}

impl Survey {
    async fn plan(&self, transaction: &Transaction<'_>, consent: &Consent) -> Result<Plan> {
        let mut populated = BTreeSet::new();
        for table in planner::tables_to_probe(&self.diff, &self.wanted) {
            if wanted::has_rows(transaction.client(), &table.table.qualified()).await? {
                populated.insert(table.label.clone());
            }
        }
        Ok(planner::plan(&self.diff, &self.wanted, &self.live, &populated, consent))
    }
}
