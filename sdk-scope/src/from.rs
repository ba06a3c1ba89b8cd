//! FROM: where rows come from, and how they are joined.

use crate::functions;
use crate::scope::{Column, CteFound, Item, Join, Names, Outer, Scope, Source};
use crate::survey::Survey;
use crate::tree::{self, Kind, Node};

impl Survey {
    /// Reads a list of tables and joins; `names` are those that are there already, as an UPDATE's table is.
    pub(crate) fn tables_of(&mut self, list: Node<'_>, outer: Outer<'_>, names: Names) -> Names {
        let mut all = names;
        for part in tree::items(list) {
            let names = self.table_ref(part, outer, &all);
            all.items.extend(names.items);
            all.merged.extend(names.merged);
        }
        self.refuse_twins(list, &all);
        all
    }

    /// One item of FROM. `left` are the items before it, which LATERAL can see.
    pub(crate) fn table_ref(&mut self, node: Node<'_>, outer: Outer<'_>, left: &Names) -> Names {
        let alias = self.alias(node);
        let Some(what) = tree::nodes(node).next() else { return Names::default() };
        let item = match what.kind() {
            Kind::relation_expr => {
                if let Some(sample) = tree::child(node, Kind::tablesample_clause) {
                    self.refuse(
                        sample,
                        "TABLESAMPLE is not supported: take rows with ORDER BY random() LIMIT".to_owned(),
                    );
                }
                self.table(what, alias, outer)
            }
            Kind::select_with_parens => {
                let columns = match tree::has(node, Kind::LATERAL_P) {
                    true => {
                        let around = self.new_scope(outer, left.clone(), false);
                        self.query(what, Outer { scope: Some(&around), ctes: outer.ctes })
                    }
                    false => self.query(what, outer),
                };
                self.derived(node, columns, alias)
            }
            Kind::func_table => {
                let around = self.new_scope(outer, left.clone(), false);
                self.table_function(what, alias, &around)
            }
            Kind::joined_table => {
                if alias.is_some() {
                    self.refuse(
                        node,
                        "a join in parentheses can't have an alias: write (SELECT … FROM …) in its place".to_owned(),
                    );
                }
                return self.join(what, outer, left);
            }
            _ => {
                self.refuse(what, "XMLTABLE and JSON_TABLE are not supported: use jsonb functions".to_owned());
                return Names::default();
            }
        };
        Names { items: vec![item], merged: Vec::new() }
    }

    fn table(&mut self, relation: Node<'_>, alias: Option<Alias>, outer: Outer<'_>) -> Item {
        let qualified = relation.descendants().find(|one| one.kind() == Kind::qualified_name).unwrap_or(relation);
        let names = self.relation_name(qualified);
        if let (None, Some(found)) = (&names.0, outer.ctes.and_then(|ctes| ctes.find(&names.1))) {
            let columns = match found {
                CteFound::Known(cte) => cte.columns.clone(),
                CteFound::Later => {
                    self.refuse(qualified, format!("`{}` is used before it is defined in the same WITH", names.1));
                    vec![Column::Anything]
                }
            };
            let alias = alias.unwrap_or_else(|| Alias { name: names.1.clone(), columns: Vec::new() });
            return self.derived(relation, columns, Some(alias));
        }
        if alias.as_ref().is_some_and(|alias| !alias.columns.is_empty()) {
            self.refuse(
                relation,
                "a table's columns can't be renamed here: write (SELECT a AS b FROM …) in its place".to_owned(),
            );
        }
        self.add_relation(qualified, names.0, names.1, alias.map(|alias| alias.name))
    }

    /// The schema and name of a table; catalogs are refused.
    pub(crate) fn relation_name(&mut self, qualified: Node<'_>) -> (Option<String>, String) {
        let names = tree::dotted(qualified).and_then(|names| names.into_iter().collect::<Option<Vec<_>>>());
        let (schema, name) = match names.as_deref() {
            Some([name]) => (None, name.clone()),
            Some([schema, name]) => (Some(schema.clone()), name.clone()),
            _ => {
                self.refuse(qualified, "write the table as schema.table".to_owned());
                (None, String::new())
            }
        };
        let of_system = |name: &str| name.starts_with("pg_") || name == "information_schema";
        if of_system(&name) || schema.as_deref().is_some_and(of_system) {
            self.refuse(qualified, "the system catalogs tell about all tenants: they can't be read here".to_owned());
        }
        (schema, name)
    }

    fn derived(&mut self, at: Node<'_>, mut columns: Vec<Column>, alias: Option<Alias>) -> Item {
        let Alias { name, columns: renamed } = alias.unwrap_or_default();
        self.rename(at, &mut columns, &renamed);
        Item { alias: name, schema: None, source: self.add_source(Source::Derived(columns)) }
    }

    /// Gives the first columns other names.
    pub(crate) fn rename(&mut self, at: Node<'_>, columns: &mut [Column], names: &[String]) {
        for (place, new) in names.iter().enumerate() {
            match columns.get_mut(place) {
                Some(Column::Named { name, .. }) => *name = Some(new.clone()),
                _ => {
                    return self.refuse(
                        at,
                        "which columns get these names can't be told: write the columns out, without *".to_owned(),
                    );
                }
            }
        }
    }

    fn table_function(&mut self, node: Node<'_>, alias: Option<Alias>, around: &Scope<'_>) -> Item {
        let Some(call) = tree::child(node, Kind::func_expr_windowless) else {
            self.refuse(node, "ROWS FROM is not supported: join the functions one by one".to_owned());
            return self.derived(node, vec![Column::Anything], alias);
        };
        self.expression(call, around);
        let function = call.descendants().find(|one| one.kind() == Kind::func_name);
        let function = function.and_then(|one| tree::dotted(one)?.pop()?).unwrap_or_default();
        let alias = alias.unwrap_or_else(|| Alias { name: function.clone(), columns: Vec::new() });
        let named = |name: &str| Column::Named { name: Some(name.to_owned()), place: None };
        let listed = functions::columns(&function);
        let mut columns: Vec<Column> = match listed {
            Some(columns) => columns.iter().map(|name| named(name)).collect(),
            // What gives one value per row is called as its table.
            None => vec![named(&alias.name)],
        };
        // A list of columns with types describes all of them.
        let is_described =
            node.parent().is_some_and(|around| around.descendants().any(|one| one.kind() == Kind::TableFuncElement));
        if is_described {
            columns.clear();
        }
        if tree::child(node, Kind::opt_ordinality).is_some() {
            columns.push(named("ordinality"));
        }
        columns.extend((columns.len()..alias.columns.len()).map(|_| named("")));
        let is_whole = is_described
            || listed.is_some()
            || functions::gives_values(&function)
            || function == "unnest" && takes_apart_values(call);
        if !is_whole {
            columns.push(Column::Anything);
        }
        self.derived(node, columns, Some(alias))
    }

    fn join(&mut self, node: Node<'_>, outer: Outer<'_>, before: &Names) -> Names {
        let sides: Vec<Node<'_>> = tree::nodes(node).filter(|one| one.kind() == Kind::table_ref).collect();
        let [left, right] = sides.as_slice() else {
            let inner = tree::nodes(node).find(|one| one.kind() == Kind::joined_table);
            return inner.map(|inner| self.join(inner, outer, before)).unwrap_or_default();
        };
        let left = self.table_ref(left, outer, before);
        let mut seen = before.clone();
        seen.items.extend(left.items.iter().cloned());
        seen.merged.extend(left.merged.iter().cloned());
        let right = self.table_ref(right, outer, &seen);
        if tree::has(node, Kind::NATURAL) {
            self.refuse(
                node,
                "NATURAL joins by whatever columns are called alike: write USING (…) with their names".to_owned(),
            );
        }
        let kind = tree::child(node, Kind::join_type).and_then(tree::first_token).map(|token| token.kind());
        let kind = match kind {
            Some(Kind::LEFT) => Join::Left,
            Some(Kind::RIGHT) => Join::Right,
            Some(Kind::FULL) => Join::Full,
            _ => Join::Inner,
        };
        let mut both = Names { items: [left.items.clone(), right.items.clone()].concat(), merged: Vec::new() };
        both.merged = [left.merged.clone(), right.merged.clone()].concat();
        let Some(condition) = tree::child(node, Kind::join_qual) else { return both };
        if tree::has(condition, Kind::USING) {
            self.join_using(condition, left, right, both, kind)
        } else {
            self.join_on(condition, outer, &left, &right, &both, kind);
            both
        }
    }

    fn join_using(&mut self, condition: Node<'_>, left: Names, right: Names, mut both: Names, kind: Join) -> Names {
        if let Some(alias) = tree::child(condition, Kind::opt_alias_clause_for_join_using) {
            self.refuse(alias, "the columns of USING can't have an alias here".to_owned());
        }
        let list = tree::child(condition, Kind::name_list).map(tree::items).unwrap_or_default();
        for column in list {
            let name = tree::name(column);
            let place = self.merge(column, &name, &left, &right, kind);
            both.merged.retain(|(one, _)| *one != name);
            both.merged.push((name, place));
        }
        both
    }

    fn join_on(&mut self, node: Node<'_>, outer: Outer<'_>, left: &Names, right: &Names, both: &Names, kind: Join) {
        let Some(condition) = tree::nodes(node).next() else { return };
        let scope = self.new_scope(outer, both.clone(), false);
        self.expression(condition, &scope);
        let of = |names: &Names| names.items.iter().map(|item| item.source).collect::<Vec<_>>();
        match kind {
            Join::Inner => self.learn(condition, &scope, None),
            Join::Left => self.learn(condition, &scope, Some(&of(right))),
            Join::Right => self.learn(condition, &scope, Some(&of(left))),
            Join::Full => {}
        }
    }

    fn alias(&mut self, node: Node<'_>) -> Option<Alias> {
        let kinds = [Kind::opt_alias_clause, Kind::alias_clause, Kind::func_alias_clause];
        let clause = tree::nodes(node).find(|one| kinds.contains(&one.kind()))?;
        let name = clause.descendants().find(|one| one.kind() == Kind::ColId).map(tree::name);
        let lists = [Kind::name_list, Kind::TableFuncElementList];
        let list = clause.descendants().find(|one| lists.contains(&one.kind())).map(tree::items).unwrap_or_default();
        let has_name =
            !matches!(tree::shape(clause).first(), Some(Kind::AS)) || tree::shape(clause).get(1) == Some(&Kind::ColId);
        if !has_name {
            self.refuse(clause, "give the function's result an alias".to_owned());
        }
        Some(Alias { name: name.unwrap_or_default(), columns: list.into_iter().map(tree::name).collect() })
    }
}

/// Whether all that `unnest` takes apart is cast to arrays of a type that is no record.
fn takes_apart_values(call: Node<'_>) -> bool {
    let arguments = call.descendants().find(|one| one.kind() == Kind::func_arg_list).map(tree::items);
    arguments.unwrap_or_default().into_iter().all(|argument| {
        let cast = tree::bare(argument);
        let typename = tree::child(cast, Kind::Typename).filter(|_| tree::has(cast, Kind::TYPECAST));
        let words = typename.map(tree::words).unwrap_or_default();
        let is_value = words.first().is_some_and(|word| VALUES.contains(&word.as_str()));
        is_value && words.last().is_some_and(|word| word == "]") && !words.iter().any(|word| word == ".")
    })
}

/// The first words of types whose values have no parts with names.
const VALUES: &[&str] = &[
    "bigint",
    "bool",
    "boolean",
    "bytea",
    "date",
    "decimal",
    "double",
    "float8",
    "int",
    "int2",
    "int4",
    "int8",
    "integer",
    "interval",
    "json",
    "jsonb",
    "numeric",
    "real",
    "smallint",
    "text",
    "time",
    "timestamp",
    "timestamptz",
    "uuid",
    "varchar",
];

/// The name after AS, and the list behind it.
#[derive(Debug, Default)]
struct Alias {
    name: String,
    columns: Vec<String>,
}
