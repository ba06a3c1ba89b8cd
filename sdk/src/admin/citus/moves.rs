//! The steps that bring each table to where it belongs: reference tables to every node, distributed ones to the shards of
//! their group.

use std::collections::{BTreeMap, BTreeSet};

use super::changes::identity_column;
use super::layout::{Group, Layout, is};
use super::obstacles::{self, Names};
use super::state::{LiveKey, Placement, State, TableState};
use super::{directories, layout};
use crate::admin::consent::{Consent, Permission};
use crate::admin::diff::{Diff, Difference, Object, Side};
use crate::admin::inspect::Live;
use crate::admin::plan::{Phase, Plan, Refusal, Step, StepKind};
use crate::admin::wanted::{Wanted, WantedTable};
use crate::schema::distribute::{self, Shards};
use crate::schema::{catalog, quote_ident, quote_qualified};

/// What the steps are made of.
pub(in crate::admin) struct Moves<'a> {
    pub(in crate::admin) diff: &'a Diff,
    pub(in crate::admin) wanted: &'a Wanted,
    pub(in crate::admin) live: &'a Live,
    pub(in crate::admin) state: &'a State,
    /// The labels of the probed tables that have rows.
    pub(in crate::admin) populated: &'a BTreeSet<String>,
    pub(in crate::admin) consent: &'a Consent,
    /// The tables that must be plain ones while they are changed, and why.
    pub(in crate::admin) to_localize: BTreeMap<String, (String, &'static str)>,
}

/// The tables of which it must be known whether they have rows: those that are distributed now.
pub(in crate::admin) fn tables_to_probe<'a>(wanted: &'a Wanted, state: &State) -> Vec<&'a WantedTable> {
    let is_local = |table: &&WantedTable| {
        state.table(&table.schema, &table.relation.name).is_some_and(|live| live.placement.is_on_coordinator())
    };
    wanted.tables.iter().filter(is_local).collect()
}

/// How a table gets to its place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// It is new, and empty.
    Fresh,
    /// It is on the coordinator, and nobody writes it meanwhile. First it may have to leave Citus's catalogs.
    Blocking { leaves: bool },
    /// It is on the coordinator, and others go on writing it.
    Concurrent,
    /// Its rows go from shards to shards.
    Across,
    /// Its rows go to the coordinator and from there to shards.
    Around,
}

struct Move<'a> {
    table: &'a WantedTable,
    way: Way,
    /// Why it is not concurrent, where it has rows.
    blocks: Option<String>,
}

impl<'a> Moves<'a> {
    /// Adds the steps and refusals to the plan of all other differences.
    pub(in crate::admin) fn add_to(&self, plan: &mut Plan) {
        self.own_tables(plan);
        let layout = Layout::new(self.wanted, self.state);
        let dropped = Dropped::by(plan);
        let moves: Vec<Move<'a>> =
            layout.tables().filter_map(|table| self.decide(&layout, table, &dropped, plan)).collect();
        self.cluster(&moves, plan);
        for moved in &moves {
            if let Some(live) = self.table_state(moved.table) {
                plan.refusals.extend(obstacles::of_table(moved.table, live, &dropped.all));
            }
        }
        wait_for_concurrent(&moves, &dropped, plan);
        self.foreign_keys(&layout, &moves, &dropped, plan);
        for moved in &moves {
            self.leave(moved, plan);
        }
        for moved in moves.iter().filter(|moved| moved.table.table.distribution_column().is_none()) {
            self.to_every_node(moved, plan);
        }
        for group in layout.groups() {
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

    fn table_state(&self, table: &WantedTable) -> Option<&'a TableState> {
        self.state.table(&table.schema, &table.relation.name)
    }

    /// `None` where the table stays where it is, or can't go where it should.
    fn decide(
        &self,
        layout: &Layout<'a>,
        table: &'a WantedTable,
        dropped: &Dropped,
        plan: &mut Plan,
    ) -> Option<Move<'a>> {
        let Some(relation) = self.live.relation(&table.schema, &table.relation.name) else {
            return Some(Move { table, way: Way::Fresh, blocks: None });
        };
        let (live, numbered) = (self.table_state(table)?, identity_column(relation));
        let leaves = self.to_localize.get(&table.label);
        if live.placement.is_on_coordinator() {
            let known = live.placement == Placement::Known;
            if known && leaves.is_none() && numbered.is_some() && table.table.distribution_column().is_some() {
                // Citus would have to take it back first.
                return self.concurrent_or_refused(layout, table, live, dropped, plan);
            }
            if let (true, Some(_), Some(column)) = (known, leaves, numbered) {
                plan.refusals.push(cannot_leave(table, column, "it must be a plain table while it changes"));
                return None;
            }
            let blocks = self.blocks(layout, table, live, numbered.filter(|_| !known), dropped, leaves.is_some());
            let way = match &blocks {
                Blocks::Nobody => Way::Blocking { leaves: leaves.is_some() },
                Blocks::Writers(_) => Way::Blocking { leaves: leaves.is_some() },
                Blocks::Concurrent => Way::Concurrent,
            };
            return Some(Move { table, way, blocks: blocks.reason() });
        }
        let drift = layout.drift(table, &live.placement);
        if drift.is_none() && leaves.is_none() {
            return None;
        }
        let why = match (&drift, leaves) {
            (Some(layout::Drift { wanted, live }), _) => format!("{} must be {wanted}, and is {live}", table.label),
            (None, leaves) => leaves.map(|(title, why)| format!("{title}: {why}")).unwrap_or_default(),
        };
        if let Some(column) = numbered {
            plan.refusals.push(cannot_leave(table, column, &why));
            return None;
        }
        let permission = Permission::Redistribute(table.label.clone());
        if !self.consent.allows(&permission) {
            let fix = format!(
                "allow it with {}: all its rows are written anew, nobody can write it meanwhile, and the nodes need room \
                 for a second copy",
                permission.call()
            );
            plan.refusals.push(Refusal { title: why, fix });
            return None;
        }
        let is_hashed = |placement: &Placement| matches!(placement, Placement::Distributed { .. });
        let across = leaves.is_none()
            && is_hashed(&live.placement)
            && table.table.distribution_column().is_some()
            && !changes_keys(plan, table);
        let way = if across { Way::Across } else { Way::Around };
        Some(Move { table, way, blocks: Some("its rows are written anew".to_owned()) })
    }

    fn concurrent_or_refused(
        &self,
        layout: &Layout<'a>,
        table: &'a WantedTable,
        live: &TableState,
        dropped: &Dropped,
        plan: &mut Plan,
    ) -> Option<Move<'a>> {
        match self.concurrency(layout, table, live, None, dropped) {
            None => Some(Move { table, way: Way::Concurrent, blocks: None }),
            Some(reason) => {
                plan.refusals.push(Refusal {
                    title: format!(
                        "{} has a column with a sequence and is known to Citus already, so it can be distributed \
                         concurrently alone, and that can't be done: {reason}",
                        table.label
                    ),
                    fix: "change that, and apply again".to_owned(),
                });
                None
            }
        }
    }

    fn blocks(
        &self,
        layout: &Layout<'a>,
        table: &'a WantedTable,
        live: &TableState,
        numbered: Option<&str>,
        dropped: &Dropped,
        leaves: bool,
    ) -> Blocks {
        if !self.populated.contains(&table.label) {
            return Blocks::Nobody;
        }
        if table.table.distribution_column().is_none() {
            return Blocks::Writers("Citus makes reference tables in no other way".to_owned());
        }
        if leaves {
            return Blocks::Writers("it must be a plain table while it changes".to_owned());
        }
        self.concurrency(layout, table, live, numbered, dropped).map_or(Blocks::Concurrent, Blocks::Writers)
    }

    /// Why the table can't be distributed concurrently.
    fn concurrency(
        &self,
        layout: &Layout<'a>,
        table: &'a WantedTable,
        live: &TableState,
        numbered: Option<&str>,
        dropped: &Dropped,
    ) -> Option<String> {
        let stays = |key: &&LiveKey| touches(key, table) && !self.goes(key, &dropped.for_good);
        let kept: Vec<&LiveKey> = self.state.foreign_keys.iter().filter(stays).collect();
        // One that stays a reference table, or becomes one in the same apply, before this is distributed.
        let is_reference = |key: &LiveKey| match self.wanted.at(&key.target_schema, &key.target) {
            None => key.target_is_reference,
            Some(target) => {
                target.table.distribution_column().is_none()
                    && !self.to_localize.contains_key(&target.label)
                    && self.table_state(target).is_some_and(|live| {
                        live.placement.is_on_coordinator() || layout.drift(target, &live.placement).is_none()
                    })
            }
        };
        let must_change = |key: &LiveKey| obstacles::of_foreign_key(layout, self.wanted, key).is_some();
        obstacles::to_concurrency(self.state, live, &kept, numbered, is_reference, must_change)
    }

    /// Whether the plan or a consent takes the foreign key away.
    fn goes(&self, key: &LiveKey, dropped: &Names) -> bool {
        let source = self.wanted.at(&key.schema, &key.table);
        match source {
            Some(source) => dropped.contains(&(source.label.clone(), key.name.clone())),
            None => {
                let qualified = format!("{}.{}", key.schema, key.table);
                self.consent.tables().any(|table| table == key.table || table == qualified)
            }
        }
    }

    /// The foreign keys of tables that move are taken off before and put back behind: Citus moves no table with one, or
    /// moves more than was asked for.
    fn foreign_keys(&self, layout: &Layout<'a>, moves: &[Move<'a>], dropped: &Dropped, plan: &mut Plan) {
        for key in self.state.foreign_keys.iter().filter(|key| !self.goes(key, &dropped.all)) {
            let moved = |concurrent: bool| {
                let is_such =
                    |moved: &&Move<'a>| moved.way != Way::Fresh && (moved.way == Way::Concurrent) == concurrent;
                moves.iter().filter(is_such).any(|moved| touches(key, moved.table))
            };
            let (blocking, concurrent) = (moved(false), moved(true));
            if !blocking && !concurrent {
                continue;
            }
            if let Some(refusal) = obstacles::of_foreign_key(layout, self.wanted, key) {
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
            let (at, title) = (table.table.qualified(), format!("distribute {} by {column}{near}", table.label));
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
        }
        step
    }

    /// The SDK's own tables, and what is written there.
    fn own_tables(&self, plan: &mut Plan) {
        if directories::is_outdated(self.state) {
            match &self.state.catalog.foreign_owner {
                Some(owner) => plan.refusals.push(Refusal {
                    title: format!("the schema shardwise must be renewed, and belongs to the role {owner}"),
                    fix: format!("apply once as {owner}"),
                }),
                None => {
                    let title = "make the tables that all clients of the cluster share (schema shardwise)".to_owned();
                    plan.steps.push(Step::of(StepKind::CreateCatalog, title, catalog::statements().collect()));
                }
            }
        }
        for difference in self.diff.differences.iter().filter(|difference| difference.object == Object::Directory) {
            self.directory(difference, plan);
        }
    }

    fn directory(&self, difference: &Difference, plan: &mut Plan) {
        let key_type = &difference.name;
        if !self.state.catalog.may_register {
            return plan.refusals.push(Refusal {
                title: format!("the role may not write where the home regions of {key_type} keys are"),
                fix: "GRANT INSERT, UPDATE, DELETE ON shardwise.directories to it".to_owned(),
            });
        }
        let live = self.state.directories.iter().find(|live| live.row.key_type == *key_type);
        let mut wanted = directories::wanted(self.wanted).map(|(_, directory)| directory);
        match (wanted.find(|directory| directory.key_type == *key_type), live) {
            (Some(_), Some(live)) if !directories::is_ours(self.wanted, live) => plan.refusals.push(Refusal {
                title: format!(
                    "the home regions of {key_type} keys are looked up in {}, which is no entity's",
                    live.row.table()
                ),
                fix: format!(
                    "remove `region` from the entity, or, if that table is none any more, DELETE FROM \
                     shardwise.directories WHERE key_type = '{key_type}'"
                ),
            }),
            (Some(directory), _) => {
                let table = quote_qualified(Some(&directory.table_schema), &directory.table_name);
                let title = format!("let clients look up the home regions of {key_type} keys in {table}");
                plan.steps.push(Step::new(StepKind::WriteDirectory, title, distribute::register(&directory)));
            }
            (None, Some(live)) if difference.side == Side::Unknown => {
                let title = format!("let clients look up no home regions of {key_type} keys any more");
                plan.steps.push(Step::new(StepKind::WriteDirectory, title, distribute::unregister(&live.row)));
            }
            (None, _) => {}
        }
    }
}

enum Blocks {
    Nobody,
    Writers(String),
    Concurrent,
}

impl Blocks {
    fn reason(self) -> Option<String> {
        match self {
            Self::Writers(reason) => Some(reason),
            Self::Nobody | Self::Concurrent => None,
        }
    }
}

impl Placement {
    fn is_on_coordinator(&self) -> bool {
        matches!(self, Self::Local | Self::Known)
    }
}

fn touches(key: &LiveKey, table: &WantedTable) -> bool {
    let is_table = |schema: &str, name: &str| table.schema == schema && table.table.name == name;
    is_table(&key.schema, &key.table) || is_table(&key.target_schema, &key.target)
}

/// Whether a primary key, a unique key or a check of the table changes: the shards that its rows go to would have to
/// have it already.
fn changes_keys(plan: &Plan, table: &WantedTable) -> bool {
    let kinds = [StepKind::DropConstraint, StepKind::AddConstraint];
    plan.steps.iter().any(|step| kinds.contains(&step.kind) && step.touches.first() == Some(&table.label))
}

fn cannot_leave(table: &WantedTable, column: &str, why: &str) -> Refusal {
    Refusal {
        title: format!("{why}; but its column {column} is numbered by a sequence, and Citus can't move such a table"),
        fix: format!("rename {}, apply to make it anew, and move the rows with INSERT … SELECT", table.label),
    }
}

fn warning(moved: &Move<'_>) -> Option<String> {
    let reason = moved.blocks.as_ref()?;
    Some(format!("nobody can write {} until the apply has ended: {reason}", moved.table.label))
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

/// What the plan takes away before anything moves.
struct Dropped {
    all: Names,
    /// Without the foreign keys that it replaces.
    for_good: Names,
}

impl Dropped {
    fn by(plan: &Plan) -> Self {
        let named = |kinds: &[StepKind]| -> Names {
            plan.steps.iter().filter(|step| kinds.contains(&step.kind)).filter_map(name_of).collect()
        };
        let all = named(&[StepKind::DropConstraint, StepKind::DropIndex, StepKind::DropForeignKey]);
        let made = named(&[StepKind::AddForeignKey]);
        Self { for_good: all.difference(&made).cloned().collect(), all }
    }
}

fn name_of(step: &Step) -> Option<(String, String)> {
    Some((step.touches.first()?.clone(), step.object.clone()?))
}
