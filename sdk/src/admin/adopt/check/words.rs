//! The words and signs of SQL as programs, drivers and servers write it, with whatever stands for a value. Pure.

use shardwise_scope::{Quoted, quoted};

/// Stands for what a program puts into a text while it runs.
pub(super) const HOLE: char = '\u{10fe00}';

/// A word or a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::admin::adopt) struct Token<'t> {
    pub(in crate::admin::adopt) kind: Kind,
    /// As it is written.
    pub(in crate::admin::adopt) text: &'t str,
    /// Where it begins.
    pub(in crate::admin::adopt) at: usize,
}

/// What kind of word or sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::admin::adopt) enum Kind {
    /// Blanks and comments.
    Blank,
    /// A word without quotes.
    Word,
    /// A name in quotes.
    Name,
    /// A string.
    Constant,
    /// A number.
    Number,
    /// Any other sign, one by one but for `::`.
    Sign,
    /// What stands for a value.
    Param(Style),
    /// What a program puts in: a value, or any other text.
    Hole,
}

/// How a parameter is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::admin::adopt) enum Style {
    /// `$1`
    Dollar,
    /// `?`, or `?1`
    Question,
    /// `%s`
    Percent,
    /// `%(name)s`
    PercentNamed,
    /// `:name`
    Colon,
    /// `@name`
    At,
    /// `#{name}`
    Hash,
}

/// Who has written a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::admin::adopt) enum Writer {
    /// A server: `$1` alone is a parameter, and each constant is somebody's value.
    Server,
    /// A program. Whether `%s` is a parameter of the driver, or a hole of the language.
    Program {
        /// It is a parameter.
        percent_binds: bool,
    },
}

impl Token<'_> {
    /// Whether it is this word, however that is written.
    pub(in crate::admin::adopt) fn is(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// Whether it is one of these words, which are in small letters.
    pub(in crate::admin::adopt) fn is_one_of(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    /// Whether it is this sign.
    pub(in crate::admin::adopt) fn is_sign(&self, sign: &str) -> bool {
        self.kind == Kind::Sign && self.text == sign
    }

    /// Whether a value may end with it, so that an operator comes next.
    pub(super) fn ends_value(&self) -> bool {
        match self.kind {
            Kind::Word => !self.is_one_of(BEFORE_VALUES),
            Kind::Name | Kind::Constant | Kind::Number | Kind::Param(_) | Kind::Hole => true,
            Kind::Sign => matches!(self.text, ")" | "]"),
            Kind::Blank => false,
        }
    }

    pub(super) fn end(&self) -> usize {
        self.at + self.text.len()
    }
}

/// Words after which comes a value, and no operator.
const BEFORE_VALUES: &[&str] = &[
    "all",
    "and",
    "any",
    "array",
    "between",
    "by",
    "case",
    "date",
    "default",
    "distinct",
    "else",
    "escape",
    "except",
    "fetch",
    "first",
    "for",
    "from",
    "having",
    "ilike",
    "in",
    "intersect",
    "interval",
    "into",
    "is",
    "like",
    "limit",
    "next",
    "not",
    "offset",
    "on",
    "or",
    "placing",
    "returning",
    "row",
    "select",
    "set",
    "similar",
    "some",
    "symmetric",
    "then",
    "time",
    "timestamp",
    "timestamptz",
    "to",
    "union",
    "using",
    "values",
    "when",
    "where",
    "zone",
];

/// All words and signs of a text; together they are the text.
pub(in crate::admin::adopt) fn tokens(text: &str, writer: Writer) -> Vec<Token<'_>> {
    let mut reading = Reading { text, writer, at: 0, brackets: 0, tokens: Vec::new() };
    while reading.at < text.len() {
        let (kind, len) = reading.next();
        let end = (reading.at + len.max(1)).min(text.len());
        let end = (end..=text.len()).find(|end| text.is_char_boundary(*end)).unwrap_or(text.len());
        reading.tokens.push(Token { kind, text: &text[reading.at..end], at: reading.at });
        reading.at = end;
    }
    reading.tokens
}

struct Reading<'t> {
    text: &'t str,
    writer: Writer,
    at: usize,
    brackets: usize,
    tokens: Vec<Token<'t>>,
}

impl<'t> Reading<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// The last token that means something.
    fn before(&self) -> Option<&Token<'t>> {
        self.tokens.iter().rev().find(|token| token.kind != Kind::Blank)
    }

    /// Whether a word ends right here.
    fn touches_word(&self) -> bool {
        self.text[..self.at].chars().next_back().is_some_and(in_word)
    }

    fn next(&mut self) -> (Kind, usize) {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return (Kind::Blank, 0) };
        if let Some((what, len)) = quoted(rest) {
            return (
                match what {
                    Quoted::Comment => Kind::Blank,
                    Quoted::Constant => Kind::Constant,
                    Quoted::Name => Kind::Name,
                },
                len,
            );
        }
        match first {
            HOLE => (Kind::Hole, HOLE.len_utf8()),
            _ if first.is_whitespace() || first == '\u{feff}' => (Kind::Blank, first.len_utf8()),
            '0'..='9' => (Kind::Number, number(rest)),
            '.' if rest[1..].starts_with(|next: char| next.is_ascii_digit()) && !self.touches_word() => {
                (Kind::Number, number(rest))
            }
            '$' if digits(&rest[1..]) > 0 => (Kind::Param(Style::Dollar), 1 + digits(&rest[1..])),
            _ if starts_word(first) => (Kind::Word, word(rest)),
            _ => self.sign(first),
        }
    }

    fn sign(&mut self, first: char) -> (Kind, usize) {
        match first {
            '[' => self.brackets += 1,
            ']' => self.brackets = self.brackets.saturating_sub(1),
            _ => {}
        }
        let rest = self.rest();
        if rest.starts_with("::") {
            return (Kind::Sign, 2);
        }
        let percent_binds = match self.writer {
            Writer::Server => return (Kind::Sign, first.len_utf8()),
            Writer::Program { percent_binds } => percent_binds,
        };
        let ends_value = self.before().is_some_and(Token::ends_value);
        let found = match first {
            '?' => self.question(ends_value),
            '%' => percent(rest).map(|(style, len)| match self.touches_word() || !percent_binds {
                true => (Kind::Hole, len),
                false => (Kind::Param(style), len),
            }),
            ':' if !self.is_slice(ends_value) => colon(rest, ends_value),
            '@' => {
                let in_operator = self.before().is_some_and(|token| token.end() == self.at && token.kind == Kind::Sign);
                let is_free = !in_operator || self.before().is_some_and(|token| matches!(token.text, "(" | "," | "="));
                let len = name(&rest[1..]);
                (len > 0 && is_free && !self.touches_word()).then_some((Kind::Param(Style::At), 1 + len))
            }
            '#' if rest.starts_with("#{") => braces(&rest[1..]).map(|len| (Kind::Param(Style::Hash), 1 + len)),
            '$' if rest.starts_with("${") => braces(&rest[1..]).map(|len| (Kind::Hole, 1 + len)),
            '{' => braces(rest).map(|len| (Kind::Hole, len)),
            _ => None,
        };
        found.unwrap_or((Kind::Sign, first.len_utf8()))
    }

    /// Whether a colon is that of `a[1:n]` or `a[:n]`: `ARRAY[:a]` has none.
    fn is_slice(&self, ends_value: bool) -> bool {
        let mut before = self.tokens.iter().rev().filter(|token| token.kind != Kind::Blank);
        let opens = before.next().is_some_and(|token| token.is_sign("["));
        self.brackets > 0 && (ends_value || opens && before.next().is_some_and(Token::ends_value))
    }

    /// `?` is a parameter where a value has to come, and an operator of jsonb behind one. `??` is how JDBC writes the operator.
    fn question(&self, ends_value: bool) -> Option<(Kind, usize)> {
        let rest = self.rest();
        if rest.starts_with("??") {
            return Some((Kind::Sign, 2));
        }
        if ends_value || rest.starts_with("?|") && !rest.starts_with("?||") || rest.starts_with("?&") {
            return None;
        }
        Some((Kind::Param(Style::Question), 1 + digits(&rest[1..])))
    }
}

/// `%s`, `%(name)s`, and what languages write besides: `%d`, `%[1]v`, `%.2f`. `%%` is a sign.
fn percent(rest: &str) -> Option<(Style, usize)> {
    let inner = &rest[1..];
    if let Some(named) = inner.strip_prefix('(') {
        let end = named.find(')').filter(|end| !named[..*end].contains([' ', '\n', '(']))?;
        return named[end + 1..].starts_with(['s', 'b', 't', 'd']).then_some((Style::PercentNamed, end + 4));
    }
    let flags = inner.find(|c: char| !(c.is_ascii_digit() || "[].+#-".contains(c)))?;
    let verb = inner[flags..].chars().next().filter(|verb| "sdvqfixtbu".contains(*verb))?;
    let behind = &inner[flags + verb.len_utf8()..];
    (!behind.starts_with(in_word)).then_some((Style::Percent, 1 + flags + 1))
}

/// `:name`, and `:1` where a value has to come.
fn colon(rest: &str, ends_value: bool) -> Option<(Kind, usize)> {
    let len = match name(&rest[1..]) {
        0 if !ends_value => digits(&rest[1..]),
        len => len,
    };
    (len > 0).then_some((Kind::Param(Style::Colon), 1 + len))
}

/// The length of `{…}` that a program fills.
fn braces(rest: &str) -> Option<usize> {
    let end = rest.find('}')?;
    let inner = &rest[1..end];
    (inner.len() <= 100 && !inner.contains(['\'', '{', '\n', HOLE])).then_some(end + 1)
}

fn digits(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())
}

/// The length of a parameter's name.
fn name(text: &str) -> usize {
    let starts = text.starts_with(|c: char| c.is_alphabetic() || c == '_');
    if starts { text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len()) } else { 0 }
}

fn number(text: &str) -> usize {
    let mut end = digits(text);
    if text[end..].starts_with('.') && !text[end..].starts_with("..") {
        end += 1 + digits(&text[end + 1..]);
    }
    let exponent = text[end..].strip_prefix(['e', 'E']).map(|power| power.strip_prefix(['+', '-']).unwrap_or(power));
    match exponent.map(|power| (power, digits(power))) {
        Some((power, count)) if count > 0 => text.len() - power.len() + count,
        _ => end.max(1),
    }
}

fn word(text: &str) -> usize {
    text.find(|c: char| !in_word(c)).unwrap_or(text.len())
}

fn starts_word(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii() && c != HOLE && !c.is_whitespace()
}

fn in_word(c: char) -> bool {
    starts_word(c) || c.is_ascii_digit() || c == '$'
}

#[cfg(test)]
mod tests {
    use super::{Kind, Writer, tokens};

    /// What stands for values, and holes in parentheses.
    fn values(text: &str, writer: Writer) -> Vec<String> {
        let all = tokens(text, writer);
        assert_eq!(all.iter().map(|token| token.text).collect::<String>(), text);
        let shown = all.iter().filter_map(|token| match token.kind {
            Kind::Param(_) => Some(token.text.to_owned()),
            Kind::Hole => Some(format!("({})", token.text)),
            _ => None,
        });
        shown.collect()
    }

    #[test]
    fn parameters_are_told_from_operators() {
        let bound = Writer::Program { percent_binds: true };
        for (text, expected) in [
            ("SELECT a FROM t WHERE b = ? AND c IN (?,?) LIMIT ? OFFSET ?2", vec!["?", "?", "?", "?", "?2"]),
            ("SELECT data ? 'a', data->'x' ?| ?, data ?& :b, (x) ?? 'c'", vec!["?", ":b"]),
            (
                "SELECT a::text, b[1:2], c[i:j], d[:n], ARRAY[ :e ], f(x := 1), ':no', \":no\" /* :no */ -- :no\n, :yes::int",
                vec![":e", ":yes"],
            ),
            ("WHERE a @> b AND c @@ d AND e <@f AND g = @g AND h(@i)", vec!["@g", "@i"]),
            ("WHERE a=%s AND b = %(name)s AND c % 2 = 1 AND d %% 2 = 0 AND e LIKE '%s'", vec!["%s", "%(name)s"]),
            (
                "FROM t_%s WHERE x = #{id} AND y = ${y} AND z = {} AND '{}' = {name}",
                vec!["(%s)", "#{id}", "(${y})", "({})", "({name})"],
            ),
            ("SELECT $1, $12::int, $$ $1 $$, $x$ ? $x$, a$1", vec!["$1", "$12"]),
            ("SELECT interval ?, date ?, a - interval :b", vec!["?", "?", ":b"]),
            ("SELECT 1.5e3, .5, 1., t.5, E'it\\'s ?' || ?", vec!["?"]),
        ] {
            assert_eq!(values(text, bound), expected, "{text}");
        }
        assert_eq!(values("a = %s AND b = %d", Writer::Program { percent_binds: false }), ["(%s)", "(%d)"]);
        assert_eq!(values("a ? 'b' AND c = $1 AND :d = @e AND f = {}", Writer::Server), ["$1"]);
    }

    #[test]
    fn whatever_is_given_comes_back() {
        for text in [
            "",
            "'",
            "\"",
            "$",
            "$x",
            "/*",
            "%",
            "%(",
            "%(a",
            ":",
            "@",
            "#{",
            "{",
            "é%s",
            "1e",
            "1..2",
            "\u{10fe00}",
            "é'ü",
            "?",
        ] {
            values(text, Writer::Program { percent_binds: true });
            values(text, Writer::Server);
        }
    }
}
