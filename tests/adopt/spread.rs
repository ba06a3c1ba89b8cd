//! What is met on the way to the nodes, between the first table that is distributed and the last foreign key.

use shardwise::admin::adopt::run::{End, Event};
use shardwise::admin::adopt::steps::APPLICATION;
use shardwise::admin::adopt::{Adopt, Inspection, Options};
use shardwise::{Cluster, ErrorKind};
use tokio_postgres::Client;

use super::schemas::{FESTIVALS, answered};
use crate::support::place::{Place, on_citus};
use crate::support::stage::session;

on_citus![@on_two_threads: types_are_on_the_nodes_before_the_tables, rows_that_lost_what_they_point_at_are_told];

fn quietly(_: Event<'_>) {}

async fn festivals(place: Place) -> (Client, Adopt, Inspection) {
    let config = place.empty().await;
    let client = session(&config).await;
    // As of a database that was there before Citus: what is made with it goes to the nodes at once.
    client.batch_execute("SET citus.enable_ddl_propagation TO off").await.unwrap();
    client.batch_execute(FESTIVALS).await.unwrap();
    client.batch_execute("RESET citus.enable_ddl_propagation").await.unwrap();
    let more = "INSERT INTO tickets SELECT gen_random_uuid(), f.id, u.id, 'sold' FROM festivals f, users u";
    client.batch_execute(more).await.unwrap();
    let adopt = Cluster::connect(config).await.unwrap().admin().adopt();
    let plan = adopt.inspect("festivals.id", "festival_id").await.unwrap().to_plan();
    let found = adopt.inspect_with(&answered(&plan)).await.unwrap();
    (client, adopt, found)
}

/// A statement that reads a table that is distributed and one that is not yet.
async fn types_are_on_the_nodes_before_the_tables(place: Place) {
    let both = "SELECT f.name, t.state FROM festivals f JOIN tickets t ON t.festival_id = f.id";
    for is_known in [false, true] {
        let (client, adopt, found) = festivals(place).await;
        let mut steps = found.steps(&Options::of(&found)).unwrap();
        assert!(steps.step("types").is_some());
        steps.steps.retain(|step| is_known || step.name != "types");
        adopt.begin(&steps).await.unwrap();
        adopt.run().past(APPLICATION).until("distribute:festivals").go(quietly).await.unwrap();
        let read = client.query(both, &[]).await;
        if is_known {
            assert_eq!(read.unwrap().len(), 8);
            adopt.run().go(quietly).await.unwrap();
            assert_eq!(client.query(both, &[]).await.unwrap().len(), 8);
            let left = "SELECT to_regclass('shardwise.adoption_types') IS NULL";
            assert!(client.query_one(left, &[]).await.unwrap().get::<_, bool>(0));
        } else {
            let error = read.unwrap_err();
            assert!(
                error.as_db_error().unwrap().message().contains("type \"public.ticket_state\" does not exist"),
                "{error:?}"
            );
        }
    }
}

/// Nothing holds rows while tables go one by one.
async fn rows_that_lost_what_they_point_at_are_told(place: Place) {
    let (client, adopt, found) = festivals(place).await;
    let steps = found.steps(&Options::of(&found)).unwrap();
    let first = steps.steps.iter().find(|step| step.name.starts_with("tighten:")).unwrap();
    let at = steps.steps.iter().position(|step| step.name == first.name).unwrap();
    adopt.begin(&steps).await.unwrap();
    adopt.run().past(APPLICATION).until(steps.steps[at - 1].name.as_str()).go(quietly).await.unwrap();
    client.batch_execute("DELETE FROM stands WHERE id = '20000000-0000-0000-0000-000000000002'").await.unwrap();
    let mut told = Vec::new();
    let outcome = loop {
        let error = match adopt.run().go(quietly).await {
            Ok(outcome) => break outcome,
            Err(error) => error,
        };
        assert_eq!(error.kind(), ErrorKind::Schema, "{error}");
        // As the message says.
        let text = error.to_string();
        let (what, orphans) =
            text.split_once(", which went while there was no foreign key: see `SELECT * FROM ").unwrap();
        let (orphans, _) = orphans.split_once('`').unwrap();
        assert_eq!(client.query(&format!("SELECT * FROM {orphans}"), &[]).await.unwrap().len(), 1);
        client.batch_execute(&format!("DELETE FROM {orphans}")).await.unwrap();
        told.push(what.rsplit(": ").next().unwrap().to_owned());
    };
    assert_eq!(outcome.end, End::Finished);
    assert_eq!(
        told,
        [
            "1 rows of shifts point by shifts_stand_id_fkey at no row of stands",
            "1 rows of staff point by staff_stand_id_fkey at no row of stands"
        ]
    );
}
