use super::{Edit, Hole, Spelling, Statement};
use crate::admin::adopt::check::words::{HOLE, Style, Writer};

const PROGRAM: Writer = Writer::Program { percent_binds: true };
const USUAL: Spelling = Spelling::Like(Style::Dollar);

fn program(text: &str) -> Statement {
    Statement::read(text, &[], PROGRAM, USUAL)
}

fn server(text: &str) -> Statement {
    Statement::read(text, &[], Writer::Server, USUAL)
}

#[test]
fn what_a_server_has_seen_is_shown_without_values() {
    for (text, shown) in [
        ("SELECT * FROM t WHERE a = 'secret' AND b > -5 LIMIT 10", "SELECT * FROM t WHERE a = $1 AND b > $2 LIMIT $3"),
        (
            "SELECT a::numeric(10,2) FROM t ORDER BY 1, 2 DESC LIMIT 3",
            "SELECT a::numeric(10,2) FROM t ORDER BY 1, 2 DESC LIMIT $1",
        ),
        (
            "SELECT now() - interval '1 day', timestamp with time zone 'x' /* secret */ + $2",
            "SELECT now() - $3::interval, $4::timestamp with time zone   + $2",
        ),
        ("SELECT interval $1, t.date FROM t WHERE x = E'sec\\'ret'", "SELECT $1::interval, t.date FROM t WHERE x = $2"),
        ("SELECT a IN ($1 /*, ... */)", "SELECT a IN ($1 , $2)"),
    ] {
        assert_eq!(server(text).shown, shown, "{text}");
    }
}

#[test]
fn parameters_of_all_forms_get_names() {
    for (text, named) in [
        ("a = $2 AND b = $1 AND c = $2", "a = :_1  AND b = :_2  AND c = :_1 "),
        ("a = ? AND b = ?", "a = :_1  AND b = :_2 "),
        ("a = :x AND b = :x::uuid", "a = :_1  AND b = :_1 ::uuid"),
        ("a = %(x)s AND b %% 2 = %s", "a = :_1  AND b % 2 = :_2 "),
        ("a = sqlc.arg(x) AND b = @x", "a = :_1  AND b = :_1 "),
        ("a = 'one' AND b >= 'two' AND c = 3", "a = :_1  AND b >= 'two' AND c = :_2 "),
        ("x[1:n], y ?? 'k'", "x[1: n], y ? 'k'"),
        // Several values may come for one of these.
        ("a IN (:x) AND b = :x", "a IN (:_1 , :_2 ) AND b = :_1 "),
        ("a IN %s AND b IN (?, ?)", "a IN (:_1 , :_2 ) AND b IN (:_3 , :_4 )"),
        ("a IN ($1)", "a IN (:_1 )"),
        ("extract($1 FROM a)", "extract(:_1  FROM a)"),
        ("a = 1 -- ?\n AND b = /* ? */ 2", "a = :_1  \n AND b =   :_2 "),
    ] {
        assert_eq!(program(text).named, named, "{text}");
    }
}

#[test]
fn what_is_written_in_goes_to_the_same_place_in_both_texts() {
    let text = "SELECT a FROM t WHERE b = %s -- why\n AND c %% 2 = %s LIMIT 1";
    let statement = program(text);
    let at = statement.named.find(" LIMIT").expect("it can be read");
    let edit = Edit { at, text: " AND k = \u{1}".to_owned() };
    let (named, shown) = statement.with(std::slice::from_ref(&edit), "_1", "k");
    assert!(named.contains("= :_2  AND k = :_1 LIMIT 1"), "{named}");
    assert_eq!(shown, text.replace(" LIMIT", " AND k = %s LIMIT"));
    for (text, key) in [
        ("a = :b", ":festival_id"),
        ("a = $7", "$8"),
        ("a = ?", "?"),
        ("a = @b", "@festival_id"),
        ("a = %(b)s", "%(festival_id)s"),
        ("a = b", "$1"),
        ("a = #{b}", "#{festival_id}"),
    ] {
        let end = Edit { at: program(text).named.trim_end().len(), text: " AND \u{1}".to_owned() };
        assert_eq!(program(text).with(&[end], super::NEW, "festival_id").1, format!("{text} AND {key}"));
    }
}

#[test]
fn equal_ones_are_one() {
    let same = |one: Statement, other: Statement| {
        assert_eq!(one.fingerprint, other.fingerprint, "{} | {}", one.shown, other.shown);
    };
    same(program("select  a from\n T where b = :b -- c"), server("SELECT a FROM \"t\" WHERE b=$1"));
    same(
        program("SELECT a FROM t WHERE b = ? AND c = 'x' LIMIT 5;"),
        server("SELECT a FROM t WHERE b = 'secret' AND c = 'y' LIMIT 7"),
    );
    same(server("SELECT interval '1 day'"), server("SELECT interval $1"));
    same(server("SELECT extract(epoch from a)"), server("SELECT extract($1 from a)"));
    same(server("SELECT a IN (1, 2, 3)"), server("SELECT a IN ($1, $2)"));
    same(
        server("INSERT INTO t VALUES (1, 'a', NULL), (2, 'b', TRUE)"),
        server("INSERT INTO t VALUES ($1,$2,$3),($4,$5,$6),($7,$8,$9)"),
    );
    same(server("SELECT -1"), server("SELECT $1"));
    let differ = |one: Statement, other: Statement| assert_ne!(one.fingerprint, other.fingerprint);
    same(program("SELECT a IN (:ids)"), server("SELECT a IN (1, 2, 3)"));
    same(program("SELECT a IN %s"), server("SELECT a IN (1, 2, 3)"));
    differ(server("SELECT a IN ($1)"), server("SELECT a IN ($1, $2)"));
    differ(server("SELECT a = $1 AND b = $1"), server("SELECT a = $1 AND b = $2"));
    differ(server("INSERT INTO t VALUES ($1, $2), ($1, $3)"), server("INSERT INTO t VALUES ($1, $2), ($3, $4)"));
    differ(server("SELECT \"A\""), server("SELECT a"));
    differ(server("SELECT a IS NULL"), server("SELECT a IS TRUE"));
}

#[test]
fn a_hole_is_a_value_only_where_one_has_to_be() {
    let with = |text: &str, is_bound: bool| {
        let text = text.replace('#', &HOLE.to_string());
        let holes: Vec<Hole> = (1..4).map(|n| Hole { spelled: format!("${{h{n}}}"), is_bound }).collect();
        Statement::read(&text, &holes, PROGRAM, USUAL)
    };
    for text in
        ["SELECT 1 FROM t WHERE a = #", "SELECT f(#, #) LIMIT #", "SELECT a IN (#)", "SELECT a LIKE #", "SELECT a <> #"]
    {
        let statement = with(text, true);
        assert_eq!((statement.unread.clone(), statement.spliced.len()), (None, 0), "{text}");
        assert!(statement.shown.contains("${h1}") && !statement.shown.contains(HOLE), "{}", statement.shown);
    }
    for text in [
        "SELECT # FROM t",
        "SELECT 1 FROM #",
        "SELECT 1 WHERE #",
        "SELECT 1 WHERE a AND #",
        "SELECT t.#",
        "SELECT 1 WHERE a = b#",
        "SELECT \"#\"",
        "#",
    ] {
        assert!(with(text, true).unread.is_some(), "{text}");
    }
    let spliced = with("SELECT 1 WHERE a = # AND b = 'x#y'", false);
    assert_eq!(spliced.spliced, ["${h1}", "${h2}"]);
    assert_eq!(spliced.shown, "SELECT 1 WHERE a = ${h1} AND b = 'x${h2}y'");
    assert_eq!(program("SELECT 1 FROM t WHERE a = {a} LIMIT {}").spliced, ["{a}", "{}"]);
    assert!(program("SELECT 1 FROM {table}").unread.is_some());
    // What is appended elsewhere is not known either.
    for text in
        ["INSERT INTO t (a) VALUES ", "SELECT 1 FROM t WHERE a IN (", "UPDATE t SET", "SELECT 1 FROM t WHERE a ="]
    {
        assert!(program(text).goes_on && !server(text).goes_on, "{text}");
    }
}
