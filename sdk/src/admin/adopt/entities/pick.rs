//! Which tables become entities. Pure.

use std::collections::BTreeSet;

use super::{Pick, Picked, Reason};
use crate::admin::adopt::catalog::Name;
use crate::admin::adopt::classify::{Class, Classified};
use crate::admin::adopt::inspection::Inspection;
use crate::error::{Error, ErrorKind, Result};

/// The picked tables in the order of the catalog, and why others are none.
pub(super) fn tables<'a>(inspection: &'a Inspection, pick: &Pick) -> Result<Picked<'a>> {
    let named = names(inspection, pick)?;
    let mut picked = Picked { tables: Vec::new(), refused: Vec::new() };
    for table in &inspection.tables {
        let classified = &table.classified;
        let is_asked = match pick.tables.is_empty() {
            // What nobody takes for a tenant's or everybody's is not missed.
            true => !matches!(classified.class, Class::Local | Class::Partition),
            false => named.contains(&classified.table),
        };
        match why_not(classified) {
            _ if !is_asked => {}
            None => picked.tables.push(classified),
            Some(reason) => picked.refused.push(Reason { table: classified.table.clone(), reason }),
        }
    }
    Ok(picked)
}

/// The named tables, and those at whose rows theirs have to point.
fn names(inspection: &Inspection, pick: &Pick) -> Result<BTreeSet<Name>> {
    let catalog = &inspection.catalog;
    let mut to_look_at = Vec::new();
    for text in &pick.tables {
        let Some(table) = catalog.named(text) else {
            let known: Vec<String> = catalog.tables.iter().map(|table| table.name.to_string()).collect();
            let message = format!("there is no table {text:?}: there are {}", known.join(", "));
            return Err(Error::new(ErrorKind::Schema, message));
        };
        to_look_at.push(&table.name);
    }
    let mut names = BTreeSet::new();
    while let Some(name) = to_look_at.pop() {
        if !names.insert(name.clone()) {
            continue;
        }
        let is_tenants = |name: &Name| {
            let class = inspection.table(name).map(|table| table.classified.class);
            matches!(class, Some(Class::Root | Class::Keyed | Class::Chained))
        };
        let has_entity = |name: &Name| inspection.table(name).is_some_and(|table| why_not(&table.classified).is_none());
        let Some(table) = catalog.table(name) else { continue };
        let strong = table.foreign_keys().filter(|(constraint, _)| !table.may_be_null(&constraint.columns));
        let targets = strong.filter_map(|(_, reference)| catalog.table(&reference.name())).map(|table| &table.name);
        to_look_at.extend(targets.filter(|target| has_entity(target)));
        if is_tenants(name) {
            to_look_at.push(&inspection.key.root);
        }
    }
    Ok(names)
}

/// Why a table of this class is no entity.
fn why_not(classified: &Classified) -> Option<String> {
    match classified.class {
        Class::Root | Class::Keyed | Class::Chained | Class::Reference => None,
        Class::Partition => Some(format!("{}: the entity is of the whole table", classified.reason)),
        Class::Local => {
            Some("nothing of it is a tenant's or everybody's, and an entity's rows are one of the two".to_owned())
        }
        Class::Undecided => Some(format!("a person has to say what it is: {}", classified.reason)),
    }
}
