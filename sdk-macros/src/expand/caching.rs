//! How the rows are cached.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::option;
use crate::model::Entity;

/// `const CACHING`, where it says so.
pub(super) fn constant(entity: &Entity) -> TokenStream {
    let krate = &entity.krate;
    let Some(caching) = &entity.caching else { return TokenStream::new() };
    let way = format_ident!("{}", caching.way);
    let time = |millis: u64| quote!(::core::time::Duration::from_millis(#millis));
    let (ttl, negative) = (time(caching.ttl), option(caching.negative.map(time)));
    quote! {
        const CACHING: ::core::option::Option<#krate::schema::Caching> =
            ::core::option::Option::Some(#krate::schema::Caching {
                way: #krate::schema::CacheWay::#way,
                ttl: #ttl,
                negative: #negative,
            });
    }
}
