//! Which Rust type a column has. Pure.

use std::collections::BTreeMap;

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::Dates;
use super::names::{self, Taken};
use crate::admin::adopt::catalog::{Catalog, Domain, EnumType, Name};

/// The most digits that a `rust_decimal::Decimal` holds, whatever they are.
const MOST_DIGITS: usize = 28;

/// What a value is, without whether it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Uuid,
    Bool,
    I16,
    I32,
    I64,
    F32,
    F64,
    Text,
    Bytes,
    Json,
    Decimal,
    Timestamp,
    DateTime,
    Date,
    Time,
    Enum(Ident),
}

/// A column's type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Typed {
    pub(super) value: Value,
    pub(super) is_array: bool,
    /// The type in the database, where it is not the one that the SDK has for the value.
    pub(super) sql_type: Option<String>,
    /// The name of a type that the SDK has nothing for, and whose values travel as text.
    pub(super) as_text: Option<String>,
    /// Length, or digits and those behind the point.
    pub(super) limits: Vec<usize>,
    /// The checks of its domains.
    pub(super) checks: Vec<String>,
    /// The labels of an enum type.
    pub(super) labels: Vec<String>,
}

/// An enum that is written.
#[derive(Debug)]
pub(super) struct Enumeration {
    pub(super) ident: Ident,
    pub(super) native: String,
    /// Variants with their labels, where these are not what the derive makes of them.
    pub(super) variants: Vec<(Ident, Option<String>)>,
}

/// The types of a database's columns, with the enums that were met.
pub(super) struct Types<'a> {
    catalog: &'a Catalog,
    dates: Dates,
    enums: BTreeMap<Name, Enumeration>,
}

impl<'a> Types<'a> {
    pub(super) fn new(catalog: &'a Catalog, dates: Dates) -> Self {
        Self { catalog, dates, enums: BTreeMap::new() }
    }

    /// The enums that columns have, by their names.
    pub(super) fn enums(&self) -> impl Iterator<Item = &Enumeration> {
        self.enums.values()
    }

    /// The type that PostgreSQL prints so. `taken` has the names of the structs.
    pub(super) fn of(&mut self, sql_type: &str, taken: &mut Taken) -> Typed {
        let (element, is_array) = match sql_type.strip_suffix("[]") {
            Some(element) => (element, true),
            None => (sql_type, false),
        };
        let (plain, limits) = without_limits(element);
        let whole = |shown: &str| format!("{shown}{}", if is_array { "[]" } else { "" });
        let of = |value, sql_type: Option<String>| Typed {
            value,
            is_array,
            sql_type,
            as_text: None,
            limits: limits.clone(),
            checks: Vec::new(),
            labels: Vec::new(),
        };
        let own = |value| of(value, None);
        let limited = |value| of(value, (!limits.is_empty()).then(|| sql_type.to_owned()));
        let as_text = || Typed { as_text: Some(plain.clone()), ..of(Value::Text, Some(sql_type.to_owned())) };
        match plain.as_str() {
            "uuid" => own(Value::Uuid),
            "boolean" => own(Value::Bool),
            "smallint" => own(Value::I16),
            "integer" => own(Value::I32),
            "bigint" => own(Value::I64),
            "real" => own(Value::F32),
            "double precision" => own(Value::F64),
            "text" => own(Value::Text),
            "jsonb" if !is_array => own(Value::Json),
            "json" if !is_array => of(Value::Json, Some("json".to_owned())),
            "bytea" if !is_array => own(Value::Bytes),
            "character varying" => of(Value::Text, Some(whole(&element.replace("character varying", "varchar")))),
            // A cast to `character` keeps one letter of a text, and one to `bit` one bit.
            "character" | "bpchar" => of(Value::Text, Some(whole(&element.replace("character", "bpchar")))),
            "bit" => Typed { sql_type: Some(whole("varbit")), ..as_text() },
            "numeric" if limits.first().is_none_or(|digits| *digits <= MOST_DIGITS) => limited(Value::Decimal),
            "timestamp with time zone" => limited(Value::Timestamp),
            "timestamp without time zone" => limited(Value::DateTime),
            "date" => own(Value::Date),
            "time without time zone" => limited(Value::Time),
            _ => {
                let (schema, name) = parts(element);
                let enumeration = self.catalog.enums.iter().find(|one| is_it(&one.name, &schema, &name, self.catalog));
                let domain = self.catalog.domains.iter().find(|one| is_it(&one.name, &schema, &name, self.catalog));
                match (enumeration, domain) {
                    (Some(one), _) if schema.is_none() && is_sayable(one) => {
                        Typed { labels: one.labels.clone(), ..own(Value::Enum(self.enumeration(one, taken))) }
                    }
                    (Some(one), _) => Typed { labels: one.labels.clone(), ..as_text() },
                    (None, Some(domain)) => self.of_domain(domain, sql_type, is_array, taken).unwrap_or_else(as_text),
                    (None, None) => as_text(),
                }
            }
        }
    }

    /// What a domain stands for, in the domain's name. `None` for an array of one that stands for an array.
    fn of_domain(&mut self, domain: &Domain, sql_type: &str, is_array: bool, taken: &mut Taken) -> Option<Typed> {
        let base = self.of(&domain.base, taken);
        if is_array && base.is_array {
            return None;
        }
        let checks = domain.checks.iter().chain(&base.checks).cloned().collect();
        // Without an array of it in the SDK, a document or bytes travel as text.
        let value = match base.value {
            Value::Json | Value::Bytes if is_array => return None,
            value => value,
        };
        Some(Typed { value, is_array: is_array || base.is_array, sql_type: Some(sql_type.to_owned()), checks, ..base })
    }

    fn enumeration(&mut self, one: &EnumType, taken: &mut Taken) -> Ident {
        if let Some(known) = self.enums.get(&one.name) {
            return known.ident.clone();
        }
        let name = names::of_type(&one.name.name);
        let ident = names::ident(&taken.first_free(&[name.clone(), format!("{name}Kind")]));
        let mut variants = Taken::default();
        let variant = |label: &String| {
            let text = names::of_variant(label);
            let free = variants.first_free(std::slice::from_ref(&text));
            let is_made_of_it = free == text && is_snake(label);
            (names::ident(&free), (!is_made_of_it).then(|| label.clone()))
        };
        let variants = one.labels.iter().map(variant).collect();
        let native = one.name.name.clone();
        self.enums.insert(one.name.clone(), Enumeration { ident: ident.clone(), native, variants });
        ident
    }

    /// The variant of an enum that comes as the `nth`.
    pub(super) fn variant(&self, ident: &Ident, nth: usize) -> Option<&Ident> {
        let one = self.enums.values().find(|one| one.ident == *ident)?;
        one.variants.get(nth).map(|(variant, _)| variant)
    }

    /// The type's name in Rust.
    pub(super) fn written(&self, typed: &Typed, is_nullable: bool) -> TokenStream {
        let mut written = self.value(&typed.value);
        if typed.is_array {
            written = quote!(Vec<#written>);
        }
        if is_nullable { quote!(Option<#written>) } else { written }
    }

    fn value(&self, value: &Value) -> TokenStream {
        match (value, self.dates) {
            (Value::Uuid, _) => quote!(Uuid),
            (Value::Bool, _) => quote!(bool),
            (Value::I16, _) => quote!(i16),
            (Value::I32, _) => quote!(i32),
            (Value::I64, _) => quote!(i64),
            (Value::F32, _) => quote!(f32),
            (Value::F64, _) => quote!(f64),
            (Value::Text, _) => quote!(String),
            (Value::Bytes, _) => quote!(Vec<u8>),
            (Value::Json, _) => quote!(serde_json::Value),
            (Value::Decimal, _) => quote!(rust_decimal::Decimal),
            (Value::Timestamp, Dates::Jiff) => quote!(jiff::Timestamp),
            (Value::Timestamp, Dates::Chrono) => quote!(chrono::DateTime<chrono::Utc>),
            (Value::Timestamp, Dates::Time) => quote!(time::OffsetDateTime),
            (Value::DateTime, Dates::Jiff) => quote!(jiff::civil::DateTime),
            (Value::DateTime, Dates::Chrono) => quote!(chrono::NaiveDateTime),
            (Value::DateTime, Dates::Time) => quote!(time::PrimitiveDateTime),
            (Value::Date, Dates::Jiff) => quote!(jiff::civil::Date),
            (Value::Date, Dates::Chrono) => quote!(chrono::NaiveDate),
            (Value::Date, Dates::Time) => quote!(time::Date),
            (Value::Time, Dates::Jiff) => quote!(jiff::civil::Time),
            (Value::Time, Dates::Chrono) => quote!(chrono::NaiveTime),
            (Value::Time, Dates::Time) => quote!(time::Time),
            (Value::Enum(ident), _) => quote!(#ident),
        }
    }
}

impl Typed {
    /// Whether it can be a part of a key: it has an array type, and is none.
    pub(super) fn can_be_key(&self) -> bool {
        !self.is_array && !matches!(self.value, Value::Bytes | Value::Json)
    }

    /// Whether rows can be distributed by it.
    pub(super) fn can_be_distribution_key(&self) -> bool {
        let is_hashed = matches!(self.value, Value::Uuid | Value::I16 | Value::I32 | Value::I64 | Value::Text);
        // `character(n)` is hashed without the blanks behind it, and what travels as text by its own type.
        let is_blank_padded = self.sql_type.as_ref().is_some_and(|sql_type| sql_type.starts_with("bpchar"));
        is_hashed && !self.is_array && self.as_text.is_none() && !is_blank_padded
    }

    /// Whether a copy of a value needs no `clone`.
    pub(super) fn is_copy(&self) -> bool {
        !self.is_array && !matches!(self.value, Value::Text | Value::Bytes | Value::Json)
    }
}

impl Value {
    /// Whether a crate of dates has it.
    pub(super) fn is_of_time(&self) -> bool {
        matches!(self, Self::Timestamp | Self::DateTime | Self::Date | Self::Time)
    }
}

/// `numeric` and 10, 2 of `numeric(10,2)`; what follows the parentheses stays.
fn without_limits(text: &str) -> (String, Vec<usize>) {
    if text.starts_with('"') {
        return (text.to_owned(), Vec::new());
    }
    match (text.find('('), text.find(')')) {
        (Some(open), Some(close)) if open < close => {
            let limits = text[open + 1..close].split(',').filter_map(|limit| limit.trim().parse().ok()).collect();
            (format!("{}{}", &text[..open], &text[close + 1..]), limits)
        }
        _ => (text.to_owned(), Vec::new()),
    }
}

/// Schema and name of a type as PostgreSQL prints it: `state`, `pay.state`, `"Pay"."State"`.
fn parts(text: &str) -> (Option<String>, String) {
    let (mut parts, mut is_quoted) = (vec![String::new()], false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => {
                letters.next();
                parts.last_mut().into_iter().for_each(|part| part.push('"'));
            }
            '"' => is_quoted = !is_quoted,
            '.' if !is_quoted => parts.push(String::new()),
            _ => parts.last_mut().into_iter().for_each(|part| part.push(letter)),
        }
    }
    let name = parts.pop().unwrap_or_default();
    (parts.pop(), name)
}

/// Whether this is the type that is printed with this schema, or with none where it is found without.
fn is_it(one: &Name, schema: &Option<String>, name: &str, catalog: &Catalog) -> bool {
    one.name == name && one.schema == *schema.as_ref().unwrap_or(&catalog.current_schema)
}

/// Whether the derive takes all labels.
fn is_sayable(one: &EnumType) -> bool {
    !one.labels.is_empty() && one.labels.iter().all(|label| !label.trim().is_empty())
}

/// Whether the derive makes this label of its variant: words of two letters and more.
fn is_snake(label: &str) -> bool {
    label.split('_').all(|word| {
        let mut letters = word.chars();
        letters.next().is_some_and(|first| first.is_ascii_lowercase())
            && word.len() > 1
            && letters.all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::{is_snake, parts, without_limits};

    #[test]
    fn types_are_taken_apart_as_postgresql_prints_them() {
        assert_eq!(without_limits("numeric(10,2)"), ("numeric".to_owned(), vec![10, 2]));
        assert_eq!(without_limits("timestamp(6) with time zone"), ("timestamp with time zone".to_owned(), vec![6]));
        assert_eq!(without_limits("geometry(Point,4326)").0, "geometry");
        assert_eq!(without_limits("\"odd(1)\""), ("\"odd(1)\"".to_owned(), vec![]));
        assert_eq!(parts("state"), (None, "state".to_owned()));
        assert_eq!(parts("pay.\"Sta.\"\"te\""), (Some("pay".to_owned()), "Sta.\"te".to_owned()));
    }

    #[test]
    fn labels_that_the_derive_makes_itself_are_known() {
        for (label, is_made) in [
            ("sold", true),
            ("sold_out", true),
            ("v2_x1", true),
            ("a_b", false),
            ("Sold", false),
            ("x y", false),
            ("", false),
        ] {
            assert_eq!(is_snake(label), is_made, "{label}");
        }
    }
}
