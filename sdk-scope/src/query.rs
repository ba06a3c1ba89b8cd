//! SELECT, VALUES, UNION and WITH.

use crate::Effect;
use crate::pins::Place;
use crate::scope::{Column, Cte, Ctes, Item, Names, Outer, Scope, Source, SourceId};
use crate::survey::Survey;
use crate::tree::{self, Kind, Node};

impl Survey {
    /// Reads a query, and says what columns it gives.
    pub(crate) fn query(&mut self, node: Node<'_>, outer: Outer<'_>) -> Vec<Column> {
        match node.kind() {
            Kind::select_no_parens => self.whole_query(node, outer),
            Kind::simple_select => self.body(node, outer, &[]),
            _ => match tree::nodes(node).next() {
                Some(inner) => self.query(inner, outer),
                None => Vec::new(),
            },
        }
    }

    /// A query with what can stand around it: WITH, ORDER BY, LIMIT, locks.
    fn whole_query(&mut self, node: Node<'_>, outer: Outer<'_>) -> Vec<Column> {
        let ctes = self.common_tables(node, outer);
        let ctes = Ctes { outer: outer.ctes, known: &ctes, later: &[] };
        let outer = Outer { scope: outer.scope, ctes: Some(&ctes) };
        let mut body = None;
        let mut tail = Vec::new();
        for part in tree::nodes(node) {
            match part.kind() {
                Kind::with_clause | Kind::opt_with_clause => {}
                Kind::simple_select | Kind::select_clause | Kind::select_with_parens => body = Some(part),
                Kind::for_locking_clause | Kind::opt_for_locking_clause => {
                    // A lock is taken on the node that writes.
                    if !part.descendants().any(|one| tree::has(one, Kind::READ)) {
                        self.effect = Effect::Writes;
                    }
                }
                _ => tail.push(part),
            }
        }
        body.map(|body| self.body(body, outer, &tail)).unwrap_or_default()
    }

    /// The query proper. `tail` is what is ordered and cut by, which sees the same names.
    fn body(&mut self, node: Node<'_>, outer: Outer<'_>, tail: &[Node<'_>]) -> Vec<Column> {
        let parts: Vec<Node<'_>> = tree::nodes(node).collect();
        let columns = match (node.kind(), parts.as_slice()) {
            (Kind::select_clause, [inner]) => return self.body(inner, outer, tail),
            (Kind::simple_select, [values]) if values.kind() == Kind::values_clause => self.values(values, outer),
            (Kind::simple_select, [left, .., right]) if right.kind() == Kind::select_clause => {
                let (left, right) = (self.query(left, outer), self.query(right, outer));
                match tree::has(node, Kind::EXCEPT) {
                    // The rows are all from the left.
                    true => left,
                    false => self.both(&left, &right),
                }
            }
            (Kind::simple_select, _) if tree::has(node, Kind::TABLE) => {
                self.refuse(node, "TABLE has no place for a condition: write SELECT … FROM … WHERE …".to_owned());
                vec![Column::Anything]
            }
            (Kind::simple_select, _) => return self.select(node, outer, tail),
            _ => self.query(node, outer),
        };
        let source = self.add_source(Source::Derived(vec![Column::Anything]));
        let names = Names { items: vec![Item { alias: String::new(), schema: None, source }], merged: Vec::new() };
        let scope = self.new_scope(outer, names, false);
        tail.iter().for_each(|part| self.expression(part, &scope));
        columns
    }

    fn select(&mut self, node: Node<'_>, outer: Outer<'_>, tail: &[Node<'_>]) -> Vec<Column> {
        let from = tree::child(node, Kind::from_clause).and_then(|from| tree::child(from, Kind::from_list));
        let names = from.map(|list| self.tables_of(list, outer, Names::default())).unwrap_or_default();
        let scope = self.new_scope(outer, names, true);
        let mut columns = Vec::new();
        for part in tree::nodes(node) {
            match part.kind() {
                Kind::from_clause => {}
                Kind::into_clause => {
                    self.refuse(part, "SELECT INTO makes a table: write INSERT INTO … SELECT".to_owned());
                }
                Kind::opt_target_list | Kind::target_list => columns = self.targets(part, &scope),
                Kind::where_clause => self.condition(part, &scope),
                Kind::group_clause => self.ordering(part, &columns, &scope),
                Kind::opt_all_clause => {}
                _ => self.expression(part, &scope),
            }
        }
        tail.iter().for_each(|part| self.ordering(part, &columns, &scope));
        columns
    }

    /// WHERE: walked, and learnt from.
    pub(crate) fn condition(&mut self, clause: Node<'_>, scope: &Scope<'_>) {
        let Some(condition) = tree::child(clause, Kind::a_expr) else { return };
        self.expression(condition, scope);
        self.learn(condition, scope, None);
    }

    /// ORDER BY and GROUP BY, where a bare name may be one that the query gives to a result.
    fn ordering(&mut self, clause: Node<'_>, columns: &[Column], scope: &Scope<'_>) {
        let is_result =
            |name: &str| columns.iter().any(|one| matches!(one, Column::Named { name: Some(one), .. } if one == name));
        self.expression_except(clause, scope, &|node| {
            node.kind() == Kind::columnref && tree::nodes(node).count() == 1 && is_result(&tree::name(node))
        });
    }

    /// What SELECT or RETURNING lists.
    pub(crate) fn targets(&mut self, list: Node<'_>, scope: &Scope<'_>) -> Vec<Column> {
        let list = match list.kind() {
            Kind::target_list => list,
            _ => match tree::child(list, Kind::target_list) {
                Some(list) => list,
                None => return Vec::new(),
            },
        };
        tree::items(list).into_iter().map(|target| self.target(target, scope)).collect()
    }

    fn target(&mut self, target: Node<'_>, scope: &Scope<'_>) -> Column {
        let Some(expression) = tree::child(target, Kind::a_expr) else {
            let sources = scope.names.items.iter().map(|item| item.source).collect();
            return Column::Star { sources, merged: scope.names.merged.clone() };
        };
        self.expression(expression, scope);
        let node = tree::bare(expression);
        let names = (node.kind() == Kind::columnref).then(|| tree::dotted(node)).flatten();
        if let Some([.., Some(table), None]) = names.as_deref() {
            let schema = names.as_deref().filter(|names| names.len() == 3).and_then(|names| names[0].as_deref());
            let sources = crate::scope::find(scope, schema, table).map(|(source, _)| source).into_iter().collect();
            return Column::Star { sources, merged: Vec::new() };
        }
        let label = tree::nodes(target).find(|one| matches!(one.kind(), Kind::ColLabel | Kind::BareColLabel));
        let name = label.map(tree::name).or_else(|| names?.pop()?).or_else(|| result_name(node));
        Column::Named { name, place: self.value_place(expression, scope) }
    }

    fn values(&mut self, clause: Node<'_>, outer: Outer<'_>) -> Vec<Column> {
        let scope = self.new_scope(outer, Names::default(), true);
        let rows: Vec<Vec<Node<'_>>> = tree::items(clause).into_iter().map(tree::items).collect();
        for value in rows.iter().flatten() {
            self.expression(value, &scope);
            self.refuse_star(value);
        }
        let width = rows.first().map_or(0, Vec::len);
        let column = |at: usize| {
            let cells: Option<Vec<Node<'_>>> = rows.iter().map(|row| row.get(at).copied()).collect();
            let cells: Option<Vec<Place>> = cells?.into_iter().map(|cell| self.value_place(cell, &scope)).collect();
            Some(self.all(&cells?))
        };
        let places: Vec<Option<Place>> = (0..width).map(column).collect();
        let named = |(at, place)| Column::Named { name: Some(format!("column{}", at + 1)), place };
        places.into_iter().enumerate().map(named).collect()
    }

    /// In VALUES a star moves what stands behind it.
    pub(crate) fn refuse_star(&mut self, value: Node<'_>) {
        if tree::is_star(value) {
            self.refuse(value, "which value goes where can't be told: write the columns out, without *".to_owned());
        }
    }

    /// A place that is pinned if all of these are.
    pub(crate) fn all(&mut self, places: &[Place]) -> Place {
        match places {
            [only] => *only,
            _ => {
                let place = self.pins.place();
                self.pins.rule(place, places);
                place
            }
        }
    }

    /// The columns of a UNION: pinned where those of both sides are.
    fn both(&mut self, left: &[Column], right: &[Column]) -> Vec<Column> {
        if left.len() != right.len() {
            return vec![Column::Anything];
        }
        let pairs = left.iter().zip(right).map(|pair| match pair {
            (Column::Named { name, place: left }, Column::Named { place: right, .. }) => {
                let place = left.zip(*right).map(|(left, right)| self.all(&[left, right]));
                Some(Column::Named { name: name.clone(), place })
            }
            // The columns of one table are in the same order on both sides.
            (Column::Star { sources: left, .. }, Column::Star { sources: right, .. })
                if left.len() == 1 && right.len() == 1 && self.is_same_table(left[0], right[0]) =>
            {
                Some(Column::Star { sources: vec![left[0], right[0]], merged: Vec::new() })
            }
            _ => None,
        });
        pairs.collect::<Option<_>>().unwrap_or_else(|| vec![Column::Anything])
    }

    /// The CTEs of a query, each seeing those before it.
    pub(crate) fn common_tables(&mut self, node: Node<'_>, outer: Outer<'_>) -> Vec<Cte> {
        let clause = node.children().find(|one| matches!(one.kind(), Kind::with_clause | Kind::opt_with_clause));
        let clause = clause.map(|one| tree::child(one, Kind::with_clause).unwrap_or(one));
        let Some((clause, list)) = clause.and_then(|one| Some((one, tree::child(one, Kind::cte_list)?))) else {
            return Vec::new();
        };
        let is_recursive = tree::has(clause, Kind::RECURSIVE);
        let tables = tree::items(list);
        let names: Vec<String> =
            tables.iter().map(|one| tree::child(one, Kind::name).map(tree::name).unwrap_or_default()).collect();
        let mut known: Vec<Cte> = Vec::new();
        for (at, table) in tables.into_iter().enumerate() {
            if names[..at].contains(&names[at]) {
                self.refuse(table, format!("two tables are called `{}` in one WITH", names[at]));
            }
            let later = if is_recursive { &names[at..] } else { &[] };
            let columns = self.common_table(table, outer, &known, later);
            known.push(Cte { name: names[at].clone(), columns });
        }
        known
    }

    fn common_table(&mut self, node: Node<'_>, outer: Outer<'_>, known: &[Cte], later: &[String]) -> Vec<Column> {
        for clause in [Kind::opt_search_clause, Kind::opt_cycle_clause] {
            if let Some(clause) = tree::child(node, clause) {
                self.refuse(
                    clause,
                    "SEARCH and CYCLE are not supported: carry a path or depth along as a column".to_owned(),
                );
            }
        }
        let list = tree::child(node, Kind::opt_name_list).and_then(|list| tree::child(list, Kind::name_list));
        let renamed: Vec<String> = list.map(tree::items).unwrap_or_default().into_iter().map(tree::name).collect();
        let Some(statement) = tree::child(node, Kind::PreparableStmt).and_then(|one| tree::nodes(one).next()) else {
            return vec![Column::Anything];
        };
        let ctes = Ctes { outer: outer.ctes, known, later };
        let outer = Outer { scope: outer.scope, ctes: Some(&ctes) };
        if let (Some((first, next)), [own, ..]) = (union_arms(statement), later) {
            return self.recursive_table(node, (first, next), (own, &renamed), outer, &ctes);
        }
        let mut columns = self.statement(statement, outer);
        self.rename(node, &mut columns, &renamed);
        columns
    }

    /// The second part of a recursive query sees the rows of the step before.
    fn recursive_table(
        &mut self,
        node: Node<'_>,
        (first, next): (Node<'_>, Node<'_>),
        (own, renamed): (&str, &[String]),
        outer: Outer<'_>,
        ctes: &Ctes<'_>,
    ) -> Vec<Column> {
        let mut start = self.query(first, outer);
        self.rename(node, &mut start, renamed);
        if let [Column::Star { sources, .. }] = start.as_slice()
            && let [table] = sources.as_slice()
            && let Source::Table(relation) = self.sources[*table]
        {
            return self.recursive_star(next, (*table, relation), own, (outer, ctes));
        }
        let mut inside = Vec::new();
        let mut whole = Vec::new();
        for column in &start {
            match column {
                Column::Named { name, place } => {
                    let places = place.map(|first| (first, self.pins.place(), self.pins.place()));
                    inside.push(Column::Named { name: name.clone(), place: places.map(|(_, inside, _)| inside) });
                    whole.push((name.clone(), places));
                }
                _ => inside.push(Column::Anything),
            }
        }
        let known: Vec<Cte> =
            ctes.known.iter().cloned().chain([Cte { name: own.to_owned(), columns: inside }]).collect();
        let ctes = Ctes { outer: ctes.outer, known: &known, later: &ctes.later[1..] };
        let step = self.query(next, Outer { scope: outer.scope, ctes: Some(&ctes) });
        // With a star on either side, which column is which can't be told.
        if whole.len() != start.len() || step.len() != start.len() {
            return self.both(&start, &step);
        }
        let columns = whole.into_iter().zip(step).map(|((name, places), step)| {
            let place = match (places, step) {
                (Some((first, inside, whole)), Column::Named { place: Some(step), .. }) => {
                    self.pins.rule(whole, &[first, step]);
                    self.pins.recursion(inside, first, whole);
                    Some(whole)
                }
                _ => None,
            };
            Column::Named { name, place }
        });
        columns.collect()
    }

    /// The same with all columns of one table, whose names are known only as they are used.
    fn recursive_star(
        &mut self,
        next: Node<'_>,
        (table, relation): (SourceId, usize),
        own: &str,
        around: (Outer<'_>, &Ctes<'_>),
    ) -> Vec<Column> {
        let star = |source| vec![Column::Star { sources: vec![source], merged: Vec::new() }];
        let inside = self.add_source(Source::Written { relation, before: None, written: Vec::new() });
        let step = self.step(next, own, star(inside), around);
        if let [Column::Star { sources, .. }] = step.as_slice()
            && let [other] = sources.as_slice()
            && self.is_same_table(table, *other)
        {
            let used: Vec<(String, Place)> = (self.places.iter())
                .filter(|((source, _), _)| *source == inside)
                .map(|((_, name), place)| (name.clone(), *place))
                .collect();
            for (name, inside) in used {
                let (first, step) = (self.column(table, &name), self.column(*other, &name));
                let whole = self.all(&[first, step]);
                self.pins.recursion(inside, first, whole);
            }
        }
        self.both(&star(table), &step)
    }

    /// Reads the second part of a recursive query, with what it sees of itself.
    fn step(
        &mut self,
        next: Node<'_>,
        own: &str,
        inside: Vec<Column>,
        (outer, ctes): (Outer<'_>, &Ctes<'_>),
    ) -> Vec<Column> {
        let own = Cte { name: own.to_owned(), columns: inside };
        let known: Vec<Cte> = ctes.known.iter().cloned().chain([own]).collect();
        let ctes = Ctes { outer: ctes.outer, known: &known, later: &ctes.later[1..] };
        self.query(next, Outer { scope: outer.scope, ctes: Some(&ctes) })
    }
}

/// The two sides of a query that is nothing but a UNION.
fn union_arms(statement: Node<'_>) -> Option<(Node<'_>, Node<'_>)> {
    let node = tree::bare(statement);
    let parts: Vec<Node<'_>> = tree::nodes(node).filter(|one| one.kind() == Kind::select_clause).collect();
    match parts.as_slice() {
        [first, next] if node.kind() == Kind::simple_select && tree::has(node, Kind::UNION) => Some((first, next)),
        _ => None,
    }
}

/// What the server calls the result of a call.
fn result_name(node: Node<'_>) -> Option<String> {
    let call = match node.kind() {
        Kind::func_expr => tree::child(node, Kind::func_application)?,
        Kind::func_application => node,
        _ => return None,
    };
    tree::dotted(tree::child(call, Kind::func_name)?)?.pop()?
}
