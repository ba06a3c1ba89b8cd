//! Writes the code of a rollup: that of an entity, the table behind its view, and what the compiler checks of its source.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;

use super::{Place, of_table, option, table};
use crate::model::{Field, constant};
use crate::rollup::{Filter, Role, Rollup};
use crate::statement::facts;

/// All code of one rollup.
pub(crate) fn rollup(rollup: &Rollup) -> TokenStream {
    let (krate, ident) = (&rollup.entity.krate, &rollup.entity.ident);
    let table = table::description(&rollup.entity, Some(&quote!(&ROLLUP)), None);
    let (parts, description, checks) = (parts(rollup), description(rollup), checks(rollup));
    let others = quote! {
        #parts
        #description
        impl #krate::entity::Rollup for #ident {}
        #checks
    };
    of_table(&rollup.entity, &table, &Place::of(&rollup.entity, &others))
}

fn roles(rollup: &Rollup) -> impl Iterator<Item = (&Field, &Role)> {
    rollup.entity.fields.iter().zip(&rollup.roles)
}

/// `static PARTS`: what the view adds up.
fn parts(rollup: &Rollup) -> TokenStream {
    let entity = &rollup.entity;
    let krate = &entity.krate;
    let (name, table) = (entity.ident.unraw().to_string(), format!("{}_parts", entity.table));
    let (schema, kind) = (option(entity.schema.as_ref()), table::kind(entity));
    let own = |name: &str, sql_type: &str, wire: &str, default: Option<&str>| {
        let (wire, default) = (format_ident!("{wire}"), option(default));
        quote! {
            #krate::schema::ColumnDef {
                field: #name,
                name: #name,
                sql_type: #sql_type,
                wire: #krate::__private::Type::#wire,
                bind: "",
                read: "",
                nullable: false,
                default: #default,
                generated: ::core::option::Option::None,
                enumeration: ::core::option::Option::None,
                denormalized: ::core::option::Option::None,
                is_region: false,
            }
        }
    };
    let columns = entity.columns().zip(&rollup.roles).map(|((at, field), role)| match role {
        Role::Group { .. } => table::column(entity, at, field),
        // A new column is added to parts that are there.
        Role::Count { .. } => own(&field.column, "bigint", "INT8", Some("0")),
        // What a writer takes away may be more than the sum can be.
        Role::Sum { .. } => own(&field.column, "numeric", "NUMERIC", Some("0")),
    });
    let (part, rows) = (own("part", "bigint", "INT8", None), own("rows", "bigint", "INT8", None));
    let mut key = table::names(entity, &entity.primary_key());
    key.push("part");
    quote! {
        static PARTS: #krate::schema::Table = #krate::schema::Table {
            entity: #name,
            schema: #schema,
            name: #table,
            kind: #kind,
            columns: &[#(#columns,)* #part, #rows],
            key: &[],
            primary_key: &[#(#key),*],
            uniques: &[],
            indexes: &[],
            foreign_keys: &[],
            checks: &[],
            partition: ::core::option::Option::None,
            rollup: ::core::option::Option::Some(&ROLLUP),
            view: ::core::option::Option::None,
        };
    }
}

/// `static ROLLUP`
fn description(rollup: &Rollup) -> TokenStream {
    let (krate, of) = (&rollup.entity.krate, &rollup.of);
    let source = |name: &Ident| {
        let constant = constant(name);
        quote!(<#of>::#constant.name())
    };
    let groups = roles(rollup).filter_map(|(field, role)| {
        let Role::Group { source: name, period } = role else { return None };
        let (column, source) = (&field.column, source(name));
        let period = option(period.map(|period| {
            let period = format_ident!("{period}");
            quote!(#krate::schema::Period::#period)
        }));
        Some(quote!(#krate::schema::GroupColumn { column: #column, source: #source, period: #period }))
    });
    let aggregates = roles(rollup).filter_map(|(field, role)| {
        let (name, filter) = match role {
            Role::Group { .. } => return None,
            Role::Count { filter, .. } => (None, filter),
            Role::Sum { source, filter } => (Some(source), filter),
        };
        let (column, source) = (&field.column, option(name.map(source)));
        let filter = option(filter.as_ref().map(|filter| &filter.condition));
        Some(quote!(#krate::schema::Aggregate { column: #column, source: #source, filter: #filter }))
    });
    quote! {
        static ROLLUP: #krate::schema::Rollup = #krate::schema::Rollup {
            view: &TABLE,
            parts: &PARTS,
            of: <#of as #krate::entity::Entity>::table,
            groups: &[#(#groups),*],
            aggregates: &[#(#aggregates),*],
        };
    }
}

/// The source has these columns, with these types, and the distribution key is the same.
fn checks(rollup: &Rollup) -> TokenStream {
    let (krate, of) = (&rollup.entity.krate, &rollup.of);
    let checked = quote!(#krate::entity::checked);
    let fields = roles(rollup).map(|(field, role)| {
        let ty = &field.ty;
        let check = match role {
            Role::Group { source, period: None } => {
                let constant = constant(source);
                quote_spanned!(field.ty_span()=> #checked::same::<#of, #ty>(<#of>::#constant))
            }
            Role::Group { source, period: Some("Hour") } => {
                let constant = constant(source);
                quote_spanned!(field.ty_span()=> #checked::hour::<#of, #ty, _>(<#of>::#constant))
            }
            Role::Group { source, period: Some(_) } => {
                let constant = constant(source);
                quote_spanned!(field.ty_span()=> #checked::period::<#of, #ty, _>(<#of>::#constant))
            }
            Role::Count { .. } => quote_spanned!(field.ty_span()=> #checked::count::<#ty>()),
            Role::Sum { source, .. } => {
                let constant = constant(source);
                quote_spanned!(source.span()=> #checked::sum::<#of, #ty, _>(<#of>::#constant))
            }
        };
        let filter = match role {
            Role::Count { filter: Some(filter), .. } | Role::Sum { filter: Some(filter), .. } => {
                filter_check(rollup, filter)
            }
            _ => TokenStream::new(),
        };
        quote!(const _: () = #check; #filter)
    });
    let key = rollup.entity.distribution.and_then(|at| match &rollup.roles[at] {
        Role::Group { source, .. } => Some((&rollup.entity.field(at).ident, constant(source))),
        Role::Count { .. } | Role::Sum { .. } => None,
    });
    let key = key.map(|(field, constant)| {
        quote_spanned! {field.span()=>
            const _: () = ::core::assert!(
                match <#of as #krate::entity::Entity>::FACTS.key {
                    ::core::option::Option::Some(__key) => #checked::same_name(__key, <#of>::#constant.name()),
                    ::core::option::Option::None => false,
                },
                "a rollup's rows live with those that they add up: `distributed_by` has to name the field with the source's \
                 distribution key, and the source has to be distributed"
            );
        }
    });
    quote!(#(#fields)* #key)
}

/// As `sql!` does it, with the source as the one table.
fn filter_check(rollup: &Rollup, filter: &Filter) -> TokenStream {
    let (krate, of, text) = (&rollup.entity.krate, &rollup.of, &filter.text);
    let name = rollup.of.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
    let lists = filter.found.fact_lists(&[]);
    let facts = facts(krate, &lists.facts());
    quote_spanned! {filter.condition.span()=>
        #[allow(long_running_const_eval)]
        const _: () = #krate::__private::check(
            #text,
            &#facts,
            &[#krate::entity::TableFacts {
                schema: ::core::option::Option::None,
                name: #name,
                key: ::core::option::Option::None,
                key_type: "",
                group: "",
                columns: <#of as #krate::entity::Entity>::FACTS.columns,
            }],
        );
    }
}
