//! The table's description.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt as _;

use super::columns::{bind_name, of_type, read_name};
use super::option;
use crate::model::{Entity, Field, Group};

/// `static COLUMNS` and `static TABLE`; `rollup` is what it adds up, where it is one, and `view` what makes a view of it.
pub(super) fn description(entity: &Entity, rollup: Option<&TokenStream>, view: Option<&TokenStream>) -> TokenStream {
    let krate = &entity.krate;
    let (name, table) = (entity.ident.unraw().to_string(), &entity.table);
    let schema = option(entity.schema.as_ref().map(|schema| quote!(#schema)));
    let kind = kind(entity);
    let columns: Vec<_> = entity.columns().map(|(at, field)| column(entity, at, field)).collect();
    let count = columns.len();
    let (key, primary_key) = (names(entity, &entity.key()), names(entity, &entity.primary_key()));
    let (uniques, indexes, foreign_keys, checks) =
        (uniques(entity), indexes(entity), foreign_keys(entity), checks(entity));
    let partition = option(entity.partition.as_ref().map(|partition| {
        let (column, interval) = (&entity.field(partition.column).column, format_ident!("{}", partition.interval));
        quote!(#krate::schema::Partition { column: #column, interval: #krate::schema::Interval::#interval })
    }));
    let (rollup, view) = (option(rollup), option(view));
    quote! {
        static COLUMNS: [#krate::schema::ColumnDef; #count] = [#(#columns),*];
        static TABLE: #krate::schema::Table = #krate::schema::Table {
            entity: #name,
            schema: #schema,
            name: #table,
            kind: #kind,
            columns: &COLUMNS,
            key: &[#(#key),*],
            primary_key: &[#(#primary_key),*],
            uniques: &[#(#uniques),*],
            indexes: &[#(#indexes),*],
            foreign_keys: &[#(#foreign_keys),*],
            checks: &[#(#checks),*],
            partition: #partition,
            rollup: #rollup,
            view: #view,
        };
    }
}

pub(super) fn kind(entity: &Entity) -> TokenStream {
    let krate = &entity.krate;
    let Some(at) = entity.distribution else { return quote!(#krate::schema::Kind::Reference) };
    let column = &entity.field(at).column;
    let colocated = match &entity.group {
        Group::Default => quote!(#krate::schema::Colocation::Default),
        Group::Own => quote!(#krate::schema::Colocation::Own),
        Group::With(other) => quote!(#krate::schema::Colocation::With(<#other as #krate::entity::Entity>::table)),
    };
    quote!(#krate::schema::Kind::Distributed { column: #column, colocated_with: #colocated })
}

pub(super) fn column(entity: &Entity, at: usize, field: &Field) -> TokenStream {
    let krate = &entity.krate;
    let (name, column) = (field.ident.unraw().to_string(), &field.column);
    let sql_type = match &field.attr.sql_type {
        Some(sql_type) => quote!(#sql_type),
        None => of_type(entity, field, "DDL"),
    };
    let (wire, nullable) = (of_type(entity, field, "WIRE"), of_type(entity, field, "NULLABLE"));
    let enumeration = of_type(entity, field, "ENUMERATION");
    let (bind, read) = (bind_name(at), read_name(at));
    let default = option(field.attr.default.as_ref().map(|default| quote!(#default)));
    let generated = option(field.attr.generated.as_ref().map(|generated| match &generated.expression {
        Some(expression) => quote!(#krate::schema::Generated::Stored(#expression)),
        None => quote!(#krate::schema::Generated::Identity),
    }));
    let denormalized = option(denormalized(entity, field));
    let is_region = field.attr.region.is_some();
    quote! {
        #krate::schema::ColumnDef {
            field: #name,
            name: #column,
            sql_type: #sql_type,
            wire: #wire,
            bind: #bind,
            read: #read,
            nullable: #nullable,
            default: #default,
            generated: #generated,
            enumeration: #enumeration,
            denormalized: #denormalized,
            is_region: #is_region,
        }
    }
}

fn denormalized(entity: &Entity, field: &Field) -> Option<TokenStream> {
    let krate = &entity.krate;
    let (through, source) = entity.copied(field)?;
    let (column, target) = (&through.column, through.attr.references.as_ref()?);
    Some(quote!(#krate::schema::Denormalized { through: #column, source: <#target>::#source.name() }))
}

pub(super) fn names<'a>(entity: &'a Entity, fields: &[usize]) -> Vec<&'a str> {
    fields.iter().map(|&at| entity.field(at).column.as_str()).collect()
}

fn uniques(entity: &Entity) -> Vec<TokenStream> {
    let krate = &entity.krate;
    let unique = |unique: &crate::model::Unique| {
        let name = option(unique.name.as_ref().map(|name| quote!(#name)));
        let columns = names(entity, &entity.widened(&unique.columns));
        quote!(#krate::schema::Unique { name: #name, columns: &[#(#columns),*] })
    };
    entity.uniques.iter().map(unique).collect()
}

/// A tenant's queries all name the distribution key, so it comes first in every index.
fn indexes(entity: &Entity) -> Vec<TokenStream> {
    let krate = &entity.krate;
    let index = |index: &crate::model::Index| {
        let name = option(index.name.as_ref().map(|name| quote!(#name)));
        let predicate = option(index.predicate.as_ref().map(|predicate| quote!(#predicate)));
        let first = entity.distribution.filter(|at| !index.columns.iter().any(|(column, _)| column == at));
        let columns = first.map(|at| (at, false)).into_iter().chain(index.columns.iter().copied());
        let columns = columns.map(|(at, descending)| {
            let name = &entity.field(at).column;
            quote!(#krate::schema::IndexColumn { name: #name, descending: #descending })
        });
        quote!(#krate::schema::Index { name: #name, columns: &[#(#columns),*], predicate: #predicate })
    };
    entity.indexes.iter().map(index).collect()
}

fn foreign_keys(entity: &Entity) -> Vec<TokenStream> {
    let krate = &entity.krate;
    let foreign_key = |(_, field): (usize, &Field)| {
        let (column, target) = (&field.column, field.attr.references.as_ref()?);
        let action = field.attr.on_delete.as_ref().map_or("NoAction", |action| match action.to_string().as_str() {
            "cascade" => "Cascade",
            "restrict" => "Restrict",
            "set_null" => "SetNull",
            _ => "NoAction",
        });
        let action = format_ident!("{action}");
        Some(quote! {
            #krate::schema::ForeignKey {
                column: #column,
                target: <#target as #krate::entity::Entity>::table,
                on_delete: #krate::schema::OnDelete::#action,
            }
        })
    };
    entity.columns().filter_map(foreign_key).collect()
}

fn checks(entity: &Entity) -> Vec<TokenStream> {
    let krate = &entity.krate;
    let checks = |(_, field): (usize, &Field)| {
        let column = field.column.clone();
        let check = field
            .attr
            .checks
            .iter()
            .map(move |expression| quote!(#krate::schema::Check { column: #column, expression: #expression }));
        check.collect::<Vec<_>>()
    };
    entity.columns().flat_map(checks).collect()
}
