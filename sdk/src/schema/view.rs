//! Materialized views: what the derive says of one, and the SQL that makes and refreshes it. Pure.

use std::time::Duration;

use super::quote::dollar_quoted;
use super::{Table, literal, names, quote_ident, quote_qualified};

/// What makes a materialized view of an entity. The derive writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaterializedView {
    /// The query whose rows it keeps.
    pub query: &'static str,
    /// How old it may become before it is refreshed in the background; `None` leaves it to whoever asks.
    pub every: Option<Duration>,
}

/// A materialized view in a database.
#[derive(Debug, Clone)]
pub(crate) struct PlacedView<'a> {
    pub(crate) table: &'a Table,
    pub(crate) view: &'a MaterializedView,
    pub(crate) schema: String,
}

impl PlacedView<'_> {
    /// Its name as SQL text.
    pub(crate) fn at(&self) -> String {
        quote_qualified(Some(&self.schema), self.table.name)
    }

    /// The name of the index by which a refresh tells rows apart.
    pub(crate) fn index(&self) -> String {
        names::object(self.table.name, "key")
    }

    /// What it is made of: the query's columns, with the types of the fields.
    pub(crate) fn definition(&self) -> String {
        let columns: Vec<String> = self
            .table
            .columns
            .iter()
            .map(|column| format!("{0}::{1} AS {0}", quote_ident(column.name), column.sql_type))
            .collect();
        format!("SELECT {} FROM ({}) shardwise_query", columns.join(", "), self.view.query)
    }

    /// Makes it beside the one that there is, with its rows, and then puts it into that one's place: so it can be read all the
    /// while, and nobody reads one without rows. It has that one's grants, `SELECT ON TABLE %s TO …`, and its owner as well.
    pub(crate) fn create(&self, readers: &[String], grants: &[String], owner: Option<&str>) -> Vec<String> {
        let (name, index) = (self.table.name, self.index());
        let next = names::object(name, "next");
        let (at, next_at) = (self.at(), quote_qualified(Some(&self.schema), &next));
        let next_index = names::object(&next, "key");
        let key: Vec<String> = self.table.primary_key.iter().map(|column| quote_ident(column)).collect();
        let mut statements = vec![
            format!("DROP MATERIALIZED VIEW IF EXISTS {next_at}"),
            format!("CREATE MATERIALIZED VIEW {next_at} AS {} WITH NO DATA", self.definition()),
            format!("CREATE UNIQUE INDEX {} ON {next_at} ({})", quote_ident(&next_index), key.join(", ")),
        ];
        statements
            .extend(readers.iter().map(|role| super::policy::grant(&["SELECT"], &format!("TABLE {next_at}"), role)));
        statements.extend(grants.iter().map(|grant| format!("GRANT {}", grant.replacen("%s", &next_at, 1))));
        statements.push(self.fill(&next_at, ""));
        statements
            .extend(owner.map(|owner| format!("ALTER MATERIALIZED VIEW {next_at} OWNER TO {}", quote_ident(owner))));
        let swap = format!(
            "DROP MATERIALIZED VIEW IF EXISTS {at}; ALTER MATERIALIZED VIEW {next_at} RENAME TO {}; ALTER INDEX {} RENAME TO {};",
            quote_ident(name),
            quote_qualified(Some(&self.schema), &next_index),
            quote_ident(&index)
        );
        statements.push(self.patiently(&swap));
        statements
    }

    /// Whoever reads it for long must not make all others wait behind this: so it is tried again and again, for a minute or so, each time
    /// for a moment.
    fn patiently(&self, swap: &str) -> String {
        const TRIES: u32 = 65;
        let told = literal(&format!(
            "{} was being read or refreshed all the time: apply again when that has ended",
            self.at()
        ));
        let body = format!(
            "BEGIN FOR tried IN 1..{TRIES} LOOP BEGIN PERFORM pg_catalog.set_config('lock_timeout', '100ms', true); {swap} RETURN; \
             EXCEPTION WHEN lock_not_available THEN PERFORM pg_catalog.pg_sleep(least(0.1 * tried, 1)); END; END LOOP; \
             RAISE EXCEPTION USING ERRCODE = 'lock_not_available', MESSAGE = {told}; END"
        );
        format!("DO {}", dollar_quoted(&body))
    }

    /// Refreshes it while it is read.
    pub(crate) fn refresh(&self) -> String {
        self.fill(&self.at(), "CONCURRENTLY ")
    }

    /// The refresh, and in the same transaction when that began and how long it took. What the view shows is no older.
    fn fill(&self, at: &str, how: &str) -> String {
        let body = format!(
            "DECLARE began timestamptz := pg_catalog.clock_timestamp(); BEGIN REFRESH MATERIALIZED VIEW {how}{at}; \
             EXECUTE pg_catalog.format('COMMENT ON MATERIALIZED VIEW %s IS %L', {}, pg_catalog.json_build_object('shardwise', {}::text, \
             'refreshed', (extract(epoch FROM began) * 1000000)::int8, \
             'micros', (extract(epoch FROM pg_catalog.clock_timestamp() - began) * 1000000)::int8)::text); END",
            literal(at),
            literal(&self.definition()),
        );
        format!("DO {}", dollar_quoted(&body))
    }
}
