//! Java: `"…"` with escapes, and text blocks, which are indented as the program is.

use super::cursor::Cursor;
use super::join::{Part, Token};

pub(super) fn tokens(source: &str) -> Vec<Token> {
    let mut cursor = Cursor::new(source);
    while let Some(next) = cursor.peek() {
        let line = cursor.line;
        if cursor.skip_comment() {
            continue;
        }
        if cursor.take("\"\"\"") {
            let text = block(&mut cursor);
            cursor.push(Part::Text(text, Vec::new()), line);
            continue;
        }
        match next {
            '"' | '\'' => cursor.text_or_letter(next),
            _ => cursor.word_or_sign(),
        }
    }
    cursor.tokens
}

/// A text block behind its quotes: what all lines are indented by goes, then escapes are read.
fn block(cursor: &mut Cursor<'_>) -> String {
    let rest = cursor.rest();
    let mut end = 0;
    while end < rest.len() && !rest[end..].starts_with("\"\"\"") {
        let letter = rest[end..].chars().next().map_or(1, char::len_utf8);
        let escaped = rest[end + letter..].chars().next().map_or(0, char::len_utf8);
        end += if rest[end..].starts_with('\\') { letter + escaped } else { letter };
    }
    let inner = &rest[..end];
    cursor.skip(end + 3);
    let lines: Vec<&str> = inner.lines().skip(1).collect();
    let last_counts = inner.ends_with([' ', '\t', '\n']);
    let blank = |line: &&&str| !line.trim().is_empty();
    let indents = lines.iter().filter(blank).map(|line| line.len() - line.trim_start().len());
    let last = lines.last().filter(|_| last_counts).map(|line| line.len() - line.trim_start().len());
    let indent = indents.chain(last).min().unwrap_or(0);
    let stripped: Vec<&str> = lines.iter().map(|line| line.get(indent..).unwrap_or("").trim_end()).collect();
    let stripped = stripped.join("\n");
    let mut inside = Cursor::new(&stripped);
    let mut text = String::with_capacity(stripped.len());
    while let Some(letter) = inside.next() {
        match letter {
            '\\' => inside.escape(&mut text),
            letter => text.push(letter),
        }
    }
    text
}
