//! Statements by the thousand, of every shape that a tenant's session may send. Most are meant to stay with one tenant; at each
//! place where the tenant's key is held, it is sometimes held wrongly; and of what comes out, some is bent as a text.
//!
//! Whether a statement is safe is known to nobody here: that is for the checker to say, and for the judge to find out.

mod chain;
mod expression;
mod from;
mod key;
mod mutate;
mod query;
mod write;

use super::random::Random;
use super::schema::Ty;

/// One statement of this seed.
pub fn statement(seed: u64) -> String {
    let mut generator = Generator { random: Random::new(seed), aliases: 0, ctes: Vec::new() };
    let text = generator.statement();
    match generator.random.percent(35) {
        true => mutate::bent(&mut generator.random, text),
        false => text,
    }
}

struct Generator {
    random: Random,
    aliases: usize,
    /// Those that are in force.
    ctes: Vec<Source>,
}

#[derive(Debug, Clone)]
struct Column {
    name: String,
    ty: Ty,
}

/// Something in FROM.
#[derive(Debug, Clone)]
struct Source {
    alias: String,
    columns: Vec<Column>,
    /// The column that is meant to hold the tenant's key.
    key: Option<String>,
}

/// What names mean.
#[derive(Debug, Clone, Copy)]
struct Scope<'s> {
    sources: &'s [Source],
    outer: Option<&'s Scope<'s>>,
}

/// A query, and what it gives.
struct Query {
    sql: String,
    columns: Vec<Column>,
    key: Option<String>,
}

/// What a query has to give.
#[derive(Clone, Copy)]
enum Wanted<'w> {
    /// Whatever there is.
    Anything,
    /// Columns of these types.
    Types(&'w [Ty]),
    /// These, of which the first is the tenant's key.
    KeyAndTypes(&'w [Ty]),
}

impl Generator {
    fn alias(&mut self, of: &str) -> String {
        self.aliases += 1;
        match self.random.below(20) {
            // Names that mean something else elsewhere.
            0 => "wallets".to_owned(),
            1 => "festival_id".to_owned(),
            2 => "w".to_owned(),
            3 => "\"T\"".to_owned(),
            _ => format!("{}{}", &of[..1], self.aliases),
        }
    }
}

impl Source {
    fn column(&self, name: &str) -> String {
        format!("{}.{name}", self.alias)
    }

    fn has(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column.name == name)
    }

    fn key(&self) -> Option<String> {
        self.key.as_ref().map(|key| self.column(key))
    }
}

impl<'s> Scope<'s> {
    const NOTHING: Scope<'static> = Scope { sources: &[], outer: None };

    /// The keys of what is around.
    fn outer_keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        let mut level = self.outer;
        while let Some(scope) = level {
            keys.extend(scope.sources.iter().filter_map(Source::key));
            level = scope.outer;
        }
        keys
    }
}
