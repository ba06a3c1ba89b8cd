//! What should be done, as a page shows it.

use maud::{Markup, html};

/// Advice on the way to a larger cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counsel {
    /// How large it is, and from what that is known.
    pub level: String,
    /// The next step, where there is one.
    pub next: Option<String>,
    /// What was looked at.
    pub items: Vec<Item>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Item {
    /// What it is.
    pub title: String,
    /// Whether it is there.
    pub state: String,
    /// Whether something should be done about it.
    pub is_open: bool,
    /// From what that is known.
    pub evidence: Vec<String>,
    /// What to do.
    pub action: Option<String>,
    /// How hard it is, and what it costs.
    pub effort: Option<String>,
}

pub(super) fn section(counsel: &Counsel) -> Markup {
    html! {
        section #advice {
            h2 { "Advice" }
            p { (counsel.level) }
            @if let Some(next) = &counsel.next {
                p.next { b { "Next: " } (next) }
            }
            ul.items {
                @for item in &counsel.items {
                    li.open[item.is_open] {
                        p.title {
                            span class=(if item.is_open { "chip warning" } else { "chip ok" }) { (item.state) }
                            " " b { (item.title) }
                            @if let Some(effort) = &item.effort { " " span.soft { (effort) } }
                        }
                        @for evidence in &item.evidence { p.soft { (evidence) } }
                        @if let Some(action) = &item.action { pre { (action) } }
                    }
                }
            }
        }
    }
}
