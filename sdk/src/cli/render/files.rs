//! The files that are rendered: the first one to standard output, or all into a folder.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::words::{did_you_mean, listed};
use crate::config::Secret;

/// Where what is rendered goes.
#[derive(clap::Args)]
pub(in crate::cli) struct Out {
    /// Write all files into this folder, in place of one to standard output
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Write over files that are there
    #[arg(long, requires = "folder")]
    force: bool,
    /// Which file goes to standard output, by its name; the first one where it is not said
    #[arg(long, value_name = "FILE", conflicts_with = "folder")]
    part: Option<String>,
}

/// Files by their names.
#[derive(Default)]
pub(in crate::cli) struct Files {
    open: Vec<(String, String)>,
    secret: Vec<(String, Secret)>,
}

impl Files {
    pub(super) fn with(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.open.push((name.into(), text.into()));
        self
    }

    /// One that is never printed.
    pub(super) fn with_secret(mut self, name: impl Into<String>, text: Secret) -> Self {
        self.secret.push((name.into(), text));
        self
    }

    pub(super) fn write(&self, context: &Context, out: &Out) -> Result<(), Failure> {
        if let Some(folder) = &out.folder {
            return self.fill(folder, out.force);
        }
        let asked = out.part.as_deref();
        let part = match asked {
            Some(name) => self.open.iter().find(|(known, _)| known == name),
            None => self.open.first(),
        };
        if let Some((_, text)) = part {
            let all: Map<String, Value> = self.open.iter().map(|(name, text)| (name.clone(), json!(text))).collect();
            return context.output().file(text, &json!({ "files": all }));
        }
        let asked = asked.unwrap_or_default();
        if self.secret.iter().any(|(name, _)| name == asked) {
            return Err(Failure::usage(format!("{asked} has secrets and is never printed: write it by --folder")));
        }
        let names = || self.open.iter().map(|(name, _)| name.as_str());
        let near = did_you_mean(asked, names());
        Err(Failure::usage(format!("--part: {asked:?} is not rendered{near}: there are {}", listed(names()))))
    }

    fn fill(&self, folder: &Path, force: bool) -> Result<(), Failure> {
        let failed = |path: &Path, error: std::io::Error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => {
                Failure::usage(format!("{} is there already: --force writes over it", path.display()))
            }
            _ => Failure::new(Exit::Failed, format!("{} can't be written: {error}", path.display())),
        };
        std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
        for (name, text) in &self.open {
            let path = folder.join(name);
            write(&path, text, force, false).map_err(|error| failed(&path, error))?;
        }
        for (name, text) in &self.secret {
            let path = folder.join(name);
            write(&path, text.expose(), force, true).map_err(|error| failed(&path, error))?;
        }
        Ok(())
    }
}

fn write(path: &Path, text: &str, force: bool, is_secret: bool) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if is_secret {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = is_secret;
    // Not into the old file, which others may be able to read.
    if force && path.exists() {
        std::fs::remove_file(path)?;
    }
    options.open(path)?.write_all(text.as_bytes())
}
