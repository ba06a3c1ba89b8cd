use super::{Constants, Language, Literal, literals, with_constants};
use crate::admin::adopt::check::samples::numbers;
use crate::admin::adopt::check::words::HOLE;

/// Each literal with what is put in spelled out.
fn texts(language: Language, source: &str) -> Vec<String> {
    let shown = |literal: Literal| {
        let mut holes = literal.holes.iter();
        let letter = |letter: char| match letter {
            HOLE => format!(
                "<{}{}>",
                holes.next().expect("it can be read").spelled,
                if literal.holes[0].is_bound { "" } else { "!" }
            ),
            letter => letter.to_string(),
        };
        literal.text.chars().map(letter).collect::<String>()
    };
    let found = literals(language, source).expect("it is a source");
    with_constants(found, &Constants::new()).into_iter().map(shown).collect()
}

fn lines(language: Language, source: &str) -> Vec<usize> {
    literals(language, source).expect("it can be read").into_iter().map(|literal| literal.line).collect()
}

#[test]
fn rust() {
    let source = r####"
        //! "no"
        /// Says "SELECT".
        #[doc = "no"]
        const FIND: &'static str = "SELECT 'a\n'"; // "no"
        fn f<'a>(x: &'a str) -> char {
            sqlx::query!(r#"SELECT "a" FROM t WHERE b = $1"#, x);
            sql!("SELECT \
                  a");
            let by = concat!("SELECT a", " FROM ", "t",);
            let sql = format!("SELECT {} FROM {t}", FIND);
            let both = FIND.to_owned() + " AND c";
            let bytes = b"SELECT 1";
            '"'
        }
    "####;
    assert_eq!(
        texts(Language::Rust, source),
        [
            "SELECT 'a\n'",
            "SELECT \"a\" FROM t WHERE b = $1",
            "SELECT a",
            "SELECT a FROM t",
            "SELECT SELECT 'a\n' FROM <{t}!>",
            "<{FIND.to_owned()}!> AND c",
            "SELECT 1"
        ]
    );
    assert_eq!(lines(Language::Rust, source), [5, 7, 8, 10, 11, 12, 13]);
    assert!(literals(Language::Rust, "fn f( { \"a\"").is_none());
    assert_eq!(texts(Language::Rust, "#!/bin/cargo\nconst A: &str = \"x\"; fn f() { g(\"y\".len()) }"), ["x", "y"]);
}

#[test]
fn go() {
    let source = "package a\n// \"no\"\nconst q = `SELECT \"a\"\n\\n` + \" FROM t\" +\n\t\" WHERE b = $1\" /* \"no\" */\n\
                  var r = '\"'\nvar s = fmt.Sprintf(\"SELECT %s FROM \\\"t\\\"\", cols)\nvar u = q + \" AND c = \" + strconv.Itoa(n) + \" LIMIT 1\"\n\
                  var open = \"not closed\nvar last = \"x\"";
    assert_eq!(
        texts(Language::Go, source),
        [
            "SELECT \"a\"\n\\n FROM t WHERE b = $1",
            "SELECT <{cols}!> FROM \"t\"",
            "SELECT \"a\"\n\\n FROM t WHERE b = $1 AND c = <{strconv.Itoa(n)}!> LIMIT 1",
            "x",
        ]
    );
    assert_eq!(lines(Language::Go, source), [3, 7, 8, 10]);
}

#[test]
fn python() {
    let source = "# 'no'\nq = ('SELECT a '\n     \"FROM t \" # 'no'\n     'WHERE b = %s')\nr = r'\\d' \\\n  'x'\nu = 'one'\n'other'\n\
                  f = f\"SELECT {', '.join(cols)} FROM {{t}} WHERE a = {a!r:>{w}}\"\nd = \"\"\"\nSELECT 'it''s'\n\\\nFROM t\"\"\" + more\n\
                  b = rb'SELECT' + B'x'\nopen = 'not closed\nlast = t'a = {v}'\nt2 = 'FROM ' + q + ' LIMIT 1'";
    assert_eq!(
        texts(Language::Python, source),
        [
            "SELECT a FROM t WHERE b = %s",
            "\\dx",
            "one",
            "other",
            "SELECT <{', '.join(cols)}!> FROM {t} WHERE a = <{a!r:>{w}}!>",
            "\nSELECT 'it''s'\nFROM t<{more}!>",
            "SELECTx",
            "a = <{v}>",
            "FROM SELECT a FROM t WHERE b = %s LIMIT 1",
        ]
    );
    assert_eq!(lines(Language::Python, source)[..5], [2, 5, 7, 8, 9]);
}

#[test]
fn java() {
    let source = "class A {\n  // \"no\" \n  static final String T = \"tickets\";\n  char c = '\"', d = '\\'';\n\
                  @Query(\"SELECT * FROM \" + T + \" WHERE id = :id\") void a();\n\
                  @Query(\"\"\"\n      SELECT \"a\",\n        b \\\n      FROM t\\n\n      WHERE x = \\\"\"\"\\\"\n      \"\"\")\n  void b();\n\
                  String s = \"SELECT \" + (all ? \"*\" : \"a\") + \" FROM t\";\n String u = Other.T + \" AND \" + f(\"inner\", 1);\n}";
    assert_eq!(
        texts(Language::Java, source),
        [
            "tickets",
            "SELECT * FROM tickets WHERE id = :id",
            "SELECT \"a\",\n  b FROM t\n\nWHERE x = \"\"\"\"\n",
            "SELECT <{(all?\"…\":\"…\")}!> FROM t",
            "*",
            "a",
            "tickets AND <{f(\"…\",1)}!>",
            "inner",
        ]
    );
}

#[test]
fn typescript() {
    let source = "// 'no'\nconst t = 'tickets';\nconst q = sql`SELECT a FROM tickets WHERE b = ${b} AND c = ${f({ d: 'x' })}`;\n\
                  const r = `SELECT * FROM ${t} WHERE ${`a = ${z}`}`;\nconst re = /[\"'/]/g, half = a / b / c; const s = 'it\\'s';\n\
                  const page = <p>Don't say \"no {x}</p>;\nconst u = await prisma.$queryRaw<User[]>`SELECT 1 = ${v}`;\n\
                  const raw = String.raw`\\d${w}`;\nconst sum = \"a\" + b.c(1)[0] + 'd';";
    assert_eq!(
        texts(Language::TypeScript, source),
        [
            "tickets",
            "SELECT a FROM tickets WHERE b = <${b}> AND c = <${f({ d: 'x' })}>",
            "x",
            "SELECT * FROM tickets WHERE <${`a = ${z}`}!>",
            "a = <${z}!>",
            "it's",
            "SELECT 1 = <${v}>",
            "d<${w}!>",
            "a<{b.c(1)[0]}!>d",
        ]
    );
}

#[test]
fn what_a_text_is_filled_with_stands_beside_it() {
    let java = "String T = \"t\";\nvar a = \"\"\"\n SELECT %s FROM %s\"\"\".formatted(f(x, y), C.T);\nvar b = String.format(\"%s %%s %d\", T);";
    assert_eq!(texts(Language::Java, java), ["t", "SELECT <{f(x,y)}!> FROM t", "t %s <{%d}!>"]);
    let python = "T = 't'\na = ('SELECT {} '\n 'FROM {T} {{{0}}}').format(c, T=T)\nb = '{} %s'";
    assert_eq!(texts(Language::Python, python), ["t", "SELECT <{c}!> FROM t {<{0}!>}", "{} %s"]);
    let rust = "const T: &str = \"t\"; fn f() { let a = format!(\"SELECT {c:?} FROM {T} {}\", b + 1); g!(\"{}\", T) }";
    assert_eq!(texts(Language::Rust, rust), ["t", "SELECT <{c}!> FROM t <{b+1}!>", "{}"]);
    let go = "const t = `t`\nvar a = fmt.Sprintf(`SELECT %s FROM %s`+` WHERE %`, cols, t)";
    assert_eq!(texts(Language::Go, go), ["t", "SELECT <{cols}!> FROM t WHERE %"]);
}

#[test]
fn constants_of_other_sources_are_known() {
    let mut constants = Constants::new();
    for source in [
        "class C { String T = \"tickets\"; String TWICE = \"a\"; }",
        "class D { String TWICE = \"b\"; String S = C.T + \"!\"; }",
    ] {
        super::constants(&literals(Language::Java, source).expect("it can be read"), &mut constants);
    }
    let source = "String q = \"SELECT \" + C.TWICE + \" FROM \" + C.T + D.S + x.T() + T;";
    let found = with_constants(literals(Language::Java, source).expect("it can be read"), &constants);
    assert_eq!(found[0].text, format!("SELECT {HOLE} FROM ticketstickets!{HOLE}tickets"));
    let spelled: Vec<&str> = found[0].holes.iter().map(|hole| hole.spelled.as_str()).collect();
    assert_eq!(spelled, ["{C.TWICE}", "{x.T()}"]);
}

#[test]
fn sql() {
    let source = "\\set x 1\n-- name: Find :one\nSELECT ';' FROM t; -- ;\n/* ; */\n;\nCOPY t FROM stdin;\nit's; a row\n\\.\n\
                  CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT 2; END;\nDO $$ a; b $$;\nSELECT 3";
    assert_eq!(
        texts(Language::Sql, source),
        [
            "SELECT ';' FROM t",
            "COPY t FROM stdin",
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT 2; END",
            "DO $$ a; b $$",
            "SELECT 3",
        ]
    );
    assert_eq!(lines(Language::Sql, source), [3, 6, 9, 10, 11]);
}

/// Whatever a file holds, it is read to its end.
#[test]
fn no_source_is_too_strange() {
    const SEED: &str = r####"fn f() { "a\"{x}" + `b${c + `d${'e'}`}` r#"f"# """g\
 h""" f'{i!r}' /* j */ // k
 # l
 '\'' /[/]/ $$ m; $$ BEGIN ATOMIC CASE END; concat!("n", o) -- p
 \u{110000} \x é ü {{ }} ${ \"####;
    let letters: Vec<char> = SEED.chars().collect();
    let mut next = numbers(0x9e37_79b9_7f4a_7c15);
    let all = [Language::Rust, Language::Go, Language::Python, Language::Java, Language::TypeScript, Language::Sql];
    let mut read = 0;
    for _ in 0..1_000 {
        let source: String = match next(3) {
            0 => (0..next(60)).map(|_| letters[next(letters.len())]).collect(),
            1 => letters.iter().skip(next(letters.len())).take(next(120)).collect(),
            _ => {
                let (cut, len) = (next(letters.len()), next(9));
                letters[..cut].iter().chain(letters.iter().skip(cut + len)).collect()
            }
        };
        for language in all {
            let found = literals(language, &source).unwrap_or_default();
            for literal in with_constants(found, &Constants::new()) {
                assert_eq!(literal.text.matches(HOLE).count(), literal.holes.len(), "{language:?}: {source}");
                assert!(literal.line <= source.matches('\n').count() + 1, "{language:?}: {source}");
                read += 1;
            }
        }
    }
    assert!(read > 3_000, "only {read} literals were read");
    for language in all {
        for deep in ["(", "`${", "f'{", "{\"a\"+", "concat!(", "'", "\"\"\"", "/*", "a+\"b\"+"] {
            drop(literals(language, &deep.repeat(3_000)));
        }
    }
}
