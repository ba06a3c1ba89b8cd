//! What else is to be known of a statement, whatever becomes of it. Pure.

use std::collections::BTreeMap;

use serde::Serialize;
use shardwise_scope::Sites;

use super::statement::Statement;
use super::tables::{Known, Role, Tables, folded};
use super::verdict::Verdict;
use super::words::{Kind, Token};
use crate::admin::adopt::catalog::Function;

/// Something that is to be known of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Warning {
    /// What kind of thing.
    pub kind: WarningKind,
    /// In words.
    pub text: String,
}

/// What kind of thing is to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WarningKind {
    /// UPDATE sets the column with the tenant's key.
    KeySet,
    /// INSERT without a list of columns.
    NoColumnList,
    /// All columns of a table that gets one more are returned: what is prepared fails once, with SQLSTATE 0A000.
    WholeRows,
    /// ON CONFLICT names columns or a constraint that will be others: SQLSTATE 42P10 or 42704.
    Conflict,
    /// Rows of more than one shard can't be locked.
    Locks,
    /// A function of the database is called that names tenants' tables.
    Function,
    /// What a sequence gave last is asked for, which is the session's on one node.
    Sequence,
    /// Something is put into the text and was taken for a value.
    Spliced,
}

/// Functions of a database that name tenants' tables, with these tables.
pub(super) type Functions = BTreeMap<String, Vec<String>>;

/// Of a database's functions those whose body names tenants' tables.
pub(super) fn functions(all: &[Function], tables: &Tables) -> Functions {
    let mut found = Functions::new();
    for function in all {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let words: Vec<String> = function
            .source
            .split(|c| !is_word(c))
            .filter(|word| !word.is_empty())
            .map(str::to_ascii_lowercase)
            .collect();
        let named = |known: &&Known| words.iter().any(|word| word.eq_ignore_ascii_case(&known.name.name));
        let names: Vec<String> = tables.of_tenants().filter(named).map(|known| known.name.to_string()).collect();
        if !names.is_empty() {
            found.entry(function.name.name.clone()).or_default().extend(names);
        }
    }
    found
}

pub(super) fn of(
    statement: &Statement,
    sites: Option<&Sites>,
    tables: &Tables,
    functions: &Functions,
    verdict: Verdict,
) -> Vec<Warning> {
    let tokens = statement.tokens();
    let mut warnings = Vec::new();
    let mut warn = |kind, text: String| warnings.push(Warning { kind, text });
    for hole in &statement.spliced {
        warn(WarningKind::Spliced, format!("{hole} is put into the text, and was taken for a value"));
    }
    if let Some(sites) = sites {
        let known = |at: &std::ops::Range<usize>| tables.written(&statement.named[at.clone()]);
        let read = sites.tables.iter().filter_map(|site| known(&site.at));
        let written: Vec<_> = sites.inserts.iter().filter_map(|site| Some((site, known(&site.at)?))).collect();
        let mut grows: Vec<String> = read
            .chain(written.iter().map(|(_, known)| *known))
            .filter(|known| known.key_is_new)
            .map(|known| known.name.to_string())
            .collect();
        grows.sort();
        grows.dedup();
        if !sites.stars.is_empty() && !grows.is_empty() {
            let tables = grows.join(" and ");
            warn(
                WarningKind::WholeRows,
                format!("* has one column more when the key comes to {tables}: what is prepared fails once (0A000)"),
            );
        }
        for (site, known) in written.iter().filter(|(_, known)| known.role == Role::Tenants) {
            let (name, key) = (&known.name, known.key.as_deref().unwrap_or_default());
            if site.columns.is_none() {
                warn(WarningKind::NoColumnList, format!("it inserts into {name} without a list of columns"));
            }
            if site.conflict.as_ref().is_some_and(|(_, columns)| !columns.iter().any(|column| column == key)) {
                warn(
                    WarningKind::Conflict,
                    format!("ON CONFLICT finds no such index of {name} once it is distributed (42P10)"),
                );
            } else if site.names_constraint {
                warn(
                    WarningKind::Conflict,
                    format!("ON CONFLICT names a constraint of {name}, which may be replaced by one with {key}"),
                );
            }
        }
    }
    let inserted = sites.and_then(|sites| sites.inserts.first()).map(|site| &statement.named[site.at.clone()]);
    sets_key(&tokens, inserted, tables, &mut warn);
    for (at, token) in tokens.iter().enumerate() {
        let next = tokens.get(at + 1);
        let is_call = next.is_some_and(|next| next.is_sign("("));
        if is_call && token.is_one_of(&["lastval", "currval"]) {
            warn(WarningKind::Sequence, format!("{}() tells of this session on this node: use RETURNING", token.text));
        }
        if let Some(names) = functions.get(&token.text.to_ascii_lowercase()).filter(|_| is_call) {
            warn(WarningKind::Function, format!("{}() names {} in its body", token.text, names.join(", ")));
        }
        let locks = token.is("for") && next.is_some_and(|next| next.is_one_of(&["update", "share", "no", "key"]));
        if locks && matches!(verdict, Verdict::NeedsKey | Verdict::Cross) {
            warn(WarningKind::Locks, "rows can be locked in one shard alone".to_owned());
        }
    }
    warnings
}

/// `UPDATE table … SET key = …`, and the same behind ON CONFLICT.
fn sets_key(tokens: &[Token<'_>], inserted: Option<&str>, tables: &Tables, warn: &mut impl FnMut(WarningKind, String)) {
    let Some(update) = tokens.iter().position(|token| token.is("update")) else { return };
    let behind =
        tokens[update + 1..].iter().find(|token| matches!(token.kind, Kind::Word | Kind::Name) && !token.is("only"));
    let table = behind.and_then(|name| if name.is("set") { inserted } else { Some(name.text) });
    let Some(known) = table.and_then(|name| tables.written(name)) else { return };
    let Some(set) = tokens[update..].iter().position(|token| token.is("set")).map(|at| update + at) else { return };
    let set = tokens[set..].iter().take_while(|token| !token.is_one_of(&["where", "from", "returning"]));
    let set: Vec<&Token<'_>> = set.collect();
    // `excluded` has the same value, which Citus sees.
    let is_key = |three: &[&Token<'_>]| {
        let is_other = three[1].is_sign("=") && !three[2].is("excluded");
        is_other && known.key.as_ref().is_some_and(|key| folded(three[0].text) == *key)
    };
    if let Some(key) = known.key.as_ref().filter(|_| set.windows(3).any(is_key)) {
        warn(WarningKind::KeySet, format!("it sets {key} of {}, which Citus does not let change", known.name));
    }
}
