//! `doctor`: why a client can't work as it is configured, or soon won't.

use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::output::Answer;
use super::screen::Screen;
use crate::doctor::{Diagnosis, doctor};

/// `doctor`.
#[derive(clap::Args)]
pub(super) struct Command {}

impl Command {
    // A configuration that can't be read is what it is asked about, and no reason not to answer.
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let config = match context.load() {
            Ok(config) => config,
            Err(error) => {
                context.answer(&Diagnosis::of_configuration(&error))?;
                return Ok(Exit::Config);
            }
        };
        let diagnosis = doctor(&config, context.schema()).await;
        context.answer(&diagnosis)?;
        Ok(Exit::of_verdict(diagnosis.verdict()))
    }
}

impl Answer for Diagnosis {
    fn show(&self, screen: &mut Screen) {
        screen.line(self);
    }
}
