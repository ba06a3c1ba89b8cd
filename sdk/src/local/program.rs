//! Runs PostgreSQL's own programs.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use super::failed;
use super::folder::Owner;
use crate::error::Result;

/// Runs a program to its end, as the server's user.
pub(super) async fn run(mut command: Command, owner: Option<Owner>) -> Result<()> {
    // The working directory of root is often one that nobody else may enter.
    command.current_dir("/");
    if let Some(Owner { uid, gid }) = owner {
        command.uid(uid).gid(gid);
    }
    let program = command.get_program().to_string_lossy().into_owned();
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    let output = output
        .map_err(|error| failed(format!("{program} was abandoned")).caused_by(error))?
        .map_err(|error| failed(format!("{program} can't be started")).caused_by(error))?;
    if output.status.success() {
        return Ok(());
    }
    let reason = String::from_utf8_lossy(&output.stderr);
    Err(failed(format!("{program} failed ({}): {}", output.status, reason.trim())))
}
