//! Statements as people and their tools write them, each marked as safe or unsafe.

use crate::{TableFacts, analyse};

const FILES: &[(&str, &str)] = &[
    ("orm.sql", include_str!("../../corpus/orm.sql")),
    ("hand.sql", include_str!("../../corpus/hand.sql")),
    ("nasty.sql", include_str!("../../corpus/nasty.sql")),
    ("field.sql", include_str!("../../corpus/field.sql")),
];

const fn table<'a>(schema: Option<&'a str>, name: &'a str, columns: &'a [&'a str]) -> TableFacts<'a> {
    TableFacts { schema, name, key: Some("festival_id"), key_type: "uuid", group: "festivals", columns }
}

const WALLETS: &[&str] =
    &["festival_id", "id", "user_id", "balance", "version", "currency", "state", "data", "created_at", "updated_at"];
const TRANSACTIONS: &[&str] = &["festival_id", "id", "wallet_id", "stand_id", "amount", "kind", "at", "data"];
const ORDERS: &[&str] = &["festival_id", "id", "user_id", "wallet_id", "state", "total", "placed_at"];
const TICKETS: &[&str] = &["festival_id", "id", "user_id", "order_id", "kind", "price", "scanned_at", "created_at"];
const STANDS: &[&str] = &["festival_id", "id", "name", "parent_id", "kind", "data"];
const TABLES: &[TableFacts<'_>] = &[
    table(None, "wallets", WALLETS),
    table(None, "transactions", TRANSACTIONS),
    table(None, "orders", ORDERS),
    table(None, "tickets", TICKETS),
    table(None, "stands", STANDS),
    table(Some("public"), "wallets", WALLETS),
    table(Some("public"), "orders", ORDERS),
    table(Some("public"), "tickets", TICKETS),
    TableFacts {
        schema: None,
        name: "festivals",
        key: None,
        key_type: "",
        group: "",
        columns: &["id", "name", "region", "starts_at"],
    },
    TableFacts {
        schema: None,
        name: "users",
        key: None,
        key_type: "",
        group: "",
        columns: &["id", "name", "email", "created_at"],
    },
];

/// Safe or not, why, and the statement.
fn cases(file: &str) -> Vec<(bool, &str, String)> {
    let mut cases: Vec<(bool, &str, String)> = Vec::new();
    for line in file.split_inclusive('\n') {
        if let Some(why) = line.strip_prefix("-- safe: ") {
            cases.push((true, why.trim_end(), String::new()));
        } else if let Some(why) = line.strip_prefix("-- unsafe: ") {
            cases.push((false, why.trim_end(), String::new()));
        } else if let Some(case) = cases.last_mut() {
            case.2.push_str(line);
        }
    }
    cases
}

fn judge(text: &str) -> Result<(), String> {
    let found = analyse(text).map_err(|refusals| {
        refusals.iter().map(|one| format!("{}: {}", &text[one.at.clone()], one.message)).collect::<Vec<_>>().join("; ")
    })?;
    let given: Vec<&str> = found.params.iter().map(String::as_str).filter(|name| *name != "festival_id").collect();
    found.verify(&given, TABLES).map_err(|refusal| refusal.message)
}

#[test]
fn no_unsafe_statement_is_accepted_and_hardly_a_safe_one_refused() {
    let (mut safe, mut accepted, mut not_safe) = (0_usize, 0_usize, 0_usize);
    let mut holes = Vec::new();
    let mut lost = Vec::new();
    for (name, file) in FILES {
        for (is_safe, why, text) in cases(file) {
            let verdict = judge(text.trim_end());
            match (is_safe, verdict) {
                (true, Ok(())) => accepted += 1,
                (true, Err(message)) => lost.push(format!("{name}: {why}: {message}")),
                (false, Ok(())) => holes.push(format!("{name}: {why}")),
                (false, Err(_)) => {}
            }
            safe += usize::from(is_safe);
            not_safe += usize::from(!is_safe);
        }
    }
    let report = format!(
        "{accepted} of {safe} safe statements accepted, {} of {not_safe} unsafe ones\n{}",
        holes.len(),
        lost.join("\n")
    );
    #[expect(clippy::print_stdout, reason = "the figures are what the test is for")]
    {
        println!("{report}");
    }
    assert!(safe + not_safe >= 300, "{report}");
    assert!(holes.is_empty(), "accepted though unsafe:\n{}\n{report}", holes.join("\n"));
    assert!(accepted * 100 >= safe * 95, "{report}");
}
