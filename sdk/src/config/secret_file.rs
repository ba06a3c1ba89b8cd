//! Files that hold one password and nothing else, as containers and service managers hand them out.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use tracing::warn;

use super::permissions::is_open_to_strangers;
use super::values::Secret;

/// Reads the password. The reason names the file, never what is in it.
pub(super) fn read(path: &Path) -> Result<Secret, String> {
    let shown = path.display();
    let unreadable = |error| format!("{shown} can't be read: {error}");
    let mut file = File::open(path).map_err(unreadable)?;
    // Read all the same: Docker and Kubernetes hand secrets out with 0444 and 0644, to containers that nobody else is in.
    if is_open_to_strangers(&file.metadata().map_err(unreadable)?) {
        warn!("the password file {shown} has group or world access: make it yours alone, by chmod 0600");
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(unreadable)?;
    // Editors and `echo` end a file with a newline, which is never part of a password.
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(format!("{shown} is empty: write the password into it"));
    }
    Ok(Secret::new(password))
}
