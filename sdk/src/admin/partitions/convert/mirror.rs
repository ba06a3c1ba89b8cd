//! The triggers that write each change of the source to the shadow. Pure.

use super::NEW;
use crate::admin::partitions::ground::Parent;
use crate::schema::trigger::{Server, create_function};
use crate::schema::{ColumnDef, literal, names, quote_ident, quote_literal, quote_qualified};

/// Behind those of others: triggers run in the order of their names.
const MIRROR: &str = "zz_shardwise_mirror";
const TRUNCATE: &str = "zz_shardwise_truncate";

pub(super) fn is_ours(trigger: &str) -> bool {
    [MIRROR, TRUNCATE].contains(&trigger)
}

/// The statements that begin to write changes of `source` to `shadow`, which are both SQL text.
pub(super) fn begin(parent: &Parent, source: &str, shadow: &str, server: Server) -> Vec<String> {
    let (mirror, truncate) = (function(parent, "mirror"), function(parent, "truncate"));
    let no_truncate = format!("{source} can not be truncated while its rows are put into partitions");
    let refuse = format!("BEGIN RAISE EXCEPTION {}; END", literal(&no_truncate));
    let functions =
        [create_function(&mirror, &body(parent, shadow), server), create_function(&truncate, &refuse, server)];
    let triggers = [
        format!(
            "CREATE TRIGGER {MIRROR} AFTER INSERT OR UPDATE OR DELETE ON {source} FOR EACH ROW EXECUTE FUNCTION {mirror}()"
        ),
        format!(
            "CREATE TRIGGER {TRUNCATE} BEFORE TRUNCATE ON {source} FOR EACH STATEMENT EXECUTE FUNCTION {truncate}()"
        ),
    ];
    functions.into_iter().flatten().chain(triggers).collect()
}

/// Those that end it.
pub(super) fn end(source: &str) -> Vec<String> {
    [MIRROR, TRUNCATE].map(|trigger| format!("DROP TRIGGER {trigger} ON {source}")).to_vec()
}

/// Those that drop what `begin` made besides the triggers.
pub(super) fn clear(parent: &Parent) -> Vec<String> {
    ["mirror", "truncate"].map(|kind| format!("DROP FUNCTION {}()", function(parent, kind))).to_vec()
}

/// A query for a bool: whether the triggers are there, and fire.
pub(super) fn is_on(source: &str) -> String {
    format!(
        "SELECT count(*) = 2 FROM pg_catalog.pg_trigger WHERE tgrelid = {}::regclass AND tgname IN ('{MIRROR}', '{TRUNCATE}') \
         AND tgenabled = 'O'",
        quote_literal(source)
    )
}

fn function(parent: &Parent, kind: &str) -> String {
    quote_qualified(Some(NEW), &names::partition(parent.def, kind))
}

fn body(parent: &Parent, shadow: &str) -> String {
    let columns: Vec<&ColumnDef> = parent.written().collect();
    let key = parent.def.primary_key;
    let same_row: Vec<String> = key.iter().map(|column| format!("{0} = OLD.{0}", quote_ident(column))).collect();
    let changed: Vec<String> =
        key.iter().map(|column| format!("OLD.{0} IS DISTINCT FROM NEW.{0}", quote_ident(column))).collect();
    let names: Vec<String> = columns.iter().map(|column| quote_ident(column.name)).collect();
    let values: Vec<String> = names.iter().map(|name| format!("NEW.{name}")).collect();
    let keys: Vec<String> = key.iter().map(|column| quote_ident(column)).collect();
    let rest: Vec<String> = columns
        .iter()
        .filter(|column| !key.contains(&column.name))
        .map(|column| format!("{0} = excluded.{0}", quote_ident(column.name)))
        .collect();
    let conflict = if rest.is_empty() { "NOTHING".to_owned() } else { format!("UPDATE SET {}", rest.join(", ")) };
    format!(
        "\nBEGIN\n\
         IF TG_OP = 'DELETE' OR (TG_OP = 'UPDATE' AND ({changed})) THEN\n    \
             DELETE FROM {shadow} WHERE {same_row};\n\
         END IF;\n\
         IF TG_OP <> 'DELETE' THEN\n    \
             INSERT INTO {shadow} ({names}) OVERRIDING SYSTEM VALUE VALUES ({values})\n    \
             ON CONFLICT ({keys}) DO {conflict};\n\
         END IF;\n\
         RETURN NULL;\n\
         END\n",
        changed = changed.join(" OR "),
        same_row = same_row.join(" AND "),
        names = names.join(", "),
        values = values.join(", "),
        keys = keys.join(", "),
    )
}
