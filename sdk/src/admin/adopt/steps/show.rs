//! Steps as a person reads them: SQL with comments. Pure.

use std::fmt;
use std::time::Duration;

use super::{Step, Steps};

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for obstacle in &self.obstacles {
            writeln!(f, "-- BY HAND: {obstacle}")?;
        }
        for one in &self.breaks {
            writeln!(f, "-- BY HAND, before {}: {}: {}", one.before, one.object, one.why)?;
        }
        for loss in &self.losses {
            writeln!(
                f,
                "-- LOST: {}, {}: {}. Instead: {}",
                loss.table,
                loss.what,
                loss.reason,
                loss.instead.join("; or ")
            )?;
        }
        let total: Duration = self.steps.iter().map(|step| step.estimate).sum();
        writeln!(f, "-- {} steps, about {}", self.steps.len(), humantime::format_duration(rounded(total)))?;
        let last = self.point_of_no_return().map(|step| step.name.as_str());
        for step in &self.steps {
            writeln!(f)?;
            if last == Some(&step.name) {
                writeln!(f, "-- from here on there is no way back")?;
            }
            step.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "-- {}: {}", self.name, self.title)?;
        write!(f, "-- lock: {}, about {}", self.lock, humantime::format_duration(rounded(self.estimate)))?;
        match self.blocks {
            Some(blocks) => writeln!(f, ", writers wait for about {}", humantime::format_duration(rounded(blocks)))?,
            None => writeln!(f)?,
        }
        for note in &self.notes {
            writeln!(f, "-- {note}")?;
        }
        for action in &self.moves {
            for sql in action.action.sql() {
                writeln!(f, "{sql}{}", if sql.starts_with("--") { "" } else { ";" })?;
            }
        }
        for action in self.moves.iter().rev() {
            for sql in action.undo.iter().flat_map(super::Action::sql) {
                writeln!(f, "-- back: {};", sql.replace('\n', "\n--       "))?;
            }
        }
        Ok(())
    }
}

/// To what is worth being told.
fn rounded(time: Duration) -> Duration {
    match time {
        time if time < Duration::from_secs(1) => {
            Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or_default())
        }
        time => Duration::from_secs(time.as_secs()),
    }
}
