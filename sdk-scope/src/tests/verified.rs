//! A statement against tables.

use crate::{ColumnFact, Facts, PinFact, Problem, RelationFact, TableFacts, WriteFact, WriteFactKind, analyse, verify};

const TABLES: &[TableFacts<'_>] = &[
    TableFacts { schema: None, name: "a", key: Some("k"), group: "g", columns: &["k", "id", "x"] },
    TableFacts { schema: None, name: "b", key: Some("k"), group: "g", columns: &["k", "id", "a_id"] },
    TableFacts { schema: None, name: "c", key: Some("k"), group: "h", columns: &["k", "id"] },
    TableFacts { schema: Some("s"), name: "d", key: Some("k"), group: "g", columns: &["k", "id"] },
    TableFacts { schema: None, name: "r", key: None, group: "", columns: &["id", "name"] },
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
        assert_eq!(found.verify(TABLES), Ok(()), "{text}");
    }
}

#[test]
fn problems_are_explained() {
    for (text, at, message) in [
        ("SELECT x FROM a", "a", "`a` is distributed by k: add `a.k = :k` to the condition"),
        ("SELECT x FROM a WHERE k = :j", "a", "`a` is distributed by k: add `a.k = :k` to the condition"),
        ("SELECT 1 FROM z", "z", "`z` is none of the tables of this cluster: describe it as an entity"),
        (
            "SELECT 1 FROM s.a WHERE k = :k",
            "s.a",
            "`a` is none of the tables of this cluster: describe it as an entity",
        ),
        ("SELECT 1 FROM d WHERE k = :k", "d", "`d` is none of the tables of this cluster: describe it as an entity"),
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
            "UPDATE a SET k = :j WHERE k = :k",
            "UPDATE a SET k = :j WHERE k = :k",
            "k says whose row of `a` this is: it can only be :k",
        ),
    ] {
        let found = analyse(text).unwrap_or_else(|refusals| panic!("{text}: {refusals:?}"));
        let problem = found.verify(TABLES).expect_err(text);
        let refusal = found.explain(problem, TABLES);
        assert_eq!((&text[refusal.at], refusal.message.as_str()), (at, message), "{text}");
    }
}

/// As a macro would write it: all of it is worked out by the compiler.
#[test]
fn facts_are_constants() {
    const RELATIONS: &[RelationFact<'_>] = &[RelationFact { schema: None, name: "a" }];
    const COLUMNS: &[ColumnFact<'_>] = &[ColumnFact { of: &[0], name: "x" }];
    const WRITES: &[WriteFact] = &[WriteFact { relation: 0, kind: WriteFactKind::Delete }];
    const PINS: &[PinFact<'_>] = &[PinFact { relation: 0, column: "k", param: "k" }];
    const GOOD: Facts<'_> = Facts { relations: RELATIONS, pins: PINS, columns: COLUMNS, writes: WRITES, values: &[] };
    const BAD: Facts<'_> = Facts { pins: &[], ..GOOD };
    const GOOD_FOUND: Result<(), Problem> = verify(&GOOD, TABLES);
    const BAD_FOUND: Result<(), Problem> = verify(&BAD, TABLES);
    assert_eq!(GOOD_FOUND, Ok(()));
    assert_eq!(BAD_FOUND, Err(Problem::NotPinned { relation: 0, table: 0 }));
}
