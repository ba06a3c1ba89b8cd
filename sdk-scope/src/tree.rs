//! Looking around in a syntax tree, whose node kinds are the rules of PostgreSQL's grammar.

use std::ops::Range;

pub(crate) use postgresql_cst_parser::syntax_kind::SyntaxKind as Kind;
use postgresql_cst_parser::{NodeOrToken, ResolvedNode, ResolvedToken};

/// A node of the tree.
pub(crate) type Node<'t> = &'t ResolvedNode;

/// Names are cut to this many bytes by the server (NAMEDATALEN - 1).
const LONGEST_NAME: usize = 63;

/// Whether a token means nothing.
pub(crate) fn is_blank(kind: Kind) -> bool {
    matches!(kind, Kind::Whitespace | Kind::SQL_COMMENT | Kind::C_COMMENT)
}

/// The nodes right below, without tokens.
pub(crate) fn nodes(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    node.children()
}

/// The meaningful tokens right below.
pub(crate) fn tokens(node: Node<'_>) -> impl Iterator<Item = &ResolvedToken> {
    node.children_with_tokens().filter_map(|part| match part {
        NodeOrToken::Token(token) if !is_blank(token.kind()) => Some(token),
        _ => None,
    })
}

/// Nodes and meaningful tokens right below, as kinds.
pub(crate) fn shape(node: Node<'_>) -> Vec<Kind> {
    node.children_with_tokens().map(|part| part.kind()).filter(|kind| !is_blank(*kind)).collect()
}

/// The first node of a kind right below.
pub(crate) fn child(node: Node<'_>, kind: Kind) -> Option<Node<'_>> {
    nodes(node).find(|one| one.kind() == kind)
}

/// Whether a token of a kind is right below.
pub(crate) fn has(node: Node<'_>, kind: Kind) -> bool {
    tokens(node).any(|token| token.kind() == kind)
}

/// The first meaningful token at or below a node.
pub(crate) fn first_token(node: Node<'_>) -> Option<&ResolvedToken> {
    node.descendants_with_tokens().find_map(|part| match part {
        NodeOrToken::Token(token) if !is_blank(token.kind()) => Some(token),
        _ => None,
    })
}

/// The words and signs at or below a node, as the server reads them.
pub(crate) fn words(node: Node<'_>) -> Vec<String> {
    let tokens = node.descendants_with_tokens().filter_map(|part| part.into_token());
    tokens.filter(|token| !is_blank(token.kind())).map(|token| folded(token.text())).collect()
}

/// The items of a list. The grammar's lists lean to the left, one level per item, so they are walked without recursion.
pub(crate) fn items(list: Node<'_>) -> Vec<Node<'_>> {
    let mut out = Vec::new();
    let mut level = Some(list);
    while let Some(here) = level {
        level = None;
        let before = out.len();
        for one in nodes(here) {
            match one.kind() == list.kind() {
                true => level = Some(one),
                false => out.push(one),
            }
        }
        out[before..].reverse();
    }
    out.reverse();
    out
}

/// Goes down as long as a node has one part only, and that is a node; and through parentheses around an expression.
pub(crate) fn bare(node: Node<'_>) -> Node<'_> {
    let mut here = node;
    while here.kind() != Kind::columnref {
        let mut parts = node_parts(here);
        here = match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(NodeOrToken::Node(only)), None, ..) => only,
            (Some(NodeOrToken::Token(open)), Some(NodeOrToken::Node(inner)), Some(NodeOrToken::Token(close)), None)
                if here.kind() == Kind::c_expr
                    && open.kind() == Kind::LParen
                    && close.kind() == Kind::RParen
                    && inner.kind() == Kind::a_expr =>
            {
                inner
            }
            _ => return here,
        };
    }
    here
}

fn node_parts(node: Node<'_>) -> impl Iterator<Item = NodeOrToken<'_>> {
    node.children_with_tokens().filter(|part| !is_blank(part.kind()))
}

/// The values of `ROW (a, b)` or `(a, b)`.
pub(crate) fn row_values(expression: Node<'_>) -> Option<Vec<Node<'_>>> {
    let node = bare(expression);
    if !matches!(node.kind(), Kind::explicit_row | Kind::implicit_row) {
        return None;
    }
    let mut values = child(node, Kind::expr_list).map(items).unwrap_or_default();
    // Of `(a, b)` the last value stands beside the list.
    values.extend(child(node, Kind::a_expr));
    // `t.*` among them is several: then no place in the list can be told.
    if values.iter().any(|value| is_star(value)) {
        values.clear();
    }
    Some(values)
}

/// Whether an expression is `t.*`, which stands for several in a list.
pub(crate) fn is_star(expression: Node<'_>) -> bool {
    let node = bare(expression);
    node.kind() == Kind::columnref && node.descendants().any(|one| has(one, Kind::Star))
}

/// Where a node is in the parsed text.
pub(crate) fn span(node: Node<'_>) -> Range<usize> {
    let range = node.text_range();
    range.start().into()..range.end().into()
}

/// The name that a node of one word stands for.
pub(crate) fn name(node: Node<'_>) -> String {
    first_token(node).map(|token| folded(token.text())).unwrap_or_default()
}

/// A word as the server reads it: quotes undone, else ASCII in lower case; cut to 63 bytes.
pub(crate) fn folded(word: &str) -> String {
    let mut name = match word.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => word.to_ascii_lowercase(),
    };
    if name.len() > LONGEST_NAME {
        let end = (0..=LONGEST_NAME).rev().find(|at| name.is_char_boundary(*at)).unwrap_or(0);
        name.truncate(end);
    }
    name
}

/// The names of `a.b.c`, if it is nothing but names; a star is `None` in its place.
pub(crate) fn dotted(node: Node<'_>) -> Option<Vec<Option<String>>> {
    let mut out = Vec::new();
    for part in nodes(node) {
        match part.kind() {
            Kind::indirection | Kind::opt_indirection | Kind::attrs => {
                for element in items(part) {
                    match shape(element).as_slice() {
                        [Kind::Dot, Kind::attr_name] => out.push(child(element, Kind::attr_name).map(name)),
                        [Kind::Dot, Kind::Star] => out.push(None),
                        _ => return None,
                    }
                }
            }
            _ => out.push(Some(name(part))),
        }
    }
    Some(out)
}

/// The names of a type that the grammar has no word for.
pub(crate) fn dotted_type(generic: Node<'_>) -> Option<Vec<String>> {
    let mut names = vec![nodes(generic).next().map(name)?];
    let attrs = child(generic, Kind::attrs).map(items).unwrap_or_default();
    names.extend(attrs.into_iter().map(name));
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::folded;

    #[test]
    fn words_fold_as_the_server_folds_them() {
        assert_eq!(folded("Wallets"), "wallets");
        assert_eq!(folded("\"Wal\"\"Lets\""), "Wal\"Lets");
        assert_eq!(folded("GRÖSSE"), "grÖsse");
        assert_eq!(folded(&"a".repeat(70)).len(), 63);
        assert_eq!(folded(&format!("{}ö", "a".repeat(62))), "a".repeat(62));
    }
}
