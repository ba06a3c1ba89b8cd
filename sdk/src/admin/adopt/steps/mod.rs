//! The steps of an adoption: what is done to each table, in which order, under which lock, for how long, and how it is taken back. Pure.
//!
//! 1. Each table of tenants gets the key's column, and a trigger that fills it for all rows that are written.
//! 2. Table by table, from the tenants' own down: rows that are there get their key, no row comes without one any more, it is proved that
//!    none is left and that whatever a row points at is the same tenant's, and the column is NOT NULL.
//! 3. Keys with the tenant's key in them are made beside the old ones, and foreign keys along them.
//! 4. The application is changed to name the key. Both the old and the new keys are there, so that both old and new programs work.
//! 5. The old keys go.
//! 6. On Citus: foreign keys go, tables are distributed one by one while they are written, foreign keys come again.

mod breaks;
mod columns;
mod estimate;
mod keys;
mod losses;
mod shape;
mod show;
mod spread;
mod step;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use shape::Shape;
pub use step::{Action, Backfill, Break, LockLevel, Loss, Move, Proof, Step};

use super::classify::Key;
use super::inspection::Inspection;

/// The name of the step at which a person says that the application names the key.
pub const APPLICATION: &str = "application";

/// The name of the step at which a person says that functions take tables with one column more.
pub const FUNCTIONS: &str = "functions";

/// The steps of an adoption, in order. Their `Display` is SQL with comments, for a person to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Steps {
    /// Whose the rows are is told by this.
    pub key: Key,
    /// What is done.
    pub steps: Vec<Step>,
    /// What is lost for good, with what can take its place.
    pub losses: Vec<Loss>,
    /// What functions and views say that does not hold any more: to be changed by hand on the way.
    #[serde(default)]
    pub breaks: Vec<Break>,
    /// What has to be done by hand before tables can be distributed.
    pub obstacles: Vec<String>,
}

/// What the steps are to lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Whether tables are distributed in the end: where the database has Citus.
    pub distributes: bool,
    /// How many shards the tables get; without a number as many as `citus.shard_count` says.
    pub shard_count: Option<u32>,
    /// Tables up to this size, in bytes, are distributed in one go, for which writers wait a moment. Larger ones, which take longer, are
    /// distributed while they are written.
    pub blocking_up_to: u64,
}

impl Options {
    /// As this database lets expect.
    #[must_use]
    pub fn of(found: &Inspection) -> Self {
        let distributes = found.catalog.extensions.iter().any(|extension| extension.name == "citus");
        Self { distributes, shard_count: None, blocking_up_to: 1 << 20 }
    }
}

impl Steps {
    pub(super) fn of(found: &Inspection, options: &Options) -> Self {
        let shape = Shape::of(found);
        let tenants = &shape.tenants;
        let mut steps = columns::columns(&shape);
        steps.extend(tenants.iter().flat_map(|tenant| columns::rows(&shape, tenant)));
        steps.extend(tenants.iter().flat_map(keys::unique_steps));
        steps.extend(tenants.iter().flat_map(|tenant| keys::foreign_key_steps(&shape, tenant)));
        let beside = steps.len();
        steps.extend(tenants.iter().filter_map(|tenant| keys::exchange_foreign_keys(&shape, tenant)));
        steps.extend(shape.others().filter_map(|table| keys::drop_foreign_keys(&shape, table)));
        steps.extend(tenants.iter().filter_map(|tenant| keys::exchange_uniques(&shape, tenant)));
        steps.extend(tenants.iter().filter_map(|tenant| columns::unfill(&shape, tenant)));
        let breaks = breaks::of(&shape, options.distributes);
        if steps.len() > beside {
            // Those of distribution among them, whose steps come behind all of these.
            let is_later = |one: &&Break| !steps[..beside].iter().any(|step| step.name == one.before);
            let what = deploy(found, &breaks.iter().filter(is_later).collect::<Vec<_>>());
            steps.insert(beside, gate(APPLICATION, "the application names the tenant's key", what));
        }
        let is_first = |one: &&Break| steps.iter().take(beside).any(|step| step.name == one.before);
        let first: Vec<&Break> = breaks.iter().filter(is_first).collect();
        if !first.is_empty() {
            let what = format!("change what lists the columns of tables that get one more: {}; say so", listed(&first));
            steps.insert(0, gate(FUNCTIONS, "functions take rows with one column more", what));
        }
        let spread = if options.distributes { spread::steps(&shape, options) } else { Vec::new() };
        let obstacles = if spread.is_empty() {
            Vec::new()
        } else {
            spread::obstacles(&shape, options).into_iter().map(|one| one.what).collect()
        };
        steps.extend(spread);
        Self { key: found.key.clone(), steps, losses: losses::of(&shape), breaks, obstacles }
    }

    /// The step of this name.
    #[must_use]
    pub fn step(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.name == name)
    }

    /// The first step from which there is no way back.
    #[must_use]
    pub fn point_of_no_return(&self) -> Option<&Step> {
        self.steps.iter().find(|step| step.is_final)
    }
}

/// What a person has to do before the older keys go.
fn deploy(found: &Inspection, breaks: &[&Break]) -> String {
    let functions = if breaks.is_empty() { String::new() } else { format!("; change {}", listed(breaks)) };
    format!(
        "deploy the application that names {} in its statements, and in ON CONFLICT{functions}; say so when no older program runs any more",
        found.key.column
    )
}

fn listed(breaks: &[&Break]) -> String {
    let mut objects: Vec<&str> = breaks.iter().map(|one| one.object.as_str()).collect();
    objects.dedup();
    objects.join(", ")
}

fn gate(name: &str, title: &str, what: String) -> Step {
    Step {
        estimate: std::time::Duration::ZERO,
        ..Step::new(name, None, title.to_owned(), LockLevel::None, vec![Move::for_good(Action::Gate { what })])
    }
}
