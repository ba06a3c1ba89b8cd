//! Which tables move, and in which way.

use std::collections::{BTreeMap, BTreeSet};

use super::layout::{Drift, Layout};
use super::obstacles::{self, Names};
use super::state::{LiveKey, Placement, State, TableState};
use crate::admin::consent::{Consent, Permission};
use crate::admin::inspect::{Live, Relation};
use crate::admin::plan::{Plan, Refusal, Step, StepKind};
use crate::admin::wanted::{Wanted, WantedTable};
use crate::schema::Generated;

/// How a table gets to its place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// It is new, and empty.
    Fresh,
    /// It is on the coordinator, and nobody uses it meanwhile. First it may have to leave Citus's catalogs.
    Blocking { leaves: bool },
    /// It is on the coordinator, and others go on writing it.
    Concurrent,
    /// Its rows go from shards to shards.
    Across,
    /// Its rows go to the coordinator, and from there to shards.
    Around,
}

pub(super) struct Move<'a> {
    pub(super) table: &'a WantedTable,
    pub(super) way: Way,
    /// Why nobody can use it meanwhile; `None` where they can, and where it has no rows.
    pub(super) blocks: Option<String>,
}

/// What the ways are chosen by.
pub(super) struct Situation<'a> {
    pub(super) wanted: &'a Wanted,
    pub(super) live: &'a Live,
    pub(super) state: &'a State,
    /// The labels of the probed tables that have rows.
    pub(super) populated: &'a BTreeSet<String>,
    pub(super) consent: &'a Consent,
    /// The tables that must be plain ones while they are changed, and why.
    pub(super) to_localize: &'a BTreeMap<String, (String, &'static str)>,
    pub(super) layout: Layout<'a>,
    pub(super) dropped: Dropped,
}

/// What the plan takes away before anything moves.
pub(super) struct Dropped {
    pub(super) all: Names,
    /// Without the foreign keys that it replaces.
    pub(super) for_good: Names,
}

impl<'a> Situation<'a> {
    /// `None` where the table stays where it is.
    ///
    /// # Errors
    /// Where it can't go where it should, or may not.
    pub(super) fn way(&self, table: &'a WantedTable, plan: &Plan) -> Result<Option<Move<'a>>, Refusal> {
        let Some(relation) = self.live.relation(&table.schema, &table.relation.name) else {
            return Ok(Some(Move { table, way: Way::Fresh, blocks: None }));
        };
        match self.table_state(table) {
            // It is no table, and refused as such.
            None => Ok(None),
            Some(live) if live.placement.is_on_coordinator() => self.off_coordinator(table, relation, live).map(Some),
            Some(live) => self.off_nodes(table, relation, live, plan),
        }
    }

    pub(super) fn table_state(&self, table: &WantedTable) -> Option<&'a TableState> {
        self.state.table(&table.schema, &table.relation.name)
    }

    /// Whether the plan or a consent takes the foreign key away.
    pub(super) fn goes(&self, key: &LiveKey, dropped: &Names) -> bool {
        match self.wanted.at(&key.schema, &key.table) {
            Some(source) => dropped.contains(&(source.label.clone(), key.name.clone())),
            None => {
                let qualified = format!("{}.{}", key.schema, key.table);
                self.consent.tables().any(|table| table == key.table || table == qualified)
            }
        }
    }

    fn off_coordinator(
        &self,
        table: &'a WantedTable,
        relation: &Relation,
        live: &TableState,
    ) -> Result<Move<'a>, Refusal> {
        let leaves = self.to_localize.contains_key(&table.label);
        let is_distributed = table.table.distribution_column().is_some();
        if let Some(column) = identity_column(relation).filter(|_| live.placement == Placement::Known) {
            if leaves {
                return Err(cannot_leave(table, column, "it must be a plain table while it changes"));
            }
            if is_distributed {
                return self.without_leaving(table, column, live);
            }
        }
        let blocks = if !self.populated.contains(&table.label) {
            None
        } else if leaves {
            Some("it must be a plain table while it changes".to_owned())
        } else if !is_distributed {
            Some("Citus makes reference tables in no other way".to_owned())
        } else if let Some(column) = identity_column(relation).or_else(|| becomes_identity(table)) {
            Some(format!("Citus would number {column} from 1 again"))
        } else if let Some(reason) = self.concurrency(table, live) {
            Some(reason)
        } else {
            return Ok(Move { table, way: Way::Concurrent, blocks: None });
        };
        Ok(Move { table, way: Way::Blocking { leaves }, blocks })
    }

    /// Citus takes no table with a sequence back from its catalogs, and all but the concurrent way begins with that. The
    /// numbers began anew when Citus got to know it.
    fn without_leaving(&self, table: &'a WantedTable, column: &str, live: &TableState) -> Result<Move<'a>, Refusal> {
        match self.concurrency(table, live) {
            None => Ok(Move { table, way: Way::Concurrent, blocks: None }),
            Some(reason) => Err(Refusal {
                title: format!(
                    "Citus knows {} already and {column} is numbered by a sequence, so it can be distributed concurrently \
                     alone; but {reason}",
                    table.label
                ),
                fix: "change that, and apply again".to_owned(),
            }),
        }
    }

    fn off_nodes(
        &self,
        table: &'a WantedTable,
        relation: &Relation,
        live: &TableState,
        plan: &Plan,
    ) -> Result<Option<Move<'a>>, Refusal> {
        let leaves = self.to_localize.get(&table.label);
        let why = match (self.layout.drift(table, &live.placement), leaves) {
            (None, None) => return Ok(None),
            (Some(Drift { wanted, live }), _) => format!("{} must be {wanted}, and is {live}", table.label),
            (None, Some((change, why))) => format!("{change}: {why}"),
        };
        if let Some(column) = identity_column(relation) {
            return Err(cannot_leave(table, column, &why));
        }
        let permission = Permission::Redistribute(table.label.clone());
        if !self.consent.allows(&permission) {
            let fix = format!(
                "allow it with {}: all its rows are written anew, nobody can use it meanwhile, and the nodes need room \
                 for a second copy",
                permission.call()
            );
            return Err(Refusal { title: why, fix });
        }
        let across = leaves.is_none()
            && matches!(live.placement, Placement::Distributed { .. })
            && table.table.distribution_column().is_some()
            && !changes_constraints(plan, table);
        let way = if across { Way::Across } else { Way::Around };
        Ok(Some(Move { table, way, blocks: Some("all its rows are written anew".to_owned()) }))
    }

    /// Why others can't write the table while it is distributed.
    fn concurrency(&self, table: &'a WantedTable, live: &TableState) -> Option<String> {
        let stays = |key: &&LiveKey| key.touches(table) && !self.goes(key, &self.dropped.for_good);
        let kept: Vec<&LiveKey> = self.state.foreign_keys.iter().filter(stays).collect();
        let must_change = |key: &LiveKey| obstacles::of_foreign_key(&self.layout, self.wanted, key).is_some();
        obstacles::to_concurrency(self.state, live, &kept, |key| self.ends_at_reference(key), must_change)
    }

    /// Whether it points at a table that stays a reference table, or becomes one in the same apply, before others move
    /// concurrently.
    fn ends_at_reference(&self, key: &LiveKey) -> bool {
        let Some(target) = self.wanted.at(&key.target_schema, &key.target) else { return key.target_is_reference };
        let is_there = |live: &TableState| {
            live.placement.is_on_coordinator() || self.layout.drift(target, &live.placement).is_none()
        };
        target.table.distribution_column().is_none()
            && !self.to_localize.contains_key(&target.label)
            && self.table_state(target).is_some_and(is_there)
    }
}

impl Placement {
    pub(super) fn is_on_coordinator(&self) -> bool {
        matches!(self, Self::Local | Self::Known)
    }
}

impl LiveKey {
    /// Whether the table is at one of its ends.
    pub(super) fn touches(&self, table: &WantedTable) -> bool {
        let is_table = |schema: &str, name: &str| table.schema == schema && table.table.name == name;
        is_table(&self.schema, &self.table) || is_table(&self.target_schema, &self.target)
    }
}

impl Dropped {
    pub(super) fn by(plan: &Plan) -> Self {
        let named = |kinds: &[StepKind]| -> Names {
            plan.steps.iter().filter(|step| kinds.contains(&step.kind)).filter_map(name_of).collect()
        };
        let all = named(&[StepKind::DropConstraint, StepKind::DropIndex, StepKind::DropForeignKey]);
        let made = named(&[StepKind::AddForeignKey]);
        Self { for_good: all.difference(&made).cloned().collect(), all }
    }
}

/// The table and the name of what a step is about.
pub(super) fn name_of(step: &Step) -> Option<(String, String)> {
    Some((step.touches.first()?.clone(), step.object.clone()?))
}

/// Whether a key or a check of the table changes: the shards that its rows go to would need it already.
fn changes_constraints(plan: &Plan, table: &WantedTable) -> bool {
    let kinds = [StepKind::DropConstraint, StepKind::AddConstraint];
    plan.steps.iter().any(|step| kinds.contains(&step.kind) && step.touches.first() == Some(&table.label))
}

fn identity_column(relation: &Relation) -> Option<&str> {
    relation.columns.iter().find(|column| column.is_identity()).map(|column| column.name.as_str())
}

fn becomes_identity(table: &WantedTable) -> Option<&'static str> {
    let column = table.table.columns.iter().find(|column| column.generated == Some(Generated::Identity));
    column.map(|column| column.name)
}

fn cannot_leave(table: &WantedTable, column: &str, why: &str) -> Refusal {
    Refusal {
        title: format!("{why}; but its column {column} is numbered by a sequence, and Citus can't move such a table"),
        fix: format!("rename {}, apply to make it anew, and move the rows with INSERT … SELECT", table.label),
    }
}
