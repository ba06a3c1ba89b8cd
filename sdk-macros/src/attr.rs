//! What stands in `#[entity(…)]`, each entry read, nothing judged.

use proc_macro2::Span;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Ident, LitStr, Path, Token};

use crate::ctxt::Ctxt;
use crate::item::{Gather, Item, Value, set, unknown};

const ON_STRUCT: &[&str] =
    &["table", "schema", "distributed_by", "reference", "colocated_with", "partition_by", "cache", "crate"];
const ON_FIELD: &[&str] = &[
    "key",
    "unique",
    "index",
    "references",
    "on_delete",
    "default",
    "generated",
    "denormalized",
    "rename",
    "skip",
    "json",
    "sql_type",
    "check",
    "region",
];

/// The struct's attributes.
#[derive(Default)]
pub(crate) struct Container {
    pub(crate) table: Option<LitStr>,
    pub(crate) schema: Option<LitStr>,
    pub(crate) distributed_by: Option<Ident>,
    pub(crate) reference: Option<Span>,
    pub(crate) colocated_with: Option<Path>,
    pub(crate) partition_by: Option<PartitionBy>,
    pub(crate) cache: Option<Cache>,
    pub(crate) krate: Option<Path>,
    /// Whether something could not be read: then nothing is reported as missing.
    pub(crate) faulty: bool,
}

/// `monthly(created_at)`
pub(crate) struct PartitionBy {
    pub(crate) interval: Ident,
    pub(crate) column: Ident,
}

/// `read_through(ttl = "5m", negative = "5s")`
pub(crate) struct Cache {
    pub(crate) way: Ident,
    pub(crate) items: Punctuated<Item, Token![,]>,
}

/// A field's attributes.
#[derive(Default)]
pub(crate) struct Field {
    pub(crate) key: Option<Span>,
    pub(crate) unique: Vec<(Span, Option<LitStr>)>,
    pub(crate) index: Vec<Index>,
    pub(crate) references: Option<Path>,
    pub(crate) on_delete: Option<Ident>,
    pub(crate) default: Option<LitStr>,
    pub(crate) generated: Option<Generated>,
    pub(crate) denormalized: Option<Denormalized>,
    pub(crate) rename: Option<LitStr>,
    pub(crate) skip: Option<Span>,
    pub(crate) json: Option<Span>,
    pub(crate) sql_type: Option<LitStr>,
    pub(crate) checks: Vec<LitStr>,
    pub(crate) region: Option<Span>,
    /// Whether something could not be read: then nothing is reported as missing.
    pub(crate) faulty: bool,
}

/// One `index` on a field.
pub(crate) struct Index {
    pub(crate) span: Span,
    pub(crate) group: Option<LitStr>,
    pub(crate) descending: bool,
    pub(crate) predicate: Option<LitStr>,
}

/// `generated`, or `generated = "expression"`.
pub(crate) struct Generated {
    pub(crate) span: Span,
    pub(crate) expression: Option<LitStr>,
}

/// `stand_id.name`: what the row has in `name` that the foreign key `stand_id` points at.
pub(crate) struct Denormalized {
    pub(crate) through: Ident,
    pub(crate) source: Ident,
}

impl Parse for Denormalized {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let through = input.parse()?;
        input.parse::<Token![.]>()?;
        Ok(Self { through, source: input.parse()? })
    }
}

impl Parse for PartitionBy {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let interval = input.parse()?;
        let column;
        syn::parenthesized!(column in input);
        Ok(Self { interval, column: column.parse()? })
    }
}

impl Parse for Cache {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let way = input.parse()?;
        let items;
        syn::parenthesized!(items in input);
        Ok(Self { way, items: Punctuated::parse_terminated(&items)? })
    }
}

impl Gather for Container {
    const NAME: &'static str = "entity";

    fn is_faulty(&mut self) {
        self.faulty = true;
    }

    fn take(&mut self, ctxt: &mut Ctxt, item: &Item) {
        match item.name.to_string().as_str() {
            "table" => set(ctxt, &mut self.table, item, item.text()),
            "schema" => set(ctxt, &mut self.schema, item, item.text()),
            "distributed_by" => {
                let value = item.parse("name one field of this struct: `distributed_by = festival_id`");
                set(ctxt, &mut self.distributed_by, item, value);
            }
            "reference" => set(ctxt, &mut self.reference, item, item.flag()),
            "colocated_with" => {
                let value = item.parse("name another entity, or `none`: `colocated_with = Wallet`");
                set(ctxt, &mut self.colocated_with, item, value);
            }
            "partition_by" => {
                let value = item.parse(
                    "write `partition_by = monthly(created_at)`, with daily, weekly, monthly or yearly and a field",
                );
                set(ctxt, &mut self.partition_by, item, value);
            }
            "cache" => {
                let value = item.parse(
                    "write `cache = read_through(ttl = \"5m\")`, write_through or cache_aside; with `negative = \"5s\"` it is kept as well that there is no such row",
                );
                set(ctxt, &mut self.cache, item, value);
            }
            "crate" => set(ctxt, &mut self.krate, item, item.path_text()),
            _ => unknown(ctxt, item, "an entity", ON_STRUCT, ON_FIELD, "a field"),
        }
    }
}

impl Gather for Field {
    const NAME: &'static str = "entity";

    fn is_faulty(&mut self) {
        self.faulty = true;
    }

    fn take(&mut self, ctxt: &mut Ctxt, item: &Item) {
        match item.name.to_string().as_str() {
            "key" => set(ctxt, &mut self.key, item, item.flag()),
            "unique" => {
                let group = optional_text(item);
                self.unique.extend(ctxt.ok(group).map(|group| (item.span(), group)));
            }
            "index" => {
                let index = Index::read(ctxt, item);
                self.index.extend(index);
            }
            "references" => {
                let value = item.parse("name another entity: `references = User`");
                set(ctxt, &mut self.references, item, value);
            }
            "on_delete" => {
                let value = item.parse("write `on_delete = cascade`, restrict, set_null or no_action");
                set(ctxt, &mut self.on_delete, item, value);
            }
            "default" => set(ctxt, &mut self.default, item, item.text()),
            "generated" => {
                let value = optional_text(item).map(|expression| Generated { span: item.span(), expression });
                set(ctxt, &mut self.generated, item, value);
            }
            "denormalized" => {
                let value = item.parse(
                    "name a foreign key of this struct, and a field of what it points at: `denormalized = stand_id.name`",
                );
                set(ctxt, &mut self.denormalized, item, value);
            }
            "rename" => set(ctxt, &mut self.rename, item, item.text()),
            "skip" => set(ctxt, &mut self.skip, item, item.flag()),
            "json" => set(ctxt, &mut self.json, item, item.flag()),
            "sql_type" => set(ctxt, &mut self.sql_type, item, item.text()),
            "check" => {
                let check = item.text();
                self.checks.extend(ctxt.ok(check));
            }
            "region" => set(ctxt, &mut self.region, item, item.flag()),
            _ => unknown(ctxt, item, "a field", ON_FIELD, ON_STRUCT, "the struct"),
        }
    }
}

impl Field {
    /// The names of the entries besides `skip`.
    pub(crate) fn besides_skip(&self) -> Vec<&'static str> {
        [
            ("key", self.key.is_some()),
            ("unique", !self.unique.is_empty()),
            ("index", !self.index.is_empty()),
            ("references", self.references.is_some()),
            ("on_delete", self.on_delete.is_some()),
            ("default", self.default.is_some()),
            ("generated", self.generated.is_some()),
            ("denormalized", self.denormalized.is_some()),
            ("rename", self.rename.is_some()),
            ("json", self.json.is_some()),
            ("sql_type", self.sql_type.is_some()),
            ("check", !self.checks.is_empty()),
            ("region", self.region.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, there)| there.then_some(name))
        .collect()
    }
}

impl Index {
    fn read(ctxt: &mut Ctxt, item: &Item) -> Option<Self> {
        let (mut group, mut order, mut predicate) = (None, None, None);
        match &item.value {
            Value::None => {}
            Value::Is(value) => {
                ctxt.error(value, "write `index`, or `index(group = \"name\", order = desc, where = \"…\")`");
                return None;
            }
            Value::List(list) => {
                for item in list {
                    match item.name.to_string().as_str() {
                        "group" => set(ctxt, &mut group, item, item.text()),
                        "order" => {
                            set(ctxt, &mut order, item, item.parse::<Ident>("write `order = asc` or `order = desc`"))
                        }
                        "where" => set(ctxt, &mut predicate, item, item.text()),
                        _ => unknown(ctxt, item, "an index", &["group", "order", "where"], &[], ""),
                    }
                }
            }
        }
        if let Some(order) = &order
            && order != "asc"
            && order != "desc"
        {
            ctxt.error(order, "write `order = asc` or `order = desc`");
        }
        Some(Self { span: item.span(), group, descending: order.is_some_and(|order| order == "desc"), predicate })
    }
}

fn optional_text(item: &Item) -> syn::Result<Option<LitStr>> {
    match item.value {
        Value::None => Ok(None),
        Value::Is(_) | Value::List(_) => item.text().map(Some),
    }
}
