//! Shows how far the play is: a bar on a terminal, a line now and then elsewhere.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::stats::Stats;

/// Shows the progress on standard error until it is dropped.
pub async fn show(stats: &Stats, total: u64) {
    if std::io::stderr().is_terminal() { bar(stats, total).await } else { lines(stats, total).await }
}

async fn bar(stats: &Stats, total: u64) {
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} operations, {per_sec}, {eta} left") {
        bar.set_style(style);
    }
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    // Dropped with the future: then the bar leaves the terminal.
    let _cleared = Cleared(&bar);
    loop {
        tick.tick().await;
        bar.set_position(stats.operations());
    }
}

struct Cleared<'a>(&'a ProgressBar);

impl Drop for Cleared<'_> {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

async fn lines(stats: &Stats, total: u64) {
    let mut tick = tokio::time::interval(Duration::from_secs(5));
    tick.tick().await;
    loop {
        tick.tick().await;
        // Progress is not worth failing for.
        let _ = writeln!(std::io::stderr(), "{} of {total} operations", stats.operations());
    }
}
