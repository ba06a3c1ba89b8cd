//! What was found.

use std::fmt;

use serde::Serialize;

use crate::error::Error;
use crate::health::Verdict;

/// What was looked at: see the [module](super) for what of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[allow(missing_docs, reason = "the module has a table of them")]
pub enum Subject {
    Configuration,
    Address,
    Connection,
    LogIn,
    Tls,
    Certificate,
    Pooler,
    Role,
    Limits,
    Versions,
    Locale,
    Clock,
    Hash,
    Metadata,
    Decoding,
    RowSecurity,
    Schema,
    Slots,
    Redis,
}

impl Subject {
    /// Its name, as it is serialized.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Address => "address",
            Self::Connection => "connection",
            Self::LogIn => "log_in",
            Self::Tls => "tls",
            Self::Certificate => "certificate",
            Self::Pooler => "pooler",
            Self::Role => "role",
            Self::Limits => "limits",
            Self::Versions => "versions",
            Self::Locale => "locale",
            Self::Clock => "clock",
            Self::Hash => "hash",
            Self::Metadata => "metadata",
            Self::Decoding => "decoding",
            Self::RowSecurity => "row_security",
            Self::Schema => "schema",
            Self::Slots => "slots",
            Self::Redis => "redis",
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// What was looked at.
    pub subject: Subject,
    /// Of which server, `host:port`; `None` where it is of none, or of several.
    pub node: Option<String>,
    /// How bad it is. `unknown`: it could not be found out.
    pub verdict: Verdict,
    /// What was tried.
    pub tried: String,
    /// What was seen.
    pub seen: String,
    /// What to do about it.
    pub fix: Option<String>,
}

impl Finding {
    fn new(
        verdict: Verdict,
        subject: Subject,
        node: Option<&str>,
        tried: &str,
        seen: impl Into<String>,
        fix: Option<&str>,
    ) -> Self {
        let (node, fix) = (node.map(str::to_owned), fix.map(str::to_owned));
        Self { subject, node, verdict, tried: tried.to_owned(), seen: seen.into(), fix }
    }

    pub(super) fn fine(subject: Subject, node: Option<&str>, tried: &str, seen: impl Into<String>) -> Self {
        Self::new(Verdict::Ok, subject, node, tried, seen, None)
    }

    pub(super) fn warning(
        subject: Subject,
        node: Option<&str>,
        tried: &str,
        seen: impl Into<String>,
        fix: &str,
    ) -> Self {
        Self::new(Verdict::Warning, subject, node, tried, seen, Some(fix))
    }

    pub(super) fn critical(
        subject: Subject,
        node: Option<&str>,
        tried: &str,
        seen: impl Into<String>,
        fix: &str,
    ) -> Self {
        Self::new(Verdict::Critical, subject, node, tried, seen, Some(fix))
    }

    pub(super) fn unknown(
        subject: Subject,
        node: Option<&str>,
        tried: &str,
        seen: impl Into<String>,
        fix: &str,
    ) -> Self {
        Self::new(Verdict::Unknown, subject, node, tried, seen, Some(fix))
    }

    /// A server that lets us in and does not answer what it is asked.
    pub(super) fn failed(subject: Subject, node: &str, error: &Error) -> Self {
        let fix = "see the server's log; a role may be missing rights";
        Self::unknown(subject, Some(node), "asking the server", error.to_string(), fix)
    }
}

/// `critical: connection of db-1:5432: nobody listens there (tried: …)`, and the fix below.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.verdict, self.subject)?;
        if let Some(node) = &self.node {
            write!(f, " of {node}")?;
        }
        write!(f, ": {} (tried: {})", self.seen, self.tried)?;
        match &self.fix {
            Some(fix) => write!(f, "\n  fix: {fix}"),
            None => Ok(()),
        }
    }
}

/// All that was found, in the order in which it was looked at. It prints with the worst first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Diagnosis {
    /// The worst of them.
    verdict: Verdict,
    findings: Vec<Finding>,
}

impl Diagnosis {
    pub(super) fn new(findings: Vec<Finding>) -> Self {
        let verdict = findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Unknown);
        Self { verdict, findings }
    }

    /// Of a configuration that can't be read: nothing else could be looked at.
    #[must_use]
    pub fn of_configuration(error: &Error) -> Self {
        let fix = "the message names the place and what to write there";
        let tried = "reading the file, its profile and the environment";
        Self::new(vec![Finding::critical(Subject::Configuration, None, tried, error.to_string(), fix)])
    }

    /// All of them.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The worst of them.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut findings: Vec<&Finding> = self.findings.iter().collect();
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.verdict));
        for finding in &findings {
            writeln!(f, "{finding}")?;
        }
        let of = |verdict: Verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
        let counts = [Verdict::Critical, Verdict::Warning, Verdict::Ok, Verdict::Unknown];
        let counts: Vec<String> = counts.map(|verdict| format!("{} {verdict}", of(verdict))).into();
        writeln!(f, "{}", counts.join(", "))
    }
}
