//! What stands in `#[rollup(…)]`, and what it means: an entity, and for each of its fields where the value comes from.

use proc_macro2::Span;
use quote::{ToTokens as _, quote};
use shardwise_scope::{Analysis, Refusal, analyse};
use syn::ext::IdentExt as _;
use syn::{Attribute, Data, DeriveInput, Fields, Ident, LitStr, Path};

use crate::attr;
use crate::check::{names, plain_shape};
use crate::ctxt::Ctxt;
use crate::item::{Gather, Item, Value, items, set, unknown};
use crate::model::{self, Entity, Group, is_option};

const ON_STRUCT: &[&str] = &["table", "schema", "of", "distributed_by", "crate"];
const ON_FIELD: &[&str] = &["by", "hour", "day", "week", "month", "year", "count", "sum", "filter", "rename"];
/// The variants of `schema::Period`.
const PERIODS: [(&str, &str); 5] =
    [("hour", "Hour"), ("day", "Day"), ("week", "Week"), ("month", "Month"), ("year", "Year")];
/// Columns that the table behind the view has besides.
const OWN: [&str; 2] = ["part", "rows"];

/// A rollup that can be expanded.
pub(crate) struct Rollup {
    pub(crate) entity: Entity,
    /// The source.
    pub(crate) of: Path,
    /// One for each field.
    pub(crate) roles: Vec<Role>,
}

/// Where a field's value comes from.
pub(crate) enum Role {
    /// It is of the group. `period` is a variant of `schema::Period`.
    Group { source: Ident, period: Option<&'static str> },
    /// The rows are counted.
    Count { span: Span, filter: Option<Filter> },
    /// The source's column is added up.
    Sum { source: Ident, filter: Option<Filter> },
}

/// A condition on the source's rows.
pub(crate) struct Filter {
    pub(crate) condition: LitStr,
    /// The statement that it was read in.
    pub(crate) text: String,
    pub(crate) found: Analysis,
}

impl Rollup {
    /// Reads a struct, or returns all its errors as code.
    pub(crate) fn read(input: &DeriveInput) -> Result<Self, proc_macro2::TokenStream> {
        let mut ctxt = Ctxt::default();
        let container = Container::read(&mut ctxt, &input.attrs);
        shape(&mut ctxt, input, &container);
        let source = container.of.as_ref().and_then(|path| path.segments.last()).map(|last| last.ident.to_string());
        let (mut fields, mut roles) = (Vec::new(), Vec::new());
        for (field, role) in self::fields(&mut ctxt, input, source.as_deref().unwrap_or("source")) {
            names::column(&mut ctxt, &field, &fields);
            if OWN.contains(&field.column.as_str()) {
                let message =
                    format!("a rollup's table has a column `{}` of its own: add `rename = \"…\"`", field.column);
                ctxt.error(&field.ident, message);
            }
            if field.optional {
                let fix = match role {
                    Role::Group { .. } => "a column of the group is never NULL: use the type inside the `Option`",
                    _ => "a count or sum is never NULL, but 0: use the type inside the `Option`",
                };
                ctxt.error(&field.ty, fix);
            }
            fields.push(field);
            roles.push(role);
        }
        let by = container.distributed_by.as_ref();
        if let Some(by) = by {
            names::field(&mut ctxt, by, &fields);
        }
        let distribution = by.and_then(|by| fields.iter().position(|field| field.ident.unraw() == by.unraw()));
        distributed(&mut ctxt, &fields, &roles, distribution);
        if !fields.is_empty() && !roles.iter().any(|role| !matches!(role, Role::Group { .. })) && ctxt.is_empty() {
            ctxt.error(
                &input.ident,
                "a rollup adds something up: mark a field with #[rollup(count)] or #[rollup(sum(column))]",
            );
        }
        let Some(of) = container.of else { return Err(ctxt.finish(()).err().unwrap_or_default()) };
        let entity = Entity {
            ident: input.ident.clone(),
            vis: input.vis.clone(),
            krate: container.krate.map_or_else(|| quote!(::shardwise), |krate| krate.into_token_stream()),
            table: container.table.as_ref().map(LitStr::value).unwrap_or_default(),
            schema: container.schema.as_ref().map(LitStr::value),
            fields,
            distribution,
            group: Group::With(of.clone()),
            partition: None,
            caching: None,
            uniques: Vec::new(),
            indexes: Vec::new(),
        };
        ctxt.finish(Self { entity, of, roles })
    }
}

/// The distribution key is what the source has: each row goes where those are that it adds up.
fn distributed(ctxt: &mut Ctxt, fields: &[model::Field], roles: &[Role], distribution: Option<usize>) {
    let Some(at) = distribution else { return };
    match &roles[at] {
        Role::Group { period: None, .. } => {}
        Role::Group { .. } | Role::Count { .. } | Role::Sum { .. } => ctxt.error(
            &fields[at].ident,
            "the distribution key is the source's: each row lives with those that it adds up; remove its attribute",
        ),
    }
}

fn shape(ctxt: &mut Ctxt, input: &DeriveInput, container: &Container) {
    plain_shape(ctxt, input, "a rollup", "table");
    match &container.table {
        Some(table) => names::table(ctxt, table),
        None if container.faulty => {}
        None => ctxt.error(&input.ident, "a rollup needs a table: add #[rollup(table = \"…\")]"),
    }
    if let Some(schema) = &container.schema {
        names::schema(ctxt, schema);
    }
    if container.of.is_none() && !container.faulty {
        ctxt.error(&input.ident, "say whose rows are added up: #[rollup(of = Transaction)]");
    }
    if container.distributed_by.is_none() && !container.faulty {
        ctxt.error(
            &input.ident,
            "a rollup's rows live with those that they add up: name the field with the source's distribution key, \
             #[rollup(distributed_by = festival_id)]",
        );
    }
}

#[derive(Default)]
struct Container {
    table: Option<LitStr>,
    schema: Option<LitStr>,
    of: Option<Path>,
    distributed_by: Option<Ident>,
    krate: Option<Path>,
    /// Whether something could not be read: then nothing is reported as missing.
    faulty: bool,
}

impl Gather for Container {
    const NAME: &'static str = "rollup";

    fn is_faulty(&mut self) {
        self.faulty = true;
    }

    fn take(&mut self, ctxt: &mut Ctxt, item: &Item) {
        match item.name.to_string().as_str() {
            "table" => set(ctxt, &mut self.table, item, item.text()),
            "schema" => set(ctxt, &mut self.schema, item, item.text()),
            "of" => set(ctxt, &mut self.of, item, item.parse("name an entity: `of = Transaction`")),
            "distributed_by" => {
                let value = item.parse("name one field of this struct: `distributed_by = festival_id`");
                set(ctxt, &mut self.distributed_by, item, value);
            }
            "crate" => set(ctxt, &mut self.krate, item, item.path_text()),
            _ => unknown(ctxt, item, "a rollup", ON_STRUCT, ON_FIELD, "a field"),
        }
    }
}

fn fields(ctxt: &mut Ctxt, input: &DeriveInput, source: &str) -> Vec<(model::Field, Role)> {
    let Data::Struct(data) = &input.data else { return Vec::new() };
    let Fields::Named(named) = &data.fields else { return Vec::new() };
    let mut fields = Vec::new();
    for field in &named.named {
        let Some(ident) = field.ident.clone() else { continue };
        let (role, rename) = role(ctxt, &field.attrs, &ident, source);
        let column = rename.as_ref().map_or_else(|| ident.unraw().to_string(), LitStr::value);
        let key = matches!(role, Role::Group { .. }).then(|| ident.span());
        let attr = attr::Field { key, rename, ..attr::Field::default() };
        let optional = is_option(&field.ty);
        fields.push((model::Field { ident, ty: field.ty.clone(), column, attr, optional }, role));
    }
    fields
}

/// What a field's attributes say of it.
fn role(ctxt: &mut Ctxt, attributes: &[Attribute], ident: &Ident, source: &str) -> (Role, Option<LitStr>) {
    let (mut role, mut filter, mut rename) = (None, None, None);
    for item in &items(ctxt, attributes, "rollup") {
        let name = item.name.to_string();
        let period = PERIODS.iter().find(|(known, _)| *known == name).map(|(_, variant)| *variant);
        match name.as_str() {
            "filter" => set(ctxt, &mut filter, item, item.text()),
            "rename" => set(ctxt, &mut rename, item, item.text()),
            "by" => {
                let value = item.parse("name a field of the source: `by = wallet_id`");
                set_role(ctxt, &mut role, item, value.map(|source| Role::Group { source, period: None }));
            }
            "count" => {
                let value = item.flag().map(|span| Role::Count { span, filter: None });
                set_role(ctxt, &mut role, item, value);
            }
            "sum" => {
                let value = one_name(item, "amount").map(|source| Role::Sum { source, filter: None });
                set_role(ctxt, &mut role, item, value);
            }
            _ if period.is_some() => {
                let value = one_name(item, "created_at").map(|source| Role::Group { source, period });
                set_role(ctxt, &mut role, item, value);
            }
            _ => unknown(ctxt, item, "a field", ON_FIELD, ON_STRUCT, "the struct"),
        }
    }
    let filter = filter.and_then(|condition: LitStr| {
        if matches!(role, None | Some(Role::Group { .. })) {
            ctxt.error(&condition, "a filter is of a count or a sum: add `count` or `sum(column)`");
            return None;
        }
        Filter::read(ctxt, condition, source)
    });
    let role = match role {
        None => Role::Group { source: ident.clone(), period: None },
        Some(Role::Count { span, .. }) => Role::Count { span, filter },
        Some(Role::Sum { source, .. }) => Role::Sum { source, filter },
        Some(group @ Role::Group { .. }) => group,
    };
    (role, rename)
}

fn set_role(ctxt: &mut Ctxt, slot: &mut Option<Role>, item: &Item, value: syn::Result<Role>) {
    if slot.is_some() {
        ctxt.error(
            item,
            "a field has one source: keep one of `by`, `hour`, `day`, `week`, `month`, `year`, `count`, `sum`",
        );
    } else {
        *slot = ctxt.ok(value);
    }
}

/// `name(column)`
fn one_name(item: &Item, example: &str) -> syn::Result<Ident> {
    if let Value::List(list) = &item.value
        && let (Some(one), 1) = (list.first(), list.len())
        && matches!(one.value, Value::None)
    {
        return Ok(one.name.clone());
    }
    Err(syn::Error::new_spanned(item, format!("name a field of the source: `{}({example})`", item.name)))
}

impl Filter {
    /// Reads it as the condition of a statement on the source alone.
    fn read(ctxt: &mut Ctxt, condition: LitStr, source: &str) -> Option<Self> {
        let text = format!("SELECT 1 FROM \"{source}\" WHERE ({})", condition.value());
        let found = match analyse(&text) {
            Ok(found) => found,
            Err(refusals) => {
                for refusal in &refusals {
                    ctxt.error(&condition, pointing(refusal, &text));
                }
                return None;
            }
        };
        if found.relations.len() != 1 {
            ctxt.error(&condition, "a filter sees one row of the source, and no other table");
        } else if let Some(param) = found.params.first() {
            ctxt.error(&condition, format!("a filter has no parameters, and this one has `:{param}`"));
        } else {
            return Some(Self { condition, text, found });
        }
        None
    }
}

fn pointing(refusal: &Refusal, text: &str) -> String {
    match refusal.at.is_empty() {
        true => refusal.message.clone(),
        false => refusal.pointing_into(text),
    }
}
