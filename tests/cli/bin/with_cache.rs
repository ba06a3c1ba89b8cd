//! The commands, with entities whose rows are cached.

#[path = "../../cache/entities.rs"]
#[allow(missing_docs, unreachable_pub, dead_code, reason = "shared with the tests")]
mod entities;

use std::process::ExitCode;

fn main() -> ExitCode {
    shardwise::cli::run(entities::cached())
}
