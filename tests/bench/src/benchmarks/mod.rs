//! The benchmarks: a file for each group of results that come from one setup.

pub mod copy;
pub mod geo;
pub mod growth;
pub mod memory;
pub mod payment;
pub mod point_read;
pub mod policy;
pub mod pooler;

use anyhow::{Result, bail};

use crate::args::Args;
use crate::report::{Report, say};

/// Runs what is asked for. What a group can't do for want of Citus is said and left out; a group that fails does not keep
/// the others from running.
///
/// # Errors
/// When the results can't be written, or a group failed.
pub async fn run(args: &Args) -> Result<()> {
    let has_citus = shardwise::local::offers_citus().await?;
    let mut report = Report::new(args.folder.clone())?;
    let mut failed = Vec::new();
    for group in Group::ALL {
        let wanted: Vec<String> = group.results().into_iter().filter(|name| args.wanted.has(name)).collect();
        if wanted.is_empty() {
            continue;
        }
        if group.needs_citus() && !has_citus {
            say(&format!("SKIPPED for want of Citus: {}", wanted.join(", ")));
            continue;
        }
        say(&format!("\n== {group:?}"));
        let begun = std::time::Instant::now();
        if let Err(error) = group.run(args, &mut report).await {
            say(&format!("FAILED: {error:#}"));
            failed.push(format!("{group:?}"));
        }
        say(&format!("== {group:?}: {:.0} s", begun.elapsed().as_secs_f64()));
    }
    report.finish()?;
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

/// The names of all results.
#[must_use]
pub fn names() -> Vec<String> {
    Group::ALL.iter().flat_map(|group| group.results()).collect()
}

/// Results from one setup.
#[derive(Debug, Clone, Copy)]
enum Group {
    PointRead,
    Payment,
    Geo,
    Copy,
    Pooler,
    Policy,
    Growth,
    Memory,
}

impl Group {
    const ALL: [Self; 8] =
        [Self::PointRead, Self::Payment, Self::Geo, Self::Copy, Self::Pooler, Self::Policy, Self::Growth, Self::Memory];

    fn results(self) -> Vec<String> {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        match self {
            Self::PointRead => point_read::results(),
            Self::Payment => payment::results(),
            Self::Geo => owned(&geo::RESULTS),
            Self::Copy => owned(&copy::RESULTS),
            Self::Pooler => owned(&pooler::RESULTS),
            Self::Policy => owned(&policy::RESULTS),
            Self::Growth => owned(&growth::RESULTS),
            Self::Memory => owned(&memory::RESULTS),
        }
    }

    fn needs_citus(self) -> bool {
        !matches!(self, Self::Pooler)
    }

    async fn run(self, args: &Args, report: &mut Report) -> Result<()> {
        match self {
            Self::PointRead => point_read::run(args, report).await,
            Self::Payment => payment::run(args, report).await,
            Self::Geo => geo::run(args, report).await,
            Self::Copy => copy::run(args, report).await,
            Self::Pooler => pooler::run(args, report).await,
            Self::Policy => policy::run(args, report).await,
            Self::Growth => growth::run(args, report).await,
            Self::Memory => memory::run(args, report).await,
        }
    }
}
