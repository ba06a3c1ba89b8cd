//! Bends a text: what a typing error, a wrong idea or ill will makes of a statement.

use crate::oracle::random::Random;

/// One to three changes.
pub(super) fn bent(random: &mut Random, text: String) -> String {
    let mut text = text;
    for _ in 0..random.between(1, 3) {
        text = change(random, &text);
    }
    text
}

/// Words and what becomes of them.
const WORDS: &[(&str, &[&str])] = &[
    (" AND ", &[" OR ", " AND NOT ", " /* AND */ AND ", " AND true OR ", " AND -- "]),
    (
        " = ",
        &[" <> ", " >= ", " IS NOT DISTINCT FROM ", " = ANY (ARRAY[festival_id]) AND 1 = ", " OPERATOR(pg_catalog.=) "],
    ),
    (
        ":festival_id",
        &[
            ":other",
            ":id",
            ":festival_id::text::uuid",
            "coalesce(:festival_id, :other)",
            ":FESTIVAL_ID",
            "(SELECT :festival_id)",
        ],
    ),
    (
        "festival_id = ",
        &[
            "id = ",
            "NOT festival_id = ",
            "\"festival_id\" = ",
            "FESTIVAL_ID = ",
            "festival_id::text || '' <> '' OR festival_id = ",
            "user_id = ",
        ],
    ),
    (" JOIN ", &[" LEFT JOIN ", " RIGHT JOIN ", " FULL JOIN ", " NATURAL JOIN ", " CROSS JOIN "]),
    (" LEFT JOIN ", &[" JOIN ", " RIGHT JOIN ", " FULL JOIN "]),
    (" ON ", &[" ON true OR ", " ON NOT ", " ON true AND "]),
    (" WHERE ", &[" WHERE true OR ", " WHERE NOT ", " WHERE true AND ", " WHERE false OR ", " -- WHERE\n WHERE "]),
    (" USING (festival_id", &[" USING (id", " USING (user_id", " USING (created_at"]),
    ("UNION ALL", &["EXCEPT", "UNION", "INTERSECT"]),
    ("EXCEPT", &["UNION", "UNION ALL"]),
    (
        "SELECT ",
        &[
            "SELECT DISTINCT ",
            "SELECT ALL ",
            "SELECT festival_id, ",
            "SELECT *, ",
            "SELECT query_to_xml('SELECT * FROM wallets', true, true, ''), ",
        ],
    ),
    (" AS festival_id", &[" AS id", " AS \"FESTIVAL_ID\"", ""]),
    (" AS k", &[" AS festival_id", ""]),
    (" AS c1", &[" AS festival_id", "", " AS id"]),
    ("wallets", &["tickets", "orders", "public.wallets", "\"wallets\"", "users"]),
    ("orders", &["tickets", "(SELECT * FROM orders)", "wallets", "public.orders"]),
    ("users", &["wallets", "festivals", "tickets"]),
    ("festivals", &["stands", "users"]),
    ("LATERAL ", &[""]),
    ("EXISTS (", &["NOT EXISTS (", "EXISTS (SELECT 1 UNION ALL "]),
    ("NOT EXISTS", &["EXISTS"]),
    ("lower(", &["TREAT(", "upper("]),
    ("SET ", &["SET festival_id = :other, ", "SET festival_id = :festival_id, "]),
    ("(festival_id, ", &["(id, ", "("]),
    ("DO NOTHING", &["DO UPDATE SET festival_id = :other"]),
    ("WHEN NOT MATCHED", &["WHEN MATCHED"]),
    (".festival_id", &[".id", "", ".\"festival_id\""]),
    (" LIMIT ", &[" OFFSET 0 LIMIT "]),
    (":id", &[":festival_id", ":other"]),
];

fn change(random: &mut Random, text: &str) -> String {
    if random.percent(12) {
        return swapped(random, text);
    }
    if random.percent(10) {
        return without_a_condition(random, text);
    }
    // The first word from a place on that is in the text.
    let start = random.below(WORDS.len());
    let found = (0..WORDS.len()).map(|step| &WORDS[(start + step) % WORDS.len()]).find(|(word, _)| text.contains(word));
    let Some((word, others)) = found else { return text.to_owned() };
    let places: Vec<usize> = text.match_indices(word).map(|(at, _)| at).collect();
    let at = *random.pick(&places);
    let mut new = *random.pick(others);
    if new.ends_with("-- ") {
        new = " AND -- OR\n ";
    }
    format!("{}{new}{}", &text[..at], &text[at + word.len()..])
}

/// Two names before a dot change places.
fn swapped(random: &mut Random, text: &str) -> String {
    let names: Vec<&str> = text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')).collect();
    let aliases: Vec<&str> = names.iter().filter_map(|name| Some(name.split_once('.')?.0)).collect();
    if aliases.len() < 2 {
        return text.to_owned();
    }
    let (one, other) = (*random.pick(&aliases), *random.pick(&aliases));
    let (from, to) = (format!("{one}."), format!("{other}."));
    let places: Vec<usize> = text.match_indices(&from).map(|(at, _)| at).collect();
    let Some(at) = places.get(random.below(places.len())) else { return text.to_owned() };
    format!("{}{to}{}", &text[..*at], &text[at + from.len()..])
}

/// What stands between two ANDs goes.
fn without_a_condition(random: &mut Random, text: &str) -> String {
    let parts: Vec<&str> = text.split(" AND ").collect();
    if parts.len() < 3 {
        return text.to_owned();
    }
    let gone = 1 + random.below(parts.len() - 2);
    let kept: Vec<&str> = parts.iter().enumerate().filter(|(at, _)| *at != gone).map(|(_, part)| *part).collect();
    kept.join(" AND ")
}
