//! Functions and views that an adoption breaks are named with the step before which they have to be changed; and break there.

use shardwise::Cluster;
use shardwise::admin::adopt::Options;
use shardwise::admin::adopt::run::{End, Event};
use shardwise::admin::adopt::steps::{APPLICATION, FUNCTIONS};

use super::schemas::{FESTIVALS, answered};
use super::spread::festivals;
use crate::support::place::{Place, in_both_modes};
use crate::support::stage::session;

in_both_modes![@on_two_threads: functions_and_views_break_where_it_was_said];

const MORE: &str = r#"
    CREATE TABLE seats (id uuid PRIMARY KEY, ticket_id uuid NOT NULL REFERENCES tickets, UNIQUE (ticket_id));
    CREATE TABLE guests (id uuid PRIMARY KEY, ticket_id uuid NOT NULL REFERENCES tickets, email varchar(80));
    CREATE UNIQUE INDEX guests_email ON guests (lower(email));
    CREATE FUNCTION invite(t uuid, e text) RETURNS void LANGUAGE plpgsql AS $f$
        BEGIN
            INSERT INTO guests (id, ticket_id, email, festival_id) SELECT gen_random_uuid(), id, e, festival_id FROM tickets WHERE id = t
                ON CONFLICT (lower(email)) DO NOTHING;
        END $f$;
    CREATE FUNCTION employ(s uuid, u uuid) RETURNS uuid LANGUAGE plpgsql AS $f$
        DECLARE made uuid := gen_random_uuid();
        BEGIN
            IF s IS NOT NULL THEN INSERT INTO "staff" (id, stand_id, user_id) VALUES (made, s, u); END IF;
            RETURN made;
        END $f$;
    CREATE FUNCTION employ_by_text(s uuid, u uuid) RETURNS void LANGUAGE plpgsql AS $f$
        BEGIN EXECUTE 'INSERT INTO public.staff SELECT gen_random_uuid(), $1, $2' USING s, u; END $f$;
    CREATE PROCEDURE seat(s uuid, t uuid) LANGUAGE plpgsql AS $f$
        BEGIN
            INSERT INTO seats AS e (id, ticket_id, festival_id) SELECT s, t, festival_id FROM tickets WHERE id = t
                ON CONFLICT (ticket_id) DO UPDATE SET id = excluded.id;
        END $f$;
    CREATE FUNCTION crew() RETURNS TABLE (id uuid, stand_id uuid, user_id uuid) LANGUAGE plpgsql AS $f$
        BEGIN RETURN QUERY SELECT * FROM staff; END $f$;
    CREATE FUNCTION everybody() RETURNS SETOF staff LANGUAGE sql AS $f$ SELECT * FROM staff $f$;
    CREATE FUNCTION note_down(f uuid, s uuid, what text) RETURNS void LANGUAGE sql AS $f$
        INSERT INTO audit (festival_id, what) VALUES (f, note_down.what) $f$;
    CREATE VIEW stand_sizes AS SELECT s.id, s.name, count(f.id) FROM stands s LEFT JOIN staff f ON f.stand_id = s.id GROUP BY s.id;
"#;

/// From PostgreSQL 15 on, MERGE; and from 14 on, functions whose text the server keeps as a tree.
const NEWER: &str = r#"
    CREATE FUNCTION hire(s uuid, u uuid) RETURNS uuid LANGUAGE sql BEGIN ATOMIC
        INSERT INTO staff (id, stand_id, user_id) VALUES (gen_random_uuid(), s, u) RETURNING id; END;
    CREATE PROCEDURE rehire(s uuid, u uuid) LANGUAGE sql AS $f$
        MERGE INTO staff f USING (SELECT s AS stand, u AS person) n ON f.stand_id = n.stand AND f.user_id = n.person AND f.id = n.person
        WHEN NOT MATCHED THEN INSERT (id, stand_id, user_id) VALUES (gen_random_uuid(), n.stand, n.person) $f$;
    CREATE FUNCTION sizes() RETURNS bigint LANGUAGE sql BEGIN ATOMIC
        SELECT count(*) FROM (SELECT s.id, s.name FROM stands s GROUP BY s.id) n; END;
"#;
const HIRE: &str = "SELECT hire(id, '10000000-0000-0000-0000-000000000001') FROM stands ORDER BY id LIMIT 1";
const REHIRE: &str = "CALL rehire('20000000-0000-0000-0000-000000000001', '10000000-0000-0000-0000-000000000001')";
const INVITE: &str = "SELECT invite('50000000-0000-0000-0000-000000000001', 'Ann@example.org')";

const EMPLOY: &str = "SELECT employ(id, '10000000-0000-0000-0000-000000000001') FROM stands ORDER BY id LIMIT 1";
const BY_TEXT: &str =
    "SELECT employ_by_text(id, '10000000-0000-0000-0000-000000000001') FROM stands ORDER BY id LIMIT 1";
const SEAT: &str = "CALL seat(gen_random_uuid(), '50000000-0000-0000-0000-000000000001')";
const NOTE: &str = "SELECT note_down(id, NULL, 'x') FROM festivals ORDER BY id LIMIT 1";

async fn functions_and_views_break_where_it_was_said(place: Place) {
    let config = place.empty().await;
    let client = session(&config).await;
    for statements in [FESTIVALS, MORE] {
        client.batch_execute(statements).await.unwrap();
    }
    let version = client.query_one("SELECT current_setting('server_version_num')::int", &[]).await.unwrap();
    let is_newer = version.get::<_, i32>(0) >= 150_000;
    if is_newer {
        client.batch_execute(NEWER).await.unwrap();
    }
    let ticket = "INSERT INTO tickets SELECT '50000000-0000-0000-0000-000000000001', f.id, u.id, 'sold' FROM festivals f, users u LIMIT 1";
    client.batch_execute(ticket).await.unwrap();
    let adopt = Cluster::connect(config.clone()).await.unwrap().admin().adopt();
    let plan = adopt.inspect("festivals.id", "festival_id").await.unwrap().to_plan();
    let found = adopt.inspect_with(&answered(&plan)).await.unwrap();
    let mut options = Options::of(&found);
    options.distributes = false;
    let steps = found.steps(&options).unwrap();
    let told: Vec<_> = steps.breaks.iter().map(|one| (one.object.as_str(), one.before.as_str())).collect();
    let newer = ["function hire(s uuid, u uuid)", "procedure rehire(IN s uuid, IN u uuid)", "function sizes()"];
    let expected = [
        ("view stand_sizes", "exchange-keys:stands"),
        ("function crew()", "column:staff"),
        ("function employ(s uuid, u uuid)", "unfill:staff"),
        ("function employ_by_text(s uuid, u uuid)", "unfill:staff"),
        (newer[0], "unfill:staff"),
        ("function invite(t uuid, e text)", "exchange-keys:guests"),
        (newer[1], "unfill:staff"),
        ("procedure seat(IN s uuid, IN t uuid)", "exchange-keys:seats"),
        (newer[2], "exchange-keys:stands"),
    ];
    let expected: Vec<_> = expected.into_iter().filter(|(object, _)| is_newer || !newer.contains(object)).collect();
    assert_eq!(told, expected);
    assert!(steps.to_string().contains("-- BY HAND, before exchange-keys:seats: procedure seat"), "{steps}");
    assert!(steps.breaks.iter().all(|one| steps.step(&one.before).is_some()), "{told:?}");

    let quietly = |_: Event<'_>| {};
    let failing = async |sql: &str| match client.batch_execute(sql).await {
        Ok(()) => "none".to_owned(),
        Err(error) => error.code().map_or_else(|| error.to_string(), |code| code.code().to_owned()),
    };
    adopt.begin(&steps).await.unwrap();
    // What lists its columns, with the column: it is stopped before, and gone past here without a change.
    let stopped = adopt.run().until("column:staff").go(quietly).await.unwrap();
    assert!(
        matches!(&stopped.end, End::Gate { step, what } if step == FUNCTIONS && what.contains("function crew()")),
        "{stopped:?}"
    );
    assert_eq!(failing("SELECT * FROM crew()").await, "none");
    adopt.run().past(FUNCTIONS).until("column:staff").go(quietly).await.unwrap();
    assert_eq!(failing("SELECT * FROM crew()").await, "42804");
    // All others go on until the older keys go.
    let stopped = adopt.run().go(quietly).await.unwrap();
    let End::Gate { step, what } = &stopped.end else { panic!("{stopped:?}") };
    let named = "; change view stand_sizes, function employ(s uuid, u uuid), function employ_by_text(s uuid, u uuid), ";
    assert!(step == APPLICATION && what.contains(named), "{what}");
    let newer = if is_newer { &[HIRE, REHIRE][..] } else { &[] };
    for sql in [EMPLOY, BY_TEXT, SEAT, SEAT, INVITE, INVITE, NOTE, "SELECT * FROM everybody()"].iter().chain(newer) {
        assert_eq!(failing(sql).await, "none", "{sql}");
    }
    let error = adopt.run().past(APPLICATION).go(quietly).await.unwrap_err();
    assert_eq!(error.code().map(|code| code.code()), Some("2BP01"), "the view needs the key: {error}");
    assert!(error.to_string().contains("view stand_sizes depends on constraint stands_pkey"), "{error}");
    let view = "CREATE OR REPLACE VIEW stand_sizes AS SELECT s.id, s.name, count(f.id) FROM stands s LEFT JOIN staff f ON f.stand_id = s.id \
        GROUP BY s.id, s.name";
    client.batch_execute(view).await.unwrap();
    if is_newer {
        let error = adopt.run().past(APPLICATION).go(quietly).await.unwrap_err();
        assert_eq!(error.code().map(|code| code.code()), Some("2BP01"), "so does the function: {error}");
        client.batch_execute("DROP FUNCTION sizes()").await.unwrap();
    }
    adopt.run().past(APPLICATION).go(quietly).await.unwrap();
    for sql in newer {
        assert_eq!(failing(sql).await, "23502", "{sql}");
    }
    for (sql, code) in [
        (EMPLOY, "23502"),
        (BY_TEXT, "23502"),
        (SEAT, "42P10"),
        (INVITE, "42P10"),
        (NOTE, "none"),
        ("SELECT * FROM everybody()", "none"),
    ] {
        assert_eq!(failing(sql).await, code, "{sql}");
    }
}

const VIEWS: &str = "
    CREATE VIEW stand_crews AS SELECT s.id, s.name, count(f.id) FROM stands s LEFT JOIN staff f ON f.stand_id = s.id GROUP BY s.id, s.name;
    CREATE VIEW stand_counts AS SELECT s.id, s.name, (SELECT count(*) FROM staff f WHERE f.stand_id = s.id) FROM stands s;
    CREATE VIEW stand_lists AS SELECT s.id, s.name, string_agg(f.id::text, E'\\n  ' ORDER BY f.id) FROM staff f RIGHT JOIN stands s ON s.id = f.stand_id
        GROUP BY s.id, s.name;
    CREATE VIEW stand_names AS SELECT name FROM stands;
    CREATE VIEW workers AS SELECT f.id, u.email FROM staff f LEFT JOIN users u ON u.id = f.user_id;
    CREATE VIEW sold_by AS SELECT f.name, count(*) FROM festivals f JOIN tickets t ON t.festival_id = f.id GROUP BY f.id, f.name;
";

/// Citus refuses joins that don't go by the key: those views are told, each with its query as Citus takes it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn views_that_citus_refuses_are_told() {
    let Some(cluster) = crate::support::citus::shared("adopt::breaks::views_that_citus_refuses_are_told").await else {
        return;
    };
    let (client, adopt, found) = festivals(Place::Citus(cluster), VIEWS).await;
    let steps = found.steps(&Options::of(&found)).unwrap();
    let told: Vec<&str> = steps.breaks.iter().map(|one| one.object.as_str()).collect();
    assert_eq!(told, ["view stand_counts", "view stand_crews", "view stand_lists"]);
    assert!(steps.breaks.iter().all(|one| steps.step(&one.before).is_some()), "{:?}", steps.breaks);
    let names = ["sold_by", "stand_counts", "stand_crews", "stand_lists", "stand_names", "workers"];
    let rows = |name: &str| format!("SELECT v::text FROM {name} v ORDER BY 1");
    let mut before = Vec::new();
    for name in names {
        let seen = client.query(&rows(name), &[]).await.unwrap();
        before.push(seen.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>());
    }
    adopt.begin(&steps).await.unwrap();
    let stopped = adopt.run().go(|_| {}).await.unwrap();
    let End::Gate { what, .. } = &stopped.end else { panic!("{stopped:?}") };
    assert!(what.contains("; change view stand_counts, view stand_crews, view stand_lists"), "{what}");
    adopt.run().past(APPLICATION).go(|_| {}).await.unwrap();
    for name in names {
        let refused = told.contains(&format!("view {name}").as_str());
        let seen = client.query(&rows(name), &[]).await;
        let told = seen.map_err(|error| error.as_db_error().unwrap().message().to_owned());
        let is_refused = matches!(&told, Err(told) if told.contains("joined on their distribution columns") || told.contains("complex joins"));
        assert_eq!((told.is_err(), is_refused), (refused, refused), "{name}: {told:?}");
    }
    for one in &steps.breaks {
        let name = one.object.trim_start_matches("view ");
        let (_, query) = one.why.split_once("within a tenant it is: ").unwrap();
        client.batch_execute(&format!("CREATE OR REPLACE VIEW {name} AS {query}")).await.unwrap();
    }
    for (name, before) in names.into_iter().zip(before) {
        let seen = client.query(&rows(name), &[]).await.unwrap();
        assert_eq!(seen.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>(), before, "{name}");
    }
}
