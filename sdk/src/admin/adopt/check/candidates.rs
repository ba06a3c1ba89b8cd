//! Which literals of a program are SQL. Pure.

use super::literals::{Language, Literal, split};
use super::statement::Statement;
use super::tables::{Tables, folded};
use super::words::{HOLE, Kind, Token};

/// The statements that a literal is, each with the line that it begins in.
pub(super) fn statements(literal: &Literal, language: Language, tables: &Tables) -> Vec<(usize, Statement)> {
    let mut found = Vec::new();
    let mut taken = 0;
    let mut holes = literal.holes.as_slice();
    for (at, text) in split(&literal.text, language.writer()) {
        let count = |text: &str| text.matches(HOLE).count();
        let skipped = count(&literal.text[taken..at]).min(holes.len());
        let (own, rest) = holes[skipped..].split_at(count(text).min(holes.len() - skipped));
        (holes, taken) = (rest, at + text.len());
        let statement = Statement::read(text, own, language.writer(), language.usual());
        if language == Language::Sql || is_one(&statement, tables) {
            let line = literal.line + literal.text[..at].matches('\n').count();
            // Escapes are lines of the text and none of the source.
            found.push((if language == Language::Sql { literal.line } else { line.min(literal.last_line) }, statement));
        }
    }
    found
}

/// Verbs of statements about rows.
const ROWS: &[&str] = &["delete", "insert", "merge", "select", "update", "values", "with"];
/// Verbs of others, each of which begins many a sentence as well.
const OTHERS: &[&str] = &["alter", "copy", "create", "drop", "lock", "truncate"];
/// What others are about.
const OBJECTS: &[&str] = &[
    "database",
    "domain",
    "extension",
    "foreign",
    "function",
    "global",
    "index",
    "local",
    "materialized",
    "or",
    "policy",
    "procedure",
    "publication",
    "role",
    "schema",
    "sequence",
    "table",
    "temp",
    "temporary",
    "trigger",
    "type",
    "unique",
    "unlogged",
    "user",
    "view",
];

/// Whether a text is a statement and no sentence: its first word is a verb of SQL, and it can be read, or names a table that is there
/// where a statement would.
fn is_one(statement: &Statement, tables: &Tables) -> bool {
    let [first, second, _] = statement.first_words();
    let tokens = statement.tokens();
    let names_table = names_table(&tokens, tables);
    if ROWS.contains(&first.as_str()) {
        let is_read = statement.unread.is_none() && shardwise_scope::sites(&statement.named).is_ok();
        return if is_read {
            names_table || has_signs(&tokens)
        } else {
            has_shape(&first, &second, &tokens, names_table, statement)
        };
    }
    if OTHERS.contains(&first.as_str()) {
        return OBJECTS.contains(&second.as_str()) && tokens.len() > 2 || names_table && has_signs(&tokens);
    }
    // The rest of a statement whose beginning is put in.
    statement.unread.is_some() && names_table
}

/// Whether a known table stands where a statement names one.
fn names_table(tokens: &[Token<'_>], tables: &Tables) -> bool {
    const BEFORE: &[&str] = &["from", "into", "join", "lock", "only", "table", "truncate", "update", "using"];
    let mut follows = false;
    for token in tokens {
        if follows && matches!(token.kind, Kind::Word | Kind::Name) && tables.is_named(&folded(token.text)) {
            return true;
        }
        follows = token.is_one_of(BEFORE) || token.is_sign(".") || token.is_sign(",") && follows;
    }
    false
}

/// Whether something stands in it that sentences don't have.
fn has_signs(tokens: &[Token<'_>]) -> bool {
    let is_sign = |token: &Token<'_>| matches!(token.text, "*" | "(" | "=" | "." | "<" | ">" | "$");
    tokens.iter().any(|token| matches!(token.kind, Kind::Param(_) | Kind::Number | Kind::Constant) || is_sign(token))
}

/// Whether what can't be read has the words of a statement, and a hole or a table that is there.
fn has_shape(first: &str, second: &str, tokens: &[Token<'_>], names_table: bool, statement: &Statement) -> bool {
    let has = |word: &str| tokens.iter().any(|token| token.is(word));
    let is_shaped = match first {
        "select" => has("from"),
        "insert" | "merge" => second == "into",
        "update" => has("set"),
        "delete" => second == "from",
        "with" => has("as") && (has("select") || has("insert") || has("update") || has("delete")),
        _ => false,
    };
    is_shaped && (names_table || statement.unread.is_some())
}

#[cfg(test)]
mod tests {
    use super::statements;
    use crate::admin::adopt::check::literals::{Language, literals};
    use crate::admin::adopt::check::samples::{FESTIVALS, inspected};
    use crate::admin::adopt::check::tables::Tables;

    #[test]
    fn statements_are_told_from_sentences() {
        let tables = Tables::of(&inspected(FESTIVALS, ("festivals", "id"), "festival_id"));
        let is_one = |text: &str| {
            let source = format!("x = f\"\"\"{text}\"\"\"");
            literals(Language::Python, &source)
                .expect("it can be read")
                .iter()
                .any(|literal| !statements(literal, Language::Python, &tables).is_empty())
        };
        for text in [
            "SELECT 1",
            "  select id\n from nowhere where id = %s",
            "-- all\nSELECT name FROM stands",
            "(SELECT 1) UNION (SELECT 2)",
            "WITH x AS (SELECT 1) SELECT * FROM x",
            "insert into tickets values (1)",
            "UPDATE nowhere SET a = 1",
            "DELETE FROM tickets",
            "SELECT {columns} FROM {table}",
            "SELECT FROM WHERE tickets FROM tickets WHERE",
            "TRUNCATE TABLE tickets",
            "lock table stands",
            "CREATE INDEX ON stands (name)",
            "{start} FROM tickets WHERE {end}",
            "UPDATE {table} SET a = %s",
            "VALUES (1)",
            "BEGIN; DELETE FROM tickets; COMMIT",
        ] {
            assert!(is_one(text), "{text}");
        }
        for text in [
            "",
            "hello",
            "Select a file",
            "Select one from the list",
            "Delete from cart",
            "Update available",
            "Create account",
            "with love from tickets",
            "Insert coin",
            "Drop us a line",
            "Values",
            "Lock screen",
            "Delete {name}?",
            "Select {n} tickets",
            "from {place} to {place}",
            "copy that",
            "Selected from tickets",
            "Merge into main",
            "Update the set",
            "alter ego",
        ] {
            assert!(!is_one(text), "{text}");
        }
    }

    #[test]
    fn each_has_its_line_and_its_holes() {
        let tables = Tables::of(&inspected(FESTIVALS, ("festivals", "id"), "festival_id"));
        let source = "\nx = f'''SELECT {a}\n FROM t;\nDELETE FROM tickets WHERE id = {b};\n\nnothing'''\ny = 'SELECT 1\\n;SELECT 2'";
        let found: Vec<_> = literals(Language::Python, source)
            .expect("it can be read")
            .iter()
            .flat_map(|literal| statements(literal, Language::Python, &tables))
            .map(|(line, statement)| (line, statement.shown))
            .collect();
        let expected =
            [(2, "SELECT {a}\n FROM t"), (4, "DELETE FROM tickets WHERE id = {b}"), (7, "SELECT 1"), (7, "SELECT 2")];
        assert_eq!(found, expected.map(|(line, text)| (line, text.to_owned())));
    }
}
