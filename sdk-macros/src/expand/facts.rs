//! What `sql!` holds statements against: a constant, for the compiler does it.

use proc_macro2::TokenStream;
use quote::quote;

use crate::model::{Entity, Group};

/// `const FACTS`
pub(super) fn all(entity: &Entity) -> TokenStream {
    let krate = &entity.krate;
    let name = &entity.table;
    let schema = match &entity.schema {
        Some(schema) => quote!(::core::option::Option::Some(#schema)),
        None => quote!(::core::option::Option::None),
    };
    let columns = entity.columns().map(|(_, field)| &field.column);
    let (key, key_type) = match entity.distribution.map(|at| entity.field(at)) {
        Some(field) => {
            let (column, ty) = (&field.column, &field.ty);
            let key_type = quote!(<#ty as #krate::entity::ColumnType>::DDL);
            (quote!(::core::option::Option::Some(#column)), key_type)
        }
        None => (quote!(::core::option::Option::None), quote!("")),
    };
    // What shares nodes has the same name here: that of the table which began the group.
    let group = match (&entity.group, &entity.schema) {
        _ if entity.distribution.is_none() => quote!(""),
        (Group::Default, _) => quote!(""),
        (Group::Own, Some(schema)) => {
            let own = format!("{schema}.{name}");
            quote!(#own)
        }
        (Group::Own, None) => quote!(#name),
        (Group::With(other), _) => quote!(<#other as #krate::entity::Entity>::FACTS.group),
    };
    quote! {
        const FACTS: #krate::entity::TableFacts<'static> = #krate::entity::TableFacts {
            schema: #schema,
            name: #name,
            key: #key,
            key_type: #key_type,
            group: #group,
            columns: &[#(#columns),*],
        };
    }
}
