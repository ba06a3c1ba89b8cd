//! draft
use proc_macro::TokenStream;
/// draft
#[proc_macro_derive(Entity, attributes(entity))]
pub fn entity(_: TokenStream) -> TokenStream {
    TokenStream::new()
}
/// draft
#[proc_macro_derive(SqlEnum, attributes(sql_enum))]
pub fn sql_enum(_: TokenStream) -> TokenStream {
    TokenStream::new()
}
/// draft
#[proc_macro_derive(SqlNewtype)]
pub fn sql_newtype(_: TokenStream) -> TokenStream {
    TokenStream::new()
}
