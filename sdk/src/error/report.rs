//! What the server reported, without the row's values that its details would show.

use tokio_postgres::error::{DbError, ErrorPosition, Severity, SqlState};

#[derive(Clone)]
pub(super) struct ServerReport {
    pub(super) code: SqlState,
    pub(super) message: String,
    pub(super) constraint: Option<String>,
    pub(super) table: Option<String>,
    pub(super) hint: Option<String>,
    pub(super) position: Option<u32>,
    /// Whether it ends the session.
    pub(super) is_fatal: bool,
}

impl ServerReport {
    pub(super) fn of(report: &DbError) -> Self {
        Self {
            code: report.code().clone(),
            message: with_dependents(report, without_values(report.code(), report.message())),
            constraint: report.constraint().map(str::to_owned),
            table: report.table().map(str::to_owned),
            hint: report.hint().map(str::to_owned),
            position: report.position().map(|position| match position {
                ErrorPosition::Original(at) | ErrorPosition::Internal { position: at, .. } => *at,
            }),
            is_fatal: match report.parsed_severity() {
                Some(severity) => matches!(severity, Severity::Fatal | Severity::Panic),
                // Poolers have but the text.
                None => matches!(report.severity(), "FATAL" | "PANIC"),
            },
        }
    }

    #[cfg(test)]
    pub(super) fn with_code(code: &str, is_fatal: bool) -> Self {
        let (code, message) = (SqlState::from_code(code), String::new());
        Self { code, message, constraint: None, table: None, hint: None, position: None, is_fatal }
    }

    /// On Citus a violation is that of a shard, whose table and constraints end with its number: `wallets_pkey_102041`. The
    /// user knows the table and the constraint without it.
    pub(super) fn name_the_whole_table(&mut self) {
        let Some(table) = self.table.as_deref().or(self.guarded_table()) else { return };
        let Some((name, number)) = table.rsplit_once('_').filter(|(_, number)| is_shard_number(number)) else { return };
        let (name, suffix) = (name.to_owned(), format!("_{number}"));
        self.message = self.message.replace(&format!("{suffix}\""), "\"");
        if let Some(constraint) = &mut self.constraint
            && let Some(stem) = constraint.strip_suffix(&suffix)
        {
            *constraint = stem.to_owned();
        }
        self.table = Some(name);
    }

    /// The table whose policies refuse a row, which the server names in its message alone.
    fn guarded_table(&self) -> Option<&str> {
        let is_refusal = self.code == SqlState::INSUFFICIENT_PRIVILEGE;
        let message = self.message.strip_suffix('"').filter(|_| is_refusal)?;
        let (what, table) = message.rsplit_once(" for table \"")?;
        what.contains("row-level security policy").then_some(table)
    }
}

/// Citus numbers shards from 102008 on.
fn is_shard_number(text: &str) -> bool {
    text.len() >= 6 && text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u64>().is_ok_and(|n| n >= 102_008)
}

/// Of what still needs an object the detail tells, in names alone.
fn with_dependents(report: &DbError, message: String) -> String {
    let detail = report.detail().filter(|_| *report.code() == SqlState::DEPENDENT_OBJECTS_STILL_EXIST);
    detail.map_or_else(|| message.clone(), |detail| format!("{message}: {}", detail.replace('\n', "; ")))
}

/// The server's message. Those of class 22 (data exceptions) quote the offending value, in the quotation marks of the
/// server's language, or show its bytes: they end there.
fn without_values(code: &SqlState, message: &str) -> String {
    let quotes =
        |c: char| matches!(c, '"' | '\'' | '`' | '«' | '»' | '‹' | '›' | '‘'..='‟' | '「'..='』' | '〝'..='〟' | '＂');
    match message.find(quotes).into_iter().chain(message.find(" 0x")).min() {
        Some(end) if code.code().starts_with("22") => format!("{}…", &message[..end]),
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use tokio_postgres::error::SqlState;

    use super::without_values;

    #[test]
    fn a_value_that_a_message_quotes_is_cut_off_in_every_language() {
        for (message, left) in [
            ("invalid input syntax for type integer: \"secret\"", "invalid input syntax for type integer: …"),
            ("ungültige Eingabesyntax für Typ integer: »secret«", "ungültige Eingabesyntax für Typ integer: …"),
            (
                "syntaxe en entrée invalide pour le type integer : « secret »",
                "syntaxe en entrée invalide pour le type integer : …",
            ),
            ("neplatná vstupní syntaxe pro typ integer: „secret“", "neplatná vstupní syntaxe pro typ integer: …"),
            ("入力構文が不正です: 「secret」", "入力構文が不正です: …"),
            (
                "character with byte sequence 0x73 in encoding \"UTF8\" has no equivalent",
                "character with byte sequence…",
            ),
        ] {
            assert_eq!(without_values(&SqlState::INVALID_TEXT_REPRESENTATION, message), left);
        }
        assert_eq!(without_values(&SqlState::DIVISION_BY_ZERO, "division by zero"), "division by zero");
        // The names of what was violated are no values.
        let violated = "duplicate key value violates unique constraint \"wallets_pkey\"";
        assert_eq!(without_values(&SqlState::UNIQUE_VIOLATION, violated), violated);
    }
}
