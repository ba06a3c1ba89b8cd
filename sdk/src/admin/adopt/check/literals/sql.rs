//! Files of SQL: statements up to their semicolons.

use super::Literal;
use crate::admin::adopt::check::words::{Kind, Token, Writer, tokens};

/// The statements of a file, without psql's own commands and the rows behind COPY.
pub(super) fn statements(source: &str) -> Vec<Literal> {
    let source = without_commands(source);
    let parts = split(&source, Writer::Program { percent_binds: false });
    let mut found = Vec::with_capacity(parts.len());
    let (mut counted, mut line) = (0, 1);
    for (at, text) in parts {
        line += source[counted..at].matches('\n').count();
        counted = at;
        found.push(Literal { text: text.to_owned(), holes: Vec::new(), line, last_line: line, name: None });
    }
    found
}

/// The statements of a text, each with its place: where its first word begins.
pub(in crate::admin::adopt::check) fn split(text: &str, writer: Writer) -> Vec<(usize, &str)> {
    let all = tokens(text, writer);
    let mut found = Vec::new();
    let mut body = Body::default();
    let mut start = 0;
    for (place, token) in all.iter().enumerate() {
        body.follow(token);
        if token.is_sign(";") && !body.is_open() {
            found.extend(statement(text, &all[start..place]));
            start = place + 1;
            body = Body::default();
        }
    }
    found.extend(statement(text, &all[start..]));
    found
}

fn statement<'t>(text: &'t str, tokens: &[Token<'_>]) -> Option<(usize, &'t str)> {
    let mut meaningful = tokens.iter().filter(|token| token.kind != Kind::Blank);
    let first = meaningful.next()?;
    let last = meaningful.next_back().unwrap_or(first);
    Some((first.at, &text[first.at..last.end()]))
}

/// The body of a function that is written in SQL itself: BEGIN ATOMIC … END, with semicolons of its own.
#[derive(Default)]
struct Body {
    depth: usize,
    after_begin: bool,
}

impl Body {
    fn follow(&mut self, token: &Token<'_>) {
        if token.kind == Kind::Blank {
            return;
        }
        if token.is("atomic") && self.after_begin || self.is_open() && token.is("case") {
            self.depth += 1;
        } else if token.is("end") {
            self.depth = self.depth.saturating_sub(1);
        }
        self.after_begin = token.is("begin");
    }

    fn is_open(&self) -> bool {
        self.depth > 0
    }
}

/// Blanks in place of lines that are psql's, and of rows behind `COPY … FROM stdin;`.
fn without_commands(source: &str) -> String {
    let mut text = String::with_capacity(source.len());
    let mut in_rows = false;
    for line in source.split_inclusive('\n') {
        let trimmed = line.trim_end();
        if in_rows || trimmed.starts_with('\\') {
            in_rows = in_rows && trimmed != "\\.";
            text.push('\n');
            continue;
        }
        let small = trimmed.to_ascii_lowercase();
        in_rows = small.starts_with("copy ") && small.ends_with("from stdin;");
        text.push_str(line);
    }
    text
}
