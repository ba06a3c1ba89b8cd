//! What tables and columns are called in Rust. Pure.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span};

/// Keywords that no identifier can be, whatever stands before it.
const NEVER: [&str; 5] = ["self", "Self", "super", "crate", "_"];
/// A keyword of this edition that `syn` takes for a name.
const NEW_KEYWORD: &str = "gen";
/// Words that have one form, or an ending of their own.
const IRREGULAR: [(&str, &str); 9] = [
    ("people", "person"),
    ("children", "child"),
    ("news", "news"),
    ("series", "series"),
    ("species", "species"),
    ("sms", "sms"),
    ("aliases", "alias"),
    ("caches", "cache"),
    ("movies", "movie"),
];

/// What one row of a table with this name is: `festival` of `festivals`. What is no plural stays as it is.
pub(crate) fn singular(plural: &str) -> String {
    if let Some((one, head)) = IRREGULAR.iter().find_map(|(many, one)| Some((one, plural.strip_suffix(many)?)))
        && (head.is_empty() || head.ends_with('_'))
    {
        return format!("{head}{one}");
    }
    let before_uses = plural.strip_suffix("uses").and_then(|stem| stem.chars().last());
    let takes_es = ["sses", "shes", "ches", "xes", "zzes"].iter().any(|end| plural.ends_with(end))
        || before_uses.is_some_and(|letter| letter.is_alphabetic() && !matches!(letter, 'a' | 'o'));
    match plural {
        _ if plural.ends_with("ies") => format!("{}y", &plural[..plural.len() - 3]),
        _ if takes_es => plural[..plural.len() - 2].to_owned(),
        _ if ["ss", "us", "is"].iter().any(|end| plural.ends_with(end)) => plural.to_owned(),
        _ => plural.strip_suffix('s').unwrap_or(plural).to_owned(),
    }
}

/// The words of a name, in small letters: `orderLines`, `order-lines` and `OrderLines` have the same ones.
pub(super) fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (at, &letter) in letters.iter().enumerate() {
        let (before, after) = (at.checked_sub(1).and_then(|at| letters.get(at)), letters.get(at + 1));
        let begins = letter.is_uppercase()
            && before.is_some_and(|before| {
                let ends_an_acronym = before.is_uppercase() && after.is_some_and(|after| after.is_lowercase());
                before.is_lowercase() || before.is_numeric() || ends_an_acronym
            });
        if begins || !letter.is_alphanumeric() {
            words.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// `TicketState`
pub(super) fn camel(words: &[String]) -> String {
    let mut text = String::new();
    for word in words {
        let mut letters = word.chars();
        text.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        text.extend(letters);
    }
    text
}

/// The name of the struct of a table, or of the enum of a type: `TicketState` of `ticket_states`.
pub(super) fn of_type(name: &str) -> String {
    let mut words = words(name);
    if let Some(last) = words.last_mut() {
        *last = singular(last);
    }
    sayable(camel(&words), "Row")
}

/// The name of the variant of a label: `SoldOut` of `sold_out`.
pub(super) fn of_variant(label: &str) -> String {
    sayable(camel(&words(label)), "Label")
}

/// The name of a column's field: the column's own, where Rust would call it so.
pub(super) fn of_field(column: &str) -> String {
    let is_snake = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let is_plain = column.chars().all(is_snake) && !column.trim_matches('_').contains("__");
    match is_plain {
        true => sayable(column.to_owned(), "column"),
        false => sayable(words(column).join("_"), "column"),
    }
}

/// The same text where it can be an identifier, be it a raw one; else with something before or behind it.
fn sayable(text: String, otherwise: &str) -> String {
    if NEVER.contains(&text.as_str()) {
        return if text == "_" { otherwise.to_owned() } else { format!("{text}_") };
    }
    if syn::parse_str::<Ident>(&format!("r#{text}")).is_ok() {
        return text;
    }
    let prefixed = format!("{otherwise}{}{text}", if otherwise == "column" { "_" } else { "" });
    if !text.is_empty() && syn::parse_str::<Ident>(&prefixed).is_ok() { prefixed } else { otherwise.to_owned() }
}

/// The identifier with this text, a raw one where it is a keyword.
pub(super) fn ident(text: &str) -> Ident {
    match syn::parse_str::<Ident>(text) {
        Ok(ident) if text != NEW_KEYWORD => ident,
        _ => Ident::new_raw(text, Span::call_site()),
    }
}

/// Names that are given already.
#[derive(Debug, Default)]
pub(super) struct Taken(BTreeSet<String>);

impl Taken {
    /// These.
    pub(super) fn of(names: &[&str]) -> Self {
        Self(names.iter().map(|name| key(name)).collect())
    }

    /// Takes this name where it is free.
    pub(super) fn take(&mut self, name: &str) -> bool {
        self.0.insert(key(name))
    }

    /// Takes the first of these names that is free, or the last one with a number.
    pub(super) fn first_free(&mut self, names: &[String]) -> String {
        if let Some(free) = names.iter().find(|name| self.take(name)) {
            return free.clone();
        }
        let last = names.last().map_or("", String::as_str);
        (2..).map(|number| format!("{last}{number}")).find(|name| self.take(name)).unwrap_or_default()
    }
}

/// Two fields that differ in case alone would have one constant.
fn key(name: &str) -> String {
    name.to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::{Taken, ident, of_field, of_type, singular};

    #[test]
    fn one_of_a_table_is_told_from_many() {
        for (many, one) in [
            ("festivals", "festival"),
            ("companies", "company"),
            ("addresses", "address"),
            ("batches", "batch"),
            ("boxes", "box"),
            ("caches", "cache"),
            ("statuses", "status"),
            ("causes", "cause"),
            ("uses", "use"),
            ("status", "status"),
            ("address", "address"),
            ("staff", "staff"),
            ("data", "data"),
            ("news", "news"),
            ("people", "person"),
            ("order_people", "order_person"),
            ("ies", "y"),
            ("s", ""),
        ] {
            assert_eq!(singular(many), one, "{many}");
        }
    }

    #[test]
    fn structs_are_called_as_one_row_is() {
        for (table, name) in [
            ("ticket_states", "TicketState"),
            ("TenantMember", "TenantMember"),
            ("_StepOrder", "StepOrder"),
            ("HTTPRequests", "HttpRequest"),
            ("orderLines", "OrderLine"),
            ("2fa_codes", "Row2faCode"),
            ("größen", "Größen"),
            ("Self", "Self_"),
            ("s", "Row"),
            ("$$", "Row"),
            ("item2", "Item2"),
        ] {
            assert_eq!(of_type(table), name, "{table}");
            ident(name);
        }
    }

    #[test]
    fn fields_are_called_as_their_columns_where_rust_can() {
        for (column, name, shown) in [
            ("festival_id", "festival_id", "festival_id"),
            ("tenantId", "tenant_id", "tenant_id"),
            ("A", "a", "a"),
            ("type", "type", "r#type"),
            ("gen", "gen", "r#gen"),
            ("self", "self_", "self_"),
            ("_", "column", "column"),
            ("2nd", "column_2nd", "column_2nd"),
            ("is it?", "is_it", "is_it"),
            ("a__b", "a_b", "a_b"),
            ("_id", "_id", "_id"),
            ("§", "column", "column"),
            ("URL", "url", "url"),
            ("userID2", "user_id2", "user_id2"),
        ] {
            assert_eq!((of_field(column).as_str(), ident(name).to_string().as_str()), (name, shown), "{column}");
        }
    }

    #[test]
    fn a_name_is_given_once() {
        let mut taken = Taken::of(&["Schema"]);
        let free = |taken: &mut Taken, names: &[&str]| {
            taken.first_free(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(free(&mut taken, &["Schema", "SchemaRow"]), "SchemaRow");
        assert_eq!(free(&mut taken, &["Schema", "SchemaRow"]), "SchemaRow2");
        assert_eq!(free(&mut taken, &["user_id"]), "user_id");
        assert_eq!(free(&mut taken, &["USER_ID", "User_Id"]), "User_Id2", "their constants would be one");
    }
}
