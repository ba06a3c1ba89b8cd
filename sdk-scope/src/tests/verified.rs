//! A statement against tables.

use crate::{
    ColumnFact, Facts, Message, PinFact, Problem, RelationFact, TableFacts, WriteFact, WriteFactKind, analyse, explain,
    place, verify,
};

const TABLES: &[TableFacts<'_>] = &[
    TableFacts { schema: None, name: "a", key: Some("k"), key_type: "uuid", group: "g", columns: &["k", "id", "x"] },
    TableFacts { schema: None, name: "b", key: Some("k"), key_type: "uuid", group: "g", columns: &["k", "id", "a_id"] },
    TableFacts { schema: None, name: "c", key: Some("k"), key_type: "uuid", group: "h", columns: &["k", "id"] },
    TableFacts { schema: Some("s"), name: "d", key: Some("k"), key_type: "uuid", group: "g", columns: &["k", "id"] },
    TableFacts { schema: None, name: "e", key: Some("k"), key_type: "bigint", group: "g", columns: &["k"] },
    TableFacts { schema: None, name: "r", key: None, key_type: "", group: "", columns: &["id", "name"] },
];

#[test]
fn what_stays_with_one_tenant_is_accepted() {
    for text in [
        "SELECT x FROM a WHERE k = :k",
        "SELECT a.x, r.name FROM a JOIN r ON r.id = a.id WHERE a.k = :k",
        "SELECT name FROM r",
        "SELECT 1 FROM s.d WHERE k = :k",
        "SELECT x FROM a JOIN b USING (k) WHERE k = :k",
        "SELECT xmin, ctid FROM a WHERE k = :k",
        "UPDATE a SET k = :k, x = 1 WHERE k = :k",
        "INSERT INTO r (id, name) VALUES (1, 'x')",
        "INSERT INTO a (k, x) SELECT k, id FROM b WHERE k = :k",
    ] {
        let found = analyse(text).unwrap_or_else(|refusals| panic!("{text}: {refusals:?}"));
        assert_eq!(found.verify(&[], TABLES), Ok(()), "{text}");
    }
}

#[test]
fn problems_are_explained() {
    for (text, at, message) in [
        ("SELECT x FROM a", "a", "`a` is distributed by k: add `a.k = :k` to the condition"),
        ("SELECT x FROM a WHERE k = :j", "a", "`a` is distributed by k: add `a.k = :k` to the condition"),
        ("SELECT 1 FROM a AS w", "a", "`a` is distributed by k: add `w.k = :k` to the condition"),
        (
            "SELECT 1 FROM z",
            "z",
            "`z` is no table of the statement's entities: name the one whose table it is, `entities(…)`",
        ),
        (
            "SELECT 1 FROM s.a WHERE k = :k",
            "s.a",
            "`a` is no table of the statement's entities: write `a` without a schema, as its entity does",
        ),
        ("SELECT 1 FROM d WHERE k = :k", "d", "`d` is no table of the statement's entities: write `s.d`"),
        ("SELECT y FROM a WHERE k = :k", "y", "there is no column `y` in `a`"),
        ("SELECT y FROM a, b WHERE a.k = :k AND b.k = :k", "y", "there is no column `y` in `a` or `b`"),
        ("SELECT a.pg_sleep FROM a WHERE k = :k", "a.pg_sleep", "there is no column `pg_sleep` in `a`"),
        (
            "SELECT 1 FROM a, c WHERE a.k = :k AND c.k = :k",
            "c",
            "`c` and `a` are not co-located: a tenant's rows may be on two nodes. Use a statement for each",
        ),
        (
            "INSERT INTO a (x) VALUES (1)",
            "INSERT INTO a (x) VALUES (1)",
            "`a` is distributed by k: insert k with the value :k",
        ),
        (
            "INSERT INTO a (k) VALUES (:j)",
            "INSERT INTO a (k) VALUES (:j)",
            "k says whose row of `a` this is: it can only be :k",
        ),
        (
            "DELETE FROM r USING a WHERE a.k = :k AND r.id = a.id",
            "DELETE FROM r USING a WHERE a.k = :k AND r.id = a.id",
            "the rows of `r` are every tenant's: change them by themselves, through `cluster.reference()`",
        ),
        (
            "UPDATE a SET k = :j WHERE k = :k",
            "UPDATE a SET k = :j WHERE k = :k",
            "k says whose row of `a` this is: it can only be :k",
        ),
        (
            "SELECT 1 FROM a, e WHERE a.k = :k AND e.k = :k",
            "e",
            "`e` and `a` are not co-located: a tenant's rows may be on two nodes. Use a statement for each",
        ),
    ] {
        let found = analyse(text).unwrap_or_else(|refusals| panic!("{text}: {refusals:?}"));
        let given: Vec<&str> = found.params.iter().map(String::as_str).filter(|name| *name != "k").collect();
        let refusal = found.verify(&given, TABLES).expect_err(text);
        assert_eq!((&text[refusal.at], refusal.message.as_str()), (at, message), "{text}");
    }
}

#[test]
fn values_fit_the_parameters() {
    for (text, given, message) in [
        ("SELECT :x", [].as_slice(), "`:x` has no value: add `x = …`"),
        ("SELECT 1 FROM r WHERE name = :name", &[], "`:name` has no value: add `name = …`"),
        ("SELECT 1", &["x"], "the text has no parameter `:x`"),
        ("SELECT :x", &["x", "x"], "`x` is given twice"),
        (
            "SELECT 1 FROM a WHERE k = :k",
            &["k"],
            "`:k` is the tenant's key, which the session binds: leave `k = …` out",
        ),
    ] {
        let refusal = analyse(text).expect("a good text").verify(given, TABLES).expect_err(text);
        assert_eq!((refusal.at, refusal.message.as_str()), (0..0, message), "{text}");
    }
    let without_entities = analyse("SELECT 1 FROM a WHERE k = :k").expect("a good text").verify(&[], &[]);
    let message = "`a` is no table of the statement's entities: name the one whose table it is, `entities(…)`";
    assert_eq!(without_entities.expect_err("nothing is known").message, message);
    assert_eq!(analyse("SELECT :x").expect("a good text").verify(&["x"], TABLES), Ok(()));
}

#[test]
fn one_table_is_described_in_one_way() {
    let everybodys = TableFacts { key: None, key_type: "", group: "", ..TABLES[0] };
    let found = analyse("SELECT x FROM a").expect("a good text");
    for tables in [[everybodys, TABLES[0]], [TABLES[0], everybodys]] {
        let refusal = found.verify(&[], &tables).expect_err("it is one table");
        assert!(refusal.message.starts_with("two of the entities are of the table `a`"), "{}", refusal.message);
    }
    let found = analyse("SELECT x FROM a WHERE k = :k").expect("a good text");
    assert_eq!(found.verify(&[], &[TABLES[0], TABLES[0]]), Ok(()));
}

#[test]
fn a_key_of_a_table_that_is_not_used_is_a_parameter() {
    let found = analyse("SELECT name FROM r WHERE id = :k").expect("a good text");
    assert_eq!(found.verify(&["k"], TABLES), Ok(()));
    assert!(found.verify(&[], TABLES).is_err());
}

/// As the macro writes it: all of it is worked out by the compiler.
#[test]
fn facts_are_constants() {
    const TEXT: &str = "DELETE FROM a WHERE x = 1";
    const RELATIONS: &[RelationFact<'_>] = &[RelationFact { schema: None, name: "a", called: "a", at: (12, 13) }];
    const COLUMNS: &[ColumnFact<'_>] = &[ColumnFact { of: &[0], name: "x", at: (20, 21) }];
    const WRITES: &[WriteFact] = &[WriteFact { relation: 0, kind: WriteFactKind::Delete, at: (0, 25) }];
    const PINS: &[PinFact<'_>] = &[PinFact { relation: 0, column: "k", param: "k" }];
    const GOOD: Facts<'_> = Facts {
        params: &[],
        given: &[],
        relations: RELATIONS,
        pins: PINS,
        columns: COLUMNS,
        writes: WRITES,
        values: &[],
    };
    const BAD: Facts<'_> = Facts { pins: &[], ..GOOD };
    const GOOD_FOUND: Result<(), Problem> = verify(&GOOD, TABLES);
    const BAD_FOUND: Result<(), Problem> = verify(&BAD, TABLES);
    const PROBLEM: Problem = Problem::NotPinned { relation: 0, table: 0 };
    const MESSAGE: Message = explain(PROBLEM, &BAD, TABLES);
    const PLACE: Option<(usize, usize)> = place(PROBLEM, &BAD);
    assert_eq!((GOOD_FOUND, BAD_FOUND), (Ok(()), Err(PROBLEM)));
    assert_eq!(MESSAGE.as_str(), "`a` is distributed by k: add `a.k = :k` to the condition");
    assert_eq!(PLACE, Some((12, 13)));
    assert_eq!(MESSAGE.pointing_into(TEXT, (12, 13)).as_str().lines().nth(1), Some("  DELETE FROM a WHERE x = 1"));
    // Of a text that is analysed, the same.
    let found = analyse(TEXT).expect("a good text");
    let lists = found.fact_lists(&[]);
    assert_eq!(lists.facts(), BAD);
}
