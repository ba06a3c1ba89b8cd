//! Python: quotes of four kinds, prefixes, and what is put into f-strings. Literals side by side are one.

use super::cursor::Cursor;
use super::join::{Part, Token};
use crate::admin::adopt::check::statement::Hole;
use crate::admin::adopt::check::words::HOLE;

pub(super) fn tokens(source: &str) -> Vec<Token> {
    let mut cursor = Cursor::new(source);
    let mut depth = 0_usize;
    while let Some(next) = cursor.peek() {
        let line = cursor.line;
        if let Some(prefix) = prefix(cursor.rest()) {
            let place = cursor.place();
            cursor.skip(prefix.len());
            match literal(&mut cursor, prefix) {
                Some((text, holes)) => cursor.push(Part::Text(text, holes), line),
                None => {
                    cursor.back_to(place);
                    cursor.next();
                }
            }
            continue;
        }
        match next {
            '#' => cursor.skip_line(),
            '\\' => {
                cursor.next();
                let _ = cursor.take("\r\n") || cursor.take("\n");
            }
            '\n' => {
                cursor.next();
                if depth == 0 {
                    cursor.push(Part::Break, line);
                }
            }
            _ => {
                match next {
                    '(' | '[' | '{' => depth += 1,
                    ')' | ']' | '}' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                cursor.word_or_sign();
            }
        }
    }
    cursor.tokens
}

/// The letters before a quote, if a literal begins here.
fn prefix(rest: &str) -> Option<&str> {
    let len = rest.bytes().take(3).position(|c| matches!(c, b'"' | b'\''))?;
    let letters = rest.get(..len)?;
    letters.chars().all(|c| "rbuftRBUFT".contains(c)).then_some(letters)
}

fn literal(cursor: &mut Cursor<'_>, prefix: &str) -> Option<(String, Vec<Hole>)> {
    let has = |letters: [char; 2]| prefix.contains(letters);
    let (is_raw, is_filled) = (has(['r', 'R']), has(['f', 'F']) || has(['t', 'T']));
    let quote = cursor.peek()?;
    let three: String = [quote; 3].iter().collect();
    let is_long = cursor.take(&three);
    if !is_long {
        cursor.next();
    }
    let (mut text, mut holes) = (String::new(), Vec::new());
    loop {
        if is_long && cursor.take(&three) {
            return Some((text, holes));
        }
        match cursor.next()? {
            '\\' if is_raw => {
                text.push('\\');
                text.extend(cursor.next());
            }
            '\\' => cursor.escape(&mut text),
            letter if letter == quote && !is_long => return Some((text, holes)),
            '\n' if !is_long => return None,
            '{' if is_filled && !cursor.take("{") => {
                let inner = cursor.braced();
                text.push(HOLE);
                // A template's values are the driver's to send.
                holes.push(Hole { spelled: format!("{{{inner}}}"), is_bound: has(['t', 'T']) });
            }
            '}' if is_filled => {
                cursor.take("}");
                text.push('}');
            }
            letter => text.push(letter),
        }
    }
}
