//! What a run tells: lines while it goes on, a table at its end, and a file for programs.
#![allow(clippy::print_stdout)]

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value};

use crate::contest::Outcome;
use crate::load::Sample;
use crate::numbers::median;
use crate::verdict::Verdict;

/// The verdicts so far, and where files go.
pub struct Report {
    verdicts: Vec<Verdict>,
    folder: PathBuf,
}

impl Report {
    /// Without a verdict yet; its files go into this folder.
    ///
    /// # Errors
    /// When the folder can't be made.
    pub fn new(folder: PathBuf) -> Result<Self> {
        fs::create_dir_all(&folder).with_context(|| format!("{} can't be made", folder.display()))?;
        Ok(Self { verdicts: Vec::new(), folder })
    }

    /// Where a file of this name goes.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Adds a result.
    pub fn add(&mut self, verdict: Verdict) {
        self.verdicts.push(verdict);
    }

    /// Prints all results, and writes them to `summary.json`: in place of those of an earlier run, and beside its others.
    ///
    /// # Errors
    /// When the file can't be read or written.
    pub fn finish(&self) -> Result<()> {
        self.print();
        let path = self.file("summary.json");
        let mut summary: Map<String, Value> = match fs::read(&path) {
            Ok(earlier) => {
                serde_json::from_slice(&earlier).with_context(|| format!("{} is no summary", path.display()))?
            }
            Err(_) => Map::new(),
        };
        for verdict in &self.verdicts {
            summary.insert(verdict.name.clone(), serde_json::to_value(verdict)?);
        }
        fs::write(&path, serde_json::to_string_pretty(&summary)? + "\n")?;
        println!("\nwritten: {}", self.folder.display());
        Ok(())
    }

    fn print(&self) {
        println!(
            "\n{:<46} {:>7} {:>9}   {:>10} {:>10} {:<12} {:>6} {:>6}",
            "", "ratio", "goal", "ours", "peer", "unit", "spread", "rounds"
        );
        for verdict in &self.verdicts {
            println!(
                "{:<46} {:>7} {:>9} {} {:>10} {:>10} {:<12} {:>5.1}% {:>6}",
                verdict.name,
                optional(verdict.ratio),
                verdict.goal.as_deref().unwrap_or_default(),
                verdict.mark(),
                number(verdict.ours),
                optional(verdict.peer),
                verdict.unit,
                verdict.spread * 100.0,
                verdict.rounds,
            );
        }
        println!(
            "+ reached, - not reached, ~ nearer than the spread; spread: the middle half of the rounds, of their median"
        );
    }
}

/// Says what is done now.
pub fn say(line: &str) {
    println!("{line}");
}

/// Prints what each of several clients reached.
pub fn say_outcomes(what: &str, outcomes: &[Outcome<Sample>]) {
    println!("\n{what:<34} {:>10} {:>12} {:>12} {:>14}", "per second", "median us", "99 % us", "client CPU us");
    for outcome in outcomes {
        let middle = |of: fn(&Sample) -> f64| number(median(&outcome.each(of)));
        println!(
            "{:<34} {:>10} {:>12} {:>12} {:>14}",
            outcome.title,
            middle(|sample| sample.per_second),
            middle(|sample| sample.median),
            middle(|sample| sample.p99),
            middle(|sample| sample.client)
        );
    }
}

fn optional(value: Option<f64>) -> String {
    value.map(number).unwrap_or_default()
}

/// With as many digits as are worth reading.
#[must_use]
pub fn number(number: f64) -> String {
    match number.abs() {
        size if size.is_nan() => "-".to_owned(),
        size if size < f64::MIN_POSITIVE => "0".to_owned(),
        size if size >= 100.0 => format!("{number:.0}"),
        size if size >= 10.0 => format!("{number:.1}"),
        size if size >= 0.1 => format!("{number:.2}"),
        _ => format!("{number:.5}"),
    }
}
