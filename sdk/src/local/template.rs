//! `initdb` takes a second, a copy of what it makes a tenth: so it runs once in a process.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use tokio::sync::Mutex;

use super::folder::Folder;
use super::supervisor::Supervisor;
use super::{failed, program};
use crate::error::Result;

/// The role that owns a local server.
pub(super) const SUPERUSER: &str = "postgres";

/// Kept until the process ends; its supervisor removes it then. One per folder of programs.
static TEMPLATES: Mutex<Vec<Template>> = Mutex::const_new(Vec::new());

struct Template {
    made_by: PathBuf,
    data: PathBuf,
    // Removes it.
    _supervisor: Supervisor,
}

/// Makes the data folder of a new server, which trusts everybody who reaches it.
pub(super) async fn data(folder: &Folder, binaries: &Path) -> Result<PathBuf> {
    let data = folder.path().join("data");
    let mut templates = TEMPLATES.lock().await;
    let template = match templates.iter().find(|template| template.made_by == binaries) {
        Some(template) => template.data.clone(),
        None => {
            let new = Folder::new()?;
            let (made, owner) = (new.path().join("data"), new.owner());
            program::run(initdb(binaries, &made, "trust"), owner).await?;
            let supervisor = Supervisor::new(new, &[])?;
            templates.push(Template { made_by: binaries.to_owned(), data: made.clone(), _supervisor: supervisor });
            made
        }
    };
    let mut copy = Command::new("cp");
    copy.arg("-a").arg(template).arg(&data);
    program::run(copy, folder.owner()).await?;
    Ok(data)
}

/// Makes the data folder of a server that asks for this password.
pub(super) async fn data_with_password(folder: &Folder, binaries: &Path, password: &str) -> Result<PathBuf> {
    let data = folder.path().join("data");
    let file = folder.write("password", password)?;
    let mut initdb = initdb(binaries, &data, "scram-sha-256");
    initdb.arg("--pwfile").arg(&file);
    program::run(initdb, folder.owner()).await?;
    fs::remove_file(&file).map_err(|error: io::Error| failed("the password's file stays behind").caused_by(error))?;
    Ok(data)
}

fn initdb(binaries: &Path, data: &Path, authentication: &str) -> Command {
    let mut initdb = Command::new(binaries.join("initdb"));
    initdb.args(initdb_arguments(&data.display().to_string(), authentication));
    initdb
}

pub(super) fn initdb_arguments(data: &str, authentication: &str) -> Vec<String> {
    let fixed = ["--no-sync", "--locale=C", "--encoding=UTF8", "--username", SUPERUSER, "--auth", authentication];
    fixed.into_iter().chain(["--pgdata", data]).map(str::to_owned).collect()
}
