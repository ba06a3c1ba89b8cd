//! How the sessions of a shadow write and read values: the same on both sides, and exact.

use crate::admin::desk::Desk;
use crate::cluster::Core;
use crate::config::Mode;
use crate::error::Result;

/// Floats with all their digits, times in one zone, and row level security as an error in place of rows that are not shown.
const SPELLING: [&str; 7] = [
    "extra_float_digits = 3",
    "TimeZone = 'UTC'",
    "DateStyle = 'ISO, YMD'",
    "IntervalStyle = 'postgres'",
    "bytea_output = 'hex'",
    "xmloption = 'content'",
    "row_security = off",
];

/// A session of its own that spells so.
pub(super) async fn open(core: &Core) -> Result<Desk> {
    let desk = Desk::open(core).await?;
    desk.batch(&SPELLING.map(|setting| format!("SET {setting}")).join("; ")).await?;
    Ok(desk)
}

/// What a transaction on Citus begins with, so that the other nodes spell so too: one statement at a time, since Citus sends them the
/// whole text of a `SET`.
pub(super) fn on_all_nodes(mode: Mode) -> Vec<String> {
    match mode {
        Mode::Single | Mode::Auto => Vec::new(),
        Mode::Citus => {
            let first = "SET LOCAL citus.propagate_set_commands = 'local'".to_owned();
            std::iter::once(first).chain(SPELLING.map(|setting| format!("SET LOCAL {setting}"))).collect()
        }
    }
}
