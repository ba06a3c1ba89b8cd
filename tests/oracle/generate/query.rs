//! SELECT, its set operations, and WITH. What is cut by LIMIT is ordered by all that it gives, so that it is the same in two worlds.

use super::{Column, Generator, Query, Scope, Source, Wanted};
use crate::oracle::schema::Ty;

/// What stands in a list, and what it gives.
struct Target {
    sql: String,
    columns: Vec<Column>,
    is_key: bool,
}

impl Generator {
    /// A query that stands where `outer` is in reach.
    pub(super) fn query(&mut self, outer: &Scope<'_>, depth: usize, wanted: Wanted<'_>) -> Query {
        let known = self.ctes.len();
        let with = if depth > 0 && self.random.percent(9) { self.with(outer, depth - 1) } else { String::new() };
        let mut query = match self.random.below(100) {
            0..10 if depth > 0 => self.set_operation(outer, depth - 1, wanted),
            10..22 if matches!(wanted, Wanted::Anything | Wanted::Types(_)) => self.grouped(outer, depth, wanted),
            _ => self.select(outer, depth, wanted),
        };
        self.ctes.truncate(known);
        query.sql = format!("{with}{}", query.sql);
        query
    }

    /// `WITH …`, whose names are in force from then on.
    pub(super) fn with(&mut self, outer: &Scope<'_>, depth: usize) -> String {
        let count = self.random.between(1, 2);
        let mut parts = Vec::new();
        let mut is_recursive = false;
        for _ in 0..count {
            let name = self.cte_name();
            let (head, query) = match self.random.percent(20) {
                true => {
                    is_recursive = true;
                    self.recursive(&name)
                }
                false => (String::new(), self.query(outer, depth, Wanted::Anything)),
            };
            let kept = *self.random.pick(&["", "", "", "MATERIALIZED ", "NOT MATERIALIZED "]);
            parts.push(format!("{name}{head} AS {kept}({})", query.sql));
            self.ctes.push(Source { alias: name, columns: query.columns, key: query.key });
        }
        format!("WITH {}{} ", if is_recursive { "RECURSIVE " } else { "" }, parts.join(", "))
    }

    /// Sometimes the name of a table, which it then hides.
    pub(super) fn cte_name(&mut self) -> String {
        match self.random.percent(25) {
            true => self.some_table().name.to_owned(),
            false => self.alias("q"),
        }
    }

    /// Rows that lead to other rows.
    fn recursive(&mut self, name: &str) -> (String, Query) {
        let table = *self.random.pick(&["orders", "tickets", "stands", "wallets"]);
        let start = *self.random.pick(&["festival_id = :festival_id", "festival_id = :festival_id", "id = :id"]);
        let step =
            *self.random.pick(&["t.festival_id = r.festival_id", "t.festival_id = :festival_id", "t.id >= r.id"]);
        let key = *self.random.pick(&["t.festival_id", "t.festival_id", "r.festival_id", "t.id"]);
        let sql = format!(
            "SELECT festival_id, id, 0 FROM {table} WHERE {start} AND id IS NOT NULL UNION \
             SELECT {key}, t.id, r.n + 1 FROM {table} t JOIN {name} r ON {step} WHERE r.n < 2"
        );
        let column = |name: &str, ty| Column { name: name.to_owned(), ty };
        let columns = vec![column("festival_id", Ty::Uuid), column("id", Ty::Uuid), column("n", Ty::Int)];
        ("(festival_id, id, n)".to_owned(), Query { sql, columns, key: Some("festival_id".to_owned()) })
    }

    fn set_operation(&mut self, outer: &Scope<'_>, depth: usize, wanted: Wanted<'_>) -> Query {
        let left = self.select(outer, depth, wanted);
        let types: Vec<Ty> = left.columns.iter().map(|column| column.ty).collect();
        let is_key_first = left.key.is_some() && left.columns.first().map(|one| &one.name) == left.key.as_ref();
        let right = match is_key_first {
            true => self.select(outer, depth, Wanted::KeyAndTypes(&types)),
            false => self.select(outer, depth, Wanted::Types(&types)),
        };
        let word = *self.random.pick(&["UNION", "UNION ALL", "UNION ALL", "INTERSECT", "EXCEPT", "EXCEPT ALL"]);
        let key = left.key.filter(|_| is_key_first);
        Query { sql: format!("({}) {word} ({})", left.sql, right.sql), columns: left.columns, key }
    }

    fn select(&mut self, outer: &Scope<'_>, depth: usize, wanted: Wanted<'_>) -> Query {
        let mut from = self.from(outer, depth, &[]);
        let scope = Scope { sources: &from.sources, outer: Some(outer) };
        let extra = *self.random.pick(&[0, 0, 1, 1, 2]);
        for _ in 0..extra {
            let condition = self.condition(&scope, depth.min(2));
            from.conditions.push(condition);
        }
        let targets = self.targets(&scope, depth, wanted);
        let sql = self.finish(&from.sql, from.conditions, &targets);
        let key = targets.iter().find(|one| one.is_key).map(|one| one.columns[0].name.clone());
        Query { sql, columns: targets.into_iter().flat_map(|one| one.columns).collect(), key }
    }

    fn finish(&mut self, from: &str, mut conditions: Vec<String>, targets: &[Target]) -> String {
        if self.random.percent(30) {
            conditions.reverse();
        }
        let condition =
            if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
        let list: Vec<&str> = targets.iter().map(|one| one.sql.as_str()).collect();
        let distinct = if self.random.percent(10) { "DISTINCT " } else { "" };
        let mut sql = format!("SELECT {distinct}{} FROM {from}{condition}", list.join(", "));
        if !targets.iter().any(|one| one.sql.ends_with('*')) && self.random.percent(8) {
            let order: Vec<String> = (1..=targets.len()).map(|at| at.to_string()).collect();
            let down = if self.random.percent(30) { " DESC NULLS LAST" } else { "" };
            let limit =
                *self.random.pick(&["LIMIT 3", "LIMIT 2 OFFSET 1", "FETCH FIRST 4 ROWS ONLY", "LIMIT :limit::bigint"]);
            sql.push_str(&format!(" ORDER BY {}{down} {limit}", order.join(", ")));
        }
        sql
    }

    fn targets(&mut self, scope: &Scope<'_>, depth: usize, wanted: Wanted<'_>) -> Vec<Target> {
        let types: Vec<Ty> = match wanted {
            Wanted::Types(types) => types.to_vec(),
            Wanted::KeyAndTypes(types) => {
                let mut targets = vec![self.key_target(scope)];
                targets.extend(types[1..].iter().enumerate().map(|(at, ty)| self.target(*ty, at + 2, scope, depth)));
                return targets;
            }
            Wanted::Anything => return self.any_targets(scope, depth),
        };
        types.into_iter().enumerate().map(|(at, ty)| self.target(ty, at + 1, scope, depth)).collect()
    }

    fn any_targets(&mut self, scope: &Scope<'_>, depth: usize) -> Vec<Target> {
        if self.random.percent(12) {
            let only = self.random.pick(scope.sources).clone();
            let sql = match scope.sources.len() {
                1 => "*".to_owned(),
                _ => format!("{}.*", only.alias),
            };
            let is_key = only.columns.first().map(|one| &one.name) == only.key.as_ref();
            return vec![Target { sql, columns: only.columns, is_key }];
        }
        let mut targets = Vec::new();
        if self.random.percent(70) {
            targets.push(self.key_target(scope));
        }
        if let Some(shared) = scope.sources.iter().find(|source| source.key.is_none())
            && self.random.percent(8)
        {
            targets.insert(0, Target { sql: format!("{}.*", shared.alias), columns: Vec::new(), is_key: false });
        }
        for at in 0..self.random.between(1, 4) {
            let ty = self.type_in(scope);
            targets.push(self.target(ty, at + 2, scope, depth));
        }
        targets
    }

    /// The tenant's key, as the first column.
    fn key_target(&mut self, scope: &Scope<'_>) -> Target {
        let keys: Vec<String> = scope.sources.iter().filter_map(Source::key).collect();
        // A column that the source is not known for, as one of a record.
        let hidden = scope.sources.iter().any(|source| source.key.is_none() && source.has("festival_id"));
        let name = if self.random.percent(75) { "festival_id" } else { "k" };
        let value = match self.random.below(100) {
            0..8 => self.foreign_key().to_owned(),
            8..12 if scope.sources.iter().any(|source| source.key.is_none() && source.has("id")) => {
                let other = scope.sources.iter().find(|source| source.key.is_none() && source.has("id"));
                other.map(|source| source.column("id")).unwrap_or_default()
            }
            12..60 if hidden => "festival_id".to_owned(),
            60..70 => self.param().to_owned(),
            _ if keys.is_empty() => self.param().to_owned(),
            _ => self.random.pick(&keys).clone(),
        };
        let columns = vec![Column { name: name.to_owned(), ty: Ty::Uuid }];
        // What the server calls by itself as the column, or as the alias of a subquery.
        let is_called_so = name == "festival_id" && value.ends_with("festival_id)") && self.random.percent(60);
        let sql = if is_called_so { value } else { format!("{value} AS {name}") };
        Target { sql, columns, is_key: true }
    }

    fn target(&mut self, ty: Ty, at: usize, scope: &Scope<'_>, depth: usize) -> Target {
        let value = self.value(ty, scope, depth.min(2));
        let name = match self.random.below(30) {
            // A column that is called as the key, and is none.
            0 if ty == Ty::Uuid => "festival_id".to_owned(),
            1 => "id".to_owned(),
            _ => format!("c{at}"),
        };
        Target { sql: format!("{value} AS {name}"), columns: vec![Column { name, ty }], is_key: false }
    }

    /// GROUP BY with aggregates, or windows.
    fn grouped(&mut self, outer: &Scope<'_>, depth: usize, wanted: Wanted<'_>) -> Query {
        let from = self.from(outer, depth, &[]);
        let scope = Scope { sources: &from.sources, outer: Some(outer) };
        let types: Vec<Ty> = match wanted {
            Wanted::Types(types) => types.to_vec(),
            _ => vec![Ty::Text, Ty::Int, Ty::Int],
        };
        let is_window = self.random.percent(30);
        let by = self.column_of(Ty::Text, &scope).unwrap_or_else(|| "1".to_owned());
        let mut targets = Vec::new();
        for (at, ty) in types.iter().enumerate() {
            let value = match is_window {
                true => self.window(*ty, &by, &scope),
                false => self.aggregate(*ty, &scope, depth.min(1)),
            };
            let name = format!("c{}", at + 1);
            targets.push(Target {
                sql: format!("{value} AS {name}"),
                columns: vec![Column { name, ty: *ty }],
                is_key: false,
            });
        }
        let mut sql = self.finish(&from.sql, from.conditions, &targets);
        if !is_window && !sql.contains("ORDER BY 1") && self.random.percent(60) {
            let having = if self.random.percent(25) { " HAVING count(*) >= 1" } else { "" };
            let group = match self.random.below(4) {
                0 => format!("GROUPING SETS (({by}), ())"),
                1 => format!("ROLLUP ({by})"),
                _ => by,
            };
            let (group, having) = match self.random.percent(8) {
                true => ("festival_id".to_owned(), " HAVING festival_id = :festival_id"),
                false => (group, having),
            };
            sql.push_str(&format!(" GROUP BY {group}{having}"));
        }
        Query { sql, columns: targets.into_iter().flat_map(|one| one.columns).collect(), key: None }
    }

    fn aggregate(&mut self, ty: Ty, scope: &Scope<'_>, depth: usize) -> String {
        let value = self.value(ty, scope, depth);
        let filter = match self.random.percent(20) {
            true => format!(" FILTER (WHERE {})", self.condition(scope, depth)),
            false => String::new(),
        };
        match (ty, self.random.below(4)) {
            (Ty::Int, 0) => format!("count(*){filter}"),
            (Ty::Int, 1) => format!("count(DISTINCT {value}){filter}"),
            (Ty::Int, 2) => format!("sum({value}){filter}::bigint"),
            (Ty::Text, 0) => format!("string_agg({value}, ',' ORDER BY {value}){filter}"),
            (Ty::Text, 1) => format!("array_agg({value} ORDER BY {value}){filter}::text"),
            (Ty::Uuid, _) => format!("min({value}::text){filter}::uuid"),
            (Ty::Bytes, _) => format!("min(encode({value}, 'hex')){filter}::bytea"),
            (_, 3) => format!("min({value}){filter}"),
            _ => format!("max({value}){filter}"),
        }
    }

    /// Windows whose rows are the same whatever order equal ones come in.
    fn window(&mut self, ty: Ty, by: &str, scope: &Scope<'_>) -> String {
        let value = self.value(ty, scope, 0);
        match (ty, self.random.below(3)) {
            (Ty::Int, 0) => format!("count(*) OVER (PARTITION BY {by})"),
            (Ty::Int, 1) => format!("rank() OVER (ORDER BY {value})"),
            (Ty::Int, _) => format!("sum({value}) OVER (PARTITION BY {by})::bigint"),
            (Ty::Uuid | Ty::Bytes, _) => format!("first_value({value}) OVER (ORDER BY {value})"),
            _ => format!("max({value}) OVER (PARTITION BY {by})"),
        }
    }
}
