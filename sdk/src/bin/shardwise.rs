//! The commands, without any entities: see `shardwise::cli`.

use std::process::ExitCode;

use shardwise::Schema;

fn main() -> ExitCode {
    shardwise::cli::run(Schema::new())
}
