//! Unique keys and indexes: their names, and what they have twice.

use syn::LitStr;

use super::Ctxt;
use super::names::{MOST_BYTES, too_long};
use crate::model::{Entity, Field, group_name};

/// The groups and what stands alone, of all fields.
pub(crate) fn indexes(ctxt: &mut Ctxt, table: &str, fields: &[Field]) {
    let mut with_predicate: Vec<String> = Vec::new();
    for field in fields {
        let uniques = field.attr.unique.iter().map(|(span, group)| (*span, group.as_ref()));
        repeated(ctxt, "unique", uniques);
        let indexes = field.attr.index.iter().map(|index| (index.span, index.group.as_ref()));
        repeated(ctxt, "index", indexes);
        for index in &field.attr.index {
            let Some(group) = &index.group else { continue };
            group_of_both_kinds(ctxt, group, fields);
            if let Some(predicate) = &index.predicate {
                if with_predicate.contains(&group.value()) {
                    ctxt.error(predicate, "this index has its `where` already: give it once");
                }
                with_predicate.push(group.value());
            }
        }
        let groups = field.attr.unique.iter().filter_map(|(_, group)| group.as_ref());
        for group in groups.chain(field.attr.index.iter().filter_map(|index| index.group.as_ref())) {
            named(ctxt, table, group);
        }
    }
}

/// The same key or index twice on one field. Alone they would have one name, in a group the column would be there twice.
fn repeated<'a>(
    ctxt: &mut Ctxt,
    what: &str,
    entries: impl Iterator<Item = (proc_macro2::Span, Option<&'a LitStr>)> + Clone,
) {
    for (at, (span, group)) in entries.clone().enumerate() {
        if entries.clone().take(at).any(|(_, earlier)| value(earlier) == value(group)) {
            let message = match group {
                Some(group) => format!("the field is in the group \"{}\" already: remove this", group.value()),
                None => format!("the field has `{what}` already: remove this, or give it a group of its own"),
            };
            ctxt.add(syn::Error::new(span, message));
        }
    }
}

fn value(group: Option<&LitStr>) -> Option<String> {
    group.map(LitStr::value)
}

fn group_of_both_kinds(ctxt: &mut Ctxt, group: &LitStr, fields: &[Field]) {
    let mut uniques = fields.iter().flat_map(|field| &field.attr.unique);
    if uniques.any(|(_, other)| value(other.as_ref()) == Some(group.value())) {
        ctxt.error(
            group,
            "there is a unique key of this group, and both would have one name: rename one of the groups",
        );
    }
}

fn named(ctxt: &mut Ctxt, table: &str, group: &LitStr) {
    let name = group_name(table, group);
    if name.len() > MOST_BYTES {
        ctxt.error(group, format!("its name is `{name}`: {}", too_long(&name)));
    }
    if group.value() == "pkey" {
        ctxt.error(group, format!("`{name}` is the name of the primary key: rename the group"));
    }
}

/// A unique key over the columns of the primary key keeps nothing that the primary key does not keep.
pub(crate) fn uniques(ctxt: &mut Ctxt, entity: &Entity) {
    let sorted = |mut columns: Vec<usize>| {
        columns.sort_unstable();
        columns
    };
    let primary_key = sorted(entity.primary_key());
    for unique in entity.uniques.iter().filter(|unique| sorted(entity.widened(&unique.columns)) == primary_key) {
        let field = unique.columns.first().map(|&at| entity.field(at));
        if let Some((span, _)) = field.and_then(|field| field.attr.unique.first()) {
            ctxt.add(syn::Error::new(*span, "the primary key keeps these columns unique already: remove `unique`"));
        }
    }
}
