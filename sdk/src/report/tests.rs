//! What holds for every page, whatever its browser.

use std::collections::BTreeMap;

use super::page::STYLE;
use crate::advise::{
    Advice, Amount, Complexity, Cost, Figure, Finding, FindingKind, Item, Level, Rung, RungState, Severity, Signal,
    State, Step, Topic,
};
use crate::config::Mode;
use crate::status::fixture;

/// What would be markup, an attribute's end, a style's end or a script, if it got in as it is.
const HOSTILE: &str = "</title></style></svg>\"'><script>alert(1)</script><img src=x onerror=alert(1)>&amp;\u{202e}";

fn page_of(named: impl Fn(&str) -> String) -> String {
    let figure = Figure { name: "rows read by it", amount: Amount::Count(12), source: "pg_stat_user_tables" };
    let finding = Finding {
        kind: FindingKind::MissingIndex,
        severity: Severity::Warning,
        subject: named("wallets.user_id"),
        why: named("no index begins with it"),
        evidence: vec![figure.clone()],
        actions: vec![named("CREATE INDEX CONCURRENTLY …")],
    };
    let note = Finding { severity: Severity::Note, subject: named("an old index"), ..finding.clone() };
    let item = Item {
        topic: Topic::Indexes,
        level: Level::Small,
        state: State::Missing,
        why: named("one is missing"),
        evidence: vec![figure.clone()],
        complexity: Complexity::Low,
        cost: Cost::None,
        actions: vec![named("create it")],
    };
    let step = Step {
        rung: Rung::QueriesAndIndexes,
        state: RungState::Due,
        why: named("first"),
        actions: vec![named("indexes")],
    };
    let advice = Advice {
        level: Level::Medium,
        signals: vec![Signal { figure, level: Level::Medium, why: named("so it is") }],
        mode: Mode::Citus,
        nodes: Vec::new(),
        items: vec![item],
        findings: vec![finding, note],
        path: vec![step],
        next: Some(Rung::QueriesAndIndexes),
        unseen: vec![named("what others do")],
    };
    fixture::status(&named).html(Some(&advice))
}

#[test]
fn names_are_never_markup() {
    let (plain, hostile) = (page_of(str::to_owned), page_of(|name| format!("{name}{HOSTILE}")));
    let tags = |page: &str| -> BTreeMap<String, usize> {
        let mut all = BTreeMap::new();
        for tag in page.split('<').skip(1) {
            let name: String = tag.chars().take_while(|c| !c.is_whitespace() && *c != '>').collect();
            *all.entry(name).or_default() += 1;
        }
        all
    };
    assert_eq!(tags(&plain), tags(&hostile), "the same elements, as often");
    assert!(!hostile.contains("<script") && !hostile.contains("<img"));
    assert!(hostile.contains("eu-worker:5432&lt;/title&gt;"), "it is shown all the same");
    // Outside of the style, each quote of an attribute is the page's own.
    let quotes = |page: &str| page.matches('"').count();
    assert_eq!(quotes(&plain), quotes(&hostile));
}

#[test]
fn nothing_is_loaded_and_nothing_runs() {
    let page = page_of(str::to_owned);
    for word in [
        "http:",
        "https:",
        "src=",
        "href=\"http",
        "url(",
        "@import",
        "<script",
        "<link",
        "<iframe",
        "javascript:",
        " onload",
    ] {
        assert!(!page.contains(word), "{word}");
    }
    assert!(page.contains("default-src 'none'"));
    assert!(page.contains("width=device-width"));
}

#[test]
fn it_says_what_there_is() {
    let page = page_of(str::to_owned);
    for text in [
        "festivals <span class=\"chip critical\">critical</span>",
        "<dt>Nodes up</dt><dd>3 of 4</dd>",
        "no connection",
        "shard 102009: its size is not known, hashes 1000 to 1999",
        "at most 1.7 s",
        "group 1: 16 shards, 240 MB",
        "<span class=\"chip warning\">missing index</span> <b>wallets.user_id</b>",
        "CREATE INDEX CONCURRENTLY …",
        "Redis is given up",
        "data-label=\"from what\"",
    ] {
        assert!(page.contains(text), "{text}\n{page}");
    }
    assert_eq!(page.matches("class=\"cell s").count(), 32 + 6, "the shards, and the legend's");
}

/// The variables of a colour scheme.
fn colours(scheme: &str) -> BTreeMap<&str, [f64; 3]> {
    let start = match scheme {
        "light" => 0,
        at => STYLE.find(at).expect("the scheme is there"),
    };
    let block = STYLE[start..].split(":root {").nth(1).and_then(|rest| rest.split('}').next()).expect("its variables");
    let pairs = block.split(';').filter_map(|line| line.trim().split_once(": #"));
    pairs
        .map(|(name, hex)| {
            let part = |at: usize| f64::from(u8::from_str_radix(&hex[at..at + 2], 16).expect("a colour")) / 255.0;
            (name, [part(0), part(2), part(4)])
        })
        .collect()
}

/// As WCAG 2.2 defines it ("relative luminance", "contrast ratio").
fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let luminance = |colour: [f64; 3]| {
        let linear = colour.map(|part| if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn what_is_to_be_read_can_be_in_all_schemes() {
    assert!((contrast([0.0; 3], [1.0; 3]) - 21.0).abs() < 1e-9);
    // WCAG 2.2, AA: 4.5 for text (1.4.3), 3 for what pictures are understood by (1.4.11).
    let texts = [
        ("--ink", "--page"),
        ("--ink", "--card"),
        ("--ink", "--track"),
        ("--soft", "--page"),
        ("--soft", "--card"),
        ("--ok-ink", "--ok-card"),
        ("--warning-ink", "--warning-card"),
        ("--critical-ink", "--critical-card"),
        ("--critical-ink", "--card"),
        ("--unknown-ink", "--unknown-card"),
    ];
    let pictures = [
        ("--line", "--card"),
        ("--line", "--page"),
        ("--bar", "--card"),
        ("--bar", "--track"),
        ("--warning", "--card"),
        ("--warning", "--track"),
        ("--critical", "--card"),
        ("--critical", "--track"),
        ("--reach", "--track"),
        ("--mark", "--track"),
    ];
    for scheme in ["light", "prefers-color-scheme: dark", "@media print"] {
        let colours = colours(scheme);
        assert_eq!(colours.len(), 26, "{scheme}: {colours:?}");
        for (pairs, wanted) in [(&texts[..], 4.5), (&pictures[..], 3.0)] {
            for (front, back) in pairs {
                let found = contrast(colours[front], colours[back]);
                assert!(found >= wanted, "{scheme}: {front} on {back} is {found:.2}");
            }
        }
        // From step to step of the shards' colours there is a difference, always in one direction.
        let steps: Vec<f64> =
            (1..=5).map(|step| contrast(colours[format!("--s{step}").as_str()], colours["--card"])).collect();
        assert!(steps.windows(2).all(|pair| pair[1] > pair[0] * 1.25), "{scheme}: {steps:?}");
    }
}
