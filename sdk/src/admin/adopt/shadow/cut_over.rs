//! From the old side to the new one.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::close::{self, Closing, Gates};
use super::engine::Engine;
use super::journal::State;
use super::sequences;
use super::table::Table;
use super::verify::{Sides, Verification, VerifyOptions, verify};
use crate::admin::desk::Desk;
use crate::error::{Error, ErrorKind, Result};

/// How many rows are compared by one query.
const ROWS: usize = 100;

/// How services are taken to the new side.
#[derive(Debug, Clone)]
#[must_use]
pub struct CutOverOptions {
    pub(super) lag_bytes: u64,
    lock_timeout: Duration,
    patience: Duration,
    most: Duration,
    sequence_margin: u32,
    compare_all: bool,
}

impl Default for CutOverOptions {
    fn default() -> Self {
        Self {
            lag_bytes: 256 << 10,
            lock_timeout: Duration::from_millis(200),
            patience: Duration::from_secs(60),
            most: Duration::from_secs(2),
            sequence_margin: 1_000,
            compare_all: false,
        }
    }
}

impl CutOverOptions {
    /// How much of the old side's log may be left to be looked at when writers begin to wait; 256 KiB by default.
    pub fn lag_bytes(self, lag_bytes: u64) -> Self {
        Self { lag_bytes, ..self }
    }

    /// How long the locks are waited for at once, and others may wait behind that; 200 ms by default. Below the server's `deadlock_timeout`,
    /// so that it is never a service that gives way.
    pub fn lock_timeout(self, lock_timeout: Duration) -> Self {
        Self { lock_timeout, ..self }
    }

    /// For how long the locks are asked for again; a minute by default.
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// How long writers may wait until the sides are even, or it is given up; 2 s by default.
    pub fn most(self, most: Duration) -> Self {
        Self { most, ..self }
    }

    /// How many numbers the sequences of the new side are set behind those of the old one; 1000 by default.
    pub fn sequence_margin(self, numbers: u32) -> Self {
        Self { sequence_margin: numbers, ..self }
    }

    /// Has all rows compared while writers wait, and not the last thousand alone that were changed: for small databases.
    pub fn compare_all(self) -> Self {
        Self { compare_all: true, ..self }
    }
}

/// What was done, and for how long nobody could write.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct CutOver {
    /// From when the locks that were given were asked for, until `switch` had returned: nobody could write.
    #[serde(rename = "pause_ms", serialize_with = "crate::json::millis")]
    pub pause: Duration,
    /// What of it was waiting for the locks.
    #[serde(rename = "locking_ms", serialize_with = "crate::json::millis")]
    pub locking: Duration,
    /// What of it was bringing over the rest.
    #[serde(rename = "draining_ms", serialize_with = "crate::json::millis")]
    pub draining: Duration,
    /// What of it was setting sequences and comparing.
    #[serde(rename = "comparing_ms", serialize_with = "crate::json::millis")]
    pub comparing: Duration,
    /// What of it was closing the old side for good.
    #[serde(rename = "closing_ms", serialize_with = "crate::json::millis")]
    pub closing: Duration,
    /// What of it was `switch`.
    #[serde(rename = "switching_ms", serialize_with = "crate::json::millis")]
    pub switching: Duration,
    /// How often the locks were asked for and not given in time before; each time somebody may have waited for as long as that.
    pub attempts: u32,
    /// How many changes were brought over in the pause.
    pub changes: u64,
    /// How many rows were compared in it, of those that were changed last.
    pub compared: usize,
    /// The comparison of all rows, where that was asked for.
    pub verification: Option<Verification>,
    /// How many sequences were set.
    pub sequences: usize,
}

/// What is known before the old side is closed for good.
struct Even {
    locking: Duration,
    draining: Duration,
    comparing: Duration,
    changes: u64,
    compared: usize,
    verification: Option<Verification>,
    sequences: usize,
}

pub(super) async fn cut_over<F: Future<Output = Result<()>>>(
    engine: &mut Engine,
    gate: &Desk,
    options: &CutOverOptions,
    switch: impl FnOnce() -> F,
) -> Result<CutOver> {
    let tables = engine.follower.tables.clone();
    let closing = lock(engine, gate, &tables, options).await?;
    let even = tokio::time::timeout(options.most, even(engine, gate, options, &closing)).await;
    let even = match even.unwrap_or_else(|_| Err(too_long(options.most))) {
        Ok(even) => even,
        Err(error) => {
            // With the locks goes all that would have kept writers out.
            drop(gate.batch("ROLLBACK").await);
            return Err(error);
        }
    };
    let began = Instant::now();
    engine.set_state(State::Closed).await?;
    closing.close(gate).await?;
    let closed = began.elapsed();
    // From here on the new side may have what the old one lacks.
    engine.set_state(State::Switched).await?;
    let began = Instant::now();
    if let Err(error) = switch().await {
        close::open(gate, &tables).await?;
        engine.set_state(State::Following).await?;
        return Err(error.during("switch to the new side; the old one takes writes again"));
    }
    Ok(CutOver {
        pause: closing.began.elapsed(),
        locking: even.locking,
        draining: even.draining,
        comparing: even.comparing,
        closing: closed,
        switching: began.elapsed(),
        attempts: closing.attempts,
        changes: even.changes,
        compared: even.compared,
        verification: even.verification,
        sequences: even.sequences,
    })
}

/// Takes the locks. Between the attempts it goes on following, so that little is left when they are there; and not during one, for a look that
/// has begun would have to end first while writers wait.
async fn lock(engine: &mut Engine, gate: &Desk, tables: &[Table], options: &CutOverOptions) -> Result<Closing> {
    let (gates, since) = (Gates::of(gate, tables, options.lock_timeout).await?, Instant::now());
    for attempts in 0.. {
        if let Some(began) = gates.try_lock(gate).await? {
            return Ok(gates.closing(began, attempts));
        }
        if since.elapsed() > options.patience {
            break;
        }
        // Those who waited come first.
        tokio::time::sleep(crate::random::jitter(options.lock_timeout * 2)).await;
        engine.follower.poll(None).await?;
    }
    let message = format!(
        "transactions that write to the tables do not end: in {:?} they could not be locked; nothing is changed, and the old side takes \
         writes as before; run it again when they have",
        options.patience
    );
    Err(Error::new(ErrorKind::Schema, message))
}

/// Brings over what is left, and holds it against the old side, which does not change any more.
async fn even(engine: &mut Engine, gate: &Desk, options: &CutOverOptions, closing: &Closing) -> Result<Even> {
    let locking = closing.began.elapsed();
    let (began, before) = (Instant::now(), engine.follower.changes);
    let place = engine.follower.mark().await?;
    engine.follower.reach(place).await?;
    let (draining, changes) = (began.elapsed(), engine.follower.changes - before);
    let began = Instant::now();
    let sequences = sequences::set(gate, &engine.follower.writer.desk, options.sequence_margin).await?;
    let verification = if options.compare_all {
        let Engine { follower, reader, .. } = &mut *engine;
        let found = verify(follower, reader, &VerifyOptions::default(), true, |_, _| {}).await?;
        if !found.is_equal() {
            return Err(differs(
                &found
                    .tables
                    .iter()
                    .filter(|table| !table.differences.is_empty())
                    .map(|table| table.table.to_string())
                    .collect::<Vec<_>>(),
            ));
        }
        Some(found)
    } else {
        None
    };
    let compared = compare_last(engine).await?;
    let comparing = began.elapsed();
    Ok(Even { locking, draining, comparing, changes, compared, verification, sequences })
}

/// The rows that were changed last.
async fn compare_last(engine: &Engine) -> Result<usize> {
    let follower = &engine.follower;
    follower.writer.begin_reading().await?;
    let sides = Sides { old: &engine.reader.desk, new: &follower.writer.desk, is_single: !follower.writer.is_citus() };
    let mut compared = 0;
    for (number, table) in follower.tables.iter().enumerate() {
        let of_table = follower.last.iter().filter(|(of, _)| *of == number).map(|(_, key)| key);
        let keys: std::collections::BTreeSet<&Vec<String>> = of_table.collect();
        let keys: Vec<Vec<String>> = keys.into_iter().cloned().collect();
        for some in keys.chunks(ROWS) {
            compared += some.len();
            if let Some(row) = sides.among(table, some.to_vec()).await?.first() {
                return Err(differs(&[format!("{}: {} {}", table.name, row.key, row.how)]));
            }
        }
    }
    follower.writer.desk.batch("COMMIT").await?;
    Ok(compared)
}

fn differs(what: &[String]) -> Error {
    let message =
        format!("rows differ, and the old side takes writes as before: {}; verify tells more", what.join(", "));
    Error::new(ErrorKind::Schema, message)
}

fn too_long(most: Duration) -> Error {
    let message = format!(
        "the new side was not even {most:?} after writers began to wait: nothing is changed, and the old side takes writes as before; \
         run it again when there is less to do, or let them wait for longer"
    );
    Error::new(ErrorKind::Schema, message)
}
