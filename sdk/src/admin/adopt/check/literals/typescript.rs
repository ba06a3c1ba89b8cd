//! TypeScript and JavaScript: quotes, templates with what is put in, and regular expressions, which look like divisions.

use super::cursor::Cursor;
use super::join::{Part, Token};
use crate::admin::adopt::check::statement::Hole;
use crate::admin::adopt::check::words::HOLE;

pub(super) fn tokens(source: &str) -> Vec<Token> {
    tokens_inside(source, 0)
}

/// Templates in what a template is given, and so on, are read down to this.
const DEEPEST: usize = 4;

fn tokens_inside(source: &str, depth: usize) -> Vec<Token> {
    let mut cursor = Cursor::new(source);
    while let Some(next) = cursor.peek() {
        let line = cursor.line;
        if cursor.skip_comment() {
            continue;
        }
        match next {
            '`' => template(&mut cursor, depth),
            '"' | '\'' => {
                cursor.next();
                match cursor.one_line(next, Cursor::escape) {
                    Some(text) => cursor.push(Part::Text(text, Vec::new()), line),
                    // An apostrophe between tags.
                    None => cursor.push(Part::Sign(next), line),
                }
            }
            '/' if begins_expression(cursor.tokens.last()) && regular(&mut cursor) => {
                cursor.push(Part::Word("/".to_owned()), line);
            }
            _ => cursor.word_or_sign(),
        }
    }
    cursor.tokens
}

/// `` `…${value}…` ``. A tag before it gets the values apart from the text.
fn template(cursor: &mut Cursor<'_>, depth: usize) {
    let line = cursor.line;
    let is_bound = match cursor.tokens.last() {
        Some(Token { part: Part::Word(tag), .. }) => !NO_TAGS.contains(&tag.as_str()),
        Some(Token { part: Part::Sign('>'), .. }) => true,
        _ => false,
    };
    cursor.next();
    let (mut text, mut holes, mut values) = (String::new(), Vec::new(), Vec::new());
    while let Some(letter) = cursor.next() {
        match letter {
            '`' => break,
            '\\' => cursor.escape(&mut text),
            '$' if cursor.take("{") => {
                let line = cursor.line;
                let value = cursor.braced();
                text.push(HOLE);
                holes.push(Hole { spelled: format!("${{{}}}", value.trim()), is_bound });
                values.push((value, line));
            }
            letter => text.push(letter),
        }
    }
    cursor.push(Part::Text(text, holes), line);
    // What the values are made of has literals of its own.
    for (value, line) in values.into_iter().filter(|(value, _)| value.contains(['"', '\'', '`']) && depth < DEEPEST) {
        cursor.push(Part::Sign(';'), line);
        for token in tokens_inside(value, depth + 1) {
            cursor.push(token.part, token.line + line - 1);
        }
        cursor.push(Part::Sign(';'), line);
    }
}

/// Words before a template that are no tag, or one that puts values into the text.
const NO_TAGS: &[&str] = &[
    "return", "raw", "unsafe", "case", "default", "typeof", "await", "yield", "in", "of", "else", "new", "throw",
    "void",
];

/// Whether an expression can begin behind this: then `/` is no division.
fn begins_expression(before: Option<&Token>) -> bool {
    const WORDS: &[&str] = &["return", "typeof", "case", "in", "of", "delete", "void", "do", "else", "await", "yield"];
    match before.map(|token| &token.part) {
        None | Some(Part::Break) => true,
        Some(Part::Word(word)) => WORDS.contains(&word.as_str()),
        Some(Part::Sign(sign)) => !matches!(sign, ')' | ']' | '}' | '"' | '\''),
        Some(Part::Text(..)) => false,
    }
}

/// Goes behind a regular expression, if that is what begins here.
fn regular(cursor: &mut Cursor<'_>) -> bool {
    let place = cursor.place();
    cursor.next();
    let mut in_class = false;
    while let Some(letter) = cursor.next() {
        match letter {
            '\\' => {
                cursor.next();
            }
            '[' => in_class = true,
            ']' => in_class = false,
            '/' if !in_class => {
                cursor.word();
                return true;
            }
            '\n' => break,
            _ => {}
        }
    }
    cursor.back_to(place);
    false
}
