//! Any item for the derives.

use proc_macro2::TokenStream;
use syn::DeriveInput;

/// Whatever the item: the derives write code, or errors as code. Both are Rust.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(item) = syn::parse_str::<DeriveInput>(text) else { return };
    let entity = match crate::model::Entity::read(&item) {
        Ok(entity) => crate::expand::entity(&entity),
        Err(errors) => errors,
    };
    is_rust(text, entity);
    is_rust(text, crate::sql_enum::derive(&item));
    is_rust(text, crate::sql_newtype::derive(&item));
}

fn is_rust(text: &str, written: TokenStream) {
    assert!(!written.is_empty(), "nothing is written for {text}");
    // A type like `A + B`, which the compiler refuses in the item itself, makes no code where one type is wanted.
    if text.contains('+') {
        return;
    }
    if let Err(error) = syn::parse2::<syn::File>(written.clone()) {
        panic!("{error} in what is written for {text}:\n{written}");
    }
}
