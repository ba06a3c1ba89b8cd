//! `sql!` and `unscoped_sql!`: statements that are read when the program is compiled.
//!
//! The SDK has the macros that users write, which sort what is in the parentheses and know the crate's name; so `input` finds
//! it in one form. `scoped` checks a tenant's statement, `unscoped` passes on what is nobody's.

mod input;
mod scoped;
mod unscoped;

use proc_macro2::TokenStream;
use quote::quote_spanned;
use shardwise_scope::Refusal;
use syn::LitStr;

use input::Input;
pub(crate) use scoped::{facts, scoped};
pub(crate) use unscoped::unscoped;

/// The compiler's errors, each with the caret inside the text where the compiler allows it, else with the line and a mark.
fn errors(text: &LitStr, refusals: &[Refusal]) -> TokenStream {
    let value = text.value();
    let errors = refusals.iter().map(|refusal| {
        let (span, message) = match place_in(text, &value, refusal) {
            Some(span) => (span, refusal.message.clone()),
            None => (text.span(), refusal.pointing_into(&value)),
        };
        quote_spanned!(span=> ::core::compile_error!(#message))
    });
    quote_spanned!(text.span()=> { #(#errors);* })
}

/// The place in the source, where the compiler tells it (on nightly), and where the literal is written as it is read.
fn place_in(text: &LitStr, value: &str, refusal: &Refusal) -> Option<proc_macro2::Span> {
    let token = text.token();
    let source = token.to_string();
    let quote = source.find('"')?;
    let start = quote + source.get(quote..)?.find(value).filter(|_| !value.is_empty())?;
    token.subspan(start + refusal.at.start..start + refusal.at.end.max(refusal.at.start + 1))
}

/// The values, each bound to the number of its parameter.
fn binds(input: &Input, params: &[String]) -> TokenStream {
    let mut binds = TokenStream::new();
    for (name, value) in &input.values {
        if let Some(at) = params.iter().position(|param| *param == input::plain(name)) {
            let span = syn::spanned::Spanned::span(value);
            binds.extend(quote_spanned!(span=> .__bind(#at, #value)));
        }
    }
    binds
}
