//! Tables that are held to the tenant by nothing but the key that another query hands on: through unions, joins, recursion, stars and
//! names, of which one in a while hands on somebody else's key.

use super::{Generator, from::source_of};
use crate::oracle::schema::{Table, distributed};

/// How often a key at the end of a chain is not the tenant's.
const WRONG: usize = 12;

impl Generator {
    /// A statement whose table hangs on a chain.
    pub(super) fn chained(&mut self) -> String {
        let depth = self.random.between(1, 3);
        let keys = self.keys(depth);
        let table = self.owned_table();
        let (name, cells) = (table.name, self.some_cells(table, "t"));
        match self.random.below(15) {
            12 => self.hidden_in_a_record(name),
            13 => self.called_so_by_the_server(name, &cells),
            14 => self.merged_from_a_table(name),
            0 => format!("SELECT {cells} FROM ({keys}) d, {name} t WHERE t.festival_id = d.festival_id"),
            1 => format!(
                "SELECT {cells} FROM {name} t WHERE t.festival_id = :festival_id AND t.festival_id IN (SELECT k.festival_id FROM ({keys}) k)"
            ),
            2 => format!("SELECT {cells} FROM {name} t JOIN ({keys}) d USING (festival_id)"),
            3 => format!("SELECT {cells} FROM ({keys}) d LEFT JOIN {name} t ON t.festival_id = d.festival_id"),
            4 => format!(
                "SELECT {cells} FROM ({keys}) d CROSS JOIN LATERAL (SELECT * FROM {name} x WHERE x.festival_id = d.festival_id) t"
            ),
            5 => format!("WITH d AS ({keys}) SELECT {cells} FROM d JOIN {name} t ON d.festival_id = t.festival_id"),
            6 => format!("WITH d(k, n) AS ({keys}) SELECT {cells} FROM d LEFT JOIN {name} t ON d.k = t.festival_id"),
            7 => format!("SELECT (SELECT count(*) FROM {name} t WHERE t.festival_id = d.festival_id) FROM ({keys}) d"),
            8 => format!(
                "UPDATE {name} t SET created_at = t.created_at FROM ({keys}) d WHERE t.festival_id = d.festival_id"
            ),
            9 => format!("DELETE FROM {name} t USING ({keys}) d WHERE d.festival_id = t.festival_id"),
            10 => format!(
                "INSERT INTO tickets (festival_id, id, user_id, state, created_at) \
                 SELECT d.festival_id, :fresh, :user_id, 'issued', :at FROM ({keys}) d LIMIT 1"
            ),
            _ => format!(
                "MERGE INTO {name} t USING ({keys}) d ON t.festival_id = d.festival_id AND {} WHEN MATCHED THEN DELETE",
                if self.random.percent(50) { "t.created_at IS NOT NULL" } else { "true" }
            ),
        }
    }

    /// A name that may be the column of a query around, or one that only the server knows of.
    fn hidden_in_a_record(&mut self, table: &str) -> String {
        let function = self.random.pick_text(&[
            "jsonb_populate_record(NULL::tickets, :row::jsonb) r",
            "unnest(ARRAY[jsonb_populate_record(NULL::wallets, :row::jsonb)]) r",
            "coalesce(jsonb_populate_record(NULL::orders, :row::jsonb)) r",
            "jsonb_to_record(:row::jsonb) AS r(festival_id uuid, id uuid)",
            "unnest(:ids::uuid[]) AS r(id)",
            "generate_series(1, 2) r",
        ]);
        format!(
            "SELECT (SELECT count(*) FROM (SELECT festival_id AS k FROM {function}) d JOIN {table} t ON t.festival_id = d.k) \
             FROM orders o WHERE o.festival_id = :festival_id"
        )
    }

    /// A column without AS, beside all columns of a table that has none of its name.
    fn called_so_by_the_server(&mut self, table: &str, cells: &str) -> String {
        let column = self.random.pick_text(&[
            "(SELECT :other::uuid AS festival_id)",
            "CASE WHEN u.id IS NULL THEN festival_id ELSE f.festival_id END",
            "f.festival_id",
            "festival_id::uuid",
        ]);
        let foreign = "(SELECT :other::uuid AS festival_id) f";
        let more = if column.contains("f.") { format!(", {foreign}") } else { String::new() };
        let held = if more.is_empty() { "festival_id" } else { "o.festival_id" };
        format!(
            "SELECT {cells} FROM (SELECT u.*, {column} FROM users u, orders o{more} WHERE {held} = :festival_id) d \
             JOIN {table} t USING (festival_id)"
        )
    }

    /// Rows of a table that meet none of the tenant's make new ones.
    fn merged_from_a_table(&mut self, table: &str) -> String {
        let held = self.random.pick_text(&[
            "t.festival_id = m.festival_id AND m.festival_id = :festival_id",
            "t.festival_id = :festival_id",
            "t.festival_id = m.festival_id",
        ]);
        let source = match self.random.percent(50) {
            true => table.to_owned(),
            false => format!("(SELECT * FROM {table} WHERE festival_id = :festival_id)"),
        };
        format!(
            "MERGE INTO tickets t USING {source} m ON {held} AND t.id = m.id \
             WHEN NOT MATCHED THEN INSERT (festival_id, id, user_id, state, created_at) \
             VALUES (:festival_id, md5(m.festival_id::text || m.id::text)::uuid, :user_id, 'issued', :at)"
        )
    }

    fn owned_table(&mut self) -> &'static Table {
        let tables: Vec<&'static Table> = distributed().filter(|table| table.key.contains(&"id")).collect();
        tables[self.random.below(tables.len())]
    }

    fn some_cells(&mut self, table: &'static Table, alias: &str) -> String {
        let source = source_of(table, alias.to_owned());
        let mut cells: Vec<String> = source.columns.iter().map(|column| source.column(&column.name)).collect();
        cells.truncate(self.random.between(2, cells.len()));
        cells.join(", ")
    }

    /// A query with the columns `festival_id` and `id`.
    fn keys(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self.end();
        }
        let depth = depth - 1;
        let (table, inner) = (self.owned_table().name, self.keys(depth));
        let join = *self.random.pick(&["JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"]);
        match self.random.below(14) {
            0 | 1 => {
                let word = *self.random.pick(&["UNION", "UNION ALL", "INTERSECT", "EXCEPT"]);
                format!("({inner}) {word} ({})", self.keys(depth))
            }
            2 => format!("SELECT x.festival_id, x.id FROM ({inner}) x"),
            3 => format!("SELECT * FROM ({inner}) x"),
            4 => format!("SELECT x.* FROM ({inner}) AS x(festival_id, id)"),
            5 => format!("SELECT x.id AS festival_id, x.festival_id AS id FROM ({inner}) x(id, festival_id)"),
            6 => {
                let side = *self.random.pick(&["a", "b"]);
                let held = if self.random.percent(30) { " AND b.festival_id = :festival_id" } else { "" };
                let (first, second) = self.in_some_order(format!("({inner}) a"), format!("{table} b"));
                format!(
                    "SELECT {side}.festival_id, b.id FROM {first} {join} {second} ON b.festival_id = a.festival_id{held}"
                )
            }
            7 => {
                let held = *self.random.pick(&[
                    "",
                    "",
                    " WHERE festival_id = :festival_id",
                    " WHERE b.festival_id = :festival_id",
                ]);
                let key = *self.random.pick(&["festival_id", "festival_id", "a.festival_id", "b.festival_id"]);
                let (first, second) = self.in_some_order(format!("({inner}) a"), format!("{table} b"));
                format!("SELECT {key}, b.id FROM {first} {join} {second} USING (festival_id){held}")
            }
            8 | 9 => {
                let step = *self.random.pick(&["r.festival_id", "t.festival_id", "r.festival_id", "r.id"]);
                let step = if self.random.percent(20) { self.foreign_key() } else { step };
                let by = *self.random.pick(&[
                    "t.festival_id = r.festival_id",
                    "t.festival_id = r.festival_id",
                    "t.festival_id = :festival_id",
                ]);
                format!(
                    "WITH RECURSIVE r(festival_id, id, n) AS (SELECT s.festival_id, s.id, 0 FROM ({inner}) s UNION \
                     SELECT {step}, t.id, r.n + 1 FROM {table} t JOIN r ON {by} WHERE r.n < 2) SELECT festival_id, id FROM r"
                )
            }
            10 => format!("SELECT festival_id, min(id::text)::uuid AS id FROM ({inner}) g GROUP BY festival_id"),
            11 => {
                let key = if self.random.percent(40) { self.foreign_key() } else { "x.festival_id" };
                let name = if key.contains(" AS ") { "" } else { " AS festival_id" };
                format!("SELECT {key}{name}, u.* FROM users u, ({inner}) x WHERE festival_id = :festival_id")
            }
            12 => format!(
                "SELECT l.festival_id, l.id FROM ({inner}) x, LATERAL (SELECT festival_id, b.id FROM (SELECT x.id) b) l"
            ),
            _ => format!("SELECT DISTINCT x.festival_id, x.id FROM ({inner}) x ORDER BY 1, 2 LIMIT 2"),
        }
    }

    /// Of an outer join it matters which side is whole.
    fn in_some_order(&mut self, one: String, other: String) -> (String, String) {
        if self.random.percent(60) { (one, other) } else { (other, one) }
    }

    /// Where the key comes from.
    fn end(&mut self) -> String {
        if self.random.percent(WRONG) {
            let key = self.foreign_key();
            return match self.random.below(4) {
                0 => "SELECT f.id AS festival_id, f.id FROM festivals f".to_owned(),
                1 => "SELECT festival_id, id FROM jsonb_populate_record(NULL::tickets, :row::jsonb) r".to_owned(),
                2 => "SELECT v.festival_id, v.id FROM (VALUES (:festival_id::uuid, :id::uuid), (:other, :id)) v(festival_id, id)"
                    .to_owned(),
                _ => format!("SELECT {key} AS festival_id, :id::uuid AS id"),
            };
        }
        let table = self.owned_table().name;
        match self.random.below(6) {
            0 => "SELECT :festival_id::uuid AS festival_id, :id::uuid AS id".to_owned(),
            1 => "SELECT f.id AS festival_id, f.id FROM festivals f WHERE f.id = :festival_id".to_owned(),
            2 => {
                "SELECT v.festival_id, v.id FROM (VALUES (:festival_id::uuid, :id::uuid)) v(festival_id, id)".to_owned()
            }
            3 => format!("SELECT * FROM (SELECT festival_id, id FROM {table} WHERE festival_id = :festival_id) e"),
            _ => format!("SELECT festival_id, id FROM {table} WHERE festival_id = :festival_id"),
        }
    }
}
