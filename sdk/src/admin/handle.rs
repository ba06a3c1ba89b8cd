//! The commands on a cluster.

use std::fmt;
use std::sync::Arc;

use super::partitions::Partitions;
use super::placement::Placement;
use super::rollups::Rollups;
use super::target::Aim;
use super::views::Views;
use super::{Consent, Diff, Plan, Progress, Report, Target, commands, placement};
use crate::cluster::Core;
use crate::config::Mode;
use crate::entity::Schema;
use crate::error::Result;
use crate::pool::Connection;

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
        let report =
            commands::apply(connection.client_mut(), self.aim(), schema.tables(), consent, &mut progress).await?;
        if self.core.mode() == Mode::Citus {
            placement::install_if_allowed(connection.client()).await?;
            // So that this client knows the tables at once. Where no node tells it now, it learns of them as others do.
            drop(self.core.refresh().await);
        }
        Ok(report)
    }

    /// What differs between the entities and the database, in both directions. Nothing is changed.
    ///
    /// # Errors
    /// As for [`plan`](Self::plan).
    pub async fn diff(&self, schema: &Schema) -> Result<Diff> {
        commands::diff(self.connect().await?.client_mut(), self.aim(), schema.tables()).await
    }

    fn aim(&self) -> Aim {
        let target = match self.core.mode() {
            Mode::Citus => Target::Citus { shard_count: self.core.config().shard_count },
            Mode::Single | Mode::Auto => Target::Plain,
        };
        Aim::new(target, self.core.config().policy.clone())
    }

    /// The partitions of the schema's entities with `partition_by`.
    #[must_use]
    pub fn partitions(&self, schema: &Schema) -> Partitions {
        Partitions::new(self.core.clone(), self.aim(), schema.tables())
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
