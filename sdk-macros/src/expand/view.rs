//! Writes the code of a materialized view: that of an entity, which is on the coordinator alone.

use proc_macro2::TokenStream;
use quote::quote;

use super::{Place, of_table, option, table};
use crate::view::View;

/// All code of one view.
pub(crate) fn view(view: &View) -> TokenStream {
    let (krate, ident, query) = (&view.entity.krate, &view.entity.ident, &view.query);
    let every = option(view.every.map(|millis| quote!(::core::time::Duration::from_millis(#millis))));
    let definition = quote!(#krate::schema::MaterializedView { query: #query, every: #every });
    let table = table::description(&view.entity, None, Some(&definition));
    let place = Place {
        distribution: quote!(type Distribution = #krate::entity::OnCoordinator;),
        facts: quote! {
            const FACTS: #krate::entity::TableFacts<'static> = ::core::panic!(
                "a materialized view is on the coordinator alone, and no tenant's statement reaches it: use `unscoped_sql!` and \
                 `cluster.across_shards(\"why\")`, or `select`"
            );
        },
        others: quote!(impl #krate::entity::View for #ident {}),
    };
    of_table(&view.entity, &table, &place)
}
