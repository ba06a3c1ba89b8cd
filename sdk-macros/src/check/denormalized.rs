//! What `denormalized` says: which column of which row is kept here as well.

use syn::Ident;
use syn::ext::IdentExt as _;

use super::names;
use crate::attr::{Container, Denormalized};
use crate::ctxt::Ctxt;
use crate::model::Field;

pub(crate) fn denormalized(ctxt: &mut Ctxt, entity: &Ident, container: &Container, fields: &[Field]) {
    for field in fields.iter().filter(|field| field.attr.skip.is_none()) {
        if let Some(denormalized) = &field.attr.denormalized {
            alone(ctxt, container, field, denormalized);
            through(ctxt, entity, field, denormalized, fields);
        }
    }
}

/// The server makes the value, of another row: nothing else may have a say in it.
fn alone(ctxt: &mut Ctxt, container: &Container, field: &Field, denormalized: &Denormalized) {
    let attr = &field.attr;
    let besides = [
        ("key", attr.key.is_some()),
        ("references", attr.references.is_some()),
        ("default", attr.default.is_some()),
        ("generated", attr.generated.is_some()),
        ("json", attr.json.is_some()),
        ("region", attr.region.is_some()),
    ];
    if let Some((name, _)) = besides.iter().find(|(_, there)| *there) {
        let message = format!("a denormalised column follows another row: remove `{name}` or `denormalized`");
        ctxt.error(&denormalized.through, message);
    }
    let by = container.distributed_by.iter().chain(container.partition_by.as_ref().map(|by| &by.column));
    if by.into_iter().any(|by| by.unraw() == field.ident.unraw()) {
        ctxt.error(
            &denormalized.through,
            "a row does not move when another one is changed: what it is distributed or partitioned by can't be denormalised",
        );
    }
    if let Some(cache) = &container.cache {
        ctxt.error(
            &cache.way,
            "a cached row is read anew when it is written, and a denormalised column changes with another row: remove `cache` or \
             `denormalized`",
        );
    }
}

fn through(ctxt: &mut Ctxt, entity: &Ident, field: &Field, denormalized: &Denormalized, fields: &[Field]) {
    let name = &denormalized.through;
    names::field(ctxt, name, fields);
    let Some(through) = fields.iter().find(|other| other.ident.unraw() == name.unraw()) else { return };
    match &through.attr.references {
        None if through.attr.faulty => {}
        None => ctxt.error(
            name,
            format!(
                "`{name}` points at no row: add `references = Entity` to it, with the entity that has `{}`",
                denormalized.source
            ),
        ),
        Some(path) if path.is_ident(entity) => {
            ctxt.error(name, "a row can't follow another one of its own table: read that row");
        }
        Some(_) => {}
    }
    if through.optional && !field.optional {
        ctxt.error(
            &field.ty,
            format!("`{name}` may point at no row, and then this column is NULL: put an `Option` around the type"),
        );
    }
}
