//! FROM: tables, subqueries, CTEs and functions, joined in every way.

use super::{Column, Generator, Scope, Source, Wanted};
use crate::oracle::schema::{TABLES, Table, Ty};

/// FROM with what is in it, and the conditions that have to stand in WHERE.
pub(super) struct From {
    pub(super) sql: String,
    pub(super) sources: Vec<Source>,
    pub(super) conditions: Vec<String>,
}

/// A join and what comes with it; what stands in its ON.
struct Part {
    sql: String,
    on: Option<Vec<String>>,
}

/// How an item is joined to those before it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Join {
    Comma,
    Cross,
    On(&'static str),
    Using(&'static str),
}

const JOINS: &[Join] = &[
    Join::Comma,
    Join::Cross,
    Join::On("JOIN"),
    Join::On("JOIN"),
    Join::On("INNER JOIN"),
    Join::On("LEFT JOIN"),
    Join::On("LEFT JOIN"),
    Join::On("RIGHT JOIN"),
    Join::On("FULL JOIN"),
    Join::Using("JOIN"),
    Join::Using("JOIN"),
    Join::Using("LEFT JOIN"),
    Join::Using("RIGHT JOIN"),
    Join::Using("FULL JOIN"),
];

impl Generator {
    /// `outer` is what is around the query; `before` are sources that are there already, as an UPDATE's table is.
    pub(super) fn from(&mut self, outer: &Scope<'_>, depth: usize, before: &[Source]) -> From {
        let count = *self.random.pick(&[1, 1, 1, 2, 2, 3]);
        let mut from = From { sql: String::new(), sources: Vec::new(), conditions: Vec::new() };
        let mut parts: Vec<Part> = Vec::new();
        // Those that a condition of ON can see, and whether USING has made one column of their keys.
        let mut since_comma: Vec<Source> = Vec::new();
        let mut merged = false;
        for at in 0..count {
            let seen = [before, &from.sources].concat();
            let around = Scope { sources: &seen, outer: Some(outer) };
            let is_lateral = at > 0 && depth > 0 && self.random.percent(12);
            let (sql, source) = match is_lateral {
                true => {
                    let (sql, source) = self.derived(&around, depth - 1);
                    (format!("LATERAL {sql}"), source)
                }
                false => self.item(outer, depth),
            };
            if seen.iter().any(|one| one.alias == source.alias) && !self.random.percent(3) {
                continue;
            }
            if from.sources.is_empty() {
                parts.push(Part { sql, on: None });
                let sources = [before, std::slice::from_ref(&source)].concat();
                let scope = Scope { sources: &sources, outer: Some(outer) };
                from.conditions.extend(self.key_condition(&source, before, &scope));
                since_comma = vec![source.clone()];
                from.sources.push(source);
                continue;
            }
            let mut join = *self.random.pick(JOINS);
            let keys_left =
                since_comma.iter().filter(|one| one.columns.iter().any(|column| column.name == "festival_id"));
            let can_use = source.key.as_deref() == Some("festival_id") && (keys_left.count() == 1 || merged);
            if matches!(join, Join::Using(_)) && !can_use {
                join = Join::On("JOIN");
            }
            let visible = [since_comma.as_slice(), std::slice::from_ref(&source)].concat();
            let scope = Scope { sources: &visible, outer: Some(outer) };
            let link = self.key_condition(&source, &since_comma, &scope);
            match join {
                Join::Comma => {
                    parts.push(Part { sql: format!(", {sql}"), on: None });
                    from.conditions.extend(link);
                    since_comma.clear();
                    merged = false;
                }
                Join::Cross => {
                    parts.push(Part { sql: format!(" CROSS JOIN {sql}"), on: None });
                    from.conditions.extend(link);
                }
                Join::Using(kind) => {
                    let all = self.random.percent(40) && since_comma.len() == 1;
                    let second = (since_comma[0].columns.iter())
                        .find(|one| one.name != "festival_id" && source.columns.iter().any(|own| own.name == one.name));
                    let more = second.filter(|_| all).map(|one| format!(", {}", one.name)).unwrap_or_default();
                    parts.push(Part { sql: format!(" {kind} {sql} USING (festival_id{more})"), on: None });
                    // Held by the merged column, as a person would write it, or by either side's.
                    if self.random.percent(50) {
                        from.conditions.clear();
                    }
                    match self.random.below(5) {
                        0 => from.conditions.extend(source.key().map(|own| self.held(&own, &source))),
                        1 => from.conditions.extend(link),
                        2 => {}
                        _ => from.conditions.push("festival_id = :festival_id".to_owned()),
                    }
                    merged = true;
                }
                Join::On(kind) => {
                    let near = self.near(&since_comma, &source);
                    let mut on = Vec::new();
                    let in_where = kind == "RIGHT JOIN" || kind == "FULL JOIN" || self.random.percent(15);
                    if in_where && !self.random.percent(4) {
                        from.conditions.extend(link);
                    } else {
                        on.extend(link);
                    }
                    if kind == "FULL JOIN" {
                        // Only what can be merged or hashed may stand in the ON of a FULL JOIN.
                        on.clear();
                        on.extend(near.or_else(|| Some("true".to_owned())));
                    } else {
                        on.extend(near);
                        if self.random.percent(25) {
                            on.push(self.condition(&scope, depth.saturating_sub(1).min(1)));
                        }
                    }
                    parts.push(Part { sql: format!(" {kind} {sql} ON "), on: Some(on) });
                }
            }
            since_comma.push(source.clone());
            from.sources.push(source);
        }
        self.move_into_on(&mut from.conditions, &mut parts);
        for part in parts {
            from.sql.push_str(&part.sql);
            if let Some(on) = part.on {
                from.sql.push_str(&if on.is_empty() { "true".to_owned() } else { on.join(" AND ") });
            }
        }
        from
    }

    /// Sometimes what belongs into WHERE stands in ON, where an outer join makes something else of it.
    fn move_into_on(&mut self, conditions: &mut Vec<String>, parts: &mut [Part]) {
        let Some(on) = parts.iter_mut().rev().find_map(|part| part.on.as_mut()) else { return };
        for at in (0..conditions.len()).rev() {
            if self.random.percent(18) {
                let condition = conditions.remove(at);
                on.push(condition);
            }
        }
    }

    /// A condition by which two sources meet, as by a foreign key.
    fn near(&mut self, left: &[Source], right: &Source) -> Option<String> {
        let ids = |source: &Source| -> Vec<String> {
            let ids = source.columns.iter().filter(|one| one.ty == Ty::Uuid && Some(&one.name) != source.key.as_ref());
            ids.map(|one| source.column(&one.name)).collect()
        };
        let left: Vec<String> = left.iter().flat_map(ids).collect();
        let right = ids(right);
        if left.is_empty() || right.is_empty() || self.random.percent(15) {
            return None;
        }
        Some(format!("{} = {}", self.random.pick(&left), self.random.pick(&right)))
    }

    fn item(&mut self, outer: &Scope<'_>, depth: usize) -> (String, Source) {
        match self.random.below(100) {
            0..18 if depth > 0 => {
                // Without LATERAL it sees nothing of its neighbours, but what is around all of them.
                self.derived(outer, depth - 1)
            }
            18..34 if !self.ctes.is_empty() => {
                let cte = self.random.below(self.ctes.len());
                let cte = self.ctes[cte].clone();
                let alias = if self.random.percent(50) { cte.alias.clone() } else { self.alias("c") };
                let sql = if alias == cte.alias { alias.clone() } else { format!("{} AS {alias}", cte.alias) };
                (sql, Source { alias, ..cte })
            }
            34..41 => self.function(),
            _ => {
                let table = self.some_table();
                self.table(table)
            }
        }
    }

    pub(super) fn some_table(&mut self) -> &'static Table {
        self.random.pick(TABLES)
    }

    pub(super) fn table(&mut self, table: &'static Table) -> (String, Source) {
        let name = match self.random.below(12) {
            0 => format!("public.{}", table.name),
            1 => format!("\"{}\"", table.name),
            2 => format!("public.\"{}\"", table.name),
            3 => table.name.to_uppercase(),
            4 => format!("ONLY {}", table.name),
            _ => table.name.to_owned(),
        };
        // An ONLY of a partitioned table is empty.
        let name = if table.name == "transactions" { name.replace("ONLY ", "") } else { name };
        let (sql, alias) = match self.random.percent(65) {
            true => {
                let alias = self.alias(table.name);
                let word = if self.random.percent(50) { " AS" } else { "" };
                (format!("{name}{word} {alias}"), alias)
            }
            false => (name, table.name.to_owned()),
        };
        (sql, source_of(table, alias))
    }

    fn derived(&mut self, outer: &Scope<'_>, depth: usize) -> (String, Source) {
        let query = self.query(outer, depth, Wanted::Anything);
        let alias = self.alias("d");
        if self.random.percent(15) && query.columns.iter().all(|one| !one.name.contains('*')) {
            // New names, of which the key's may be another column's.
            let mut names: Vec<String> = (1..=query.columns.len()).map(|at| format!("x{at}")).collect();
            if self.random.percent(30) {
                let at = self.random.below(names.len());
                names[at] = "festival_id".to_owned();
            }
            let place = query.columns.iter().position(|one| Some(&one.name) == query.key.as_ref());
            let key = place.map(|at| names[at].clone());
            let sql = format!("({}) AS {alias}({})", query.sql, names.join(", "));
            let columns = query.columns.into_iter().zip(names).map(|(one, name)| Column { name, ..one }).collect();
            return (sql, Source { alias, columns, key });
        }
        (format!("({}) {alias}", query.sql), Source { alias, columns: query.columns, key: query.key })
    }

    /// Functions, of which some give records with columns that no text names.
    fn function(&mut self) -> (String, Source) {
        let alias = self.alias("f");
        let one = |name: &str, ty| vec![Column { name: name.to_owned(), ty }];
        let record = |name: &str| {
            let table = TABLES.iter().find(|table| table.name == name).unwrap();
            source_of(table, String::new()).columns
        };
        let (sql, columns) = match self.random.below(8) {
            0 => (format!("generate_series(1, 3) AS {alias}(n)"), one("n", Ty::Small)),
            1 => (format!("json_each_text('{{\"festival_id\": \"x\"}}') AS {alias}"), one("value", Ty::Text)),
            2 => (format!("jsonb_populate_record(NULL::tickets, :row::jsonb) AS {alias}"), record("tickets")),
            3 => (format!("unnest(ARRAY[jsonb_populate_record(NULL::wallets, :row)]) AS {alias}"), record("wallets")),
            4 => (
                format!("jsonb_to_record(:row::jsonb) AS {alias}(festival_id uuid, id uuid)"),
                [one("festival_id", Ty::Uuid), one("id", Ty::Uuid)].concat(),
            ),
            5 => (format!("coalesce(jsonb_populate_record(NULL::wallets, :row::jsonb)) AS {alias}"), record("wallets")),
            _ => (format!("unnest(:ids::uuid[]) AS {alias}(id)"), one("id", Ty::Uuid)),
        };
        (sql, Source { alias, columns, key: None })
    }
}

pub(super) fn source_of(table: &'static Table, alias: String) -> Source {
    let columns = table.columns.iter().map(|(name, ty)| Column { name: (*name).to_owned(), ty: *ty }).collect();
    Source { alias, columns, key: table.is_distributed.then(|| "festival_id".to_owned()) }
}
