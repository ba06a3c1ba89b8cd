//! Asks both sides again when the new one has what the old one had.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::super::lsn::Lsn;
use super::{Answer, Asked};
use crate::admin::Admin;
use crate::admin::desk::Desk;
use crate::admin::wire::column;
use crate::cluster::Core;
use crate::error::Result;

/// How often both are asked, and how long the new side is waited for.
const TRIES: usize = 3;
const PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(50);

pub(super) struct Settling {
    old: Arc<Core>,
    new: Arc<Core>,
    /// Sessions that look how far both are, opened when they are first needed.
    desks: Mutex<Option<(Desk, Desk)>>,
}

impl Settling {
    pub(super) fn between(old: &Admin, new: &Admin) -> Self {
        Self { old: old.core().clone(), new: new.core().clone(), desks: Mutex::new(None) }
    }

    /// Answers of both sides between which nothing has changed on the old one; `None` where it always has, or the new one does not follow.
    pub(super) async fn again(
        &self,
        old: impl Fn() -> Asked,
        new: impl Fn() -> Asked,
    ) -> Result<Option<(Answer, Answer)>> {
        for _ in 0..TRIES {
            let Ok(before) = old().await else { return Ok(None) };
            if !self.is_followed().await {
                return Ok(None);
            }
            let answer = new().await?;
            let Ok(after) = old().await else { return Ok(None) };
            if before == after {
                return Ok(before.zip(answer));
            }
        }
        Ok(None)
    }

    /// Waits until the new side is where the old one is now.
    async fn is_followed(&self) -> bool {
        let mut desks = self.desks.lock().await;
        let answer = self.follow(&mut desks).await;
        if answer.is_err() {
            *desks = None;
        }
        answer.unwrap_or(false)
    }

    async fn follow(&self, desks: &mut Option<(Desk, Desk)>) -> Result<bool> {
        if desks.is_none() {
            *desks = Some((Desk::open(&self.old).await?, Desk::open(&self.new).await?));
        }
        let Some((old, new)) = desks else { return Ok(false) };
        let place = place(old, "SELECT pg_catalog.pg_current_wal_insert_lsn()::text").await?;
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            const APPLIED: &str = "SELECT applied::text FROM shardwise_adopt.shadow ORDER BY begun_at DESC LIMIT 1";
            if self::place(new, APPLIED).await? >= place {
                return Ok(true);
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(false)
    }
}

async fn place(desk: &Desk, sql: &str) -> Result<Lsn> {
    let rows = desk.query(sql, &[]).await?;
    match rows.first() {
        Some(row) => column::<String>(row, 0)?.parse(),
        None => Ok(Lsn::default()),
    }
}
