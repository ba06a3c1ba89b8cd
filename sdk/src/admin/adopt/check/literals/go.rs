//! Go: `"…"` with escapes, and what stands between backquotes as it is.

use super::cursor::Cursor;
use super::join::{Part, Token};

pub(super) fn tokens(source: &str) -> Vec<Token> {
    let mut cursor = Cursor::new(source);
    while let Some(next) = cursor.peek() {
        let line = cursor.line;
        if cursor.skip_comment() {
            continue;
        }
        match next {
            '`' => {
                cursor.next();
                let text = cursor.skip_behind("`").replace('\r', "");
                cursor.push(Part::Text(text, Vec::new()), line);
            }
            '"' | '\'' => cursor.text_or_letter(next),
            _ => cursor.word_or_sign(),
        }
    }
    cursor.tokens
}
