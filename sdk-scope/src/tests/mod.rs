//! What is accepted, with what is claimed of it; and what is refused, where and how.

mod accepted;
mod corpus;

mod refused;
mod verified;

use crate::{Analysis, Effect, Value, WriteKind, analyse};

/// What was found, in short: `wallets{festival_id=festival_id}`, and `+` for INSERT, `~` for SET, `-` for DELETE.
fn short(found: &Analysis) -> String {
    let mut parts: Vec<String> = found
        .relations
        .iter()
        .map(|relation| {
            let pins: Vec<String> = relation.pins.iter().map(|pin| format!("{}={}", pin.column, pin.param)).collect();
            let schema = relation.schema.as_ref().map(|schema| format!("{schema}.")).unwrap_or_default();
            format!("{schema}{}{{{}}}", relation.name, pins.join(","))
        })
        .collect();
    for write in &found.writes {
        let name = &found.relations[write.relation].name;
        let (sign, values) = match &write.kind {
            WriteKind::Insert(values) => ('+', values.as_slice()),
            WriteKind::Set(values) => ('~', values.as_slice()),
            WriteKind::Delete => ('-', [].as_slice()),
        };
        let values: Vec<String> = values
            .iter()
            .map(|(column, value)| match value {
                Value::Param(param) => format!("{column}=:{param}"),
                Value::Pinned(param) => format!("{column}≈:{param}"),
                Value::Other => column.clone(),
            })
            .collect();
        parts.push(format!("{sign}{name}({})", values.join(",")));
    }
    parts.join(" ")
}

fn found(text: &str) -> String {
    match analyse(text) {
        Ok(found) => short(&found),
        Err(refusals) => format!("refused: {refusals:?}"),
    }
}

/// Holds a table of texts and what is found against the analysis, and shows all that differ at once.
fn check(cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter(|(text, expected)| found(text) != *expected)
        .map(|(text, expected)| format!("{text}\n  expected {expected}\n  found    {}", found(text)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn numbers_names_and_effect_are_told() {
    let found = analyse("SELECT id FROM t WHERE k=:k AND n > :n AND m < :n").expect("a good text");
    assert_eq!(found.sql, "SELECT id FROM t WHERE k= $1  AND n >  $2  AND m <  $2 ");
    assert_eq!(found.params, ["k", "n"]);
    assert_eq!(found.effect, Effect::Reads);
    let effect = |text| analyse(text).expect("a good text").effect;
    assert_eq!(effect("SELECT 1 FROM t WHERE k = :k FOR UPDATE SKIP LOCKED"), Effect::Writes);
    assert_eq!(effect("SELECT 1 FROM t WHERE k = :k FOR READ ONLY"), Effect::Reads);
    assert_eq!(effect("WITH d AS (DELETE FROM t WHERE k = :k RETURNING id) SELECT id FROM d"), Effect::Writes);
}

#[test]
fn columns_are_told_with_whom_they_may_belong_to() {
    let columns = |text: &str| -> Vec<(String, Vec<usize>, String)> {
        let found = analyse(text).expect("a good text");
        found.columns.into_iter().map(|one| (one.name, one.of, text[one.at].to_owned())).collect()
    };
    let one = |name: &str, of: &[usize], at: &str| (name.to_owned(), of.to_vec(), at.to_owned());
    assert_eq!(columns("SELECT a.x FROM t a WHERE a.k = :k"), [one("x", &[0], "a.x"), one("k", &[0], "a.k")]);
    assert_eq!(columns("SELECT \"X\" FROM a JOIN b ON true"), [one("X", &[0, 1], "\"X\"")]);
    assert_eq!(columns("SELECT 1 FROM a WHERE EXISTS (SELECT 1 FROM b WHERE y = :y)"), [one("y", &[0, 1], "y")]);
    // What a subquery gives is its own affair, and an alias of a result is no column.
    assert_eq!(columns("SELECT d.z FROM (SELECT 1 AS z) d ORDER BY z"), []);
    assert_eq!(columns("SELECT count(*) AS n FROM a GROUP BY m ORDER BY n"), [one("m", &[0], "m")]);
    assert_eq!(columns("SELECT d.x FROM (SELECT * FROM a) d"), [one("x", &[0], "d.x")]);
}
