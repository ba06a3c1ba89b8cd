//! From a numbered text to a tree, and through it.

use std::ops::Range;
use std::panic;

use postgresql_cst_parser::{NodeOrToken, ParserError, ResolvedNode};

use crate::Refusal;
use crate::text::Numbered;
use crate::tree::{self, Kind, Node};

/// The parser goes down a level for each item of a list; so a longer statement needs a stack of its own.
const ON_THE_CALLERS_STACK: usize = 400;
/// What such a stack is made for.
const LONGEST: usize = 10_000;
const STACK: usize = 256 << 20;

/// What is made of a statement's tree and its text.
type Reader<T> = fn(Node<'_>, &Numbered) -> Result<T, Vec<Refusal>>;

/// Parses the text and hands the tree of its one statement on.
pub(crate) fn read<T: Send>(text: &Numbered, reader: Reader<T>) -> Result<T, Vec<Refusal>> {
    if text.tokens > LONGEST {
        return refused(
            text,
            0..text.sql.len(),
            format!("this has more than {LONGEST} words and signs: bind arrays in place of long lists"),
        );
    }
    if text.tokens <= ON_THE_CALLERS_STACK {
        return guarded(text, reader);
    }
    let on_a_big_stack = std::thread::Builder::new().stack_size(STACK);
    std::thread::scope(|scope| on_a_big_stack.spawn_scoped(scope, || guarded(text, reader)).ok()?.join().ok())
        .unwrap_or_else(|| {
            refused(text, 0..text.sql.len(), "there is no memory to read a statement of this length".to_owned())
        })
}

/// The parser panics on some texts. Those that are known are refused before; this is the net for the others. The hook of the
/// process is not touched, for it belongs to the program: so such a panic is printed, as any other.
fn guarded<T>(text: &Numbered, reader: Reader<T>) -> Result<T, Vec<Refusal>> {
    panic::catch_unwind(|| parsed(text, reader))
        .unwrap_or_else(|_| refused(text, 0..text.sql.len(), "the parser does not understand this".to_owned()))
}

fn parsed<T>(text: &Numbered, reader: Reader<T>) -> Result<T, Vec<Refusal>> {
    let root = match postgresql_cst_parser::parse(&text.sql) {
        Ok(root) => root,
        Err(error) => {
            return refused(text, place(&error, text), "this is no SQL that PostgreSQL understands".to_owned());
        }
    };
    if !saw_the_same(&root, text) {
        return refused(
            text,
            0..text.sql.len(),
            "the parser does not understand the quotes or comments of this".to_owned(),
        );
    }
    let statements: Vec<_> = root.descendants().filter(|one| one.kind() == Kind::toplevel_stmt).collect();
    let [statement] = statements.as_slice() else {
        let at = statements.get(1).map_or(0..text.sql.len(), |second| tree::span(second));
        let message = match statements.is_empty() {
            true => "there is no statement".to_owned(),
            false => "one statement at a time: send the others by themselves".to_owned(),
        };
        return refused(text, at, message);
    };
    reader(statement, text)
}

/// Whether the parser found comments, constants, quoted names and parameters where they were found before.
fn saw_the_same(root: &ResolvedNode, text: &Numbered) -> bool {
    let mut pieces: Vec<Range<usize>> = Vec::with_capacity(text.pieces.len());
    let mut end = 0;
    for part in root.descendants_with_tokens() {
        let NodeOrToken::Token(token) = part else { continue };
        let range: Range<usize> = token.text_range().start().into()..token.text_range().end().into();
        if range.start != end || text.sql.get(range.clone()) != Some(token.text()) {
            return false;
        }
        end = range.end;
        let is_piece = match token.kind() {
            Kind::SCONST | Kind::BCONST | Kind::XCONST | Kind::PARAM | Kind::SQL_COMMENT | Kind::C_COMMENT => true,
            // `N'…'` is a word and a constant.
            Kind::NCHAR => false,
            _ => token.text().starts_with('"'),
        };
        if is_piece {
            pieces.push(range);
        }
    }
    // Blanks at the end are not part of the tree.
    let rest = text.sql.get(end..).is_some_and(|rest| rest.trim_matches([' ', '\t', '\n', '\r']).is_empty());
    rest && pieces == text.pieces
}

fn place(error: &ParserError, text: &Numbered) -> Range<usize> {
    match error {
        ParserError::ParseError { start_byte_pos, end_byte_pos, .. } => *start_byte_pos..*end_byte_pos,
        ParserError::ScanReport(report) => report.position_in_bytes..text.sql.len(),
        ParserError::ScanError { .. } => 0..text.sql.len(),
    }
}

fn refused<T>(text: &Numbered, at: Range<usize>, message: String) -> Result<T, Vec<Refusal>> {
    Err(vec![Refusal { at: text.original(&at), message }])
}
