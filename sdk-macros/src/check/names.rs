//! Names that PostgreSQL would refuse, cut, or take for something else.

use syn::{Ident, LitStr};

use super::Ctxt;
use crate::model::Field;

/// PostgreSQL cuts longer names off (`NAMEDATALEN` - 1), and two of them could become one.
pub(crate) const MOST_BYTES: usize = 63;
/// Every table has these columns already.
const SYSTEM_COLUMNS: &[&str] = &["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];

pub(crate) fn table(ctxt: &mut Ctxt, table: &LitStr) {
    length(ctxt, table);
    if let Some((schema, name)) = table.value().split_once('.') {
        ctxt.error(table, format!("a table's name has no dot: write `schema = \"{schema}\", table = \"{name}\"`"));
    }
}

pub(crate) fn schema(ctxt: &mut Ctxt, schema: &LitStr) {
    length(ctxt, schema);
    if schema.value().starts_with("pg_") {
        ctxt.error(schema, "PostgreSQL keeps schemas that begin with `pg_` for itself: choose another name");
    }
}

/// A field's column, next to those of the fields before it.
pub(crate) fn column(ctxt: &mut Ctxt, field: &Field, earlier: &[Field]) {
    let mut refuse = |message: String| match &field.attr.rename {
        Some(rename) => ctxt.error(rename, message),
        None => ctxt.error(&field.ident, message),
    };
    let column = &field.column;
    if column.len() > MOST_BYTES {
        refuse(too_long(column));
    }
    if SYSTEM_COLUMNS.contains(&column.as_str()) {
        let fix = if field.attr.rename.is_some() { "choose another name" } else { "add `rename = \"…\"`" };
        refuse(format!("every table has a system column `{column}`: {fix}"));
    }
    let mut columns = earlier.iter().filter(|other| other.attr.skip.is_none());
    if let Some(twin) = columns.clone().find(|other| other.column == *column) {
        refuse(format!("the column `{column}` is there already, of the field `{}`: rename one", twin.ident));
    }
    if let Some(twin) = columns.find(|other| other.constant() == field.constant()) {
        let message = format!(
            "the constant of this column would be `{}`, as that of `{}`: rename one of the fields",
            field.constant(),
            twin.ident
        );
        ctxt.error(&field.ident, message);
    }
}

pub(crate) fn length(ctxt: &mut Ctxt, name: &LitStr) {
    if name.value().len() > MOST_BYTES {
        ctxt.error(name, too_long(&name.value()));
    }
}

pub(super) fn too_long(name: &str) -> String {
    format!("PostgreSQL cuts names off after {MOST_BYTES} bytes, and this one has {}: shorten it", name.len())
}

/// A field that an attribute of the struct names.
pub(crate) fn field(ctxt: &mut Ctxt, name: &Ident, fields: &[Field]) {
    use syn::ext::IdentExt as _;
    match fields.iter().find(|field| field.ident.unraw() == name.unraw()) {
        Some(field) if field.attr.skip.is_some() => {
            ctxt.error(name, format!("`{name}` is skipped, and so is no column: remove its `skip`"));
        }
        Some(_) => {}
        None => {
            let names: Vec<_> = fields.iter().map(|field| field.ident.unraw().to_string()).collect();
            let known: Vec<_> = names.iter().map(String::as_str).collect();
            let hint = match super::did_you_mean(&name.to_string(), &known) {
                none if none.is_empty() => format!("; there are: {}", names.join(", ")),
                near => near,
            };
            ctxt.error(name, format!("there is no field `{name}`{hint}"));
        }
    }
}
