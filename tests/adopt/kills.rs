//! A process that goes through an adoption, or takes it back, is killed; and another one goes on.

use std::path::Path;
use std::process::Child;
use std::time::Duration;

use shardwise::admin::adopt::run::{End, Event};
use shardwise::admin::adopt::steps::APPLICATION;
use shardwise::admin::adopt::{Adopt, Inspection, Options};
use shardwise::{Cluster, Config};

use super::run::{assert_same_shape, hurry, quietly, shape, sums};
use super::schemas::{FESTIVALS, answered};
use crate::support::place::{Place, in_both_modes};
use crate::support::stage::session;

in_both_modes![
    @on_two_threads: a_killed_process_is_followed_by_one_that_goes_on, one_that_takes_back_is_killed_as_well
];

/// The festivals with answers for what is asked.
async fn festivals(place: Place) -> (Config, Adopt, Inspection) {
    let config = place.empty().await;
    let client = session(&config).await;
    for statement in FESTIVALS.split(";\n").filter(|statement| !statement.trim().is_empty()) {
        client.batch_execute(statement).await.unwrap();
    }
    let more = "INSERT INTO notes SELECT gen_random_uuid(), id, name FROM stands, generate_series(1, 3000); \
        INSERT INTO tickets SELECT gen_random_uuid(), f.id, u.id, 'sold' FROM festivals f, users u; \
        INSERT INTO scans SELECT id, '2026-06-01' FROM tickets, generate_series(1, 2000)";
    client.batch_execute(more).await.unwrap();
    let adopt = Cluster::connect(config.clone()).await.unwrap().admin().adopt();
    let plan = adopt.inspect("festivals.id", "festival_id").await.unwrap().to_plan();
    let found = adopt.inspect_with(&answered(&plan)).await.unwrap();
    (config, adopt, found)
}

/// Goes through the steps, or back, and waits behind each to be killed; or is killed wherever it is.
#[tokio::test]
async fn child_that_adopts() {
    let Some(told) = crate::child::told() else { return };
    let [way, stops, url] = told.split(' ').collect::<Vec<_>>()[..] else { panic!("{told}") };
    let cluster = Cluster::connect(Config::from_url(url).unwrap()).await.unwrap();
    println!("answer: ready");
    let tell = |event: Event<'_>| {
        if let (Event::Done { step, .. }, "steps") = (event, stops) {
            println!("answer: {}", step.name);
            std::thread::sleep(Duration::from_secs(600));
        }
    };
    let adopt = cluster.admin().adopt();
    let outcome = match way {
        "forth" => adopt.run().past(APPLICATION).pace(hurry()).go(tell).await.unwrap(),
        _ => adopt.undo().go(tell).await.unwrap(),
    };
    println!("answer: {:?}", outcome.end);
    std::thread::sleep(Duration::from_secs(600));
}

fn child(way: &str, config: &Config) -> Child {
    let port = config.contact_points()[0].port;
    let told = format!("{way} postgres://postgres@127.0.0.1:{port}/{}", config.database());
    let mut child = crate::child::start("adopt::kills::child_that_adopts", &told, Path::new("/"), &[]);
    assert_eq!(tokio::task::block_in_place(|| crate::child::answer(&mut child)), "ready");
    child
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Returns the step behind which it was.
fn killed_behind_a_step(way: &str, config: &Config) -> String {
    let mut child = child(way, config);
    let step = tokio::task::block_in_place(|| crate::child::answer(&mut child));
    kill(child);
    step
}

async fn killed_after(way: &str, config: &Config, time: Duration) {
    let child = child(way, config);
    tokio::time::sleep(time).await;
    kill(child);
}

/// So much of it that ten come about to the end, each at another place: behind what it takes to begin.
fn part(whole: Duration, nth: u32) -> Duration {
    Duration::from_millis(50) + whole / 240 * (3 + nth * 7 % 10 * 4)
}

/// What comes out of it is the same as of one that nobody has killed.
async fn a_killed_process_is_followed_by_one_that_goes_on(place: Place) {
    let (config, adopt, found) = festivals(place).await;
    let client = session(&config).await;
    let before = sums(&client, &found).await;
    adopt.begin(&found.steps(&Options::of(&found)).unwrap()).await.unwrap();
    let took = adopt.run().past(APPLICATION).pace(hurry()).go(quietly).await.unwrap().took;
    let after = adopt.inspect("festivals.id", "festival_id").await.unwrap();
    let names = |found: &Inspection| found.catalog.tables.iter().map(|table| table.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&after), names(&found), "what Citus has left is nobody's table");
    let whole = shape(&after);
    assert_eq!(sums(&client, &found).await, before);

    let (config, adopt, found) = festivals(place).await;
    let before = sums(&session(&config).await, &found).await;
    let steps = found.steps(&Options::of(&found)).unwrap();
    adopt.begin(&steps).await.unwrap();
    let mut killed = 0;
    for step in &steps.steps {
        assert_eq!(killed_behind_a_step("forth steps", &config), step.name);
        killed += 1;
    }
    let rest = adopt.run().past(APPLICATION).go(quietly).await.unwrap();
    assert_eq!((rest.end, rest.steps), (End::Finished, Vec::new()));
    assert_same_shape(&adopt.inspect("festivals.id", "festival_id").await.unwrap(), &whole, "behind each step");
    assert_eq!(sums(&session(&config).await, &found).await, before);

    let (config, adopt, found) = festivals(place).await;
    let before = sums(&session(&config).await, &found).await;
    adopt.begin(&found.steps(&Options::of(&found)).unwrap()).await.unwrap();
    let mut at = Vec::new();
    for nth in 0..10 {
        killed_after("forth through", &config, part(took, nth)).await;
        let journal = adopt.journal().await.unwrap().unwrap();
        at.push(journal.next().map_or_else(|| "finished".to_owned(), |entry| entry.name.clone()));
    }
    adopt.run().past(APPLICATION).go(quietly).await.unwrap();
    println!("ADOPT killed behind each of {killed} steps, and at {at:?}");
    assert!(at.iter().any(|at| at != "finished"), "all of them came too late");
    assert_same_shape(&adopt.inspect("festivals.id", "festival_id").await.unwrap(), &whole, "at ten places");
    assert_eq!(sums(&session(&config).await, &found).await, before);
}

/// What comes out of it is what was there before.
async fn one_that_takes_back_is_killed_as_well(place: Place) {
    let (config, adopt, found) = festivals(place).await;
    let before = sums(&session(&config).await, &found).await;
    let steps = found.steps(&Options::of(&found)).unwrap();
    let last = match steps.point_of_no_return() {
        Some(step) => steps.steps.iter().position(|one| one.name == step.name).unwrap(),
        None => steps.steps.len(),
    };
    let names: Vec<&str> = steps.steps[..last].iter().map(|step| step.name.as_str()).collect();
    let last = names[last - 1];
    for is_at_random in [false, true] {
        adopt.begin(&steps).await.unwrap();
        let took = adopt.run().past(APPLICATION).until(last).pace(hurry()).go(quietly).await.unwrap().took;
        let mut at = Vec::new();
        if is_at_random {
            for nth in 0..10 {
                // It may have come to its end.
                if adopt.journal().await.unwrap().is_none() {
                    break;
                }
                killed_after("back through", &config, part(took, nth)).await;
                let journal = adopt.journal().await.unwrap();
                let next = journal.and_then(|journal| journal.next().map(|entry| entry.name.clone()));
                at.push(next.unwrap_or_else(|| "at the end".to_owned()));
            }
            println!("ADOPT taken back, killed at {at:?}");
            assert!(at.iter().any(|at| at != "at the end"), "all of them came too late");
        } else {
            for name in names.iter().rev() {
                assert_eq!(killed_behind_a_step("back steps", &config), *name);
            }
            println!("ADOPT taken back, killed behind each of {} steps", names.len());
        }
        if adopt.journal().await.unwrap().is_some() {
            assert_eq!(adopt.undo().go(quietly).await.unwrap().end, End::TakenBack);
        }
        let again = adopt.inspect("festivals.id", "festival_id").await.unwrap();
        assert_same_shape(&again, &shape(&found), if is_at_random { "at ten places" } else { "behind each step" });
        assert_eq!(sums(&session(&config).await, &found).await, before);
    }
}
