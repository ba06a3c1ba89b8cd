//! Something that has to change, besides what the comparison of tables finds.

use super::diff::Difference;
use super::plan::{Plan, Refusal, Step, StepKind};
use super::{Consent, consent::Permission};

/// Something that has to change.
#[derive(Debug)]
pub(super) struct Need {
    /// What of it shows in the database as it is; none for what is about things that are not there yet.
    pub(super) difference: Option<Difference>,
    pub(super) act: Act,
}

#[derive(Debug)]
pub(super) enum Act {
    Step(Box<Step>),
    /// It waits for a consent.
    Allowed(Permission, Box<Step>),
    Refusal(Refusal),
    /// It is refused without a consent, where a table, as SQL text, has rows.
    Unless {
        permission: Permission,
        rows_of: String,
        refusal: Refusal,
    },
    /// Another need's step does it.
    Nothing,
}

impl Act {
    pub(super) fn step(kind: StepKind, title: String, statements: Vec<String>) -> Self {
        Self::Step(Box::new(Step::of(kind, title, statements)))
    }
}

impl Need {
    /// The table, as SQL text, without whose rows nothing is needed.
    pub(super) fn needs_rows_of(&self) -> Option<&str> {
        match &self.act {
            Act::Unless { rows_of, .. } => Some(rows_of),
            _ => None,
        }
    }

    /// Adds it to the plan of all other differences.
    pub(super) fn add_to(&self, plan: &mut Plan, consent: &Consent) {
        match &self.act {
            Act::Step(step) => plan.steps.push(Step::clone(step)),
            Act::Allowed(permission, step) => plan.push(permission, Step::clone(step), consent),
            Act::Refusal(refusal) => plan.refusals.push(refusal.clone()),
            Act::Unless { permission, refusal, .. } if !consent.allows(permission) => {
                plan.refusals.push(refusal.clone());
            }
            Act::Unless { .. } => {}
            Act::Nothing => {}
        }
    }
}
