//! What becomes of one statement. Pure: by the checker's word, and never more than that.

use std::fmt;

use serde::Serialize;
use shardwise_scope::{Analysis, Refusal, Sites, WriteKind, analyse, sites};

use super::rewrite::{self, Rewrite, key_value, rewrite};
use super::statement::Statement;
use super::tables::{Known, Role, Tables, folded};
use super::warnings::{self, Functions, Warning};
use super::words::Kind;

/// What a statement is, once its tables are distributed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// It is about one tenant's rows and does not say whose, or would fail: the key is to be added.
    NeedsKey,
    /// It is about rows of several tenants, or of no tenant that could be named: it has to be asked across all shards, or done otherwise.
    Cross,
    /// It names a table of which a person has yet to say what it is.
    Undecided,
    /// The checker does not accept it, or names what is not there.
    Unreadable,
    /// It is put together while the program runs, and was not checked.
    Dynamic,
    /// It goes to one shard as it is.
    Routes,
    /// It names everybody's tables alone, of which each node has a copy.
    Reference,
    /// It names tables alone that stay where they are.
    Local,
    /// It names no rows: transactions, settings, definitions, the system catalogs.
    Other,
}

impl Verdict {
    /// All of them, those first about which something is to be done.
    pub const ALL: &[Self] = &[
        Self::NeedsKey,
        Self::Cross,
        Self::Undecided,
        Self::Unreadable,
        Self::Dynamic,
        Self::Routes,
        Self::Reference,
        Self::Local,
        Self::Other,
    ];

    /// Whether a statement has to be changed, or somebody has to say more before that is known.
    #[must_use]
    pub fn is_due(self) -> bool {
        matches!(self, Self::NeedsKey | Self::Cross | Self::Undecided | Self::Unreadable)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NeedsKey => "needs the key",
            Self::Cross => "across tenants",
            Self::Undecided => "undecided",
            Self::Unreadable => "unreadable",
            Self::Dynamic => "dynamic, not checked",
            Self::Routes => "routes",
            Self::Reference => "reference",
            Self::Local => "local",
            Self::Other => "other",
        })
    }
}

/// A verdict, with its reason.
#[derive(Debug, Clone)]
pub(super) struct Judged {
    pub(super) verdict: Verdict,
    pub(super) why: String,
    /// The statement with the key, where the checker accepts that.
    pub(super) rewritten: Option<String>,
    pub(super) warnings: Vec<Warning>,
}

impl Judged {
    fn new(verdict: Verdict, why: impl Into<String>) -> Self {
        Self { verdict, why: why.into(), rewritten: None, warnings: Vec::new() }
    }
}

/// Judges a statement.
pub(super) fn judge(statement: &Statement, tables: &Tables, functions: &Functions) -> Judged {
    let found = sites(&statement.named).ok();
    let mut judged = verdict(statement, found.as_ref(), tables);
    judged.warnings = warnings::of(statement, found.as_ref(), tables, functions, judged.verdict);
    judged
}

fn verdict(statement: &Statement, found: Option<&Sites>, tables: &Tables) -> Judged {
    if let Some(why) = &statement.unread {
        return Judged::new(Verdict::Dynamic, why.clone());
    }
    if statement.goes_on {
        return Judged::new(Verdict::Dynamic, "it goes on elsewhere in the program");
    }
    if let Some(judged) = without_rows(statement, tables) {
        return judged;
    }
    let refusals = match (analyse(&statement.named), found) {
        (Ok(analysis), Some(sites)) => return of_rows(statement, &analysis, sites, tables, None),
        (Ok(_), None) => Vec::new(),
        (Err(refusals), _) => refusals,
    };
    if found.is_none()
        && let [first, ..] = statement.spliced.as_slice()
    {
        return Judged::new(Verdict::Dynamic, format!("what {first} is, is not known before it runs"));
    }
    if reads_catalogs(statement, tables) {
        return Judged::new(Verdict::Other, "it reads the system catalogs");
    }
    // An INSERT without a list of columns can be given one.
    let lists = found.map(|found| rewrite::column_lists(found, &statement.named, tables)).unwrap_or_default();
    if !lists.is_empty() {
        let listed = statement.edited(&lists);
        if let (Ok(analysis), Ok(sites)) = (analyse(&listed.named), sites(&listed.named)) {
            let why = "an INSERT without a list of columns has no place for one more";
            return of_rows(&listed, &analysis, &sites, tables, Some(why));
        }
    }
    Judged::new(Verdict::Unreadable, told(&refusals))
}

fn told(refusals: &[Refusal]) -> String {
    let mut messages: Vec<&str> = refusals.iter().map(|refusal| refusal.message.as_str()).collect();
    messages.dedup();
    messages.truncate(2);
    messages.join("; ")
}

const CONTROL: &[&str] = &[
    "abort",
    "begin",
    "checkpoint",
    "close",
    "commit",
    "deallocate",
    "declare",
    "discard",
    "end",
    "execute",
    "explain",
    "fetch",
    "listen",
    "load",
    "lock",
    "move",
    "notify",
    "prepare",
    "release",
    "reset",
    "rollback",
    "savepoint",
    "set",
    "show",
    "start",
    "unlisten",
];
const DEFINITIONS: &[&str] = &[
    "alter", "analyze", "cluster", "comment", "create", "drop", "grant", "import", "reassign", "refresh", "reindex",
    "revoke", "security", "vacuum",
];

/// What neither reads nor writes rows by conditions.
fn without_rows(statement: &Statement, tables: &Tables) -> Option<Judged> {
    let [first, ..] = statement.first_words();
    let of_tenants = || {
        let tokens = statement.tokens();
        let named =
            |known: &&Known| tokens.iter().any(|token| is_name(token.kind) && folded(token.text) == known.name.name);
        tables.of_tenants().find(named).map(|known| known.name.to_string())
    };
    Some(match first.as_str() {
        "" => Judged::new(Verdict::Other, "it is empty"),
        "truncate" => match of_tenants() {
            Some(table) => Judged::new(Verdict::Cross, format!("it empties {table} for all tenants")),
            None => Judged::new(Verdict::Other, "TRUNCATE"),
        },
        "copy" => match of_tenants() {
            Some(table) => Judged::new(
                Verdict::Cross,
                format!("COPY of {table} goes to all shards: a tenant has `copy_in` and `copy_out`"),
            ),
            None => Judged::new(Verdict::Other, "COPY"),
        },
        "call" | "do" => Judged::new(Verdict::Unreadable, "what it does is in its body, which was not read"),
        word if CONTROL.contains(&word) => Judged::new(Verdict::Other, "it is about the session or its transaction"),
        word if DEFINITIONS.contains(&word) => {
            Judged::new(Verdict::Other, "it is a definition or upkeep, and goes to the coordinator")
        }
        _ => return None,
    })
}

fn is_name(kind: Kind) -> bool {
    matches!(kind, Kind::Word | Kind::Name)
}

/// Whether all tables that it names are the system's.
fn reads_catalogs(statement: &Statement, tables: &Tables) -> bool {
    let tokens = statement.tokens();
    let mut names = tokens.iter().filter(|token| is_name(token.kind)).map(|token| folded(token.text)).peekable();
    names.peek().is_some()
        && !names.clone().any(|name| tables.is_named(&name))
        && names.any(|name| name.starts_with("pg_") || name == "information_schema")
}

/// What reads or writes rows. `lacks` is what was already amended.
fn of_rows(statement: &Statement, analysis: &Analysis, sites: &Sites, tables: &Tables, lacks: Option<&str>) -> Judged {
    let mut known = Vec::with_capacity(analysis.relations.len());
    for relation in &analysis.relations {
        match tables.find(relation.schema.as_deref(), &relation.name) {
            Some(one) => known.push(one),
            None => {
                return Judged::new(
                    Verdict::Unreadable,
                    format!("there is no table or view {:?} in this database", relation.name),
                );
            }
        }
    }
    let of = |role: Role| known.iter().find(|known| known.role == role).map(|known| &known.name);
    if let Some(name) = of(Role::Undecided) {
        return Judged::new(Verdict::Undecided, format!("a person has yet to say what {name} is"));
    }
    let tenants = of(Role::Tenants).or(of(Role::View));
    match (tenants, of(Role::Local), of(Role::Shared)) {
        (Some(tenants), Some(local), _) => {
            let why = format!(
                "{tenants} is distributed and {local} stays on the coordinator: what has both is for the coordinator"
            );
            return Judged::new(Verdict::Cross, why);
        }
        (None, Some(_), _) => return Judged::new(Verdict::Local, "its tables stay where they are"),
        (None, None, Some(_)) => return Judged::new(Verdict::Reference, "each node has a copy of its tables"),
        (None, None, None) => return Judged::new(Verdict::Other, "it names no table"),
        (Some(_), None, _) => {}
    }
    if let Some(view) = of(Role::View) {
        let is_held = analysis.relations.iter().zip(&known).any(|(relation, known)| {
            known.role == Role::View && relation.pins.iter().any(|pin| !statement.is_constant(&pin.param))
        });
        let why = format!(
            "{view} is a view of tenants' rows, into which the checker does not see: write its query in its place"
        );
        return Judged::new(if is_held { Verdict::NeedsKey } else { Verdict::Cross }, why);
    }
    if let Some(why) = moves_or_mixes(analysis, &known) {
        return Judged::new(Verdict::Cross, why);
    }
    let plan = rewrite(analysis, sites, &known, tables);
    let held = tables.hold(analysis, &plan.tenant);
    if held.is_ok() && plan.is_empty() && lacks.is_none() {
        return Judged::new(Verdict::Routes, "all of its rows are one tenant's");
    }
    let rewritten = with_key(statement, &plan, tables);
    let is_tenants = held.is_ok() || is_identified(analysis, sites, &known);
    let mut reasons: Vec<String> = lacks.map(str::to_owned).into_iter().chain(plan.reasons).collect();
    reasons.dedup();
    if is_tenants {
        if rewritten.is_none() {
            reasons.extend(held.err().map(|message| format!("it has to be written anew by hand: {message}")));
        }
        return Judged { rewritten, ..Judged::new(Verdict::NeedsKey, reasons.join("; ")) };
    }
    Judged { rewritten, ..Judged::new(Verdict::Cross, across(statement, analysis, sites, &known)) }
}

/// The statement with the key, if the checker accepts it so. Conditions that follow from others are left out.
fn with_key(statement: &Statement, plan: &Rewrite, tables: &Tables) -> Option<String> {
    needed(statement, plan, tables).map(|(_, shown)| shown)
}

/// Which conditions are needed, and the statement with those alone, if the checker accepts it.
pub(super) fn needed(statement: &Statement, plan: &Rewrite, tables: &Tables) -> Option<(Vec<bool>, String)> {
    let accepted = |needed: &[bool]| {
        let (named, shown) = statement.with(&plan.edits(needed), &plan.tenant, &tables.key.column);
        tables.hold(&analyse(&named).ok()?, &plan.tenant).ok().map(|()| shown)
    };
    let mut needed = vec![true; plan.conditions()];
    let mut best = accepted(&needed)?;
    for at in (0..needed.len()).rev().filter(|_| plan.conditions() > 1) {
        needed[at] = false;
        match accepted(&needed) {
            Some(shorter) => best = shorter,
            None => needed[at] = true,
        }
    }
    Some((needed, best))
}

/// What no key would help: rows that change hands, and rows of everybody's that are changed beside a tenant's.
fn moves_or_mixes(analysis: &Analysis, known: &[&Known]) -> Option<String> {
    for write in &analysis.writes {
        let table = known.get(write.relation)?;
        if table.role == Role::Shared {
            return Some(format!(
                "it changes {}, of which each node has a copy, beside rows of tenants: change it by itself",
                table.name
            ));
        }
        if let WriteKind::Set(values) = &write.kind
            && let Some(value) = key_value(values, Some(table))
        {
            let key = table.key.as_deref().unwrap_or_default();
            let is_same = value.param().is_some_and(|param| {
                analysis.relations[write.relation].pins.iter().any(|pin| pin.column == key && pin.param == param)
            });
            if !is_same {
                let name = &table.name;
                return Some(format!(
                    "it gives rows of {name} another {key}, which Citus refuses: delete them and insert them anew"
                ));
            }
        }
    }
    None
}

/// Whether something in it tells one tenant's rows from others: new rows, a row's own key, or a row that it belongs to.
fn is_identified(analysis: &Analysis, sites: &Sites, known: &[&Known]) -> bool {
    let reads = |relation: usize| sites.tables.iter().any(|site| site.at == analysis.relations[relation].at);
    let of_tenants = |relation: &usize| known[*relation].role == Role::Tenants;
    let mut read = (0..known.len()).filter(of_tenants).filter(|relation| reads(*relation)).peekable();
    if read.peek().is_none() {
        return true;
    }
    read.any(|relation| {
        let pins = &analysis.relations[relation].pins;
        let is_listed = |column: &str| is_listed(analysis, sites, relation, column);
        let is_given = |column: &String| pins.iter().any(|pin| pin.column == *column) || is_listed(column);
        // A list of tenants is of several.
        let is_one = |key: &String| pins.iter().any(|pin| pin.column == *key);
        known[relation].key.as_ref().is_some_and(is_one)
            || known[relation].identifying.iter().any(|columns| columns.iter().all(is_given))
    })
}

fn is_listed(analysis: &Analysis, sites: &Sites, relation: usize, column: &str) -> bool {
    let mut uses = analysis.columns.iter().filter(|one| one.name == column && one.of.contains(&relation));
    uses.any(|one| sites.listed_columns.contains(&one.at))
}

const SUMS: &[&str] =
    &["count", "sum", "avg", "min", "max", "array_agg", "string_agg", "json_agg", "jsonb_agg", "bool_or", "bool_and"];

/// Why no tenant can be named.
fn across(statement: &Statement, analysis: &Analysis, sites: &Sites, known: &[&Known]) -> String {
    let tokens = statement.tokens();
    let called = |(at, token): (usize, &super::words::Token<'_>)| {
        let is_call = tokens.get(at + 1).is_some_and(|next| next.is_sign("("));
        SUMS.iter().find(|name| is_call && token.is(name))
    };
    let pinned = analysis.relations.iter().zip(known).find_map(|(relation, known)| {
        let pin = relation.pins.iter().find(|pin| !statement.is_constant(&pin.param));
        Some((known, &pin.filter(|_| known.role == Role::Tenants)?.column))
    });
    let hint = "where one tenant's are meant, add the key";
    let several = known.iter().enumerate().find_map(|(relation, known)| {
        let key = known.key.as_deref()?;
        is_listed(analysis, sites, relation, key).then_some(key)
    });
    if let Some(key) = several {
        return format!("{key} is one of a list, which is of several tenants: ask each of them");
    }
    match (pinned, tokens.iter().enumerate().find_map(called)) {
        (Some((known, column)), _) if known.is_root => {
            let key = known.key.as_deref().unwrap_or_default();
            format!(
                "it looks for tenants by {column}, before their {key} is known: keep what is asked for so in a reference table"
            )
        }
        (_, Some(sum)) => format!("{sum}() is over rows of all tenants: {hint}"),
        (Some((known, column)), _) => {
            format!("rows of {} with one {column} may be several tenants': {hint}", known.name)
        }
        (None, None) => format!("nothing in it tells one tenant's rows from others': {hint}"),
    }
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
