//! What the checker of statements accepts is executed, and must stay with its tenant.
//!
//! ```sh
//! TEST_ORACLE=7:100000 cargo test -p shardwise-tests --test integration oracle -- --nocapture   # seed:count
//! ```

mod generate;
mod judge;
mod random;
mod rows;
mod schema;
mod world;

use std::collections::BTreeMap;
use std::fmt;

use shardwise_scope::{Effect, TableFacts, analyse};

use crate::support::place::{Place, in_both_modes};
use judge::{Verdict, Worlds};
use rows::TENANTS;
use world::Sent;

in_both_modes![
    no_accepted_statement_meets_a_row_of_others,
    whoever_accepts_everything_is_caught,
    the_judge_sees_what_is_foreign,
];

/// What stands in for the checker: the statement as it is sent, if it is accepted.
type Checker = fn(&str, &[TableFacts<'_>]) -> Option<Sent>;

const SEED: u64 = 1;

#[derive(Default)]
struct Counts {
    generated: usize,
    accepted: usize,
    /// Accepted ones, as each tenant.
    tried: usize,
    executed: usize,
    with_rows: usize,
    /// By SQLSTATE.
    errors: BTreeMap<String, usize>,
    foreign: Vec<String>,
}

async fn no_accepted_statement_meets_a_row_of_others(place: Place) {
    let (seed, count) = wanted().unwrap_or((SEED, place.pick(3_000, 1_000)));
    let counts = run(place, seed, count, checked).await;
    println!("oracle on {}, seed {seed}: {counts}", place.pick("one server", "Citus"));
    assert!(counts.foreign.is_empty(), "{}", counts.foreign.join("\n\n"));
    // Or it would see nothing.
    assert!(counts.accepted * 100 >= counts.generated * 15, "{counts}");
    assert!(counts.executed * 2 > counts.tried, "{counts}");
    assert!(counts.with_rows * 3 > counts.executed, "{counts}");
}

async fn whoever_accepts_everything_is_caught(place: Place) {
    let counts = run(place, SEED, 400, |text, _| Some(unchecked(text))).await;
    println!("oracle on {}, nothing checked: {counts}", place.pick("one server", "Citus"));
    assert!(counts.foreign.len() >= place.pick(20, 10), "{counts}");
}

/// Rows of others can be met in these ways, and each is seen; and what looks alike and stays at home is not taken for one.
async fn the_judge_sees_what_is_foreign(place: Place) {
    let worlds = Worlds::new(place).await;
    for (is_foreign, text) in [
        (true, "SELECT id FROM wallets"),
        (true, "SELECT count(*) FROM tickets"),
        (true, "SELECT max(amount) FROM orders WHERE festival_id = :festival_id OR amount IS NOT NULL"),
        (true, "SELECT EXISTS (SELECT 1 FROM wallets WHERE balance IN (1000077, 1000082))"),
        (true, "SELECT id FROM stands ORDER BY name DESC LIMIT 1"),
        (true, "SELECT id FROM wallets WHERE festival_id = :other AND balance IS NOT NULL"),
        (true, "UPDATE wallets SET balance = 1 WHERE id = :id"),
        (true, "DELETE FROM tickets WHERE festival_id = :other"),
        (true, "UPDATE wallets SET balance = (SELECT sum(amount) FROM transactions) WHERE festival_id = :festival_id"),
        (true, "INSERT INTO stands (festival_id, id, name, created_at) VALUES (:other, :fresh, 'x', :at)"),
        (true, "INSERT INTO users (id, email, name, created_at) SELECT :fresh, max(name), 'x', :at FROM stands"),
        (false, "SELECT id FROM wallets WHERE festival_id = :festival_id"),
        (false, "SELECT id, slug FROM festivals"),
        (false, "SELECT count(*) FROM tickets WHERE festival_id = :festival_id"),
        (false, "UPDATE wallets SET balance = 1 WHERE festival_id = :festival_id AND id = :id RETURNING *"),
        (false, "DELETE FROM tickets WHERE festival_id = :festival_id"),
        (false, "INSERT INTO stands (festival_id, id, name, created_at) VALUES (:festival_id, :fresh, 'x', :at)"),
    ] {
        let mut verdicts = Vec::new();
        for tenant in TENANTS {
            verdicts.push(worlds.judge(&unchecked(text), tenant).await);
        }
        // The greatest of all rows may well be one's own: so it is enough if one of the two sees it.
        let is_seen = match is_foreign {
            true => verdicts.iter().any(|verdict| matches!(verdict, Verdict::Foreign(_))),
            false => verdicts.iter().all(|verdict| matches!(verdict, Verdict::Fine(rows) if *rows > 0)),
        };
        assert!(is_seen, "{verdicts:?} for {text}");
    }
}

/// `seed:count` for a longer run.
fn wanted() -> Option<(u64, usize)> {
    let wanted = std::env::var("TEST_ORACLE").ok()?;
    let (seed, count) = wanted.split_once(':').expect("TEST_ORACLE is seed:count");
    Some((seed.parse().expect("a seed"), count.parse().expect("a count")))
}

async fn run(place: Place, seed: u64, count: usize, checker: Checker) -> Counts {
    let worlds = Worlds::new(place).await;
    let facts = schema::facts();
    let mut counts = Counts::default();
    for number in 0..count {
        // Not one after the other: seeds that are near would overlap.
        let seed = seed.wrapping_mul(1_000_000_007).wrapping_add(u64::try_from(number).unwrap());
        let text = generate::statement(seed);
        counts.generated += 1;
        let Some(sent) = checker(&text, &facts) else { continue };
        counts.accepted += 1;
        for tenant in TENANTS {
            counts.tried += 1;
            match worlds.judge(&sent, tenant).await {
                Verdict::Failed(error) => {
                    let known = if std::env::var_os("TEST_ORACLE").is_some() { error.as_str() } else { &error[..5] };
                    *counts.errors.entry(known.to_owned()).or_default() += 1;
                }
                Verdict::Fine(rows) => {
                    counts.executed += 1;
                    counts.with_rows += usize::from(rows > 0);
                }
                Verdict::Foreign(why) => {
                    counts.executed += 1;
                    counts.foreign.push(format!("as {}: {why}\n{text}", tenant.mark));
                    break;
                }
            }
        }
    }
    counts
}

fn checked(text: &str, facts: &[TableFacts<'_>]) -> Option<Sent> {
    let found = analyse(text).ok()?;
    let given: Vec<&str> = found.params.iter().map(String::as_str).filter(|name| *name != schema::KEY).collect();
    found.verify(&given, facts).ok()?;
    Some(Sent { only_reads: found.effect == Effect::Reads, sql: found.sql, params: found.params })
}

/// Numbers in place of names, and nothing else.
fn unchecked(text: &str) -> Sent {
    let mut sent = Sent { sql: String::new(), params: Vec::new(), only_reads: false };
    let mut rest = text;
    while let Some(at) = rest.find(':') {
        let (before, behind) = rest.split_at(at);
        sent.sql.push_str(before);
        let end = behind[1..].find(|c: char| !(c.is_alphanumeric() || c == '_')).map_or(behind.len(), |end| end + 1);
        let name = &behind[1..end];
        if sent.sql.ends_with(':') || !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            sent.sql.push_str(&behind[..1]);
            rest = &behind[1..];
            continue;
        }
        let number = sent.params.iter().position(|known| known == name).unwrap_or_else(|| {
            sent.params.push(name.to_owned());
            sent.params.len() - 1
        });
        sent.sql.push_str(&format!(" ${} ", number + 1));
        rest = &behind[end..];
    }
    sent.sql.push_str(rest);
    sent
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { generated, accepted, tried, executed, with_rows, errors, foreign } = self;
        write!(
            f,
            "{generated} generated, {accepted} accepted, {tried} times tried as a tenant, {executed} times executed, \
             {with_rows} times with rows, {} errors, {} foreign",
            errors.values().sum::<usize>(),
            foreign.len()
        )?;
        let mut most: Vec<_> = errors.iter().collect();
        most.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        most.iter().take(25).try_for_each(|(error, count)| write!(f, "\n  {count} × {error}"))
    }
}
