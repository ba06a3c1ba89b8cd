//! Rust, by its own tokens: what stands in the parentheses of a macro is among them.

use std::str::FromStr as _;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::join::{Part, Token};

/// The tokens of a source; `None` where it is none.
pub(super) fn tokens(source: &str) -> Option<Vec<Token>> {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let source = match source.strip_prefix("#!") {
        Some(rest) if !rest.starts_with('[') => &rest[rest.find('\n').unwrap_or(rest.len())..],
        _ => source,
    };
    let stream = TokenStream::from_str(source).ok();
    let found = stream.map(flat);
    // Else each source that was ever read is kept for the places of its tokens.
    proc_macro2::extra::invalidate_current_thread_spans();
    found
}

/// All tokens one behind the other, groups with their signs. With a list of what is open and no recursion, for groups can be deep.
fn flat(stream: TokenStream) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut open = vec![Level { trees: stream.into_iter(), close: None, joins: false }];
    while let Some(level) = open.last_mut() {
        let Some(tree) = level.trees.next() else {
            tokens.extend(level.close.take());
            open.pop();
            continue;
        };
        let line = tree.span().start().line;
        match tree {
            TokenTree::Group(group) => {
                let (begin, end) = match group.delimiter() {
                    Delimiter::Parenthesis => ('(', ')'),
                    Delimiter::Brace => ('{', '}'),
                    Delimiter::Bracket => ('[', ']'),
                    Delimiter::None => (' ', ' '),
                };
                if is_documentation(&group) {
                    continue;
                }
                let joins = is_concat(&tokens);
                tokens.push(Token { part: Part::Sign(begin), line });
                let close = Some(Token { part: Part::Sign(end), line: group.span_close().start().line });
                open.push(Level { trees: group.stream().into_iter(), close, joins });
            }
            TokenTree::Ident(word) => tokens.push(Token { part: Part::Word(word.to_string()), line }),
            TokenTree::Punct(sign) if sign.as_char() == ',' && level.joins => {
                // The last comma joins nothing.
                if level.trees.size_hint().0 > 0 {
                    tokens.push(Token { part: Part::Sign('+'), line });
                }
            }
            TokenTree::Punct(sign) => tokens.push(Token { part: Part::Sign(sign.as_char()), line }),
            TokenTree::Literal(literal) => {
                tokens.push(Token { part: text(literal), line });
            }
        }
    }
    tokens
}

fn text(literal: proc_macro2::Literal) -> Part {
    let written = literal.to_string();
    if !written.contains('"') {
        return Part::Word(written);
    }
    match syn::Lit::new(literal) {
        syn::Lit::Str(text) => Part::Text(text.value(), Vec::new()),
        syn::Lit::ByteStr(text) => Part::Text(String::from_utf8_lossy(&text.value()).into_owned(), Vec::new()),
        _ => Part::Word("'".to_owned()),
    }
}

struct Level {
    trees: proc_macro2::token_stream::IntoIter,
    close: Option<Token>,
    /// Whether commas join what they part: in `concat!`.
    joins: bool,
}

/// `[doc = "…"]`, which a comment is.
fn is_documentation(group: &proc_macro2::Group) -> bool {
    group.delimiter() == Delimiter::Bracket
        && matches!(group.stream().into_iter().next(), Some(TokenTree::Ident(word)) if word == "doc")
}

fn is_concat(tokens: &[Token]) -> bool {
    let mut before = tokens.iter().rev().map(|token| &token.part);
    before.next() == Some(&Part::Sign('!'))
        && matches!(before.next(), Some(Part::Word(word)) if word == "concat" || word == "const_str")
}
