//! Each thing that the doctor finds: made on real servers, found, undone, and found no more.

mod clocks;
mod cluster;
mod server;
mod way;

use shardwise::doctor::{Diagnosis, Finding, Subject};
use shardwise::health::Verdict;
use shardwise::{Config, Schema};

async fn examine(config: &Config) -> Diagnosis {
    examine_with(config, &Schema::new()).await
}

async fn examine_with(config: &Config, schema: &Schema) -> Diagnosis {
    let diagnosis = shardwise::doctor(config, schema).await;
    // What all tests see alike: nothing that was found is without its fix, and nothing fine has one.
    for finding in diagnosis.findings() {
        assert_eq!(finding.fix.is_none(), finding.verdict == Verdict::Ok, "{finding}");
    }
    diagnosis
}

/// The worst that was found of this.
fn worst(diagnosis: &Diagnosis, subject: Subject) -> Verdict {
    let all = diagnosis.findings().iter().filter(|finding| finding.subject == subject);
    all.map(|finding| finding.verdict).max().unwrap_or_else(|| panic!("{subject} was not looked at:\n{diagnosis}"))
}

/// The one finding of this that is as bad, and says so.
fn found<'a>(diagnosis: &'a Diagnosis, subject: Subject, verdict: Verdict, seen: &str) -> &'a Finding {
    let is_it =
        |finding: &&Finding| finding.subject == subject && finding.verdict == verdict && finding.seen.contains(seen);
    let finding = diagnosis.findings().iter().find(is_it);
    let finding = finding.unwrap_or_else(|| panic!("no {verdict} {subject} that says {seen:?}:\n{diagnosis}"));
    println!("DOCTOR {finding}");
    finding
}

/// That none of this is worse than fine.
fn fine(diagnosis: &Diagnosis, subject: Subject) {
    assert_eq!(worst(diagnosis, subject), Verdict::Ok, "{subject}:\n{diagnosis}");
}
