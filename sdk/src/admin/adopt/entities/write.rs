//! Entities as the text of a file. Pure.

use std::fmt::Write as _;

use proc_macro2::TokenStream;
use quote::quote;

use super::model::{Entity, Field, IndexAttr, Made};
use super::types::{Enumeration, Types};

/// How wide a line of attributes is at most.
const WIDTH: usize = 70;

/// One item after the other, with an empty line between them.
pub(super) fn text(items: &[TokenStream]) -> Result<String, syn::Error> {
    let mut texts = Vec::new();
    for item in items {
        let file = syn::parse2(item.clone())?;
        texts.push(with_short_indexes(&prettyplease::unparse(&file)));
    }
    let is_use = |text: &String| text.starts_with("use ") && text.lines().count() == 1;
    let mut whole = String::new();
    for (at, text) in texts.iter().enumerate() {
        // Imports stand together.
        if at > 0 && !(is_use(text) && is_use(&texts[at - 1])) {
            whole.push('\n');
        }
        whole.push_str(text);
    }
    Ok(whole)
}

/// An attribute with one index in it, as rustfmt breaks it: `prettyplease` gives each parenthesis a line.
fn with_short_indexes(text: &str) -> String {
    let (mut short, mut lines) = (String::new(), text.lines().peekable());
    while let Some(line) = lines.next() {
        let has_index = line == "    #[entity(" && lines.peek().is_some_and(|next| next.starts_with("        index("));
        if !has_index {
            short.push_str(line);
            short.push('\n');
            continue;
        }
        let inner: Vec<&str> = lines.by_ref().take_while(|line| *line != "    )]").map(str::trim).collect();
        let parts = match inner.as_slice() {
            [one] => vec![one.trim_start_matches("index(").trim_end_matches(')')],
            [_, parts @ .., _] => parts.to_vec(),
            [] => Vec::new(),
        };
        let joined = parts.join(" ");
        if parts.len() == 1 || joined.len() <= WIDTH {
            let _ = writeln!(short, "    #[entity(index({joined}))]");
        } else {
            let _ = writeln!(short, "    #[entity(index(\n        {}\n    ))]", parts.join("\n        "));
        }
    }
    short
}

/// These items as a module for tests.
pub(super) fn tests(items: &[TokenStream]) -> Result<String, syn::Error> {
    let inner = text(items)?;
    let mut module = "#[cfg(test)]\nmod tests {\n".to_owned();
    for line in inner.lines() {
        // An empty line before each row.
        if line.starts_with("    let ") && line.ends_with(" {") {
            module.push('\n');
        }
        if !line.is_empty() {
            module.push_str("    ");
        }
        module.push_str(line);
        module.push('\n');
    }
    module.push_str("}\n");
    Ok(module)
}

/// `schema()`, which has them all.
pub(super) fn schema(entities: &[&Entity]) -> TokenStream {
    let idents = entities.iter().map(|entity| &entity.ident);
    quote! {
        #[doc = " All entities of this file."]
        #[must_use]
        pub fn schema() -> Schema {
            Schema::new() #(.with::<#idents>())*
        }
    }
}

/// An enum with its labels.
pub(super) fn enumeration(one: &Enumeration) -> TokenStream {
    let Enumeration { ident, native, variants } = one;
    let doc = format!(" The type `{native}`.");
    let variants = variants.iter().map(|(variant, label)| {
        let rename = label.as_ref().map(|label| quote!(#[sql_enum(rename = #label)]));
        let doc =
            format!(" `{}`", label.clone().unwrap_or_else(|| super::names::words(&variant.to_string()).join("_")));
        quote!(#[doc = #doc] #rename #variant)
    });
    quote! {
        #[doc = #doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, SqlEnum)]
        #[sql_enum(native = #native)]
        pub enum #ident { #(#variants),* }
    }
}

/// An entity's struct.
pub(super) fn entity(entity: &Entity, types: &Types<'_>) -> TokenStream {
    let (ident, table) = (&entity.ident, &entity.table.name);
    let mut docs = vec![format!(" A row of `{}`.", entity.table)];
    if !entity.docs.is_empty() {
        docs.push(String::new());
        docs.extend(entity.docs.iter().map(|line| format!(" {line}")));
    }
    if !entity.notes.is_empty() {
        docs.push(String::new());
        docs.extend(entity.notes.iter().map(|note| format!(" - {}", one_line(note))));
    }
    let mut attrs = vec![quote!(table = #table)];
    attrs.extend(entity.schema.as_ref().map(|schema| quote!(schema = #schema)));
    attrs.push(match entity.distribution.map(|at| &entity.fields[at].ident) {
        Some(field) => quote!(distributed_by = #field),
        None => quote!(reference),
    });
    attrs.extend(entity.partition.map(|(at, interval)| {
        let (interval, field) = (super::names::ident(interval), &entity.fields[at].ident);
        quote!(partition_by = #interval(#field))
    }));
    let fields = entity.fields.iter().map(|one| field(one, types));
    quote! {
        #(#[doc = #docs])*
        #[derive(Debug, Clone, PartialEq, Entity)]
        #[entity(#(#attrs),*)]
        pub struct #ident { #(#fields),* }
    }
}

fn field(field: &Field, types: &Types<'_>) -> TokenStream {
    let (ident, ty) = (&field.ident, types.written(&field.typed, field.is_nullable));
    let docs = field.docs.iter().map(|line| format!(" {line}"));
    let mut attrs: Vec<TokenStream> = Vec::new();
    if field.is_key {
        attrs.push(quote!(key));
    }
    let name = ident.to_string();
    if name.strip_prefix("r#").unwrap_or(&name) != field.column {
        let column = &field.column;
        attrs.push(quote!(rename = #column));
    }
    attrs.extend(field.typed.sql_type.as_ref().map(|sql_type| quote!(sql_type = #sql_type)));
    attrs.extend(field.made.as_ref().map(|made| match made {
        Made::Counted => quote!(generated),
        Made::Computed(expression) => quote!(generated = #expression),
    }));
    attrs.extend(field.default.as_ref().map(|default| quote!(default = #default)));
    if let Some((target, on_delete)) = &field.references {
        attrs.push(quote!(references = #target));
        attrs.extend(on_delete.map(|action| {
            let action = super::names::ident(action);
            quote!(on_delete = #action)
        }));
    }
    attrs.extend(field.uniques.iter().map(|group| match group {
        Some(group) => quote!(unique = #group),
        None => quote!(unique),
    }));
    attrs.extend(field.indexes.iter().map(index));
    attrs.extend(field.checks.iter().map(|check| quote!(check = #check)));
    let lines = in_lines(attrs);
    quote! {
        #(#[doc = #docs])*
        #(#[entity(#lines)])*
        pub #ident: #ty
    }
}

/// Attributes, as many in one line as rustfmt leaves in one.
fn in_lines(attrs: Vec<TokenStream>) -> Vec<TokenStream> {
    let mut lines: Vec<(usize, Vec<TokenStream>)> = Vec::new();
    for attr in attrs {
        let width = attr.to_string().len() + 2;
        match lines.last_mut() {
            Some((used, line)) if *used + width <= WIDTH => {
                *used += width;
                line.push(attr);
            }
            _ => lines.push((width, vec![attr])),
        }
    }
    lines.into_iter().map(|(_, line)| quote!(#(#line),*)).collect()
}

fn index(index: &IndexAttr) -> TokenStream {
    let mut parts = Vec::new();
    parts.extend(index.group.as_ref().map(|group| quote!(group = #group)));
    parts.extend(index.is_descending.then(|| quote!(order = desc)));
    parts.extend(index.predicate.as_ref().map(|predicate| quote!(where = #predicate)));
    if parts.is_empty() { quote!(index) } else { quote!(index(#(#parts),*)) }
}

/// What is shown of the catalogs can have several lines.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
