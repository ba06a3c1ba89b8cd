//! Whole statements: queries, and all that writes.

use super::from::source_of;
use super::{Column, Generator, Query, Scope, Source, Wanted};
use crate::oracle::schema::{TABLES, Table, Ty, distributed};

/// What a write gives.
struct Returned {
    sql: String,
    columns: Vec<Column>,
    key: Option<String>,
}

impl Generator {
    pub(super) fn statement(&mut self) -> String {
        match self.random.below(100) {
            0..42 => self.reading(),
            42..58 => self.chained(),
            58..65 => self.with_writes(),
            _ => self.write(true).sql,
        }
    }

    fn reading(&mut self) -> String {
        let depth = self.random.between(0, 3);
        let query = self.query(&Scope::NOTHING, depth, Wanted::Anything);
        match self.random.below(20) {
            0 => format!("SELECT EXISTS ({})", query.sql),
            1 => format!("SELECT count(*) FROM ({}) x", query.sql),
            2 if !query.sql.contains("LIMIT") => format!("{} FOR UPDATE", query.sql),
            3 => format!("{};", query.sql),
            _ => query.sql,
        }
    }

    /// A write in WITH, and something with what it returned.
    fn with_writes(&mut self) -> String {
        let write = self.write(false);
        let name = self.cte_name();
        self.ctes.push(Source { alias: name.clone(), columns: write.columns, key: write.key });
        let rest = match self.random.percent(65) {
            true => self.query(&Scope::NOTHING, 1, Wanted::Anything).sql,
            false => self.write(true).sql,
        };
        self.ctes.clear();
        // A second WITH goes on where the first ends.
        match rest.strip_prefix("WITH ").filter(|rest| !rest.starts_with("RECURSIVE")) {
            Some(more) => format!("WITH {name} AS ({}), {more}", write.sql),
            None => format!("WITH {name} AS ({}) {rest}", write.sql),
        }
    }

    fn write(&mut self, is_whole: bool) -> Query {
        let known = self.ctes.len();
        let with = match is_whole && self.random.percent(12) {
            true => self.with(&Scope::NOTHING, 1),
            false => String::new(),
        };
        let (sql, table, sources) = match self.random.below(100) {
            0..22 => self.update(),
            22..40 => self.delete(),
            40..70 => self.insert(),
            70..84 => self.insert_query(),
            _ if is_whole => self.merge(),
            _ => self.update(),
        };
        self.ctes.truncate(known);
        let returned = match sql.starts_with("MERGE") || (is_whole && self.random.percent(50)) {
            true => Returned { sql: String::new(), columns: Vec::new(), key: None },
            false => self.returning(table, &sources),
        };
        Query { sql: format!("{with}{sql}{}", returned.sql), columns: returned.columns, key: returned.key }
    }

    fn returning(&mut self, table: &'static Table, sources: &[Source]) -> Returned {
        if self.random.percent(20) {
            let source = source_of(table, String::new());
            return Returned {
                sql: format!(" RETURNING {}.*", sources[0].alias),
                columns: source.columns,
                key: source.key,
            };
        }
        let scope = Scope { sources, outer: None };
        let mut list = Vec::new();
        let mut columns = Vec::new();
        if let Some(key) = sources[0].key() {
            list.push(format!("{key} AS festival_id"));
            columns.push(Column { name: "festival_id".to_owned(), ty: Ty::Uuid });
        }
        for at in 1..=self.random.between(1, 2) {
            let ty = self.type_in(&scope);
            list.push(format!("{} AS r{at}", self.value(ty, &scope, 1)));
            columns.push(Column { name: format!("r{at}"), ty });
        }
        let key = sources[0].key.as_ref().map(|_| "festival_id".to_owned());
        Returned { sql: format!(" RETURNING {}", list.join(", ")), columns, key }
    }

    fn written_table(&mut self) -> &'static Table {
        let tables: Vec<&'static Table> = distributed().collect();
        match self.random.percent(5) {
            true => self.random.pick(TABLES),
            false => tables[self.random.below(tables.len())],
        }
    }

    fn written(&mut self) -> (&'static Table, String, Source) {
        let table = self.written_table();
        let (sql, source) = self.table(table);
        (table, sql.replace("ONLY ", ""), source)
    }

    fn update(&mut self) -> (String, &'static Table, Vec<Source>) {
        let (table, target, source) = self.written();
        let (from, sources, conditions) = self.beside(&source, "FROM");
        let scope = Scope { sources: &sources, outer: None };
        let sql = format!("UPDATE {target} SET {}{from}{conditions}", self.set(table, &scope));
        (sql, table, sources)
    }

    fn delete(&mut self) -> (String, &'static Table, Vec<Source>) {
        let (table, target, source) = self.written();
        let (using, sources, conditions) = self.beside(&source, "USING");
        (format!("DELETE FROM {target}{using}{conditions}"), table, sources)
    }

    /// FROM or USING beside a table that is written to, and WHERE.
    fn beside(&mut self, target: &Source, word: &str) -> (String, Vec<Source>, String) {
        let before = std::slice::from_ref(target);
        let mut sources = before.to_vec();
        let mut conditions = Vec::new();
        let mut sql = String::new();
        if self.random.percent(40) {
            let from = self.from(&Scope::NOTHING, 1, before);
            if !from.sources.iter().any(|one| one.alias == target.alias) {
                sql = format!(" {word} {}", from.sql);
                sources.extend(from.sources);
                conditions = from.conditions;
            }
        }
        let scope = Scope { sources: &sources, outer: None };
        let neighbours = &sources[1..];
        conditions.extend(self.key_condition(target, neighbours, &scope));
        for _ in 0..self.random.below(3) {
            let condition = self.condition(&scope, 1);
            conditions.push(condition);
        }
        let conditions =
            if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
        (sql, sources, conditions)
    }

    fn set(&mut self, table: &'static Table, scope: &Scope<'_>) -> String {
        let mut parts = Vec::new();
        let free: Vec<(&str, Ty)> = table
            .columns
            .iter()
            .copied()
            .filter(|(name, _)| !table.key.contains(name) && !name.ends_with("_id"))
            .collect();
        for _ in 0..self.random.between(1, 2) {
            let (name, ty) = *self.random.pick(&free);
            if parts.iter().any(|part: &String| part.starts_with(&format!("{name} "))) {
                continue;
            }
            let value = match name {
                "amount" => format!("abs({}) + 1", self.value(Ty::Int, scope, 1)),
                "balance" => format!("abs({})", self.value(Ty::Int, scope, 1)),
                "state" | "kind" => "state".replace("state", name),
                "created_at" if table.name == "transactions" => "created_at".to_owned(),
                _ => self.value(ty, scope, 2),
            };
            parts.push(format!("{name} = {value}"));
        }
        if table.is_distributed && self.random.percent(10) {
            let value = *self.random.pick(&[":festival_id", ":festival_id", ":other", "festival_id", "DEFAULT"]);
            let value = if self.random.percent(15) { "(SELECT max(id::text)::uuid FROM festivals)" } else { value };
            parts.push(format!("festival_id = {value}"));
        }
        parts.join(", ")
    }

    /// Mostly the tenant's own key, where one is written.
    fn written_key(&mut self) -> String {
        match self.random.below(30) {
            0 => ":other".to_owned(),
            1 => "(SELECT id FROM festivals ORDER BY id DESC LIMIT 1)".to_owned(),
            2 => "coalesce(:other, :festival_id)".to_owned(),
            _ => self.param().to_owned(),
        }
    }

    fn insert(&mut self) -> (String, &'static Table, Vec<Source>) {
        let table = self.written_table();
        let alias = self.alias(table.name);
        let count = *self.random.pick(&[1, 1, 1, 2]);
        let columns: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
        let mut rows = Vec::new();
        for number in 0..count {
            let cells: Vec<String> =
                table.columns.iter().map(|(name, ty)| self.new_value(table, name, *ty, number)).collect();
            rows.push(format!("({})", cells.join(", ")));
        }
        let conflict = self.conflict(table, &alias);
        let sql = format!(
            "INSERT INTO {} AS {alias} ({}) VALUES {}{conflict}",
            table.name,
            columns.join(", "),
            rows.join(", ")
        );
        (sql, table, vec![source_of(table, alias)])
    }

    /// A value that the table's constraints let through.
    fn new_value(&mut self, table: &'static Table, name: &str, ty: Ty, number: usize) -> String {
        let scope = Scope::NOTHING;
        match name {
            "festival_id" => self.written_key(),
            "id" if self.random.percent(70) => [":fresh", ":fresher"][number].to_owned(),
            "id" => ":id".to_owned(),
            "user_id" => [":new_user_id", ":user_id"][number].to_owned(),
            "wallet_id" => ":wallet_id".to_owned(),
            "stand_id" => ":stand_id".to_owned(),
            "order_id" => "NULL".to_owned(),
            "state" if table.name == "orders" => "'paid'".to_owned(),
            "state" => "'issued'".to_owned(),
            "kind" => "'payment'".to_owned(),
            "amount" | "balance" => format!("abs({}) + 1", self.value(Ty::Int, &scope, 2)),
            "created_at" => ":at".to_owned(),
            "key" | "email" | "slug" => format!("'new{number}'"),
            "region" => "'eu'".to_owned(),
            _ => self.value(ty, &scope, 2),
        }
    }

    fn insert_query(&mut self) -> (String, &'static Table, Vec<Source>) {
        let table = self.written_table();
        let alias = self.alias(table.name);
        let from = self.from(&Scope::NOTHING, 1, &[]);
        let scope = Scope { sources: &from.sources, outer: None };
        let mut cells = Vec::new();
        let mut columns = Vec::new();
        for (name, ty) in table.columns {
            let keys: Vec<String> = from.sources.iter().filter_map(Source::key).collect();
            cells.push(match *name {
                "festival_id" if !keys.is_empty() && self.random.percent(60) => self.random.pick(&keys).clone(),
                "body" | "name" | "gate" | "status" | "fingerprint" | "scanned_at" => self.value(*ty, &scope, 2),
                _ => self.new_value(table, name, *ty, 0),
            });
            columns.push(*name);
        }
        if self.random.percent(4) {
            columns.swap(0, 1);
        }
        let conditions = if from.conditions.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", from.conditions.join(" AND "))
        };
        let order: Vec<String> = (1..=columns.len()).map(|at| at.to_string()).collect();
        let cut =
            if self.random.percent(70) { format!(" ORDER BY {} LIMIT 1", order.join(", ")) } else { String::new() };
        let conflict = self.conflict(table, &alias);
        let sql = format!(
            "INSERT INTO {} AS {alias} ({}) SELECT {} FROM {}{conditions}{cut}{conflict}",
            table.name,
            columns.join(", "),
            cells.join(", "),
            from.sql
        );
        (sql, table, vec![source_of(table, alias)])
    }

    fn conflict(&mut self, table: &'static Table, alias: &str) -> String {
        let target = match (table.name, self.random.percent(30)) {
            ("wallets", true) => "festival_id, user_id".to_owned(),
            ("stands", true) => "festival_id, name".to_owned(),
            _ => table.key.join(", "),
        };
        match self.random.below(6) {
            0 => format!(" ON CONFLICT ({target}) DO NOTHING"),
            1 => " ON CONFLICT DO NOTHING".to_owned(),
            2 | 3 => {
                let sources = [source_of(table, alias.to_owned()), source_of(table, "excluded".to_owned())];
                let scope = Scope { sources: &sources, outer: None };
                let set = self.set(table, &scope);
                let condition = match self.random.percent(40) {
                    true => format!(" WHERE {}", self.condition(&scope, 1)),
                    false => String::new(),
                };
                format!(" ON CONFLICT ({target}) DO UPDATE SET {set}{condition}")
            }
            _ => String::new(),
        }
    }

    fn merge(&mut self) -> (String, &'static Table, Vec<Source>) {
        let (table, target, source) = self.written();
        let from = match self.random.percent(60) {
            true => {
                let query = self.query(&Scope::NOTHING, 1, Wanted::KeyAndTypes(&[Ty::Uuid, Ty::Uuid, Ty::Int]));
                let sql = format!("({}) AS m(festival_id, id, n)", query.sql);
                let column = |name: &str, ty| Column { name: name.to_owned(), ty };
                let columns = vec![column("festival_id", Ty::Uuid), column("id", Ty::Uuid), column("n", Ty::Int)];
                (sql, Source { alias: "m".to_owned(), columns, key: Some("festival_id".to_owned()) })
            }
            false => {
                let other = self.written_table();
                (format!("{} m", other.name), source_of(other, "m".to_owned()))
            }
        };
        let sources = vec![source, from.1];
        let scope = Scope { sources: &sources, outer: None };
        let mut on: Vec<String> = self.key_condition(&sources[0], &sources[1..], &scope).into_iter().collect();
        if self.random.percent(35) {
            let held = sources[self.random.below(2)].clone();
            on.extend(held.key().map(|own| self.held(&own, &held)));
        }
        let own = (table.columns.iter()).find(|(name, ty)| *ty == Ty::Uuid && *name != "festival_id").map(|one| one.0);
        on.extend(own.map(|own| format!("{} = m.id", sources[0].column(own))));
        let on = if on.is_empty() { "true".to_owned() } else { on.join(" AND ") };
        let only_source = Scope { sources: &sources[1..], outer: None };
        let mut branches = String::new();
        for _ in 0..self.random.between(1, 2) {
            let condition = match self.random.percent(30) {
                true => format!(" AND {}", self.condition(&scope, 1)),
                false => String::new(),
            };
            let branch = match self.random.below(4) {
                0 => format!(" WHEN MATCHED{condition} THEN DELETE"),
                1 | 2 => format!(" WHEN MATCHED{condition} THEN UPDATE SET {}", self.set(table, &scope)),
                _ => {
                    let columns: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
                    let mut cells = Vec::new();
                    for (name, ty) in table.columns {
                        cells.push(match *name {
                            "festival_id" if self.random.percent(60) => "m.festival_id".to_owned(),
                            "body" | "name" | "gate" => self.value(*ty, &only_source, 1),
                            _ => self.new_value(table, name, *ty, 0),
                        });
                    }
                    format!(" WHEN NOT MATCHED THEN INSERT ({}) VALUES ({})", columns.join(", "), cells.join(", "))
                }
            };
            branches.push_str(&branch);
        }
        (format!("MERGE INTO {target} USING {} ON {on}{branches}", from.0), table, sources)
    }
}
