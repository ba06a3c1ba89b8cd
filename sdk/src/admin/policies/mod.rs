//! Row level security: the roles, their rights, and a policy per distributed table and partition.
//!
//! A query of a partitioned table goes by the policies of the table that it names, one of a partition by those of the
//! partition. So each has them, and the roles have no rights on partitions besides. On Citus all of it is passed on to the
//! shards.

mod needs;
mod role;
mod state;

use super::diff::Difference;
use super::plan::{Plan, Refusal, Step};
use super::{Consent, consent::Permission};

pub(super) use needs::{needs, of_new_table};
pub(super) use state::State;

/// Something that has to change.
#[derive(Debug)]
pub(super) struct Need {
    /// What of it shows in the database as it is; none for what is about things that are not there yet.
    pub(super) difference: Option<Difference>,
    act: Act,
}

#[derive(Debug)]
enum Act {
    Step(Box<Step>),
    /// It waits for a consent.
    Allowed(Permission, Box<Step>),
    Refusal(Refusal),
}

impl Need {
    /// Adds it to the plan of all other differences.
    pub(super) fn add_to(&self, plan: &mut Plan, consent: &Consent) {
        match &self.act {
            Act::Step(step) => plan.steps.push(Step::clone(step)),
            Act::Allowed(permission, step) => plan.push(permission, Step::clone(step), consent),
            Act::Refusal(refusal) => plan.refusals.push(refusal.clone()),
        }
    }
}
