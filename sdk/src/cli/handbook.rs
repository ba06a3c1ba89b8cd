//! `completions` and `man`: what the command line says of itself.

use std::path::PathBuf;

use clap_complete::Shell;
use serde_json::json;

use super::args::clap_command;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;

/// `completions`.
#[derive(clap::Args)]
pub(super) struct Completions {
    /// For which shell
    #[arg(value_enum)]
    shell: Shell,
}

/// `man`.
#[derive(clap::Args)]
pub(super) struct Man {
    /// Write a page for each command into this folder, in place of one to standard output
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl Completions {
    pub(super) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let mut script = Vec::new();
        let name = context.name();
        if name.contains(' ') {
            return Err(Failure::usage(format!(
                "`{name}` is a part of another program, and shells complete a whole one: let that one's completions have `{name}`"
            )));
        }
        clap_complete::generate(self.shell, &mut clap_command(name), name, &mut script);
        let script = String::from_utf8_lossy(&script);
        context.output().file(&script, &json!({ "shell": self.shell.to_string(), "script": script }))?;
        Ok(Exit::Fine)
    }
}

impl Man {
    pub(super) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        let command = clap_command(context.name());
        let failed =
            |error: std::io::Error| Failure::new(Exit::Failed, format!("the manual can't be written: {error}"));
        if let Some(folder) = &self.folder {
            std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(command, folder)).map_err(failed)?;
            return Ok(Exit::Fine);
        }
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page).map_err(failed)?;
        let page = String::from_utf8_lossy(&page);
        context.output().file(&page, &json!({ "page": page }))?;
        Ok(Exit::Fine)
    }
}
