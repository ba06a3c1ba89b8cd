//! Goes through a source, letter by letter, and counts its lines.

use super::join::{Part, Token};

pub(super) struct Cursor<'s> {
    source: &'s str,
    at: usize,
    pub(super) line: usize,
    pub(super) tokens: Vec<Token>,
}

impl<'s> Cursor<'s> {
    pub(super) fn new(source: &'s str) -> Self {
        Self { source, at: 0, line: 1, tokens: Vec::new() }
    }

    pub(super) fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn starts_with(&self, text: &str) -> bool {
        self.rest().starts_with(text)
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        self.line += usize::from(next == '\n');
        Some(next)
    }

    /// Takes a text that stands here.
    pub(super) fn take(&mut self, text: &str) -> bool {
        let is_here = self.starts_with(text);
        if is_here {
            self.skip(text.len());
        }
        is_here
    }

    /// Goes on by so many bytes, to the end at most.
    pub(super) fn skip(&mut self, bytes: usize) {
        let end = (self.at + bytes).min(self.source.len());
        while self.at < end {
            self.next();
        }
    }

    /// Goes on behind a text, or to the end, and returns what was before it.
    pub(super) fn skip_behind(&mut self, text: &str) -> &'s str {
        let rest = self.rest();
        let len = rest.find(text);
        self.skip(len.map_or(rest.len(), |len| len + text.len()));
        &rest[..len.unwrap_or(rest.len())]
    }

    /// Goes on to the end of the line.
    pub(super) fn skip_line(&mut self) {
        let rest = self.rest();
        self.skip(rest.find('\n').unwrap_or(rest.len()));
    }

    /// Comments as C has them.
    pub(super) fn skip_comment(&mut self) -> bool {
        if self.starts_with("//") {
            self.skip_line();
        } else if self.take("/*") {
            self.skip_behind("*/");
        } else {
            return false;
        }
        true
    }

    /// The word that stands here.
    pub(super) fn word(&mut self) -> Option<&'s str> {
        let rest = self.rest();
        let len = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len());
        self.skip(len);
        (len > 0).then_some(&rest[..len])
    }

    pub(super) fn push(&mut self, part: Part, line: usize) {
        self.tokens.push(Token { part, line });
    }

    /// A place to come back to.
    pub(super) fn place(&self) -> (usize, usize) {
        (self.at, self.line)
    }

    /// Goes back there.
    pub(super) fn back_to(&mut self, (at, line): (usize, usize)) {
        (self.at, self.line) = (at, line);
    }

    /// Takes a word, or a single sign.
    pub(super) fn word_or_sign(&mut self) {
        let line = self.line;
        if let Some(word) = self.word() {
            self.push(Part::Word(word.to_owned()), line);
        } else if let Some(sign) = self.next().filter(|sign| !sign.is_whitespace()) {
            self.push(Part::Sign(sign), line);
        }
    }

    /// A literal of one line, whose quote was taken; `None` where the line ends first, and nothing is taken.
    pub(super) fn one_line(&mut self, quote: char, escape: fn(&mut Self, &mut String)) -> Option<String> {
        let (place, mut text) = (self.place(), String::new());
        loop {
            match self.next() {
                Some('\\') => escape(self, &mut text),
                Some(letter) if letter == quote => return Some(text),
                None | Some('\n') => {
                    self.back_to(place);
                    return None;
                }
                Some(letter) => text.push(letter),
            }
        }
    }

    /// A text, or between apostrophes a letter, as Go and Java have them.
    pub(super) fn text_or_letter(&mut self, quote: char) {
        let line = self.line;
        self.next();
        match self.one_line(quote, Self::escape) {
            Some(text) if quote == '"' => self.push(Part::Text(text, Vec::new()), line),
            Some(_) => self.push(Part::Word("'".to_owned()), line),
            None => self.push(Part::Sign(quote), line),
        }
    }

    /// Behind a backslash, as most languages have it.
    pub(super) fn escape(&mut self, text: &mut String) {
        let Some(letter) = self.next() else { return };
        match letter {
            'n' => text.push('\n'),
            't' => text.push('\t'),
            'r' => text.push('\r'),
            'b' | 'f' | 'v' | 'a' | '0' => text.push(' '),
            's' => text.push(' '),
            // The line goes on.
            '\n' => {}
            '\r' => {
                self.take("\n");
            }
            'x' => self.coded(2, text),
            'u' if self.take("{") => {
                let digits = self.skip_behind("}");
                text.extend(u32::from_str_radix(digits, 16).ok().and_then(char::from_u32));
            }
            'u' => self.coded(4, text),
            'U' => self.coded(8, text),
            other => text.push(other),
        }
    }

    fn coded(&mut self, digits: usize, text: &mut String) {
        let rest = self.rest();
        let len = rest.chars().take(digits).take_while(char::is_ascii_hexdigit).count();
        self.skip(len);
        text.extend(u32::from_str_radix(&rest[..len], 16).ok().and_then(char::from_u32));
    }

    /// An expression inside of a literal, up to the brace that closes it; the brace that opens it was taken.
    pub(super) fn braced(&mut self) -> &'s str {
        /// What goes on for longer is closed nowhere.
        const LONGEST: usize = 4_000;
        let rest = self.rest();
        let start = self.at;
        let mut depth = 0_usize;
        while let Some(letter) = self.next().filter(|_| self.at - start < LONGEST) {
            match letter {
                '{' | '(' | '[' => depth += 1,
                '}' if depth == 0 => return &rest[..self.at - start - 1],
                '}' | ')' | ']' => depth = depth.saturating_sub(1),
                '"' | '\'' | '`' => {
                    let place = self.place();
                    if !self.closes(letter) {
                        self.back_to(place);
                    }
                }
                _ => {}
            }
        }
        &rest[..(self.at - start).min(rest.len())]
    }

    /// Goes behind the quote that closes a literal, if it is closed.
    fn closes(&mut self, quote: char) -> bool {
        while let Some(letter) = self.next() {
            match letter {
                '\\' => {
                    self.next();
                }
                '\n' if quote != '`' => return false,
                letter if letter == quote => return true,
                _ => {}
            }
        }
        false
    }
}
