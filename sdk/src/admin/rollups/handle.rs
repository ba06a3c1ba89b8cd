//! The commands.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::covered::covered;
use super::outcome::{DifferingGroup, Repair, Verification};
use super::placed;
use crate::admin::Progress;
use crate::admin::apply::LOCK;
use crate::admin::desk::Desk;
use crate::admin::inspect::{Relation, Session, relations};
use crate::admin::placement::TenantKey;
use crate::admin::steps::Steps;
use crate::admin::target::{self, Aim};
use crate::admin::wire::{Param, column, execute, query};
use crate::cluster::Core;
use crate::entity::Rollup;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::rollup::{Placed, ROWS};
use crate::schema::{Table, quote_ident};

/// Rollups: whether each is what the rows of its source add up to, and how it becomes so. Made by
/// [`Admin::rollups`](crate::admin::Admin::rollups). See the [module](super) for what holds for all of it.
///
/// ```no_run
/// # #[cfg(feature = "jiff")] mod example {
/// # use jiff::{Timestamp, civil::Date};
/// # use shardwise::{Cluster, Entity, Rollup, Schema, Uuid};
/// # #[derive(Entity)]
/// # #[entity(table = "transactions", distributed_by = festival_id)]
/// # struct Transaction { festival_id: Uuid, #[entity(key)] id: Uuid, amount: i64, created_at: Timestamp }
/// #[derive(Rollup)]
/// #[rollup(table = "festival_daily_stats", of = Transaction, distributed_by = festival_id)]
/// struct DailyStats {
///     festival_id: Uuid,
///     #[rollup(day(created_at))]
///     day: Date,
///     #[rollup(count)]
///     transactions: i64,
///     #[rollup(sum(amount), filter = "amount > 0")]
///     credits: i64,
/// }
///
/// # async fn f(cluster: Cluster, festival_id: Uuid, today: Date) -> shardwise::Result<()> {
/// let schema = Schema::new().with::<Transaction>().with::<DailyStats>();
/// cluster.admin().apply(&schema).await?; // with what the transactions that are there add up to
/// let stats = cluster.tenant(festival_id).await?.find::<DailyStats>(today).await?;
///
/// let rollups = cluster.admin().rollups(&schema);
/// if !rollups.verify::<DailyStats>().await?.is_exact() {
///     println!("{}", rollups.repair::<DailyStats>().await?);
/// }
/// # Ok(())
/// # }
/// # }
/// ```
#[derive(Clone)]
pub struct Rollups {
    core: Arc<Core>,
    aim: Aim,
    tables: Vec<&'static Table>,
}

impl Rollups {
    pub(in crate::admin) fn new(core: Arc<Core>, aim: Aim, tables: &[&'static Table]) -> Self {
        let tables = tables.iter().copied().filter(|table| table.rollup.is_some()).collect();
        Self { core, aim, tables }
    }

    /// Holds a rollup against the rows of its source, while both are written. On one server all is seen in one snapshot, on
    /// Citus each shard in one of its own: a group is in one shard. Reads all rows of the source.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`] where the schema does not have the rollup, or the database lacks its tables; and when the
    /// coordinator can't be asked.
    pub async fn verify<E: Rollup>(&self) -> Result<Verification> {
        self.verify_table(E::table(), None).await
    }

    /// The same for one tenant.
    ///
    /// # Errors
    /// As for [`verify`](Self::verify).
    pub async fn verify_of<E: Rollup>(&self, tenant: &E::DistributionKey) -> Result<Verification> {
        self.verify_table(E::table(), Some(&TenantKey::from(tenant.clone()))).await
    }

    /// Puts a rollup right, tenant by tenant, while both are written: what a group lacks of its rows is added to it, and what
    /// it has too much taken away. Nobody waits for that, and what is broken off is right as far as it came.
    ///
    /// Groups of a time that no partition of the source covers stay as they are: their rows may have been dropped.
    ///
    /// # Errors
    /// As for [`verify`](Self::verify).
    pub async fn repair<E: Rollup>(&self) -> Result<Repair> {
        self.repair_with::<E>(|_| {}).await
    }

    /// The same, with `progress` called before each tenant.
    ///
    /// # Errors
    /// As for [`verify`](Self::verify).
    pub async fn repair_with<E: Rollup>(&self, mut progress: impl FnMut(Progress<'_>) + Send) -> Result<Repair> {
        self.repair_table(E::table(), None, &mut progress).await
    }

    /// Puts one tenant's groups right.
    ///
    /// # Errors
    /// As for [`verify`](Self::verify).
    pub async fn repair_of<E: Rollup>(&self, tenant: &E::DistributionKey) -> Result<Repair> {
        self.repair_table(E::table(), Some(&TenantKey::from(tenant.clone())), &mut |_| {}).await
    }

    /// The schema's rollups, as they are read.
    #[cfg(feature = "cli")]
    pub(crate) fn tables(&self) -> impl Iterator<Item = &'static Table> {
        self.tables.iter().filter_map(|table| table.rollup).map(|rollup| rollup.view)
    }

    /// Verifies one of them, for all tenants or for one.
    pub(crate) async fn verify_table(&self, table: &'static Table, tenant: Option<&TenantKey>) -> Result<Verification> {
        let tenant = tenant.map(TenantKey::to_string);
        self.open(table).await?.verify(tenant.as_deref()).await
    }

    /// Repairs one of them, for all tenants or for one.
    pub(crate) async fn repair_table(
        &self,
        table: &'static Table,
        tenant: Option<&TenantKey>,
        progress: &mut (dyn FnMut(Progress<'_>) + Send),
    ) -> Result<Repair> {
        let ground = self.open(table).await?;
        let since = Instant::now();
        let tenants = match tenant {
            Some(tenant) => vec![tenant.to_string()],
            None => ground.tenants().await?,
        };
        let mut steps = Steps::new(progress);
        steps.expect(tenants.len());
        let mut repair = Repair { rollup: ground.label.clone(), ..Repair::default() };
        for tenant in &tenants {
            steps.next(&format!("repair {}", ground.label));
            repair.corrected += ground.repair(tenant).await?;
            repair.tenants += 1;
        }
        Ok(Repair { took: since.elapsed(), ..repair })
    }

    async fn open(&self, read: &'static Table) -> Result<Ground> {
        let table = read.stored();
        if !self.tables.iter().any(|known| std::ptr::eq(*known, table)) {
            let message = format!("`{0}` is not in this schema: add `.with::<{0}>()` to it", table.entity);
            return Err(Error::new(ErrorKind::Schema, message));
        }
        let desk = Desk::open(&self.core).await?;
        let reading = desk.send(async {
            target::prepare(desk.client(), self.aim.target).await?;
            Session::read(desk.client()).await
        });
        let session = desk.transaction(reading).await?;
        let label = session.label(table.schema.unwrap_or(&session.schema), read.name);
        Ok(Ground { desk, aim: self.aim.clone(), session, table, label })
    }
}

impl fmt::Debug for Rollups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tables: Vec<_> = self.tables.iter().map(|table| table.entity).collect();
        f.debug_struct("Rollups").field("rollups", &tables).finish()
    }
}

/// A session, and the rollup that it works on.
struct Ground {
    desk: Desk,
    aim: Aim,
    session: Session,
    /// The table behind it.
    table: &'static Table,
    label: String,
}

impl Ground {
    fn placed(&self) -> Result<Placed<'static>> {
        let placed = placed(&self.session, self.table);
        placed.ok_or_else(|| Error::new(ErrorKind::Schema, format!("{} is no rollup", self.label)))
    }

    /// The value of the parameter `$1`, a tenant's key as text, as an expression of the key's type.
    fn tenant(&self) -> String {
        let column = self.table.distribution_column().and_then(|column| self.table.column(column));
        format!("$1::{}", column.map_or("text", |column| column.sql_type))
    }

    async fn tenants(&self) -> Result<Vec<String>> {
        let placed = self.placed()?;
        let key = |table: &Table| table.distribution_column().map(quote_ident).unwrap_or_default();
        let sql = format!(
            "SELECT tenant::text FROM (SELECT {} AS tenant FROM {} UNION SELECT {} FROM {}) tenants ORDER BY 1",
            key((placed.rollup.of)()),
            placed.source,
            key(self.table),
            placed.parts
        );
        self.desk.query(&sql, &[]).await?.iter().map(|row| column(row, 0)).collect()
    }

    async fn verify(&self, tenant: Option<&str>) -> Result<Verification> {
        let placed = self.placed()?;
        let client = self.desk.client();
        let comparing = self.desk.send(async {
            target::prepare(client, self.aim.target).await?;
            let covered = covered(placed.rollup, &self.source(&placed).await?);
            let value = tenant.is_some().then(|| self.tenant());
            let differences = placed.differences(value.as_deref(), covered.as_deref());
            let columns: Vec<String> =
                self.columns(&placed).map(|name| format!("{}::text", quote_ident(name))).collect();
            let sql = format!(
                "SELECT {} FROM ({differences}) differences LIMIT {}",
                columns.join(", "),
                Verification::MOST + 1
            );
            let params: Vec<Param<'_>> = tenant.iter().map(|tenant| (tenant as _, Type::TEXT)).collect();
            Ok((covered.is_some(), query(client, &sql, &params).await?))
        });
        let (is_partial, rows) = self.desk.transaction(comparing).await?;
        let mut differing: Vec<DifferingGroup> =
            rows.iter().map(|row| self.group(&placed, row)).collect::<Result<_>>()?;
        let has_more = differing.len() > Verification::MOST;
        differing.truncate(Verification::MOST);
        Ok(Verification { rollup: self.label.clone(), differing, has_more, is_partial })
    }

    /// The columns that `differences` has, in its order.
    fn columns<'a>(&self, placed: &'a Placed<'a>) -> impl Iterator<Item = &'a str> {
        let groups = placed.rollup.groups.iter().map(|group| group.column);
        groups.chain([ROWS]).chain(placed.rollup.aggregates.iter().map(|aggregate| aggregate.column))
    }

    fn group(&self, placed: &Placed<'_>, row: &Row) -> Result<DifferingGroup> {
        let of_group = placed.rollup.groups.len();
        let (mut group, mut lacks) = (Vec::new(), Vec::new());
        for (at, name) in self.columns(placed).enumerate() {
            let value: String = column(row, at)?;
            match at < of_group {
                true => group.push((name.to_owned(), value)),
                false if value.trim_end_matches('0').trim_end_matches('.').is_empty() => {}
                false => lacks.push((name.to_owned(), value)),
            }
        }
        Ok(DifferingGroup { group, lacks })
    }

    /// One tenant's groups, in a transaction of its own. No partition comes or goes meanwhile.
    async fn repair(&self, tenant: &str) -> Result<u64> {
        let placed = self.placed()?;
        let client = self.desk.client();
        loop {
            let repairing = self.desk.send(async {
                target::prepare(client, self.aim.target).await?;
                execute(client, &format!("SELECT pg_catalog.pg_advisory_xact_lock({LOCK})")).await?;
                let before = covered(placed.rollup, &self.source(&placed).await?);
                let sql = placed.correct(Some(&self.tenant()), before.as_deref());
                let corrected = query(client, &format!("{sql} RETURNING 1"), &[(&tenant, Type::TEXT)]).await?.len();
                // Whoever changes partitions by hand knows of no lock. From here on the statement's own keeps them out.
                let after = covered(placed.rollup, &self.source(&placed).await?);
                if before != after {
                    return Err(Error::new(ErrorKind::Schema, PARTITIONS_CHANGED));
                }
                Ok(corrected)
            });
            match self.desk.transaction(repairing).await {
                Ok(corrected) => return Ok(u64::try_from(corrected).unwrap_or(u64::MAX)),
                Err(error) if error.to_string().contains(PARTITIONS_CHANGED) => {}
                Err(error) => return Err(error.during(format!("repair {}", self.label))),
            }
        }
    }

    async fn source(&self, placed: &Placed<'_>) -> Result<Relation> {
        let source = (placed.rollup.of)();
        let schema = source.schema.unwrap_or(&self.session.schema).to_owned();
        let found = relations(self.desk.client(), &[(schema, source.name.to_owned())]).await?;
        found.into_iter().next().ok_or_else(|| {
            let message = format!("there is no table {}: apply the schema first", placed.source);
            Error::new(ErrorKind::Schema, message)
        })
    }
}

const PARTITIONS_CHANGED: &str = "partitions have changed meanwhile";
