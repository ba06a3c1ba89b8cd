//! Any text for the checker of statements.

use std::ops::Range;

use shardwise_scope::{Analysis, Refusal, TableFacts, analyse};

const COLUMNS: &[&str] = &["festival_id", "id", "user_id", "order_id", "wallet_id", "kind", "state", "name", "at"];
const TABLES: &[TableFacts<'_>] = &[table("wallets"), table("orders"), table("tickets"), table("stands")];

const fn table(name: &str) -> TableFacts<'_> {
    TableFacts { schema: None, name, key: Some("festival_id"), key_type: "uuid", group: "festivals", columns: COLUMNS }
}

/// Whatever the text: it is read the same each time, nothing that is told lies outside of it or within a character, and
/// the names that stand for numbers are those of the text.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let found = analyse(text);
    assert_eq!(found, analyse(text), "read twice");
    match found {
        Ok(found) => accepted(text, &found),
        Err(refusals) => {
            assert!(!refusals.is_empty(), "refused without a reason");
            refusals.iter().for_each(|refusal| told(text, refusal));
        }
    }
}

fn accepted(text: &str, found: &Analysis) {
    let places = (found.relations.iter().map(|one| &one.at))
        .chain(found.columns.iter().map(|one| &one.at))
        .chain(found.writes.iter().map(|one| &one.at));
    places.for_each(|at| inside(text, at));
    for (number, name) in found.params.iter().enumerate() {
        assert!(text.contains(&format!(":{name}")), "a parameter that is not in the text");
        assert!(found.sql.contains(&format!(" ${} ", number + 1)), "a parameter without a place");
        assert!(!found.params[..number].contains(name), "a parameter with two numbers");
    }
    if found.params.is_empty() {
        assert_eq!(found.sql, text, "a text without parameters stays as it is");
    }
    let given: Vec<&str> = found.params.iter().map(String::as_str).filter(|name| *name != "festival_id").collect();
    if let Err(refusal) = found.verify(&given, TABLES) {
        told(text, &refusal);
    }
    named_again(found);
}

/// With the numbers' names written back, it means the same.
fn named_again(found: &Analysis) {
    let mut text = found.sql.clone();
    for (number, name) in found.params.iter().enumerate().rev() {
        text = text.replace(&format!(" ${} ", number + 1), &format!(" :{name} "));
    }
    // A number can also stand in a constant, where it is none.
    if let Ok(again) = analyse(&text)
        && again.params == found.params
    {
        let pins = |found: &Analysis| found.relations.iter().map(|one| one.pins.clone()).collect::<Vec<_>>();
        assert_eq!(pins(&again), pins(found), "numbering changes what is meant");
    }
}

fn told(text: &str, refusal: &Refusal) {
    inside(text, &refusal.at);
    assert!(!refusal.message.is_empty(), "refused without a reason");
    assert!(refusal.pointing_into(text).lines().count() >= 3, "the place is not shown");
}

fn inside(text: &str, at: &Range<usize>) {
    assert!(text.get(at.clone()).is_some(), "{at:?} is no place in the text");
}
