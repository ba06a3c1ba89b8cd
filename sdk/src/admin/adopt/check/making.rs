//! Makes the three forms of a statement, word by word. Pure.

use std::collections::HashMap;

use super::fingerprint::{self, Mark};
use super::statement::{Hole, Spelling, Spot, Statement, highest};
use super::words::{HOLE, Kind, Style, Token, Writer, tokens};

/// Reads one statement.
pub(super) fn statement(text: &str, holes: &[Hole], writer: Writer, usual: Spelling) -> Statement {
    let tokens = tokens(text, writer);
    let mut making = Making {
        writer,
        holes: holes.iter(),
        known: HashMap::new(),
        marks: Vec::new(),
        style: None,
        out: Statement {
            named: String::with_capacity(text.len() + 32),
            shown: String::with_capacity(text.len()),
            fingerprint: String::new(),
            unread: None,
            goes_on: false,
            spliced: Vec::new(),
            spots: Vec::new(),
            params: Vec::new(),
            spelling: usual,
            has_params: false,
        },
        numbered: highest(&tokens),
        in_order: false,
    };
    let mut at = 0;
    while at < tokens.len() {
        at += making.take(&tokens, at).max(1);
    }
    let Making { mut out, marks, style, .. } = making;
    out.goes_on = matches!(writer, Writer::Program { .. }) && goes_on(&tokens);
    (out.spelling, out.has_params) = (style.unwrap_or(usual), style.is_some());
    out.fingerprint = fingerprint::of(marks);
    out
}

/// Whether a statement can't end here: what comes behind is appended somewhere.
fn goes_on(tokens: &[Token<'_>]) -> bool {
    let count = |sign: &str| tokens.iter().filter(|token| token.is_sign(sign)).count();
    let last = tokens.iter().rev().find(|token| token.kind != Kind::Blank);
    let is_open = last.is_some_and(|last| match last.kind {
        Kind::Sign => matches!(last.text, "," | "(" | "=" | "<" | ">"),
        // Other words that values follow are names as well.
        _ => last.is_one_of(&["and", "by", "from", "in", "into", "or", "select", "set", "values", "where"]),
    });
    is_open || count("(") > count(")")
}

struct Making<'h> {
    writer: Writer,
    holes: std::slice::Iter<'h, Hole>,
    /// Parameters by what they are called.
    known: HashMap<String, usize>,
    marks: Vec<Mark>,
    style: Option<Spelling>,
    out: Statement,
    /// The highest number of a parameter so far, where constants become parameters.
    numbered: usize,
    /// Whether what is read is ordered or grouped by: there a number is the place of a column.
    in_order: bool,
}

/// Types that stand before a constant.
const TYPES: &[&str] = &["interval", "date", "time", "timestamp", "timestamptz"];
/// Types that numbers in parentheses belong to.
const SIZED: &[&str] = &[
    "bit",
    "bpchar",
    "char",
    "character",
    "decimal",
    "float",
    "interval",
    "numeric",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
    "varchar",
    "varying",
    "vector",
];
/// Words behind which a hole is a value.
const VALUE_FOLLOWS: &[&str] =
    &["between", "by", "else", "escape", "ilike", "interval", "like", "limit", "offset", "then"];

impl Making<'_> {
    /// Takes what begins at a token, and returns how many tokens that is.
    fn take(&mut self, tokens: &[Token<'_>], at: usize) -> usize {
        let token = tokens[at];
        let before = tokens[..at].iter().rev().find(|token| token.kind != Kind::Blank);
        self.follow_order(&token);
        match token.kind {
            Kind::Blank => self.blank(&token),
            Kind::Word => return self.word(tokens, at, before),
            Kind::Name => self.name(&token),
            Kind::Constant | Kind::Number => self.constant(tokens, at, before),
            Kind::Sign => return self.sign(tokens, at, before),
            Kind::Param(style) => {
                self.param(token.text, style);
                self.list(tokens, at);
            }
            Kind::Hole => {
                self.hole(tokens, at, before);
                self.list(tokens, at);
            }
        }
        1
    }

    fn copy(&mut self, text: &str) {
        self.out.named.push_str(text);
        self.out.shown.push_str(text);
    }

    /// Something that the checker has to read in another way.
    fn differ(&mut self, named: &str, shown: &str) {
        let starts = (self.out.named.len(), self.out.shown.len());
        self.copy_apart(named, shown);
        let spot = Spot { named: starts.0..self.out.named.len(), shown: starts.1..self.out.shown.len() };
        self.out.spots.push(spot);
    }

    fn copy_apart(&mut self, named: &str, shown: &str) {
        self.out.named.push_str(named);
        self.out.shown.push_str(shown);
    }

    /// A parameter; one that is called alike is the same.
    fn value(&mut self, called: Option<String>, shown: &str) {
        let new = self.out.params.len() + 1;
        let number = called.map_or(new, |called| *self.known.entry(called).or_insert(new));
        if number == new {
            self.out.params.push(shown.to_owned());
        }
        self.differ(&format!(":_{number} "), shown);
        self.marks.push(Mark::Value(number));
    }

    fn next_number(&mut self) -> String {
        self.numbered += 1;
        format!("${}", self.numbered)
    }

    fn blank(&mut self, token: &Token<'_>) {
        match self.writer {
            // A list of constants that PostgreSQL has cut short.
            Writer::Server if token.text == "/*, ... */" => {
                self.copy(", ");
                self.marks.push(Mark::word(","));
                let number = self.next_number();
                self.value(None, &number);
            }
            // Values may be in comments, too.
            Writer::Server if !token.text.trim().is_empty() => self.differ(" ", " "),
            _ if token.text.contains(HOLE) => {
                let shown = self.filled(token.text);
                self.differ(" ", &shown);
            }
            _ if token.text.chars().all(|c| matches!(c, ' ' | '\t' | '\n' | '\r')) => self.copy(token.text),
            _ if token.text.trim().is_empty() => self.differ(" ", token.text),
            // A comment at the end of a line takes the line's end with it.
            _ => self.differ(if token.text.starts_with("--") { "" } else { " " }, token.text),
        }
    }

    fn word(&mut self, tokens: &[Token<'_>], at: usize, before: Option<&Token<'_>>) -> usize {
        let token = tokens[at];
        if let Some(len) = self.typed_constant(tokens, at, before).or_else(|| self.sqlc(tokens, at)) {
            return len;
        }
        let is_value = token.is_one_of(&["true", "false", "null"])
            && before.is_none_or(|before| !before.is_one_of(&["is", "not"]));
        let is_field = token_behind(tokens, at).is_some_and(|next| next.is("from")) && opens_extract(tokens, at);
        if is_value || is_field {
            self.marks.push(Mark::Value(0));
        } else {
            self.marks.push(Mark::word(&token.text.to_ascii_lowercase()));
        }
        self.copy(token.text);
        1
    }

    /// `interval '1 day'`, as servers write it: `$1::interval`, for there is no `interval $1`.
    fn typed_constant(&mut self, tokens: &[Token<'_>], at: usize, before: Option<&Token<'_>>) -> Option<usize> {
        let is_type = tokens[at].is_one_of(TYPES) && before.is_none_or(|before| !matches!(before.text, "." | "::"));
        if !is_type || before.is_some_and(|before| before.is("as")) {
            return None;
        }
        let behind: Vec<usize> =
            (at + 1..tokens.len()).filter(|one| tokens[*one].kind != Kind::Blank).take(4).collect();
        let is_at = |place: usize, words: &[&str]| behind.get(place).is_some_and(|one| tokens[*one].is_one_of(words));
        let zone = if is_at(0, &["with", "without"]) && is_at(1, &["time"]) && is_at(2, &["zone"]) { 3 } else { 0 };
        let constant = *behind.get(zone)?;
        match (tokens[constant].kind, self.writer) {
            (Kind::Constant, Writer::Server) => {
                let number = self.next_number();
                self.value(None, &number);
            }
            (Kind::Param(style), _) => self.param(tokens[constant].text, style),
            _ => return None,
        }
        let sql_type: String = tokens[at..constant].iter().map(|token| token.text).collect();
        self.copy(&format!("::{}", sql_type.trim_end()));
        self.marks.push(Mark::word("::"));
        let words = tokens[at..constant].iter().filter(|token| token.kind == Kind::Word);
        self.marks.extend(words.map(|word| Mark::word(&word.text.to_ascii_lowercase())));
        Some(constant + 1 - at)
    }

    /// `sqlc.arg(name)` and its like are parameters.
    fn sqlc(&mut self, tokens: &[Token<'_>], at: usize) -> Option<usize> {
        if !tokens[at].is("sqlc") || self.writer == Writer::Server {
            return None;
        }
        let [_, dot, call, open, name, close] = tokens.get(at..at + 6)? else { return None };
        let is_call = dot.is_sign(".") && open.is_sign("(") && close.is_sign(")");
        let spelled: String = tokens[at..at + 6].iter().map(|token| token.text).collect();
        if is_call && call.is_one_of(&["arg", "narg", "slice"]) {
            self.value(Some(format!("@{}", name.text.trim_matches('\''))), &spelled);
            self.style.get_or_insert(Spelling::Like(Style::At));
            return Some(6);
        }
        if is_call && call.is("embed") {
            self.differ(&format!("{}.*", name.text), &spelled);
            self.marks.extend([Mark::word(&name.text.to_ascii_lowercase()), Mark::word("."), Mark::word("*")]);
            return Some(6);
        }
        None
    }

    fn name(&mut self, token: &Token<'_>) {
        if token.text.contains(HOLE) {
            let shown = self.filled(token.text);
            self.out.unread.get_or_insert(format!("{shown} is not known before it runs"));
        }
        self.marks.push(Mark::name(token.text));
        self.copy(token.text);
    }

    fn constant(&mut self, tokens: &[Token<'_>], at: usize, before: Option<&Token<'_>>) {
        let token = tokens[at];
        if opens_extract(tokens, at) && token_behind(tokens, at).is_some_and(|next| next.is("from")) {
            self.differ("epoch", token.text);
            return self.marks.push(Mark::Value(0));
        }
        match self.writer {
            Writer::Server if token.kind == Kind::Number && self.is_place_or_size(tokens, at, before) => {
                self.copy(token.text);
                self.marks.push(Mark::Value(0));
            }
            Writer::Server => {
                let number = self.next_number();
                self.value(None, &number);
            }
            Writer::Program { .. } => {
                let shown = self.filled(token.text);
                let coded = token.text.starts_with(['e', 'E']) && token.kind == Kind::Constant;
                // What a column equals is known by parameters alone.
                if coded || is_plain_equals(tokens, at) {
                    return self.value(None, &shown);
                }
                if token.text.contains(HOLE) {
                    self.differ("'x'", &shown);
                } else {
                    self.copy(token.text);
                }
                self.marks.push(Mark::Value(0));
            }
        }
    }

    /// Whether a number is the place of a column in a list, or the size of a type: neither is a value.
    fn is_place_or_size(&self, tokens: &[Token<'_>], at: usize, before: Option<&Token<'_>>) -> bool {
        if self.in_order && before.is_some_and(|before| before.is("by") || before.is_sign(",")) {
            return true;
        }
        let opened = tokens[..at].iter().rposition(|token| token.is_sign("("));
        let inside = opened.map(|open| &tokens[open + 1..at]).unwrap_or_default();
        let is_list = inside.iter().all(|token| matches!(token.kind, Kind::Number | Kind::Blank) || token.is_sign(","));
        let word = opened.and_then(|open| tokens[..open].iter().rev().find(|token| token.kind != Kind::Blank));
        is_list && word.is_some_and(|word| word.is_one_of(SIZED))
    }

    fn follow_order(&mut self, token: &Token<'_>) {
        if token.is("by") {
            self.in_order = true;
        } else if token.is_one_of(&["limit", "offset", "fetch", "for", "having", "union", "rows", "range"])
            || token.is_sign(")")
        {
            self.in_order = false;
        }
    }

    fn sign(&mut self, tokens: &[Token<'_>], at: usize, before: Option<&Token<'_>>) -> usize {
        let token = tokens[at];
        let next = tokens.get(at + 1);
        let is_program = self.writer != Writer::Server;
        let is_minus = token.is_sign("-") && before.is_none_or(|before| !before.ends_value());
        if is_minus && next.is_some_and(|next| next.kind == Kind::Number) {
            if is_program {
                self.copy("-");
            }
            return 1;
        }
        if is_program && token.text == "??" {
            self.differ("?", "??");
            self.marks.push(Mark::word("?"));
            return 1;
        }
        if is_program && token.is_sign("%") && next.is_some_and(|next| next.is_sign("%")) {
            self.differ("%", "%%");
            self.marks.push(Mark::word("%"));
            return 2;
        }
        // `:'name'` of psql.
        if let Some(next) = next.filter(|next| next.kind == Kind::Constant && token.is_sign(":") && is_program) {
            let text = format!(":{}", next.text);
            self.value(Some(text.clone()), &text);
            return 2;
        }
        // A slice of an array: with a space, for `:name` is a parameter.
        if token.is_sign(":") && next.is_some_and(|next| matches!(next.kind, Kind::Word)) {
            self.differ(": ", ":");
        } else {
            self.copy(token.text);
        }
        self.marks.push(Mark::word(token.text));
        1
    }

    fn param(&mut self, text: &str, style: Style) {
        let name = match style {
            Style::Dollar | Style::Colon | Style::At => text.get(1..),
            Style::PercentNamed => text.get(2..text.len().saturating_sub(2)),
            Style::Hash => text.get(2..).and_then(|name| name.split(['}', ',']).next()),
            Style::Question | Style::Percent => {
                text.get(1..).filter(|number| number.starts_with(|c: char| c.is_ascii_digit()))
            }
        };
        self.style.get_or_insert(Spelling::Like(style));
        self.value(name.map(|name| format!("@{}", name.trim())), text);
    }

    /// `IN (:ids)` and `IN :ids`: drivers and mappers put as many values there as there are. So it is a list of several to the checker.
    fn list(&mut self, tokens: &[Token<'_>], at: usize) {
        let is_numbered = self.writer == Writer::Server || tokens[at].kind == Kind::Param(Style::Dollar);
        let mut before = tokens[..at].iter().rev().filter(|token| token.kind != Kind::Blank);
        let (first, second) = (before.next(), before.next());
        let is_alone = first.is_some_and(|token| token.is("in"));
        let is_enclosed = first.is_some_and(|token| token.is_sign("("))
            && second.is_some_and(|token| token.is("in"))
            && token_behind(tokens, at).is_some_and(|token| token.is_sign(")"));
        if is_numbered || !is_alone && !is_enclosed {
            return;
        }
        let number = self.out.params.len() + 1;
        self.out.params.push("?".to_owned());
        let Some(spot) = self.out.spots.last_mut() else { return };
        let named = self.out.named.split_off(spot.named.start);
        let (open, close) = if is_alone { ("(", ")") } else { ("", "") };
        self.out.named.push_str(&format!("{open}{named}, :_{number} {close}"));
        spot.named.end = self.out.named.len();
        let value = self.marks.pop();
        self.marks.extend(is_alone.then(|| Mark::word("(")));
        self.marks.extend(value);
        self.marks.extend([Mark::word(","), Mark::Value(number)]);
        self.marks.extend(is_alone.then(|| Mark::word(")")));
    }

    fn hole(&mut self, tokens: &[Token<'_>], at: usize, before: Option<&Token<'_>>) {
        let token = tokens[at];
        let written = Hole { spelled: token.text.to_owned(), is_bound: false };
        let hole = if token.text.starts_with(HOLE) { self.holes.next().unwrap_or(&written) } else { &written }.clone();
        let touches = |token: Option<&Token<'_>>| {
            token.is_some_and(|token| {
                matches!(token.kind, Kind::Word | Kind::Name | Kind::Hole | Kind::Number) || token.is_sign(".")
            })
        };
        let is_apart = !touches(tokens.get(at + 1)) && !touches(at.checked_sub(1).and_then(|last| tokens.get(last)));
        let follows = before.is_some_and(|before| match before.kind {
            Kind::Sign => !matches!(before.text, ")" | "]" | "." | ";"),
            _ => before.is_one_of(VALUE_FOLLOWS) || before.is("in"),
        });
        if !is_apart || !follows {
            self.out.unread.get_or_insert(format!("what {} is, is not known before it runs", hole.spelled));
        } else if hole.is_bound {
            self.style.get_or_insert(Spelling::Template);
        } else {
            self.out.spliced.push(hole.spelled.clone());
        }
        self.value(Some(format!("{{{}", hole.spelled)), &hole.spelled);
    }

    /// A piece of text with what is put into it spelled out.
    fn filled(&mut self, text: &str) -> String {
        let mut filled = String::with_capacity(text.len());
        for letter in text.chars() {
            match (letter == HOLE).then(|| self.holes.next()).flatten() {
                Some(hole) => {
                    if !hole.is_bound {
                        self.out.spliced.push(hole.spelled.clone());
                    }
                    filled.push_str(&hole.spelled);
                }
                None if letter == HOLE => filled.push('…'),
                None => filled.push(letter),
            }
        }
        filled
    }
}

fn token_behind<'a, 't>(tokens: &'a [Token<'t>], at: usize) -> Option<&'a Token<'t>> {
    tokens.get(at + 1..)?.iter().find(|token| token.kind != Kind::Blank)
}

/// Whether it is the first in the parentheses of `extract (…)`.
fn opens_extract(tokens: &[Token<'_>], at: usize) -> bool {
    let mut before = tokens[..at].iter().rev().filter(|token| token.kind != Kind::Blank);
    before.next().is_some_and(|open| open.is_sign("(")) && before.next().is_some_and(|word| word.is("extract"))
}

/// Whether `=` stands before, and is no part of `>=` and the like.
fn is_plain_equals(tokens: &[Token<'_>], at: usize) -> bool {
    let mut before = tokens[..at].iter().rev().filter(|token| token.kind != Kind::Blank);
    let Some(equals) = before.next().filter(|token| token.is_sign("=")) else { return false };
    !before.next().is_some_and(|sign| {
        sign.end() == equals.at && sign.kind == Kind::Sign && "<>!=~@#&|*+-/%^:".contains(sign.text)
    })
}
