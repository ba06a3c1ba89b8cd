//! A statement that is nobody's: its parameters get their numbers, and it is not read further.

use proc_macro2::TokenStream;
use quote::quote_spanned;
use shardwise_scope::{Facts, Refusal, explain, name_parameters, seems_to_read, transaction_control, verify};

use super::input::Input;
use super::{binds, errors};

/// `UnscopedSql::__new(…)`
pub(crate) fn unscoped(input: TokenStream) -> TokenStream {
    let input: Input = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let text = input.text.value();
    if let Some(fix) = transaction_control(&text) {
        return errors(&input.text, &[Refusal { at: 0..text.len(), message: format!("this can't be sent: {fix}") }]);
    }
    let named = match name_parameters(&text) {
        Ok(named) => named,
        Err(refusals) => return errors(&input.text, &refusals),
    };
    let given = input.given();
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    let params: Vec<&str> = named.params.iter().map(String::as_str).collect();
    let facts = Facts::of_values(&params, &given);
    if let Err(problem) = verify(&facts, &[]) {
        let message = explain(problem, &facts, &[]).as_str().to_owned();
        return syn::Error::new(input.text.span(), message).into_compile_error();
    }
    let (krate, sql, count, reads) = (&input.krate, &named.sql, named.params.len(), seems_to_read(&text));
    let binds = binds(&input, &named.params);
    quote_spanned!(input.text.span()=> #krate::UnscopedSql::__new(#sql, #count, #reads) #binds)
}
