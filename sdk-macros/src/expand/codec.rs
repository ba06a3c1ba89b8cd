//! The row codec: values in and out, by position.
//!
//! Names that a macro writes into a pattern or a signature can meet constants and types of the user's: hence `__`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::columns::inner_of_option;
use crate::model::{Entity, Field};

/// The methods of `Entity` that touch values.
pub(super) fn methods(entity: &Entity) -> TokenStream {
    let krate = &entity.krate;
    let key = key(entity);
    let insert = entity.written().into_iter().map(|at| bind(entity, entity.field(at)));
    let update = entity.primary_key().into_iter().chain(entity.updated()).map(|at| bind(entity, entity.field(at)));
    let read = read(entity);
    quote! {
        fn key(&self) -> Self::Key {
            #key
        }
        fn bind_insert<'a>(&'a self, __params: &mut #krate::entity::Params<'a>) {
            #(#insert)*
        }
        fn bind_update<'a>(&'a self, __params: &mut #krate::entity::Params<'a>) {
            #(#update)*
        }
        fn read<__R: #krate::entity::Columns>(
            __row: &__R,
            __at: ::core::primitive::usize,
        ) -> ::core::result::Result<Self, __R::Error> {
            ::core::result::Result::Ok(Self { #read })
        }
    }
}

/// `type Key`
pub(super) fn key_type(entity: &Entity) -> TokenStream {
    let fields: Vec<_> = entity.key().into_iter().map(|at| entity.field(at)).collect();
    match fields.as_slice() {
        [one] => {
            let ty = &one.ty;
            quote_spanned!(one.ty_span()=> type Key = #ty;)
        }
        many => {
            let types = many.iter().map(|field| &field.ty);
            quote!(type Key = (#(#types),*);)
        }
    }
}

fn key(entity: &Entity) -> TokenStream {
    let value = |at| {
        let Field { ident, ty, .. } = entity.field(at);
        quote_spanned!(entity.field(at).ty_span()=> <#ty as ::core::clone::Clone>::clone(&self.#ident))
    };
    let values: Vec<_> = entity.key().into_iter().map(value).collect();
    match values.as_slice() {
        [one] => quote!(#one),
        many => quote!((#(#many),*)),
    }
}

fn bind(entity: &Entity, field: &Field) -> TokenStream {
    let (krate, ty, span) = (&entity.krate, &field.ty, field.ty_span());
    let mut ident = field.ident.clone();
    // The compiler points at the argument; the fault is in the type.
    ident.set_span(ident.span().located_at(span));
    match (field.attr.json, field.optional) {
        (None, _) => {
            quote_spanned!(span=> <#ty as #krate::entity::ColumnType>::bind_column(&self.#ident, __params);)
        }
        (Some(_), false) => {
            quote_spanned!(span=> <#ty as #krate::entity::JsonDocument>::bind_document(&self.#ident, __params);)
        }
        (Some(_), true) => {
            let ty = inner_of_option(ty);
            quote_spanned!(span=> <#ty as #krate::entity::JsonDocument>::bind_optional(&self.#ident, __params);)
        }
    }
}

fn read(entity: &Entity) -> TokenStream {
    let krate = &entity.krate;
    let mut place = 0_usize;
    let fields = entity.fields.iter().map(|field| {
        let (ident, ty, span) = (&field.ident, &field.ty, field.ty_span());
        if field.attr.skip.is_some() {
            let default = quote_spanned!(span=> <#ty as ::core::default::Default>::default());
            return quote!(#ident: #default,);
        }
        let read = match (field.attr.json, field.optional) {
            (None, _) => quote_spanned!(span=> <#ty as #krate::entity::ColumnType>::read_column),
            (Some(_), false) => quote_spanned!(span=> <#ty as #krate::entity::JsonDocument>::read_document),
            (Some(_), true) => {
                let inner = inner_of_option(ty);
                quote_spanned!(span=> <#inner as #krate::entity::JsonDocument>::read_optional)
            }
        };
        let at = place;
        place += 1;
        quote_spanned!(span=> #ident: #read(__row, __at + #at)?,)
    });
    quote!(#(#fields)*)
}
