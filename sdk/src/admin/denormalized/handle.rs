//! The commands.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::fill::Filling;
use super::outcome::{DifferingColumn, Repair, Verification};
use super::state::State;
use crate::admin::Progress;
use crate::admin::desk::Desk;
use crate::admin::diff::{Difference, Object, Side};
use crate::admin::inspect::Session;
use crate::admin::plan::Step;
use crate::admin::steps::Steps;
use crate::admin::target::{self, Aim};
use crate::admin::wire::{column, execute, only};
use crate::cluster::Core;
use crate::error::Result;
use crate::schema::Table;
use crate::schema::denormalized::{Copies, EVERY, depth};

/// Denormalised columns: whether rows have what they follow, and how they get it. Made by
/// [`Admin::denormalized`](crate::admin::Admin::denormalized). See the [module](super) for what holds for all of it.
///
/// ```no_run
/// # use shardwise::{Cluster, Entity, Schema, Uuid};
/// #[derive(Entity)]
/// #[entity(table = "stands", distributed_by = festival_id)]
/// struct Stand {
///     festival_id: Uuid,
///     #[entity(key)]
///     id: Uuid,
///     name: String,
/// }
///
/// #[derive(Entity)]
/// #[entity(table = "orders", distributed_by = festival_id)]
/// struct Order {
///     festival_id: Uuid,
///     #[entity(key)]
///     id: Uuid,
///     #[entity(references = Stand, index)]
///     stand_id: Uuid,
///     #[entity(denormalized = stand_id.name)]
///     stand_name: String, // what the stand is called now, whoever renames it
/// }
///
/// # async fn f(cluster: Cluster) -> shardwise::Result<()> {
/// let schema = Schema::new().with::<Stand>().with::<Order>();
/// cluster.admin().apply(&schema).await?; // with the names of the orders that are there
/// for table in cluster.admin().denormalized(&schema).verify().await? {
///     assert!(table.is_exact(), "{table}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Denormalized {
    core: Arc<Core>,
    aim: Aim,
    tables: Vec<&'static Table>,
}

impl Denormalized {
    pub(in crate::admin) fn new(core: Arc<Core>, aim: Aim, tables: &[&'static Table]) -> Self {
        let has_some = |table: &&Table| table.columns.iter().any(|column| column.denormalized.is_some());
        let mut tables: Vec<_> = tables.iter().copied().filter(has_some).collect();
        tables.sort_by_key(|table| depth(table));
        Self { core, aim, tables }
    }

    /// Holds the rows against those that they follow, table by table, each in one snapshot of a shard. Reads all rows.
    ///
    /// # Errors
    /// When the coordinator can't be asked, or lacks a table or column: apply the schema first.
    pub async fn verify(&self) -> Result<Vec<Verification>> {
        let (desk, session) = self.open().await?;
        let mut found = Vec::with_capacity(self.tables.len());
        for copies in self.copies(&session) {
            found.push(verify(&desk, &session, &copies).await?);
        }
        Ok(found)
    }

    /// Puts right what differs, in batches, while it is written.
    ///
    /// # Errors
    /// As for [`verify`](Self::verify). What was put right stays.
    pub async fn repair(&self) -> Result<Vec<Repair>> {
        self.repair_with(|_| {}).await
    }

    /// The same, with `progress` called before each tenant of each table.
    ///
    /// # Errors
    /// As for [`repair`](Self::repair).
    pub async fn repair_with(&self, mut progress: impl FnMut(Progress<'_>) + Send) -> Result<Vec<Repair>> {
        let (desk, session) = self.open().await?;
        let mut done = Vec::with_capacity(self.tables.len());
        for copies in self.copies(&session) {
            let since = Instant::now();
            let label = session.label(&copies.schema, copies.table.name);
            let corrected = self.fill(&desk, &copies, &label, &mut progress).await?;
            done.push(Repair { table: label, corrected, took: since.elapsed() });
        }
        Ok(done)
    }

    /// What a step of an apply is about: all rows get their values, then what says so is written down.
    pub(in crate::admin) async fn complete(
        &self,
        step: &Step,
        progress: &mut (dyn FnMut(Progress<'_>) + Send),
    ) -> Result<Duration> {
        let since = Instant::now();
        let (desk, session) = self.open().await?;
        for copies in self.copies(&session).filter(|copies| Some(&copies.at) == step.object.as_ref()) {
            let label = session.label(&copies.schema, copies.table.name);
            self.fill(&desk, &copies, &label, progress).await?;
            let behind = step.statements.iter().skip(copies.fills(EVERY).len());
            let ending = desk.send(async {
                target::prepare(desk.client(), self.aim.target).await?;
                for sql in behind {
                    execute(desk.client(), sql).await?;
                }
                Ok(())
            });
            desk.transaction(ending).await?;
        }
        Ok(since.elapsed())
    }

    /// The rows that differ, where all is in place that should keep them. Of the others the plan has to say something anyway.
    pub(in crate::admin) async fn differences(&self) -> Result<Vec<Difference>> {
        if self.tables.is_empty() {
            return Ok(Vec::new());
        }
        let (desk, session) = self.open().await?;
        let state = desk.send(State::read(desk.client(), &session, &self.tables)).await?;
        let mut differences = Vec::new();
        for copies in self.copies(&session) {
            let server = self.aim.target.server();
            let pieces = copies.pieces(server);
            let is_in_place =
                state.keeps(&copies, &pieces, server) && state.is_filled(&pieces, &copies.filled_mark(server));
            if !is_in_place {
                continue;
            }
            let found = verify(&desk, &session, &copies).await?;
            differences.extend(found.differing.into_iter().map(|differing| Difference {
                side: Side::Different,
                object: Object::Denormalized,
                owner: found.table.clone(),
                name: differing.column,
                wanted: Some(format!("what {} has", differing.follows)),
                live: Some(format!("something else in {} rows", differing.rows)),
            }));
        }
        Ok(differences)
    }

    async fn fill(
        &self,
        desk: &Desk,
        copies: &Copies<'_>,
        label: &str,
        progress: &mut (dyn FnMut(Progress<'_>) + Send),
    ) -> Result<u64> {
        let filling = Filling { desk, target: self.aim.target, copies, label };
        filling.run(&mut Steps::new(progress)).await
    }

    fn copies(&self, session: &Session) -> impl Iterator<Item = Copies<'static>> {
        self.tables.iter().filter_map(|table| Copies::of(table, &session.schema))
    }

    async fn open(&self) -> Result<(Desk, Session)> {
        let desk = Desk::open(&self.core).await?;
        let session = desk.send(Session::read(desk.client())).await?;
        Ok((desk, session))
    }
}

async fn verify(desk: &Desk, session: &Session, copies: &Copies<'_>) -> Result<Verification> {
    let rows = desk.query(&copies.count_differing(), &[]).await?;
    let row = only(&rows)?;
    let mut differing = Vec::new();
    for (at, (link, def, source)) in copies.columns().enumerate() {
        let rows = u64::try_from(column::<i64>(row, at)?).unwrap_or_default();
        let follows = format!("{}.{source}", (copies.links[link].key.target)().name);
        if rows > 0 {
            differing.push(DifferingColumn { column: def.name.to_owned(), follows, rows });
        }
    }
    Ok(Verification { table: session.label(&copies.schema, copies.table.name), differing })
}

impl fmt::Debug for Denormalized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tables: Vec<_> = self.tables.iter().map(|table| table.name).collect();
        f.debug_struct("Denormalized").field("tables", &tables).finish()
    }
}
