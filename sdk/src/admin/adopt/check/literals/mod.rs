//! The string literals of programs, joined as the programs join them. Pure: each language's own file makes words of a source text, and what
//! they share is in [`join`].

mod cursor;
mod format;
mod go;
mod java;
mod join;
mod python;
mod rust;
mod sql;
mod typescript;

use std::collections::HashMap;
use std::path::Path;

use super::statement::{Hole, Spelling};
use super::words::{HOLE, Style, Writer};

pub(super) use sql::split;

/// In what a source is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Language {
    Rust,
    Go,
    Python,
    Java,
    TypeScript,
    Sql,
}

/// A literal, or several that are joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Literal {
    /// The text, with a [`HOLE`] for each of `holes`.
    pub(super) text: String,
    /// What a program puts in.
    pub(super) holes: Vec<Hole>,
    /// The line that it begins in.
    pub(super) line: usize,
    /// The line that its last part begins in, or ends.
    pub(super) last_line: usize,
    /// What it is assigned to.
    pub(super) name: Option<String>,
}

impl Language {
    /// By a file's name.
    pub(super) fn of(file: &Path) -> Option<Self> {
        Some(match file.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "rs" => Self::Rust,
            "go" => Self::Go,
            "py" => Self::Python,
            "java" => Self::Java,
            "ts" | "tsx" | "js" | "jsx" | "mts" | "cts" | "mjs" | "cjs" => Self::TypeScript,
            "sql" => Self::Sql,
            _ => return None,
        })
    }

    /// Which parameters its drivers have.
    pub(super) fn writer(self) -> Writer {
        Writer::Program { percent_binds: self == Self::Python }
    }

    /// How a parameter is written where there is none to see it by.
    pub(super) fn usual(self) -> Spelling {
        Spelling::Like(match self {
            Self::Java => Style::Question,
            Self::Python => Style::Percent,
            Self::Rust | Self::Go | Self::TypeScript | Self::Sql => Style::Dollar,
        })
    }
}

/// All literals of a source. `None` where it is no text of this language.
pub(super) fn literals(language: Language, source: &str) -> Option<Vec<Literal>> {
    // A source has no such sign of its own.
    let source = source.replace(HOLE, " ");
    Some(match language {
        Language::Rust => join::join(&rust::tokens(&source)?, false),
        Language::Go => join::join(&go::tokens(&source), false),
        Language::Python => join::join(&python::tokens(&source), true),
        Language::Java => join::join(&java::tokens(&source), false),
        Language::TypeScript => join::join(&typescript::tokens(&source), false),
        Language::Sql => sql::statements(&source),
    })
}

/// Constants by their names; of several of one name none can be told.
pub(super) type Constants = HashMap<String, Option<Literal>>;

/// Adds the constants of a source.
pub(super) fn constants(found: &[Literal], known: &mut Constants) {
    for literal in found {
        let Some(name) = &literal.name else { continue };
        let is_same = |other: &Option<Literal>| other.as_ref().is_some_and(|other| other.text == literal.text);
        let entry = known.entry(name.clone()).or_insert_with(|| Some(literal.clone()));
        if !is_same(entry) {
            *entry = None;
        }
    }
}

/// Puts constants in where they are named: of the same source, else of others.
pub(super) fn with_constants(mut found: Vec<Literal>, others: &Constants) -> Vec<Literal> {
    /// Constants of constants, and so on.
    const DEEPEST: usize = 4;
    /// What repeats itself ends here.
    const LONGEST: usize = 200_000;
    for _ in 0..DEEPEST {
        let mut own = Constants::new();
        constants(&found, &mut own);
        let constant = |hole: &Hole, literal: &Literal| -> Option<Literal> {
            let name = hole.spelled.trim_start_matches("${").trim_matches(['{', '}', ' ']);
            let name = name.rsplit(['.', ':']).next().unwrap_or(name);
            let known = own.get(name).or_else(|| others.get(name))?.as_ref()?;
            (literal.name.as_deref() != Some(name)).then(|| known.clone())
        };
        let mut is_done = true;
        for literal in &mut found {
            if literal.holes.iter().any(|hole| constant(hole, literal).is_some()) && literal.text.len() < LONGEST {
                *literal = filled(literal, |hole| constant(hole, literal));
                is_done = false;
            }
        }
        if is_done {
            break;
        }
    }
    found
}

fn filled(literal: &Literal, constant: impl Fn(&Hole) -> Option<Literal>) -> Literal {
    let (mut text, mut holes) = (String::new(), Vec::new());
    let mut own = literal.holes.iter();
    for letter in literal.text.chars() {
        let hole = (letter == HOLE).then(|| own.next()).flatten();
        match hole.and_then(&constant) {
            Some(constant) => {
                text.push_str(&constant.text);
                holes.extend(constant.holes);
            }
            None => {
                text.push(letter);
                holes.extend(hole.cloned());
            }
        }
    }
    Literal { text, holes, ..literal.clone() }
}

#[cfg(test)]
#[path = "literals_tests.rs"]
mod tests;
