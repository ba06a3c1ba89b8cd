//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

/// What was asked for.
#[derive(Debug, Clone)]
pub struct Args {
    /// Which results; all of them where it is empty.
    pub wanted: Wanted,
    /// How long and how often.
    pub plan: Plan,
    /// Where files go.
    pub folder: PathBuf,
}

/// How long and how often is measured.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// The length of a round.
    pub time: Duration,
    /// How many rounds count.
    pub rounds: usize,
}

/// Names of results, or how they begin.
#[derive(Debug, Clone, Default)]
pub struct Wanted(Vec<String>);

impl Wanted {
    /// Whether this result is asked for.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|wanted| name.starts_with(wanted.as_str()))
    }

    /// The names as they were given.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0
    }
}

/// What can be said.
pub const USAGE: &str = "usage: ci/bench [NAME…] [--seconds N] [--rounds N]
  NAME       a result, or how its name begins; all without one
  --seconds  the length of a round, 1 without it
  --rounds   how many rounds count, 5 without it; one more warms up
  --help     this, and all names";

impl Args {
    /// Reads the command line. None where it asks for what can be said.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(words: impl IntoIterator<Item = String>) -> Result<Option<Self>> {
        let mut args = Self {
            wanted: Wanted::default(),
            plan: Plan { time: Duration::from_secs(1), rounds: 5 },
            folder: PathBuf::from("target/bench"),
        };
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} wants a value\n{USAGE}"));
            match word.as_str() {
                "--help" | "-h" => return Ok(None),
                "--seconds" => {
                    let seconds: f64 = value()?.parse().context("--seconds wants a number")?;
                    args.plan.time =
                        Duration::try_from_secs_f64(seconds).context("--seconds wants a length of time")?;
                }
                "--rounds" => args.plan.rounds = value()?.parse().context("--rounds wants a number")?,
                "--folder" => args.folder = PathBuf::from(value()?),
                name if name.starts_with('-') => bail!("{name} is not known\n{USAGE}"),
                name => args.wanted.0.push(name.to_owned()),
            }
        }
        ensure!(args.plan.rounds > 0 && !args.plan.time.is_zero(), "without a round there is no result");
        Ok(Some(args))
    }
}

#[cfg(test)]
mod tests {
    use super::Args;

    fn parsed(line: &str) -> anyhow::Result<Option<Args>> {
        Args::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn names_are_beginnings() {
        let args = parsed("point_read rls_cost --rounds 2").expect("valid").expect("a run");
        assert_eq!(args.plan.rounds, 2);
        assert!(args.wanted.has("point_read_64_vs_raw_pipelined") && args.wanted.has("rls_cost_point_read"));
        assert!(!args.wanted.has("growth_1e2_to_1e6_festivals"));
        assert!(parsed("").expect("valid").expect("a run").wanted.has("whatever"));
    }

    #[test]
    fn nonsense_is_refused() {
        for line in ["--seconds", "--seconds x", "--seconds -1", "--seconds 0", "--rounds 0", "--fast"] {
            assert!(parsed(line).is_err(), "{line}");
        }
    }
}
