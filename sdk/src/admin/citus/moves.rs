//! The steps that bring each table to where it belongs: reference tables to every node, distributed ones to the shards of
//! their group.

use std::collections::{BTreeMap, BTreeSet};

use super::directories;
use super::layout::{Group, Layout, is};
use super::obstacles;
use super::state::{Placement, State};
use super::ways::{Dropped, Move, Situation, Way, name_of};
use crate::admin::consent::Consent;
use crate::admin::diff::Diff;
use crate::admin::inspect::Live;
use crate::admin::plan::{Phase, Plan, Refusal, Step, StepKind};
use crate::admin::wanted::{Wanted, WantedTable};
use crate::schema::distribute::{self, Shards};
use crate::schema::quote_ident;

/// What the steps are made of.
pub(in crate::admin) struct Moves<'a> {
    pub(in crate::admin) diff: &'a Diff,
    pub(in crate::admin) wanted: &'a Wanted,
    pub(in crate::admin) live: &'a Live,
    pub(in crate::admin) state: &'a State,
    /// The labels of the probed tables that have rows.
    pub(in crate::admin) populated: &'a BTreeSet<String>,
    pub(in crate::admin) consent: &'a Consent,
    /// The tables that must be plain ones while they are changed: with the change, and why.
    pub(in crate::admin) to_localize: BTreeMap<String, (String, &'static str)>,
}

/// The tables of which it must be known whether they have rows: those that are distributed now.
pub(in crate::admin) fn tables_to_probe<'a>(wanted: &'a Wanted, state: &State) -> Vec<&'a WantedTable> {
    let is_local = |table: &&WantedTable| {
        state.table(&table.schema, &table.relation.name).is_some_and(|live| live.placement.is_on_coordinator())
    };
    wanted.tables.iter().filter(is_local).collect()
}

impl Moves<'_> {
    /// Adds the steps and refusals to the plan of all other differences.
    pub(in crate::admin) fn add_to(&self, plan: &mut Plan) {
        let Self { diff, wanted, live, state, populated, consent, to_localize } = self;
        directories::add_to(plan, diff, wanted, state);
        let (layout, dropped) = (Layout::new(wanted, state), Dropped::by(plan));
        Situation { wanted, live, state, populated, consent, to_localize, layout, dropped }.add_to(plan);
    }
}

impl<'a> Situation<'a> {
    fn add_to(&self, plan: &mut Plan) {
        let mut moves = Vec::new();
        for table in self.layout.tables() {
            match self.way(table, plan) {
                Ok(moved) => moves.extend(moved),
                Err(refusal) => plan.refusals.push(refusal),
            }
        }
        self.cluster(&moves, plan);
        for moved in &moves {
            if let Some(live) = self.table_state(moved.table) {
                plan.refusals.extend(obstacles::of_table(moved.table, live, &self.dropped.all));
            }
        }
        wait_for_concurrent(&moves, &self.dropped, plan);
        self.foreign_keys(&moves, plan);
        for moved in &moves {
            self.leave(moved, plan);
        }
        for moved in moves.iter().filter(|moved| moved.table.table.distribution_column().is_none()) {
            self.to_every_node(moved, plan);
        }
        for group in self.layout.groups() {
            self.to_shards(group, &moves, plan);
        }
    }

    /// What stands in the way of all tables.
    fn cluster(&self, moves: &[Move<'a>], plan: &mut Plan) {
        let settings = &self.state.settings;
        let mut distributed =
            moves.iter().map(|moved| moved.table).filter(|table| table.table.distribution_column().is_some());
        if distributed.clone().next().is_some() && !settings.has_room {
            plan.refusals.push(Refusal {
                title: "the cluster has no node that takes shards".to_owned(),
                fix: "add a worker with citus_add_node, or let the coordinator take them with \
                      citus_set_node_property(…, 'shouldhaveshards', true)"
                    .to_owned(),
            });
        }
        if settings.replication_factor != 1 && distributed.any(|table| !table.table.foreign_keys.is_empty()) {
            plan.refusals.push(Refusal {
                title: format!(
                    "`citus.shard_replication_factor` is {}, and Citus has foreign keys between shards of one copy alone",
                    settings.replication_factor
                ),
                fix: "set it to 1, and give the nodes standbys".to_owned(),
            });
        }
        for schema in &self.state.tenant_schemas {
            if moves.iter().any(|moved| moved.table.schema == *schema) {
                plan.refusals.push(Refusal {
                    title: format!("Citus keeps the whole schema {schema} on one node, so its tables can't be distributed"),
                    fix: format!(
                        "take it back with SELECT citus_schema_undistribute('{schema}'), or give the entities another schema"
                    ),
                });
            }
        }
    }

    /// The foreign keys of tables that move are taken off before and put back behind: Citus moves no table with one, or
    /// moves more than was asked for.
    fn foreign_keys(&self, moves: &[Move<'a>], plan: &mut Plan) {
        for key in self.state.foreign_keys.iter().filter(|key| !self.goes(key, &self.dropped.all)) {
            let moved = |concurrent: bool| {
                let is_such =
                    |moved: &&Move<'a>| moved.way != Way::Fresh && (moved.way == Way::Concurrent) == concurrent;
                moves.iter().filter(is_such).any(|moved| key.touches(moved.table))
            };
            let (blocking, concurrent) = (moved(false), moved(true));
            if !blocking && !concurrent {
                continue;
            }
            if let Some(refusal) = obstacles::of_foreign_key(&self.layout, self.wanted, key) {
                plan.refusals.push(refusal);
                continue;
            }
            let Some(source) = self.wanted.at(&key.schema, &key.table) else { continue };
            // One to a reference table stays, so that it holds while the other side is moved concurrently.
            if concurrent {
                continue;
            }
            let (at, name, label) = (source.table.qualified(), quote_ident(&key.name), &source.label);
            let target = self.wanted.at(&key.target_schema, &key.target).map(|target| target.label.clone());
            let mut step = |kind, title, sql| {
                let mut step = Step::new(kind, title, sql);
                step.touches = [label.clone()].into_iter().chain(target.clone()).collect();
                step.object = Some(key.name.clone());
                plan.steps.push(step);
            };
            step(
                StepKind::DropForeignKey,
                format!("take the foreign key {} off {label} while a table moves", key.name),
                format!("ALTER TABLE {at} DROP CONSTRAINT {name}"),
            );
            step(
                StepKind::AddForeignKey,
                format!("put the foreign key {} of {label} back", key.name),
                format!("ALTER TABLE {at} ADD CONSTRAINT {name} {}", key.definition),
            );
        }
    }

    fn leave(&self, moved: &Move<'a>, plan: &mut Plan) {
        if matches!(moved.way, Way::Around | Way::Blocking { leaves: true }) {
            let Move { table, .. } = moved;
            let (title, at) = (format!("make {} a plain table", table.label), table.table.qualified());
            let mut step = Step::new(StepKind::Undistribute, title, distribute::undistribute_table(&at));
            step.touches = vec![table.label.clone()];
            step.warning = warning(moved);
            plan.steps.push(step);
        }
    }

    fn to_every_node(&self, moved: &Move<'a>, plan: &mut Plan) {
        let at = moved.table.table.qualified();
        let title = format!("make {} a reference table", moved.table.label);
        plan.steps.push(self.distributing(moved, title, distribute::create_reference_table(&at)));
    }

    /// The first table makes the group, unless the database has a table of it that stays.
    fn to_shards(&self, group: &Group<'a>, moves: &[Move<'a>], plan: &mut Plan) {
        let moved = |table: &WantedTable| moves.iter().find(|moved| is(moved.table, table));
        let is_settled = |table: &&&WantedTable| {
            let placement = self.table_state(table).map(|live| &live.placement);
            let settled =
                |number: u32| matches!(placement, Some(Placement::Distributed { group, .. }) if *group == number);
            moved(table).is_none() && group.settled.is_some_and(settled)
        };
        let mut leader: Option<&WantedTable> = group.members.iter().find(is_settled).copied();
        let (concurrent, blocking): (Vec<_>, Vec<_>) =
            group.members.iter().filter_map(|table| moved(table)).partition(|moved| moved.way == Way::Concurrent);
        for moved in blocking.into_iter().chain(concurrent) {
            let Move { table, way, .. } = *moved;
            let Some(column) = table.table.distribution_column() else { continue };
            let (shards, near) = match leader {
                None => (Shards::New { count: self.state.shard_count }, String::new()),
                Some(leader) => {
                    let near = format!(", co-located with {}", leader.label);
                    (Shards::Of { at: leader.table.qualified() }, near)
                }
            };
            leader = leader.or(Some(table));
            let how = if way == Way::Concurrent { ", while others write it" } else { "" };
            let (at, title) = (table.table.qualified(), format!("distribute {} by {column}{near}{how}", table.label));
            let sql = match way {
                Way::Concurrent => distribute::create_distributed_table_concurrently(&at, column, &shards),
                Way::Across => distribute::alter_distributed_table(&at, self.other_column(table, column), &shards),
                _ => distribute::create_distributed_table(&at, column, &shards),
            };
            plan.steps.push(self.distributing(moved, title, sql));
        }
    }

    /// The column, where the table is distributed by another one.
    fn other_column<'c>(&self, table: &WantedTable, column: &'c str) -> Option<&'c str> {
        let live = self.table_state(table).map(|live| &live.placement);
        let same = matches!(live, Some(Placement::Distributed { column: live, .. }) if live == column);
        (!same).then_some(column)
    }

    fn distributing(&self, moved: &Move<'a>, title: String, sql: String) -> Step {
        let at = moved.table.table.qualified();
        let had_rows = match moved.way {
            Way::Fresh | Way::Concurrent | Way::Across => false,
            Way::Blocking { .. } => self.populated.contains(&moved.table.label),
            Way::Around => true,
        };
        let statements = [sql].into_iter().chain(had_rows.then(|| distribute::truncate_local_data(&at))).collect();
        let mut step = Step::of(StepKind::Distribute, title, statements);
        step.touches = vec![moved.table.label.clone()];
        step.warning = warning(moved);
        if moved.way == Way::Concurrent {
            step.phase = Phase::Outside;
            step.object = Some(at);
        }
        step
    }
}

fn warning(moved: &Move<'_>) -> Option<String> {
    let reason = moved.blocks.as_ref()?;
    Some(format!("whoever uses {} waits until the apply has ended: {reason}", moved.table.label))
}

/// Foreign keys of tables that are distributed concurrently are made and replaced behind that: new ones would stand in its
/// way, and old ones hold meanwhile.
fn wait_for_concurrent(moves: &[Move<'_>], dropped: &Dropped, plan: &mut Plan) {
    let concurrent = moves.iter().filter(|moved| moved.way == Way::Concurrent);
    let labels: Vec<&String> = concurrent.map(|moved| &moved.table.label).collect();
    for step in &mut plan.steps {
        let waits = match step.kind {
            StepKind::AddForeignKey => true,
            StepKind::DropForeignKey => !name_of(step).is_some_and(|name| dropped.for_good.contains(&name)),
            _ => false,
        };
        if waits && step.touches.iter().any(|label| labels.contains(&label)) {
            step.phase = Phase::After;
        }
    }
}
