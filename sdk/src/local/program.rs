//! Finds and runs programs.

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use super::failed;
use super::folder::Owner;
use crate::error::Result;

/// A program that is not PostgreSQL's; `missing` says what to do where it is not there.
pub(super) fn find(name: &str, missing: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Where Debian has daemons, which is not in everybody's PATH.
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    let mut found = folders.map(|folder| folder.join(name));
    found.find(|program| program.is_file()).ok_or_else(|| failed(missing))
}

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
