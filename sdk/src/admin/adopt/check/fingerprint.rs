//! What tells statements from others, whatever their blanks, comments and values. Pure.

use std::collections::HashMap;
use std::fmt::Write as _;

/// A word or a sign, or a value in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mark {
    /// As PostgreSQL reads it.
    Word(String),
    /// A value by its number; 0 is one that stands nowhere else.
    Value(usize),
}

impl Mark {
    pub(super) fn word(text: &str) -> Self {
        Self::Word(text.to_owned())
    }

    /// A name in quotes, which it may not have needed.
    pub(super) fn name(quoted: &str) -> Self {
        let inner = quoted.trim_matches('"');
        let is_plain = inner.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
            && inner.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        Self::Word(if is_plain { inner } else { quoted }.to_owned())
    }

    fn is(&self, text: &str) -> bool {
        matches!(self, Self::Word(word) if word == text)
    }
}

/// The marks as one text. Which values are the same is a part of it, for by that a statement stays with one tenant or does not. How long a
/// list of values is, or how many rows are inserted, is none, but for one and several.
pub(super) fn of(mut marks: Vec<Mark>) -> String {
    while marks.last().is_some_and(|last| last.is(";")) {
        marks.pop();
    }
    let marks = shortened(marks);
    let mut numbers: HashMap<usize, usize> = HashMap::new();
    let mut next = 0;
    let mut text = String::new();
    for mark in marks {
        if !text.is_empty() {
            text.push(' ');
        }
        match mark {
            Mark::Word(word) => text.push_str(&word),
            Mark::Value(value) => {
                let number = *numbers.entry(value).or_insert_with(|| {
                    next += 1;
                    next
                });
                // What stands nowhere else gets a number of its own each time.
                if value == 0 {
                    numbers.remove(&0);
                }
                let _ = write!(text, "?{number}");
            }
        }
    }
    text
}

fn shortened(marks: Vec<Mark>) -> Vec<Mark> {
    let mut short = Vec::with_capacity(marks.len());
    let mut at = 0;
    while at < marks.len() {
        let opens = marks[at].is("(") || marks[at].is("[");
        let before = at.checked_sub(1).map(|last| &marks[last]);
        let rows = if before.is_some_and(|word| word.is("values")) { rows(&marks[at..]) } else { None };
        if let Some((rows, len)) = rows.filter(|(rows, _)| rows.len() > 1) {
            short.extend(two_of(&rows));
            at += len;
            continue;
        }
        short.push(marks[at].clone());
        let is_list = before.is_some_and(|word| word.is("in") || word.is("array"));
        if let Some((values, len)) = row(&marks[at..]).filter(|(values, _)| opens && is_list && values.len() > 1) {
            short.extend([Mark::Value(0), Mark::word(","), Mark::Value(0)]);
            debug_assert!(values.len() < len);
            at += len - 1;
            continue;
        }
        at += 1;
    }
    short
}

/// The values of `(…)` at the beginning, where it has nothing else, and how many marks that is.
fn row(marks: &[Mark]) -> Option<(Vec<usize>, usize)> {
    let mut values = Vec::new();
    for (at, mark) in marks.iter().enumerate() {
        match (mark, at % 2) {
            (Mark::Word(word), 0) if at == 0 && matches!(word.as_str(), "(" | "[") => {}
            (Mark::Value(value), 1) => values.push(*value),
            (Mark::Word(word), 0) if word == "," => {}
            (Mark::Word(word), 0) if matches!(word.as_str(), ")" | "]") && at > 0 => return Some((values, at + 1)),
            _ => return None,
        }
    }
    None
}

/// Rows of equal length at the beginning, and how many marks they are.
fn rows(marks: &[Mark]) -> Option<(Vec<Vec<usize>>, usize)> {
    let (first, mut len) = row(marks)?;
    let mut rows = vec![first];
    while marks.get(len).is_some_and(|mark| mark.is(",")) {
        let (next, more) = row(&marks[len + 1..]).filter(|(next, _)| next.len() == rows[0].len())?;
        rows.push(next);
        len += 1 + more;
    }
    Some((rows, len))
}

/// Two rows that say the same of the columns as all of them do.
fn two_of(rows: &[Vec<usize>]) -> Vec<Mark> {
    let is_same = |column: usize| rows.iter().all(|row| row[column] == rows[0][column] && row[column] != 0);
    let mut marks = Vec::new();
    for row in 0..2 {
        if row > 0 {
            marks.push(Mark::word(","));
        }
        for (column, first) in rows[0].iter().enumerate() {
            marks.push(Mark::word(if column == 0 { "(" } else { "," }));
            marks.push(Mark::Value(if is_same(column) { *first } else { 0 }));
        }
        marks.push(Mark::word(")"));
    }
    marks
}
