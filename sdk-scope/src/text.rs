//! The text before it is parsed: `:name` becomes `$n`, and what the parser can't be trusted with is refused.
//!
//! It reads comments, constants and quoted names as PostgreSQL's scanner does, and keeps where they are: after parsing, the parser
//! must have seen the same pieces. So a disagreement between the two is an error and no hole.

use std::ops::Range;

use crate::Refusal;

/// Parentheses, brackets and CASE may be nested this deep; the parser goes down once per level.
const DEEPEST: usize = 50;

/// A text with its named parameters numbered.
#[derive(Debug, Default)]
pub(crate) struct Numbered {
    /// The text with ` $1 `… in place of the names: with spaces, for `x:name` must not become the name `x$1`.
    pub(crate) sql: String,
    /// The names, in the order of their numbers; each once.
    pub(crate) params: Vec<String>,
    /// Comments, constants, quoted names and parameters, as ranges of `sql`.
    pub(crate) pieces: Vec<Range<usize>>,
    /// How many words and signs there are, comments left out.
    pub(crate) tokens: usize,
    /// Where `sql` and the original drift apart: behind each parameter, the ends in `sql` and in the original.
    anchors: Vec<Anchor>,
}

#[derive(Debug)]
struct Anchor {
    sql: Range<usize>,
    original: Range<usize>,
}

impl Numbered {
    /// Where a range of `sql` is in the original text.
    pub(crate) fn original(&self, range: &Range<usize>) -> Range<usize> {
        self.original_at(range.start, false)..self.original_at(range.end, true)
    }

    fn original_at(&self, at: usize, is_end: bool) -> usize {
        let before = self.anchors.partition_point(|anchor| anchor.sql.start < at + usize::from(!is_end));
        match before.checked_sub(1).map(|last| &self.anchors[last]) {
            None => at,
            Some(anchor) if at < anchor.sql.end && !is_end => anchor.original.start,
            Some(anchor) if at <= anchor.sql.end => anchor.original.end,
            Some(anchor) => at - anchor.sql.end + anchor.original.end,
        }
    }

    fn number_of(&mut self, name: &str) -> usize {
        match self.params.iter().position(|known| known == name) {
            Some(at) => at + 1,
            None => {
                self.params.push(name.to_owned());
                self.params.len()
            }
        }
    }
}

/// A text whose parameters have numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The text with ` $1 `… in place of the names.
    pub sql: String,
    /// The names, in the order of their numbers; each once.
    pub params: Vec<String>,
}

/// Numbers the parameters of a text of which nothing else has to be known.
///
/// # Errors
///
/// Where it has parameters of the form `$1`, or a quote or comment is not closed.
pub fn name_parameters(text: &str) -> Result<Named, Vec<Refusal>> {
    number(text, For::TheServer).map(|numbered| Named { sql: numbered.sql, params: numbered.params })
}

/// A piece of a text in which words and signs mean nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quoted {
    /// `-- …` or `/* … */`
    Comment,
    /// `'…'`, `E'…'`, `$$…$$`
    Constant,
    /// `"…"`
    Name,
}

/// Such a piece, if the text begins with one, and its length: as PostgreSQL's scanner reads it. One that is not closed goes on to the
/// end of the text.
///
/// ```
/// use shardwise_scope::{Quoted, quoted};
///
/// assert_eq!(quoted("/* a /* b */ c */ d"), Some((Quoted::Comment, 17)));
/// assert_eq!(quoted("E'it\\'s' x"), Some((Quoted::Constant, 8)));
/// assert_eq!(quoted("$x$ $$ $x$"), Some((Quoted::Constant, 10)));
/// assert_eq!(quoted("e + 1"), None);
/// ```
pub fn quoted(text: &str) -> Option<(Quoted, usize)> {
    let closed = |what, len: Option<usize>| Some((what, len.unwrap_or(text.len())));
    let mut chars = text.chars();
    let (first, second) = (chars.next()?, chars.next());
    match (first, second) {
        ('-', Some('-')) => closed(Quoted::Comment, text.find(['\n', '\r'])),
        ('/', Some('*')) => closed(Quoted::Comment, comment(text)),
        ('\'', _) => closed(Quoted::Constant, quoted_by(text, '\'', false)),
        ('"', _) => closed(Quoted::Name, quoted_by(text, '"', false)),
        ('e' | 'E' | 'n' | 'N' | 'b' | 'B' | 'x' | 'X', Some('\'')) => {
            let len = quoted_by(&text[1..], '\'', first.eq_ignore_ascii_case(&'e'));
            closed(Quoted::Constant, len.map(|len| len + 1))
        }
        ('$', _) => {
            let tag = dollar_tag(text)?;
            closed(Quoted::Constant, text[tag.len()..].find(tag).map(|at| at + 2 * tag.len()))
        }
        _ => None,
    }
}

/// Who reads the text next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    /// Only what it surely understands is let through to it.
    TheParser,
    /// It says itself what it does not understand.
    TheServer,
}

/// Numbers the parameters of a text.
///
/// Names are not looked for in constants, quoted names and comments; `::` is a cast and `:=` names an argument. A slice
/// of an array needs a space behind its colon only if a name follows: `a[1:2]` stays as it is.
pub(crate) fn number(text: &str, reader: For) -> Result<Numbered, Vec<Refusal>> {
    let mut scanner = Scanner { text, reader, at: 0, out: Numbered::default(), depth: 0, refusals: Vec::new() };
    scanner.out.sql.reserve(text.len() + 32);
    while let Some(next) = scanner.rest().chars().next() {
        // Whatever comes after an open quote or comment is not known to be code.
        if scanner.step(next).is_none() {
            break;
        }
    }
    match scanner.refusals.is_empty() {
        true => Ok(scanner.out),
        false => Err(scanner.refusals),
    }
}

struct Scanner<'t> {
    text: &'t str,
    reader: For,
    at: usize,
    out: Numbered,
    depth: usize,
    refusals: Vec<Refusal>,
}

impl<'t> Scanner<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// Takes one piece; `None` where nothing behind can be read.
    fn step(&mut self, next: char) -> Option<()> {
        let rest = self.rest();
        match next {
            ' ' | '\t' | '\n' | '\r' => self.copy(1),
            '-' if rest.starts_with("--") => {
                let len = rest.find(['\n', '\r']).unwrap_or(rest.len());
                self.piece(len);
            }
            '/' if rest.starts_with("/*") => {
                let len = self.closed(comment(rest), "a comment")?;
                self.piece(len);
            }
            '\'' => self.constant(0, false)?,
            '"' => {
                let len = self.closed(quoted_by(rest, '"', false), "a quoted name")?;
                self.out.tokens += 1;
                self.piece(len);
            }
            '$' => self.dollar()?,
            ':' => self.colon(),
            '0'..='9' => self.number(),
            '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => self.number(),
            _ if starts_word(next) => self.word()?,
            _ => self.sign(next),
        }
        Some(())
    }

    fn sign(&mut self, sign: char) {
        self.out.tokens += 1;
        match sign {
            '(' | '[' => self.deeper(),
            ')' | ']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        if sign == '.' && self.rest().starts_with("..") {
            self.spare(2, "two dots have no place here".to_owned());
        }
        let known = "()[],;.+-*/<>=~!@#%^&|`?";
        if !known.contains(sign) {
            self.spare(sign.len_utf8(), format!("the sign {sign:?} has no place here"));
        }
        self.copy(sign.len_utf8());
    }

    fn deeper(&mut self) {
        self.depth += 1;
        if self.depth == DEEPEST + 1 {
            self.spare(
                1,
                format!("this is nested more than {DEEPEST} levels deep: take it apart, with WITH for example"),
            );
        }
    }

    fn word(&mut self) -> Option<()> {
        let rest = self.rest();
        let len = rest.find(|c: char| !(starts_word(c) || c.is_ascii_digit() || c == '$')).unwrap_or(rest.len());
        let word = &rest[..len];
        let strange = word.chars().find(|c| !c.is_ascii() && !c.is_alphanumeric());
        let behind = &rest[len..];
        let (is_case, is_end) = (word.eq_ignore_ascii_case("case"), word.eq_ignore_ascii_case("end"));
        if let Some(strange) = strange {
            self.spare(len, format!("the sign {strange:?} has no place here"));
        }
        if behind.starts_with('\'') && word.len() == 1 {
            match word {
                "e" | "E" => return self.constant(1, true),
                "n" | "N" | "b" | "B" | "x" | "X" => return self.constant(1, false),
                _ => {}
            }
        }
        if word.eq_ignore_ascii_case("u") && (behind.starts_with("&'") || behind.starts_with("&\"")) {
            self.spare(2, "write the characters themselves, without U&".to_owned());
            self.copy(2);
            return Some(());
        }
        if is_case {
            self.deeper();
        } else if is_end {
            self.depth = self.depth.saturating_sub(1);
        }
        self.out.tokens += 1;
        self.copy(len);
        Some(())
    }

    /// A string constant whose quote is `mark` bytes ahead.
    fn constant(&mut self, mark: usize, escapes: bool) -> Option<()> {
        let len = mark + self.closed(quoted_by(&self.rest()[mark..], '\'', escapes), "a string constant")?;
        let constant = &self.rest()[..len];
        if escapes && has_coded_character(constant) {
            self.spare(len, "write the characters themselves: no \\x, \\u, \\U or octal escapes".to_owned());
        } else if constant.contains('\0') {
            self.refuse(len, "a text can't hold the character 0".to_owned());
        }
        if skip_blank(&self.rest()[len..]).starts_with('\'') {
            self.spare(len, "write the constant in one piece, or join the pieces with ||".to_owned());
        }
        self.out.tokens += 1;
        self.piece(len);
        Some(())
    }

    fn dollar(&mut self) -> Option<()> {
        let rest = self.rest();
        if rest[1..].starts_with(|c: char| c.is_ascii_digit()) {
            let len = 1 + rest[1..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - 1);
            self.refuse(len, "a parameter is written `:name`, not `$1`".to_owned());
            self.copy(len);
            return Some(());
        }
        match dollar_tag(rest) {
            Some(tag) => {
                let len = rest[tag.len()..].find(tag).map(|at| at + 2 * tag.len());
                let len = self.closed(len, "a dollar-quoted constant")?;
                self.out.tokens += 1;
                self.piece(len);
            }
            None => {
                self.spare(1, "the sign '$' has no place here".to_owned());
                self.copy(1);
            }
        }
        Some(())
    }

    fn colon(&mut self) {
        let rest = self.rest();
        self.out.tokens += 1;
        if rest.starts_with("::") || rest.starts_with(":=") {
            return self.copy(2);
        }
        let Some(name) = param_name(&rest[1..]).map(str::to_owned) else { return self.copy(1) };
        let number = self.out.number_of(&name);
        let start = self.out.sql.len();
        self.out.sql.push_str(&format!(" ${number} "));
        let end = self.out.sql.len();
        self.out.pieces.push(start + 1..end - 1);
        let original = self.at..self.at + 1 + name.len();
        self.at = original.end;
        self.out.anchors.push(Anchor { sql: start..end, original });
    }

    /// A number in digits: the parser stumbles over `0x1`, `1_000` and `1..2`.
    fn number(&mut self) {
        let rest = self.rest();
        let digits = |from: usize| from + rest[from..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - from);
        let mut end = digits(0);
        if rest[end..].starts_with('.') {
            end = digits(end + 1);
        }
        let exponent =
            rest[end..].strip_prefix(['e', 'E']).map(|power| power.strip_prefix(['+', '-']).unwrap_or(power));
        if let Some(power) = exponent.filter(|power| power.starts_with(|c: char| c.is_ascii_digit())) {
            end = digits(rest.len() - power.len());
        }
        self.out.tokens += 1;
        if rest[end..].starts_with(|c: char| starts_word(c) || c.is_ascii_digit() || c == '$' || c == '.') {
            self.spare(end, "write the number with decimal digits, and a space behind it".to_owned());
            end += usize::from(self.reader == For::TheParser);
            while !rest.is_char_boundary(end) {
                end += 1;
            }
        }
        self.copy(end);
    }

    fn closed(&mut self, len: Option<usize>, what: &str) -> Option<usize> {
        if len.is_none() {
            let len = self.rest().len();
            self.refuse(len, format!("{what} is not closed"));
        }
        len
    }

    /// Refuses what the parser can't be trusted with.
    fn spare(&mut self, len: usize, message: String) {
        if self.reader == For::TheParser {
            self.refuse(len, message);
        }
    }

    fn refuse(&mut self, len: usize, message: String) {
        self.refusals.push(Refusal { at: self.at..self.at + len, message });
    }

    fn piece(&mut self, len: usize) {
        let start = self.out.sql.len();
        self.out.pieces.push(start..start + len);
        self.copy(len);
    }

    fn copy(&mut self, len: usize) {
        self.out.sql.push_str(&self.text[self.at..self.at + len]);
        self.at += len;
    }
}

fn starts_word(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}

fn param_name(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    text[..end].starts_with(|c: char| c.is_alphabetic() || c == '_').then_some(&text[..end])
}

/// `$$` or `$tag$` at the start of `text`.
fn dollar_tag(text: &str) -> Option<&str> {
    let end = text[1..].find('$')? + 2;
    let label = &text[1..end - 1];
    (label.is_empty() || param_name(label) == Some(label)).then_some(&text[..end])
}

/// The length of a quoted piece at the start of `text`; a doubled quote does not end it.
fn quoted_by(text: &str, quote: char, escapes: bool) -> Option<usize> {
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

/// Whether an escape in an `E''` constant writes a character by its number.
fn has_coded_character(constant: &str) -> bool {
    let mut chars = constant.chars();
    while let Some(c) = chars.next() {
        if c == '\\' && chars.next().is_some_and(|next| matches!(next, 'x' | 'u' | 'U' | '0'..='9')) {
            return true;
        }
    }
    false
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

pub(crate) fn skip_blank(text: &str) -> &str {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\n', '\r']);
        let skipped = match rest.get(..2) {
            Some("/*") => comment(rest),
            Some("--") => rest.find(['\n', '\r']),
            _ => return rest,
        };
        rest = &rest[skipped.unwrap_or(rest.len())..];
    }
}

#[cfg(test)]
mod tests {
    use super::{For, name_parameters};

    fn numbered(text: &str) -> (String, Vec<String>) {
        let out = super::number(text, For::TheParser).expect("a good text");
        (out.sql, out.params)
    }

    fn refused(text: &str) -> Vec<(String, String)> {
        let refusals = super::number(text, For::TheParser).expect_err("a bad text");
        refusals.into_iter().map(|one| (text[one.at].to_owned(), one.message)).collect()
    }

    #[test]
    fn names_get_numbers_and_keep_them() {
        let (sql, params) = numbered("SELECT :b FROM t WHERE a=:a AND b > :b::bigint AND ü = :größe AND x:a");
        assert_eq!(sql, "SELECT  $1  FROM t WHERE a= $2  AND b >  $1 ::bigint AND ü =  $3  AND x $2 ");
        assert_eq!(params, ["b", "a", "größe"]);
    }

    #[test]
    fn what_is_no_parameter_stays() {
        for text in [
            "SELECT ':a' || 'it''s :b'",
            r"SELECT E'\':a'",
            r"SELECT name '\' , 1",
            "SELECT \":a\" FROM \"t\"\":b\"",
            "SELECT 1 -- :a",
            "SELECT /* :a /* :b */ :c */ 1",
            "SELECT $$:a$$, $x$ :b $$ $x$",
            "SELECT a[1:2], b::text, x$1 FROM t",
            "SELECT make_interval(days := 1)",
            "SELECT 'ü:a', 1 : 2, 1.5e-3, .5, 1.",
        ] {
            assert_eq!(numbered(text), (text.to_owned(), Vec::new()), "{text}");
        }
    }

    #[test]
    fn after_a_comment_or_constant_names_count_again() {
        let (sql, params) = numbered("SELECT 1 -- :a\r + :b /* :c */ + :d || ':e' || :f");
        assert_eq!(sql, "SELECT 1 -- :a\r +  $1  /* :c */ +  $2  || ':e' ||  $3 ");
        assert_eq!(params, ["b", "d", "f"]);
    }

    #[test]
    fn places_are_found_in_the_original() {
        let text = "a = :first AND b = :second, c";
        let out = super::number(text, For::TheParser).expect("a good text");
        let original = |piece: &str| {
            let start = out.sql.find(piece).expect("the piece is there");
            &text[out.original(&(start..start + piece.len()))]
        };
        assert_eq!(original("a ="), "a =");
        assert_eq!(original("$1"), ":first");
        assert_eq!(original("b ="), "b =");
        assert_eq!(original("b =  $2"), "b = :second");
        assert_eq!(original("$1  AND b"), ":first AND b");
        assert_eq!(original("c"), "c");
    }

    #[test]
    fn what_the_parser_cant_do_is_refused() {
        for (text, at, message) in [
            ("SELECT $1", "$1", "a parameter is written `:name`, not `$1`"),
            ("SELECT 'a", "'a", "a string constant is not closed"),
            ("SELECT \"a", "\"a", "a quoted name is not closed"),
            ("SELECT /* a /* b */", "/* a /* b */", "a comment is not closed"),
            ("SELECT $x$ a $$", "$x$ a $$", "a dollar-quoted constant is not closed"),
            ("SELECT U&'a'", "U&", "write the characters themselves, without U&"),
            ("SELECT u&\"a\"", "u&", "write the characters themselves, without U&"),
            ("SELECT 0b11", "0", "write the number with decimal digits, and a space behind it"),
            ("SELECT 1_000", "1", "write the number with decimal digits, and a space behind it"),
            ("SELECT 1..2", "1.", "write the number with decimal digits, and a space behind it"),
            ("SELECT 1or 2", "1", "write the number with decimal digits, and a space behind it"),
            ("SELECT a ..b", "..", "two dots have no place here"),
            ("SELECT {fn x}", "{", "the sign '{' has no place here"),
            ("SELECT $name", "$", "the sign '$' has no place here"),
            ("SELECT a\u{a0}b", "a\u{a0}b", "the sign '\\u{a0}' has no place here"),
            (r"SELECT E'\x41'", r"E'\x41'", r"write the characters themselves: no \x, \u, \U or octal escapes"),
            ("SELECT 'a' --c\n'b'", "'a'", "write the constant in one piece, or join the pieces with ||"),
        ] {
            assert_eq!(refused(text)[0], (at.to_owned(), message.to_owned()), "{text}");
        }
    }

    #[test]
    fn the_server_reads_more_than_the_parser() {
        for text in ["SELECT 0b11, U&'a', E'\\x41', a ..b, 1or 2, $name, ☃", "SELECT 'a' --c\n'b'"] {
            let named = name_parameters(text).expect("the server's to judge");
            assert_eq!((named.sql.as_str(), named.params.is_empty()), (text, true));
        }
        assert_eq!(name_parameters("SELECT 1_000:a").expect("a good text").params, ["a"]);
        assert!(name_parameters("SELECT $1").is_err() && name_parameters("SELECT 'a").is_err());
        assert!(name_parameters("SELECT 'a\0'").is_err());
    }

    #[test]
    fn depth_is_bounded() {
        let deep = |levels: usize| format!("SELECT {}1{}", "(".repeat(levels), ")".repeat(levels));
        assert!(super::number(&deep(50), For::TheParser).is_ok());
        assert_eq!(refused(&deep(60)).len(), 1);
        assert!(super::number(&"CASE ".repeat(60), For::TheParser).is_err());
    }
}
