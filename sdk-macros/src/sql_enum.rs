//! `#[derive(SqlEnum)]`: enums as text with a check, or as a PostgreSQL enum type.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::ext::IdentExt as _;
use syn::{Data, DeriveInput, Fields, Ident, LitStr, Path};

use crate::check::names;
use crate::ctxt::{Ctxt, did_you_mean};
use crate::item::{items, set, unknown};

const ON_ENUM: &[&str] = &["native", "rename_all", "crate"];
const ON_VARIANT: &[&str] = &["rename"];
const CASES: &[&str] =
    &["snake_case", "SCREAMING_SNAKE_CASE", "kebab-case", "camelCase", "PascalCase", "lowercase", "UPPERCASE"];
/// Types whose names PostgreSQL finds before those of the user's schema.
const BUILT_IN: &[&str] = &[
    "bit",
    "bool",
    "box",
    "bytea",
    "char",
    "cidr",
    "circle",
    "date",
    "float4",
    "float8",
    "inet",
    "int2",
    "int4",
    "int8",
    "interval",
    "json",
    "jsonb",
    "line",
    "lseg",
    "macaddr",
    "money",
    "name",
    "numeric",
    "oid",
    "path",
    "point",
    "polygon",
    "text",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
    "uuid",
    "varbit",
    "varchar",
    "xml",
];

pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    match Enum::read(input) {
        Ok(this) => this.expand(),
        Err(errors) => errors,
    }
}

struct Enum<'a> {
    ident: &'a Ident,
    native: Option<String>,
    krate: TokenStream,
    variants: Vec<(&'a Ident, String)>,
}

impl<'a> Enum<'a> {
    fn read(input: &'a DeriveInput) -> Result<Self, TokenStream> {
        let mut ctxt = Ctxt::default();
        let (mut native, mut case, mut krate) = (None::<LitStr>, None::<LitStr>, None::<Path>);
        for item in &items(&mut ctxt, &input.attrs, "sql_enum") {
            match item.name.to_string().as_str() {
                "native" => set(&mut ctxt, &mut native, item, item.text()),
                "rename_all" => set(&mut ctxt, &mut case, item, item.text()),
                "crate" => set(&mut ctxt, &mut krate, item, item.path_text()),
                _ => unknown(&mut ctxt, item, "an enum", ON_ENUM, ON_VARIANT, "a variant"),
            }
        }
        if let Some(case) = &case
            && !CASES.contains(&case.value().as_str())
        {
            let near = did_you_mean(&case.value(), CASES);
            ctxt.error(case, format!("this is no case{near}\nthere are: {}", CASES.join(", ")));
        }
        if let Some(parameter) = input.generics.params.first() {
            ctxt.error(parameter, "an enum of labels can't be generic: remove the parameters");
        }
        if let Some(native) = &native {
            type_name(&mut ctxt, native);
        }
        let case = case.map_or_else(|| "snake_case".to_owned(), |case| case.value());
        let variants = variants(&mut ctxt, input, &case, native.is_some());
        let krate = krate.map_or_else(|| quote!(::shardwise), |path| path.into_token_stream());
        ctxt.finish(Self { ident: &input.ident, native: native.map(|native| native.value()), krate, variants })
    }

    fn expand(&self) -> TokenStream {
        let (krate, ident) = (&self.krate, self.ident);
        let name = ident.unraw().to_string();
        let type_name = self.native.clone().unwrap_or_else(|| name.clone());
        let native = self.native.is_some();
        let (variants, labels): (Vec<_>, Vec<_>) = self.variants.iter().cloned().unzip();
        let (ddl, bind, read) = match &self.native {
            Some(native) => {
                let quoted = format!("\"{}\"", native.replace('"', "\"\""));
                (quoted.clone(), format!("::text::{quoted}"), "::text")
            }
            None => ("text".to_owned(), String::new(), ""),
        };
        let (array_ddl, array_bind, array_read) = match &self.native {
            Some(_) => (format!("{ddl}[]"), format!("::text[]::{ddl}[]"), "::text[]"),
            None => ("text[]".to_owned(), String::new(), ""),
        };
        quote! {
            const _: () = {
                static ENUMERATION: #krate::schema::Enumeration = #krate::schema::Enumeration {
                    name: #type_name,
                    labels: &[#(#labels),*],
                    native: #native,
                };
                impl #krate::__private::ToSql for #ident {
                    fn to_sql(
                        &self,
                        _: &#krate::__private::Type,
                        __out: &mut #krate::__private::BytesMut,
                    ) -> #krate::__private::CodecResult<#krate::__private::IsNull> {
                        let __label: &'static ::core::primitive::str = match self {
                            #(Self::#variants => #labels,)*
                        };
                        #krate::__private::write_label(__label, __out)
                    }
                    fn accepts(__ty: &#krate::__private::Type) -> ::core::primitive::bool {
                        #krate::__private::accepts_label(__ty)
                    }
                    fn to_sql_checked(
                        &self,
                        __ty: &#krate::__private::Type,
                        __out: &mut #krate::__private::BytesMut,
                    ) -> #krate::__private::CodecResult<#krate::__private::IsNull> {
                        #krate::__private::checked(self, __ty, __out)
                    }
                }
                impl<'a> #krate::__private::FromSql<'a> for #ident {
                    fn from_sql(
                        _: &#krate::__private::Type,
                        __raw: &'a [::core::primitive::u8],
                    ) -> #krate::__private::CodecResult<Self> {
                        match __raw {
                            #(__raw if __raw == ::core::primitive::str::as_bytes(#labels) => ::core::result::Result::Ok(Self::#variants),)*
                            _ => ::core::result::Result::Err(#krate::__private::unknown_label(#name)),
                        }
                    }
                    fn accepts(__ty: &#krate::__private::Type) -> ::core::primitive::bool {
                        #krate::__private::accepts_label(__ty)
                    }
                }
                impl #krate::entity::ColumnType for #ident {
                    const DDL: &'static ::core::primitive::str = #ddl;
                    const WIRE: #krate::__private::Type = #krate::__private::Type::TEXT;
                    const BIND: &'static ::core::primitive::str = #bind;
                    const READ: &'static ::core::primitive::str = #read;
                    const ENUMERATION: ::core::option::Option<&'static #krate::schema::Enumeration> =
                        ::core::option::Option::Some(&ENUMERATION);
                }
                impl #krate::entity::Element for #ident {
                    const ARRAY_DDL: &'static ::core::primitive::str = #array_ddl;
                    const ARRAY_WIRE: #krate::__private::Type = #krate::__private::Type::TEXT_ARRAY;
                    const ARRAY_BIND: &'static ::core::primitive::str = #array_bind;
                    const ARRAY_READ: &'static ::core::primitive::str = #array_read;
                }
                impl #krate::entity::NeverNull for #ident {}
            };
        }
    }
}

fn type_name(ctxt: &mut Ctxt, native: &LitStr) {
    let name = native.value();
    names::length(ctxt, native);
    if name.contains('.') {
        ctxt.error(native, "an enum type lies in the connection's first schema: write its name alone");
    }
    if BUILT_IN.contains(&name.as_str()) {
        ctxt.error(
            native,
            format!("PostgreSQL has a type `{name}` of its own, which it finds first: choose another name"),
        );
    }
}

fn variants<'a>(ctxt: &mut Ctxt, input: &'a DeriveInput, case: &str, native: bool) -> Vec<(&'a Ident, String)> {
    let Data::Enum(data) = &input.data else {
        ctxt.error(&input.ident, "SqlEnum is for enums; for a struct with one field derive SqlNewtype");
        return Vec::new();
    };
    if data.variants.is_empty() {
        ctxt.error(&input.ident, "an enum of labels needs at least one variant");
    }
    let mut variants: Vec<(&Ident, String)> = Vec::new();
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            ctxt.error(
                &variant.fields,
                "a label has no fields: remove them, or store the whole enum with #[entity(json)] on the field",
            );
        }
        let mut rename = None::<LitStr>;
        for item in &items(ctxt, &variant.attrs, "sql_enum") {
            match item.name.to_string().as_str() {
                "rename" => set(ctxt, &mut rename, item, item.text()),
                _ => unknown(ctxt, item, "a variant", ON_VARIANT, ON_ENUM, "the enum"),
            }
        }
        let label = rename.as_ref().map_or_else(|| in_case(&variant.ident.unraw().to_string(), case), LitStr::value);
        let mut refuse = |message: String| match &rename {
            Some(rename) => ctxt.error(rename, message),
            None => ctxt.error(&variant.ident, message),
        };
        if native && label.len() > names::MOST_BYTES {
            refuse(format!("a label of an enum type has at most {} bytes: rename it", names::MOST_BYTES));
        }
        if let Some((twin, _)) = variants.iter().find(|(_, known)| *known == label) {
            refuse(format!("the label \"{label}\" is there already, of `{twin}`: rename one"));
        }
        variants.push((&variant.ident, label));
    }
    variants
}

/// A variant's name, which is in PascalCase, in another case.
fn in_case(name: &str, case: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut after_lower = false;
    for c in name.chars() {
        match words.last_mut() {
            Some(word) if !(c.is_uppercase() && after_lower) && c != '_' => word.push(c),
            _ if c == '_' => words.push(String::new()),
            _ => words.push(c.to_string()),
        }
        after_lower = c.is_lowercase() || c.is_ascii_digit();
    }
    words.retain(|word| !word.is_empty());
    let lower = || words.iter().map(|word| word.to_lowercase()).collect::<Vec<_>>();
    match case {
        "SCREAMING_SNAKE_CASE" => lower().join("_").to_uppercase(),
        "kebab-case" => lower().join("-"),
        "camelCase" => {
            let mut text = name.to_owned();
            if let Some(first) = text.chars().next() {
                text.replace_range(..first.len_utf8(), &first.to_lowercase().to_string());
            }
            text
        }
        "PascalCase" => name.to_owned(),
        "lowercase" => name.to_lowercase(),
        "UPPERCASE" => name.to_uppercase(),
        _ => lower().join("_"),
    }
}

#[cfg(test)]
mod tests {
    use super::in_case;

    #[test]
    fn every_case() {
        let cases = [
            ("snake_case", "scanned_once"),
            ("SCREAMING_SNAKE_CASE", "SCANNED_ONCE"),
            ("kebab-case", "scanned-once"),
            ("camelCase", "scannedOnce"),
            ("PascalCase", "ScannedOnce"),
            ("lowercase", "scannedonce"),
            ("UPPERCASE", "SCANNEDONCE"),
        ];
        for (case, label) in cases {
            assert_eq!(in_case("ScannedOnce", case), label);
        }
        assert_eq!(in_case("Utf8Text", "snake_case"), "utf8_text");
        assert_eq!(in_case("VIP", "snake_case"), "vip");
    }
}
