//! A temporary folder that the server's user owns.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::failed;
use crate::error::Result;

/// Who runs the server, where it can't be us.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// A new folder. It is removed on drop, unless it was handed over to a supervisor.
#[derive(Debug)]
pub(super) struct Folder {
    folder: tempfile::TempDir,
    owner: Option<Owner>,
}

impl Folder {
    pub(super) fn new() -> Result<Self> {
        let io = |error| failed("no temporary folder can be made: is TMPDIR right?").caused_by(error);
        let folder = tempfile::Builder::new().prefix("shardwise-").tempdir().map_err(io)?;
        // The owner of what we make is who we are.
        let uid = fs::metadata(folder.path()).map_err(io)?.uid();
        let owner = if uid == 0 { Some(unprivileged()?) } else { None };
        if let Some(Owner { uid, gid }) = owner {
            chown(folder.path(), Some(uid), Some(gid)).map_err(io)?;
        }
        Ok(Self { folder, owner })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn owner(&self) -> Option<Owner> {
        self.owner
    }

    /// Writes a file that only the server's user can read.
    pub(super) fn write(&self, name: &str, content: &str) -> Result<PathBuf> {
        let path = self.path().join(name);
        let write = || {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            file.write_all(content.as_bytes())?;
            self.owner.map_or(Ok(()), |Owner { uid, gid }| chown(&path, Some(uid), Some(gid)))
        };
        write().map_err(|error| failed(format!("{} can't be written", path.display())).caused_by(error))?;
        Ok(path)
    }

    /// From now on somebody else removes it.
    pub(super) fn hand_over(self) {
        drop(self.folder.keep());
    }
}

/// A user that root can become. Asked of `id`, which knows users that are not in `/etc/passwd` as well.
fn unprivileged() -> Result<Owner> {
    let number = |user: &str, flag: &str| -> Option<u32> {
        let answer = Command::new("id").args([flag, user]).output().ok()?;
        std::str::from_utf8(&answer.stdout).ok()?.trim().parse().ok()
    };
    let users = ["postgres", "nobody"];
    users.iter().find_map(|user| Some(Owner { uid: number(user, "-u")?, gid: number(user, "-g")? })).ok_or_else(|| {
        failed("PostgreSQL refuses to run as root, and there is neither a user `postgres` nor `nobody` to run it as")
    })
}
