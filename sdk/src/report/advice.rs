//! What should be done, as a page shows it.

use maud::{Markup, html};

use super::page::chip;
use crate::advise::{Advice, Figure, Finding, Item, Severity, State};
use crate::health::Verdict;

pub(super) fn section(advice: &Advice) -> Markup {
    let (due, rest): (Vec<&Finding>, Vec<&Finding>) =
        advice.findings.iter().partition(|finding| finding.severity == Severity::Warning);
    html! {
        section #advice {
            h2 { "Advice" }
            p { "This is a " b { (advice.level) } " service." }
            @for signal in &advice.signals { p.soft { (signal.level) ": " (signal.figure) "; " (signal.why) } }
            @if let Some(step) = advice.next_step() {
                div.next { b { "Next: " (step.rung) } ": " (step.why) (actions(&step.actions)) }
            }
            @if !due.is_empty() { ul.items { @for finding in due { (found(finding)) } } }
            @if !rest.is_empty() {
                details {
                    summary { (rest.len()) " that are good to know" }
                    ul.items { @for finding in rest { (found(finding)) } }
                }
            }
            details open {
                summary { "The checklist of this level, and of those below" }
                ul.items { @for item in &advice.items { (listed(item)) } }
            }
            @if !advice.unseen.is_empty() {
                details {
                    summary { "What could not be seen" }
                    ul.items { @for what in &advice.unseen { li.soft { (what) } } }
                }
            }
        }
    }
}

fn found(finding: &Finding) -> Markup {
    let verdict = if finding.severity == Severity::Warning { Verdict::Warning } else { Verdict::Unknown };
    html! {
        li {
            p { (chip(&finding.kind.to_string(), verdict)) " " b { (finding.subject) } }
            p.soft { (finding.why) }
            (figures(&finding.evidence))
            (actions(&finding.actions))
        }
    }
}

fn listed(item: &Item) -> Markup {
    let verdict = match item.state {
        State::There => Verdict::Ok,
        State::Missing => Verdict::Warning,
        State::NotNeededYet | State::Unknown => Verdict::Unknown,
    };
    html! {
        li {
            p {
                (chip(&item.state.to_string(), verdict)) " " b { (item.topic) }
                " " span.soft { (item.level) ", complexity " (item.complexity) ", cost " (item.cost) }
            }
            p.soft { (item.why) }
            (figures(&item.evidence))
            (actions(&item.actions))
        }
    }
}

fn figures(figures: &[Figure]) -> Markup {
    let all: Vec<String> = figures.iter().map(ToString::to_string).collect();
    html! { @if !all.is_empty() { p.soft { (all.join("; ")) } } }
}

fn actions(actions: &[String]) -> Markup {
    html! { @for action in actions { pre { (action) } } }
}
