//! What an entity's attributes mean: names resolved, keys completed. Complete only if `check` found no fault.

use proc_macro2::{Group as Tokens, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt as _;
use syn::parse::Parse;
use syn::spanned::Spanned as _;
use syn::{Data, DeriveInput, Fields, Ident, Path, PathArguments, Type, Visibility};

use crate::attr;
use crate::check;
use crate::ctxt::Ctxt;
use crate::item::Gather as _;

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
    pub(crate) caching: Option<Caching>,
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

/// How its rows are cached. Times are in milliseconds.
pub(crate) struct Caching {
    /// The variant of `schema::CacheWay`.
    pub(crate) way: &'static str,
    pub(crate) ttl: u64,
    pub(crate) negative: Option<u64>,
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
        check::denormalized(&mut ctxt, &input.ident, &container, &fields);

        let at = |name: &Ident| fields.iter().position(|field| field.ident.unraw() == name.unraw());
        let distribution = container.distributed_by.as_ref().and_then(at);
        let partition = container.partition_by.as_ref().and_then(|by| {
            let interval = check::interval(&mut ctxt, &by.interval)?;
            at(&by.column).map(|column| Partition { column, interval })
        });
        let caching = container.cache.as_ref().and_then(|cache| check::caching(&mut ctxt, cache));
        check::keys(&mut ctxt, input, &container, &fields, distribution);
        let table = container.table.as_ref().map(syn::LitStr::value).unwrap_or_default();
        let group = match &container.colocated_with {
            None => Group::Default,
            Some(path) if path.is_ident("none") => Group::Own,
            Some(path) => Group::With(path.clone()),
        };
        check::indexes(&mut ctxt, &table, &fields);
        let (uniques, indexes) = (uniques(&table, &fields), indexes(&table, &fields));
        let entity = Self {
            ident: input.ident.clone(),
            vis: input.vis.clone(),
            krate: container.krate.map_or_else(|| quote!(::shardwise), ToTokens::into_token_stream),
            table,
            schema: container.schema.as_ref().map(syn::LitStr::value),
            distribution,
            group,
            partition,
            caching,
            uniques,
            indexes,
            fields,
        };
        check::uniques(&mut ctxt, &entity);
        ctxt.finish(entity)
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

    /// Of a denormalised field: the foreign key, and the constant of the column that it has of the row there.
    pub(crate) fn copied(&self, field: &Field) -> Option<(&Field, Ident)> {
        let denormalized = field.attr.denormalized.as_ref()?;
        let through = self.fields.iter().find(|other| other.ident.unraw() == denormalized.through.unraw())?;
        Some((through, constant(&denormalized.source)))
    }

    /// The fields that an insert writes.
    pub(crate) fn written(&self) -> Vec<usize> {
        let by_server = |attr: &attr::Field| attr.generated.is_some() || attr.denormalized.is_some();
        let written = |field: &Field| field.attr.skip.is_none() && !by_server(&field.attr);
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
        let mut attr = attr::Field::read(ctxt, &field.attrs);
        attr.references = attr.references.map(|path| without_self(&path, &input.ident));
        let ty = without_self(&field.ty, &input.ident);
        let column = attr.rename.as_ref().map_or_else(|| ident.unraw().to_string(), syn::LitStr::value);
        fields.push(Field { optional: is_option(&ty), ty, column, attr, ident });
    }
    fields
}

/// `Option<…>`. A type of the user's own that is called so has no parameter.
pub(crate) fn is_option(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => path.path.segments.last().is_some_and(|segment| {
            segment.ident == "Option" && matches!(segment.arguments, PathArguments::AngleBracketed(_))
        }),
        Type::Group(group) => is_option(&group.elem),
        _ => false,
    }
}

/// The same with the struct's name for `Self`, which means nothing in most of the code that is written.
fn without_self<T: ToTokens + Parse + Clone>(tokens: &T, ident: &Ident) -> T {
    syn::parse2(named(tokens.to_token_stream(), ident)).unwrap_or_else(|_| tokens.clone())
}

fn named(tokens: TokenStream, ident: &Ident) -> TokenStream {
    let name = |token| match token {
        TokenTree::Ident(this) if this == "Self" => {
            let mut ident = ident.clone();
            ident.set_span(this.span());
            TokenTree::Ident(ident)
        }
        TokenTree::Group(group) => {
            let mut inner = Tokens::new(group.delimiter(), named(group.stream(), ident));
            inner.set_span(group.span());
            TokenTree::Group(inner)
        }
        other => other,
    };
    tokens.into_iter().map(name).collect()
}

fn uniques(table: &str, fields: &[Field]) -> Vec<Unique> {
    let mut uniques: Vec<Unique> = Vec::new();
    for (at, field) in fields.iter().enumerate() {
        for (_, group) in &field.attr.unique {
            let name = group.as_ref().map(|group| group_name(table, group));
            match uniques.iter_mut().find(|unique| name.is_some() && unique.name == name) {
                Some(unique) => unique.columns.push(at),
                None => uniques.push(Unique { name, columns: vec![at] }),
            }
        }
    }
    uniques
}

fn indexes(table: &str, fields: &[Field]) -> Vec<Index> {
    let mut indexes: Vec<Index> = Vec::new();
    for (at, field) in fields.iter().enumerate() {
        for index in &field.attr.index {
            let name = index.group.as_ref().map(|group| group_name(table, group));
            let predicate = index.predicate.as_ref().map(syn::LitStr::value);
            match indexes.iter_mut().find(|known| name.is_some() && known.name == name) {
                Some(known) => {
                    known.columns.push((at, index.descending));
                    known.predicate = known.predicate.take().or(predicate);
                }
                None => indexes.push(Index { name, columns: vec![(at, index.descending)], predicate }),
            }
        }
    }
    indexes
}

/// The name of a column's constant, with the caret where the user wrote the column.
pub(crate) fn constant(name: &Ident) -> Ident {
    format_ident!("{}", name.unraw().to_string().to_uppercase(), span = name.span())
}

/// The name of a group's index: unlike columns, indexes share the names of a schema.
pub(crate) fn group_name(table: &str, group: &syn::LitStr) -> String {
    format!("{table}_{}", group.value())
}

impl Field {
    /// The name of its column constant.
    pub(crate) fn constant(&self) -> String {
        self.ident.unraw().to_string().to_uppercase()
    }

    /// The span of the type, which errors about it point at.
    pub(crate) fn ty_span(&self) -> Span {
        self.ty.span()
    }
}
