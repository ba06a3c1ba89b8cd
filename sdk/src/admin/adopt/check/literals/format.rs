//! Texts with places for values, and the values beside them: `String.format("… %s …", a)`, `format!("… {} …", a)`.

use super::Literal;
use crate::admin::adopt::check::statement::Hole;
use crate::admin::adopt::check::words::HOLE;

/// How places are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Places {
    /// `%s`
    Percent,
    /// `{}`, `{0}`, `{name}`
    Braces,
}

/// Puts what fills the places in, as far as that is known.
pub(super) fn fill(literal: &mut Literal, places: Places, arguments: &[String]) {
    let (mut text, mut holes) = (String::with_capacity(literal.text.len()), Vec::new());
    let mut own = std::mem::take(&mut literal.holes).into_iter();
    let mut arguments = arguments.iter();
    let mut rest = literal.text.as_str();
    while let Some(letter) = rest.chars().next() {
        let place = match places {
            Places::Percent => percent(rest),
            Places::Braces => braces(rest),
        };
        match place {
            Some((Place::Sign(sign), len)) => {
                text.push(sign);
                rest = &rest[len..];
                continue;
            }
            Some((Place::Value(name), len)) => {
                let spelled = if name.is_empty() { arguments.next().map(String::as_str) } else { Some(name) };
                text.push(HOLE);
                holes.push(Hole { spelled: format!("{{{}}}", spelled.unwrap_or(&rest[..len])), is_bound: false });
                rest = &rest[len..];
                continue;
            }
            None if letter == HOLE => holes.extend(own.next()),
            None => {}
        }
        text.push(letter);
        rest = &rest[letter.len_utf8()..];
    }
    (literal.text, literal.holes) = (text, holes);
}

enum Place<'t> {
    /// What had to be doubled.
    Sign(char),
    /// A value, by its name where it has one.
    Value(&'t str),
}

fn percent(rest: &str) -> Option<(Place<'_>, usize)> {
    let inner = rest.strip_prefix('%')?;
    if inner.starts_with('%') {
        return Some((Place::Sign('%'), 2));
    }
    let verb = inner.starts_with(['s', 'd', 'v', 'q', 'f', 'b']);
    let ends = !inner.get(1..)?.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    (verb && ends).then_some((Place::Value(""), 2))
}

fn braces(rest: &str) -> Option<(Place<'_>, usize)> {
    if rest.starts_with("{{") || rest.starts_with("}}") {
        return rest.chars().next().map(|sign| (Place::Sign(sign), 2));
    }
    let inner = &rest.strip_prefix('{')?[..rest.find('}')? - 1];
    let name = inner.split([':', '!']).next().unwrap_or(inner).trim();
    let is_name = name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
    // By its place: which one that is, is not followed.
    let name = if name.starts_with(|c: char| c.is_ascii_digit()) { inner } else { name };
    is_name.then_some((Place::Value(name), inner.len() + 2))
}
