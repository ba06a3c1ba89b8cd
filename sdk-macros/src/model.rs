//! What an entity's attributes mean: names resolved, keys completed. Complete only if `check` found no fault.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Data, DeriveInput, Fields, Ident, Path, Type, Visibility};

use crate::attr;
use crate::check;
use crate::ctxt::Ctxt;

/// An entity that can be expanded.
pub(crate) struct Entity {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    /// The path of the shardwise crate.
    pub(crate) krate: TokenStream,
    pub(crate) table: String,
    pub(crate) schema: Option<String>,
    /// All fields, those that are skipped included.
    pub(crate) fields: Vec<Field>,
    /// The field that the rows are distributed by; None for a reference entity. An index of `fields`.
    pub(crate) distribution: Option<usize>,
    pub(crate) group: Group,
    pub(crate) partition: Option<Partition>,
    /// Named groups of unique keys and indexes, in the order of their first fields.
    pub(crate) uniques: Vec<Unique>,
    pub(crate) indexes: Vec<Index>,
}

/// The co-location group.
pub(crate) enum Group {
    Default,
    Own,
    With(Path),
}

pub(crate) struct Partition {
    /// An index of `fields`.
    pub(crate) column: usize,
    /// The variant of `schema::Interval`.
    pub(crate) interval: &'static str,
}

pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) column: String,
    pub(crate) attr: attr::Field,
    /// Whether the type is written as an `Option`.
    pub(crate) optional: bool,
}

/// A unique key as the user wrote it: the columns that Citus needs are added by `Entity::widened`.
pub(crate) struct Unique {
    pub(crate) name: Option<String>,
    pub(crate) columns: Vec<usize>,
}

pub(crate) struct Index {
    pub(crate) name: Option<String>,
    /// Columns, and whether the largest value comes first.
    pub(crate) columns: Vec<(usize, bool)>,
    pub(crate) predicate: Option<String>,
}

impl Entity {
    /// Reads a struct, or returns all its errors as code.
    pub(crate) fn read(input: &DeriveInput) -> Result<Self, TokenStream> {
        let mut ctxt = Ctxt::default();
        let container = attr::Container::read(&mut ctxt, &input.attrs);
        let fields = fields(&mut ctxt, input);
        check::container(&mut ctxt, input, &container);
        check::fields(&mut ctxt, &container, &fields);

        let at = |name: &Ident| fields.iter().position(|field| field.ident.unraw() == name.unraw());
        let distribution = container.distributed_by.as_ref().and_then(at);
        let partition = container.partition_by.as_ref().and_then(|by| {
            let interval = check::interval(&mut ctxt, &by.interval)?;
            at(&by.column).map(|column| Partition { column, interval })
        });
        check::keys(&mut ctxt, input, &container, &fields, distribution);
        let table = container.table.as_ref().map(syn::LitStr::value).unwrap_or_default();
        let group = match &container.colocated_with {
            None => Group::Default,
            Some(path) if path.is_ident("none") => Group::Own,
            Some(path) => Group::With(path.clone()),
        };
        let (uniques, indexes) = (uniques(&table, &fields), indexes(&mut ctxt, &table, &fields));
        let entity = Self {
            ident: input.ident.clone(),
            vis: input.vis.clone(),
            krate: container.krate.map_or_else(|| quote!(::shardwise), ToTokens::into_token_stream),
            table,
            schema: container.schema.as_ref().map(syn::LitStr::value),
            distribution,
            group,
            partition,
            uniques,
            indexes,
            fields,
        };
        ctxt.finish(entity)
    }

    /// The path of the shardwise crate, as if it were written there: an error about what begins with it points there.
    pub(crate) fn krate_at(&self, span: Span) -> TokenStream {
        self.krate
            .clone()
            .into_iter()
            .map(|mut token| {
                token.set_span(span);
                token
            })
            .collect()
    }

    /// The fields that are columns, with their place among the columns.
    pub(crate) fn columns(&self) -> impl Iterator<Item = (usize, &Field)> {
        self.fields.iter().filter(|field| field.attr.skip.is_none()).enumerate()
    }

    pub(crate) fn field(&self, at: usize) -> &Field {
        &self.fields[at]
    }

    /// The key's fields without the distribution key.
    pub(crate) fn key(&self) -> Vec<usize> {
        let keys = (0..self.fields.len()).filter(|&at| self.fields[at].attr.key.is_some());
        keys.filter(|&at| Some(at) != self.distribution).collect()
    }

    /// The primary key's fields: distribution key, key, partition column.
    pub(crate) fn primary_key(&self) -> Vec<usize> {
        self.widened(&self.key())
    }

    /// The columns with those that Citus and PostgreSQL need in every unique key.
    pub(crate) fn widened(&self, columns: &[usize]) -> Vec<usize> {
        let mut all: Vec<_> = self.distribution.into_iter().filter(|at| !columns.contains(at)).collect();
        all.extend(columns);
        if let Some(partition) = &self.partition
            && !all.contains(&partition.column)
        {
            all.push(partition.column);
        }
        all
    }

    /// The fields that an insert writes.
    pub(crate) fn written(&self) -> Vec<usize> {
        let written = |field: &Field| field.attr.skip.is_none() && field.attr.generated.is_none();
        (0..self.fields.len()).filter(|&at| written(&self.fields[at])).collect()
    }

    /// The fields that an update writes: those outside the primary key.
    pub(crate) fn updated(&self) -> Vec<usize> {
        let key = self.primary_key();
        self.written().into_iter().filter(|at| !key.contains(at)).collect()
    }
}

fn fields(ctxt: &mut Ctxt, input: &DeriveInput) -> Vec<Field> {
    let Data::Struct(data) = &input.data else { return Vec::new() };
    let Fields::Named(named) = &data.fields else { return Vec::new() };
    let mut fields = Vec::new();
    for field in &named.named {
        let Some(ident) = field.ident.clone() else { continue };
        let attr = attr::Field::read(ctxt, &field.attrs);
        let column = attr.rename.as_ref().map_or_else(|| ident.unraw().to_string(), syn::LitStr::value);
        fields.push(Field { optional: is_option(&field.ty), ty: field.ty.clone(), column, attr, ident });
    }
    fields
}

fn is_option(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => path.path.segments.last().is_some_and(|segment| segment.ident == "Option"),
        Type::Group(group) => is_option(&group.elem),
        _ => false,
    }
}

fn uniques(table: &str, fields: &[Field]) -> Vec<Unique> {
    let mut uniques: Vec<Unique> = Vec::new();
    for (at, field) in fields.iter().enumerate() {
        for (_, group) in &field.attr.unique {
            let name = group.as_ref().map(|group| format!("{table}_{}", group.value()));
            match uniques.iter_mut().find(|unique| name.is_some() && unique.name == name) {
                Some(unique) => unique.columns.push(at),
                None => uniques.push(Unique { name, columns: vec![at] }),
            }
        }
    }
    uniques
}

fn indexes(ctxt: &mut Ctxt, table: &str, fields: &[Field]) -> Vec<Index> {
    let mut indexes: Vec<Index> = Vec::new();
    for (at, field) in fields.iter().enumerate() {
        for index in &field.attr.index {
            let name = index.group.as_ref().map(|group| format!("{table}_{}", group.value()));
            let predicate = index.predicate.as_ref().map(syn::LitStr::value);
            match indexes.iter_mut().find(|known| name.is_some() && known.name == name) {
                Some(known) => {
                    known.columns.push((at, index.descending));
                    if known.predicate.is_some() && predicate.is_some() {
                        ctxt.add(syn::Error::new(index.span, "this index has its `where` already: give it once"));
                    }
                    known.predicate = known.predicate.take().or(predicate);
                }
                None => indexes.push(Index { name, columns: vec![(at, index.descending)], predicate }),
            }
        }
    }
    indexes
}

impl Field {
    /// The span of the type, which errors about it point at.
    pub(crate) fn ty_span(&self) -> Span {
        self.ty.span()
    }
}
