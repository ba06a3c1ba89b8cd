//! Answers again and again.

use std::time::Duration;

use super::context::Context;
use super::failure::Failure;
use super::output::Answer;

/// What commands take that can go on answering.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Watch {
    /// Answer again and again, this often, until it is interrupted: as JSON a line each time
    #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = "2s", value_parser = humantime::parse_duration)]
    watch: Option<Duration>,
}

impl Watch {
    /// Answers once; or until somebody interrupts it, or nobody reads any more.
    pub(super) async fn answer<A: Answer>(
        &self,
        context: &Context,
        mut ask: impl AsyncFnMut() -> Result<A, Failure>,
    ) -> Result<(), Failure> {
        let mut answer = ask().await?;
        loop {
            let Some(pause) = self.watch else { return context.answer(&answer) };
            context.output().clear()?;
            context.answer(&answer)?;
            if context.output().is_closed() {
                return Ok(());
            }
            // What is watched may fail for a while: that is when it is watched for.
            answer = loop {
                tokio::time::sleep(pause).await;
                match ask().await {
                    Ok(answer) => break answer,
                    Err(failure) => failure.tell(context.output().format),
                }
            };
        }
    }
}
