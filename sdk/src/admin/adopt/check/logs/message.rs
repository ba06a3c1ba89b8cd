//! What one message of a server says of a statement.

/// What a message says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Said<'m> {
    /// A statement is run.
    Statement(&'m str),
    /// A statement took so long.
    Timed {
        text: &'m str,
        ms: f64,
        /// Whether it was run, and not only parsed or bound.
        is_run: bool,
    },
    /// Whatever was told last of this process took so long.
    Took(f64),
    /// auto_explain tells of a statement.
    Plan { text: String, ms: f64 },
}

/// `duration: 1.2 ms  statement: …`, `execute <unnamed>: …` and their like.
pub(super) fn said(message: &str) -> Option<Said<'_>> {
    let Some(timed) = message.strip_prefix("duration: ") else {
        return run(message).map(|(text, _)| Said::Statement(text));
    };
    let (ms, rest) = timed.split_once(" ms")?;
    let ms: f64 = ms.trim().parse().ok().filter(|ms: &f64| ms.is_finite() && *ms >= 0.0)?;
    let rest = rest.trim_start_matches(' ');
    if rest.is_empty() {
        return Some(Said::Took(ms));
    }
    if let Some(plan) = rest.strip_prefix("plan:") {
        return Some(Said::Plan { text: planned(plan.trim_start())?, ms });
    }
    let step = ["parse ", "bind "].into_iter().find_map(|step| rest.strip_prefix(step)?.split_once(": "));
    match (run(rest), step) {
        (Some((text, _)), _) => Some(Said::Timed { text, ms, is_run: true }),
        (None, Some((_, text))) => Some(Said::Timed { text, ms, is_run: false }),
        (None, None) => None,
    }
}

/// `statement: …`, or `execute name: …`.
fn run(text: &str) -> Option<(&str, &str)> {
    if let Some(statement) = text.strip_prefix("statement: ") {
        return Some((statement, ""));
    }
    let (name, statement) = text.strip_prefix("execute ")?.split_once(": ")?;
    // A name has no blank, but `fetch from portal/name`.
    let is_name = !name.contains([' ', '\n']) || name.starts_with("fetch from ");
    is_name.then_some((statement, name))
}

/// The query above a plan, which is text or JSON.
fn planned(plan: &str) -> Option<String> {
    if plan.starts_with('{') {
        let plan: serde_json::Value = serde_json::from_str(plan).ok()?;
        return plan.get("Query Text")?.as_str().map(str::to_owned);
    }
    let query = plan.strip_prefix("Query Text: ")?;
    let is_plan = |line: &&str| line.contains("(cost=") || line.starts_with("Query Parameters: ");
    let lines: Vec<&str> = query.lines().take_while(|line| !is_plan(line)).collect();
    Some(lines.join("\n"))
}
