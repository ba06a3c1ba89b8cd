//! The commands on a cluster.

use std::fmt;
use std::sync::Arc;

#[cfg(feature = "adopt")]
use super::adopt::Adopt;
use super::denormalized::Denormalized;
use super::partitions::Partitions;
use super::placement::Placement;
use super::rollups::Rollups;
use super::target::Aim;
use super::views::Views;
use super::{Consent, Diff, Plan, Progress, Report, Step, advise, commands, placement};
use crate::advise::{Advice, AdviceOptions};
use crate::cluster::Core;
use crate::config::Mode;
use crate::entity::Schema;
use crate::error::Result;
use crate::pool::Connection;
use crate::schema::partition;

/// Of an apply that failed behind its transactions.
const KEPT: &str = "all other changes of the schema are made and stay, and the next apply goes on from there";

/// Brings a cluster's database to the schema of its entities. Made by [`Cluster::admin`](crate::Cluster::admin).
///
/// ```no_run
/// use shardwise::admin::Consent;
/// # use shardwise::{Cluster, Entity, Schema, Uuid};
/// # #[derive(Entity)]
/// # #[entity(table = "wallets", distributed_by = festival_id)]
/// # struct Wallet { festival_id: Uuid, #[entity(key)] id: Uuid, balance: i64 }
///
/// # async fn f(cluster: Cluster) -> shardwise::Result<()> {
/// let schema = Schema::new().with::<Wallet>();
/// println!("{}", cluster.admin().plan(&schema).await?); // SQL that a person can read
/// cluster.admin().apply(&schema).await?; // any number of services may start at once
/// assert!(cluster.admin().diff(&schema).await?.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Admin {
    core: Arc<Core>,
}

impl Admin {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    #[cfg(feature = "adopt")]
    pub(in crate::admin) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// What the tables of a grown database are.
    #[must_use]
    #[cfg(feature = "adopt")]
    pub fn adopt(&self) -> Adopt {
        Adopt::new(self.core.clone())
    }

    /// What [`apply`](Self::apply) would do. Nothing is changed.
    ///
    /// # Errors
    /// When the entities don't fit together, when the server refuses a definition, or when it can't be reached.
    pub async fn plan(&self, schema: &Schema) -> Result<Plan> {
        self.plan_with(schema, &Consent::none()).await
    }

    /// What [`apply_with`](Self::apply_with) would do with this consent. Nothing is changed.
    ///
    /// # Errors
    /// As for [`plan`](Self::plan).
    pub async fn plan_with(&self, schema: &Schema, consent: &Consent) -> Result<Plan> {
        commands::plan(self.connect().await?.client_mut(), self.aim(), schema.tables(), consent).await
    }

    /// Brings the database to what the entities say. Nothing is lost, and nothing happens that needs a consent.
    ///
    /// # Errors
    /// As for [`plan`](Self::plan), and when a step fails: the error tells whether anything was changed.
    pub async fn apply(&self, schema: &Schema) -> Result<Report> {
        self.apply_with(schema, &Consent::none(), |_| {}).await
    }

    /// The same, with a consent to what could lose something, and with `progress` called before each step.
    ///
    /// # Errors
    /// As for [`apply`](Self::apply).
    pub async fn apply_with(
        &self,
        schema: &Schema,
        consent: &Consent,
        mut progress: impl FnMut(Progress<'_>) + Send,
    ) -> Result<Report> {
        let mut connection = self.connect().await?;
        let aim = self.aim().with_core(self.core.clone());
        let mut report = commands::apply(connection.client_mut(), aim, schema.tables(), consent, &mut progress).await?;
        let (partitions, number, total) = report.partitions();
        if !partitions.is_empty() {
            let titles: Vec<&str> = partitions.iter().map(Step::title).collect();
            progress(Progress { number, total, title: &titles.join("; ") });
            let tables: Vec<_> =
                schema.tables().iter().copied().filter(|table| report.lacks_partitions(table)).collect();
            let partitions = Partitions::new(self.core.clone(), self.aim(), &tables);
            let made = partitions.create_future(partition::AHEAD).await;
            report.made(&made.map_err(|error| error.during(KEPT))?);
        }
        let (fillings, first, total) = report.fillings();
        let denormalized = self.denormalized(schema);
        for (number, step) in (first..).zip(fillings) {
            progress(Progress { number, total, title: step.title() });
            let took = denormalized.complete(&step, &mut progress).await;
            report.filled(step, took.map_err(|error| error.during(KEPT))?);
        }
        if self.core.mode() == Mode::Citus {
            placement::install_if_allowed(connection.client()).await?;
            // So that this client knows the tables at once. Where no node tells it now, it learns of them as others do.
            drop(self.core.refresh().await);
        }
        Ok(report)
    }

    /// What differs between the entities and the database, in both directions. Nothing is changed. Of tables with
    /// [denormalised columns](super::denormalized) all rows are read.
    ///
    /// # Errors
    /// As for [`plan`](Self::plan).
    pub async fn diff(&self, schema: &Schema) -> Result<Diff> {
        let mut diff = commands::diff(self.connect().await?.client_mut(), self.aim(), schema.tables()).await?;
        diff.differences.extend(self.denormalized(schema).differences().await?);
        Ok(diff)
    }

    fn aim(&self) -> Aim {
        Aim::of(self.core.config(), self.core.mode())
    }

    /// What the database needs next: the checklist of its level with what is there and what is missing, what was found, and the
    /// next step. See [`advise`](crate::advise) for levels and steps.
    ///
    /// It reads catalogs and counters on each node, and the directory of tenants, with limits of time; nothing is changed. A node
    /// that can't be asked is told of, and so is what this role may not see: `GRANT pg_monitor` shows all. It takes as long as
    /// [`AdviceOptions::watch`].
    ///
    /// ```
    /// # use shardwise::{Cluster, Entity, Schema, Uuid};
    /// # use shardwise::advise::{AdviceOptions, FindingKind};
    /// # #[derive(Entity)]
    /// # #[entity(table = "wallets", distributed_by = festival_id)]
    /// # struct Wallet { festival_id: Uuid, #[entity(key)] id: Uuid, balance: i64 }
    /// # async fn f(cluster: Cluster) -> shardwise::Result<()> {
    /// let schema = Schema::new().with::<Wallet>();
    /// let advice = cluster.admin().advise(&schema, &AdviceOptions::for_users(5_000)).await?;
    /// println!("{advice}");
    /// for index in advice.found(FindingKind::MissingIndex) {
    ///     println!("{}: {}", index.subject, index.actions[0]);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) where the options contradict themselves; and when no node can be asked.
    pub async fn advise(&self, schema: &Schema, options: &AdviceOptions) -> Result<Advice> {
        advise::advise(&self.core, schema, options).await
    }

    /// The partitions of the schema's entities with `partition_by`.
    #[must_use]
    pub fn partitions(&self, schema: &Schema) -> Partitions {
        Partitions::new(self.core.clone(), self.aim(), schema.tables())
    }

    /// What of the schema's entities is cached, and having it read anew.
    #[cfg(feature = "cache")]
    #[must_use]
    pub fn cache(&self, schema: &Schema) -> super::Caches {
        super::Caches::new(self.core.clone(), schema)
    }

    /// The schema's denormalised columns: whether rows have what they follow, and how they get it.
    #[must_use]
    pub fn denormalized(&self, schema: &Schema) -> Denormalized {
        Denormalized::new(self.core.clone(), self.aim(), schema.tables())
    }

    /// The schema's rollups: whether they are what their sources are, and how they become so.
    #[must_use]
    pub fn rollups(&self, schema: &Schema) -> Rollups {
        Rollups::new(self.core.clone(), self.aim(), schema.tables())
    }

    /// The schema's materialized views: how old they are, and their refresh.
    #[must_use]
    pub fn views(&self, schema: &Schema) -> Views {
        Views::new(self.core.clone(), self.aim(), schema.tables())
    }

    /// Where tenants' data are, and how they get elsewhere.
    #[must_use]
    pub fn placement(&self) -> Placement {
        Placement::new(self.core.clone())
    }

    /// A connection of its own: a change of the schema takes longer than a pool's limits allow.
    async fn connect(&self) -> Result<Connection> {
        self.core.dedicated_to_coordinator().await
    }
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin").field("mode", &self.core.mode()).finish()
    }
}
