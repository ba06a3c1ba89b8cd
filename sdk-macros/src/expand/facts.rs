//! What `sql!` holds statements against: a constant, for the compiler does it.

use proc_macro2::TokenStream;
use quote::quote;

use super::option;
use crate::model::{Entity, Group};

/// `const FACTS`
pub(super) fn all(entity: &Entity) -> TokenStream {
    let krate = &entity.krate;
    let name = &entity.table;
    let schema = option(entity.schema.as_ref());
    let columns = entity.columns().map(|(_, field)| &field.column);
    let key = entity.distribution.map(|at| entity.field(at));
    let key_type = key.map_or(quote!(""), |field| {
        let ty = &field.ty;
        quote!(<#ty as #krate::entity::ColumnType>::DDL)
    });
    let key = option(key.map(|field| &field.column));
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
