//! A plan: the steps from the live database to the entities.

use std::fmt;

use serde::{Serialize, Serializer};

use super::consent::{Consent, Permission};

/// What an apply would do, as ordered steps. Its `Display` is SQL with comments, for a person to read.
///
/// A table's indexes are made, its keys checked and its types changed under locks that stop its writers until the whole
/// apply has ended: on a table that is large and in use, make the index by hand with `CREATE INDEX CONCURRENTLY` under
/// the planned name first, and the plan no longer has it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Plan {
    pub(super) steps: Vec<Step>,
    pub(super) withheld: Vec<Withheld>,
    pub(super) refusals: Vec<Refusal>,
}

impl Plan {
    /// Whether there is nothing to do: no step, and no change that is refused. What is withheld does not count, since
    /// the entities work without it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.refusals.is_empty()
    }

    /// What apply does, in this order, in one transaction; but see [`Step::is_in_transaction`].
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What the database has too much, and apply leaves alone until it is allowed by name.
    #[must_use]
    pub fn withheld(&self) -> &[Withheld] {
        &self.withheld
    }

    /// What the entities need and apply does not do by itself. As long as there is one, apply does nothing at all.
    #[must_use]
    pub fn refusals(&self) -> &[Refusal] {
        &self.refusals
    }

    /// A step if it is allowed, else a withheld one.
    pub(super) fn push(&mut self, permission: &Permission, step: Step, consent: &Consent) {
        if consent.allows(permission) {
            return self.steps.push(step);
        }
        self.withheld.push(Withheld { step, consent: permission.call() });
    }

    /// What is made of tables that are distributed behind the transaction comes behind that.
    pub(super) fn keep_behind_moves(&mut self) {
        let is_moved = |step: &Step| step.phase == Phase::Outside && step.kind == StepKind::Distribute;
        let moved: Vec<String> =
            self.steps.iter().filter(|step| is_moved(step)).flat_map(|step| step.touches.clone()).collect();
        for step in
            self.steps.iter_mut().filter(|step| matches!(step.kind, StepKind::CreateRollup | StepKind::KeepCopies))
        {
            if step.touches.iter().any(|table| moved.contains(table)) {
                step.phase = Phase::After;
            }
        }
    }

    /// Puts the steps in the order of their phases and kinds; within a kind it stays.
    pub(super) fn sort(&mut self) {
        self.steps.sort_by_key(|step| (step.phase, step.kind));
    }

    /// Whether a new label is named by a step of the same plan. PostgreSQL lets no statement use a label before the
    /// transaction that added it has ended.
    pub(super) fn uses_new_labels(&self) -> bool {
        let added = self.steps.iter().filter_map(|step| step.label.as_deref());
        let named = |label: &str| {
            let literal = crate::schema::quote_literal(label);
            self.steps.iter().any(|step| step.kind != StepKind::AddLabel && step.sql.contains(literal.trim_start()))
        };
        added.into_iter().any(named)
    }
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub(super) kind: StepKind,
    pub(super) title: String,
    sql: String,
    /// One by one: of several in one message, Citus may send all to its workers for each.
    pub(super) statements: Vec<String>,
    pub(super) phase: Phase,
    pub(super) warning: Option<String>,
    /// The label that an [`StepKind::AddLabel`] adds.
    pub(super) label: Option<String>,
    /// The tables that it is about, its owner first.
    pub(super) touches: Vec<String>,
    /// The name of the constraint, foreign key or index that it is about; of a partition that is made behind all else, and of columns that are filled, the table, as SQL text.
    pub(super) object: Option<String>,
}

/// When a step runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// In the one transaction.
    Inside,
    /// Behind it, in none.
    Outside,
    /// In a second one, behind those.
    After,
    /// Behind those, each in transactions of its own: partitions of tables in use.
    Partitions,
    /// Last, in batches: denormalised columns of rows that are there.
    Filling,
}

impl Step {
    pub(super) fn new(kind: StepKind, title: String, sql: String) -> Self {
        Self::of(kind, title, vec![sql])
    }

    pub(super) fn of(kind: StepKind, title: String, statements: Vec<String>) -> Self {
        let (sql, phase, warning) = (statements.join(";\n"), Phase::Inside, None);
        Self { kind, title, sql, statements, phase, warning, label: None, touches: Vec::new(), object: None }
    }

    /// The same, behind the transaction.
    pub(super) fn outside(self) -> Self {
        Self { phase: Phase::Outside, ..self }
    }

    /// What kind of change it is.
    #[must_use]
    pub fn kind(&self) -> StepKind {
        self.kind
    }

    /// What it does, in plain words.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The statement; with a semicolon between them where there are more.
    #[must_use]
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// Whether it runs in a transaction. `create_distributed_table_concurrently` of Citus can't, and what adds the rows that
    /// are there to a rollup need not keep others waiting; and a partition of a table that is there is made in two transactions
    /// of its own, so that nobody who uses the table fails; denormalised columns of rows that are there are filled in many, last. The others come when
    /// everything else is committed, but for the foreign keys of the tables that they distribute: those follow in a second
    /// transaction. Whatever ends an apply there, the next one goes on.
    #[must_use]
    pub fn is_in_transaction(&self) -> bool {
        matches!(self.phase, Phase::Inside | Phase::After)
    }

    /// Whether it has rows follow to their shards while they are written.
    pub(super) fn splits(&self) -> bool {
        self.kind == StepKind::Distribute && self.phase == Phase::Outside
    }

    /// Whom it keeps waiting and why, where it is more than PostgreSQL's usual locks.
    #[must_use]
    pub fn warning(&self) -> Option<&str> {
        self.warning.as_deref()
    }
}

/// The kinds of step, in the order in which a plan has them: what is in the way goes first, and what points at another
/// table comes when all tables are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StepKind {
    /// Drops a foreign key.
    DropForeignKey,
    /// Drops a trigger that keeps denormalised columns.
    DropTrigger,
    /// Brings a distributed table back to the coordinator, as a plain one.
    Undistribute,
    /// Drops a table.
    DropTable,
    /// Drops a primary key, unique key, check or exclusion.
    DropConstraint,
    /// Drops an index.
    DropIndex,
    /// Creates or renews the SDK's own tables on Citus.
    CreateCatalog,
    /// Creates a schema.
    CreateSchema,
    /// Creates an enum type.
    CreateEnum,
    /// Adds a label to an enum type.
    AddLabel,
    /// Creates a table with its columns and constraints.
    CreateTable,
    /// Adds a column.
    AddColumn,
    /// Changes a column.
    AlterColumn,
    /// Drops a column.
    DropColumn,
    /// Adds a primary key, unique key or check.
    AddConstraint,
    /// Creates an index.
    CreateIndex,
    /// Creates a partition.
    CreatePartition,
    /// Distributes a table on Citus, or makes it a reference table.
    Distribute,
    /// Adds a foreign key.
    AddForeignKey,
    /// Has denormalised columns follow what they are declared to follow: the functions and the triggers.
    KeepCopies,
    /// Gives the rows that are there what their denormalised columns follow.
    FillCopies,
    /// Has a rollup follow the rows of its source: its view, its function and the triggers.
    CreateRollup,
    /// Adds to a rollup what it lacks of its source's rows.
    FillRollup,
    /// Makes a materialized view, with its rows, in the place of the one that there is.
    CreateView,
    /// Writes down for all clients which table tells the home regions of tenants.
    WriteDirectory,
    /// Makes a role for row level security, or takes from it what it should not have.
    Role,
    /// Turns row level security of a table or partition on, or makes, renews or drops a policy of the SDK's.
    ProtectRows,
    /// Grants or revokes rights.
    Grant,
    /// Drops a policy that the SDK does not know.
    DropPolicy,
}

/// A step that takes something away, and waits for a consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Withheld {
    pub(super) step: Step,
    pub(super) consent: String,
}

impl Withheld {
    /// The step.
    #[must_use]
    pub fn step(&self) -> &Step {
        &self.step
    }

    /// The call on [`Consent`](super::Consent) that allows it: `.drop_column("wallets", "note")`.
    #[must_use]
    pub fn consent(&self) -> &str {
        &self.consent
    }
}

/// A change that the entities need and that apply does not do by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    pub(super) title: String,
    pub(super) fix: String,
}

impl Refusal {
    /// What is needed, and why it is not done.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What to do about it.
    #[must_use]
    pub fn fix(&self) -> &str {
        &self.fix
    }
}

// What a script can use of it: not in which order it came to be.
impl Serialize for Step {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Told<'a> {
            kind: StepKind,
            title: &'a str,
            sql: &'a str,
            is_in_transaction: bool,
            warning: Option<&'a str>,
        }
        let Self { kind, title, sql, warning, .. } = self;
        let is_in_transaction = self.is_in_transaction();
        Told { kind: *kind, title, sql, is_in_transaction, warning: warning.as_deref() }.serialize(serializer)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = self.steps.iter().enumerate().map(|(at, step)| {
            format!("-- {} of {}: {}\n{}{};\n", at + 1, self.steps.len(), step.title, notes(step), step.sql)
        });
        let refusals =
            self.refusals.iter().map(|Refusal { title, fix }| format!("-- refused: {title}\n--   fix: {fix}\n"));
        let withheld = self.withheld.iter().map(|Withheld { step, consent }| {
            format!("-- withheld: {}\n--   consent: {consent}\n--   {};\n", step.title, step.sql)
        });
        let nothing = self.is_empty().then(|| "-- nothing to do\n".to_owned());
        let blocks: Vec<String> = nothing.into_iter().chain(steps).chain(refusals).chain(withheld).collect();
        f.write_str(&blocks.join("\n"))
    }
}

fn notes(step: &Step) -> String {
    let outside = match step.phase {
        Phase::Outside => Some("--   behind the transaction, in none".to_owned()),
        Phase::Partitions => Some("--   last, under locks that are given up where they don't come at once".to_owned()),
        Phase::Filling => Some("--   last, in batches".to_owned()),
        Phase::Inside | Phase::After => None,
    };
    let warning = step.warning.as_ref().map(|warning| format!("--   {warning}"));
    outside.into_iter().chain(warning).map(|note| note + "\n").collect()
}
