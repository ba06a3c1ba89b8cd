//! Sums of rows that come out the same on two servers where the rows are the same. Pure.
//!
//! A row is a text of all its columns in the order of their names, each as its type writes it under the same settings, and floats bit by bit;
//! its hash is PostgreSQL's own. A sum of hashes does not depend on the order of the rows.

use super::table::{Column, Table};

/// Into how many parts a tenant's rows go where they differ.
const PARTS: u32 = 1_024;

/// Of each tenant, or of all rows where they are everybody's: whose they are, how many, and their sum.
pub(super) fn by_tenant(table: &Table, rows: &str) -> String {
    let sum = format!("count(*), coalesce(sum({}::numeric), 0)::text", row_hash(table));
    match tenant(table) {
        Some(tenant) => {
            format!("SELECT pg_catalog.format('%s', {tenant}), {sum} FROM {rows} GROUP BY {tenant}")
        }
        None => format!("SELECT NULL::text, {sum} FROM {rows}"),
    }
}

/// The same of each part of one tenant's rows, who is the first parameter.
pub(super) fn by_part(table: &Table, rows: &str) -> String {
    format!(
        "SELECT {} AS part, count(*), sum({}::numeric)::text FROM {rows} {} GROUP BY 1",
        part(table),
        row_hash(table),
        of_tenant(table, "WHERE")
    )
}

/// Keys and hashes of the rows in some of the parts, which are the first parameter; the tenant is the second.
pub(super) fn of_parts(table: &Table, rows: &str) -> String {
    let tenant = of_tenant(table, "AND").replace("$1", "$2");
    format!("SELECT {}, {} FROM {rows} WHERE {} = ANY ($1) {tenant}", key_text(table), row_hash(table), part(table))
}

/// Keys and hashes of the rows with this condition.
pub(super) fn of_rows(table: &Table, rows: &str, condition: &str) -> String {
    format!("SELECT {}, {} FROM {rows} WHERE {condition}", key_text(table), row_hash(table))
}

fn row_hash(table: &Table) -> String {
    let mut columns: Vec<&Column> = table.columns.iter().collect();
    columns.sort_by(|one, other| one.name.cmp(&other.name));
    hash(&row_text(columns.into_iter()))
}

fn key_text(table: &Table) -> String {
    row_text(table.key_columns())
}

fn part(table: &Table) -> String {
    format!("({} & {})::int4", hash(&key_text(table)), PARTS - 1)
}

/// What tells fields apart, and NULL from an empty text.
fn row_text<'a>(columns: impl Iterator<Item = &'a Column>) -> String {
    let value = |column: &Column| match (column.is_float, column.sql_type.as_str()) {
        (true, "real") => format!("pg_catalog.float4send({})", column.at()),
        (true, _) => format!("pg_catalog.float8send({})", column.at()),
        (false, _) => column.at(),
    };
    format!("(ROW({})::text COLLATE \"C\")", columns.map(value).collect::<Vec<_>>().join(", "))
}

fn hash(text: &str) -> String {
    format!("pg_catalog.hashtextextended({text}, 0)")
}

fn tenant(table: &Table) -> Option<String> {
    table.tenant.as_ref().map(|tenant| crate::schema::quote_ident(tenant))
}

fn of_tenant(table: &Table, word: &str) -> String {
    let sql_type = |name: &str| table.columns.iter().find(|column| column.name == *name).map(|column| &column.sql_type);
    let condition = table.tenant.as_ref().and_then(|name| Some((name, sql_type(name)?)));
    condition.map_or_else(String::new, |(name, sql_type)| {
        format!("{word} {} = $1::{sql_type}", crate::schema::quote_ident(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::adopt::Name;

    #[test]
    fn columns_are_in_the_order_of_their_names_and_floats_in_bits() {
        let column = |name: &str, sql_type: &str, is_float| Column {
            name: name.to_owned(),
            sql_type: sql_type.to_owned(),
            is_float,
            is_generated: false,
            is_always: false,
        };
        let mut table = Table {
            name: Name { schema: "public".to_owned(), name: "t".to_owned() },
            at: "t".to_owned(),
            columns: vec![
                column("id", "uuid", false),
                column("f", "uuid", false),
                column("b", "double precision", true),
                column("a", "real", true),
            ],
            key: vec![1, 0],
            tenant: Some("f".to_owned()),
            is_partitioned: false,
            has_other_uniques: false,
        };
        let row = "pg_catalog.hashtextextended((ROW(pg_catalog.float4send(\"a\"), pg_catalog.float8send(\"b\"), \"f\", \"id\")::text \
                   COLLATE \"C\"), 0)";
        assert_eq!(
            by_tenant(&table, "t"),
            format!(
                "SELECT pg_catalog.format('%s', \"f\"), count(*), coalesce(sum({row}::numeric), 0)::text FROM t GROUP BY \"f\""
            )
        );
        let part = "(pg_catalog.hashtextextended((ROW(\"f\", \"id\")::text COLLATE \"C\"), 0) & 1023)::int4";
        assert!(by_part(&table, "t").ends_with("FROM t WHERE \"f\" = $1::uuid GROUP BY 1"));
        assert!(of_parts(&table, "t").ends_with(&format!("WHERE {part} = ANY ($1) AND \"f\" = $2::uuid")));
        table.tenant = None;
        assert!(by_tenant(&table, "ONLY t").ends_with("FROM ONLY t"));
        assert!(by_part(&table, "t").ends_with("FROM t  GROUP BY 1"));
    }
}
