//! Foreign keys: those that `references` says, and what else leads from a row to another one. Pure.

use proc_macro2::Ident;

use super::model::{Entity, Link};
use crate::admin::adopt::catalog::{Catalog, Constraint, Name, Reference};
use crate::admin::adopt::classify::Classified;

/// Says the foreign keys of all entities, once all of them are known; those that can't be said become notes.
pub(super) fn say(catalog: &Catalog, classified: &[&Classified], entities: &mut [Entity]) {
    for at in 0..entities.len() {
        let Some(table) = catalog.table(&entities[at].table) else { continue };
        for (constraint, reference) in table.foreign_keys() {
            let name = reference.name();
            let Some(target) = entities.iter().position(|entity| entity.table == name) else {
                let entity = &mut entities[at];
                let fields = constraint.columns.iter().filter_map(|column| entity.at(column)).collect();
                entity.outside.push((fields, name.clone()));
                entity.notes.push(format!("`{}`: {name} has no entity here", constraint.definition));
                continue;
            };
            say_one(entities, at, target, constraint, reference);
        }
        // What leads to a tenant without having been declared.
        let through =
            classified.iter().find(|one| one.table == entities[at].table).and_then(|one| one.through.as_ref());
        if let Some(link) = through.filter(|link| link.constraint.is_none()) {
            lead(entities, at, &link.columns, &link.target, &link.target_columns);
        }
    }
}

fn lead(entities: &mut [Entity], at: usize, columns: &[String], target: &Name, theirs: &[String]) {
    let Some(target) = entities.iter().position(|entity| entity.table == *target) else { return };
    let (own, others) = (entities[at].all_at(columns), entities[target].all_at(theirs));
    if let (Some(own), Some(others)) = (own, others) {
        entities[at].links.push(Link { target, pairs: own.into_iter().zip(others).collect() });
    }
}

/// What is to be known of a foreign key.
enum Said {
    /// It is an attribute of this field; with what else there is to say.
    By(usize, Ident, Option<&'static str>, Option<String>),
    /// Why not.
    Not(String),
}

fn say_one(entities: &mut [Entity], at: usize, target: usize, constraint: &Constraint, reference: &Reference) {
    lead(entities, at, &constraint.columns, &reference.name(), &reference.columns);
    let shown = &constraint.definition;
    let said = said(&entities[at], &entities[target], constraint, reference);
    let entity = &mut entities[at];
    match said {
        Said::By(field, ident, on_delete, note) if entity.fields[field].references.is_none() => {
            entity.fields[field].references = Some((ident, on_delete));
            entity.notes.extend(note.map(|note| format!("`{shown}`: {note}")));
        }
        Said::By(..) => entity.notes.push(format!("`{shown}`: its column points at another table already")),
        Said::Not(why) => entity.notes.push(format!("`{shown}`: {why}")),
    }
}

fn said(entity: &Entity, target: &Entity, constraint: &Constraint, reference: &Reference) -> Said {
    let not = |why: &str| Said::Not(why.to_owned());
    let (Some(own), Some(theirs)) = (entity.all_at(&constraint.columns), target.all_at(&reference.columns)) else {
        return not("it is in the database alone, for one of its columns has no field");
    };
    let is_key =
        |(own, theirs): &(usize, usize)| (Some(*own) == entity.distribution, Some(*theirs) == target.distribution);
    let pairs: Vec<(usize, usize)> = own.into_iter().zip(theirs).collect();
    let rest: Vec<(usize, usize)> = match (entity.distribution, target.distribution) {
        (None, Some(_)) => return not("rows that all nodes have can't point at a tenant's, so it can't be kept"),
        (Some(_), Some(_)) if pairs.iter().map(is_key).any(|(own, theirs)| own != theirs) => {
            return not("it may lead to another tenant's row, so it can't be kept");
        }
        (Some(_), Some(_)) => pairs.iter().filter(|pair| is_key(pair) != (true, true)).copied().collect(),
        (_, None) => pairs,
    };
    let [(field, other)] = rest.as_slice() else {
        return match rest.is_empty() {
            true => not("it is in the database alone, for it has the tenant's key and nothing else"),
            false => not("it is in the database alone, for it has several columns"),
        };
    };
    let (field, other) = (*field, *other);
    if target.key() != [other] {
        return not("it is in the database alone, for it points at other columns than the key");
    }
    if target.partition.is_some() {
        return not("it is in the database alone, for it points at a partitioned table");
    }
    let (own_type, their_type) = (&entity.fields[field].typed, &target.fields[other].typed);
    if (&own_type.value, own_type.is_array) != (&their_type.value, their_type.is_array) {
        return not("it is in the database alone, for the two columns are of different types");
    }
    if entity.fields[field].made.is_some() {
        return not("it is in the database alone, for the server makes its column");
    }
    let is_set_null_kept = target.distribution.is_none() && entity.fields[field].is_nullable;
    let (on_delete, note) = match reference.on_delete.as_str() {
        "c" => (Some("cascade"), None),
        "r" => (Some("restrict"), None),
        "n" if is_set_null_kept => (Some("set_null"), None),
        "n" | "d" => (None, Some("what it does on a delete can't be kept")),
        _ => (None, None),
    };
    let more = [
        (!matches!(reference.on_update.as_str(), "a" | "r"), "what it does on an update is in the database alone"),
        (constraint.is_deferrable, "that it can wait for the end of the transaction is in the database alone"),
    ];
    let note = note.or_else(|| more.iter().find_map(|(is_so, note)| is_so.then_some(*note)));
    Said::By(field, target.ident.clone(), on_delete, note.map(str::to_owned))
}
