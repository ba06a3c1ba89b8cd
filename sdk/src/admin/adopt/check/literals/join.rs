//! Joins the literals of a source as the program joins them: with `+`, or side by side.

use std::ops::Range;

use super::Literal;
use super::format::{Places, fill};
use crate::admin::adopt::check::statement::Hole;
use crate::admin::adopt::check::words::HOLE;

/// A part of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) part: Part,
    pub(super) line: usize,
}

/// What a source is made of, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// A literal, with a [`HOLE`] for each that a program fills.
    Text(String, Vec<Hole>),
    /// A name, a keyword or a number.
    Word(String),
    /// Any other sign.
    Sign(char),
    /// The end of a line, in a language where it ends a statement.
    Break,
}

impl Token {
    fn is(&self, sign: char) -> bool {
        self.part == Part::Sign(sign)
    }
}

/// The literals; what stands side by side is one as well, where the language has it so.
pub(super) fn join(tokens: &[Token], side_by_side: bool) -> Vec<Literal> {
    let mut joining = Joining { tokens, side_by_side, found: Vec::new() };
    // What stands in parentheses of something that is put in is looked at by itself.
    let mut open: Vec<Range<usize>> = std::iter::once(0..tokens.len()).collect();
    while let Some(range) = open.pop() {
        let mut at = range.start;
        while at < range.end {
            at = match tokens[at].part {
                Part::Text(..) => joining.chain(at, range.end, &mut open),
                _ => at + 1,
            };
        }
    }
    let mut found = joining.found;
    found.sort_by_key(|literal| literal.line);
    found
}

struct Joining<'t> {
    tokens: &'t [Token],
    side_by_side: bool,
    found: Vec<Literal>,
}

impl Joining<'_> {
    /// Takes the literal that begins here with all that is joined to it, and returns what comes behind.
    fn chain(&mut self, start: usize, end: usize, open: &mut Vec<Range<usize>>) -> usize {
        let tokens = self.tokens;
        let mut literal =
            Literal { text: String::new(), holes: Vec::new(), line: tokens[start].line, last_line: 0, name: None };
        let mut begin = start;
        if start >= 2 && tokens[start - 1].is('+') {
            let first = self.operand_before(start - 1);
            if first < start - 1 {
                begin = first;
                put(&mut literal, self.spelled(first..start - 1));
            }
        }
        literal.name = self.assigned(begin);
        let mut at = start;
        loop {
            match tokens.get(at).filter(|_| at < end).map(|token| &token.part) {
                Some(Part::Text(text, holes)) => {
                    literal.text.push_str(text);
                    literal.holes.extend(holes.iter().cloned());
                    at += 1;
                }
                Some(_) => {
                    let behind = self.operand(at, end);
                    if behind == at {
                        break;
                    }
                    put(&mut literal, self.spelled(at..behind));
                    open.push(at..behind);
                    at = behind;
                }
                None => break,
            }
            let is_plus = |token: &Token| token.is('+');
            let adds = tokens.get(at + 1).is_some_and(|token| !token.is('=') && !token.is('+'));
            match tokens.get(at).filter(|_| at < end) {
                Some(token) if is_plus(token) && adds => at += 1,
                Some(Token { part: Part::Text(..), .. }) if self.side_by_side => {}
                _ => break,
            }
        }
        if let Some((places, arguments)) = self.formatted(begin, at) {
            let spelled: Vec<String> = arguments.iter().map(|range| self.spelled(range.clone())).collect();
            fill(&mut literal, places, &spelled);
        }
        // Where the next token begins is behind the last line of a text.
        literal.last_line = tokens.get(at).or(tokens.last()).map_or(literal.line, |token| token.line);
        self.found.push(literal);
        at.max(start + 1)
    }

    /// Whether a function fills a literal that begins and ends here, and what with.
    fn formatted(&self, begin: usize, end: usize) -> Option<(Places, Vec<Range<usize>>)> {
        let word = |at: Option<usize>| match &self.tokens.get(at?)?.part {
            Part::Word(word) => Some(word.as_str()),
            _ => None,
        };
        let is =
            |at: Option<usize>, sign: char| at.and_then(|at| self.tokens.get(at)).is_some_and(|token| token.is(sign));
        // `"…".formatted(a)` and `"…".format(a)`, also where parentheses are around the text.
        let dot = end + self.tokens[end.min(self.tokens.len())..].iter().take_while(|token| token.is(')')).count();
        if is(Some(dot), '.') && is(Some(dot + 2), '(') {
            let places = match word(Some(dot + 1))? {
                "formatted" => Places::Percent,
                "format" => Places::Braces,
                _ => return None,
            };
            return Some((places, self.arguments(dot + 3, self.closing(dot + 2, self.tokens.len())?)));
        }
        // `format!("…", a)`, `String.format("…", a)`, `fmt.Sprintf("…", a)`.
        let open = begin.checked_sub(1).filter(|open| is(Some(*open), '('))?;
        let places = match (word(open.checked_sub(1)), is(open.checked_sub(1), '!')) {
            (Some("Sprintf"), _) => Places::Percent,
            (Some("format"), _) if word(open.checked_sub(3)) == Some("String") => Places::Percent,
            (None, true) if matches!(word(open.checked_sub(2)), Some("format" | "format_args")) => Places::Braces,
            _ => return None,
        };
        let close = self.closing(open, self.tokens.len())?;
        Some((places, self.arguments((end + 1).min(close), close)))
    }

    /// What commas part.
    fn arguments(&self, begin: usize, end: usize) -> Vec<Range<usize>> {
        let (mut found, mut depth, mut start) = (Vec::new(), 0_usize, begin);
        for at in begin..end {
            match self.tokens[at].part {
                Part::Sign('(' | '[' | '{') => depth += 1,
                Part::Sign(')' | ']' | '}') => depth = depth.saturating_sub(1),
                Part::Sign(',') if depth == 0 => {
                    found.push(start..at);
                    start = at + 1;
                }
                _ => {}
            }
        }
        found.push(start..end.max(start));
        found
    }

    /// Behind an operand that is no literal: `a`, `a.b(c)[d]`, `(e)`.
    fn operand(&self, at: usize, end: usize) -> usize {
        let mut here = at;
        while here < end {
            here = match &self.tokens[here].part {
                Part::Word(_) if here == at || is_link(&self.tokens[here - 1]) => here + 1,
                Part::Sign('.' | ':' | '!' | '?') if here > at => here + 1,
                Part::Sign('&' | '*') if here == at => here + 1,
                Part::Sign('(' | '[') => match self.closing(here, end) {
                    Some(close) => close + 1,
                    None => return here,
                },
                _ => return here,
            };
        }
        here
    }

    fn closing(&self, open: usize, end: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for at in open..end {
            match self.tokens[at].part {
                Part::Sign('(' | '[' | '{') => depth += 1,
                Part::Sign(')' | ']' | '}') => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return Some(at);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// Where an operand begins that ends before `end`.
    fn operand_before(&self, end: usize) -> usize {
        let mut at = end;
        while at > 0 {
            at = match &self.tokens[at - 1].part {
                Part::Word(_) if at == end || is_link(&self.tokens[at]) || self.tokens[at].is('(') => at - 1,
                Part::Sign('.') if at < end => at - 1,
                Part::Sign(')') if at == end => match self.opening(at - 1) {
                    Some(open) => open,
                    None => return at,
                },
                _ => return at,
            };
        }
        at
    }

    fn opening(&self, close: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for at in (0..=close).rev() {
            match self.tokens[at].part {
                Part::Sign(')' | ']' | '}') => depth += 1,
                Part::Sign('(' | '[' | '{') => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return Some(at);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// What a literal is assigned to that begins here: `name = `, `name := `, `name: &str = `, `name string = `.
    fn assigned(&self, begin: usize) -> Option<String> {
        let mut before = self.tokens[..begin].iter().rev().filter(|token| !token.is('(')).peekable();
        if !before.next()?.is('=') {
            return None;
        }
        before.next_if(|token| token.is(':'));
        let mut words = Vec::new();
        for token in before.take(8) {
            match &token.part {
                Part::Word(word) => words.push(word.as_str()),
                Part::Sign('&' | ':' | '\'') => {}
                _ => break,
            }
        }
        const TYPES: &[&str] = &["string", "str", "static", "String", "Final"];
        words.into_iter().find(|word| !TYPES.contains(word)).map(str::to_owned)
    }

    fn spelled(&self, range: Range<usize>) -> String {
        let mut text = String::new();
        for token in &self.tokens[range] {
            match &token.part {
                Part::Word(word) => text.push_str(word),
                Part::Sign(sign) => text.push(*sign),
                Part::Text(..) => text.push_str("\"…\""),
                Part::Break => {}
            }
            if text.len() > 60 {
                text.push('…');
                break;
            }
        }
        text
    }
}

fn is_link(token: &Token) -> bool {
    matches!(token.part, Part::Sign('.' | ':' | '&' | '*' | '?'))
}

fn put(literal: &mut Literal, spelled: String) {
    literal.text.push(HOLE);
    literal.holes.push(Hole { spelled: format!("{{{spelled}}}"), is_bound: false });
}
