//! The typed column constants, and the casts around each column.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::Ident;
use syn::ext::IdentExt as _;

use crate::model::{Entity, Field};

/// `Wallet::BALANCE` and its like.
pub(super) fn constants(entity: &Entity) -> TokenStream {
    let (ident, vis) = (&entity.ident, &entity.vis);
    let constants = entity.columns().map(|(_, field)| {
        let name = format_ident!("{}", field.ident.unraw().to_string().to_uppercase(), span = field.ident.span());
        let (ty, column, bind) = (column_type(entity, field), &field.column, bind(entity, field));
        let doc = format!("The column `{column}`.");
        let krate = entity.krate_at(field.ty_span());
        quote_spanned! {field.ty_span()=>
            #[doc = #doc]
            #vis const #name: #krate::entity::Column<Self, #ty> = #krate::entity::Column::new(#column, #bind);
        }
    });
    quote! {
        #[allow(dead_code, private_interfaces, missing_docs, unreachable_pub)]
        impl #ident {
            #(#constants)*
        }
    }
}

/// The type whose `ColumnType` describes the column: the field's own, or `Json` of it.
pub(super) fn column_type(entity: &Entity, field: &Field) -> TokenStream {
    let (krate, ty) = (entity.krate_at(field.ty_span()), &field.ty);
    match (field.attr.json, field.optional) {
        (None, _) => quote!(#ty),
        (Some(_), false) => quote_spanned!(field.ty_span()=> #krate::entity::Json<#ty>),
        (Some(_), true) => {
            let inner = inner_of_option(ty);
            quote_spanned!(field.ty_span()=> ::core::option::Option<#krate::entity::Json<#inner>>)
        }
    }
}

fn inner_of_option(ty: &syn::Type) -> TokenStream {
    if let syn::Type::Path(path) = ty
        && let Some(segment) = path.path.segments.last()
        && let syn::PathArguments::AngleBracketed(arguments) = &segment.arguments
    {
        let arguments = &arguments.args;
        return quote!(#arguments);
    }
    quote!(#ty)
}

/// `<T as ColumnType>::NAME`, with the field's type as its span: an unknown type is reported there.
pub(super) fn of_type(entity: &Entity, field: &Field, name: &str) -> TokenStream {
    let (krate, ty, name) = (entity.krate_at(field.ty_span()), column_type(entity, field), format_ident!("{name}"));
    quote_spanned!(field.ty_span()=> <#ty as #krate::entity::ColumnType>::#name)
}

/// `<T as Element>::NAME`
pub(super) fn of_element(entity: &Entity, field: &Field, name: &str) -> TokenStream {
    let (krate, ty, name) = (entity.krate_at(field.ty_span()), &field.ty, format_ident!("{name}"));
    quote_spanned!(field.ty_span()=> <#ty as #krate::entity::Element>::#name)
}

/// The names of a column's cast constants.
pub(super) fn bind_name(at: usize) -> Ident {
    format_ident!("BIND_{at}")
}

pub(super) fn read_name(at: usize) -> Ident {
    format_ident!("READ_{at}")
}

/// The casts of each column as constants, so that no statement writes them out again.
pub(super) fn casts(entity: &Entity) -> TokenStream {
    let casts = entity.columns().map(|(at, field)| {
        let (bind_name, read_name) = (bind_name(at), read_name(at));
        let (bind, read) = (bind(entity, field), read(entity, field));
        quote! {
            const #bind_name: &::core::primitive::str = #bind;
            const #read_name: &::core::primitive::str = #read;
        }
    });
    quote!(#(#casts)*)
}

/// The cast behind a parameter. For a type of the user's own it goes through the type in which the value travels. The
/// length of `varchar(20)` is left out: an explicit cast to it would cut the text off without a word, the assignment to
/// the column refuses it.
fn bind(entity: &Entity, field: &Field) -> TokenStream {
    let krate = &entity.krate;
    match &field.attr.sql_type {
        None => of_type(entity, field, "BIND"),
        Some(sql_type) => {
            let (ddl, base) = (of_type(entity, field, "DDL"), without_length(&sql_type.value()));
            quote!(#krate::__concat!("::", #ddl, "::", #base))
        }
    }
}

fn read(entity: &Entity, field: &Field) -> TokenStream {
    let krate = &entity.krate;
    match &field.attr.sql_type {
        None => of_type(entity, field, "READ"),
        Some(_) => {
            let ddl = of_type(entity, field, "DDL");
            quote!(#krate::__concat!("::", #ddl))
        }
    }
}

/// The cast behind an array of keys.
pub(super) fn bind_array(entity: &Entity, field: &Field) -> TokenStream {
    let krate = &entity.krate;
    match &field.attr.sql_type {
        None => of_element(entity, field, "ARRAY_BIND"),
        Some(sql_type) => {
            let (ddl, base) = (of_element(entity, field, "ARRAY_DDL"), without_length(&sql_type.value()));
            quote!(#krate::__concat!("::", #ddl, "::", #base, "[]"))
        }
    }
}

/// `varchar(20)` without `(20)`; `timestamp(3) with time zone` keeps what follows.
fn without_length(sql_type: &str) -> String {
    match (sql_type.find('('), sql_type.find(')')) {
        (Some(open), Some(close)) if open < close => format!("{}{}", &sql_type[..open], &sql_type[close + 1..]),
        _ => sql_type.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::without_length;

    #[test]
    fn lengths_are_left_out() {
        assert_eq!(without_length("varchar(20)"), "varchar");
        assert_eq!(without_length("numeric(10, 2)"), "numeric");
        assert_eq!(without_length("timestamp(3) with time zone"), "timestamp with time zone");
        assert_eq!(without_length("citext"), "citext");
    }
}
