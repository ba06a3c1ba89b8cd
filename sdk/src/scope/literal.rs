//! What the macro `sql!` leaves in the program.

use std::any::TypeId;

use shardwise_scope::{Facts, TableFacts, explain, place, verify};

use crate::entity::{Entity, Spread, Statement};
use crate::schema::{Caching, Table};

/// A statement that was checked when the program was compiled.
#[derive(Debug)]
pub struct Literal {
    /// The statement; the server infers the parameters' types.
    pub statement: Statement,
    /// How many parameters it has.
    pub params: usize,
    /// Which parameters are the tenant's key.
    pub keys: &'static [usize],
    /// Its entities.
    pub entities: &'static [Listed],
    /// Whether it changes something.
    pub writes: bool,
}

/// An entity that a statement names.
#[derive(Debug, Clone, Copy)]
pub struct Listed {
    /// Its table.
    pub table: fn() -> &'static Table,
    /// The Rust type of its distribution key. Two keys of one SQL type are of the same kind only if they are of the same
    /// Rust type.
    pub key: fn() -> Option<TypeId>,
    /// How its rows are cached, where they are.
    pub caching: Option<Caching>,
}

/// An entity, as a statement names it.
pub const fn listed<E: Entity>() -> Listed {
    Listed { table: E::table, key: <E::Distribution as Spread>::key, caching: E::CACHING }
}

/// Holds a statement against its entities: a constant that fails is an error of the compiler's.
///
/// # Panics
/// With what is wrong and what to write instead.
#[track_caller]
pub const fn check(text: &str, facts: &Facts<'_>, tables: &[TableFacts<'_>]) {
    let Err(problem) = verify(facts, tables) else { return };
    let message = explain(problem, facts, tables);
    match place(problem, facts) {
        Some(at) => panic!("{}", message.pointing_into(text, at).as_str()),
        None => panic!("{}", message.as_str()),
    }
}
