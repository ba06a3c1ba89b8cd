//! What is different on Citus: tables are distributed once they are made, and Citus refuses some of what PostgreSQL takes.

mod changes;
mod directories;
mod entities;
mod layout;
mod moves;
mod obstacles;
mod state;
mod ways;

use super::diff::Difference;
use super::wanted::Wanted;

pub(super) use changes::{Change, obstacle};
pub(super) use entities::check;
pub(super) use moves::{Moves, tables_to_probe};
#[cfg(feature = "adopt")]
pub(super) use obstacles::to_following;
pub(super) use state::{State, version};

/// What differs on Citus besides.
pub(super) fn compare(wanted: &Wanted, state: &State) -> Vec<Difference> {
    let mut differences = layout::compare(wanted, state);
    differences.extend(directories::compare(wanted, state));
    differences
}
