//! What only the types know is left to the compiler, with the caret on the user's own field.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;

use super::columns::column_type;
use crate::model::{Entity, Field, Group};

/// The checks, as code that is never run.
pub(super) fn all(entity: &Entity) -> TokenStream {
    let columns = entity.columns().map(|(_, field)| column(entity, field));
    let keys = entity.key().into_iter().map(|at| key(entity, entity.field(at)));
    let distribution = entity.distribution.map(|at| distribution(entity, entity.field(at)));
    let partition = entity.partition.as_ref().map(|partition| partition_column(entity, entity.field(partition.column)));
    let group = colocated(entity);
    let references = entity.columns().filter_map(|(_, field)| foreign_key(entity, field));
    let regions =
        entity.columns().filter(|(_, field)| field.attr.region.is_some()).map(|(_, field)| region(entity, field));
    let sequences = entity.columns().filter_map(|(_, field)| sequence(entity, field));
    quote!(#(#columns)* #(#sequences)* #(#keys)* #distribution #partition #group #(#references)* #(#regions)*)
}

fn column(entity: &Entity, field: &Field) -> TokenStream {
    let (krate, ty) = (&entity.krate, column_type(entity, field));
    quote_spanned! {field.ty_span()=>
        const _: fn() = || {
            fn column<T: #krate::entity::ColumnType>() {}
            column::<#ty>();
        };
    }
}

/// What Citus takes as an identity column.
fn sequence(entity: &Entity, field: &Field) -> Option<TokenStream> {
    let is_sequence = field.attr.generated.as_ref()?.expression.is_none();
    let (krate, ty) = (&entity.krate, &field.ty);
    is_sequence.then(|| {
        quote_spanned! {field.ty_span()=>
            const _: () = ::core::assert!(
                #krate::__private::is_bigint(<#ty as #krate::entity::ColumnType>::DDL),
                "a sequence fills an `i64`: Citus refuses identity columns of other types; for a computed column write \
                 `generated = \"expression\"`"
            );
        }
    })
}

fn key(entity: &Entity, field: &Field) -> TokenStream {
    let (krate, ty) = (&entity.krate, &field.ty);
    quote_spanned! {field.ty_span()=>
        const _: fn() = || {
            fn key<T: #krate::entity::Element>() {}
            key::<#ty>();
        };
    }
}

fn distribution(entity: &Entity, field: &Field) -> TokenStream {
    let (krate, ty) = (&entity.krate, &field.ty);
    quote_spanned! {field.ty_span()=>
        const _: fn() = || {
            fn distribution_key<T: #krate::DistributionKey>() {}
            distribution_key::<#ty>();
        };
    }
}

fn partition_column(entity: &Entity, field: &Field) -> TokenStream {
    let (krate, ty) = (&entity.krate, &field.ty);
    quote_spanned! {field.ty_span()=>
        const _: fn() = || {
            fn partition_column<T: #krate::entity::PartitionColumn>() {}
            partition_column::<#ty>();
        };
    }
}

fn region(entity: &Entity, field: &Field) -> TokenStream {
    let (krate, ty) = (&entity.krate, &field.ty);
    quote_spanned! {field.ty_span()=>
        const _: fn(#ty) -> #krate::Region = |region| region;
    }
}

/// The entity named by `colocated_with` is distributed by a key of the same type.
fn colocated(entity: &Entity) -> Option<TokenStream> {
    let (krate, Group::With(other)) = (&entity.krate, &entity.group) else { return None };
    let key = &entity.field(entity.distribution?).ty;
    Some(quote_spanned! {other.span()=>
        const _: fn() = || {
            fn same_key<T: #krate::entity::Distributed<DistributionKey = #key>>() {}
            same_key::<#other>();
        };
    })
}

fn foreign_key(entity: &Entity, field: &Field) -> Option<TokenStream> {
    let (krate, target, ty) = (&entity.krate, field.attr.references.as_ref()?, &field.ty);
    let reachable = match entity.distribution.map(|at| &entity.field(at).ty) {
        Some(key) => {
            let ident = &entity.ident;
            quote_spanned! {target.span()=>
                fn co_located<T: #krate::entity::Entity>()
                where
                    T::Distribution: #krate::entity::MeetsIn<#key, <#ident as #krate::entity::Distributed>::Group>,
                {
                }
                co_located::<#target>();
            }
        }
        // Citus: a reference table can't point at distributed rows.
        None => quote_spanned! {target.span()=>
            fn on_every_node<T: #krate::entity::Reference>() {}
            on_every_node::<#target>();
        },
    };
    Some(quote_spanned! {target.span()=>
        const _: fn() = || {
            #reachable
            fn of_its_key<F: #krate::entity::ForeignKeyTo<K>, K>() {}
            of_its_key::<#ty, <#target as #krate::entity::Entity>::Key>();
        };
        const _: () = ::core::assert!(
            !<#target as #krate::entity::Entity>::PARTITIONED,
            "a partitioned table can't be referenced: its primary key holds the partition column, which this struct lacks; \
             remove `references`, and keep the id as a plain column"
        );
    })
}
