//! What the macro `sql!` leaves in the program.

use shardwise_scope::{Facts, TableFacts, explain, place, verify};

use crate::entity::Statement;
use crate::schema::Table;

/// A statement that was checked when the program was compiled.
#[derive(Debug)]
pub struct Literal {
    /// The statement; the server infers the parameters' types.
    pub statement: Statement,
    /// How many parameters it has.
    pub params: usize,
    /// The tables of its entities.
    pub entities: &'static [fn() -> &'static Table],
    /// Whether it changes something.
    pub writes: bool,
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
