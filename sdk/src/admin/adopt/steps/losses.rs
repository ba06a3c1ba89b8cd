//! What does not outlive the adoption, with what can take its place. Pure.

use super::keys::{self, UniqueKind};
use super::shape::{Fate, Shape, Tenant};
use super::step::Loss;
use crate::admin::adopt::catalog::{Constraint, Table};

pub(super) fn of(shape: &Shape<'_>) -> Vec<Loss> {
    let tenants = shape.tenants.iter().flat_map(|tenant| [uniques(tenant), foreign_keys(shape, tenant)].concat());
    let others = shape.others().flat_map(|table| foreign_keys_to_tenants(shape, table));
    tenants.chain(others).collect()
}

/// A key of the server's own making is unique without being held to it.
fn is_random(tenant: &Tenant<'_>, columns: &[String]) -> bool {
    let [column] = columns else { return false };
    tenant.table.column(column).is_some_and(|column| column.base_type == "uuid" || column.is_counted())
}

fn uniques(tenant: &Tenant<'_>) -> Vec<Loss> {
    let mut losses = Vec::new();
    for unique in keys::uniques(tenant) {
        let (what, columns) = match unique.kind {
            UniqueKind::PrimaryKey(key) | UniqueKind::Constraint(key) => (key.definition.clone(), key.columns.clone()),
            UniqueKind::Index(index) => (index.definition.clone(), index.columns.iter().flatten().cloned().collect()),
        };
        if is_random(tenant, &columns) {
            continue;
        }
        losses.push(Loss {
            table: tenant.table.name.clone(),
            what: format!("{}: {what}", unique.name),
            reason: format!("nodes don't know of each other's rows: what is unique has {} in it", tenant.key),
            instead: vec![
                format!("unique per tenant, by {}", unique.index),
                "a reference table of these values alone, written first and in the same transaction".to_owned(),
                "values that can't be guessed nor meet: a uuid, or the tenant's key as a part of them".to_owned(),
            ],
        });
    }
    losses
}

fn foreign_keys(shape: &Shape<'_>, tenant: &Tenant<'_>) -> Vec<Loss> {
    let mut losses = Vec::new();
    for (constraint, reference) in tenant.table.foreign_keys() {
        match shape.fate(tenant, constraint, reference) {
            Fate::Keeps => {}
            Fate::Becomes(composite) => losses.extend(composite.lost.iter().map(|lost| Loss {
                table: tenant.table.name.clone(),
                what: format!("{}: {lost}", constraint.name),
                reason: "Citus does not take it of a foreign key with the distribution column in it".to_owned(),
                instead: vec![
                        "NO ACTION: the application does it, in the same transaction".to_owned(),
                        "a trigger of the application's on the table that is pointed at (citus.enable_unsafe_triggers)"
                            .to_owned(),
                    ],
            })),
            Fate::Goes(reason) => losses.push(gone(tenant.table, constraint, reason)),
        }
    }
    losses
}

fn foreign_keys_to_tenants(shape: &Shape<'_>, table: &Table) -> Vec<Loss> {
    keys::lost_foreign_keys(shape, table)
        .map(|(constraint, reference)| {
            let reason = match shape.tenant(reference) {
                Some(_) => "it is no tenant's, and rows of tenants are not all on one node".to_owned(),
                None => format!("a copy of it is on each node, and {} is on one", reference.name()),
            };
            gone(table, constraint, reason)
        })
        .collect()
}

fn gone(table: &Table, constraint: &Constraint, reason: String) -> Loss {
    Loss {
        table: table.name.clone(),
        what: format!("{}: {}", constraint.name, constraint.definition),
        reason,
        instead: vec![
            "the application sees to it".to_owned(),
            "another class for one of both tables: answer it in the file, and inspect again".to_owned(),
        ],
    }
}
