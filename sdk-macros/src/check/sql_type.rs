//! `sql_type`: a type's name alone, which fits the field's other attributes.

use syn::LitStr;

use super::Ctxt;
use crate::model::Field;

/// What may follow a type in a column's definition, but not in a cast.
const CONSTRAINTS: &[(&str, &str)] = &[
    ("not", "a field that is no `Option` is NOT NULL by itself"),
    ("null", "an `Option` makes the column nullable"),
    ("default", "write `default = \"…\"`"),
    ("check", "write `check = \"…\"`"),
    ("unique", "write `unique`"),
    ("primary", "write `key`"),
    ("references", "write `references = Entity`"),
    ("generated", "write `generated`"),
    ("collate", "set the database's collation, or write it in the query"),
];
/// Not types but abbreviations: `CREATE TABLE` alone knows them.
const SERIALS: &[&str] = &["serial", "bigserial", "smallserial", "serial2", "serial4", "serial8"];

pub(super) fn check(ctxt: &mut Ctxt, field: &Field) {
    let Some(sql_type) = &field.attr.sql_type else { return };
    let text = sql_type.value().to_lowercase();
    if let Some((word, fix)) = CONSTRAINTS.iter().find(|(word, _)| words(&text).any(|found| found == *word)) {
        ctxt.error(sql_type, format!("`{word}` is no part of a type: {fix}"));
    }
    if SERIALS.contains(&text.trim()) {
        ctxt.error(sql_type, "this is no type but a sequence: use an i64 field with `generated`");
    }
    if field.attr.json.is_some() && !matches!(text.trim(), "json" | "jsonb") {
        ctxt.error(sql_type, "a document is stored as jsonb: remove `sql_type` or `json`");
    }
    if let Some(generated) = &field.attr.generated
        && generated.expression.is_none()
        && text.trim() != "bigint"
    {
        ctxt.error(sql_type, "a sequence makes a bigint: remove `sql_type`");
    }
    let indexed = field.attr.key.is_some() || !field.attr.unique.is_empty() || !field.attr.index.is_empty();
    if text.trim() == "json" && indexed {
        ctxt.error(sql_type, "PostgreSQL can't index `json`: use `jsonb`");
    }
}

/// The client must hash the key as the server does, and co-located tables must have it in one type.
pub(super) fn of_distribution_key(ctxt: &mut Ctxt, sql_type: &LitStr) {
    ctxt.error(
        sql_type,
        "the distribution column has the type of its field, so that client and server hash it alike: remove `sql_type`",
    );
}

/// The partitions' bounds are moments or days.
pub(super) fn of_partition_column(ctxt: &mut Ctxt, sql_type: &LitStr) {
    let text = sql_type.value().to_lowercase();
    if !(text.starts_with("timestamp") || text.trim() == "date") {
        ctxt.error(
            sql_type,
            "a table is partitioned by a timestamp or a date: remove `sql_type`, or write one of them",
        );
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_'))
}
