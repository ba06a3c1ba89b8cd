//! How far a shadow has come: kept on the new side, in the transactions that bring it there.

use tokio_postgres::types::Type;

use super::lsn::Lsn;
use super::table::Table;
use crate::admin::desk::Desk;
use crate::admin::wire::{Param, column, only};
use crate::error::{Error, ErrorKind, Result};

/// Where it lies, on the coordinator alone. Anybody may read how far it is: whoever compares answers of both sides has to know.
const MAKE: &str = "\
    SET LOCAL citus.enable_ddl_propagation = off;\
    SET LOCAL citus.use_citus_managed_tables = off;\
    CREATE SCHEMA IF NOT EXISTS shardwise_adopt;\
    CREATE TABLE IF NOT EXISTS shardwise_adopt.shadow (\
        slot text PRIMARY KEY, state text NOT NULL, applied pg_lsn NOT NULL, begun_at timestamptz NOT NULL DEFAULT now());\
    CREATE TABLE IF NOT EXISTS shardwise_adopt.shadow_tables (\
        slot text REFERENCES shardwise_adopt.shadow ON DELETE CASCADE, name text, is_copied bool NOT NULL DEFAULT false, \
        position text[], rows int8 NOT NULL DEFAULT 0, PRIMARY KEY (slot, name));\
    CREATE TABLE IF NOT EXISTS shardwise_adopt.shadow_owed (\
        slot text REFERENCES shardwise_adopt.shadow ON DELETE CASCADE, name text, key text[], PRIMARY KEY (slot, name, key));\
    GRANT USAGE ON SCHEMA shardwise_adopt TO PUBLIC;\
    GRANT SELECT ON shardwise_adopt.shadow TO PUBLIC";

/// What a shadow is about now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum State {
    /// The slot is there; transactions that were open then have to end.
    Begun,
    /// The rows that were there are being copied, and changes follow.
    Copying,
    /// All rows are copied, and changes follow.
    Following,
    /// The old side takes no writes any more, and can be opened again.
    Closed,
    /// Services are on their way to the new side: the old one is over.
    Switched,
}

impl State {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Copying => "copying",
            Self::Following => "following",
            Self::Closed => "closed",
            Self::Switched => "switched",
        }
    }

    fn of(text: &str) -> Result<Self> {
        let all = [Self::Begun, Self::Copying, Self::Following, Self::Closed, Self::Switched];
        let state = all.into_iter().find(|state| state.as_str() == text);
        state.ok_or_else(|| Error::new(ErrorKind::Codec, "the journal of the shadow has a state that is not known"))
    }
}

/// What the journal says.
#[derive(Debug, Clone)]
pub(super) struct Journal {
    pub(super) state: State,
    pub(super) applied: Lsn,
    /// Of each table, in their order.
    pub(super) tables: Vec<Copied>,
}

/// How far a table is copied.
#[derive(Debug, Clone, Default)]
pub(super) struct Copied {
    pub(super) is_copied: bool,
    /// The last key that is.
    pub(super) position: Option<Vec<String>>,
    pub(super) rows: i64,
}

/// The journal of a slot, where there is one.
pub(super) async fn read(desk: &Desk, slot: &str, tables: &[Table]) -> Result<Option<Journal>> {
    let there = desk.query("SELECT pg_catalog.to_regclass('shardwise_adopt.shadow_owed') IS NOT NULL", &[]).await?;
    if !column::<bool>(only(&there)?, 0)? {
        return Ok(None);
    }
    const READ: &str = "SELECT state, applied::text FROM shardwise_adopt.shadow WHERE slot = $1";
    let of_slot: [Param<'_>; 1] = [(&slot, Type::TEXT)];
    let rows = desk.query(READ, &of_slot).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let state = State::of(&column::<String>(row, 0)?)?;
    let applied = column::<String>(row, 1)?.parse()?;
    const TABLES: &str =
        "SELECT name, is_copied, position, rows FROM shardwise_adopt.shadow_tables WHERE slot = $1 ORDER BY name";
    let mut found = Vec::new();
    for row in &desk.query(TABLES, &of_slot).await? {
        let copied = Copied { is_copied: column(row, 1)?, position: column(row, 2)?, rows: column(row, 3)? };
        found.push((column::<String>(row, 0)?, copied));
    }
    let names: Vec<&str> = tables.iter().map(|table| table.at.as_str()).collect();
    if let Some((other, _)) = found.iter().find(|(name, _)| !names.contains(&name.as_str())) {
        let message =
            format!("the shadow was begun with {other} among its tables: name it again, or abandon the shadow");
        return Err(Error::new(ErrorKind::Usage, message));
    }
    let mut in_order = Vec::with_capacity(tables.len());
    for table in tables {
        let copied = found.iter().find(|(name, _)| *name == table.at).map(|(_, copied)| copied.clone());
        in_order.push(copied.ok_or_else(|| {
            let message = format!("the shadow was begun without {}: leave it out, or abandon the shadow", table.name);
            Error::new(ErrorKind::Usage, message)
        })?);
    }
    Ok(Some(Journal { state, applied, tables: in_order }))
}

/// Begins it, at the place from which the slot tells.
pub(super) async fn begin(desk: &Desk, slot: &str, from: Lsn, tables: &[Table]) -> Result<()> {
    let names: Vec<&str> = tables.iter().map(|table| table.at.as_str()).collect();
    let from = from.to_string();
    desk.transaction(async {
        desk.batch(MAKE).await?;
        const BEGIN: &str =
            "INSERT INTO shardwise_adopt.shadow (slot, state, applied) VALUES ($1, 'begun', $2::pg_lsn)";
        desk.query(BEGIN, &[(&slot, Type::TEXT), (&from, Type::TEXT)]).await?;
        const TABLES: &str =
            "INSERT INTO shardwise_adopt.shadow_tables (slot, name) SELECT $1, name FROM pg_catalog.unnest($2) AS name";
        desk.query(TABLES, &[(&slot, Type::TEXT), (&names, Type::TEXT_ARRAY)]).await.map(drop)
    })
    .await
}

pub(super) async fn set_state(desk: &Desk, slot: &str, state: State) -> Result<()> {
    const SET: &str = "UPDATE shardwise_adopt.shadow SET state = $2 WHERE slot = $1";
    desk.query(SET, &[(&slot, Type::TEXT), (&state.as_str(), Type::TEXT)]).await.map(drop)
}

/// Forgets it.
pub(super) async fn remove(desk: &Desk, slot: &str) -> Result<()> {
    let there = desk.query("SELECT pg_catalog.to_regclass('shardwise_adopt.shadow') IS NOT NULL", &[]).await?;
    if column::<bool>(only(&there)?, 0)? {
        desk.query("DELETE FROM shardwise_adopt.shadow WHERE slot = $1", &[(&slot, Type::TEXT)]).await?;
    }
    Ok(())
}
