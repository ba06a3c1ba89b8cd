//! Where more can be written into a statement, so that nothing else of it changes.

use std::ops::Range;

use crate::text::{self, For, Numbered};
use crate::tree::{self, Kind, Node};
use crate::{Refusal, parse};

/// Where more can be written. Places are bytes of the text that was given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sites {
    /// The tables whose rows are read, changed or deleted. Names of WITH are among them.
    pub tables: Vec<TableSite>,
    /// What is inserted.
    pub inserts: Vec<InsertSite>,
    /// Columns that are named without their table.
    pub bare_columns: Vec<Range<usize>>,
    /// Columns that have to be one of a list, `IN (…)` or `= ANY (…)`, in each row that counts.
    pub listed_columns: Vec<Range<usize>>,
    /// Each `*` and `t.*` in what the statement gives.
    pub stars: Vec<Range<usize>>,
}

/// A table, and where a condition on its rows goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSite {
    /// Where it is named, as in [`Relation::at`](crate::Relation::at).
    pub at: Range<usize>,
    /// The query whose FROM it is in, by a number.
    pub query: usize,
    /// Whether rows come without one of this table: it is joined from outside.
    pub is_optional: bool,
    /// Where a condition on its rows leaves all others as they are. `None` where no such place is known: both sides of FULL JOIN, and MERGE.
    pub condition: Option<ConditionSite>,
}

/// Where a condition goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConditionSite {
    /// Behind this condition, with AND; in parentheses if it `is_loose`.
    And {
        /// The condition that is there.
        condition: Range<usize>,
        /// Whether it is made of parts that OR joins.
        is_loose: bool,
        /// Where the tables stand that it can name.
        scope: Range<usize>,
    },
    /// There is none yet: WHERE goes here.
    Where {
        /// The place.
        at: usize,
        /// Where the tables stand that it can name.
        scope: Range<usize>,
    },
    /// The columns are listed: one more goes here.
    Using {
        /// The place.
        at: usize,
        /// Those that are there.
        columns: Vec<String>,
        /// Where the tables stand that are joined.
        scope: Range<usize>,
    },
}

impl ConditionSite {
    /// Where the tables stand that a condition here can name.
    pub fn scope(&self) -> &Range<usize> {
        match self {
            Self::And { scope, .. } | Self::Where { scope, .. } | Self::Using { scope, .. } => scope,
        }
    }
}

/// An INSERT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InsertSite {
    /// Where the table is named.
    pub at: Range<usize>,
    /// Where one more column goes, if they are listed.
    pub columns: Option<usize>,
    /// Where a list of columns goes, if they are not.
    pub list: usize,
    /// What it gets.
    pub values: Inserted,
    /// The columns of `ON CONFLICT (…)`, in their order, and where the first stands.
    pub conflict: Option<(usize, Vec<String>)>,
    /// Whether it says `ON CONFLICT ON CONSTRAINT`.
    pub names_constraint: bool,
}

/// What an INSERT gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inserted {
    /// Rows of VALUES: how many each has in the shortest, and where one more value goes in each.
    Rows {
        /// Values of the shortest row.
        width: usize,
        /// The places.
        ends: Vec<usize>,
    },
    /// A query.
    Query {
        /// The query, by its number.
        query: usize,
        /// Where one more column of its result goes.
        end: usize,
        /// Whether it makes one row of several: GROUP BY, DISTINCT, HAVING.
        is_grouped: bool,
    },
    /// Something else, as DEFAULT VALUES or UNION.
    Other,
}

/// Finds where more can be written into one statement with parameters of the form `:name`.
///
/// ```
/// use shardwise_scope::{ConditionSite, sites};
///
/// let text = "SELECT note FROM wallets WHERE id = :id OR id = :other LIMIT 1";
/// let found = sites(text).expect("it is understood");
/// let Some(ConditionSite::And { condition, is_loose, .. }) = &found.tables[0].condition else { panic!("WHERE is there") };
/// assert_eq!((&text[condition.clone()], *is_loose), ("id = :id OR id = :other", true));
/// ```
///
/// # Errors
///
/// Where the text is no statement that can be read.
pub fn sites(text: &str) -> Result<Sites, Vec<Refusal>> {
    parse::read(&text::number(text, For::TheParser)?, look)
}

fn look(statement: Node<'_>, text: &Numbered) -> Result<Sites, Vec<Refusal>> {
    let mut looking = Looking { text, queries: Vec::new(), sites: Sites::default() };
    for node in statement.descendants() {
        looking.at(node);
    }
    Ok(looking.sites)
}

struct Looking<'t> {
    text: &'t Numbered,
    /// Where each query begins and ends in the numbered text: its number is its place here.
    queries: Vec<Range<usize>>,
    sites: Sites,
}

impl Looking<'_> {
    fn at(&mut self, node: Node<'_>) {
        match node.kind() {
            Kind::qualified_name => match node.parent().map(|parent| parent.kind()) {
                Some(Kind::relation_expr) => self.table(node),
                Some(Kind::insert_target) => self.insert(node),
                _ => {}
            },
            Kind::columnref if tree::nodes(node).count() == 1 => self.sites.bare_columns.push(self.range(node)),
            Kind::where_clause | Kind::where_or_current_clause | Kind::join_qual => {
                let condition = tree::child(node, Kind::a_expr);
                condition.into_iter().for_each(|condition| self.lists(condition));
            }
            Kind::target_el if is_star_of_all(node) && is_given(node) => self.sites.stars.push(self.range(node)),
            _ => {}
        }
    }

    fn range(&self, node: Node<'_>) -> Range<usize> {
        self.text.original(&tree::span(node))
    }

    fn end(&self, node: Node<'_>) -> usize {
        self.range(node).end
    }

    fn number(&mut self, query: Node<'_>) -> usize {
        let span = tree::span(query);
        self.queries.iter().position(|known| *known == span).unwrap_or_else(|| {
            self.queries.push(span);
            self.queries.len() - 1
        })
    }

    fn table(&mut self, name: Node<'_>) {
        let Some(query) = name.ancestors().find(|one| is_query(one.kind())) else { return };
        let (condition, is_optional) = match outer_join(name, query) {
            Outer::None => (self.of_query(query), false),
            Outer::One(join) => (self.of_join(join), true),
            Outer::Full => (None, true),
        };
        let site = TableSite { at: self.range(name), query: self.number(query), is_optional, condition };
        self.sites.tables.push(site);
    }

    fn of_query(&self, query: Node<'_>) -> Option<ConditionSite> {
        let scope = self.range(query);
        let clauses = [Kind::where_clause, Kind::where_or_current_clause];
        if let Some(clause) = tree::nodes(query).find(|one| clauses.contains(&one.kind())) {
            return self.behind(tree::child(clause, Kind::a_expr)?, scope);
        }
        let before = match query.kind() {
            Kind::simple_select => [Kind::from_clause].as_slice(),
            Kind::UpdateStmt => [Kind::from_clause, Kind::set_clause_list].as_slice(),
            Kind::DeleteStmt => [Kind::using_clause, Kind::relation_expr_opt_alias].as_slice(),
            _ => return None,
        };
        let before = before.iter().find_map(|kind| tree::child(query, *kind))?;
        Some(ConditionSite::Where { at: self.end(before), scope })
    }

    fn of_join(&self, join: Node<'_>) -> Option<ConditionSite> {
        let (scope, condition) = (self.range(join), tree::child(join, Kind::join_qual)?);
        match tree::child(condition, Kind::name_list) {
            Some(names) => {
                let columns = tree::items(names).into_iter().map(tree::name).collect();
                Some(ConditionSite::Using { at: self.end(names), columns, scope })
            }
            None => self.behind(tree::child(condition, Kind::a_expr)?, scope),
        }
    }

    fn behind(&self, condition: Node<'_>, scope: Range<usize>) -> Option<ConditionSite> {
        let is_loose = tree::has(condition, Kind::OR);
        Some(ConditionSite::And { condition: self.range(condition), is_loose, scope })
    }

    fn insert(&mut self, name: Node<'_>) {
        let Some(statement) = name.ancestors().find(|one| one.kind() == Kind::InsertStmt) else { return };
        let Some(rest) = tree::child(statement, Kind::insert_rest) else { return };
        let target = tree::child(statement, Kind::insert_target).unwrap_or(name);
        let conflict = tree::child(statement, Kind::opt_on_conflict);
        let conflict = conflict.and_then(|one| tree::child(one, Kind::opt_conf_expr));
        let columns = conflict.and_then(|one| tree::child(one, Kind::index_params));
        let site = InsertSite {
            at: self.range(name),
            columns: tree::child(rest, Kind::insert_column_list).map(|list| self.end(list)),
            list: self.end(target),
            values: self.values(rest),
            conflict: columns
                .map(|list| (self.range(list).start, tree::items(list).into_iter().map(tree::name).collect())),
            names_constraint: conflict.is_some_and(|one| tree::has(one, Kind::CONSTRAINT)),
        };
        self.sites.inserts.push(site);
    }

    fn values(&mut self, rest: Node<'_>) -> Inserted {
        let Some(query) = tree::child(rest, Kind::SelectStmt) else { return Inserted::Other };
        let body = query.descendants().find(|one| one.kind() == Kind::simple_select);
        let Some(body) = body else { return Inserted::Other };
        if let Some(values) = tree::child(body, Kind::values_clause) {
            let rows = tree::items(values);
            let width = rows.iter().map(|row| tree::items(row).len()).min().unwrap_or(0);
            return Inserted::Rows { width, ends: rows.into_iter().map(|row| self.end(row)).collect() };
        }
        let list = tree::child(body, Kind::opt_target_list).or_else(|| tree::child(body, Kind::target_list));
        let Some(list) = list else { return Inserted::Other };
        let makes_one = [Kind::group_clause, Kind::having_clause, Kind::distinct_clause];
        let is_grouped = tree::nodes(body).any(|one| makes_one.contains(&one.kind()));
        Inserted::Query { query: self.number(body), end: self.end(list), is_grouped }
    }

    /// The columns that the parts of a condition, which must all hold, compare with a list.
    fn lists(&mut self, condition: Node<'_>) {
        let mut open = vec![condition];
        while let Some(part) = open.pop() {
            let node = tree::bare(part);
            let sides: Vec<Node<'_>> = tree::nodes(node).collect();
            let is_list = match tree::shape(node).as_slice() {
                [Kind::a_expr, Kind::AND, Kind::a_expr] => {
                    open.extend(sides);
                    continue;
                }
                [Kind::a_expr, Kind::IN_P, Kind::in_expr] => tree::child(sides[1], Kind::expr_list).is_some(),
                [Kind::a_expr, Kind::subquery_Op, Kind::sub_type, Kind::LParen, Kind::a_expr, Kind::RParen] => {
                    tree::words(sides[1]) == ["="] && tree::words(sides[2]) != ["all"]
                }
                _ => false,
            };
            let column = sides.first().map(|side| tree::bare(side)).filter(|side| side.kind() == Kind::columnref);
            if let Some(column) = column.filter(|_| is_list) {
                self.sites.listed_columns.push(self.range(column));
            }
        }
    }
}

fn is_query(kind: Kind) -> bool {
    matches!(kind, Kind::simple_select | Kind::UpdateStmt | Kind::DeleteStmt | Kind::MergeStmt | Kind::InsertStmt)
}

/// By what join a table's rows may be missing.
enum Outer<'t> {
    None,
    One(Node<'t>),
    Full,
}

/// The innermost outer join that a table is on the far side of, within its query.
fn outer_join<'t>(name: Node<'t>, query: Node<'t>) -> Outer<'t> {
    let mut found = Outer::None;
    let mut below = name;
    for node in name.ancestors().skip(1) {
        if node == query {
            break;
        }
        if node.kind() == Kind::joined_table && tree::has(node, Kind::JOIN) {
            let is_left = tree::nodes(node).next() == Some(below);
            let kind = tree::child(node, Kind::join_type).and_then(tree::first_token).map(|token| token.kind());
            match (kind, is_left) {
                (Some(Kind::FULL), _) => return Outer::Full,
                (Some(Kind::LEFT), false) | (Some(Kind::RIGHT), true) if matches!(found, Outer::None) => {
                    found = Outer::One(node);
                }
                _ => {}
            }
        }
        below = node;
    }
    found
}

/// `*` or `t.*`
fn is_star_of_all(target: Node<'_>) -> bool {
    tree::has(target, Kind::Star) || tree::child(target, Kind::a_expr).is_some_and(tree::is_star)
}

/// Whether what a list has goes to whoever sent the statement: no query around takes it.
fn is_given(target: Node<'_>) -> bool {
    let takes = [Kind::a_expr, Kind::table_ref, Kind::common_table_expr, Kind::InsertStmt, Kind::in_expr];
    let is_returned = target.ancestors().any(|one| one.kind() == Kind::returning_clause);
    target.ancestors().skip(1).all(|one| !takes.contains(&one.kind()) || is_returned && one.kind() == Kind::InsertStmt)
}

#[cfg(test)]
mod tests {
    use super::{ConditionSite, Inserted, sites};

    /// Each table with what is before the place of its condition, and whether it is joined from outside.
    fn places(text: &str) -> Vec<String> {
        let found = sites(text).expect("it is understood");
        let place = |site: &Option<ConditionSite>| match site {
            None => "nowhere".to_owned(),
            Some(ConditionSite::And { condition, is_loose: true, .. }) => format!("({}) AND", &text[condition.clone()]),
            Some(ConditionSite::And { condition, .. }) => format!("{} AND", &text[condition.clone()]),
            Some(ConditionSite::Where { at, .. }) => format!("{} WHERE", &text[..*at]),
            Some(ConditionSite::Using { at, columns, .. }) => format!("{}, {}", &text[..*at], columns.join("+")),
        };
        let one = |table: &super::TableSite| {
            let outer = if table.is_optional { "?" } else { "" };
            format!("{}{outer}#{}: {}", &text[table.at.clone()], table.query, place(&table.condition))
        };
        found.tables.iter().map(one).collect()
    }

    #[test]
    fn a_condition_goes_where_it_leaves_other_rows_alone() {
        for (text, expected) in [
            ("SELECT * FROM s.a -- all\n ORDER BY 1", vec!["s.a#0: SELECT * FROM s.a WHERE"]),
            ("SELECT * FROM a x, b WHERE a.i = :i", vec!["a#0: a.i = :i AND", "b#0: a.i = :i AND"]),
            (
                "SELECT 1 FROM a LEFT JOIN b ON a.i = b.i",
                vec!["a#0: SELECT 1 FROM a LEFT JOIN b ON a.i = b.i WHERE", "b?#0: a.i = b.i AND"],
            ),
            ("SELECT 1 FROM a RIGHT JOIN b ON x OR y WHERE (a.i)", vec!["a?#0: (x OR y) AND", "b#0: (a.i) AND"]),
            (
                "SELECT 1 FROM a LEFT JOIN (b JOIN c USING (i)) USING (j)",
                vec![
                    "a#0: SELECT 1 FROM a LEFT JOIN (b JOIN c USING (i)) USING (j) WHERE",
                    "b?#0: SELECT 1 FROM a LEFT JOIN (b JOIN c USING (i)) USING (j, j",
                    "c?#0: SELECT 1 FROM a LEFT JOIN (b JOIN c USING (i)) USING (j, j",
                ],
            ),
            ("SELECT 1 FROM a FULL JOIN b ON i", vec!["a?#0: nowhere", "b?#0: nowhere"]),
            ("UPDATE a SET i = :i RETURNING *", vec!["a#0: UPDATE a SET i = :i WHERE"]),
            ("DELETE FROM a USING b", vec!["a#0: DELETE FROM a USING b WHERE", "b#0: DELETE FROM a USING b WHERE"]),
            (
                "SELECT 1 FROM a WHERE EXISTS (SELECT FROM b WHERE b.i = a.i)",
                vec!["a#0: EXISTS (SELECT FROM b WHERE b.i = a.i) AND", "b#1: b.i = a.i AND"],
            ),
            ("MERGE INTO a USING b ON a.i = b.i WHEN MATCHED THEN DELETE", vec!["a#0: nowhere", "b#0: nowhere"]),
            (
                "WITH c AS (SELECT 1 FROM a) SELECT 1 FROM c UNION SELECT 2 FROM b",
                vec![
                    "a#0: WITH c AS (SELECT 1 FROM a WHERE",
                    "c#1: WITH c AS (SELECT 1 FROM a) SELECT 1 FROM c WHERE",
                    "b#2: WITH c AS (SELECT 1 FROM a) SELECT 1 FROM c UNION SELECT 2 FROM b WHERE",
                ],
            ),
        ] {
            assert_eq!(places(text), expected, "{text}");
        }
    }

    #[test]
    fn values_go_behind_those_that_are_there() {
        let text = "INSERT INTO a AS x (i, j) VALUES (:i, (1)), (2, 3) ON CONFLICT (i, j) DO NOTHING RETURNING *";
        let found = sites(text).expect("it is understood");
        let insert = &found.inserts[0];
        assert_eq!(&text[..insert.columns.expect("a list")], "INSERT INTO a AS x (i, j");
        let Inserted::Rows { width: 2, ends } = &insert.values else { panic!("{insert:?}") };
        let rest: Vec<&str> = ends.iter().map(|end| &text[*end..]).collect();
        assert!(rest[0].starts_with("), (2") && rest[1].starts_with(") ON"), "{rest:?}");
        let (at, columns) = insert.conflict.clone().expect("columns");
        assert_eq!((&text[at..at + 4], columns), ("i, j", vec!["i".to_owned(), "j".to_owned()]));
        assert_eq!(found.stars.len(), 1);

        let text = "INSERT INTO a SELECT DISTINCT i FROM b ON CONFLICT ON CONSTRAINT c DO NOTHING";
        let insert = &sites(text).expect("it is understood").inserts[0];
        assert_eq!((insert.columns, &text[..insert.list], insert.names_constraint), (None, "INSERT INTO a", true));
        let Inserted::Query { end, is_grouped, .. } = insert.values else { panic!("{insert:?}") };
        assert_eq!((&text[..end], is_grouped), ("INSERT INTO a SELECT DISTINCT i", true));
        let other = sites("INSERT INTO a DEFAULT VALUES").expect("it is understood");
        assert_eq!(other.inserts[0].values, Inserted::Other);
        let union = sites("INSERT INTO a (i) SELECT 1 UNION SELECT 2").expect("it is understood");
        assert_eq!(union.inserts[0].values, Inserted::Other);
    }

    #[test]
    fn names_lists_and_stars_are_told() {
        let text = "SELECT x.*, (SELECT count(*) FROM b), i FROM a x \
                    WHERE j IN (1, 2) AND (x.k = ANY (:k)) AND NOT l IN (3) AND m IN (SELECT * FROM c)";
        let found = sites(text).expect("it is understood");
        let shown = |ranges: &[std::ops::Range<usize>]| -> Vec<String> {
            ranges.iter().map(|range| text[range.clone()].to_owned()).collect()
        };
        assert_eq!(shown(&found.stars), ["x.*"]);
        let mut listed = shown(&found.listed_columns);
        listed.sort();
        assert_eq!(listed, ["j", "x.k"]);
        assert_eq!(shown(&found.bare_columns), ["i", "j", "l", "m"]);
        assert!(sites("SELECT FROM WHERE").is_err() && sites("SELECT 1; SELECT 2").is_err());
    }
}
