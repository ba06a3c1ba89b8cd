//! The commands, with the example's entities.

use std::process::ExitCode;

fn main() -> ExitCode {
    shardwise::cli::run(festival::model::schema())
}
