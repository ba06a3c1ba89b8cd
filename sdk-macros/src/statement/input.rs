//! What the SDK's macros pass on: `$crate; "text"; [Entity, …]; [name = value, …]`.

use proc_macro2::TokenStream;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Ident, LitStr, Token, Type, bracketed};

pub(super) struct Input {
    pub(super) krate: TokenStream,
    pub(super) text: LitStr,
    pub(super) entities: Vec<Type>,
    pub(super) values: Vec<(Ident, TokenStream)>,
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let krate: Ident = input.call(Ident::parse_any)?;
        input.parse::<Token![;]>()?;
        let text: syn::Lit = input.parse()?;
        let syn::Lit::Str(text) = text else {
            return Err(syn::Error::new(text.span(), "the statement is a string: write sql!(\"SELECT …\")"));
        };
        input.parse::<Token![;]>()?;
        let entities;
        bracketed!(entities in input);
        let entities = Punctuated::<Type, Token![,]>::parse_terminated(&entities)?.into_iter().collect();
        input.parse::<Token![;]>()?;
        let values;
        bracketed!(values in input);
        let values = Punctuated::<Value, Token![,]>::parse_terminated(&values)?.into_iter();
        Ok(Self {
            krate: quote::quote!(#krate),
            text,
            entities,
            values: values.map(|one| (one.name, one.value)).collect(),
        })
    }
}

struct Value {
    name: Ident,
    value: TokenStream,
}

impl Parse for Value {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.call(Ident::parse_any)?;
        input.parse::<Token![=]>()?;
        // An expression arrives in one piece, for the SDK's macro has read it.
        let value: proc_macro2::TokenTree = input.parse()?;
        Ok(Self { name, value: value.into() })
    }
}

impl Input {
    /// The names of the values that are given.
    pub(super) fn given(&self) -> Vec<String> {
        self.values.iter().map(|(name, _)| plain(name)).collect()
    }
}

/// A parameter's name as the text has it.
pub(super) fn plain(name: &Ident) -> String {
    name.unraw().to_string()
}
