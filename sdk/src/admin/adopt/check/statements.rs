//! Statements that a server has counted: `pg_stat_statements`.

use tokio_postgres::error::SqlState;

use super::sources::add_seen;
use super::tally::{Counts, Origin, Tally};
use crate::admin::desk::Desk;
use crate::admin::wire::{column, only};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::quote_qualified;

/// What a role without the rights is shown in place of a text.
const HIDDEN: &str = "<insufficient privilege>";

/// Reads what was counted in the database that the session is in.
pub(super) async fn read(desk: &Desk, tally: &mut Tally, notes: &mut Vec<String>) -> Result<()> {
    // Before version 1.8 (PostgreSQL 13), planning had no time of its own.
    const FIND: &str = "SELECT n.nspname::text, EXISTS (
            SELECT FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
            WHERE c.relnamespace = n.oid AND c.relname = 'pg_stat_statements' AND a.attname = 'total_exec_time'
        ) FROM pg_catalog.pg_extension x JOIN pg_catalog.pg_namespace n ON n.oid = x.extnamespace
        WHERE x.extname = 'pg_stat_statements'";
    let found = desk.query(FIND, &[]).await?;
    let Some(row) = found.first() else {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "nobody counts statements in this database: put pg_stat_statements into shared_preload_libraries, restart the server, and \
             CREATE EXTENSION pg_stat_statements",
        ));
    };
    let (schema, is_new): (String, bool) = (column(row, 0)?, column(row, 1)?);
    let time = if is_new { "total_exec_time" } else { "total_time" };
    let sql = format!(
        "SELECT s.query::text, s.calls::int8, s.{time}::float8 FROM {} s
         WHERE s.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()) AND s.query IS NOT NULL
         ORDER BY s.{time} DESC, s.query",
        quote_qualified(Some(&schema), "pg_stat_statements")
    );
    let rows = desk.query(&sql, &[]).await.map_err(explained)?;
    let (mut hidden, mut shown) = (0_usize, 0_usize);
    for row in &rows {
        let (text, calls, ms): (String, i64, f64) = (column(row, 0)?, column(row, 1)?, column(row, 2)?);
        if text == HIDDEN {
            hidden += 1;
            continue;
        }
        shown += 1;
        add_seen(&text, Origin::Statements, Counts { calls: u64::try_from(calls).unwrap_or(0), ms }, tally);
    }
    if hidden > 0 {
        let user: String = column(only(&desk.query("SELECT current_user::text", &[]).await?)?, 0)?;
        let fix = format!("GRANT pg_read_all_stats TO {}", crate::schema::quote_ident(&user));
        if shown == 0 {
            let message = format!("the role may not see what others have sent: {fix}");
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        notes.push(format!("{hidden} statements of other roles are hidden: {fix}"));
    }
    Ok(())
}

/// The extension is there, and its library is not loaded; or the role may not read the view.
fn explained(error: Error) -> Error {
    let fix = match error.code() {
        Some(&SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE) => {
            "put pg_stat_statements into shared_preload_libraries, and restart the server"
        }
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            "GRANT pg_read_all_stats to the role, and SELECT on the view pg_stat_statements"
        }
        _ => return error,
    };
    Error::new(ErrorKind::Unsupported, format!("statements that were counted can't be read: {fix}")).caused_by(error)
}
