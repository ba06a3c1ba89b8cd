//! What is wrong with a statement, in words that say what to write instead. The compiler and a running program say the same.

use crate::facts::{Facts, TableFacts};
use crate::message::Message;
use crate::verify::{Problem, same, verify};
use crate::{Analysis, Refusal};

/// What a problem is, and what to write instead. The facts and the tables are those that it was found with.
pub const fn explain(problem: Problem, facts: &Facts<'_>, tables: &[TableFacts<'_>]) -> Message {
    match problem {
        Problem::NoValue { param } => {
            let param = facts.params[param];
            Message::new().and("`:").and(param).and("` has no value: add `").and(param).and(" = …`")
        }
        Problem::UnusedValue { given } => {
            Message::new().and("the text has no parameter `:").and(facts.given[given]).and("`")
        }
        Problem::GivenTwice { given } => Message::new().and("`").and(facts.given[given]).and("` is given twice"),
        Problem::KeyGiven { given } => {
            let key = facts.given[given];
            let message =
                Message::new().and("`:").and(key).and("` is the tenant's key, which the session binds: leave `");
            message.and(key).and(" = …` out")
        }
        Problem::TwoOfOneTable { table } => {
            let message = Message::new().and("two of the entities are of the table `").and(tables[table].name);
            message.and("`, and differ in how it is distributed: name the right one alone")
        }
        Problem::UnknownTable { relation } => unknown_table(relation, facts, tables),
        Problem::UnknownColumn { column } => {
            let mut message = Message::new().and("there is no column `").and(facts.columns[column].name).and("` in ");
            let of = facts.columns[column].of;
            let mut owner = 0;
            while owner < of.len() {
                let separator = if owner == 0 { "`" } else { " or `" };
                message = message.and(separator).and(facts.relations[of[owner]].name).and("`");
                owner += 1;
            }
            message
        }
        Problem::NotPinned { relation, table } => {
            let (name, key) = (facts.relations[relation].name, key_of(&tables[table]));
            let called = facts.relations[relation].called;
            let message = distributed(name, key).and(": add `").and(called).and(".").and(key).and(" = :").and(key);
            message.and("` to the condition")
        }
        Problem::OtherGroup { first, relation } => {
            let message = Message::new().and("`").and(facts.relations[relation].name).and("` and `");
            message
                .and(facts.relations[first].name)
                .and("` are not co-located: a tenant's rows may be on two nodes. Use a statement for each")
        }
        Problem::KeyNotInserted { write, table } => {
            let key = key_of(&tables[table]);
            let message = distributed(written(write, facts), key).and(": insert ").and(key);
            message.and(" with the value :").and(key)
        }
        Problem::SharedChanged { write } => {
            let message = Message::new().and("the rows of `").and(written(write, facts));
            message.and("` are every tenant's: change them by themselves, through `cluster.reference()`")
        }
        Problem::KeyChanged { write, table } => {
            let key = key_of(&tables[table]);
            let message = Message::new().and(key).and(" says whose row of `").and(written(write, facts));
            message.and("` this is: it can only be :").and(key)
        }
    }
}

/// Where a problem is in the text; a value has no place there.
pub const fn place(problem: Problem, facts: &Facts<'_>) -> Option<(usize, usize)> {
    match problem {
        Problem::TwoOfOneTable { .. }
        | Problem::NoValue { .. }
        | Problem::UnusedValue { .. }
        | Problem::GivenTwice { .. }
        | Problem::KeyGiven { .. } => None,
        Problem::UnknownTable { relation }
        | Problem::NotPinned { relation, .. }
        | Problem::OtherGroup { relation, .. } => Some(facts.relations[relation].at),
        Problem::UnknownColumn { column } => Some(facts.columns[column].at),
        Problem::KeyNotInserted { write, .. }
        | Problem::SharedChanged { write }
        | Problem::KeyChanged { write, .. } => Some(facts.writes[write].at),
    }
}

const fn unknown_table(relation: usize, facts: &Facts<'_>, tables: &[TableFacts<'_>]) -> Message {
    let wanted = &facts.relations[relation];
    let message = Message::new().and("`").and(wanted.name).and("` is no table of the statement's entities: ");
    let mut table = 0;
    while table < tables.len() {
        // The same name elsewhere: the server would look in the search path of whoever asks.
        if same(tables[table].name, wanted.name) {
            return match tables[table].schema {
                Some(schema) => message.and("write `").and(schema).and(".").and(wanted.name).and("`"),
                None => message.and("write `").and(wanted.name).and("` without a schema, as its entity does"),
            };
        }
        table += 1;
    }
    message.and("name the one whose table it is, `entities(…)`")
}

const fn distributed(name: &str, key: &str) -> Message {
    Message::new().and("`").and(name).and("` is distributed by ").and(key)
}

const fn written<'a>(write: usize, facts: &Facts<'a>) -> &'a str {
    facts.relations[facts.writes[write].relation].name
}

const fn key_of<'a>(table: &TableFacts<'a>) -> &'a str {
    match table.key {
        Some(key) => key,
        None => "",
    }
}

impl Analysis {
    /// Holds this against what the tables are: see [`verify`]. `given` are the parameters that the caller gives a value.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong.
    pub fn verify(&self, given: &[&str], tables: &[TableFacts<'_>]) -> Result<(), Refusal> {
        let lists = self.fact_lists(given);
        let facts = lists.facts();
        verify(&facts, tables).map_err(|problem| {
            let (start, end) = place(problem, &facts).unwrap_or_default();
            Refusal { at: start..end, message: explain(problem, &facts, tables).as_str().to_owned() }
        })
    }
}
