//! SQL text with named parameters: `:name` becomes `$n`. Pure.

/// A text with its named parameters numbered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Numbered {
    /// The text with `$1`… in place of the names.
    pub(crate) sql: String,
    /// The names, in the order of their numbers; each once.
    pub(crate) names: Vec<String>,
}

/// What is wrong with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// It has a parameter of the form `$1`.
    Positional,
    /// A quote or comment is not closed.
    Unclosed(&'static str),
}

impl Flaw {
    pub(crate) fn explain(self) -> String {
        match self {
            Self::Positional => "a parameter is written `:name`, not `$1`".to_owned(),
            Self::Unclosed(what) => format!("{what} is not closed"),
        }
    }
}

/// Numbers the parameters of a text.
///
/// Names are not looked for in string constants (also `E''` and dollar-quoted ones), quoted identifiers and comments; `::`
/// is a cast. An array slice of a column needs a space around its colon only if a name follows it: `a[1:2]` stays as it is.
pub(crate) fn number(text: &str) -> Result<Numbered, Flaw> {
    let mut out = Numbered { sql: String::with_capacity(text.len()), names: Vec::new() };
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let taken = match c {
            '\'' => quoted(rest, '\'', ends_with_escape_mark(&out.sql)).ok_or(Flaw::Unclosed("a string constant"))?,
            '"' => quoted(rest, '"', false).ok_or(Flaw::Unclosed("a quoted identifier"))?,
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => comment(rest).ok_or(Flaw::Unclosed("a comment"))?,
            '$' if !ends_in_word(&out.sql) => match dollar_quoted(rest)? {
                Some(len) => len,
                None if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => return Err(Flaw::Positional),
                None => 1,
            },
            ':' if rest.starts_with("::") => 2,
            ':' => match name(&rest[1..]) {
                Some(name) => {
                    let number = out.number_of(name);
                    out.sql.push_str(&format!("${number}"));
                    rest = &rest[1 + name.len()..];
                    continue;
                }
                None => 1,
            },
            _ => c.len_utf8(),
        };
        out.sql.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    Ok(out)
}

impl Numbered {
    fn number_of(&mut self, name: &str) -> usize {
        match self.names.iter().position(|known| known == name) {
            Some(at) => at + 1,
            None => {
                self.names.push(name.to_owned());
                self.names.len()
            }
        }
    }
}

/// The statement's first two words in lower case; what is no word is empty.
pub(crate) fn leading_words(text: &str) -> [String; 2] {
    let mut rest = text;
    [(); 2].map(|()| {
        loop {
            rest = rest.trim_start();
            let skipped = match rest.get(..2) {
                Some("/*") => comment(rest),
                Some("--") => rest.find('\n'),
                _ => break,
            };
            // A comment without an end is for the server to refuse.
            rest = &rest[skipped.unwrap_or(rest.len())..];
        }
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        rest = behind;
        word.to_ascii_lowercase()
    })
}

/// Whether a text may use tables, by the words without which none can be named. It errs on the side of yes.
pub(crate) fn may_use_tables(text: &str) -> bool {
    const WORDS: [&str; 6] = ["from", "join", "into", "update", "using", "table"];
    text.split(|c| !is_word(c)).any(|word| WORDS.iter().any(|one| one.eq_ignore_ascii_case(word)))
}

fn name(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    text[..end].starts_with(|c: char| c.is_alphabetic() || c == '_').then_some(&text[..end])
}

/// The length of a quoted piece at the start of `text`; a doubled quote does not end it.
fn quoted(text: &str, quote: char, escapes: bool) -> Option<usize> {
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && escapes {
            chars.next();
        } else if c == quote {
            match chars.peek() {
                Some((_, next)) if *next == quote => {
                    chars.next();
                }
                _ => return Some(at + 1),
            }
        }
    }
    None
}

/// Whether what comes before a quote makes it an `E''` constant: an `e` that is no part of a longer word.
fn ends_with_escape_mark(before: &str) -> bool {
    let mut back = before.chars().rev();
    matches!(back.next(), Some('e' | 'E')) && !back.next().is_some_and(is_word)
}

fn ends_in_word(before: &str) -> bool {
    before.chars().next_back().is_some_and(is_word)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// The length of a block comment at the start of `text`; PostgreSQL nests them.
fn comment(text: &str) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    None
}

/// The length of a dollar-quoted constant (`$$…$$`, `$tag$…$tag$`) at the start of `text`, if there is one.
fn dollar_quoted(text: &str) -> Result<Option<usize>, Flaw> {
    let Some(end) = text[1..].find('$').map(|at| at + 2) else { return Ok(None) };
    let tag = &text[..end];
    let label = &tag[1..end - 1];
    if !label.is_empty() && name(label) != Some(label) {
        return Ok(None);
    }
    match text[end..].find(tag) {
        Some(at) => Ok(Some(end + at + tag.len())),
        None => Err(Flaw::Unclosed("a dollar-quoted constant")),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn leading_words_are_found_behind_comments() {
        let words = |text| super::leading_words(text);
        assert_eq!(words("  SET\n/* a /* b */ */ LOCAL x = 1"), ["set", "local"]);
        assert_eq!(words("-- BEGIN\ncommit;"), ["commit", ""]);
        assert_eq!(words("(SELECT 1)"), ["", ""]);
        assert_eq!(words(""), ["", ""]);
    }

    use super::{Flaw, number};

    fn numbered(text: &str) -> (String, Vec<String>) {
        let out = number(text).expect("a good text");
        (out.sql, out.names)
    }

    #[test]
    fn names_get_numbers_and_keep_them() {
        let (sql, names) = numbered("SELECT :b FROM t WHERE a = :a AND b > :b::bigint AND ü = :größe");
        assert_eq!(sql, "SELECT $1 FROM t WHERE a = $2 AND b > $1::bigint AND ü = $3");
        assert_eq!(names, ["b", "a", "größe"]);
    }

    #[test]
    fn what_is_no_parameter_stays() {
        for text in [
            "SELECT ':a' || 'it''s :b'",
            r"SELECT E'\':a'",
            r"SELECT name'\' , 1",
            "SELECT \":a\" FROM \"t\"\":b\"",
            "SELECT 1 -- :a",
            "SELECT /* :a /* :b */ :c */ 1",
            "SELECT $$:a$$, $x$ :b $$ $x$",
            "SELECT a[1:2], b::text, x$1 FROM t",
            "SELECT 'ü:a', 1 : 2",
        ] {
            assert_eq!(numbered(text), (text.to_owned(), Vec::new()), "{text}");
        }
    }

    #[test]
    fn after_a_comment_or_constant_names_count_again() {
        let (sql, names) = numbered("SELECT 1 -- :a\n + :b /* :c */ + :d || ':e' || :f");
        assert_eq!(sql, "SELECT 1 -- :a\n + $1 /* :c */ + $2 || ':e' || $3");
        assert_eq!(names, ["b", "d", "f"]);
    }

    #[test]
    fn texts_without_a_table_are_told_apart() {
        let may = super::may_use_tables;
        assert!(!may("SELECT inet_server_port(), 'x', now() AS fromage"));
        assert!(
            may("select 1 From/**/wallets") && may("TABLE wallets") && may("WITH x AS (UPDATE w SET a = 1) SELECT 1")
        );
    }

    #[test]
    fn flaws_are_named() {
        assert_eq!(number("SELECT $1"), Err(Flaw::Positional));
        assert_eq!(number("SELECT 'a"), Err(Flaw::Unclosed("a string constant")));
        assert_eq!(number("SELECT \"a"), Err(Flaw::Unclosed("a quoted identifier")));
        assert_eq!(number("SELECT /* a /* b */"), Err(Flaw::Unclosed("a comment")));
        assert_eq!(number("SELECT $x$ a $$"), Err(Flaw::Unclosed("a dollar-quoted constant")));
    }
}
