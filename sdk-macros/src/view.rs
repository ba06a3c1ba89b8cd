//! What stands in `#[view(…)]`, and what it means.

use quote::{ToTokens as _, quote};
use syn::ext::IdentExt as _;
use syn::{Data, DeriveInput, Fields, LitStr, Path};

use crate::attr;
use crate::check::{millis, names, plain_shape};
use crate::ctxt::Ctxt;
use crate::item::{Gather, Item, items, set, unknown};
use crate::model::{self, Entity, Group, is_option};

const ON_STRUCT: &[&str] = &["name", "schema", "query", "every", "crate"];
const ON_FIELD: &[&str] = &["key", "rename"];

/// In milliseconds.
const SHORTEST: u64 = 1_000;
const LONGEST: u64 = 30 * 86_400_000;

/// A view that can be expanded.
pub(crate) struct View {
    pub(crate) entity: Entity,
    pub(crate) query: LitStr,
    /// In milliseconds.
    pub(crate) every: Option<u64>,
}

impl View {
    /// Reads a struct, or returns all its errors as code.
    pub(crate) fn read(input: &DeriveInput) -> Result<Self, proc_macro2::TokenStream> {
        let mut ctxt = Ctxt::default();
        let container = Container::read(&mut ctxt, &input.attrs);
        shape(&mut ctxt, input, &container);
        let mut fields = Vec::new();
        for field in self::fields(&mut ctxt, input) {
            names::column(&mut ctxt, &field, &fields);
            if field.attr.key.is_some() && field.optional {
                ctxt.error(&field.ty, "a key is never NULL: use the type inside the `Option`");
            }
            fields.push(field);
        }
        if !fields.is_empty() && !fields.iter().any(|field| field.attr.key.is_some()) && ctxt.is_empty() {
            ctxt.error(
                &input.ident,
                "a view needs a key: PostgreSQL refreshes it CONCURRENTLY, while it is read, only with a unique index; mark the \
                 fields by which its rows differ with #[view(key)]",
            );
        }
        let every = container.every.as_ref().and_then(|text| interval(&mut ctxt, text));
        let entity = Entity {
            ident: input.ident.clone(),
            vis: input.vis.clone(),
            krate: container.krate.map_or_else(|| quote!(::shardwise), |krate| krate.into_token_stream()),
            table: container.name.as_ref().map(LitStr::value).unwrap_or_default(),
            schema: container.schema.as_ref().map(LitStr::value),
            fields,
            distribution: None,
            group: Group::Default,
            partition: None,
            caching: None,
            uniques: Vec::new(),
            indexes: Vec::new(),
        };
        match container.query {
            Some(query) => ctxt.finish(Self { entity, query, every }),
            None => Err(ctxt.finish(()).err().unwrap_or_default()),
        }
    }
}

/// How old it may become, in milliseconds.
fn interval(ctxt: &mut Ctxt, text: &LitStr) -> Option<u64> {
    let interval = millis(&text.value()).filter(|millis| (SHORTEST..=LONGEST).contains(millis));
    if interval.is_none() {
        ctxt.error(text, "write a time with its unit, such as \"30s\", \"5m\" or \"2h\": from one second to 30 days");
    }
    interval
}

fn shape(ctxt: &mut Ctxt, input: &DeriveInput, container: &Container) {
    plain_shape(ctxt, input, "a view", "view");
    match &container.name {
        Some(name) => names::table(ctxt, name),
        None if container.faulty => {}
        None => ctxt.error(&input.ident, "a view needs a name: add #[view(name = \"…\")]"),
    }
    if let Some(schema) = &container.schema {
        names::schema(ctxt, schema);
    }
    if container.query.is_none() && !container.faulty {
        ctxt.error(&input.ident, "say what it shows: #[view(query = \"SELECT …\")]");
    }
}

#[derive(Default)]
struct Container {
    name: Option<LitStr>,
    schema: Option<LitStr>,
    query: Option<LitStr>,
    every: Option<LitStr>,
    krate: Option<Path>,
    /// Whether something could not be read: then nothing is reported as missing.
    faulty: bool,
}

impl Gather for Container {
    const NAME: &'static str = "view";

    fn is_faulty(&mut self) {
        self.faulty = true;
    }

    fn take(&mut self, ctxt: &mut Ctxt, item: &Item) {
        match item.name.to_string().as_str() {
            "name" => set(ctxt, &mut self.name, item, item.text()),
            "schema" => set(ctxt, &mut self.schema, item, item.text()),
            "query" => set(ctxt, &mut self.query, item, item.text()),
            "every" => set(ctxt, &mut self.every, item, item.text()),
            "crate" => set(ctxt, &mut self.krate, item, item.path_text()),
            _ => unknown(ctxt, item, "a view", ON_STRUCT, ON_FIELD, "a field"),
        }
    }
}

fn fields(ctxt: &mut Ctxt, input: &DeriveInput) -> Vec<model::Field> {
    let Data::Struct(data) = &input.data else { return Vec::new() };
    let Fields::Named(named) = &data.fields else { return Vec::new() };
    let mut fields = Vec::new();
    for field in &named.named {
        let Some(ident) = field.ident.clone() else { continue };
        let (mut key, mut rename) = (None, None);
        for item in &items(ctxt, &field.attrs, "view") {
            match item.name.to_string().as_str() {
                "key" => set(ctxt, &mut key, item, item.flag()),
                "rename" => set(ctxt, &mut rename, item, item.text()),
                _ => unknown(ctxt, item, "a field", ON_FIELD, ON_STRUCT, "the struct"),
            }
        }
        let column = rename.as_ref().map_or_else(|| ident.unraw().to_string(), LitStr::value);
        let attr = attr::Field { key, rename, ..attr::Field::default() };
        fields.push(model::Field { optional: is_option(&field.ty), ty: field.ty.clone(), column, attr, ident });
    }
    fields
}
