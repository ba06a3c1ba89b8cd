//! What only the types know is left to the compiler, with the caret on the user's own field or attribute.
//!
//! Each check names the constant `CHECKED` of the trait that says what is asked for. That a field's type is a column type
//! needs no check of its own: whatever describes the column asks for it.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;

use crate::model::{Entity, Field};

/// The checks, as constants that nobody reads.
pub(super) fn all(entity: &Entity) -> TokenStream {
    let partition = entity.partition.as_ref().map(|partition| {
        let krate = &entity.krate;
        of_type(entity.field(partition.column), &quote!(#krate::entity::PartitionColumn))
    });
    let fields = entity.columns().map(|(_, field)| of_field(entity, field));
    let references = entity.columns().filter_map(|(_, field)| foreign_key(entity, field));
    quote!(#partition #(#fields)* #(#references)*)
}

fn of_field(entity: &Entity, field: &Field) -> TokenStream {
    let krate = &entity.krate;
    let region = field.attr.region.map(|_| of_type(field, &quote!(#krate::entity::RegionColumn)));
    let has_sequence = field.attr.generated.as_ref().is_some_and(|generated| generated.expression.is_none());
    let sequence = has_sequence.then(|| of_type(field, &quote!(#krate::entity::SequenceColumn)));
    let denormalized = entity.copied(field).and_then(|(through, source)| {
        let (target, ty) = (through.attr.references.as_ref()?, &field.ty);
        Some(quote_spanned! {field.ty_span()=>
            const _: () = #krate::entity::Followed::column(<#target>::#source).by::<#ty>();
        })
    });
    quote!(#region #sequence #denormalized)
}

fn of_type(field: &Field, ask: &TokenStream) -> TokenStream {
    let ty = &field.ty;
    quote_spanned!(field.ty_span()=> const _: () = <#ty as #ask>::CHECKED;)
}

fn foreign_key(entity: &Entity, field: &Field) -> Option<TokenStream> {
    let (krate, target, ty) = (&entity.krate, field.attr.references.as_ref()?, &field.ty);
    let key = entity.distribution.map(|at| &entity.field(at).ty);
    let is_distribution_key = entity.distribution.is_some_and(|at| entity.field(at).ident == field.ident);
    // Citus: rows that every node has can't point at rows that one node has. And between distributed tables the key
    // carries the distribution column, which neither stands in it twice nor may be part of a SET NULL.
    let clears = field.attr.on_delete.as_ref().filter(|action| *action == "set_null");
    let reachable = match (key, clears) {
        (Some(_), Some(action)) => quote_spanned! {action.span()=>
            const _: () = <<#target as #krate::entity::Entity>::Distribution as #krate::entity::ClearedByDelete>::CHECKED;
        },
        (Some(key), None) if !is_distribution_key => {
            let ident = &entity.ident;
            quote_spanned! {target.span()=>
                const _: () = <<#target as #krate::entity::Entity>::Distribution as #krate::entity::MeetsIn<
                    #key,
                    <#ident as #krate::entity::Distributed>::Group,
                >>::CHECKED;
            }
        }
        _ => quote_spanned! {target.span()=>
            const _: () = <<#target as #krate::entity::Entity>::Distribution as #krate::entity::OnEveryNode>::CHECKED;
        },
    };
    let same_key = quote_spanned! {field.ty_span()=>
        const _: () = <#ty as #krate::entity::ForeignKeyTo<<#target as #krate::entity::Entity>::Key>>::CHECKED;
    };
    Some(quote_spanned! {target.span()=>
        #reachable
        #same_key
        const _: () = ::core::assert!(
            !<#target as #krate::entity::Entity>::PARTITIONED,
            "a partitioned table can't be referenced: its primary key holds the partition column, which this struct lacks; \
             remove `references`, and keep the id as a plain column"
        );
    })
}
