//! What a condition proves: equalities that must hold in every row that gets through.
//!
//! Only what stands between ANDs at the top counts. An equality under OR, NOT, CASE or in a function may be false in a row that
//! gets through all the same.

use crate::pins::Place;
use crate::scope::{Scope, SourceId, Term};
use crate::survey::Survey;
use crate::tree::{self, Kind, Node};

impl Survey {
    /// Notes what a condition proves. `only` are the sources whose rows it keeps out; of others it says nothing, though
    /// something may follow from them: `a LEFT JOIN b ON b.k = a.k` proves nothing of `a`.
    pub(crate) fn learn(&mut self, condition: Node<'_>, scope: &Scope<'_>, only: Option<&[SourceId]>) {
        let mut classes: Vec<Vec<Term>> = Vec::new();
        for (left, right) in equalities(condition) {
            if let (Some(left), Some(right)) = (self.term(left, scope), self.term(right, scope)) {
                join_classes(&mut classes, left, right);
            }
        }
        for class in classes {
            for from in &class {
                for to in class.iter().filter(|to| to.place != from.place) {
                    for place in &to.says {
                        if only.is_none_or(|only| self.owners.get(place).is_some_and(|one| only.contains(one))) {
                            self.pins.rule(*place, &[from.place]);
                        }
                    }
                }
            }
        }
    }

    /// A bare column or parameter, the latter also cast to a type of keys.
    pub(crate) fn term(&mut self, expression: Node<'_>, scope: &Scope<'_>) -> Option<Term> {
        let node = tree::bare(expression);
        if node.kind() == Kind::columnref {
            return self.resolve(node, scope);
        }
        let param = self.param(node)?;
        Some(Term { place: self.pins.param(&param), says: Vec::new() })
    }

    /// The place of an expression's value, if it is a bare column or parameter.
    pub(crate) fn value_place(&mut self, expression: Node<'_>, scope: &Scope<'_>) -> Option<Place> {
        self.term(expression, scope).map(|term| term.place)
    }

    /// The parameter that an expression is.
    pub(crate) fn param(&self, expression: Node<'_>) -> Option<String> {
        let node = tree::bare(expression);
        let shape = tree::shape(node);
        let inner = match shape.as_slice() {
            [Kind::PARAM] => return self.param_name(node),
            [Kind::a_expr, Kind::TYPECAST, Kind::Typename]
            | [Kind::CAST, Kind::LParen, Kind::a_expr, Kind::AS, Kind::Typename, Kind::RParen] => {
                let to = tree::child(node, Kind::Typename)?;
                tree::child(node, Kind::a_expr).filter(|_| is_key_type(to))?
            }
            _ => return None,
        };
        let inner = tree::bare(inner);
        (tree::shape(inner) == [Kind::PARAM]).then(|| self.param_name(inner))?
    }

    fn param_name(&self, node: Node<'_>) -> Option<String> {
        let number: usize = tree::first_token(node)?.text().strip_prefix('$')?.parse().ok()?;
        self.params.get(number.checked_sub(1)?).cloned()
    }
}

/// Types that a value gets to without becoming another one.
fn is_key_type(typename: Node<'_>) -> bool {
    matches!(tree::words(typename).as_slice(), [only] if matches!(
        only.as_str(),
        "uuid" | "text" | "smallint" | "int2" | "integer" | "int" | "int4" | "bigint" | "int8"
    ))
}

fn join_classes(classes: &mut Vec<Vec<Term>>, left: Term, right: Term) {
    let mut joined = vec![left, right];
    let ends = [joined[0].place, joined[1].place];
    let mut kept = Vec::new();
    for class in classes.drain(..) {
        match class.iter().any(|term| ends.contains(&term.place)) {
            true => joined.extend(class),
            false => kept.push(class),
        }
    }
    kept.push(joined);
    *classes = kept;
}

/// The pairs that are compared with `=` in the parts of a condition that must all hold.
fn equalities(condition: Node<'_>) -> Vec<(Node<'_>, Node<'_>)> {
    let mut pairs = Vec::new();
    let mut open = vec![condition];
    while let Some(part) = open.pop() {
        let node = tree::bare(part);
        let sides: Vec<Node<'_>> = tree::nodes(node).collect();
        match (node.kind(), tree::shape(node).as_slice()) {
            (Kind::a_expr, [Kind::a_expr, Kind::AND, Kind::a_expr]) => open.extend(sides),
            (Kind::a_expr, [Kind::a_expr, Kind::Equals, Kind::a_expr]) => pairs.extend(cells(sides[0], sides[1])),
            (Kind::a_expr, [Kind::a_expr, Kind::qual_Op, Kind::a_expr]) if is_plain_equals(sides[1]) => {
                pairs.push((sides[0], sides[2]));
            }
            (Kind::a_expr, [Kind::a_expr, Kind::IN_P, Kind::in_expr]) => {
                let list = tree::child(sides[1], Kind::expr_list).map(tree::items).unwrap_or_default();
                if let [only] = list.as_slice() {
                    pairs.extend(cells(sides[0], only));
                }
            }
            _ => {}
        }
    }
    pairs
}

/// Both sides of a comparison; of rows, cell by cell: rows are equal if all their cells are.
fn cells<'t>(left: Node<'t>, right: Node<'t>) -> Vec<(Node<'t>, Node<'t>)> {
    let rows = (tree::row_values(left), tree::row_values(right));
    match rows {
        (Some(left), Some(right)) if left.len() == right.len() => left.into_iter().zip(right).collect(),
        (None, None) => vec![(left, right)],
        _ => Vec::new(),
    }
}

/// `OPERATOR(pg_catalog.=)`
fn is_plain_equals(operator: Node<'_>) -> bool {
    tree::words(operator) == ["operator", "(", "pg_catalog", ".", "=", ")"]
}
