//! Any item for the derives.

use proc_macro2::TokenStream;
use syn::DeriveInput;

/// Whatever the item: the derives write something, code or errors as code.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(item) = syn::parse_str::<DeriveInput>(text) else { return };
    let entity = match crate::model::Entity::read(&item) {
        Ok(entity) => crate::expand::entity(&entity),
        Err(errors) => {
            is_rust(text, &errors);
            errors
        }
    };
    let rollup =
        crate::rollup::Rollup::read(&item).map_or_else(|errors| errors, |rollup| crate::expand::rollup(&rollup));
    let view = crate::view::View::read(&item).map_or_else(|errors| errors, |view| crate::expand::view(&view));
    for written in [entity, rollup, view, crate::sql_enum::derive(&item), crate::sql_newtype::derive(&item)] {
        assert!(!written.is_empty(), "nothing is written for {text}");
    }
}

/// Of what is written for a good item that can't be asked: types that the compiler itself refuses in the item are in it.
fn is_rust(text: &str, written: &TokenStream) {
    if let Err(error) = syn::parse2::<syn::File>(written.clone()) {
        panic!("{error} in what is written for {text}:\n{written}");
    }
}
