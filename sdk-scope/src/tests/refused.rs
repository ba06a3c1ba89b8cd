//! Refused, where and with which words.

use crate::analyse;

fn check(cases: &[(&str, &[(&str, &str)])]) {
    let mut wrong = Vec::new();
    for (text, expected) in cases {
        let found: Vec<(String, String)> = match analyse(text) {
            Ok(_) => Vec::new(),
            Err(refusals) => refusals.into_iter().map(|one| (text[one.at].to_owned(), one.message)).collect(),
        };
        let expected: Vec<(String, String)> =
            expected.iter().map(|(at, message)| ((*at).to_owned(), (*message).to_owned())).collect();
        if found != expected {
            wrong.push(format!("{text}\n  expected {expected:?}\n  found    {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn other_statements() {
    const ONLY: &str = "only SELECT, INSERT, UPDATE, DELETE and MERGE can be used here";
    for text in [
        "CREATE TABLE x (a int)",
        "CREATE TEMP TABLE x AS SELECT 1",
        "DROP TABLE x",
        "ALTER TABLE x ADD y int",
        "TRUNCATE x",
        "SET x = 1",
        "SHOW x",
        "RESET x",
        "LISTEN x",
        "NOTIFY x",
        "BEGIN",
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT x",
        "COPY x FROM STDIN",
        "CALL f()",
        "DO 'x'",
        "PREPARE x AS SELECT 1",
        "EXECUTE x",
        "LOCK TABLE x",
        "EXPLAIN SELECT 1",
        "EXPLAIN ANALYZE SELECT 1",
        "DECLARE c CURSOR FOR SELECT 1",
        "FETCH c",
        "VACUUM",
        "GRANT SELECT ON x TO y",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "REFRESH MATERIALIZED VIEW x",
        "DISCARD ALL",
        "END",
    ] {
        let refusals = analyse(text).expect_err(text);
        assert!(
            refusals.len() == 1
                && (refusals[0].message == ONLY
                    || refusals[0].message == "transactions are begun and ended by the SDK: use its method"),
            "{text}: {refusals:?}"
        );
    }
    check(&[
        ("", &[("", "there is no statement")]),
        (" -- nothing", &[(" -- nothing", "there is no statement")]),
        ("SELECT 1; SELECT 2", &[("SELECT 2", "one statement at a time: send the others by themselves")]),
        ("SELEC 1", &[("SELEC", "this is no SQL that PostgreSQL understands")]),
        ("SELECT 1;", &[]),
    ]);
}

#[test]
fn parts_of_statements() {
    check(&[
        ("TABLE a", &[("TABLE a", "TABLE has no place for a condition: write SELECT … FROM … WHERE …")]),
        ("SELECT x INTO y FROM a", &[("INTO y", "SELECT INTO makes a table: write INSERT INTO … SELECT")]),
        (
            "SELECT 1 FROM a NATURAL JOIN b",
            &[(
                "a NATURAL JOIN b",
                "NATURAL joins by whatever columns are called alike: write USING (…) with their names",
            )],
        ),
        (
            "SELECT 1 FROM a TABLESAMPLE system(1)",
            &[("TABLESAMPLE system(1)", "TABLESAMPLE is not supported: take rows with ORDER BY random() LIMIT")],
        ),
        (
            "SELECT 1 FROM ROWS FROM (generate_series(1, 2)) r",
            &[("ROWS FROM (generate_series(1, 2))", "ROWS FROM is not supported: join the functions one by one")],
        ),
        (
            "SELECT 1 FROM (a JOIN b USING (k)) AS j",
            &[(
                "(a JOIN b USING (k)) AS j",
                "a join in parentheses can't have an alias: write (SELECT … FROM …) in its place",
            )],
        ),
        ("SELECT 1 FROM a JOIN b USING (k) AS j", &[("AS j", "the columns of USING can't have an alias here")]),
        (
            "SELECT 1 FROM a AS x(k, id)",
            &[("a", "a table's columns can't be renamed here: write (SELECT a AS b FROM …) in its place")],
        ),
        (
            "SELECT 1 FROM (SELECT * FROM a) AS x(k)",
            &[(
                "(SELECT * FROM a) AS x(k)",
                "which columns get these names can't be told: write the columns out, without *",
            )],
        ),
        ("SELECT 1 FROM a, b a", &[("a, b a", "two tables are called `a` here: give each an alias of its own")]),
        (
            "DELETE FROM a WHERE CURRENT OF c",
            &[("WHERE CURRENT OF c", "cursors can't be used here: name the row by its key")],
        ),
        (
            "SELECT 1 FROM pg_class",
            &[("pg_class", "the system catalogs tell about all tenants: they can't be read here")],
        ),
        (
            "SELECT 1 FROM information_schema.tables",
            &[("information_schema.tables", "the system catalogs tell about all tenants: they can't be read here")],
        ),
        ("INSERT INTO a VALUES (1)", &[("VALUES (1)", "name the columns: INSERT INTO table (…)")]),
        (
            "INSERT INTO a DEFAULT VALUES",
            &[("DEFAULT VALUES", "DEFAULT VALUES has no place for the key: write (…) VALUES (…)")],
        ),
        (
            "INSERT INTO a (k, x) SELECT * FROM b WHERE k = :k",
            &[(
                "SELECT * FROM b WHERE k = :k",
                "which value goes where can't be told: write the columns out, without *",
            )],
        ),
        (
            "SELECT 1 FROM a, LATERAL (VALUES (a.*, :k)) v(x, k)",
            &[("a.*", "which value goes where can't be told: write the columns out, without *")],
        ),
        (
            "MERGE INTO a USING b ON a.k = b.k WHEN NOT MATCHED BY SOURCE THEN DELETE",
            &[(
                "WHEN NOT MATCHED BY SOURCE THEN DELETE",
                "NOT MATCHED BY SOURCE goes through all rows of the table: write a DELETE or UPDATE",
            )],
        ),
        ("WITH d AS (SELECT 1) DELETE FROM d", &[("d", "`d` is a query of WITH and can't be written to")]),
        (
            "WITH RECURSIVE d AS (SELECT 1 FROM e), e AS (SELECT 1 AS x) SELECT 1 FROM d",
            &[("e", "`e` is used before it is defined in the same WITH")],
        ),
        (
            "WITH RECURSIVE d AS (SELECT 1 AS x UNION SELECT x FROM d) CYCLE x SET c USING p SELECT 1 FROM d",
            &[("CYCLE x SET c USING p", "SEARCH and CYCLE are not supported: carry a path or depth along as a column")],
        ),
    ]);
}

#[test]
fn functions_types_and_values() {
    let not_known = |name: &str| {
        format!("`{name}` is not among the functions that are known to stay with the values they are given")
    };
    for (call, name) in [
        ("pg_sleep(1)", "pg_sleep"),
        ("set_config('a', 'b', false)", "set_config"),
        ("current_setting('a')", "current_setting"),
        ("nextval('s')", "nextval"),
        ("lo_get(1)", "lo_get"),
        ("query_to_xml('x', true, true, '')", "query_to_xml"),
        ("pg_catalog.pg_sleep(1)", "pg_sleep"),
        ("public.lower('x')", "public.lower"),
        ("\"Lower\"('x')", "Lower"),
        ("my_function()", "my_function"),
    ] {
        let text = format!("SELECT {call}");
        let refusals = analyse(&text).expect_err(&text);
        assert_eq!((refusals.len(), &refusals[0].message), (1, &not_known(name)), "{text}");
    }
    assert_eq!(analyse("SELECT current_user").expect_err("it is a setting")[0].message, not_known("current_user"));
    assert_eq!(analyse("SELECT xmlelement(name x)").expect_err("xml")[0].message, not_known("xmlelement"));
    assert_eq!(analyse("SELECT 1 FROM dblink('x') AS d(a int)").expect_err("remote")[0].message, not_known("dblink"));
    check(&[
        (
            "SELECT 'a'::regclass",
            &[("regclass", "the types reg… look names up in the system catalogs: write the name as text")],
        ),
        ("SELECT regclass 'a'", &[("regclass 'a'", "write the constant as 'text'::type")]),
        ("SELECT to_tsvector('english'::regconfig, x) FROM t", &[]),
        ("SELECT TREAT('SELECT x FROM t' AS ts_stat)", &[("TREAT('SELECT x FROM t' AS ts_stat)", &not_known("treat"))]),
        (
            "SELECT a OPERATOR(s.=) b FROM t",
            &[("s.=", "only operators of PostgreSQL itself are known: write the operator without OPERATOR(…)")],
        ),
        ("SELECT (a).f FROM t a", &[(".f", "a part of a value can't be followed: write the column as table.column")]),
        ("SELECT d.f FROM (SELECT 1 AS x) d", &[("d.f", "`d` has no column `f`")]),
        ("SELECT d.f FROM (SELECT 1 + 1) d", &[("d.f", "give the columns of `d` names, with AS `f`")]),
        ("SELECT x.pg_sleep FROM generate_series(1, 2) x", &[("x.pg_sleep", "`x` has no column `pg_sleep`")]),
        ("SELECT x", &[("x", "there is no column `x` here")]),
    ]);
}

#[test]
fn everything_is_told_at_once_and_in_order() {
    check(&[(
        "SELECT pg_sleep(:n), s.f(1) FROM pg_class NATURAL JOIN b",
        &[
            ("pg_sleep", "`pg_sleep` is not among the functions that are known to stay with the values they are given"),
            ("s.f", "`s.f` is not among the functions that are known to stay with the values they are given"),
            ("pg_class", "the system catalogs tell about all tenants: they can't be read here"),
            (
                "pg_class NATURAL JOIN b",
                "NATURAL joins by whatever columns are called alike: write USING (…) with their names",
            ),
        ],
    )]);
}

#[test]
fn length_is_bounded_and_long_lists_are_fine() {
    let list = |items: usize| format!("SELECT id FROM t WHERE k = :k AND id IN ({})", vec!["1"; items].join(", "));
    assert!(analyse(&list(4_500)).is_ok());
    assert!(analyse(&list(6_000)).is_err());
    let chain = |items: usize| format!("SELECT id FROM t WHERE {}", vec!["a = 1"; items].join(" AND "));
    assert!(analyse(&chain(2_000)).is_ok());
    assert!(analyse(&format!("SELECT {} 1", "- ".repeat(390))).is_ok());
    assert!(analyse(&format!("SELECT {} 1", "NOT ".repeat(9_000))).is_ok());
}
