//! Changes of rows in, statements out: as few as may be. Pure.
//!
//! Changes of different tables may change places within a transaction of the new side: nothing that could tell looks at them, since no trigger
//! and no foreign key fires there. Of a row that is changed several times only the last counts, and what has gone goes first. Where a row
//! meets another one on the way all the same, all is written once more, in the order in which it happened.

use std::collections::HashSet;
use std::sync::Arc;

use super::gather::Gathered;
use super::table::Table;
use crate::schema::quote_ident;

/// Rows of one statement: its text is read anew each time.
const ROWS: usize = 100;
const PARAMETERS: usize = 20_000;
const BYTES: usize = 1 << 20;

/// A row's change, with values of the columns that are written, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// The row is this one from now on.
    Upsert(Vec<Option<String>>),
    /// Some columns, by their places, are these; the others stay as they are.
    Patch { key: Vec<String>, set: Vec<(usize, Option<String>)> },
    /// The row is gone.
    Delete(Vec<String>),
}

impl Change {
    /// The key of the row.
    pub(super) fn key(&self, table: &Table) -> Vec<String> {
        match self {
            Self::Upsert(row) => key_of(table, row),
            Self::Patch { key, .. } | Self::Delete(key) => key.clone(),
        }
    }
}

/// A statement for the new side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) sql: String,
    pub(super) params: Vec<Option<String>>,
    /// The row that it has to find, of the table with this number: it answers with a row for it.
    pub(super) finds: Option<(usize, Vec<String>)>,
    pub(super) is_truncate: bool,
}

impl Statement {
    pub(super) fn plain(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), params: Vec::new(), finds: None, is_truncate: false }
    }
}

/// How changes of one table are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// What has become of each row.
    Outcome,
    /// Each as it happened.
    Kept,
}

/// What has not become a statement yet, table by table.
pub(super) struct Planner {
    tables: Arc<[Table]>,
    order: Order,
    gathered: Vec<Gathered>,
    open: Vec<Run>,
    ready: Vec<Statement>,
    /// Of the values in it.
    pub(super) bytes: usize,
}

/// Changes of one kind, each of another row.
#[derive(Default)]
struct Run {
    upserts: Vec<Vec<Option<String>>>,
    deletes: Vec<Vec<String>>,
    keys: HashSet<Vec<String>>,
    bytes: usize,
}

impl Planner {
    pub(super) fn new(tables: Arc<[Table]>, order: Order) -> Self {
        let open = tables.iter().map(|_| Run::default()).collect();
        let gathered = tables.iter().map(|_| Gathered::default()).collect();
        Self { tables, order, gathered, open, ready: Vec::new(), bytes: 0 }
    }

    /// Takes a change of the table with this number.
    pub(super) fn push(&mut self, table: usize, change: Change) {
        let bytes = size(&change);
        self.bytes += bytes;
        match (self.order, self.tables.get(table), self.gathered.get_mut(table)) {
            (Order::Outcome, Some(description), Some(gathered)) => {
                gathered.push(description, change.key(description), change);
            }
            _ => self.write(table, change, bytes),
        }
    }

    fn write(&mut self, table: usize, change: Change, bytes: usize) {
        let (Some(description), Some(run)) = (self.tables.get(table), self.open.get_mut(table)) else { return };
        let key = change.key(description);
        let ends = match &change {
            Change::Upsert(row) => !run.deletes.is_empty() || (run.upserts.len() + 1) * row.len() > PARAMETERS,
            Change::Delete(_) => !run.upserts.is_empty(),
            Change::Patch { .. } => true,
        };
        if ends || run.keys.len() >= ROWS || run.bytes + bytes > BYTES || run.keys.contains(&key) {
            self.ready.extend(run.end(description));
        }
        match change {
            Change::Patch { key, set } => self.ready.push(patch(description, table, key, set)),
            Change::Upsert(row) => {
                run.upserts.push(row);
                run.keys.insert(key);
                run.bytes += bytes;
            }
            Change::Delete(_) => {
                run.deletes.push(key.clone());
                run.keys.insert(key);
                run.bytes += bytes;
            }
        }
    }

    /// Empties these tables.
    pub(super) fn truncate(&mut self, tables: &[usize]) {
        // Whatever the others are about may be about these as well.
        self.close();
        let names: Vec<&str> = tables.iter().filter_map(|at| Some(self.tables.get(*at)?.at.as_str())).collect();
        if !names.is_empty() {
            let truncate = Statement::plain(format!("TRUNCATE {}", names.join(", ")));
            self.ready.push(Statement { is_truncate: true, ..truncate });
        }
    }

    /// The statements of all that was taken.
    pub(super) fn finish(&mut self) -> Vec<Statement> {
        self.close();
        self.bytes = 0;
        std::mem::take(&mut self.ready)
    }

    fn close(&mut self) {
        let tables = self.tables.clone();
        for (table, description) in tables.iter().enumerate() {
            let changes = self.gathered.get_mut(table).map(|gathered| gathered.take(description));
            for change in changes.into_iter().flatten() {
                let bytes = size(&change);
                self.write(table, change, bytes);
            }
        }
        for (run, table) in self.open.iter_mut().zip(self.tables.iter()) {
            self.ready.extend(run.end(table));
        }
    }
}

impl Run {
    fn end(&mut self, table: &Table) -> Option<Statement> {
        let Self { upserts, deletes, .. } = std::mem::take(self);
        match (upserts.is_empty(), deletes.is_empty()) {
            (false, _) => Some(upsert(table, upserts)),
            (_, false) => Some(delete(table, deletes)),
            (true, true) => None,
        }
    }
}

/// The key of a row with the columns that are written.
pub(super) fn key_of(table: &Table, row: &[Option<String>]) -> Vec<String> {
    let value = |place: &usize| {
        let nth = table.written().position(|(at, _)| at == *place)?;
        row.get(nth)?.clone()
    };
    table.key.iter().map(|place| value(place).unwrap_or_default()).collect()
}

fn size(change: &Change) -> usize {
    let of = |value: &Option<String>| value.as_ref().map_or(0, String::len);
    match change {
        Change::Upsert(row) => row.iter().map(of).sum(),
        Change::Patch { key, set } => {
            key.iter().map(String::len).sum::<usize>() + set.iter().map(|(_, value)| of(value)).sum::<usize>()
        }
        Change::Delete(key) => key.iter().map(String::len).sum(),
    }
}

fn upsert(table: &Table, rows: Vec<Vec<Option<String>>>) -> Statement {
    let types: Vec<&str> = table.written().map(|(_, column)| column.sql_type.as_str()).collect();
    let mut params = Vec::with_capacity(rows.len() * types.len());
    let mut lists = Vec::with_capacity(rows.len());
    for row in rows {
        let mut values = Vec::with_capacity(types.len());
        for (value, sql_type) in row.into_iter().zip(&types) {
            params.push(value);
            values.push(format!("${}::{sql_type}", params.len()));
        }
        lists.push(format!("({})", values.join(", ")));
    }
    let sql = format!(
        "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES {} {}",
        table.at,
        table.written_names(),
        lists.join(", "),
        table.on_conflict()
    );
    Statement { sql, params, finds: None, is_truncate: false }
}

fn delete(table: &Table, keys: Vec<Vec<String>>) -> Statement {
    let mut params = Vec::new();
    let condition = any_of(table, keys, &mut params);
    Statement { sql: format!("DELETE FROM {} WHERE {condition}", table.at), params, finds: None, is_truncate: false }
}

fn patch(table: &Table, number: usize, key: Vec<String>, set: Vec<(usize, Option<String>)>) -> Statement {
    let mut params = Vec::new();
    let mut assignments = Vec::new();
    for (place, value) in set {
        let Some(column) = table.columns.get(place) else { continue };
        if table.key.contains(&place) || column.is_always {
            continue;
        }
        params.push(value);
        assignments.push(format!("{} = ${}::{}", quote_ident(&column.name), params.len(), column.sql_type));
    }
    let condition = any_of(table, vec![key.clone()], &mut params);
    let sql = if assignments.is_empty() {
        format!("SELECT 1 FROM {} WHERE {condition}", table.at)
    } else {
        format!("UPDATE {} SET {} WHERE {condition} RETURNING 1", table.at, assignments.join(", "))
    };
    Statement { sql, params, finds: Some((number, key)), is_truncate: false }
}

/// That a row has one of these keys.
pub(super) fn any_of(table: &Table, keys: Vec<Vec<String>>, params: &mut Vec<Option<String>>) -> String {
    let columns: Vec<(String, &str)> =
        table.key_columns().map(|column| (column.at(), column.sql_type.as_str())).collect();
    let mut one = |value: String, sql_type: &str| {
        params.push(Some(value));
        format!("${}::{sql_type}", params.len())
    };
    if let [(name, sql_type)] = columns.as_slice() {
        let values: Vec<String> = keys.into_iter().flatten().map(|value| one(value, sql_type)).collect();
        return format!("{name} IN ({})", values.join(", "));
    }
    let mut conditions = Vec::new();
    for key in keys {
        let pairs = key.into_iter().zip(&columns);
        let pairs: Vec<String> =
            pairs.map(|(value, (name, sql_type))| format!("{name} = {}", one(value, sql_type))).collect();
        conditions.push(format!("({})", pairs.join(" AND ")));
    }
    // Beside other conditions as well.
    format!("({})", conditions.join(" OR "))
}

#[cfg(test)]
mod tests {
    use super::super::table::Column;
    use super::*;
    use crate::admin::adopt::Name;

    fn table(name: &str, key: &[usize]) -> Table {
        let column = |name: &str, sql_type: &str| Column {
            name: name.to_owned(),
            sql_type: sql_type.to_owned(),
            is_float: false,
            is_generated: name == "twice",
            is_always: false,
        };
        Table {
            name: Name { schema: "public".to_owned(), name: name.to_owned() },
            at: name.to_owned(),
            columns: vec![
                column("f", "uuid"),
                column("twice", "integer"),
                column("id", "integer"),
                column("n", "text"),
            ],
            key: key.to_vec(),
            tenant: None,
            is_partitioned: false,
            has_other_uniques: name == "b",
        }
    }

    fn planner(order: Order) -> Planner {
        Planner::new(Arc::from([table("a", &[0, 2]), table("b", &[2])]), order)
    }

    fn row(f: &str, id: &str, n: Option<&str>) -> Change {
        Change::Upsert(vec![Some(f.to_owned()), Some(id.to_owned()), n.map(str::to_owned)])
    }

    fn key(values: &[&str]) -> Vec<String> {
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    fn texts(statements: Vec<Statement>) -> Vec<String> {
        statements.into_iter().map(|statement| statement.sql).collect()
    }

    #[test]
    fn rows_of_a_table_are_written_together() {
        let mut planner = planner(Order::Kept);
        planner.push(0, row("x", "1", None));
        planner.push(1, Change::Delete(key(&["7"])));
        planner.push(0, row("x", "2", Some("")));
        planner.push(1, Change::Delete(key(&["8"])));
        let statements = planner.finish();
        assert_eq!(
            statements[0].sql,
            "INSERT INTO a (\"f\", \"id\", \"n\") OVERRIDING SYSTEM VALUE VALUES ($1::uuid, $2::integer, $3::text), \
             ($4::uuid, $5::integer, $6::text) ON CONFLICT (\"f\", \"id\") DO UPDATE SET \"n\" = excluded.\"n\""
        );
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(statements[0].params, [text("x"), text("1"), None, text("x"), text("2"), text("")]);
        assert_eq!(statements[1].sql, "DELETE FROM b WHERE \"id\" IN ($1::integer, $2::integer)");
        assert_eq!(planner.bytes, 0);
    }

    /// A row that is written twice is written in its order, and so are rows that take each other's unique values.
    #[test]
    fn changes_of_one_table_keep_their_order() {
        let mut planner = planner(Order::Kept);
        planner.push(0, row("x", "1", Some("first")));
        planner.push(0, row("x", "2", None));
        planner.push(0, row("x", "1", Some("second")));
        planner.push(0, Change::Delete(key(&["x", "1"])));
        planner.push(0, Change::Delete(key(&["x", "2"])));
        planner.push(0, row("x", "3", None));
        let set = vec![(0, Some("x".to_owned())), (3, Some("new".to_owned()))];
        planner.push(0, Change::Patch { key: key(&["x", "3"]), set });
        let statements = planner.finish();
        let words: Vec<_> = statements.iter().map(|one| (&one.sql[..6], one.params.len())).collect();
        assert_eq!(words, [("INSERT", 6), ("INSERT", 3), ("DELETE", 4), ("INSERT", 3), ("UPDATE", 3)]);
        let last = statements.last().expect("a patch");
        assert_eq!(
            last.sql,
            "UPDATE a SET \"n\" = $1::text WHERE ((\"f\" = $2::uuid AND \"id\" = $3::integer)) RETURNING 1"
        );
        assert_eq!(last.finds, Some((0, key(&["x", "3"]))));
    }

    #[test]
    fn a_truncate_comes_behind_all_that_was_before() {
        let mut planner = planner(Order::Kept);
        planner.push(0, row("x", "1", None));
        planner.push(1, Change::Delete(key(&["7"])));
        planner.truncate(&[1, 0]);
        planner.push(1, Change::Delete(key(&["8"])));
        let texts = texts(planner.finish());
        assert!(texts[0].starts_with("INSERT INTO a") && texts[1].starts_with("DELETE FROM b"));
        assert_eq!(texts[2], "TRUNCATE b, a");
        assert!(texts[3].starts_with("DELETE FROM b"));
    }

    /// What is written is what each row has become, and what has gone goes first.
    #[test]
    fn of_a_row_that_is_changed_several_times_the_last_counts() {
        let mut planner = planner(Order::Outcome);
        let patch = |id: &str, set: &[(usize, &str)]| Change::Patch {
            key: key(&["x", id]),
            set: set.iter().map(|(place, value)| (*place, Some((*value).to_owned()))).collect(),
        };
        planner.push(0, row("x", "1", Some("first")));
        planner.push(0, patch("1", &[(3, "second")]));
        planner.push(0, patch("2", &[(3, "third")]));
        planner.push(0, patch("2", &[(3, "fourth"), (1, "7")]));
        planner.push(0, row("x", "3", None));
        planner.push(0, Change::Delete(key(&["x", "3"])));
        planner.push(0, Change::Delete(key(&["x", "4"])));
        planner.push(0, row("x", "4", Some("anew")));
        let text = |text: &str| Some(text.to_owned());
        let statements: Vec<_> =
            planner.finish().into_iter().map(|one| (one.sql[..6].to_owned(), one.params)).collect();
        let expected = [
            ("DELETE", vec![text("x"), text("3")]),
            ("INSERT", vec![text("x"), text("1"), text("second"), text("x"), text("4"), text("anew")]),
            ("UPDATE", vec![text("fourth"), text("7"), text("x"), text("2")]),
        ];
        assert_eq!(statements, expected.map(|(word, params)| (word.to_owned(), params)));
        assert!(planner.finish().is_empty() && planner.bytes == 0);
    }

    /// `b` has something else that is unique.
    #[test]
    fn rows_that_may_take_from_each_other_go_before_they_are_written() {
        let mut planner = planner(Order::Outcome);
        planner.push(1, row("x", "1", Some("one's, which was the other's")));
        planner.push(1, row("x", "2", Some("the other's, which was one's")));
        let statements: Vec<_> =
            planner.finish().into_iter().map(|one| (one.sql[..6].to_owned(), one.params.len())).collect();
        assert_eq!(statements, [("DELETE".to_owned(), 2), ("INSERT".to_owned(), 6)]);
    }

    #[test]
    fn statements_have_an_end() {
        let mut planner = planner(Order::Kept);
        for id in 0..250 {
            planner.push(0, row("x", &id.to_string(), None));
        }
        let rows: Vec<usize> = planner.finish().iter().map(|statement| statement.params.len() / 3).collect();
        assert_eq!(rows, [100, 100, 50]);
        let long = "x".repeat(BYTES / 2);
        for id in ["1", "2", "3"] {
            planner.push(0, row("x", id, Some(&long)));
        }
        assert_eq!(planner.finish().len(), 3);
    }
}
