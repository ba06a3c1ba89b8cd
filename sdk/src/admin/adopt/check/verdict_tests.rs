use super::{Judged, Verdict, judge};
use crate::admin::adopt::check::samples::{FESTIVALS, WAREHOUSES, inspected, numbers};
use crate::admin::adopt::check::statement::{Spelling, Statement};
use crate::admin::adopt::check::tables::Tables;
use crate::admin::adopt::check::warnings::{WarningKind, functions};
use crate::admin::adopt::check::words::{Style, Writer};
use crate::admin::adopt::inspection::Inspection;

fn festivals() -> Inspection {
    inspected(FESTIVALS, ("festivals", "id"), "festival_id")
}

fn judged_in(inspection: &Inspection, text: &str) -> Judged {
    let tables = Tables::of(inspection);
    let statement = Statement::read(text, &[], Writer::Program { percent_binds: true }, Spelling::Like(Style::Dollar));
    judge(&statement, &tables, &functions(&inspection.catalog.functions, &tables))
}

fn judged(text: &str) -> Judged {
    judged_in(&festivals(), text)
}

fn check(cases: &[(&str, Verdict)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(text, expected)| {
            let found = judged(text);
            (found.verdict != *expected)
                .then(|| format!("{text}\n  {:?}, not {expected:?}: {}", found.verdict, found.why))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_each_statement_is() {
    use Verdict::{Cross, Dynamic, Local, NeedsKey, Other, Reference, Routes, Undecided, Unreadable};
    check(&[
        ("SELECT * FROM tickets WHERE festival_id = $1 AND state = $2", Routes),
        (
            "SELECT * FROM public.tickets t JOIN stands s ON s.festival_id = t.festival_id WHERE t.festival_id = $1",
            Routes,
        ),
        ("SELECT t.id, u.email FROM tickets t JOIN users u ON u.id = t.user_id WHERE t.festival_id = $1", Routes),
        ("SELECT count(*) FROM tickets WHERE festival_id = 'a'", Routes),
        ("SELECT name FROM festivals WHERE id = $1", Routes),
        ("SELECT name FROM festivals WHERE id IN ($1)", Routes),
        ("SELECT name FROM festivals WHERE id IN (:ids)", Cross),
        ("SELECT name FROM stands WHERE festival_id IN %s", Cross),
        ("INSERT INTO tickets ({columns}) VALUES ({values})", Dynamic),
        ("INSERT INTO tickets (id, festival_id) VALUES ($1, $2)", Routes),
        ("INSERT INTO festivals (id, slug) VALUES ($1, $2)", Routes),
        // The row's own key, the row it belongs to, a list of them.
        ("SELECT * FROM tickets WHERE id = $1", NeedsKey),
        ("SELECT * FROM staff WHERE stand_id = $1", NeedsKey),
        ("SELECT * FROM tickets WHERE id IN ($1, $2)", NeedsKey),
        ("DELETE FROM tickets WHERE id = ANY ($1)", NeedsKey),
        ("SELECT count(*) FROM scans WHERE ticket_id = $1", NeedsKey),
        ("INSERT INTO audit (what) VALUES ($1)", NeedsKey),
        ("INSERT INTO festivals (slug) VALUES ($1)", NeedsKey),
        ("INSERT INTO stands VALUES ($1, $2, $3)", NeedsKey),
        ("INSERT INTO staff VALUES ($1, $2, $3)", NeedsKey),
        ("INSERT INTO tickets (id, festival_id) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING", NeedsKey),
        ("SELECT festival_id FROM stands s JOIN staff f ON f.stand_id = s.id WHERE festival_id = $1", NeedsKey),
        // Different parameters may have different values.
        ("SELECT 1 FROM tickets t, stands s WHERE t.festival_id = $1 AND s.festival_id = $2", NeedsKey),
        ("SELECT count(*) FROM tickets", Cross),
        ("SELECT * FROM tickets WHERE user_id = $1", Cross),
        ("SELECT * FROM tickets WHERE state = $1 ORDER BY id LIMIT 10", Cross),
        ("SELECT * FROM festivals WHERE slug = $1", Cross),
        ("SELECT * FROM festivals", Cross),
        ("UPDATE tickets SET festival_id = $1 WHERE id = $2", Cross),
        ("UPDATE tickets SET festival_id = $1 WHERE id = $2 AND festival_id = $3", Cross),
        ("SELECT * FROM tickets t, migrations m WHERE t.festival_id = $1", Cross),
        ("WITH u AS (INSERT INTO users (id) VALUES ($1)) INSERT INTO tickets (id, festival_id) VALUES ($2, $3)", Cross),
        ("SELECT * FROM sold", Cross),
        ("TRUNCATE tickets", Cross),
        ("COPY tickets (id) FROM STDIN", Cross),
        ("SELECT * FROM sold WHERE festival_id = $1", NeedsKey),
        ("SELECT * FROM notes WHERE id = $1", Undecided),
        ("SELECT * FROM users u LEFT JOIN countries c ON c.code = u.country", Reference),
        ("SELECT * FROM names", Reference),
        ("UPDATE users SET email = $1", Reference),
        ("SELECT * FROM migrations", Local),
        ("SELECT * FROM sessions s JOIN users u ON u.id = s.user_id", Local),
        ("SELECT now()", Other),
        ("begin", Other),
        ("SET search_path = x", Other),
        ("CREATE INDEX ON tickets (state)", Other),
        ("SELECT relname FROM pg_class JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace", Other),
        ("SELECT * FROM elsewhere WHERE id = $1", Unreadable),
        ("SELECT sell() FROM tickets WHERE festival_id = $1", Unreadable),
        ("SELECT * FROM tickets WHERE )", Unreadable),
        ("SELECT * FROM tickets WHERE", Dynamic),
        ("SELECT nothing FROM tickets WHERE festival_id = $1 AND id = nextval('x')", Unreadable),
        ("SELECT {columns} FROM tickets", Dynamic),
    ]);
}

/// What is shown is accepted by the checker: it is judged again, as it is.
#[test]
fn what_is_written_anew_routes() {
    for (text, expected) in [
        ("SELECT * FROM tickets WHERE id = $1", "SELECT * FROM tickets WHERE id = $1 AND festival_id = $2"),
        (
            "SELECT * FROM tickets t WHERE id = :id OR t.state = 'x' LIMIT 1",
            "SELECT * FROM tickets t WHERE (id = :id OR t.state = 'x') AND t.festival_id = :festival_id LIMIT 1",
        ),
        (
            "DELETE FROM staff USING stands s WHERE s.id = ? AND staff.stand_id = s.id",
            "DELETE FROM staff USING stands s WHERE s.id = ? AND staff.stand_id = s.id AND staff.festival_id = ? AND s.festival_id = staff.festival_id",
        ),
        (
            "SELECT 1 FROM tickets t LEFT JOIN scans s ON s.ticket_id = t.id -- all\nWHERE t.id = %s",
            "SELECT 1 FROM tickets t LEFT JOIN scans s ON s.ticket_id = t.id AND s.festival_id = t.festival_id -- all\nWHERE t.id = %s AND t.festival_id = %s",
        ),
        (
            "SELECT 1 FROM stands s LEFT JOIN staff f ON f.stand_id = s.id WHERE s.festival_id = $1",
            "SELECT 1 FROM stands s LEFT JOIN staff f ON f.stand_id = s.id AND f.festival_id = s.festival_id WHERE s.festival_id = $1",
        ),
        (
            "UPDATE tickets SET state = @state WHERE id = @id RETURNING *",
            "UPDATE tickets SET state = @state WHERE id = @id AND festival_id = @festival_id RETURNING *",
        ),
        (
            "INSERT INTO staff (id, stand_id, user_id) VALUES (%(a)s, %(b)s, %(c)s), (1, 2, 3) ON CONFLICT (id) DO UPDATE SET user_id = excluded.user_id",
            "INSERT INTO staff (id, stand_id, user_id, festival_id) VALUES (%(a)s, %(b)s, %(c)s, %(festival_id)s), (1, 2, 3, %(festival_id)s) \
          ON CONFLICT (festival_id, id) DO UPDATE SET user_id = excluded.user_id",
        ),
        ("INSERT INTO stands VALUES ($1, $2, $3)", "INSERT INTO stands (id, festival_id, name) VALUES ($1, $2, $3)"),
        (
            "INSERT INTO staff VALUES ($1, $2, $3)",
            "INSERT INTO staff (id, stand_id, user_id, festival_id) VALUES ($1, $2, $3, $4)",
        ),
        (
            "INSERT INTO scans (ticket_id, at) SELECT id, now() FROM tickets WHERE id = $1",
            "INSERT INTO scans (ticket_id, at, festival_id) SELECT id, now(), tickets.festival_id FROM tickets WHERE id = $1 AND tickets.festival_id = $2",
        ),
        (
            "INSERT INTO scans (ticket_id, at) SELECT $1, max(begins) FROM shifts WHERE staff_id = $2 GROUP BY id",
            "INSERT INTO scans (ticket_id, at, festival_id) SELECT $1, max(begins), $3::uuid FROM shifts WHERE staff_id = $2 AND shifts.festival_id = $3 GROUP BY id",
        ),
        (
            "SELECT festival_id FROM stands s JOIN staff f ON f.stand_id = s.id WHERE s.id = $1",
            "SELECT s.festival_id FROM stands s JOIN staff f ON f.stand_id = s.id WHERE s.id = $1 AND s.festival_id = $2 AND f.festival_id = s.festival_id",
        ),
        (
            "SELECT 1 FROM tickets WHERE id = $1 AND EXISTS (SELECT FROM scans WHERE ticket_id = tickets.id)",
            "SELECT 1 FROM tickets WHERE id = $1 AND EXISTS (SELECT FROM scans WHERE ticket_id = tickets.id AND scans.festival_id = $2) AND tickets.festival_id = $2",
        ),
        (
            "WITH x AS (SELECT id FROM tickets WHERE id = $1) SELECT * FROM scans JOIN x ON x.id = ticket_id",
            "WITH x AS (SELECT id FROM tickets WHERE id = $1 AND tickets.festival_id = $2) SELECT * FROM scans JOIN x ON x.id = ticket_id WHERE scans.festival_id = $2",
        ),
        (
            "SELECT 1 FROM tickets t JOIN scans s ON s.ticket_id = t.id JOIN festivals f ON f.id = t.festival_id WHERE t.id = $1",
            "SELECT 1 FROM tickets t JOIN scans s ON s.ticket_id = t.id JOIN festivals f ON f.id = t.festival_id WHERE t.id = $1 \
          AND t.festival_id = $2 AND s.festival_id = t.festival_id",
        ),
        (
            "SELECT 1 FROM staff LEFT JOIN shifts USING (stand_id) WHERE staff.id = $1",
            "SELECT 1 FROM staff LEFT JOIN shifts USING (stand_id, festival_id) WHERE staff.id = $1 AND staff.festival_id = $2",
        ),
        (
            "SELECT 1 FROM stands LEFT JOIN tickets USING (festival_id) WHERE stands.id = $1",
            "SELECT 1 FROM stands LEFT JOIN tickets USING (festival_id) WHERE stands.id = $1 AND stands.festival_id = $2",
        ),
        ("SELECT 1 FROM tickets FOR UPDATE", "SELECT 1 FROM tickets WHERE festival_id = $1 FOR UPDATE"),
    ] {
        let found = judged(text);
        assert!(matches!(found.verdict, Verdict::NeedsKey | Verdict::Cross), "{text}: {found:?}");
        assert_eq!(found.rewritten.as_deref(), Some(expected), "{text}: {}", found.why);
        let again = judged_after(expected);
        assert_eq!(again.verdict, Verdict::Routes, "{expected}: {again:?}");
    }
}

/// As it is judged where the tables have the column already.
fn judged_after(text: &str) -> Judged {
    judged_in(&with_keys(), text)
}

fn with_keys() -> Inspection {
    let with_key = FESTIVALS
        .lines()
        .map(|line| match ["staff:", "shifts:", "scans:"].iter().any(|table| line.trim().starts_with(table)) {
            true => format!("{line}, festival_id uuid > festivals.id"),
            false => line.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("\n");
    inspected(&with_key, ("festivals", "id"), "festival_id")
}

#[test]
fn a_key_may_be_called_otherwise_in_each_table() {
    let inspection = inspected(WAREHOUSES, ("warehouse", "w_id"), "w_id");
    let judged = |text: &str| judged_in(&inspection, text);
    for (text, expected) in [
        ("SELECT 1 FROM customer, warehouse WHERE w_id = ? AND c_w_id = w_id AND c_id = ?", Verdict::Routes),
        ("SELECT s_quantity FROM stock WHERE s_i_id = ? AND s_w_id = ? FOR UPDATE", Verdict::Routes),
        ("UPDATE stock SET s_quantity = ? WHERE s_i_id = ?", Verdict::Cross),
        ("INSERT INTO orders (o_id, o_w_id) VALUES (?, ?)", Verdict::Routes),
        ("INSERT INTO orders (o_id) VALUES (?)", Verdict::NeedsKey),
        ("SELECT 1 FROM item WHERE i_id = ?", Verdict::Reference),
    ] {
        let found = judged(text);
        assert_eq!(found.verdict, expected, "{text}: {found:?}");
    }
    let twice = judged("SELECT 1 FROM customer, warehouse WHERE w_id = ? AND c_w_id = ? AND c_id = ?");
    assert_eq!(twice.verdict, Verdict::NeedsKey, "{twice:?}");
    assert!(twice.rewritten.expect("it can be read").ends_with("c_id = ? AND customer.c_w_id = warehouse.w_id"));
    let order = judged("INSERT INTO orders (o_id) VALUES (?)");
    assert_eq!(order.rewritten.as_deref(), Some("INSERT INTO orders (o_id, o_w_id) VALUES (?, ?)"));
}

/// Where no way is known that leaves other rows alone, none is shown.
#[test]
fn what_can_t_be_written_anew_is_said() {
    for text in [
        "SELECT 1 FROM tickets t FULL JOIN scans s ON s.ticket_id = t.id WHERE t.id = $1",
        "SELECT 1 FROM festivals LEFT JOIN stands USING (name) WHERE festivals.id = $1",
        "MERGE INTO tickets t USING stands s ON t.id = $1 WHEN MATCHED THEN DELETE",
        "INSERT INTO tickets (id, festival_id) SELECT $1, (SELECT festival_id FROM stands WHERE id = $2)",
    ] {
        let found = judged(text);
        assert_eq!((found.verdict, found.rewritten.as_deref()), (Verdict::NeedsKey, None), "{text}: {}", found.why);
        assert!(found.why.contains("by hand"), "{text}: {}", found.why);
    }
}

#[test]
fn what_else_is_to_be_known() {
    for (text, kinds) in [
        ("SELECT * FROM staff WHERE id = $1", vec![WarningKind::WholeRows]),
        ("SELECT * FROM tickets WHERE id = $1", vec![]),
        ("DELETE FROM scans WHERE ticket_id = $1 RETURNING scans.*", vec![WarningKind::WholeRows]),
        ("SELECT count(*) FROM staff WHERE EXISTS (SELECT * FROM shifts)", vec![]),
        ("UPDATE tickets SET state = $1, festival_id = $2 WHERE id = $3", vec![WarningKind::KeySet]),
        (
            "INSERT INTO tickets (id, festival_id) VALUES ($1, $2) ON CONFLICT (festival_id, id) DO UPDATE SET festival_id = excluded.festival_id",
            vec![],
        ),
        ("UPDATE tickets SET festival_id = $1 WHERE festival_id = $1", vec![WarningKind::KeySet]),
        ("INSERT INTO staff VALUES ($1, $2, $3)", vec![WarningKind::NoColumnList]),
        ("INSERT INTO audit (what) VALUES ($1) ON CONFLICT (id) DO NOTHING", vec![WarningKind::Conflict]),
        ("INSERT INTO audit (what) VALUES ($1) ON CONFLICT ON CONSTRAINT x DO NOTHING", vec![WarningKind::Conflict]),
        ("SELECT id FROM tickets WHERE id = $1 FOR NO KEY UPDATE", vec![WarningKind::Locks]),
        ("SELECT id FROM tickets WHERE festival_id = $1 FOR UPDATE", vec![]),
        ("SELECT public.sell(), lastval()", vec![WarningKind::Function, WarningKind::Sequence]),
        ("SELECT id FROM tickets WHERE id = {id}", vec![WarningKind::Spliced]),
    ] {
        let found = judged(text);
        let kinds_found: Vec<WarningKind> = found.warnings.iter().map(|warning| warning.kind).collect();
        assert_eq!(kinds_found, kinds, "{text}: {:?}", found.warnings);
    }
}

#[test]
fn reasons_name_the_columns() {
    for (text, why) in [
        ("SELECT * FROM tickets WHERE id = $1", "tickets is not held to festival_id"),
        ("INSERT INTO audit (what) VALUES ($1)", "rows of audit are inserted without festival_id"),
        (
            "INSERT INTO tickets (id, festival_id) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
            "ON CONFLICT (id) finds no unique index",
        ),
        ("SELECT count(*) FROM tickets", "count() is over rows of all tenants"),
        ("SELECT id FROM tickets WHERE user_id = $1", "rows of tickets with one user_id may be several tenants'"),
        ("SELECT id FROM festivals WHERE slug = $1", "it looks for tenants by slug, before their id is known"),
        ("SELECT id FROM tickets WHERE festival_id = ANY ($1)", "festival_id is one of a list"),
        (
            "SELECT 1 FROM tickets t, stands s WHERE t.festival_id = $1 AND s.festival_id = $2",
            "stands is held to festival_id by another parameter",
        ),
        ("SELECT sell()", "`sell` is not among the functions"),
    ] {
        let found = judged(text);
        assert!(found.why.contains(why), "{text}: {}", found.why);
    }
}

/// Whatever a text holds, it is judged; and what is shown in place of it goes to one shard.
#[test]
fn no_statement_is_too_strange() {
    const SEEDS: &[&str] = &[
        "SELECT t.id, 'é' FROM tickets t LEFT JOIN scans s ON s.ticket_id = t.id OR t.id = :id WHERE t.id = $1 -- x\n LIMIT 1",
        "INSERT INTO staff AS f (id, stand_id) VALUES (%s, %(b)s), ('ü', -1) ON CONFLICT (id) DO UPDATE SET stand_id = excluded.stand_id",
        "WITH x AS (DELETE FROM audit USING stands s WHERE audit.id = ? AND s.id IN (?) RETURNING *) SELECT interval '1 day', * FROM x, shifts",
        "UPDATE \"shifts\" SET begins = {begins}, id = /* y */ sqlc.arg(z)::bigint WHERE staff_id = ANY (@a) AND extract(day FROM begins) = 1",
        "INSERT INTO scans SELECT id, $$é$$ FROM public.tickets WHERE id = ${id} AND state ?? 'a' GROUP BY 1 HAVING a[1:n] %% 2 = 1",
    ];
    let letters: Vec<char> = SEEDS.concat().chars().collect();
    let mut next = numbers(0x2545_f491_4f6c_dd1d);
    let (before, after) = (festivals(), with_keys());
    let (before, after) = (Tables::of(&before), Tables::of(&after));
    let none = std::collections::BTreeMap::new();
    let (mut read, mut shown) = (0, 0);
    for round in 0..600 {
        let seed: Vec<char> = SEEDS[round % SEEDS.len()].chars().collect();
        let (cut, len) = (next(seed.len()), next(5));
        let put: String = (0..next(3)).map(|_| letters[next(letters.len())]).collect();
        let text: String =
            seed[..cut].iter().copied().chain(put.chars()).chain(seed.iter().skip(cut + len).copied()).collect();
        for writer in [Writer::Server, Writer::Program { percent_binds: true }] {
            let read_as = |text: &str| Statement::read(text, &[], writer, Spelling::Like(Style::Dollar));
            let found = judge(&read_as(&text), &before, &none);
            read += usize::from(!matches!(found.verdict, Verdict::Unreadable | Verdict::Dynamic));
            if let Some(rewritten) = found.rewritten {
                shown += 1;
                // Which of several parameters without names are one can't be seen.
                if rewritten.contains("%s") || rewritten.contains('?') {
                    continue;
                }
                let again = judge(&read_as(&rewritten), &after, &none);
                assert_eq!(again.verdict, Verdict::Routes, "{text}\n{rewritten}\n{again:?}");
            }
        }
    }
    assert!(read > 100 && shown > 50, "{read} were read, {shown} were written anew");
}
