//! Where PostgreSQL is installed.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};

use super::failed;
use crate::error::Result;

/// Debian and Ubuntu keep the programs of each version here, outside `PATH`.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The folder of `initdb` and `postgres`.
pub(super) fn find() -> Result<PathBuf> {
    installed()?.ok_or_else(|| {
        failed(format!(
            "no PostgreSQL server found in $PGBIN, {DEBIAN}/*/bin and $PATH: install it (on Debian and Ubuntu: apt-get \
             install postgresql), or name a running one in SHARDWISE_TEST_URL"
        ))
    })
}

/// The same, where a machine without PostgreSQL is no failure.
pub(super) fn installed() -> Result<Option<PathBuf>> {
    if let Some(folder) = std::env::var_os("PGBIN").map(PathBuf::from) {
        return if is_complete(&folder) {
            Ok(Some(folder))
        } else {
            Err(failed(format!("PGBIN is {}, but there is no initdb and postgres in it", folder.display())))
        };
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    Ok(debian().into_iter().chain(std::env::split_paths(&path)).find(|folder| is_complete(folder)))
}

/// The newest version first.
fn debian() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort_by_key(|(version, _)| Reverse(*version));
    versions.into_iter().map(|(_, folder)| folder).collect()
}

fn is_complete(folder: &Path) -> bool {
    ["initdb", "postgres"].iter().all(|program| folder.join(program).is_file())
}
