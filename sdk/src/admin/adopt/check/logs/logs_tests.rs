use super::{Extent, Logged, read};

fn logged(log: &str, database: Option<&str>) -> (Vec<String>, Extent) {
    let mut found = Vec::new();
    let mut each = |one: Logged| {
        let plan = if one.is_plan { " plan" } else { "" };
        found.push(format!("{}× {} ms{plan}: {}", one.calls, one.ms, one.text));
    };
    let extent = read(&mut log.as_bytes(), database, &mut each).expect("it can be read");
    (found, extent)
}

#[test]
fn text_of_any_prefix() {
    let log = "2026-01-01 00:00:00.000 UTC [7] LOG:  statement: SELECT 1\n\
               2026-01-01 00:00:00.000 UTC [8] app@db LOG:  duration: 1.500 ms  execute <unnamed>: SELECT a\n\t\tFROM t\n\tWHERE b = $1\n\
               2026-01-01 00:00:00.000 UTC [8] app@db DETAIL:  parameters: $1 = 'secret'\n\tLOG:  statement: SELECT 'of a value'\n\
               2026-01-01 00:00:00.000 UTC [7] LOG:  duration: 0.250 ms\n\
               2026-01-01 00:00:00.000 UTC [7] LOG:  duration: 9 ms\n\
               2026-01-01 00:00:00.000 UTC [9] ERROR:  no LOG:  statement: here\n\
               2026-01-01 00:00:00.000 UTC [9] STATEMENT:  SELECT broken\n\
               LOG:  duration: 0.1 ms  parse s1: SELECT 2\r\n\
               LOG:  duration: 2 ms  plan:\n\tQuery Text: SELECT 3\n\tFROM t\n\tSeq Scan on t  (cost=0.00..1.00 rows=1 width=4)\n\
               LOG:  execute fetch from S_1/C_2: SELECT 4\n\
               LOG:  execute the plan: of nobody\n\
               LOG:  checkpoint starting: time";
    let (found, extent) = logged(log, Some("db"));
    assert_eq!(
        found,
        [
            "1× 0 ms: SELECT 1",
            "1× 1.5 ms: SELECT a\n\tFROM t\nWHERE b = $1",
            "0× 0.25 ms: SELECT 1",
            "0× 0.1 ms: SELECT 2",
            "1× 2 ms plan: SELECT 3\nFROM t",
            "1× 0 ms: SELECT 4",
        ]
    );
    assert_eq!(extent, Extent { statements: 4, of_others: 0 });
}

#[test]
fn csv_of_each_release() {
    let line = |columns: usize, database: &str, message: &str| {
        let mut fields = vec![String::new(); columns];
        (fields[2], fields[3], fields[11], fields[13]) =
            (database.into(), "7".into(), "LOG".into(), message.replace('"', "\"\""));
        fields[14] = "parameters: $1 = 'secret'".into();
        fields.iter().map(|field| format!("\"{field}\"")).collect::<Vec<_>>().join(",") + "\n"
    };
    for columns in [23, 24, 26] {
        let log = line(columns, "db", "statement: SELECT \"a\",\n1")
            + &line(columns, "db", "duration: 3 ms")
            + &line(columns, "other", "duration: 1 ms  statement: SELECT 2");
        let (found, extent) = logged(&log, Some("db"));
        assert_eq!(found, ["1× 0 ms: SELECT \"a\",\n1", "0× 3 ms: SELECT \"a\",\n1"]);
        assert_eq!(extent, Extent { statements: 1, of_others: 1 });
        assert_eq!(logged(&log, None).1, Extent { statements: 2, of_others: 0 });
    }
}

#[test]
fn json() {
    let log = r#"
{"timestamp":"x","pid":7,"dbname":"db","error_severity":"LOG","message":"duration: 1.5 ms  execute <unnamed>: SELECT a\nFROM t","detail":"parameters: $1 = 'secret'"}
{"pid":7,"dbname":"db","error_severity":"ERROR","message":"statement: no"}
{"pid":8,"dbname":"db","error_severity":"LOG","message":"duration: 4 ms  plan:\n{\n  \"Query Text\": \"SELECT 1\",\n  \"Plan\": {}\n}"}
{"pid":9,"dbname":"db","error_sev"#;
    let (found, _) = logged(log, Some("db"));
    assert_eq!(found, ["1× 1.5 ms: SELECT a\nFROM t", "1× 4 ms plan: SELECT 1"]);
}

#[test]
fn whatever_a_log_holds_is_read_to_its_end() {
    for log in [
        "",
        "\n",
        "{",
        "\"",
        "a,b,c\n",
        "LOG:  ",
        "LOG:  duration: NaN ms",
        "\tx",
        "LOG:  duration: 1 ms  plan:\n{",
        "LOG:  duration: -1 ms",
        "\u{fffd}[",
    ] {
        assert_eq!(logged(log, None).0, Vec::<String>::new(), "{log}");
    }
}
