//! The commands.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio_postgres::types::Type;

use super::check::{Between, Found};
use super::close;
use super::cut_over::{self, CutOver, CutOverOptions};
use super::engine::{Engine, switched};
use super::follow::PUBLICATION;
use super::journal::{self, State};
use super::lsn::Lsn;
use super::obstacle::Obstacle;
use super::spelling;
use super::table::{ShadowTable, Table};
use super::verify::{Verification, VerifyOptions, verify};
use crate::admin::Admin;
use crate::admin::desk::Desk;
use crate::admin::wire::{column, only};
use crate::cluster::Core;
use crate::error::{Error, ErrorKind, Result};

/// How often, and after which pause, it is gone on after a session was lost.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(500);

/// Keeps the tables of one database equal on another one, and switches over. See the [module](super) for how.
///
/// ```no_run
/// # use shardwise::Cluster;
/// # use shardwise::admin::adopt::shadow::{CutOverOptions, Shadow, ShadowTable, VerifyOptions};
/// # async fn f(old: Cluster, new: Cluster) -> Result<(), Box<dyn std::error::Error>> {
/// let found = old.admin().adopt().inspect_with(&std::fs::read_to_string("adopt.toml")?).await?;
/// let mut shadow = Shadow::between(&old, &new, ShadowTable::of(&found));
/// shadow.begin().await?;
/// shadow.follow_until(|status| status.is_copied()).await?;     // hours, while services write
/// assert!(shadow.verify(&VerifyOptions::default()).await?.is_equal());
/// let done = shadow.cut_over(&CutOverOptions::default(), || async { Ok(()) /* services take the new configuration */ }).await?;
/// println!("nobody could write for {:?}", done.pause);
/// # Ok(())
/// # }
/// ```
pub struct Shadow {
    old: Arc<Core>,
    new: Arc<Core>,
    wanted: Vec<ShadowTable>,
    engine: Option<Engine>,
}

/// How far a shadow is.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// What it is about.
    pub state: State,
    /// All changes before this place in the old side's log are on the new side.
    pub applied: Lsn,
    /// How much of that log was still to be looked at when it was last looked.
    pub lag_bytes: u64,
    /// How long ago the new side was where the old one was: an upper bound of how old it is.
    #[serde(rename = "lag_ms", serialize_with = "crate::json::millis")]
    pub lag: Duration,
    /// How many tables there are.
    pub tables: usize,
    /// How many of them are copied.
    pub copied_tables: usize,
    /// How many rows were copied, by this process and those before.
    pub copied_rows: u64,
    /// How many rows the old side has, as its planner estimates.
    pub rows: u64,
    /// How many bytes its tables have, with their indexes.
    pub bytes: u64,
    /// How many changes this process has applied.
    pub changes: u64,
}

impl Status {
    /// Whether all rows that were there are copied.
    #[must_use]
    pub fn is_copied(&self) -> bool {
        matches!(self.state, State::Following | State::Closed)
    }
}

impl Shadow {
    /// Of these tables, from `old` to `new`. Nothing is sent yet.
    #[must_use]
    pub fn between(old: impl Into<Admin>, new: impl Into<Admin>, tables: Vec<ShadowTable>) -> Self {
        Self { old: old.into().core().clone(), new: new.into().core().clone(), wanted: tables, engine: None }
    }

    /// What has to be otherwise before it can begin, with the statements that do it. Nothing is changed.
    ///
    /// # Errors
    /// When a side can't be asked.
    pub async fn obstacles(&self) -> Result<Vec<Obstacle>> {
        Ok(self.look().await?.0.obstacles)
    }

    /// Begins: from now on the old side keeps what its services write in its log until the new side has it. Where the shadow has begun, it
    /// is looked whether it can go on.
    ///
    /// It waits for the transactions that are open on the old side.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`] with all that is in the way, or where tables of the new side have rows; [`ErrorKind::Usage`] where what the
    /// shadow has begun is lost: [`abandon`](Self::abandon) it, and begin again.
    pub async fn begin(&mut self) -> Result<()> {
        let (Found { tables, obstacles, version, .. }, slot, [old, new]) = self.look().await?;
        if !obstacles.is_empty() {
            let list: Vec<String> = obstacles.iter().map(ToString::to_string).collect();
            return Err(Error::new(ErrorKind::Schema, list.join("; ")));
        }
        let is_there = !old
            .query("SELECT FROM pg_catalog.pg_replication_slots WHERE slot_name = $1", &[(&slot, Type::TEXT)])
            .await?
            .is_empty();
        if journal::read(&new, &slot, &tables).await?.is_some() {
            if is_there {
                return Ok(());
            }
            let message = format!(
                "the replication slot {slot} of the old server is gone, and with it changes that were not applied: abandon the shadow, \
                 empty the tables of the new side, and begin it again"
            );
            return Err(Error::new(ErrorKind::Usage, message));
        }
        for table in &tables {
            let rows = new.query(&format!("SELECT 1 FROM {} LIMIT 1", table.at), &[]).await?;
            if !rows.is_empty() {
                let message = format!("{} has rows on the new side, and nobody knows whose: empty it", table.name);
                return Err(Error::new(ErrorKind::Schema, message));
            }
        }
        // Of a try that did not get as far as the journal.
        drop_leftovers(&old, &slot).await?;
        let names: Vec<&str> = tables.iter().map(|table| table.at.as_str()).collect();
        let options = if version >= 130_000 { " WITH (publish_via_partition_root = true)" } else { "" };
        old.batch(&format!("CREATE PUBLICATION {PUBLICATION} FOR TABLE {}{options}", names.join(", "))).await?;
        const SLOT: &str = "SELECT lsn::text FROM pg_catalog.pg_create_logical_replication_slot($1, 'pgoutput')";
        let rows = old.query(SLOT, &[(&slot, Type::TEXT)]).await?;
        let from: Lsn = column::<String>(only(&rows)?, 0)?.parse()?;
        journal::begin(&new, &slot, from, &tables).await
    }

    /// Copies rows and applies changes until this is so of where it stands. Dropped half-way, or when the process dies, it goes on from
    /// there the next time. A session that is lost is opened again.
    ///
    /// # Errors
    /// When a side can't be asked for longer; [`ErrorKind::Usage`] where the shadow has not begun or another process works on it;
    /// [`ErrorKind::Schema`] where the sides have come apart.
    pub async fn follow_until(&mut self, mut is_so: impl FnMut(&Status) -> bool) -> Result<Status> {
        let mut failures = 0;
        loop {
            let step = async {
                let mut engine = self.engine().await?;
                engine.step().await?;
                Ok(engine)
            };
            match step.await {
                Ok(engine) => {
                    let status = engine.status();
                    self.engine = Some(engine);
                    failures = 0;
                    if is_so(&status) {
                        return Ok(status);
                    }
                }
                Err(error) => {
                    failures += 1;
                    self.again(error, failures).await?;
                }
            }
        }
    }

    async fn again(&self, error: Error, failures: u32) -> Result<()> {
        if !(error.is_retryable() || error.ended_the_session()) || failures > TRIES {
            return Err(error);
        }
        tracing::warn!(%error, "the shadow lost a session, and goes on");
        tokio::time::sleep(PAUSE).await;
        Ok(())
    }

    /// Holds the rows of both sides against each other: counts and checksums of each tenant in each table, and where they differ the keys of
    /// some rows. Each table is compared at one place of the old side's log, while services write; until that is done, what they write is
    /// not brought to the new side.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] while rows are still to be copied; as [`follow_until`](Self::follow_until).
    pub async fn verify(&mut self, options: &VerifyOptions) -> Result<Verification> {
        self.verify_with(options, |_, _| {}).await
    }

    /// The same, with `progress` called before each table, with its number from 0.
    ///
    /// # Errors
    /// As for [`verify`](Self::verify).
    pub async fn verify_with(
        &mut self,
        options: &VerifyOptions,
        mut progress: impl FnMut(usize, &crate::admin::adopt::Name),
    ) -> Result<Verification> {
        let mut engine = self.engine().await?;
        engine.must_be_copied()?;
        let Engine { follower, reader, .. } = &mut engine;
        let found =
            verify(follower, reader, options, false, |number, table: &Table| progress(number, &table.name)).await?;
        self.engine = Some(engine);
        Ok(found)
    }

    /// Takes services to the new side: waits until that is nearly even, has the old side's writers wait, brings over the rest, sets
    /// sequences, compares the rows that were changed last, closes the old side for good, and calls `switch`, which has services use the new
    /// side. See [`CutOver`] for what is measured, and [the module](super) for what is so when it breaks off.
    ///
    /// # Errors
    /// Until `switch` is called, the old side takes writes as before, and it can be called again: as for
    /// [`follow_until`](Self::follow_until), [`ErrorKind::Schema`] where rows differ, and where transactions on the old side don't end in time.
    /// An error of `switch` says that nothing uses the new side: the old one is opened again.
    pub async fn cut_over<F: Future<Output = Result<()>>>(
        &mut self,
        options: &CutOverOptions,
        switch: impl FnOnce() -> F,
    ) -> Result<CutOver> {
        self.follow_until(|status| status.is_copied() && status.lag_bytes <= options.lag_bytes).await?;
        let mut engine = self.engine().await?;
        engine.wait_for_a_short_look().await?;
        let gate = spelling::open(&self.old).await?;
        let done = cut_over::cut_over(&mut engine, &gate, options, switch).await?;
        drop(engine);
        let slot = slot_of(&gate).await?;
        drop_leftovers(&gate, &slot).await?;
        Ok(done)
    }

    /// Opens the old side again after a [`cut_over`](Self::cut_over) that broke off before it called `switch`: that is the point of no return.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] behind that point; when a side can't be asked.
    pub async fn roll_back(&mut self) -> Result<()> {
        let mut engine = self.engine().await?;
        engine.must_be_copied()?;
        let gate = spelling::open(&self.old).await?;
        close::open(&gate, &engine.follower.tables).await?;
        engine.set_state(State::Following).await?;
        self.engine = Some(engine);
        Ok(())
    }

    /// How far it is by its journal, whoever works on it; `None` where it has not begun.
    ///
    /// # Errors
    /// When a side can't be asked.
    pub async fn status(&self) -> Result<Option<Status>> {
        let (Found { tables, rows, bytes, .. }, slot, [old, new]) = self.look().await?;
        let Some(journal) = journal::read(&new, &slot, &tables).await? else { return Ok(None) };
        let place = old.query("SELECT pg_catalog.pg_current_wal_flush_lsn()::text", &[]).await?;
        let flushed: Lsn = column::<String>(only(&place)?, 0)?.parse()?;
        Ok(Some(Status {
            state: journal.state,
            applied: journal.applied,
            lag_bytes: flushed.bytes_after(journal.applied),
            lag: Duration::ZERO,
            tables: tables.len(),
            copied_tables: journal.tables.iter().filter(|copied| copied.is_copied).count(),
            copied_rows: journal.tables.iter().map(|copied| u64::try_from(copied.rows).unwrap_or(0)).sum(),
            rows,
            bytes,
            changes: 0,
        }))
    }

    /// Ends it: the slot and the publication of the old side and the journal of the new one go, and the rows of the new side stay. A slot that
    /// nobody reads keeps the log of the old server, until its disk is full.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] after a switch; when a side can't be asked.
    pub async fn abandon(&mut self) -> Result<()> {
        self.engine = None;
        let (Found { tables, .. }, slot, [old, new]) = self.look().await?;
        if let Ok(Some(journal)) = journal::read(&new, &slot, &tables).await {
            match journal.state {
                State::Switched => return Err(switched()),
                State::Closed => close::open(&old, &tables).await?,
                State::Begun | State::Copying | State::Following => {}
            }
        }
        journal::remove(&new, &slot).await?;
        drop_leftovers(&old, &slot).await
    }

    /// The sessions at work, which are taken out: whoever breaks off in between has them opened anew.
    async fn engine(&mut self) -> Result<Engine> {
        if let Some(engine) = self.engine.take() {
            return Ok(engine);
        }
        let (Found { tables, obstacles, rows, bytes, .. }, slot, _) = self.look().await?;
        if tables.len() < self.wanted.len() {
            let list: Vec<String> = obstacles.iter().map(ToString::to_string).collect();
            return Err(Error::new(ErrorKind::Schema, list.join("; ")));
        }
        Engine::open(&self.old, &self.new, &slot, tables.into(), (rows, bytes)).await
    }

    async fn look(&self) -> Result<(Found, String, [Desk; 2])> {
        let (old, new) = (spelling::open(&self.old).await?, spelling::open(&self.new).await?);
        are_apart(&old, &new).await?;
        let slot = slot_of(&old).await?;
        let between = Between { old: &old, new: &new, mode: self.new.mode(), slot: &slot };
        let found = between.look(&self.wanted).await?;
        Ok((found, slot, [old, new]))
    }
}

impl fmt::Debug for Shadow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shadow").field("tables", &self.wanted.len()).finish_non_exhaustive()
    }
}

/// A database that were copied to itself would be emptied by its own truncates.
async fn are_apart(old: &Desk, new: &Desk) -> Result<()> {
    const WHICH: &str = "\
        SELECT pg_catalog.pg_postmaster_start_time()::text || ' ' || pg_catalog.current_database() || ' ' || \
        coalesce(pg_catalog.inet_server_port(), 0)";
    let (old, new) = futures_util::join!(old.query(WHICH, &[]), new.query(WHICH, &[]));
    let (old, new): (String, String) = (column(only(&old?)?, 0)?, column(only(&new?)?, 0)?);
    if old == new {
        let message =
            "the old side and the new one are the same database: does a variable go over what the profiles say?";
        return Err(Error::new(ErrorKind::Usage, message));
    }
    Ok(())
}

/// A server has each name once, for all its databases.
async fn slot_of(old: &Desk) -> Result<String> {
    const ASK: &str =
        "SELECT 'shardwise_shadow_' || oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()";
    column(only(&old.query(ASK, &[]).await?)?, 0)
}

async fn drop_leftovers(old: &Desk, slot: &str) -> Result<()> {
    let since = tokio::time::Instant::now();
    const DROP: &str = "SELECT pg_catalog.pg_drop_replication_slot(slot_name) FROM pg_catalog.pg_replication_slots WHERE slot_name = $1";
    // A session that has just ended may have it still.
    while let Err(error) = old.query(DROP, &[(&slot, Type::TEXT)]).await {
        if error.code() != Some(&tokio_postgres::error::SqlState::OBJECT_IN_USE) || since.elapsed() > PAUSE * TRIES {
            return Err(error);
        }
        tokio::time::sleep(PAUSE).await;
    }
    old.batch(&format!("SET client_min_messages = warning; DROP PUBLICATION IF EXISTS {PUBLICATION}")).await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a service runs in a task of its own has to be able to.
    #[allow(dead_code)]
    fn work_can_go_elsewhere(shadow: &'static mut Shadow, other: &'static mut Shadow, more: &'static mut Shadow) {
        fn elsewhere<T: Send>(_: T) {}
        elsewhere(shadow.follow_until(|_| true));
        elsewhere(async { other.cut_over(&CutOverOptions::default(), || async { Ok(()) }).await });
        elsewhere(async { more.verify(&VerifyOptions::default()).await });
    }
}
