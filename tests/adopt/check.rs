//! What becomes of an application's statements, wherever they are read from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use regex::{Captures, Regex};
use shardwise::admin::adopt::{Checked, CheckedStatement, Class, Inspection, Origin, Sources, Verdict, WarningKind};
use shardwise::local;
use shardwise::{Cluster, Config, ErrorKind, Uuid};
use tokio_postgres::Client;

use super::schemas::FESTIVALS;
use crate::cli::program::Program;
use crate::support::place::Place;
use crate::support::stage::session;

/// A value that is not to be shown.
const VALUE: &str = "a-name-that-no-report-shows";

/// A database with these tables, and what they are.
async fn platform(config: &Config, before: &str) -> (Cluster, Inspection) {
    session(config).await.batch_execute(&format!("{before}{FESTIVALS}")).await.unwrap();
    let cluster = Cluster::connect(config.clone()).await.unwrap();
    let found = cluster.admin().adopt().inspect("festivals.id", "festival_id").await.unwrap();
    (cluster, found)
}

/// The same tables with the key in each of tenants' rows, and in its unique indexes: as distributed tables are.
async fn adopted(inspection: &Inspection) -> Client {
    let by_hand = session(&Place::Single.empty().await).await;
    by_hand.batch_execute(FESTIVALS).await.unwrap();
    for table in &inspection.tables {
        let (one, name) = (&table.classified, table.classified.table.quoted());
        let Some(key) = &one.column else { continue };
        if one.class == Class::Chained {
            by_hand.batch_execute(&format!("ALTER TABLE {name} ADD COLUMN {key} uuid")).await.unwrap();
        }
        let primary = inspection.catalog.table(&one.table).unwrap().primary_key().to_vec();
        if one.class != Class::Root && !primary.is_empty() {
            let columns = format!("{key}, {}", primary.join(", "));
            let unique =
                format!("ALTER TABLE {name} DROP CONSTRAINT {}_pkey CASCADE, ADD UNIQUE ({columns})", one.table.name);
            by_hand.batch_execute(&unique).await.unwrap();
        }
    }
    by_hand
}

/// Has the server plan each statement that is shown in place of another one. Returns how many.
async fn planned(by_hand: &Client, checked: &Checked) -> usize {
    let rewritten = checked.statements.iter().filter_map(|statement| statement.rewritten.as_deref());
    let mut count = 0;
    for sql in rewritten {
        let numbered = numbered(sql);
        let failed = |error: tokio_postgres::Error| panic!("{sql}\n{numbered}\n{error:?}");
        by_hand.batch_execute(&format!("PREPARE one AS {numbered}")).await.unwrap_or_else(failed);
        let params: i32 = by_hand
            .query_one(
                "SELECT coalesce(array_length(parameter_types, 1), 0) FROM pg_prepared_statements WHERE name = 'one'",
                &[],
            )
            .await
            .unwrap()
            .get(0);
        let nulls = vec!["NULL"; usize::try_from(params).unwrap()].join(", ");
        let execute = if nulls.is_empty() { "one".to_owned() } else { format!("one({nulls})") };
        by_hand.batch_execute(&format!("EXPLAIN EXECUTE {execute}")).await.unwrap_or_else(failed);
        by_hand.batch_execute("DEALLOCATE one").await.unwrap();
        count += 1;
    }
    count
}

/// With `$n` in place of parameters of other forms.
fn numbered(sql: &str) -> String {
    let forms = Regex::new(r"'[^']*'|::|\$\{(\w+)\}|%\((\w+)\)s|%s|:(\w+)|@(\w+)|\?").unwrap();
    let highest =
        Regex::new(r"\$(\d+)").unwrap().captures_iter(sql).map(|found| found[1].parse::<usize>().unwrap()).max();
    let (mut next, mut names) = (highest.unwrap_or(0), BTreeMap::new());
    let number = |found: &Captures<'_>| {
        let text = &found[0];
        if text.starts_with('\'') || text == "::" {
            return text.to_owned();
        }
        let name = found.iter().skip(1).flatten().next().map(|name| name.as_str().to_owned());
        let known = name.as_ref().and_then(|name| names.get(name).copied());
        let number = known.unwrap_or_else(|| {
            next += 1;
            next
        });
        names.extend(name.map(|name| (name, number)));
        format!("${number}")
    };
    forms.replace_all(sql, number).into_owned()
}

fn by_sql(checked: &Checked) -> BTreeMap<&str, &CheckedStatement> {
    checked.statements.iter().map(|statement| (statement.sql.as_str(), statement)).collect()
}

/// Statements of an application, how often it runs each, and what becomes of it.
const RUN: &[(&str, u64, Verdict)] = &[
    ("SELECT * FROM staff WHERE id = $1", 5, Verdict::NeedsKey),
    ("SELECT id, name FROM stands WHERE festival_id = $1", 3, Verdict::Routes),
    ("UPDATE shifts SET begins = now()\n    WHERE staff_id = $1", 2, Verdict::NeedsKey),
    (
        "SELECT f.user_id, s.name FROM staff f LEFT JOIN stands s ON s.id = f.stand_id WHERE f.id = $1",
        2,
        Verdict::NeedsKey,
    ),
    ("SELECT state, count(*) FROM tickets GROUP BY 1 ORDER BY 1", 1, Verdict::Cross),
    ("SELECT email FROM users WHERE id = $1", 4, Verdict::Reference),
    ("SELECT count(*) FROM migrations", 1, Verdict::Local),
];

/// A server that counts statements, and logs them in these forms.
fn logging(forms: &str) -> local::Single {
    local::single()
        .setting("shared_preload_libraries", "pg_stat_statements,auto_explain")
        .setting("logging_collector", "on")
        .setting("log_destination", forms)
        .setting("log_file_mode", "0644")
        .setting("log_min_duration_statement", "0")
}

#[tokio::test]
async fn a_server_and_its_logs_tell_of_the_same_statements() {
    // Before PostgreSQL 15 there is no jsonlog.
    let (server, has_json) = match logging("stderr,csvlog,jsonlog").start().await {
        Ok(server) => (server, true),
        Err(_) => (logging("stderr,csvlog").start().await.unwrap(), false),
    };
    let config = server.fresh_database().await.unwrap();
    let (cluster, inspection) = platform(&config, "SET log_min_duration_statement = -1;").await;
    let adopt = cluster.admin().adopt();

    // Nobody counts yet.
    let error = adopt.check(&inspection, &Sources::new().with_statements()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("CREATE EXTENSION pg_stat_statements"), "{error}");

    let by_hand = session(&config).await;
    by_hand.batch_execute("CREATE EXTENSION pg_stat_statements").await.unwrap();
    let folder: String = by_hand.query_one("SHOW data_directory", &[]).await.unwrap().get(0);
    let folder = Path::new(&folder).join("log");
    // Files are only of use from when all are written.
    let files = until_there(&folder, has_json).await;
    by_hand.batch_execute("SELECT pg_stat_statements_reset()").await.unwrap();

    let application = session(&config).await;
    let id: Uuid = "30000000-0000-0000-0000-000000000001".parse().unwrap();
    for (sql, times, _) in RUN {
        let prepared = application.prepare(sql).await.unwrap();
        for _ in 0..*times {
            let rows = match prepared.params().len() {
                0 => application.query(&prepared, &[]).await,
                _ => application.query(&prepared, &[&id]).await,
            };
            rows.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        }
    }
    // With values in the text, and what takes longer than all others.
    for name in [VALUE, "another"] {
        application
            .batch_execute(&format!("SELECT id FROM stands WHERE id = '{id}' AND name = '{name}'"))
            .await
            .unwrap();
    }
    let slow = "SELECT count(*) FROM stands, generate_series(1::int8, 400000) n";
    application.batch_execute(slow).await.unwrap();
    application
        .batch_execute("SET auto_explain.log_min_duration = 0; SELECT name FROM festivals WHERE id = NULL")
        .await
        .unwrap();
    application.batch_execute("SELECT 'the last one'").await.unwrap();
    let mut all = vec![adopt.check(&inspection, &Sources::new().with_statements()).await.unwrap()];
    for file in &files {
        until_it_holds(file, "the last one").await;
        all.push(adopt.check(&inspection, &Sources::new().with_log(file)).await.unwrap());
    }

    let mut expected: Vec<(String, u64, Verdict)> =
        RUN.iter().map(|(sql, calls, verdict)| ((*sql).to_owned(), *calls, *verdict)).collect();
    expected.push(("SELECT id FROM stands WHERE id = $1 AND name = $2".to_owned(), 2, Verdict::NeedsKey));
    expected.push(("SELECT count(*) FROM stands, generate_series($1::int8, $2) n".to_owned(), 1, Verdict::Cross));
    let by_hand = adopted(&inspection).await;
    for checked in &all {
        let found = by_sql(checked);
        for (sql, calls, verdict) in &expected {
            let one =
                found.get(sql.as_str()).unwrap_or_else(|| panic!("{sql}: {:?}", found.keys().collect::<Vec<_>>()));
            assert_eq!((one.calls, one.verdict), (*calls, *verdict), "{sql}: {one:?}");
        }
        let text = serde_json::to_string(checked).unwrap();
        assert!(!text.contains(VALUE) && !text.contains(&id.to_string()), "a value is shown");
        // The worst is the slow one, by far; all shares are of one whole.
        let slowest = checked.statements.iter().max_by(|one, other| one.total_ms.total_cmp(&other.total_ms)).unwrap();
        let first = checked.statements.iter().find(|statement| statement.verdict == Verdict::Cross).unwrap();
        assert!(first.total_ms > 0.0 && first.time_percent.unwrap() > 0.0, "{first:?}");
        assert!(slowest.time_percent.unwrap() > 10.0, "{slowest:?}");
        for shares in [|one: &CheckedStatement| one.time_percent, |one: &CheckedStatement| one.calls_percent] {
            let sum: f64 = checked.statements.iter().filter_map(shares).sum();
            assert!((99.0..101.0).contains(&sum), "{sum}");
        }
        for pair in checked.statements.windows(2).filter(|pair| pair[0].verdict == pair[1].verdict) {
            assert!(pair[0].total_ms >= pair[1].total_ms, "{pair:?}");
        }
        assert!(planned(&by_hand, checked).await >= 5);
    }
    let text_log = by_sql(&all[1]);
    assert!(text_log["SELECT name FROM festivals WHERE id = NULL"].origins.contains(&Origin::Plan), "auto_explain");
    // Together they are the same statements still.
    let together = files.iter().fold(Sources::new().with_statements(), |sources, file| sources.with_log(file));
    let together = adopt.check(&inspection, &together).await.unwrap();
    let staff = by_sql(&together)["SELECT * FROM staff WHERE id = $1"];
    assert_eq!(staff.origins, [Origin::Statements, Origin::Log]);
    let counted: Vec<(Verdict, usize)> = all[0].totals.iter().map(|total| (total.verdict, total.statements)).collect();
    println!("{counted:?}, of logs {:?}", all.iter().map(|checked| checked.statements.len()).collect::<Vec<_>>());

    // A role that may not see what others send is told how it may.
    session(&config).await.batch_execute("CREATE ROLE app_reader LOGIN").await.unwrap();
    let reader = Cluster::connect(config.with_user("app_reader")).await.unwrap();
    let seen = reader.admin().adopt().check(&inspection, &Sources::new().with_statements()).await;
    let told = match &seen {
        Ok(checked) => checked.notes.join(" "),
        Err(error) => error.to_string(),
    };
    assert!(told.contains("GRANT pg_read_all_stats TO \"app_reader\""), "{told}");
}

/// The files of a server's log, once there is one of each kind.
async fn until_there(folder: &Path, has_json: bool) -> Vec<PathBuf> {
    let kinds = if has_json { vec!["log", "csv", "json"] } else { vec!["log", "csv"] };
    for _ in 0..600 {
        let files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        let of = |kind: &&str| files.iter().find(|file| file.extension().is_some_and(|one| one == *kind)).cloned();
        let found: Vec<PathBuf> = kinds.iter().filter_map(of).collect();
        if found.len() == kinds.len() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the server writes no log into {}", folder.display());
}

async fn until_it_holds(file: &Path, text: &str) {
    for _ in 0..600 {
        if std::fs::read_to_string(file).unwrap().contains(text) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{} never holds {text:?}", file.display());
}

/// A folder with programs of all languages, and what is not to be read.
fn programs() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(
        "src/main.rs",
        br##"
/// Select a ticket from tickets.
fn main() {
    sqlx::query!(r#"SELECT * FROM "staff" WHERE id = $1"#, id);
    let sql = format!("SELECT {} FROM tickets", columns);
    sql!("SELECT name FROM stands WHERE festival_id = :festival_id");
}
"##,
    );
    write(
        "app/store.go",
        b"package store\n\nconst staff = `SELECT * FROM staff\n\tWHERE id = $1`\n\nvar q = \"DELETE FROM shifts \" +\n\t\"WHERE staff_id = @staff\"\n",
    );
    write(
        "app/store.py",
        b"TABLE = 'notes'\ndef f(cur):\n    cur.execute('INSERT INTO audit (what) '\n                \"VALUES (%(what)s) ON CONFLICT (id) DO NOTHING\", {})\n    cur.execute(f'SELECT * FROM {TABLE}')\n    # 'SELECT * FROM tickets'\n    s = '\xff'\n",
    );
    write(
        "app/Store.java",
        b"interface Store {\n  String STAFF = \"staff\";\n  @Query(\"SELECT stand_id FROM \" + STAFF + \" WHERE id IN (:ids)\")\n  void a();\n  @Query(\"\"\"\n    SELECT s.name\n    FROM stands s JOIN staff f ON f.stand_id = s.id\n    WHERE f.user_id = ? AND s.id = ?\n    \"\"\") void b();\n}\n",
    );
    write(
        "app/store.ts",
        b"const a = await sql`UPDATE tickets SET state = ${state} WHERE id = ${id} OR state = 'used'`;\nconst b = 'Update the tickets, please';\n",
    );
    write("app/queries.sql", b"-- name: Shifts :many\nSELECT * FROM shifts WHERE id = sqlc.arg(shift);\n\n-- name: Slug :one\nSELECT id FROM festivals WHERE slug = @slug;\n");
    write("node_modules/x/a.js", b"const a = 'SELECT * FROM tickets';\n");
    write(".git/a.sql", b"SELECT * FROM tickets;\n");
    write("src/broken.rs", b"fn f( { \"SELECT 1 FROM tickets\" }");
    write("big.sql", &b"SELECT 1 FROM tickets;\n".repeat(200_000));
    write("notes.txt", b"SELECT * FROM tickets;\n");
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder.path(), folder.path().join("app/again")).unwrap();
    folder
}

#[tokio::test]
async fn programs_of_all_languages_are_read() {
    let (cluster, inspection) = platform(&Place::Single.empty().await, "").await;
    let folder = programs();
    let sources = Sources::new().with_folder(folder.path());
    let checked = cluster.admin().adopt().check(&inspection, &sources).await.unwrap();
    let at = |statement: &CheckedStatement| {
        let mut places: Vec<String> = statement
            .found_at
            .iter()
            .map(|at| format!("{}:{}", Path::new(&at.file).strip_prefix(folder.path()).unwrap().display(), at.line))
            .collect();
        places.sort();
        places.join(" ")
    };
    let mut found: Vec<(String, Verdict)> = checked.statements.iter().map(|one| (at(one), one.verdict)).collect();
    found.sort();
    let expected = [
        ("app/Store.java:3", Verdict::NeedsKey),
        ("app/Store.java:5", Verdict::NeedsKey),
        ("app/queries.sql:2", Verdict::NeedsKey),
        ("app/queries.sql:5", Verdict::Cross),
        ("app/store.go:3 src/main.rs:4", Verdict::NeedsKey),
        ("app/store.go:6", Verdict::NeedsKey),
        ("app/store.py:3", Verdict::NeedsKey),
        ("app/store.py:5", Verdict::Undecided),
        ("app/store.ts:1", Verdict::Cross),
        ("src/main.rs:5", Verdict::Dynamic),
        ("src/main.rs:6", Verdict::Routes),
    ];
    assert_eq!(found, expected.map(|(place, verdict)| (place.to_owned(), verdict)));
    let rewritten = |place: &str| {
        let one = checked.statements.iter().find(|one| at(one) == place).unwrap();
        one.rewritten.clone().unwrap_or_else(|| panic!("{one:?}")).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for (place, sql) in [
        ("app/Store.java:3", "SELECT stand_id FROM staff WHERE id IN (:ids) AND festival_id = :festival_id"),
        (
            "app/Store.java:5",
            "SELECT s.name FROM stands s JOIN staff f ON f.stand_id = s.id WHERE f.user_id = ? AND s.id = ? \
             AND s.festival_id = ? AND f.festival_id = s.festival_id",
        ),
        ("app/store.go:6", "DELETE FROM shifts WHERE staff_id = @staff AND festival_id = @festival_id"),
        (
            "app/store.py:3",
            "INSERT INTO audit (what, festival_id) VALUES (%(what)s, %(festival_id)s) ON CONFLICT (festival_id, id) DO NOTHING",
        ),
        (
            "app/store.ts:1",
            "UPDATE tickets SET state = ${state} WHERE (id = ${id} OR state = 'used') AND festival_id = ${festival_id}",
        ),
        ("app/queries.sql:2", "SELECT * FROM shifts WHERE id = sqlc.arg(shift) AND festival_id = @festival_id"),
    ] {
        assert_eq!(rewritten(place), sql);
    }
    let audit = checked.statements.iter().find(|one| at(one) == "app/store.py:3").unwrap();
    assert_eq!(audit.warnings.iter().map(|one| one.kind).collect::<Vec<_>>(), [WarningKind::Conflict]);
    // As it is today, the server refuses what is said to fail; and takes all that is written anew.
    let by_hand = adopted(&inspection).await;
    let conflict = "EXPLAIN INSERT INTO audit (what) VALUES ('x') ON CONFLICT (id) DO NOTHING";
    let refused = by_hand.batch_execute(conflict).await.unwrap_err();
    assert_eq!(refused.code().unwrap().code(), "42P10");
    let mut with_sqlc = checked.clone();
    for statement in &mut with_sqlc.statements {
        statement.rewritten = statement.rewritten.take().map(|sql| sql.replace("sqlc.arg(shift)", "@shift"));
    }
    assert_eq!(planned(&by_hand, &with_sqlc).await, 8);
    let notes = checked.notes.join("\n");
    assert!(notes.contains("big.sql was not read: it has 4 MB") && notes.contains("broken.rs was not read"), "{notes}");
    assert_eq!(checked.notes.len(), 2, "{notes}");

    let error =
        cluster.admin().adopt().check(&inspection, &Sources::new().with_folder("/nowhere/at/all")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.to_string().contains("/nowhere/at/all can't be read"), "{error}");
}

#[test]
fn the_command_tells_what_is_to_be_changed() {
    crate::support::place::on_two_threads(async {
        let config = Place::Single.empty().await;
        session(&config).await.batch_execute(FESTIVALS).await.unwrap();
        let folder = programs();
        let source = folder.path().display().to_string();
        let program = Program::alone().on(&config);
        let found = program.json(&["adopt", "check", "festivals.id", "--source", &source], 3);
        assert_eq!(found["statements"].as_array().unwrap().len(), 11);
        assert_eq!(
            (&found["totals"][0]["verdict"], &found["totals"][0]["statements"]),
            (&"needs_key".into(), &6.into())
        );
        let two = program.json(&["adopt", "check", "festivals.id", "--source", &source, "--limit", "2"], 3);
        assert_eq!((two["statements"].as_array().unwrap().len(), &two["totals"]), (2, &found["totals"]));
        let shown = program.run(&["adopt", "check", "festivals.id", "--source", &source, "--output", "table"]).stdout;
        for line in [
            "needs the key · ",
            "  → DELETE FROM shifts WHERE staff_id = @staff AND festival_id = @festival_id",
            "  ! ON CONFLICT finds no such index of audit once it is distributed (42P10)",
            "across tenants · ",
            "dynamic, not checked · ",
        ] {
            assert!(shown.contains(line), "{line}\n{shown}");
        }
        // All is well where all that there is goes to one shard.
        let fine = tempfile::tempdir().unwrap();
        std::fs::write(fine.path().join("a.sql"), "SELECT * FROM stands WHERE festival_id = $1").unwrap();
        let fine = fine.path().display().to_string();
        assert_eq!(
            program.json(&["adopt", "check", "festivals.id", "--source", &fine], 0)["totals"][0]["verdict"],
            "routes"
        );
        assert!(
            program
                .message(&["adopt", "check", "festivals.id", "--statements"], 1)
                .contains("shared_preload_libraries")
        );
        assert_eq!(program.run(&["adopt", "check", "festivals.id"]).code, 2);
    });
}
