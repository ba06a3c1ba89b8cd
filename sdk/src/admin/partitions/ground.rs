//! What the commands work on: a session, and the tables as they are.

use std::time::Duration;

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::changes::{Action, Change, Changes};
use super::work::{Rest, Work};
use crate::admin::apply::LOCK;
use crate::admin::desk::Desk;
use crate::admin::inspect::{LivePartition, Relation, Session, relations};
use crate::admin::locks::{self, Lock, Mode};
use crate::admin::policies;
use crate::admin::steps::Steps;
use crate::admin::target::{self, Aim, Target};
use crate::admin::wire::{column, execute, micros, only, query};
use crate::cluster::Core;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::distribute::{Shards, create_distributed_table};
use crate::schema::partition::column_type;
use crate::schema::{Bound, Bounds, ColumnDef, Generated, Table, ddl, quote_ident, quote_literal, quote_qualified};

/// How long a command tries to get the locks of one change.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// The CHECK that stands for the bounds of what is about to become a partition.
pub(super) const CHECK: &str = "shardwise_bounds";

/// A session on the coordinator, and the database as it was when that was opened.
pub(super) struct Ground {
    pub(super) desk: Desk,
    pub(super) target: Target,
    pub(super) is_dry_run: bool,
    /// The server's clock.
    pub(super) now: Bound,
    pub(super) session: Session,
    policies: Option<policies::State>,
    parents: Vec<Parent>,
}

/// A partitioned table.
pub(super) struct Parent {
    pub(super) def: &'static Table,
    /// Its name in messages.
    pub(super) label: String,
    /// Its name as SQL text.
    pub(super) at: String,
    pub(super) relation: Relation,
}

impl Ground {
    /// Opens a session. It is the only one that changes partitions for as long as it lives, but for a dry run.
    pub(super) async fn open(core: &Core, aim: &Aim, tables: &[&'static Table], is_dry_run: bool) -> Result<Self> {
        Self::open_with(core, aim, tables, is_dry_run, !is_dry_run).await
    }

    /// A session that takes its turn only for a part of its work.
    pub(super) async fn open_for_long(core: &Core, aim: &Aim, table: &'static Table, is_dry_run: bool) -> Result<Self> {
        Self::open_with(core, aim, &[table], is_dry_run, false).await
    }

    async fn open_with(
        core: &Core,
        aim: &Aim,
        tables: &[&'static Table],
        is_dry_run: bool,
        takes_turn: bool,
    ) -> Result<Self> {
        let desk = Desk::open(core).await?;
        if takes_turn {
            take_turn(&desk, &mut Steps::new(&mut |_| {})).await?;
        }
        Self::read(desk, aim, tables, is_dry_run).await
    }

    /// Waits until nobody else changes the schema, and keeps others from it.
    pub(super) async fn take_turn(&self, steps: &mut Steps<'_>) -> Result<()> {
        take_turn(&self.desk, steps).await
    }

    /// Lets others change the schema.
    pub(super) async fn end_turn(&self) -> Result<()> {
        self.desk.end_turn(LOCK).await
    }

    async fn read(desk: Desk, aim: &Aim, tables: &[&'static Table], is_dry_run: bool) -> Result<Self> {
        let target = aim.target;
        let client = desk.client();
        let reading = desk.send(async {
            target::prepare(client, target).await?;
            let session = Session::read(client).await?;
            let schema = |table: &&'static Table| table.schema.unwrap_or(&session.schema).to_owned();
            let named: Vec<_> = tables.iter().map(|table| (schema(table), table.name.to_owned())).collect();
            let now: i64 =
                column(only(&query(client, &format!("SELECT {}", micros("pg_catalog.now()")), &[]).await?)?, 0)?;
            let found = relations(client, &named).await?;
            let policies = policies::State::read(client, aim, &named).await?;
            Ok((Bound::from_micros(now), session, named, found, policies))
        });
        let (now, session, named, mut found, policies) = desk.transaction(reading).await?;
        let mut parents = Vec::new();
        for (&def, (schema, name)) in tables.iter().zip(&named) {
            let label = session.label(schema, name);
            let at = found.iter().position(|relation| relation.schema == *schema && relation.name == *name);
            let Some(at) = at else {
                return Err(refused(format!("there is no table {label}: apply the schema first")));
            };
            let relation = found.swap_remove(at);
            parents.push(Parent { def, label, at: quote_qualified(Some(schema), name), relation });
        }
        Ok(Self { desk, target, is_dry_run, now, session, policies, parents })
    }

    pub(super) fn parents(&self) -> &[Parent] {
        &self.parents
    }

    /// Does it with each table, and tells whether it is to be done once more. One that fails keeps no other from its turn.
    pub(super) async fn run(&self, work: &Work<'_>) -> Result<(Changes, Rest)> {
        let (mut changes, mut failures, mut rest) = (Vec::new(), Vec::new(), Rest::Nothing);
        for parent in &self.parents {
            let outcome = match parent.check() {
                Ok(()) => work.on(self, parent, &mut changes).await,
                Err(error) => Err(error),
            };
            match outcome {
                Ok(Rest::Nothing) => {}
                Ok(Rest::Again) => rest = Rest::Again,
                Err(error) => failures.push(error),
            }
        }
        match failures.into_iter().next() {
            None => Ok((Changes { changes, is_dry_run: self.is_dry_run }, rest)),
            Some(error) if changes.is_empty() => Err(error),
            Some(error) => {
                let names: Vec<&str> = changes.iter().map(|change| change.partition.as_str()).collect();
                Err(error.during(format!("done before and besides, and not undone: {}", names.join(", "))))
            }
        }
    }

    /// Whether there is a table of this name, which is SQL text.
    pub(super) async fn has_table(&self, at: &str) -> Result<bool> {
        let rows = self.desk.query("SELECT to_regclass($1) IS NOT NULL", &[(&at, Type::TEXT)]).await?;
        column(only(&rows)?, 0)
    }

    /// The statement that makes the parent's kind of distributed table of a plain one; none where there is no Citus.
    pub(super) fn distribute(&self, parent: &Parent, at: &str) -> Option<String> {
        let column = parent.def.distribution_column().filter(|_| self.is_citus())?;
        Some(create_distributed_table(at, column, &Shards::Of { at: parent.at.clone() }))
    }

    /// Makes a change under locks.
    pub(super) async fn change(&self, how: &locks::Change) -> Result<()> {
        self.desk.send(locks::make(self.desk.client(), self.target, how, PATIENCE)).await
    }

    /// The relations of these names (schema, name) that exist.
    pub(super) async fn read_relations(&self, named: &[(String, String)]) -> Result<Vec<Relation>> {
        let client = self.desk.client();
        let reading = async {
            target::prepare(client, self.target).await?;
            relations(client, named).await
        };
        self.desk.transaction(self.desk.send(reading)).await
    }

    /// The rows of a query, in a transaction that reads and prints times in UTC.
    pub(super) async fn ask(&self, sql: &str) -> Result<Vec<Row>> {
        let client = self.desk.client();
        let asking = async {
            target::prepare(client, self.target).await?;
            query(client, sql, &[]).await
        };
        self.desk.transaction(self.desk.send(asking)).await
    }

    /// Statements in a transaction of their own.
    pub(super) async fn execute(&self, statements: &[String]) -> Result<()> {
        let client = self.desk.client();
        let executing = async {
            target::prepare(client, self.target).await?;
            for statement in statements {
                execute(client, statement).await?;
            }
            Ok(())
        };
        self.desk.transaction(self.desk.send(executing)).await
    }

    /// Makes a change, or in a dry run only writes it down.
    pub(super) async fn make(&self, mut change: Change, how: locks::Change, changes: &mut Vec<Change>) -> Result<()> {
        change.statements.extend(how.statements.iter().cloned());
        if !self.is_dry_run {
            let since = std::time::Instant::now();
            self.change(&how).await?;
            change.took = Some(since.elapsed());
        }
        changes.push(change);
        Ok(())
    }

    /// What a new partition needs so that the roles can't reach its rows.
    pub(super) fn protection(&self, parent: &Parent, label: &str, at: &str) -> Vec<String> {
        let policies = self.policies.as_ref();
        policies.map_or_else(Vec::new, |state| policies::of_new_table(state, parent.def, label, at, false))
    }

    /// What a new table needs so that the roles reach the rows of a tenant through it.
    pub(super) fn protection_of_table(&self, parent: &Parent, label: &str, at: &str) -> Vec<String> {
        let policies = self.policies.as_ref();
        policies.map_or_else(Vec::new, |state| policies::of_new_table(state, parent.def, label, at, true))
    }

    pub(super) fn is_citus(&self) -> bool {
        self.target != Target::Plain
    }
}

impl Parent {
    /// # Errors
    /// Where it can have no partitions.
    pub(super) fn check(&self) -> Result<()> {
        let label = &self.label;
        if !self.relation.is_partitioned() {
            return Err(refused(format!(
                "{label} is not partitioned: `convert` makes a partitioned table of it, with its rows"
            )));
        }
        if let Some(nested) = self.relation.partitions.iter().find(|partition| partition.is_partitioned) {
            return Err(refused(format!(
                "the partition {} of {label} is partitioned itself, and only one level is managed: detach it",
                nested.name
            )));
        }
        Ok(())
    }

    pub(super) fn column(&self) -> String {
        quote_ident(self.def.partition.map_or("", |partition| partition.column))
    }

    /// The columns that an insert writes, all but those that the server computes.
    pub(super) fn written(&self) -> impl Iterator<Item = &'static ColumnDef> {
        self.def.columns.iter().filter(|column| !matches!(column.generated, Some(Generated::Stored(_))))
    }

    /// Their names, as SQL text.
    pub(super) fn written_columns(&self) -> String {
        self.written().map(|column| quote_ident(column.name)).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn column_type(&self) -> &Type {
        column_type(self.def)
    }

    /// A condition that holds for the rows within these bounds. With the column's own type, so that the planner prunes.
    pub(super) fn within(&self, bounds: Bounds) -> String {
        let (column, wire) = (self.column(), self.column_type());
        let moment = |bound: Bound| format!("{}::{}", quote_literal(&bound.literal(wire)), wire.name());
        let from = (bounds.from != Bound::Min).then(|| format!("{column} >= {}", moment(bounds.from)));
        let to = (bounds.to != Bound::Max).then(|| format!("{column} < {}", moment(bounds.to)));
        let both: Vec<String> = from.into_iter().chain(to).collect();
        if both.is_empty() { "true".to_owned() } else { both.join(" AND ") }
    }

    /// The CHECK, by the name of [`CHECK`], that PostgreSQL believes in place of looking at the rows when a table with it becomes
    /// a partition.
    pub(super) fn check_of(&self, bounds: Bounds) -> String {
        format!("CONSTRAINT {} CHECK ({} IS NOT NULL AND {})", quote_ident(CHECK), self.column(), self.within(bounds))
    }

    /// The bounds of its partitions but for the default one.
    pub(super) fn bounds(&self) -> Vec<Bounds> {
        self.relation.partitions.iter().filter_map(LivePartition::bounds).collect()
    }

    pub(super) fn default_partition(&self) -> Option<&LivePartition> {
        self.relation.partitions.iter().find(|partition| partition.is_default)
    }

    /// The partition of this name.
    ///
    /// # Errors
    /// Where there is none; the message lists those that there are.
    pub(super) fn partition(&self, name: &str) -> Result<&LivePartition> {
        self.relation.partitions.iter().find(|partition| partition.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.relation.partitions.iter().map(|partition| partition.name.as_str()).collect();
            refused(format!("{} has no partition {name}; it has {}", self.label, names.join(", ")))
        })
    }

    /// The tables that its foreign keys point at, in the order in which they are locked before it: writers have a row's parent
    /// before the row.
    pub(super) fn targets(&self, mode: Mode) -> Vec<Lock> {
        self.relation.references().into_iter().map(|table| Lock::new(table, mode)).collect()
    }

    /// The locks that keep everybody out of it and of tables that belong to it, which are SQL text.
    pub(super) fn closed_with(&self, others: &[String]) -> Vec<Lock> {
        [&self.at].into_iter().chain(others).map(|at| Lock::new(at, Mode::AccessExclusive)).collect()
    }

    /// The statement that attaches a table of its schema; without bounds, as the default partition.
    pub(super) fn attach(&self, name: &str, bounds: Option<Bounds>) -> String {
        let part = quote_qualified(Some(&self.relation.schema), name);
        ddl::attach_partition(self.def, &part, &self.at, bounds)
    }

    /// A query for whether it has this partition, with these bounds, as it was.
    pub(super) fn still_has(&self, partition: &LivePartition) -> String {
        format!(
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_class p ON p.oid = h.inhrelid \
             WHERE h.inhrelid = {} AND h.inhparent = {} AND p.relispartition AND p.relname = {} \
             AND pg_catalog.pg_get_expr(p.relpartbound, p.oid) = {})",
            partition.oid,
            self.relation.oid,
            quote_literal(&partition.name),
            quote_literal(&self.for_values(partition.bounds()))
        )
    }

    /// `FOR VALUES …`, as the server prints it.
    pub(super) fn for_values(&self, bounds: Option<Bounds>) -> String {
        ddl::for_values(self.def, bounds)
    }

    pub(super) fn change(&self, action: Action, partition: &str, bounds: Option<Bounds>) -> Change {
        Change {
            action,
            table: self.label.clone(),
            partition: partition.to_owned(),
            bounds,
            rows: None,
            bytes: None,
            statements: Vec::new(),
            took: None,
        }
    }
}

async fn take_turn(desk: &Desk, steps: &mut Steps<'_>) -> Result<()> {
    desk.take_turn(LOCK, "wait until another change of the schema has ended", steps).await
}

pub(super) fn refused(message: String) -> Error {
    Error::new(ErrorKind::Schema, message)
}
