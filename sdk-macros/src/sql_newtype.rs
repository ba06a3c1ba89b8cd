//! `#[derive(SqlNewtype)]`: wrappers as the column type of what they wrap.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::{Data, DeriveInput, Fields, Path, Type};

use crate::ctxt::Ctxt;
use crate::item::{items, set, unknown};
use crate::model::is_option;

pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    let mut ctxt = Ctxt::default();
    let mut krate = None::<Path>;
    for item in &items(&mut ctxt, &input.attrs, "sql_newtype") {
        match item.name.to_string().as_str() {
            "crate" => set(&mut ctxt, &mut krate, item, item.path_text()),
            _ => unknown(&mut ctxt, item, "a newtype", &["crate"], &[], ""),
        }
    }
    if let Some(parameter) = input.generics.params.first() {
        ctxt.error(parameter, "a newtype can't be generic: remove the parameters");
    }
    let inner = inner(&mut ctxt, input).cloned();
    let krate = krate.map_or_else(|| quote!(::shardwise), |path| path.into_token_stream());
    match ctxt.finish((inner, krate)) {
        Ok((Some(inner), krate)) => expand(input, &inner, &krate),
        Ok((None, _)) => TokenStream::new(),
        Err(errors) => errors,
    }
}

fn inner<'a>(ctxt: &mut Ctxt, input: &'a DeriveInput) -> Option<&'a Type> {
    if let Data::Struct(data) = &input.data
        && let Fields::Unnamed(fields) = &data.fields
        && let (Some(field), 1) = (fields.unnamed.first(), fields.unnamed.len())
    {
        if is_option(&field.ty) {
            let message =
                "a wrapper is never NULL: wrap the type inside, and write `Option` around the wrapper in the entity";
            ctxt.error(&field.ty, message);
        }
        return Some(&field.ty);
    }
    ctxt.error(&input.ident, "SqlNewtype is for structs with one unnamed field: `struct FestivalId(Uuid);`");
    None
}

fn expand(input: &DeriveInput, inner: &Type, krate: &TokenStream) -> TokenStream {
    let ident = &input.ident;
    quote! {
        const _: () = {
            impl #krate::__private::ToSql for #ident {
                fn to_sql(
                    &self,
                    __ty: &#krate::__private::Type,
                    __out: &mut #krate::__private::BytesMut,
                ) -> #krate::__private::CodecResult<#krate::__private::IsNull> {
                    #krate::__private::ToSql::to_sql(&self.0, __ty, __out)
                }
                fn accepts(__ty: &#krate::__private::Type) -> ::core::primitive::bool {
                    <#inner as #krate::__private::ToSql>::accepts(__ty)
                }
                fn to_sql_checked(
                    &self,
                    __ty: &#krate::__private::Type,
                    __out: &mut #krate::__private::BytesMut,
                ) -> #krate::__private::CodecResult<#krate::__private::IsNull> {
                    #krate::__private::ToSql::to_sql_checked(&self.0, __ty, __out)
                }
            }
            impl<'a> #krate::__private::FromSql<'a> for #ident {
                fn from_sql(
                    __ty: &#krate::__private::Type,
                    __raw: &'a [::core::primitive::u8],
                ) -> #krate::__private::CodecResult<Self> {
                    ::core::result::Result::map(<#inner as #krate::__private::FromSql<'a>>::from_sql(__ty, __raw), Self)
                }
                fn accepts(__ty: &#krate::__private::Type) -> ::core::primitive::bool {
                    <#inner as #krate::__private::FromSql<'a>>::accepts(__ty)
                }
            }
            impl #krate::entity::ColumnType for #ident {
                const DDL: &'static ::core::primitive::str = <#inner as #krate::entity::ColumnType>::DDL;
                const WIRE: #krate::__private::Type = <#inner as #krate::entity::ColumnType>::WIRE;
                const BIND: &'static ::core::primitive::str = <#inner as #krate::entity::ColumnType>::BIND;
                const READ: &'static ::core::primitive::str = <#inner as #krate::entity::ColumnType>::READ;
                const ENUMERATION: ::core::option::Option<&'static #krate::schema::Enumeration> =
                    <#inner as #krate::entity::ColumnType>::ENUMERATION;
            }
            impl #krate::entity::Newtype for #ident {
                type Inner = #inner;
                fn inner(&self) -> &#inner {
                    &self.0
                }
            }
            impl #krate::entity::NeverNull for #ident {}
        };
    }
}
