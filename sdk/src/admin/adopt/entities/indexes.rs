//! Unique keys and indexes, as the derive's attributes say them. Pure.

use std::collections::BTreeSet;

use super::model::{Entity, IndexAttr};
use super::names::Taken;
use crate::admin::adopt::catalog::{Index, Table};
use crate::schema::quote_ident;

/// PostgreSQL cuts longer names off.
const MOST_BYTES: usize = 63;

/// Says the unique keys and the indexes of a table; those that can't be said become notes.
pub(super) fn say(table: &Table, entity: &mut Entity, relations: &mut Taken) {
    let mut known = BTreeSet::new();
    for constraint in table.constraints.iter().filter(|constraint| constraint.kind == "u") {
        let shown = format!("`{}`", constraint.definition);
        let is_plain = !constraint.is_deferrable
            && ["NULLS NOT DISTINCT", "INCLUDE"].iter().all(|word| !constraint.definition.contains(word));
        let columns = is_plain.then(|| constraint.columns.clone());
        unique(entity, Key { name: &constraint.name, columns, shown }, &mut known, relations);
    }
    for constraint in table.constraints.iter().filter(|constraint| constraint.kind == "x") {
        entity.notes.push(format!("`{}` is in the database alone", constraint.definition));
    }
    for found in table.indexes.iter().filter(|index| index.is_valid) {
        let read = Read::of(found);
        let shown = format!("the index `{}`", found.name);
        if found.is_unique {
            // Whatever else it says: values that are new meet it.
            let fields: Vec<usize> = found.columns.iter().flatten().filter_map(|column| entity.at(column)).collect();
            fields.into_iter().for_each(|at| entity.fields[at].is_unique = true);
            let is_plain = |read: &Read| read.predicate.is_none() && read.columns.iter().all(|(_, down)| !down);
            let columns = read.filter(is_plain).map(|read| read.columns.into_iter().map(|(name, _)| name).collect());
            let shown = format!("{shown}, {}", body(&found.definition));
            unique(entity, Key { name: &found.name, columns, shown }, &mut known, relations);
        } else if !read.is_some_and(|read| index(entity, &found.name, read, relations)) {
            entity.notes.push(format!("{shown} is in the database alone: {}", body(&found.definition)));
        }
    }
}

/// A unique key.
struct Key<'a> {
    name: &'a str,
    /// Its columns, where nothing else has to be said of it.
    columns: Option<Vec<String>>,
    shown: String,
}

fn unique(entity: &mut Entity, key: Key<'_>, known: &mut BTreeSet<BTreeSet<usize>>, relations: &mut Taken) {
    let Key { name, columns, shown } = key;
    let Some(fields) = columns.and_then(|columns| entity.all_at(&columns)) else {
        entity.notes.push(format!("{shown}: that it is unique is in the database alone"));
        return;
    };
    fields.iter().for_each(|at| entity.fields[*at].is_unique = true);
    let set = |fields: &[usize]| fields.iter().copied().collect::<BTreeSet<usize>>();
    let (widened, primary) = (set(&entity.widened(&fields)), set(&entity.primary_key()));
    let is_of_tenants = entity.distribution.is_none_or(|at| fields.contains(&at));
    if widened == primary && (is_of_tenants || entity.key() == fields) {
        return;
    }
    // With the tenant's key in it, it would hold of any values.
    if primary.is_subset(&widened) && !is_of_tenants {
        entity.notes.push(format!(
            "{shown}: it can't be held across tenants; where it has to be, keep these columns in a reference table"
        ));
        return;
    }
    let said = said(entity, fields);
    if !is_rising(&said) || widened == primary {
        entity.notes.push(format!("{shown}: that it is unique is in the database alone"));
        return;
    }
    if !known.insert(widened) {
        return;
    }
    if !is_of_tenants {
        entity.notes.push(format!("{shown}: it holds within a tenant, and no longer among all of them"));
    }
    let is_alone = said.len() == 1 && relations.take(&own_name(entity, &entity.widened(&said), "key"));
    let group = if is_alone { None } else { group(entity, name, &said, "key", relations) };
    if !is_alone && group.is_none() {
        entity.notes.push(format!("{shown}: that it is unique is in the database alone"));
        return;
    }
    said.iter().for_each(|at| entity.fields[*at].uniques.push(group.clone()));
}

/// Says an index, if it can be said.
fn index(entity: &mut Entity, name: &str, read: Read, relations: &mut Taken) -> bool {
    let columns: Vec<String> = read.columns.iter().map(|(name, _)| name.clone()).collect();
    let Some(fields) = entity.all_at(&columns) else { return false };
    let downwards = |at: usize| fields.iter().zip(&read.columns).any(|(field, (_, down))| *field == at && *down);
    // The derive puts the key first, from the smallest value on.
    if entity.distribution.is_some_and(downwards) {
        return false;
    }
    let said = said(entity, fields.clone());
    if !is_rising(&said) {
        return false;
    }
    let with_key: Vec<usize> =
        entity.distribution.into_iter().filter(|at| !said.contains(at)).chain(said.clone()).collect();
    let is_alone = said.len() == 1 && relations.take(&own_name(entity, &with_key, "idx"));
    let group = if is_alone { None } else { group(entity, name, &said, "idx", relations) };
    if !is_alone && group.is_none() {
        return false;
    }
    for (nth, at) in said.iter().enumerate() {
        let predicate = read.predicate.clone().filter(|_| nth == 0);
        let attr = IndexAttr { group: group.clone(), is_descending: downwards(*at), predicate };
        entity.fields[*at].indexes.push(attr);
    }
    true
}

/// The fields that have to be said: the derive adds the key at the beginning and the partition's column at the end.
fn said(entity: &Entity, mut fields: Vec<usize>) -> Vec<usize> {
    if fields.len() > 1 && fields.first().copied() == entity.distribution {
        fields.remove(0);
    }
    fields
}

/// The derive takes a group's columns in the order of the fields.
fn is_rising(fields: &[usize]) -> bool {
    fields.is_sorted_by(|one, next| one < next)
}

/// What the derive calls a key or an index that is in no group.
fn own_name(entity: &Entity, fields: &[usize], suffix: &str) -> String {
    let columns: Vec<&str> = fields.iter().map(|at| entity.fields[*at].column.as_str()).collect();
    format!("{}_{}_{suffix}", entity.table.name, columns.join("_"))
}

/// A name for a group, which has the table's name before it in the database.
fn group(entity: &Entity, name: &str, fields: &[usize], suffix: &str, relations: &mut Taken) -> Option<String> {
    let table = &entity.table.name;
    let own = name.strip_prefix(&format!("{table}_")).filter(|rest| !rest.is_empty() && *rest != "pkey");
    let columns: Vec<&str> = fields.iter().map(|at| entity.fields[*at].column.as_str()).collect();
    let made = format!("{}_{suffix}", columns.join("_"));
    let whole = |group: &str| format!("{table}_{group}");
    let fits = |group: &String| !group.trim().is_empty() && whole(group).len() <= MOST_BYTES;
    let names = own.map(str::to_owned).into_iter().chain([made]).filter(fits);
    let numbered = (1..100).map(|number| format!("{suffix}{number}")).filter(fits);
    names.chain(numbered).find(|group| relations.take(&whole(group)))
}

/// An index as its definition has it.
#[derive(Debug, PartialEq, Eq)]
struct Read {
    /// Columns, and whether the largest value comes first.
    columns: Vec<(String, bool)>,
    predicate: Option<String>,
}

impl Read {
    /// `None` where it has more than the derive can say: another method, expressions, classes of operators, other columns.
    fn of(index: &Index) -> Option<Self> {
        let list = index.definition.split_once(" USING btree (")?.1;
        let end = closing(list)?;
        let columns: Vec<String> = index.columns.iter().cloned().collect::<Option<_>>()?;
        let parts: Vec<&str> = list[..end].split(", ").collect();
        if parts.len() != columns.len() {
            return None;
        }
        let read = |(part, name): (&str, String)| {
            let rest = part.strip_prefix(&quote_ident(&name)).or_else(|| part.strip_prefix(&name))?;
            match rest {
                "" => Some((name, false)),
                " DESC" => Some((name, true)),
                _ => None,
            }
        };
        let columns = parts.into_iter().zip(columns).map(read).collect::<Option<_>>()?;
        let predicate = match &list[end + 1..] {
            "" => None,
            rest => Some(without_parentheses(rest.strip_prefix(" WHERE ")?).to_owned()),
        };
        Some(Self { columns, predicate })
    }
}

/// What an index is on: what stands behind its name.
fn body(definition: &str) -> String {
    definition.split_once(" USING ").map_or_else(|| format!("`{definition}`"), |(_, body)| format!("`{body}`"))
}

/// Where the parenthesis ends that is open before this text.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0_usize, None);
    for (at, letter) in text.char_indices() {
        match (letter, quote) {
            (letter, Some(open)) if letter == open => quote = None,
            (_, Some(_)) => {}
            ('"' | '\'', None) => quote = Some(letter),
            ('(', None) => depth += 1,
            (')', None) if depth == 0 => return Some(at),
            (')', None) => depth -= 1,
            _ => {}
        }
    }
    None
}

/// `a > 0` of `(a > 0)`
pub(super) fn without_parentheses(text: &str) -> &str {
    let inner = text.strip_prefix('(').and_then(|rest| Some((rest, closing(rest)?)));
    match inner {
        Some((rest, end)) if end + 1 == rest.len() => &rest[..end],
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::{Index, Read, without_parentheses};

    fn read(definition: &str, columns: &[Option<&str>]) -> Option<Read> {
        let index = serde_json::json!({"name": "i", "definition": format!("CREATE INDEX i ON public.t USING {definition}"),
            "is_unique": false, "is_valid": true, "columns": columns, "is_partial": false, "bytes": 0});
        Read::of(&serde_json::from_value::<Index>(index).expect("an index"))
    }

    #[test]
    fn definitions_are_read_as_far_as_the_derive_can_say_them() {
        let columns =
            |list: &[(&str, bool)]| list.iter().map(|(name, down)| ((*name).to_owned(), *down)).collect::<Vec<_>>();
        let found = read("btree (a, \"tenantId\" DESC) WHERE (NOT deleted)", &[Some("a"), Some("tenantId")]);
        let expected =
            Read { columns: columns(&[("a", false), ("tenantId", true)]), predicate: Some("NOT deleted".to_owned()) };
        assert_eq!(found, Some(expected));
        let found = read("btree (a) WHERE ((b = ') '::text) OR (c > 0))", &[Some("a")]).expect("it is read");
        assert_eq!(found.predicate.as_deref(), Some("(b = ') '::text) OR (c > 0)"));
        for (definition, columns) in [
            ("gin (a)", &[Some("a")][..]),
            ("btree (lower(a))", &[None]),
            ("btree (a text_pattern_ops)", &[Some("a")]),
            ("btree (a COLLATE \"C\")", &[Some("a")]),
            ("btree (a DESC NULLS LAST)", &[Some("a")]),
            ("btree (a) INCLUDE (b)", &[Some("a")]),
            ("btree (a) WITH (fillfactor='70')", &[Some("a")]),
        ] {
            assert_eq!(read(definition, columns), None, "{definition}");
        }
    }

    #[test]
    fn parentheses_around_a_whole_are_taken_away() {
        assert_eq!(without_parentheses("(a > 0)"), "a > 0");
        assert_eq!(without_parentheses("(a > 0) OR (b > 0)"), "(a > 0) OR (b > 0)");
    }
}
