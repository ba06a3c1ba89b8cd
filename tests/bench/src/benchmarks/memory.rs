//! What the SDK itself takes, without a server's answer: time and memory. Counting allocations needs another allocator, under
//! which nothing else should have to run: so it is done by a program of its own, `memory`.

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

use crate::args::Args;
use crate::report::Report;
use crate::verdict::Verdict;

/// A route decision with 4,096 shards, in nanoseconds.
pub const ROUTE: &str = "route_decision_ns";
/// The same with 32 shards.
pub const ROUTE_FEW: &str = "route_decision_32_shards_ns";
/// Allocations of a route decision, at either size.
pub const ROUTE_ALLOCATIONS: &str = "route_decision_allocations";
/// Where a session's statements go now, with 4,096 shards, in nanoseconds.
pub const SESSION: &str = "session_route_ns";
/// Allocations of that.
pub const SESSION_ALLOCATIONS: &str = "session_route_allocations";
/// What is kept of a festival when its home region is known.
pub const DIRECTORY: &str = "directory_bytes_per_festival";
/// The names of the results.
pub const RESULTS: [&str; 6] = [ROUTE, ROUTE_FEW, ROUTE_ALLOCATIONS, SESSION, SESSION_ALLOCATIONS, DIRECTORY];

/// How the program hands on a result: its name before it.
pub const MARK: &str = "VERDICT ";

/// Has the program measure.
///
/// # Errors
/// When it fails.
pub async fn run(args: &Args, report: &mut Report) -> Result<()> {
    let program = std::env::current_exe()?.with_file_name("memory");
    let mut memory = Command::new(&program);
    memory.arg(args.plan.rounds.to_string()).args(RESULTS.iter().filter(|name| args.wanted.has(name)));
    memory.kill_on_drop(true);
    let output = memory.output().await.with_context(|| format!("{} can't be run", program.display()))?;
    ensure!(output.status.success(), "memory: {}", String::from_utf8_lossy(&output.stderr));
    for line in String::from_utf8(output.stdout)?.lines() {
        match line.strip_prefix(MARK) {
            Some(verdict) => {
                let (name, verdict) = verdict.split_once(' ').context("a result without its name")?;
                report.add(Verdict { name: name.to_owned(), ..serde_json::from_str(verdict)? });
            }
            None => crate::report::say(line),
        }
    }
    Ok(())
}
