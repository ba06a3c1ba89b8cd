//! COPY of many tenants' rows: each row to the node that owns it, all nodes at once.

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::future::{join_all, try_join_all};
use tokio_postgres::binary_copy::BinaryCopyInWriter;

use super::Tenants;
use crate::cluster::{Core, Way};
use crate::entity::{Distributed, DistributionKey, Params, Writable};
use crate::error::{Error, ErrorKind, Result};
use crate::pool::Lease;
use crate::route::Route;
use crate::routing::{Access, Intent, Need, Target};
use crate::schema::Table;
use crate::session::copy::copy_in_of;
use crate::session::execute::within;
use crate::session::tenant;
use crate::session::terms;
use crate::session::touch::TouchedTenants;
use crate::session::transaction::control;

/// The verb, as errors and spans name it.
const OPERATION: &str = "copy_in";

/// How far a COPY has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CopyProgress {
    /// Rows that were sent.
    pub rows: u64,
    /// Nodes that they went to.
    pub nodes: usize,
}

/// Rows of many tenants on their way in, each to the node that owns it. Made by [`Tenants::copy_in`]. Nothing is stored before
/// [`finish`](Self::finish); dropped, it stores nothing.
#[must_use = "nothing is stored before `finish`"]
pub struct RoutedCopy<K, E> {
    core: Arc<Core>,
    writers: HashMap<Option<i32>, Writer>,
    rows: u64,
    every: u64,
    report: Option<Report>,
    // Why it can't go on.
    failed: bool,
    touched: TouchedTenants,
    entity: PhantomData<fn() -> (K, E)>,
}

type Report = Box<dyn FnMut(CopyProgress) + Send>;

/// The COPY on one node, in a transaction.
struct Writer {
    // Dropped before the connection is cleaned.
    sink: Pin<Box<BinaryCopyInWriter>>,
    lease: Lease,
    route: Route,
}

impl<K: DistributionKey> Tenants<K> {
    /// Starts a COPY of many tenants' rows in the binary format. Each row goes straight to the node that owns its tenant's shard,
    /// and all nodes work at once; one connection per node is taken.
    ///
    /// Rows are stored on all nodes or on none, save that a node is lost in the moment of the COMMITs: then some have theirs and
    /// [`Error::is_outcome_unknown`] holds.
    ///
    /// ```
    /// # use shardwise::{Cluster, Entity, Uuid};
    /// # #[derive(Entity)]
    /// # #[entity(table = "wallets", distributed_by = festival_id)]
    /// # struct Wallet { festival_id: Uuid, #[entity(key)] id: Uuid, balance: i64 }
    /// # async fn f(cluster: Cluster, wallets: Vec<Wallet>) -> shardwise::Result<()> {
    /// let mut copy = cluster.tenants().copy_in::<Wallet>()?.on_progress(100_000, |progress| println!("{} rows", progress.rows));
    /// for wallet in &wallets {
    ///     copy.send(wallet).await?;
    /// }
    /// let stored = copy.finish().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] with row level security, and where residency is strict: there each tenant's rows are written
    /// in its own session, by [`copy_in`](crate::session::Session::copy_in) or [`insert_many`](Self::insert_many).
    pub fn copy_in<E: Distributed<DistributionKey = K> + Writable>(&self) -> Result<RoutedCopy<K, E>> {
        let config = self.core.config();
        if config.policy.is_on() || self.core.residency() == crate::topology::Residency::Strict {
            let message = "row level security and strict residency hold each tenant's rows apart, and one COPY has those of \
                           many: use `copy_in` of each tenant's session, or `tenants().insert_many(…)`";
            return Err(Error::new(ErrorKind::Unsupported, message).of(OPERATION, Some(E::table().entity)));
        }
        Ok(RoutedCopy {
            core: self.core.clone(),
            writers: HashMap::new(),
            rows: 0,
            every: 0,
            report: None,
            failed: false,
            touched: TouchedTenants::default(),
            entity: PhantomData,
        })
    }
}

impl<K: DistributionKey, E: Distributed<DistributionKey = K>> RoutedCopy<K, E> {
    /// Has this called after every so many rows.
    pub fn on_progress(self, every: u64, report: impl FnMut(CopyProgress) + Send + 'static) -> Self {
        Self { every: every.max(1), report: Some(Box::new(report)), ..self }
    }

    /// Sends a row to its node. When the network or the node is slower than we are, this waits.
    ///
    /// # Errors
    /// When the node can't be reached, or has found something wrong with what it was sent before; after an error it is over.
    pub async fn send(&mut self, row: &E) -> Result<()> {
        let table = E::table();
        if self.failed {
            let message = "the COPY failed or was dropped half-way through a row: start a new one";
            return Err(Error::new(ErrorKind::Usage, message).of(OPERATION, Some(table.entity)));
        }
        // Dropped half-way through a row, the stream of bytes is of no use any more.
        self.failed = true;
        let sent = self.send_to_its_node(row).await;
        sent.map_err(|error| error.of(OPERATION, Some(table.entity)))?;
        self.failed = false;
        self.rows += 1;
        if self.report.is_some() && self.rows.is_multiple_of(self.every) {
            let progress = self.progress();
            self.report.iter_mut().for_each(|report| report(progress));
        }
        Ok(())
    }

    async fn send_to_its_node(&mut self, row: &E) -> Result<()> {
        let table = E::table();
        self.touched.add::<E>(&self.core, row.distribution_key());
        let target = tenant::target(&self.core, row.distribution_key()).await?;
        let need = Need::new(Some(table), Access::Write);
        let owner = self.core.owner(target, need);
        let writer = match self.writers.entry(owner) {
            std::collections::hash_map::Entry::Occupied(writer) => writer.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(Writer::start(&self.core, target, need, table).await?)
            }
        };
        let mut params = Params::new();
        row.bind_insert(&mut params);
        let limit = self.core.timeouts(Intent::Tenant).statement;
        let sent = async { Ok(writer.sink.as_mut().write_raw(params.as_slice().iter()).await) };
        let sent = within(limit, sent).await.map_err(|error| writer.of_node(error))?;
        sent.map_err(|error| writer.explain(error))
    }

    /// How far it has come.
    #[must_use]
    pub fn progress(&self) -> CopyProgress {
        CopyProgress { rows: self.rows, nodes: self.writers.len() }
    }

    /// Stores all rows that were sent, and returns their number.
    ///
    /// # Errors
    /// What a node found wrong with any of them; then none is stored. Where a node is lost in the moment of its COMMIT,
    /// [`Error::is_outcome_unknown`] holds, and the message tells how many nodes have stored theirs.
    pub async fn finish(mut self) -> Result<u64> {
        let (touched, core) = (std::mem::take(&mut self.touched), self.core.clone());
        let stored = self.store().await;
        touched.forget(&core).await;
        stored
    }

    async fn store(mut self) -> Result<u64> {
        let entity = Some(E::table().entity);
        if self.failed {
            let message = "the COPY failed or was dropped half-way through a row: nothing is stored";
            return Err(Error::new(ErrorKind::Usage, message).of(OPERATION, entity));
        }
        let limit = self.core.timeouts(Intent::Tenant).statement;
        let ready = try_join_all(self.writers.values_mut().map(|writer| writer.finish()));
        let rows = within(limit, ready).await;
        let rows: Vec<u64> = rows.map_err(|error| error.of(OPERATION, entity))?;
        // All have all of their rows, and have looked at them: what is left can hardly fail.
        let committed = join_all(self.writers.values_mut().map(|writer| writer.commit(limit))).await;
        let stored = committed.iter().filter(|outcome| outcome.is_ok()).count();
        let mut failures: Vec<Error> = committed.into_iter().filter_map(Result::err).collect();
        // The one whose rows may be there or not, before those that were refused.
        failures.sort_by_key(|error| !error.is_outcome_unknown());
        match failures.into_iter().next() {
            None => Ok(rows.iter().sum()),
            Some(error) => {
                let error = if stored > 0 { error.with_unknown_outcome() } else { error };
                let context = format!("{stored} of {} nodes have stored their rows", rows.len());
                Err(error.during(context).of(OPERATION, entity))
            }
        }
    }
}

impl Writer {
    async fn start(core: &Arc<Core>, target: Target, need: Need, table: &'static Table) -> Result<Self> {
        let Way { line: lease, route, .. } = core.way(target, need).await?;
        core.metrics.statement(route, true);
        lease.meters().statement(route);
        let (sql, types) = copy_in_of(table);
        let limit = core.timeouts(target.intent).statement;
        lease.began();
        let started = async {
            let mark = lease.start();
            let client = lease.connection().client();
            let (begun, sink) = futures_util::join!(client.batch_execute("BEGIN"), client.copy_in(&sql));
            mark.done();
            begun.and(sink).map_err(Error::postgres)
        };
        let started = within(limit, started).await;
        let sink = started.map_err(|error| {
            lease.condemn();
            error.on(lease.node()).via(route)
        })?;
        Ok(Self { lease, route, sink: Box::pin(BinaryCopyInWriter::new(sink, &types)) })
    }

    /// Has the node take and look at all rows, also at what it would leave for the COMMIT.
    async fn finish(&mut self) -> Result<u64> {
        let stored = self.sink.as_mut().finish().await.map_err(|error| self.explain(error))?;
        let looked_at = self.lease.connection().client().batch_execute("SET CONSTRAINTS ALL IMMEDIATE").await;
        looked_at.map_err(|error| self.explain(error))?;
        Ok(stored)
    }

    async fn commit(&mut self, limit: std::time::Duration) -> Result<()> {
        let committed = control(&self.lease, "COMMIT", limit).await;
        let committed = terms::committed(self.lease.connection(), committed, self.route);
        committed.map_err(|error| self.of_node(error))?;
        self.lease.ended();
        Ok(())
    }

    fn explain(&self, error: tokio_postgres::Error) -> Error {
        self.of_node(Error::postgres(error))
    }

    fn of_node(&self, error: Error) -> Error {
        self.lease.explain(error).via(self.route)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Not committed: the driver tells the server that the COPY failed, and the lease rolls back before its next user.
        if self.lease.is_in_transaction() {
            self.lease.abandon();
        }
    }
}

impl<K, E> fmt::Debug for RoutedCopy<K, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoutedCopy")
            .field("rows", &self.rows)
            .field("nodes", &self.writers.len())
            .finish_non_exhaustive()
    }
}
