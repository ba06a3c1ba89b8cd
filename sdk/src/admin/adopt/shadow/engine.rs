//! The sessions of a shadow at work, and where it stands.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_postgres::error::SqlState;

use super::copying::{Piece, Reader, some_owed};
use super::follow::{Follower, snapshot};
use super::handle::Status;
use super::journal::{self, Copied, State};
use super::spelling;
use super::table::Table;
use super::writer::Writer;
use crate::cluster::Core;
use crate::error::{Error, ErrorKind, Result};

/// One process works on a shadow: this is the advisory lock of the new database that says so.
const TURN: i64 = 0x7368_6164_6f77;
/// How long it is waited for another one that is just ending.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(50);
const REST: Duration = Duration::from_millis(500);
/// How long a look may take in which writers wait, and how long a shorter one is waited for.
const SHORT: Duration = Duration::from_millis(100);
const ROUND: Duration = Duration::from_secs(20);

pub(super) struct Engine {
    pub(super) follower: Follower,
    pub(super) reader: Reader,
    slot: String,
    state: State,
    copied: Vec<Copied>,
    /// Rows that were read while others were written.
    ahead: Option<Piece>,
    /// How many rows and bytes the old side had when it was opened.
    size: (u64, u64),
    /// Before the next look.
    rest: Duration,
}

impl Engine {
    /// Goes on from where the journal says.
    pub(super) async fn open(
        old: &Core,
        new: &Core,
        slot: &str,
        tables: Arc<[Table]>,
        size: (u64, u64),
    ) -> Result<Self> {
        let writer = Writer::open(new, slot).await?;
        let since = Instant::now();
        while !writer.desk.try_turn(TURN).await? {
            if since.elapsed() > PATIENCE {
                let message = "another process works on the shadow: end it first, and this one goes on from there";
                return Err(Error::new(ErrorKind::Usage, message));
            }
            tokio::time::sleep(PAUSE).await;
        }
        let journal = journal::read(&writer.desk, slot, &tables).await?;
        let journal =
            journal.ok_or_else(|| Error::new(ErrorKind::Usage, "the shadow has not begun: begin it first"))?;
        if journal.state == State::Switched {
            return Err(switched());
        }
        let (stream, reader) = (spelling::open(old).await?, Reader::new(spelling::open(old).await?));
        let mut engine = Self {
            follower: Follower::new(stream, writer, tables, slot, journal.applied),
            reader,
            slot: slot.to_owned(),
            state: journal.state,
            copied: journal.tables,
            ahead: None,
            size,
            rest: Duration::ZERO,
        };
        engine.follower.is_copying = matches!(journal.state, State::Begun | State::Copying);
        engine.first_look().await?;
        if engine.state == State::Begun {
            engine.wait_for_open_transactions().await?;
            engine.set_state(State::Copying).await?;
        }
        Ok(engine)
    }

    /// A session that has died may have the slot for a moment still.
    async fn first_look(&mut self) -> Result<()> {
        let since = Instant::now();
        loop {
            match self.follower.poll(None).await {
                Err(error) if error.code() == Some(&SqlState::OBJECT_IN_USE) && since.elapsed() < PATIENCE => {
                    tokio::time::sleep(PAUSE).await;
                }
                answer => return answer.map(drop),
            }
        }
    }

    /// What was committed before the slot tells anything, and is not seen by others yet, would be missed by both.
    async fn wait_for_open_transactions(&self) -> Result<()> {
        let begun = snapshot(&self.reader.desk).await?;
        while snapshot(&self.reader.desk).await?.min < begun.max {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    pub(super) async fn set_state(&mut self, state: State) -> Result<()> {
        journal::set_state(&self.follower.writer.desk, &self.slot, state).await?;
        self.state = state;
        Ok(())
    }

    /// Copies some rows, where there are any to copy, and applies what has changed.
    pub(super) async fn step(&mut self) -> Result<()> {
        if self.state == State::Copying {
            return self.copy().await;
        }
        // Each look has the old server read its log again from further back: it rests for as long as it has worked.
        tokio::time::sleep(self.rest).await;
        let began = Instant::now();
        self.follower.poll(None).await?;
        self.rest = if self.follower.is_even { began.elapsed().clamp(PAUSE, REST) } else { Duration::ZERO };
        Ok(())
    }

    /// Waits until a look takes no time to speak of: every fifteen seconds the old server notes in its log which transactions are open, and
    /// from there it has to read.
    pub(super) async fn wait_for_a_short_look(&mut self) -> Result<()> {
        let (since, mut longest) = (Instant::now(), Duration::ZERO);
        while since.elapsed() < ROUND {
            let began = Instant::now();
            self.follower.poll(None).await?;
            let took = began.elapsed();
            longest = longest.max(took);
            // Or as little as may be here.
            if self.follower.is_even && (took < SHORT || took * 3 < longest) {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    async fn copy(&mut self) -> Result<()> {
        let tables = self.follower.tables.clone();
        let piece = match self.ahead.take() {
            Some(piece) => piece,
            None => match self.copied.iter().position(|copied| !copied.is_copied) {
                Some(number) => {
                    let after = self.copied[number].position.clone();
                    self.reader.next(number, &tables[number], after.as_deref()).await?
                }
                None => match some_owed(&self.follower.writer.desk, &self.slot, &tables).await? {
                    Some((number, keys)) => self.reader.owed(number, &tables[number], keys).await?,
                    None => {
                        self.follower.is_copying = false;
                        return self.set_state(State::Following).await;
                    }
                },
            },
        };
        self.follower.in_use = Some(piece.snapshot.clone());
        let number = piece.table;
        let next = piece.next_after();
        let reading = async {
            match next {
                Some(after) => self.reader.next(number, &tables[number], Some(&after)).await.map(Some),
                None => Ok(None),
            }
        };
        let writing = piece.write(&mut self.follower, &self.slot, &mut self.copied[number]);
        let (ahead, written) = futures_util::join!(reading, writing);
        written?;
        self.ahead = ahead?;
        self.follower.in_use = self.ahead.as_ref().map(|piece| piece.snapshot.clone());
        Ok(())
    }

    pub(super) fn status(&self) -> Status {
        let follower = &self.follower;
        Status {
            state: self.state,
            applied: follower.applied,
            lag_bytes: follower.flushed.bytes_after(follower.reached.max(follower.applied)),
            lag: follower.even_at.elapsed(),
            tables: self.copied.len(),
            copied_tables: self.copied.iter().filter(|copied| copied.is_copied).count(),
            copied_rows: self.copied.iter().map(|copied| u64::try_from(copied.rows).unwrap_or(0)).sum(),
            rows: self.size.0,
            bytes: self.size.1,
            changes: follower.changes,
        }
    }

    /// Fails while rows are still to be copied.
    pub(super) fn must_be_copied(&self) -> Result<()> {
        match self.state {
            State::Begun | State::Copying => {
                Err(Error::new(ErrorKind::Usage, "rows are still to be copied: follow until they are"))
            }
            State::Following | State::Closed => Ok(()),
            State::Switched => Err(switched()),
        }
    }
}

pub(super) fn switched() -> Error {
    let message = "the switch to the new side has begun or is done: what is written there would be lost by a way back";
    Error::new(ErrorKind::Usage, message)
}
