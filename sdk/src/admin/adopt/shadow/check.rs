//! What both sides have to be before a shadow begins.

use tokio_postgres::types::Type;

use super::obstacle::Obstacle;
use super::table::{Facts, ShadowTable, Table, resolve};
use super::writer::may_be_replica;
use crate::admin::desk::Desk;
use crate::admin::wire::{column, only};
use crate::config::Mode;
use crate::entity::Json;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::quote_ident;

/// From this release on a partitioned table's changes can be told as its own.
const OF_PARTITIONED: i32 = 130_000;

/// What was found.
pub(super) struct Found {
    pub(super) tables: Vec<Table>,
    pub(super) obstacles: Vec<Obstacle>,
    /// `server_version_num` of the old side.
    pub(super) version: i32,
    /// How many bytes the tables have there, with their indexes.
    pub(super) bytes: u64,
    /// How many rows, as its planner estimates.
    pub(super) rows: u64,
}

/// The sessions on both sides, and what the new one is.
pub(super) struct Between<'a> {
    pub(super) old: &'a Desk,
    pub(super) new: &'a Desk,
    pub(super) mode: Mode,
    pub(super) slot: &'a str,
}

impl Between<'_> {
    pub(super) async fn look(&self, wanted: &[ShadowTable]) -> Result<Found> {
        if wanted.is_empty() {
            return Err(Error::new(ErrorKind::Usage, "a shadow of no table was asked for: name some"));
        }
        let (mut obstacles, version) = self.server().await?;
        let (old, new) = (facts(self.old, wanted).await?, facts(self.new, wanted).await?);
        let mut tables = Vec::new();
        for ((table, old), new) in wanted.iter().zip(&old).zip(&new) {
            match resolve(table, old.as_ref(), new.as_ref()) {
                Ok(table) => tables.push(table),
                Err(found) => obstacles.extend(found),
            }
        }
        if version < OF_PARTITIONED
            && let Some(table) = tables.iter().find(|table| table.is_partitioned)
        {
            obstacles.push(Obstacle::of(format!(
                "{} is partitioned, whose changes PostgreSQL tells as its own since 13: the old side has an older one",
                table.name
            )));
        }
        if new.iter().flatten().any(|table| table.fires) && !may_be_replica(self.new, self.mode).await? {
            let role = self.new.query("SELECT current_user::text", &[]).await?;
            let role = quote_ident(&column::<String>(only(&role)?, 0)?);
            let what = "tables of the new side have triggers or foreign keys, which must not fire for what has happened on the old side \
                        already, and the role may not set session_replication_role (before PostgreSQL 15 a superuser alone may)";
            let fix = format!("GRANT SET ON PARAMETER session_replication_role TO {role}");
            obstacles.push(Obstacle::of(what.to_owned()).on_new(fix));
        }
        let old = old.iter().flatten();
        let (bytes, rows) = old.fold((0, 0), |(bytes, rows), table| (bytes + table.bytes, rows + table.rows));
        Ok(Found { tables, obstacles, version, bytes, rows })
    }

    /// What the old server and the role there lack.
    async fn server(&self) -> Result<(Vec<Obstacle>, i32)> {
        const ASK: &str = "\
            SELECT pg_catalog.current_setting('server_version_num')::int4, pg_catalog.current_setting('wal_level'), \
            pg_catalog.current_setting('max_replication_slots')::int8 - (SELECT count(*) FROM pg_catalog.pg_replication_slots WHERE slot_name <> $1), \
            pg_catalog.pg_is_in_recovery(), current_user::text, \
            EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = current_user AND (r.rolsuper OR r.rolreplication)) \
            OR EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = 'rds_replication' AND pg_catalog.pg_has_role(r.oid, 'USAGE'))";
        let rows = self.old.query(ASK, &[(&self.slot, Type::TEXT)]).await?;
        let row = only(&rows)?;
        let mut obstacles = Vec::new();
        let level: String = column(row, 1)?;
        if level != "logical" {
            let what = format!(
                "wal_level of the old server is {level}, and changes are told with logical alone; it takes a restart of the server"
            );
            obstacles.push(Obstacle::of(what).on_old("ALTER SYSTEM SET wal_level = logical".to_owned()));
        }
        let free: i64 = column(row, 2)?;
        if free < 1 {
            let what = "all replication slots of the old server are taken: drop one that nobody uses (pg_replication_slots), or raise \
                        max_replication_slots, which takes a restart";
            obstacles.push(Obstacle::of(what.to_owned()));
        }
        if column(row, 3)? {
            obstacles.push(Obstacle::of("the old server is a standby: connect to its primary".to_owned()));
        }
        if !column::<bool>(row, 5)? {
            let role = quote_ident(&column::<String>(row, 4)?);
            let what = "the role may not use replication slots on the old side".to_owned();
            obstacles.push(Obstacle::of(what).on_old(format!("ALTER ROLE {role} REPLICATION")));
        }
        Ok((obstacles, column(row, 0)?))
    }
}

async fn facts(desk: &Desk, wanted: &[ShadowTable]) -> Result<Vec<Option<Facts>>> {
    let names: Vec<String> = wanted.iter().map(|table| table.name.quoted()).collect();
    let rows = desk.transaction(async {
        // So that the names of types have their schemas.
        desk.batch("SET LOCAL search_path = ''").await?;
        desk.query(include_str!("facts.sql"), &[(&names, Type::TEXT_ARRAY)]).await
    });
    let rows = rows.await?;
    let Json(facts) = column(only(&rows)?, 0)?;
    Ok(facts)
}
