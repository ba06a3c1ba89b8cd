//! Advice as a text for a terminal.

use std::fmt;

use super::advice::{Advice, Asked, Finding, Item};
use super::figure::Figure;
use super::level::Level;

/// Columns of a line, where words allow it.
const WIDTH: usize = 110;

/// So many of one kind are shown; all of them are in the value.
const SHOWN: usize = 10;

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Level: {}", self.level)?;
        for signal in &self.signals {
            wrapped(f, 2, 4, &format!("{}: {}; {}", signal.level, signal.figure, signal.why))?;
        }
        writeln!(f, "\nServers ({})", self.mode)?;
        self.nodes.iter().try_for_each(|node| wrapped(f, 2, 4, &node.to_string()))?;
        for level in Level::ALL.into_iter().filter(|level| *level <= self.level) {
            writeln!(f, "\nChecklist: {level}")?;
            self.items.iter().filter(|item| item.level == level).try_for_each(|item| write!(f, "{item}"))?;
        }
        writeln!(f, "\nFindings: {}", self.findings.len())?;
        self.findings(f)?;
        writeln!(f, "\nPath")?;
        for step in &self.path {
            let (first, mark) = if Some(step.rung) == self.next { (0, "→ ") } else { (2, "") };
            wrapped(f, first, 4, &format!("{mark}{}: {}. {}", step.rung, step.state, step.why))?;
        }
        match self.next_step() {
            Some(step) => {
                writeln!(f, "\nNext step: {}", step.rung)?;
                step.actions.iter().try_for_each(|action| wrapped(f, 2, 4, &format!("→ {action}")))?;
            }
            None => writeln!(f, "\nNext step: none is due")?,
        }
        writeln!(f, "\nNot seen")?;
        self.unseen.iter().try_for_each(|what| wrapped(f, 2, 4, what))
    }
}

impl Advice {
    fn findings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut of_kind = 0;
        for (at, finding) in self.findings.iter().enumerate() {
            let is_alike = |other: &Finding| (other.kind, other.severity) == (finding.kind, finding.severity);
            of_kind = match at.checked_sub(1).and_then(|before| self.findings.get(before)) {
                Some(before) if is_alike(before) => of_kind + 1,
                _ => 1,
            };
            if of_kind <= SHOWN {
                write!(f, "{finding}")?;
            } else if self.findings.get(at + 1).is_none_or(|next| !is_alike(next)) {
                writeln!(f, "  … and {} more: {}", of_kind - SHOWN, finding.kind)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { topic, state, why, complexity, cost, .. } = self;
        wrapped(f, 2, 4, &format!("[{state}] {topic} (complexity {complexity}, cost {cost}): {why}"))?;
        details(f, &self.evidence, &self.actions)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, severity, subject, why, .. } = self;
        wrapped(f, 2, 4, &format!("{severity}: {kind}: {subject}: {why}"))?;
        details(f, &self.evidence, &self.actions)
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}", self.node, self.role)?;
        if let Some(region) = &self.region {
            write!(f, ", {region}")?;
        }
        f.write_str(")")?;
        match &self.problem {
            Some(problem) => write!(f, ": could not be asked: {problem}"),
            None => Ok(()),
        }
    }
}

fn details(f: &mut fmt::Formatter<'_>, evidence: &[Figure], actions: &[String]) -> fmt::Result {
    if !evidence.is_empty() {
        let figures: Vec<String> = evidence.iter().map(ToString::to_string).collect();
        wrapped(f, 6, 6, &figures.join("; "))?;
    }
    actions.iter().try_for_each(|action| wrapped(f, 6, 8, &format!("→ {action}")))
}

/// Broken into lines between words: the first is indented by so many columns, the others by so many.
fn wrapped(f: &mut fmt::Formatter<'_>, first: usize, others: usize, text: &str) -> fmt::Result {
    let mut column = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let length = word.chars().count();
        if column == 0 {
            write!(f, "{:first$}{word}", "")?;
            column = first + length;
        } else if column + 1 + length > WIDTH {
            write!(f, "\n{:others$}{word}", "")?;
            column = others + length;
        } else {
            write!(f, " {word}")?;
            column += 1 + length;
        }
    }
    f.write_str("\n")
}
