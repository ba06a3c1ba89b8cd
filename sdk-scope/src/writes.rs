//! INSERT, UPDATE, DELETE and MERGE.

use crate::pins::Place;
use crate::scope::{Column, Ctes, Item, Names, Outer, Scope, Source};
use crate::survey::{Survey, ValueDraft, WriteKindDraft};
use crate::tree::{self, Kind, Node};

/// Columns with what is written into them.
type Written = Vec<(String, ValueDraft)>;

impl Survey {
    /// Reads a statement, and says what columns it gives.
    pub(crate) fn statement(&mut self, node: Node<'_>, outer: Outer<'_>) -> Vec<Column> {
        match node.kind() {
            Kind::SelectStmt => return self.query(node, outer),
            Kind::InsertStmt | Kind::UpdateStmt | Kind::DeleteStmt | Kind::MergeStmt => {}
            _ => {
                self.refuse(node, "only SELECT, INSERT, UPDATE, DELETE and MERGE can be used here".to_owned());
                return Vec::new();
            }
        }
        let ctes = self.common_tables(node, outer);
        let ctes = Ctes { outer: outer.ctes, known: &ctes, later: &[] };
        let outer = Outer { scope: outer.scope, ctes: Some(&ctes) };
        match node.kind() {
            Kind::InsertStmt => self.insert(node, outer),
            Kind::UpdateStmt => self.update(node, outer),
            Kind::DeleteStmt => self.delete(node, outer),
            _ => self.merge_statement(node, outer),
        }
    }

    /// The table that is written to, under its alias.
    fn target_table(&mut self, node: Node<'_>, outer: Outer<'_>) -> Item {
        let qualified = node.descendants().find(|one| one.kind() == Kind::qualified_name).unwrap_or(node);
        let (schema, name) = self.relation_name(qualified);
        if schema.is_none() && outer.ctes.is_some_and(|ctes| ctes.find(&name).is_some()) {
            self.refuse(qualified, format!("`{name}` is a query of WITH and can't be written to"));
        }
        let alias = tree::child(node, Kind::ColId).map(tree::name);
        self.add_relation(qualified, schema, name, alias)
    }

    fn insert(&mut self, node: Node<'_>, outer: Outer<'_>) -> Vec<Column> {
        let (Some(target), Some(rest)) = (tree::child(node, Kind::insert_target), tree::child(node, Kind::insert_rest))
        else {
            return Vec::new();
        };
        let table = self.target_table(target, outer);
        let written = self.inserted(rest, &table, outer);
        let relation = self.relation_of(&table);
        self.note_write(node, relation, WriteKindDraft::Insert(written.clone()));
        for (column, value) in &written {
            // Rows that ON CONFLICT finds are of the same key: a unique index of a distributed table contains it.
            let place = self.column(table.source, column);
            value.place.into_iter().for_each(|value| self.pins.rule(place, &[value]));
        }
        let new = self.written(relation, None, &written);
        let after = match tree::child(node, Kind::opt_on_conflict) {
            Some(conflict) => self.on_conflict(conflict, &table, &written, new, outer),
            None => new,
        };
        self.returning(node, Names { items: vec![Item { source: after, ..table }], merged: Vec::new() }, outer)
    }

    /// The columns of an INSERT with what they get.
    fn inserted(&mut self, rest: Node<'_>, table: &Item, outer: Outer<'_>) -> Written {
        let columns = tree::child(rest, Kind::insert_column_list).map(|list| self.written_names(list, table));
        let Some(query) = tree::child(rest, Kind::SelectStmt) else {
            self.refuse(rest, "DEFAULT VALUES has no place for the key: write (…) VALUES (…)".to_owned());
            return Vec::new();
        };
        let Some(columns) = columns else {
            self.refuse(rest, "name the columns: INSERT INTO table (…)".to_owned());
            self.query(query, outer);
            return Vec::new();
        };
        let body = tree::bare(query);
        let values = match body.kind() {
            Kind::values_clause => self.value_rows(body, outer),
            _ => {
                let given = self.query(query, outer);
                self.positions(query, given)
            }
        };
        let values = values.into_iter().chain(std::iter::repeat_with(ValueDraft::default));
        columns.into_iter().zip(values).collect()
    }

    fn written_names(&mut self, list: Node<'_>, table: &Item) -> Vec<String> {
        let relation = self.relation_of(table);
        let mut names = Vec::new();
        for column in tree::items(list) {
            let name = tree::name(column);
            if tree::nodes(column).count() > 1 {
                self.refuse(column, "write the whole column, not a part of it".to_owned());
            }
            self.note_column(column, &name, vec![relation]);
            names.push(name);
        }
        names
    }

    /// Rows of VALUES, column by column: the same parameter in all rows is that parameter.
    fn value_rows(&mut self, clause: Node<'_>, outer: Outer<'_>) -> Vec<ValueDraft> {
        let scope = self.new_scope(outer, Names::default(), true);
        let mut columns: Vec<ValueDraft> = Vec::new();
        for (at, row) in tree::items(clause).into_iter().enumerate() {
            let cells: Vec<ValueDraft> = tree::items(row).into_iter().map(|cell| self.value(cell, &scope)).collect();
            match at {
                0 => columns = cells,
                _ => {
                    let short = cells.len() < columns.len();
                    columns = columns.into_iter().zip(cells).map(|(all, one)| self.same(all, one)).collect();
                    if short {
                        self.refuse(clause, "the rows of VALUES are not equally long".to_owned());
                    }
                }
            }
        }
        columns
    }

    fn same(&mut self, all: ValueDraft, one: ValueDraft) -> ValueDraft {
        let place = all.place.zip(one.place).map(|(all, one)| self.all(&[all, one]));
        ValueDraft { param: all.param.filter(|param| Some(param) == one.param.as_ref()), place }
    }

    fn value(&mut self, expression: Node<'_>, scope: &Scope<'_>) -> ValueDraft {
        self.expression(expression, scope);
        self.refuse_star(expression);
        ValueDraft { param: self.param(expression), place: self.value_place(expression, scope) }
    }

    /// What a query gives, by position.
    fn positions(&mut self, query: Node<'_>, columns: Vec<Column>) -> Vec<ValueDraft> {
        let mut values = Vec::new();
        for column in columns {
            match column {
                Column::Named { place, .. } => values.push(ValueDraft { param: None, place }),
                // What stands before a star is where it is; of what comes after, nothing is known.
                _ if !values.is_empty() => break,
                _ => {
                    self.refuse(
                        query,
                        "which value goes where can't be told: write the columns out, without *".to_owned(),
                    );
                    return Vec::new();
                }
            }
        }
        values
    }

    /// A source of the rows as they were written.
    fn written(&mut self, relation: usize, before: Option<usize>, written: &Written) -> usize {
        let mut places: Vec<(String, Option<Place>)> = Vec::new();
        for (column, value) in written {
            let place = value.place;
            match places.iter_mut().find(|(one, _)| one == column) {
                // Several branches may write a column: then nothing is known of it.
                Some(known) if known.1 != place => known.1 = None,
                Some(_) => {}
                None => places.push((column.clone(), place)),
            }
        }
        self.add_source(Source::Written { relation, before, written: places })
    }

    /// DO UPDATE changes rows that were there. Of those only the columns of the conflict are known to equal the new ones.
    fn on_conflict(&mut self, node: Node<'_>, table: &Item, new: &Written, new_rows: usize, outer: Outer<'_>) -> usize {
        let relation = self.relation_of(table);
        let clauses: Vec<Node<'_>> = tree::nodes(node).collect();
        let conflict = clauses.iter().find(|one| one.kind() == Kind::opt_conf_expr);
        let elements: Vec<Node<'_>> =
            conflict.and_then(|one| tree::child(one, Kind::index_params)).map(tree::items).unwrap_or_default();
        let mut same = Vec::new();
        for element in elements {
            match tree::shape(element).as_slice() {
                [Kind::ColId] => {
                    self.note_column(element, &tree::name(element), vec![relation]);
                    same.push(tree::name(element));
                }
                _ => self.refuse(element, "ON CONFLICT can only list columns here".to_owned()),
            }
        }
        let equal: Written = new.iter().filter(|(column, _)| same.contains(column)).cloned().collect();
        let old_rows = self.written(relation, None, &equal);
        let old = Item { source: old_rows, ..table.clone() };
        if let Some(index_condition) = conflict.and_then(|one| tree::child(one, Kind::where_clause)) {
            let names = Names { items: vec![old.clone()], merged: Vec::new() };
            let scope = self.new_scope(outer, names, false);
            self.expression(index_condition, &scope);
        }
        let Some(list) = tree::child(node, Kind::set_clause_list) else { return new_rows };
        let excluded = Item { alias: "excluded".to_owned(), schema: None, source: new_rows };
        let scope = self.new_scope(outer, Names { items: vec![old, excluded], merged: Vec::new() }, false);
        let set = self.set(list, table, &scope);
        if let Some(condition) = clauses.iter().find(|one| one.kind() == Kind::where_clause) {
            self.expression(condition, &scope);
        }
        self.note_write(node, relation, WriteKindDraft::Set(set.clone()));
        let changed: Written = set.into_iter().map(|(column, _)| (column, ValueDraft::default())).collect();
        self.written(relation, Some(old_rows), &changed)
    }

    fn update(&mut self, node: Node<'_>, outer: Outer<'_>) -> Vec<Column> {
        let (Some(target), Some(list)) =
            (tree::child(node, Kind::relation_expr_opt_alias), tree::child(node, Kind::set_clause_list))
        else {
            return Vec::new();
        };
        let table = self.target_table(target, outer);
        let names = self.sources_of_write(node, Kind::from_clause, &table, outer);
        let scope = self.new_scope(outer, names, true);
        self.where_of_write(node, &scope);
        let set = self.set(list, &table, &scope);
        let relation = self.relation_of(&table);
        self.note_write(node, relation, WriteKindDraft::Set(set.clone()));
        let after = self.written(relation, Some(table.source), &set);
        let mut names = scope.names;
        names.items[0].source = after;
        self.returning(node, names, outer)
    }

    fn delete(&mut self, node: Node<'_>, outer: Outer<'_>) -> Vec<Column> {
        let Some(target) = tree::child(node, Kind::relation_expr_opt_alias) else { return Vec::new() };
        let table = self.target_table(target, outer);
        let names = self.sources_of_write(node, Kind::using_clause, &table, outer);
        let scope = self.new_scope(outer, names, true);
        self.where_of_write(node, &scope);
        let relation = self.relation_of(&table);
        self.note_write(node, relation, WriteKindDraft::Delete);
        self.returning(node, scope.names, outer)
    }

    /// The table that is written to, and those of FROM or USING.
    fn sources_of_write(&mut self, node: Node<'_>, clause: Kind, table: &Item, outer: Outer<'_>) -> Names {
        let names = Names { items: vec![table.clone()], merged: Vec::new() };
        match tree::child(node, clause).and_then(|clause| tree::child(clause, Kind::from_list)) {
            Some(list) => self.tables_of(list, outer, names),
            None => names,
        }
    }

    fn where_of_write(&mut self, node: Node<'_>, scope: &Scope<'_>) {
        let Some(clause) = tree::child(node, Kind::where_or_current_clause) else { return };
        match tree::has(clause, Kind::CURRENT_P) {
            true => self.refuse(clause, "cursors can't be used here: name the row by its key".to_owned()),
            false => self.condition(clause, scope),
        }
    }

    fn set(&mut self, list: Node<'_>, table: &Item, scope: &Scope<'_>) -> Written {
        let relation = self.relation_of(table);
        let mut set = Vec::new();
        for clause in tree::items(list) {
            let Some(expression) = tree::child(clause, Kind::a_expr) else { continue };
            self.expression(expression, scope);
            let many = tree::child(clause, Kind::set_target_list).map(tree::items);
            let values = match &many {
                None => vec![expression],
                Some(_) => tree::row_values(expression).unwrap_or_default(),
            };
            let targets =
                many.or_else(|| tree::child(clause, Kind::set_target).map(|one| vec![one])).unwrap_or_default();
            let is_whole_row = values.len() == targets.len();
            for (at, target) in targets.into_iter().enumerate() {
                let name = tree::name(target);
                self.note_column(target, &name, vec![relation]);
                let subscripts = tree::child(target, Kind::opt_indirection);
                subscripts.into_iter().for_each(|part| self.set_part(part, scope));
                let value = match values.get(at).filter(|_| is_whole_row && subscripts.is_none()) {
                    Some(value) => ValueDraft { param: self.param(value), place: self.value_place(value, scope) },
                    None => ValueDraft::default(),
                };
                set.push((name, value));
            }
        }
        set
    }

    /// `SET a[1] = …` and `SET a.b = …`: what is in the brackets is an expression.
    fn set_part(&mut self, part: Node<'_>, scope: &Scope<'_>) {
        for element in tree::items(part) {
            tree::nodes(element)
                .filter(|one| one.kind() != Kind::attr_name)
                .for_each(|one| self.expression(one, scope));
        }
    }

    fn returning(&mut self, node: Node<'_>, names: Names, outer: Outer<'_>) -> Vec<Column> {
        let Some(clause) = tree::child(node, Kind::returning_clause) else { return Vec::new() };
        let scope = self.new_scope(outer, names, true);
        tree::child(clause, Kind::target_list).map(|list| self.targets(list, &scope)).unwrap_or_default()
    }

    /// MERGE: rows of the source meet rows of the target as in a LEFT JOIN, so ON proves something of the target alone.
    fn merge_statement(&mut self, node: Node<'_>, outer: Outer<'_>) -> Vec<Column> {
        let parts = (
            tree::child(node, Kind::relation_expr_opt_alias),
            tree::child(node, Kind::table_ref),
            tree::child(node, Kind::a_expr),
            tree::child(node, Kind::merge_when_list),
        );
        let (Some(target), Some(source), Some(condition), Some(list)) = parts else { return Vec::new() };
        let table = self.target_table(target, outer);
        let relation = self.relation_of(&table);
        let from = self.table_ref(source, outer, &Names::default());
        let only_source = self.new_scope(outer, from.clone(), false);
        let both = Names { items: [vec![table.clone()], from.items].concat(), merged: from.merged };
        self.refuse_twins(node, &both);
        let scope = self.new_scope(outer, both, false);
        self.expression(condition, &scope);
        self.learn(condition, &scope, Some(&[table.source]));
        for clause in tree::items(list) {
            self.merge_branch(clause, relation, &table, (&scope, &only_source));
        }
        // What a row of the result was, depends on the branch.
        let mut names = scope.names;
        names.items[0].source = self.add_source(Source::Written { relation, before: None, written: Vec::new() });
        self.returning(node, names, outer)
    }

    fn merge_branch(
        &mut self,
        node: Node<'_>,
        relation: usize,
        table: &Item,
        (both, source): (&Scope<'_>, &Scope<'_>),
    ) {
        let when = tree::nodes(node).next();
        if when.is_some_and(|when| tree::has(when, Kind::SOURCE)) {
            self.refuse(
                node,
                "NOT MATCHED BY SOURCE goes through all rows of the table: write a DELETE or UPDATE".to_owned(),
            );
        }
        let is_new = when.is_some_and(|when| when.kind() == Kind::merge_when_tgt_not_matched);
        let scope = if is_new { source } else { both };
        for part in tree::nodes(node) {
            match part.kind() {
                Kind::opt_merge_when_condition => {
                    tree::child(part, Kind::a_expr).into_iter().for_each(|one| self.expression(one, scope));
                }
                Kind::merge_update => {
                    let set = tree::child(part, Kind::set_clause_list).map(|list| self.set(list, table, scope));
                    self.note_write(part, relation, WriteKindDraft::Set(set.unwrap_or_default()));
                }
                Kind::merge_delete => self.note_write(part, relation, WriteKindDraft::Delete),
                Kind::merge_insert => {
                    let written = self.merge_insert(part, table, scope);
                    self.note_write(part, relation, WriteKindDraft::Insert(written));
                }
                _ => {}
            }
        }
    }

    fn merge_insert(&mut self, node: Node<'_>, table: &Item, scope: &Scope<'_>) -> Written {
        let names = tree::child(node, Kind::insert_column_list).map(|list| self.written_names(list, table));
        let values = tree::child(node, Kind::merge_values_clause).and_then(|one| tree::child(one, Kind::expr_list));
        let (Some(names), Some(values)) = (names, values) else {
            self.refuse(node, "name the columns: INSERT (…) VALUES (…)".to_owned());
            return Vec::new();
        };
        let values: Vec<ValueDraft> = tree::items(values).into_iter().map(|one| self.value(one, scope)).collect();
        names.into_iter().zip(values).collect()
    }
}
