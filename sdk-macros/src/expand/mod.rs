//! Writes the code of an entity. Everything but the column constants stands inside `const _`, and names everything by
//! its full path: so it meets no name of the user's.

mod bounds;
mod caching;
mod codec;
mod columns;
mod facts;
mod rollup;
mod statements;
mod table;
mod view;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned as _;

use crate::model::{Entity, Field, Group};

pub(crate) use rollup::rollup;
pub(crate) use view::view;

/// All code of one entity.
pub(crate) fn entity(entity: &Entity) -> TokenStream {
    let (krate, ident) = (&entity.krate, &entity.ident);
    let writable = quote!(impl #krate::entity::Writable for #ident {});
    let (table, bounds) = (table::description(entity, None, None), bounds::all(entity));
    of_table(entity, &table, &Place::of(entity, &quote!(#writable #bounds)))
}

/// Where the rows are, as the traits say it.
struct Place {
    /// `type Distribution`
    distribution: TokenStream,
    /// `const FACTS`
    facts: TokenStream,
    /// The trait that goes with it, and what else belongs to the entity.
    others: TokenStream,
}

impl Place {
    fn of(entity: &Entity, others: &TokenStream) -> Self {
        let (distribution, kind) = kind(entity);
        Self { distribution, facts: facts::all(entity), others: quote!(#kind #others) }
    }
}

/// What every entity has, whatever its table is made of; and what else belongs to it.
fn of_table(entity: &Entity, table: &TokenStream, place: &Place) -> TokenStream {
    let (krate, ident) = (&entity.krate, &entity.ident);
    let constants = columns::constants(entity);
    let casts = columns::casts(entity);
    let statements = statements::all(entity);
    let codec = codec::methods(entity);
    let key_type = codec::key_type(entity);
    let caching = caching::constant(entity);
    let partitioned = entity.partition.is_some();
    let Place { distribution, facts, others } = place;
    quote! {
        #constants
        const _: () = {
            #casts
            #table
            #statements
            impl #krate::entity::Entity for #ident {
                #distribution
                #key_type
                const PARTITIONED: ::core::primitive::bool = #partitioned;
                #caching
                #facts
                fn table() -> &'static #krate::schema::Table {
                    &TABLE
                }
                fn statements() -> &'static #krate::entity::Statements {
                    &STATEMENTS
                }
                #codec
            }
            #others
        };
    }
}

/// `type Distribution`, and the trait that goes with it.
fn kind(entity: &Entity) -> (TokenStream, TokenStream) {
    let (krate, ident) = (&entity.krate, &entity.ident);
    let Some(at) = entity.distribution else {
        let reference = quote! { impl #krate::entity::Reference for #ident {} };
        return (quote!(type Distribution = #krate::entity::Replicated;), reference);
    };
    let Field { ty: key, ident: field, .. } = entity.field(at);
    let group = match &entity.group {
        Group::Default => quote!(#krate::entity::DefaultGroup),
        Group::Own => quote!(#ident),
        Group::With(other) => quote_spanned!(other.span()=> <#other as #krate::entity::DistributedBy<#key>>::Group),
    };
    let distribution_key = quote_spanned!(entity.field(at).ty_span()=> type DistributionKey = #key;);
    let distributed = quote! {
        impl #krate::entity::Distributed for #ident {
            #distribution_key
            type Group = #group;
            fn distribution_key(&self) -> &#key {
                &self.#field
            }
        }
    };
    (quote!(type Distribution = #krate::entity::HashDistributed<#key, #group>;), distributed)
}

/// The same option in what is written.
pub(crate) fn option(value: Option<impl ToTokens>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}
