//! Statements that change the session in place of data. For texts that nobody parses.

use crate::text::skip_blank;

/// What to do in place of a statement that begins or ends a transaction, if that is what this is.
pub fn transaction_control(text: &str) -> Option<&'static str> {
    let [first] = leading_words(text);
    let controls = ["begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release"];
    controls.contains(&first.as_str()).then_some("transactions begin and end with `transaction` and `savepoint`")
}

/// What to do in place of a statement that would stay with the connection, for whoever uses it next, if that is what this
/// is. What ends with the transaction is fine.
pub fn session_control(text: &str) -> Option<&'static str> {
    let [first, second, third] = leading_words(text);
    match first.as_str() {
        "copy" => Some("use `copy_in` and `copy_out`"),
        "set" if second == "local" && matches!(third.as_str(), "role" | "session") => {
            Some("whose rights a statement has is decided at log-in")
        }
        "set" if third == "shardwise" => Some("the SDK's own settings tell the server whose rows to show"),
        "set" if matches!(second.as_str(), "local" | "constraints") => None,
        "set" | "reset" | "listen" | "unlisten" | "discard" | "prepare" | "deallocate" | "load" => Some(
            "it would stay with the connection, for other tenants as well: write SET LOCAL inside a transaction, or use \
             `cluster.coordinator()`",
        ),
        _ => transaction_control(text),
    }
}

/// Whether a statement only reads, as far as its first word tells.
pub fn seems_to_read(text: &str) -> bool {
    let [first] = leading_words(text);
    matches!(first.as_str(), "select" | "values" | "table")
}

/// The first words in lower case; what is no word is empty.
fn leading_words<const N: usize>(text: &str) -> [String; N] {
    let mut rest = text;
    [(); N].map(|()| {
        // Empty statements come before one, the scanner's other blanks between, and quotes around a name.
        loop {
            let after = skip_blank(rest).trim_start_matches([';', '"', '\u{b}', '\u{c}']);
            if after.len() == rest.len() {
                break;
            }
            rest = after;
        }
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        rest = behind;
        word.to_ascii_lowercase()
    })
}

#[cfg(test)]
mod tests {
    use super::{leading_words, seems_to_read, session_control, transaction_control};

    #[test]
    fn leading_words_are_found_behind_comments() {
        assert_eq!(leading_words("  SET\n/* a /* b */ */ LOCAL x = 1"), ["set", "local"]);
        assert_eq!(leading_words("-- BEGIN\ncommit;"), ["commit", ""]);
        assert_eq!(leading_words("(SELECT 1)"), ["", ""]);
        assert_eq!(leading_words(""), ["", ""]);
        assert_eq!(leading_words("-- nothing"), ["", ""]);
    }

    #[test]
    fn what_stays_is_told_from_what_ends() {
        assert!(transaction_control("/* now */ commit").is_some() && session_control("ROLLBACK").is_some());
        assert!(session_control("SET x = 1").is_some() && session_control("LISTEN news").is_some());
        assert!(session_control("; SET x = 1").is_some() && transaction_control(";;\u{c} /* */ ;COMMIT").is_some());
        assert!(session_control("\u{b}SET LOCAL\u{c}\"shardwise\".tenant = 'x'").is_some());
        assert!(session_control("SET LOCAL ROLE owner").is_some());
        assert!(session_control("SET LOCAL shardwise.tenant = 'x'").is_some());
        assert!(session_control("SET LOCAL x = 1").is_none() && session_control("SELECT 1").is_none());
        assert!(seems_to_read("select 1") && !seems_to_read("WITH x AS (DELETE FROM t) SELECT 1"));
        assert!(transaction_control("SET x = 1").is_none() && transaction_control("CREATE TABLE t ()").is_none());
    }
}
