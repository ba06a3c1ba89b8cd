//! Refuses what PostgreSQL or Citus would refuse, and what contradicts itself. Each message names the fix.

mod caching;
mod denormalized;
mod index;
pub(crate) mod names;
mod sql_type;

use syn::ext::IdentExt as _;
use syn::{Data, DeriveInput, Fields, Ident};

use crate::attr::Container;
use crate::ctxt::{Ctxt, did_you_mean};
use crate::model::Field;

pub(crate) use caching::{caching, millis};
pub(crate) use denormalized::denormalized;
pub(crate) use index::{indexes, uniques};

/// The most fields of a key besides the distribution key.
const MOST_KEYS: usize = 4;

/// The struct itself and its own attributes.
pub(crate) fn container(ctxt: &mut Ctxt, input: &DeriveInput, container: &Container) {
    shape(ctxt, input);
    match &container.table {
        None if container.faulty => {}
        None => ctxt.error(&input.ident, "an entity needs a table: add #[entity(table = \"…\")]"),
        Some(table) => names::table(ctxt, table),
    }
    if let Some(schema) = &container.schema {
        names::schema(ctxt, schema);
    }
    match (&container.distributed_by, container.reference) {
        (None, None) if container.faulty => {}
        (None, None) => ctxt.error(
            &input.ident,
            "say where the rows live: #[entity(distributed_by = festival_id)] spreads them by that field, \
             #[entity(reference)] replicates them to every node",
        ),
        (Some(by), Some(_)) => {
            ctxt.error(by, "an entity is either distributed or a reference: remove `distributed_by` or `reference`")
        }
        _ => {}
    }
    if let Some(path) = &container.colocated_with
        && (path.is_ident(&input.ident) || path.is_ident("Self"))
    {
        ctxt.error(
            path,
            "an entity is co-located with itself in any case: write `colocated_with = none` for a group of its own",
        );
    }
    if container.reference.is_some() {
        if let Some(path) = &container.colocated_with {
            ctxt.error(path, "a reference entity is on every node: remove `colocated_with`");
        }
        if let Some(partition) = &container.partition_by {
            ctxt.error(
                &partition.interval,
                "a reference table can't be partitioned on Citus: remove `partition_by`, or distribute the entity",
            );
        }
    }
}

fn shape(ctxt: &mut Ctxt, input: &DeriveInput) {
    if let Some(parameter) = input.generics.params.first() {
        ctxt.error(
            parameter,
            "an entity can't be generic: one struct is one table; write a struct without parameters for each",
        );
    }
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) if !fields.named.is_empty() => {}
            Fields::Named(_) | Fields::Unit => ctxt.error(&input.ident, "an entity needs fields: each is a column"),
            Fields::Unnamed(fields) => ctxt.error(
                fields,
                "an entity's fields need names, which become the columns' names: write `struct Name { field: Type }`",
            ),
        },
        Data::Enum(data) => ctxt.error(
            data.enum_token,
            "an enum can't be an entity: derive Entity on a struct; for a column of this type derive SqlEnum",
        ),
        Data::Union(data) => ctxt.error(data.union_token, "a union can't be an entity: use a struct"),
    }
}

/// The same of what is no entity but like one: `what` is "a view" for example, and one struct is one `thing`.
pub(crate) fn plain_shape(ctxt: &mut Ctxt, input: &DeriveInput, what: &str, thing: &str) {
    if let Some(parameter) = input.generics.params.first() {
        ctxt.error(parameter, format!("{what} can't be generic: one struct is one {thing}"));
    }
    let named = match &input.data {
        Data::Struct(data) => matches!(&data.fields, Fields::Named(fields) if !fields.named.is_empty()),
        Data::Enum(_) | Data::Union(_) => false,
    };
    if !named {
        ctxt.error(&input.ident, format!("{what} is a struct with named fields: each is a column"));
    }
}

/// Each field on its own, and their names together.
pub(crate) fn fields(ctxt: &mut Ctxt, container: &Container, fields: &[Field]) {
    for (at, field) in fields.iter().enumerate() {
        if field.attr.skip.is_some() {
            if let Some(first) = field.attr.besides_skip().first() {
                ctxt.error(&field.ident, format!("a skipped field is no column: remove `skip` or `{first}`"));
            }
            continue;
        }
        names::column(ctxt, field, &fields[..at]);
        contradictions(ctxt, field);
        sql_type::check(ctxt, field);
        if field.attr.key.is_some() && field.optional {
            ctxt.error(&field.ty, "a key is never NULL: use the type inside the `Option`");
        }
    }
    let regions: Vec<_> = fields.iter().filter(|field| field.attr.region.is_some()).collect();
    if let [_, second, ..] = regions.as_slice() {
        ctxt.error(&second.ident, "a row lives in one region: keep one `region`");
    }
    let partition_column = container.partition_by.as_ref().map(|by| &by.column);
    for name in container.distributed_by.iter().chain(partition_column) {
        names::field(ctxt, name, fields);
    }
}

fn contradictions(ctxt: &mut Ctxt, field: &Field) {
    let attr = &field.attr;
    if let Some(generated) = &attr.generated {
        let span = generated.span;
        let mut refuse = |message: &str| ctxt.add(syn::Error::new(span, message));
        if attr.default.is_some() {
            refuse("a generated column has no default: remove `default` or `generated`");
        }
        if generated.expression.is_none() && field.optional {
            refuse("a column with a sequence is never NULL: use the type inside the `Option`");
        }
        if generated.expression.is_some() && attr.references.is_some() {
            refuse("a computed column can't be a foreign key here: remove `generated` or `references`");
        }
        if attr.json.is_some() && generated.expression.is_none() {
            refuse("a sequence fills a bigint: remove `json`, or give the expression `generated = \"…\"`");
        }
    }
    match (&attr.on_delete, &attr.references) {
        (Some(action), None) => ctxt.error(action, "`on_delete` is of a foreign key: add `references = Entity`"),
        (Some(action), Some(_)) => on_delete(ctxt, action, field),
        (None, _) => {}
    }
    if let (Some(_), Some(path)) = (attr.json, &attr.references) {
        ctxt.error(path, "a document can't be a foreign key: remove `json` or `references`");
    }
    if let (Some(span), true) = (attr.region, attr.json.is_some() || field.optional) {
        ctxt.add(syn::Error::new(span, "a region is a plain `Region`: remove `json` or the `Option`"));
    }
    if let (Some(_), Some(span)) = (attr.json, attr.key) {
        ctxt.add(syn::Error::new(span, "a document can't be a key: remove `json` or `key`"));
    }
}

fn on_delete(ctxt: &mut Ctxt, action: &Ident, field: &Field) {
    const ACTIONS: &[&str] = &["no_action", "restrict", "cascade", "set_null"];
    let name = action.to_string();
    if !ACTIONS.contains(&name.as_str()) {
        let near = did_you_mean(&name, ACTIONS);
        ctxt.error(action, format!("`{name}` is no action{near}\nthere are: {}", ACTIONS.join(", ")));
    }
    if name == "set_null" && !field.optional {
        ctxt.error(action, "`set_null` needs a column that can be NULL: make the field an `Option`");
    }
}

/// The keys: there is one, and the distribution and partition columns can be part of it.
pub(crate) fn keys(
    ctxt: &mut Ctxt,
    input: &DeriveInput,
    container: &Container,
    fields: &[Field],
    distribution: Option<usize>,
) {
    let keys: Vec<_> = fields.iter().filter(|field| field.attr.key.is_some()).collect();
    let faulty = container.faulty || fields.iter().any(|field| field.attr.faulty);
    if keys.is_empty() && !fields.is_empty() && !faulty {
        let fix = match distribution {
            Some(at) => format!(
                "mark the field that tells a tenant's rows apart with #[entity(key)]; \
                 if each tenant has one row, mark `{}`",
                fields[at].ident
            ),
            None => "mark the field that identifies a row with #[entity(key)]".to_owned(),
        };
        ctxt.error(&input.ident, format!("an entity needs a key: {fix}"));
    }
    let others = keys.iter().filter(|field| container.distributed_by.as_ref() != Some(&field.ident));
    if let Some(extra) = others.clone().nth(MOST_KEYS) {
        ctxt.error(&extra.ident, format!("a key has at most {MOST_KEYS} fields besides the distribution key"));
    }
    if let Some(field) = distribution.map(|at| &fields[at]) {
        never_null(ctxt, field, "the distribution key");
        if field.attr.json.is_some() {
            ctxt.error(&field.ident, "a document can't be the distribution key: remove `json`");
        }
        if let Some(generated) = &field.attr.generated {
            let message =
                "the distribution key decides where the row goes, before the server sees it: remove `generated`";
            ctxt.add(syn::Error::new(generated.span, message));
        }
        if let Some(default) = &field.attr.default {
            ctxt.error(
                default,
                "the distribution key says whose row it is, which no default can know: remove `default`",
            );
        }
        if let Some(sql_type) = &field.attr.sql_type {
            sql_type::of_distribution_key(ctxt, sql_type);
        }
    }
    let partition = container.partition_by.as_ref();
    if let Some(field) = partition.and_then(|by| fields.iter().find(|field| field.ident.unraw() == by.column.unraw())) {
        never_null(ctxt, field, "the partition column");
        if let Some(generated) = &field.attr.generated {
            let message = "PostgreSQL can't partition by a generated column: remove `generated`";
            ctxt.add(syn::Error::new(generated.span, message));
        }
        if let Some(sql_type) = &field.attr.sql_type {
            sql_type::of_partition_column(ctxt, sql_type);
        }
        if container.distributed_by.as_ref() == Some(&field.ident) {
            ctxt.error(&field.ident, "a table is not partitioned by its distribution key: name a timestamp or a date");
        }
    }
}

fn never_null(ctxt: &mut Ctxt, field: &Field, what: &str) {
    if field.optional {
        ctxt.error(&field.ty, format!("{what} is never NULL: use the type inside the `Option`"));
    }
}

/// The variant of `schema::Interval`.
pub(crate) fn interval(ctxt: &mut Ctxt, name: &Ident) -> Option<&'static str> {
    const INTERVALS: [(&str, &str); 4] =
        [("daily", "Daily"), ("weekly", "Weekly"), ("monthly", "Monthly"), ("yearly", "Yearly")];
    let found = INTERVALS.iter().find(|(known, _)| name == known).map(|(_, variant)| *variant);
    if found.is_none() {
        let known = INTERVALS.map(|(known, _)| known);
        let near = did_you_mean(&name.to_string(), &known);
        ctxt.error(name, format!("`{name}` is no interval{near}\nthere are: {}", known.join(", ")));
    }
    found
}
