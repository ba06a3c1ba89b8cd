//! Quoting of names and literals.

/// A name as SQL text, always in double quotes: so no keyword and no upper case can change its meaning.
///
/// ```
/// assert_eq!(shardwise::schema::quote_ident("we\"ird"), "\"we\"\"ird\"");
/// ```
#[must_use]
pub fn quote_ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `"schema"."name"`, or the name alone where no schema is given.
#[must_use]
pub fn quote_qualified(schema: Option<&str>, name: &str) -> String {
    match schema {
        Some(schema) => format!("{}.{}", quote_ident(schema), quote_ident(name)),
        None => quote_ident(name),
    }
}

/// Text as a SQL literal. Safe whatever `standard_conforming_strings` says: a backslash makes it an `E''` literal.
///
/// ```
/// use shardwise::schema::quote_literal;
/// assert_eq!(quote_literal("it's"), "'it''s'");
/// assert_eq!(quote_literal("a\\b"), " E'a\\\\b'");
/// ```
#[must_use]
pub fn quote_literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') { format!(" E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

/// The same where nothing before it could run into it.
pub(crate) fn literal(text: &str) -> String {
    quote_literal(text).trim_start().to_owned()
}

/// A body of code as a literal, with a tag that it does not hold.
pub(crate) fn dollar_quoted(body: &str) -> String {
    let tag = (0..).map(|nth| format!("$body{nth}$")).find(|tag| !body.contains(tag)).unwrap_or_default();
    format!("{tag}{body}{tag}")
}
