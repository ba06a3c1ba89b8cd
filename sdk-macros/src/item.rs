//! The grammar of all our attributes: a list of `name`, `name = value` and `name(…)`.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::{Attribute, Ident, LitStr, Path, Token};

use crate::ctxt::{Ctxt, nearest};

/// One entry of an attribute.
pub(crate) struct Item {
    pub(crate) name: Ident,
    pub(crate) value: Value,
}

pub(crate) enum Value {
    None,
    Is(TokenStream),
    List(Punctuated<Item, Token![,]>),
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.call(Ident::parse_any)?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            let mut value = TokenStream::new();
            while !input.is_empty() && !input.peek(Token![,]) {
                if !value.is_empty() && input.peek(Ident::peek_any) && input.peek2(Token![=]) {
                    return Err(input.error("a comma is missing before this"));
                }
                value.extend([input.parse::<TokenTree>()?]);
            }
            if value.is_empty() {
                return Err(input.error(format!("`{name} =` needs a value")));
            }
            Value::Is(value)
        } else if input.peek(syn::token::Paren) {
            let list;
            syn::parenthesized!(list in input);
            Value::List(Punctuated::parse_terminated(&list)?)
        } else {
            Value::None
        };
        Ok(Self { name, value })
    }
}

impl ToTokens for Item {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.name.to_tokens(tokens);
    }
}

impl Item {
    pub(crate) fn span(&self) -> Span {
        self.name.span()
    }

    /// No value.
    pub(crate) fn flag(&self) -> syn::Result<Span> {
        match &self.value {
            Value::None => Ok(self.span()),
            Value::Is(_) | Value::List(_) => {
                Err(syn::Error::new_spanned(self, format!("`{0}` takes no value: write `{0}`", self.name)))
            }
        }
    }

    /// `name = "text"`, not empty.
    pub(crate) fn text(&self) -> syn::Result<LitStr> {
        let example = format!("write `{} = \"…\"`", self.name);
        let text: LitStr = self.parse(&example)?;
        if text.value().trim().is_empty() {
            return Err(syn::Error::new_spanned(text, format!("this is empty: {example}")));
        }
        Ok(text)
    }

    /// `name = "path"`
    pub(crate) fn path_text(&self) -> syn::Result<Path> {
        let text = self.text()?;
        text.parse().map_err(|_| syn::Error::new_spanned(text, "this is not a path, such as \"::shardwise\""))
    }

    /// `name = value`, parsed as `T`.
    pub(crate) fn parse<T: Parse>(&self, expected: &str) -> syn::Result<T> {
        match &self.value {
            Value::Is(value) => syn::parse2(value.clone()).map_err(|_| syn::Error::new_spanned(value, expected)),
            Value::None | Value::List(_) => Err(syn::Error::new_spanned(self, expected)),
        }
    }
}

/// The entries of all attributes with this name.
pub(crate) fn items(ctxt: &mut Ctxt, attributes: &[Attribute], name: &str) -> Vec<Item> {
    let mut items = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident(name)) {
        let parser = Punctuated::<Item, Token![,]>::parse_terminated;
        let list = attribute
            .meta
            .require_list()
            .map_err(|_| syn::Error::new_spanned(attribute, format!("write `#[{name}(…)]`")))
            .and_then(|list| parser.parse2(list.tokens.clone()));
        items.extend(ctxt.ok(list).into_iter().flatten());
    }
    items
}

/// What is gathered from attributes, entry by entry.
pub(crate) trait Gather: Default {
    /// The attribute's name.
    const NAME: &'static str;

    fn take(&mut self, ctxt: &mut Ctxt, item: &Item);

    /// Notes that something could not be read: then nothing is reported as missing.
    fn is_faulty(&mut self);

    fn read(ctxt: &mut Ctxt, attributes: &[Attribute]) -> Self {
        ctxt.part(|ctxt| {
            let mut this = Self::default();
            for item in &items(ctxt, attributes, Self::NAME) {
                this.take(ctxt, item);
            }
            if !ctxt.is_empty() {
                this.is_faulty();
            }
            this
        })
    }
}

/// Refuses an entry whose name is unknown here, and lists those that are known.
pub(crate) fn unknown(ctxt: &mut Ctxt, item: &Item, place: &str, known: &[&str], elsewhere: &[&str], other: &str) {
    let name = item.name.to_string();
    let hint = if elsewhere.contains(&name.as_str()) {
        format!("`{name}` belongs on {other}")
    } else if let Some(near) = nearest(&name, known) {
        format!("`{name}` is unknown here: did you mean `{near}`?")
    } else {
        format!("`{name}` is unknown here")
    };
    ctxt.error(item, format!("{hint}\n{place} can have: {}", known.join(", ")));
}

/// Stores the value, or refuses it if there is one already.
pub(crate) fn set<T>(ctxt: &mut Ctxt, slot: &mut Option<T>, item: &Item, value: syn::Result<T>) {
    if slot.is_some() {
        ctxt.error(item, format!("`{}` is given twice: keep one", item.name));
    } else if let Some(value) = ctxt.ok(value) {
        *slot = Some(value);
    }
}
