//! A plausible value for each column, as an expression of Rust. Pure.

use std::cell::Cell;

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::Dates;
use super::hints::{Hint, number, text};
use super::model::Field;
use super::types::{Types, Value};

/// A day for columns that no partition has to have it of.
const DAY: &str = "2026-01-01";
/// How long a text that no other row has is.
const TEXT: usize = 32;

/// Values of types that travel as text, as PostgreSQL writes them.
const AS_TEXT: [(&str, &str); 26] = [
    ("bit varying", "101"),
    ("box", "(1,1),(0,0)"),
    ("\"char\"", "a"),
    ("cidr", "10.0.0.0/8"),
    ("circle", "<(0,0),1>"),
    ("citext", "text"),
    ("daterange", "empty"),
    ("hstore", "\"a\"=>\"1\""),
    ("inet", "10.0.0.0/8"),
    ("int4range", "[1,5)"),
    ("int8range", "[1,5)"),
    ("interval", "01:00:00"),
    ("ltree", "a.b"),
    ("macaddr", "08:00:2b:01:02:03"),
    ("name", "text"),
    ("numeric", "1"),
    ("numrange", "[1,5)"),
    ("oid", "1"),
    ("pg_lsn", "0/1"),
    ("point", "(1,2)"),
    ("time with time zone", "12:00:00+00"),
    ("tsquery", "'a'"),
    ("tsrange", "empty"),
    ("tstzrange", "empty"),
    ("tsvector", "'a'"),
    ("xml", "<a/>"),
];

/// Whether a value of the column's type is known.
pub(super) fn is_known(field: &Field) -> bool {
    field.typed.is_array || field.typed.as_text.is_none() || of_text(field).is_some()
}

/// A text that PostgreSQL reads as the column's type, and writes again as it is.
fn of_text(field: &Field) -> Option<String> {
    let name = field.typed.as_text.as_deref()?;
    match (name, field.typed.limits.first()) {
        ("bit", digits) => Some("1".repeat(digits.copied().unwrap_or(1))),
        ("bit varying", Some(digits)) => Some("1".repeat(*digits)),
        ("numeric", _) => Some(decimal(field.typed.limits.get(1).copied().unwrap_or(0))),
        _ => {
            let known = AS_TEXT.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned());
            known.or_else(|| field.typed.labels.first().cloned())
        }
    }
}

/// `1.00`, as PostgreSQL writes a number with so many digits behind the point.
fn decimal(scale: usize) -> String {
    if scale == 0 { "1".to_owned() } else { format!("1.{}", "0".repeat(scale)) }
}

/// Makes expressions, and remembers which functions they call.
pub(super) struct Samples<'a> {
    types: &'a Types<'a>,
    dates: Dates,
    has_text: Cell<bool>,
    has_number: Cell<bool>,
}

impl<'a> Samples<'a> {
    pub(super) fn new(types: &'a Types<'a>, dates: Dates) -> Self {
        Self { types, dates, has_text: Cell::new(false), has_number: Cell::new(false) }
    }

    /// A value of the column that is not NULL.
    pub(super) fn of(&self, field: &Field) -> TokenStream {
        if field.typed.is_array {
            return match field.typed.as_text {
                Some(_) => quote!(Vec::new()),
                None => {
                    let element = self.element(field);
                    quote!(vec![#element])
                }
            };
        }
        self.element(field)
    }

    fn element(&self, field: &Field) -> TokenStream {
        let hint = number(&field.conditions);
        match &field.typed.value {
            Value::Uuid => quote!(Uuid::now_v7()),
            Value::Bool => quote!(true),
            Value::I16 | Value::I32 | Value::I64 => match hint {
                Some(number) => integer(number),
                None if field.is_unique => self.counted(field),
                None => quote!(1),
            },
            Value::F32 | Value::F64 => match hint.map(|number| format!("{number}.0").parse()) {
                Some(Ok(number)) => {
                    let number: proc_macro2::Literal = number;
                    quote!(#number)
                }
                _ => quote!(1.5),
            },
            Value::Decimal => self.decimal(field, hint),
            Value::Text => self.text(field),
            Value::Bytes => quote!(vec![1, 2, 3]),
            Value::Json => quote!(serde_json::json!({ "a": 1 })),
            Value::Enum(ident) => self.variant(ident, field),
            Value::Timestamp | Value::DateTime | Value::Date | Value::Time => self.moment(field),
        }
    }

    fn counted(&self, field: &Field) -> TokenStream {
        self.has_number.set(true);
        match field.typed.value {
            Value::I16 => quote!(number(30_000)),
            Value::I64 => quote!(number(9_000_000_000_000_000)),
            _ => quote!(number(2_000_000_000)),
        }
    }

    fn decimal(&self, field: &Field, hint: Option<i64>) -> TokenStream {
        let whole_digits = match field.typed.limits.as_slice() {
            [] => 9,
            [digits] => *digits,
            [digits, scale, ..] => digits.saturating_sub(*scale),
        };
        match hint {
            Some(number) => {
                let number = integer(number);
                quote!(rust_decimal::Decimal::from(#number))
            }
            None if whole_digits == 0 => quote!(rust_decimal::Decimal::ZERO),
            None if field.is_unique && whole_digits >= 9 => {
                self.has_number.set(true);
                quote!(rust_decimal::Decimal::from(number::<i32>(900_000_000)))
            }
            None => quote!(rust_decimal::Decimal::ONE),
        }
    }

    fn text(&self, field: &Field) -> TokenStream {
        if let Some(text) = of_text(field) {
            return quote!(#text.to_owned());
        }
        let most = field.typed.limits.first().copied().unwrap_or(usize::MAX);
        let length = match text(&field.conditions) {
            Some(Hint::Is(text)) => return quote!(#text.to_owned()),
            Some(Hint::Length(length)) => Some(length),
            None => None,
        };
        if field.is_unique {
            self.has_text.set(true);
            let length = proc_macro2::Literal::usize_unsuffixed(length.unwrap_or(TEXT).min(TEXT).min(most));
            return quote!(text(#length));
        }
        let words = match length {
            Some(length) => "a".repeat(length),
            None => field.column.chars().take(most).collect(),
        };
        quote!(#words.to_owned())
    }

    fn variant(&self, ident: &Ident, field: &Field) -> TokenStream {
        let wanted = match text(&field.conditions) {
            Some(Hint::Is(label)) => field.typed.labels.iter().position(|known| *known == label),
            _ => None,
        };
        let variant = self.types.variant(ident, wanted.unwrap_or(0));
        quote!(#ident::#variant)
    }

    fn moment(&self, field: &Field) -> TokenStream {
        let day = field.day.as_deref().unwrap_or(DAY);
        let (moment, civil, noon) = (format!("{day}T12:00:00Z"), format!("{day}T12:00:00"), "12:00:00");
        let parsed = |text: &str| quote!(#text.parse().unwrap());
        match (self.dates, &field.typed.value) {
            (Dates::Jiff | Dates::Chrono, Value::Timestamp) => parsed(&moment),
            (Dates::Jiff | Dates::Chrono, Value::DateTime) => parsed(&civil),
            (Dates::Jiff | Dates::Chrono, Value::Date) => parsed(day),
            (Dates::Jiff | Dates::Chrono, _) => parsed(noon),
            (Dates::Time, value) => of_time(day, value),
        }
    }

    /// The functions that the expressions call.
    pub(super) fn functions(&self) -> Vec<TokenStream> {
        let text = self.has_text.get().then(|| {
            quote! {
                #[doc = " A text that no other row has."]
                fn text(length: usize) -> String {
                    shardwise::Uuid::new_v4().simple().to_string()[..length].to_owned()
                }
            }
        });
        let number = self.has_number.get().then(|| {
            quote! {
                #[doc = " A number that hardly another row has."]
                fn number<N: TryFrom<u128>>(most: u128) -> N {
                    let number = 1 + shardwise::Uuid::new_v4().as_u128() % most;
                    N::try_from(number).ok().unwrap()
                }
            }
        });
        text.into_iter().chain(number).collect()
    }
}

fn integer(number: i64) -> TokenStream {
    let literal = proc_macro2::Literal::i64_unsuffixed(number.abs());
    if number < 0 { quote!(-#literal) } else { quote!(#literal) }
}

/// The crate `time` parses nothing without a feature of its own.
fn of_time(day: &str, value: &Value) -> TokenStream {
    let noon = quote!(time::Time::from_hms(12, 0, 0).unwrap());
    if *value == Value::Time {
        return noon;
    }
    let mut numbers = day.split('-').map(|part| part.parse().unwrap_or(1));
    let mut next = || proc_macro2::Literal::u16_unsuffixed(numbers.next().unwrap_or(1));
    let (year, month, day) = (next(), next(), next());
    let date = quote!(time::Date::from_calendar_date(#year, time::Month::try_from(#month).unwrap(), #day).unwrap());
    match value {
        Value::Date => date,
        Value::DateTime => quote!(time::PrimitiveDateTime::new(#date, #noon)),
        _ => quote!(time::PrimitiveDateTime::new(#date, #noon).assume_utc()),
    }
}
