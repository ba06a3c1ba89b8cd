//! The commands.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use serde::Serialize;

use super::keeper::ViewKeeper;
use super::placed;
use super::state::State;
use crate::admin::desk::Desk;
use crate::admin::inspect::Session;
use crate::admin::target::{self, Aim};
use crate::admin::wire::{column, micros, only, query};
use crate::cluster::Core;
use crate::entity::View;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{Bound, Table};

/// Materialized views: how old each is, and its refresh. Made by [`Admin::views`](crate::admin::Admin::views). See the
/// [module](super) for what holds for all of it.
///
/// ```no_run
/// use std::time::Duration;
/// # use shardwise::{Cluster, Entity, Schema, Uuid, View};
/// # #[derive(Entity)]
/// # #[entity(table = "orders", distributed_by = festival_id)]
/// # struct Order { festival_id: Uuid, #[entity(key)] id: Uuid, amount: i64 }
/// #[derive(View)]
/// #[view(
///     name = "festival_revenue",
///     query = "SELECT festival_id, count(*) AS orders, sum(amount) AS revenue FROM orders GROUP BY festival_id",
///     every = "5m"
/// )]
/// struct FestivalRevenue {
///     #[view(key)]
///     festival_id: Uuid,
///     orders: i64,
///     revenue: i64,
/// }
///
/// # async fn f(cluster: Cluster) -> shardwise::Result<()> {
/// let schema = Schema::new().with::<Order>().with::<FestivalRevenue>();
/// cluster.admin().apply(&schema).await?;
/// let keeper = cluster.admin().views(&schema).keep(); // refreshes it for as long as this lives
/// let all = cluster.across_shards("the monthly report");
/// let best = all.select::<FestivalRevenue>().order_by(FestivalRevenue::REVENUE.desc()).limit(10).all().await?;
/// for view in cluster.admin().views(&schema).list().await? {
///     println!("{view}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Views {
    pub(super) core: Arc<Core>,
    aim: Aim,
    pub(super) tables: Vec<&'static Table>,
}

/// A materialized view as it is. Its `Display` is for a person; it serializes for scripts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ViewInfo {
    /// Its name.
    pub name: String,
    /// Whether it is there, and has the definition that it should have; else an apply makes it.
    pub is_current: bool,
    /// When the last refresh began, by the server's clock: what the view shows is no older.
    #[serde(serialize_with = "crate::json::some_moment")]
    pub refreshed: Option<SystemTime>,
    /// How long ago that is, by the server's clock.
    #[serde(rename = "age_ms", serialize_with = "crate::json::some_millis")]
    pub age: Option<Duration>,
    /// How long it took.
    #[serde(rename = "took_ms", serialize_with = "crate::json::some_millis")]
    pub took: Option<Duration>,
    /// How old it may become before a keeper refreshes it.
    #[serde(rename = "every_ms", serialize_with = "crate::json::some_millis")]
    pub every: Option<Duration>,
    /// How many rows it has, as the planner estimates.
    pub rows: u64,
    /// How much it takes on disk, with its index, in bytes.
    pub bytes: u64,
}

/// A refresh that was done. Its `Display` is for a person; it serializes for scripts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Refresh {
    /// The view.
    pub view: String,
    /// How long it took.
    #[serde(rename = "took_ms", serialize_with = "crate::json::millis")]
    pub took: Duration,
}

impl ViewInfo {
    /// Whether it is older than it may be.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        match (self.every, self.age) {
            (Some(every), Some(age)) => age >= every,
            (Some(_), None) => true,
            (None, _) => false,
        }
    }
}

impl Views {
    pub(in crate::admin) fn new(core: Arc<Core>, aim: Aim, tables: &[&'static Table]) -> Self {
        let tables = tables.iter().copied().filter(|table| table.view.is_some()).collect();
        Self { core, aim, tables }
    }

    /// The views, and how old they are.
    ///
    /// # Errors
    /// When the coordinator can't be asked.
    pub async fn list(&self) -> Result<Vec<ViewInfo>> {
        let desk = Desk::open(&self.core).await?;
        let client = desk.client();
        let reading = desk.send(async {
            target::prepare(client, self.aim.target).await?;
            let session = Session::read(client).await?;
            let state = State::read(client, &session, &self.tables).await?;
            let now = query(client, &format!("SELECT {}", micros("pg_catalog.clock_timestamp()")), &[]).await?;
            Ok((session, state, column::<i64>(only(&now)?, 0)?))
        });
        let (session, state, now) = desk.transaction(reading).await?;
        let placed = self.tables.iter().filter_map(|table| placed(&session, table));
        Ok(placed
            .zip(&state.0)
            .map(|(view, found)| {
                let mark = found.as_ref().filter(|found| found.is_populated).and_then(|found| found.mark(&view));
                let moment = |micros: i64| match Bound::from_micros(micros) {
                    Bound::At(time) => Some(time),
                    Bound::Min | Bound::Max => None,
                };
                ViewInfo {
                    name: session.label(&view.schema, view.table.name),
                    is_current: mark.is_some(),
                    refreshed: mark.as_ref().and_then(|mark| moment(mark.refreshed)),
                    age: mark
                        .as_ref()
                        .map(|mark| Duration::from_micros(u64::try_from(now - mark.refreshed).unwrap_or_default())),
                    took: mark.as_ref().map(|mark| Duration::from_micros(mark.micros)),
                    every: view.view.every,
                    rows: found.as_ref().map_or(0, |found| found.rows),
                    bytes: found.as_ref().map_or(0, |found| found.bytes),
                }
            })
            .collect())
    }

    /// Refreshes a view while it is read; one refresh of it at a time, others wait. Returns how long it took.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`] where the schema does not have the view, or the database has it otherwise; and what the query fails
    /// with: the view stays as it was.
    pub async fn refresh<V: View>(&self) -> Result<Duration> {
        Ok(self.refresh_table(V::table()).await?.took)
    }

    /// Refreshes all views, one after the other. One that fails keeps no other from its turn.
    ///
    /// # Errors
    /// The first one, as for [`refresh`](Self::refresh).
    pub async fn refresh_all(&self) -> Result<Duration> {
        let (since, mut failure) = (Instant::now(), None);
        for table in &self.tables {
            failure = failure.or(self.refresh_table(table).await.err());
        }
        failure.map_or_else(|| Ok(since.elapsed()), Err)
    }

    /// Refreshes the views that have `every`, in the background, for as long as what it returns lives. Of all processes that do
    /// this on one database, one at a time does it.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    #[must_use]
    pub fn keep(&self) -> ViewKeeper {
        ViewKeeper::start(self.clone())
    }

    /// Refreshes one of them.
    pub(crate) async fn refresh_table(&self, table: &'static Table) -> Result<Refresh> {
        if !self.tables.iter().any(|known| std::ptr::eq(*known, table)) {
            let message = format!("`{0}` is not in this schema: add `.with::<{0}>()` to it", table.entity);
            return Err(Error::new(ErrorKind::Schema, message));
        }
        let desk = Desk::open(&self.core).await?;
        let client = desk.client();
        let reading = desk.send(async {
            let session = Session::read(client).await?;
            let state = State::read(client, &session, &[table]).await?;
            Ok((session, state))
        });
        let (session, state) = desk.transaction(reading).await?;
        let Some(view) = placed(&session, table) else {
            return Err(Error::new(ErrorKind::Schema, format!("`{}` is no view", table.entity)));
        };
        let label = session.label(&view.schema, table.name);
        let is_current = state.0.first().and_then(Option::as_ref).is_some_and(|found| found.mark(&view).is_some());
        if !is_current {
            let message = format!("the view {label} is missing, or of another definition: apply the schema");
            return Err(Error::new(ErrorKind::Schema, message));
        }
        let since = Instant::now();
        let refreshed = desk.batch(&view.refresh()).await;
        refreshed.map_err(|error| error.during(format!("refresh {label}")))?;
        Ok(Refresh { view: label, took: since.elapsed() })
    }
}

impl fmt::Display for Refresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} refreshed in {:.0?}", self.view, self.took)
    }
}

impl fmt::Display for ViewInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, rows, bytes, .. } = self;
        match (self.age, self.took) {
            (Some(age), Some(took)) => {
                write!(f, "{name}: {age:.0?} old, refreshed in {took:.0?}, about {rows} rows, {bytes} bytes")?;
                if self.is_stale() { f.write_str(", older than it may be") } else { Ok(()) }
            }
            _ => write!(f, "{name}: missing, or of another definition"),
        }
    }
}

impl fmt::Debug for Views {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tables: Vec<_> = self.tables.iter().map(|table| table.name).collect();
        f.debug_struct("Views").field("views", &tables).finish()
    }
}
