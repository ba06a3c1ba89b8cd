//! The row codec: values in and out, by position.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::columns::column_type;
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
        fn bind_insert<'a>(&'a self, params: &mut #krate::entity::Params<'a>) {
            #(#insert)*
        }
        fn bind_update<'a>(&'a self, params: &mut #krate::entity::Params<'a>) {
            #(#update)*
        }
        fn read<R: #krate::entity::Columns>(
            row: &R,
            at: ::core::primitive::usize,
        ) -> ::core::result::Result<Self, #krate::__private::PgError> {
            ::core::result::Result::Ok(Self { #read })
        }
    }
}

/// `Entity::Key`
pub(super) fn key_type(entity: &Entity) -> TokenStream {
    let types: Vec<_> = entity.key().into_iter().map(|at| &entity.field(at).ty).collect();
    match types.as_slice() {
        [one] => quote!(#one),
        many => quote!((#(#many),*)),
    }
}

fn key(entity: &Entity) -> TokenStream {
    let values: Vec<_> = entity
        .key()
        .into_iter()
        .map(|at| &entity.field(at).ident)
        .map(|ident| quote!(::core::clone::Clone::clone(&self.#ident)))
        .collect();
    match values.as_slice() {
        [one] => quote!(#one),
        many => quote!((#(#many),*)),
    }
}

fn bind(entity: &Entity, field: &Field) -> TokenStream {
    let (krate, ident) = (entity.krate_at(field.ty_span()), &field.ident);
    match (field.attr.json, field.optional) {
        (None, _) => quote_spanned!(field.ty_span()=> params.push(&self.#ident);),
        (Some(_), false) => {
            quote_spanned!(field.ty_span()=> params.push_owned(#krate::entity::JsonRef(&self.#ident));)
        }
        (Some(_), true) => quote_spanned! {field.ty_span()=>
            params.push_owned(::core::option::Option::map(
                ::core::option::Option::as_ref(&self.#ident),
                #krate::entity::JsonRef,
            ));
        },
    }
}

fn read(entity: &Entity) -> TokenStream {
    let mut place = 0_usize;
    let fields = entity.fields.iter().map(|field| {
        let ident = &field.ident;
        if field.attr.skip.is_some() {
            return quote_spanned!(field.ty_span()=> #ident: ::core::default::Default::default(),);
        }
        let ty = column_type(entity, field);
        let krate = entity.krate_at(field.ty_span());
        let value = quote_spanned!(field.ty_span()=> #krate::entity::Columns::column::<#ty>(row, at + #place)?);
        place += 1;
        match (field.attr.json, field.optional) {
            (None, _) => quote!(#ident: #value,),
            (Some(_), false) => quote!(#ident: #value.0,),
            (Some(_), true) => quote!(#ident: ::core::option::Option::map(#value, |json| json.0),),
        }
    });
    quote!(#(#fields)*)
}
