//! How far long work has come, on standard error, where that is a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::admin::Progress;

/// A bar. It goes when it is dropped.
#[derive(Debug)]
pub(super) struct Bar(ProgressBar);

impl Bar {
    /// Shown on a terminal alone: indicatif sees to that.
    pub(super) fn new() -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{spinner} {elapsed} [{bar:24}] {pos}/{len} {wide_msg}");
        if let Ok(style) = style {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// A step is about to run.
    pub(super) fn step(&self, step: Progress<'_>) {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        self.0.set_length(count(step.total));
        self.0.set_position(count(step.number));
        self.0.set_message(step.title.replace('\n', " "));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
