//! The commands.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::changes::Changes;
use super::convert::{self, Conversion, ConvertOptions};
use super::ground::{Ground, refused};
use super::keeper::{Keeper, KeeperOptions};
use super::list::{self, PartitionedTable};
use super::retire::Fate;
use super::work::{Rest, Work};
use crate::admin::Progress;
use crate::admin::steps::Steps;
use crate::admin::target::Aim;
use crate::cluster::Core;
use crate::entity::Entity;
use crate::error::Result;
use crate::schema::{Bounds, Table};

/// Partitions by time: lists, makes, drops, detaches and attaches them. Made by
/// [`Admin::partitions`](crate::admin::Admin::partitions). See the [module](super) for what holds for all of it.
///
/// ```no_run
/// use std::time::Duration;
/// # use shardwise::{Cluster, Entity, Schema, Uuid};
/// # use std::time::SystemTime;
/// # #[derive(Entity)]
/// # #[entity(table = "transactions", distributed_by = festival_id, partition_by = monthly(created_at))]
/// # struct Transaction { festival_id: Uuid, #[entity(key)] id: Uuid, amount: i64, created_at: SystemTime }
///
/// # async fn f(cluster: Cluster) -> shardwise::Result<()> {
/// let partitions = cluster.admin().partitions(&Schema::new().with::<Transaction>());
/// for table in partitions.list().await? {
///     println!("{table}");
/// }
/// partitions.create_future(3).await?; // of this month, and the three after it
/// let year = Duration::from_secs(365 * 86_400);
/// println!("{}", partitions.dry_run().drop_older_than(year).await?); // what would go
/// partitions.drop_older_than(year).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Partitions {
    core: Arc<Core>,
    aim: Aim,
    tables: Vec<&'static Table>,
    is_dry_run: bool,
}

impl Partitions {
    pub(in crate::admin) fn new(core: Arc<Core>, aim: Aim, tables: &[&'static Table]) -> Self {
        let tables = tables.iter().copied().filter(|table| table.partition.is_some()).collect();
        Self { core, aim, tables, is_dry_run: false }
    }

    /// Of one entity alone.
    #[must_use]
    pub fn of<E: Entity>(&self) -> Self {
        self.of_table(E::table())
    }

    /// Of one entity alone, by its table: for a program that is told which one it is while it runs.
    #[must_use]
    pub fn of_table(&self, table: &'static Table) -> Self {
        let tables = self.tables.iter().copied().filter(|known| std::ptr::eq(*known, table)).collect();
        Self { tables, ..self.clone() }
    }

    /// Commands that change nothing, and tell what they would change, with the statements.
    #[must_use]
    pub fn dry_run(&self) -> Self {
        Self { is_dry_run: true, ..self.clone() }
    }

    /// The partitions with their bounds, sizes and estimated numbers of rows, and the gaps between them.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`](crate::ErrorKind::Schema) where a table is missing or not partitioned; and when the
    /// coordinator can't be asked.
    pub async fn list(&self) -> Result<Vec<PartitionedTable>> {
        list::list(&self.dry_run().open().await?, false).await
    }

    /// The same, and all rows are counted, which reads them.
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    pub async fn list_counted(&self) -> Result<Vec<PartitionedTable>> {
        list::list(&self.dry_run().open().await?, true).await
    }

    /// Makes the partition of the current interval and `ahead` more, where they are missing. By the server's clock, in UTC.
    ///
    /// Where others cover a part of an interval, the rest gets a partition. Rows in the default partition are moved to the new
    /// one where it is theirs.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`](crate::ErrorKind::Schema) where something else has a partition's name; and when the locks can't
    /// be had: the error names who holds them. What was made stays.
    pub async fn create_future(&self, ahead: usize) -> Result<Changes> {
        self.until_settled(&Work::CreateFuture(ahead)).await
    }

    /// Makes partitions for what lies between partitions and has none: rows of that time can't be inserted.
    ///
    /// # Errors
    /// As for [`create_future`](Self::create_future).
    pub async fn fill_gaps(&self) -> Result<Changes> {
        self.until_settled(&Work::FillGaps).await
    }

    /// Drops each partition all of whose rows are older than `age`, by the server's clock, with its rows. Which those are is
    /// told by the bounds in the catalog, which are looked at again under the lock. The default partition stays, and so does
    /// one without an end.
    ///
    /// One partition after the other, each in a transaction of its own; writers wait for a moment.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`](crate::ErrorKind::Schema) where `age` is shorter than an interval, or another table's foreign
    /// key points at the table; and when the locks can't be had: the error names who holds them.
    pub async fn drop_older_than(&self, age: Duration) -> Result<Changes> {
        self.run(&Work::Retire(age, Fate::Drop)).await
    }

    /// The same, but they stay as tables of their own: to archive them, and to [attach](Self::attach) them again. On
    /// PostgreSQL 14 and newer without Citus and without a default partition by `DETACH … CONCURRENTLY`, for which nobody
    /// waits, and which waits itself for all transactions that may have used the table.
    ///
    /// # Errors
    /// As for [`drop_older_than`](Self::drop_older_than).
    pub async fn detach_older_than(&self, age: Duration) -> Result<Changes> {
        self.run(&Work::Retire(age, Fate::Detach)).await
    }

    /// Makes a table of its own of this partition.
    ///
    /// # Errors
    /// As for [`drop_older_than`](Self::drop_older_than), and where there is no such partition.
    pub async fn detach<E: Entity>(&self, partition: &str) -> Result<Changes> {
        self.detach_from(E::table(), partition).await
    }

    /// The same, by the entity's table.
    ///
    /// # Errors
    /// As for [`detach`](Self::detach).
    pub async fn detach_from(&self, table: &'static Table, partition: &str) -> Result<Changes> {
        self.one(table)?.run(&Work::Detach(partition)).await
    }

    /// Makes a partition of this table, for the interval that its rows lie in. They are checked while others use the entity's
    /// table. On Citus, a table that is not distributed is distributed first.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`](crate::ErrorKind::Schema) where columns are missing, the rows lie in more than one interval, or
    /// another partition covers it; and what PostgreSQL says where rows break a constraint. When the locks can't be had, the
    /// error names who holds them.
    pub async fn attach<E: Entity>(&self, table: &str) -> Result<Changes> {
        self.attach_to(E::table(), table, None).await
    }

    /// The same with these bounds.
    ///
    /// # Errors
    /// As for [`attach`](Self::attach).
    pub async fn attach_as<E: Entity>(&self, table: &str, bounds: Bounds) -> Result<Changes> {
        self.attach_to(E::table(), table, Some(bounds)).await
    }

    /// The same, by the entity's table, with bounds or for the interval of the rows.
    ///
    /// # Errors
    /// As for [`attach`](Self::attach).
    pub async fn attach_to(&self, parent: &'static Table, table: &str, bounds: Option<Bounds>) -> Result<Changes> {
        self.one(parent)?.run(&Work::Attach(table, bounds)).await
    }

    /// Makes a default partition, where there is none: it takes the rows that no other partition takes, which fail without it.
    /// Each new partition has to look through it then, while nobody can use the table; so its rows should be
    /// [moved out](Self::drain_default) before they are many, as the [keeper](Self::keep) does.
    ///
    /// # Errors
    /// As for [`create_future`](Self::create_future).
    pub async fn create_default(&self) -> Result<Changes> {
        self.run(&Work::CreateDefault).await
    }

    /// Drops the default partition, where it has no rows: rows that no other partition takes fail from then on, and new
    /// partitions keep nobody waiting for it any more.
    ///
    /// # Errors
    /// As for [`create_future`](Self::create_future).
    pub async fn drop_default(&self) -> Result<Changes> {
        self.run(&Work::DropEmptyDefault).await
    }

    /// Makes the partitions that the default partition has rows for, with these rows.
    ///
    /// A few rows are moved while the table is locked. Where the default partition has many, all of one interval, it becomes
    /// that partition, and there is a new one. Many of several intervals are copied while the table is in use, see
    /// [`convert`](Self::convert).
    ///
    /// # Errors
    /// [`ErrorKind::Schema`](crate::ErrorKind::Schema) where a trigger or another table's foreign key would notice that rows
    /// move; else as for [`create_future`](Self::create_future).
    pub async fn drain_default(&self) -> Result<Changes> {
        self.until_settled(&Work::DrainDefault).await
    }

    /// Makes a partitioned table of one that is not, with its rows, while others read and write it.
    ///
    /// The rows are copied in batches while triggers write changes to both tables; then both are compared, rows counted and
    /// hashed, in one snapshot (on Citus shard by shard); then the new one takes the name. Writers wait for that for a moment;
    /// what is running then goes on with the new table. It has a default partition, so that rows of any time can be written as
    /// before; [`drop_default`](Self::drop_default) ends that. The old table stays in the schema `shardwise_old` until somebody drops
    /// it. Broken off, in whatever way, it goes on where it was when it is run again.
    ///
    /// It needs the room of the table and its indexes once more, and a primary key that is the entity's, with or without the
    /// partition column. Keys that are unique without the partition column stay so by nobody: they have to be dropped before.
    /// On Citus no shard of the table may be moved meanwhile.
    ///
    /// Indexes, checks, foreign keys, defaults, grants, and comments on the table and its columns that no entity has come along. What
    /// a partitioned table can't have, or would have otherwise, is named: storage options, extended statistics, constraints that are
    /// NOT VALID, NO INHERIT or DEFERRABLE, UNLOGGED, a replica identity.
    ///
    /// ```no_run
    /// # use std::time::SystemTime;
    /// # use shardwise::{Cluster, Entity, Schema, Uuid};
    /// # #[derive(Entity)]
    /// # #[entity(table = "transactions", distributed_by = festival_id, partition_by = monthly(created_at))]
    /// # struct Transaction { festival_id: Uuid, #[entity(key)] id: Uuid, amount: i64, created_at: SystemTime }
    /// # async fn f(cluster: Cluster) -> shardwise::Result<()> {
    /// let partitions = cluster.admin().partitions(&Schema::new().with::<Transaction>());
    /// let done = partitions.convert::<Transaction>().await?;
    /// println!("{done}");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Schema`](crate::ErrorKind::Schema), before anything is changed, names what would be lost or would notice: a
    /// trigger, a view, a publication, another table's foreign key. When the two tables differ, nothing is swapped. When the
    /// locks can't be had, the error names who holds them.
    pub async fn convert<E: Entity>(&self) -> Result<Conversion> {
        self.convert_with::<E>(&ConvertOptions::default(), |_| {}).await
    }

    /// The same, with options, and with `progress` called with the rows copied of those that there are (estimated).
    ///
    /// # Errors
    /// As for [`convert`](Self::convert).
    pub async fn convert_with<E: Entity>(
        &self,
        options: &ConvertOptions,
        progress: impl FnMut(Progress<'_>) + Send,
    ) -> Result<Conversion> {
        self.convert_table(E::table(), options, progress).await
    }

    /// The same, by the entity's table.
    ///
    /// # Errors
    /// As for [`convert`](Self::convert).
    pub async fn convert_table(
        &self,
        table: &'static Table,
        options: &ConvertOptions,
        mut progress: impl FnMut(Progress<'_>) + Send,
    ) -> Result<Conversion> {
        let of = self.one(table)?;
        let ground = Ground::open_for_long(&self.core, &self.aim, table, self.is_dry_run).await?;
        let [parent] = ground.parents() else { return Err(refused("one table is converted at a time".to_owned())) };
        let mut conversion = convert::convert(&ground, parent, options, &mut Steps::new(&mut progress)).await?;
        if !self.is_dry_run {
            drop(ground);
            // Rows that came for times that nobody knew of.
            let late = of.drain_default().await?;
            conversion.partitions.extend(late.partitions().map(str::to_owned));
        }
        Ok(conversion)
    }

    /// Keeps the partitions in the background, for as long as what it returns lives: those ahead, gaps, the default
    /// partition, and what is older than the retention. Of all processes that do this on one database, one at a time does it.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    #[must_use]
    pub fn keep(&self, options: KeeperOptions) -> Keeper {
        Keeper::start(self.core.clone(), self.clone(), options)
    }

    /// Finishes what a broken-off `DETACH … CONCURRENTLY` has left.
    pub(super) async fn finish_detaching(&self) -> Result<Changes> {
        self.run(&Work::FinishDetaching).await
    }

    fn one(&self, table: &'static Table) -> Result<Self> {
        let of = self.of_table(table);
        if of.tables.is_empty() {
            return Err(refused(format!(
                "`{}` is not among the partitioned entities of this schema: give it `partition_by`, and the schema the entity",
                table.entity
            )));
        }
        Ok(of)
    }

    async fn run(&self, work: &Work<'_>) -> Result<Changes> {
        Ok(self.open().await?.run(work).await?.0)
    }

    /// As often as it takes. What a dry run finds is so, however often it looks.
    async fn until_settled(&self, work: &Work<'_>) -> Result<Changes> {
        let mut all = Changes { is_dry_run: self.is_dry_run, ..Changes::default() };
        loop {
            let (Changes { changes, .. }, rest) = self.open().await?.run(work).await?;
            all.changes.extend(changes);
            if self.is_dry_run || rest == Rest::Nothing {
                return Ok(all);
            }
        }
    }

    async fn open(&self) -> Result<Ground> {
        Ground::open(&self.core, &self.aim, &self.tables, self.is_dry_run).await
    }
}

impl fmt::Debug for Partitions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tables: Vec<_> = self.tables.iter().map(|table| table.name).collect();
        f.debug_struct("Partitions").field("tables", &tables).field("is_dry_run", &self.is_dry_run).finish()
    }
}
