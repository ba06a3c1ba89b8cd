//! Clocks that are wrong: that of this process, and one of two servers'. Setting the machine's would be felt by all that runs on it: see
//! `faults/clock.rs`.

use std::path::Path;

use shardwise::doctor::Subject;
use shardwise::health::Verdict;
use shardwise::{Config, local};

use super::{examine, fine, found, worst};
use crate::child;
use crate::faults::clock::{OFFSET, with_a_clock};

#[tokio::test]
async fn child_with_a_clock_of_its_own() {
    let Some(url) = child::told() else { return };
    let config = Config::from_url(&url).unwrap();
    fine(&examine(&config).await, Subject::Clock);
    let set = |offset: &str| std::fs::write(std::env::var_os(OFFSET).unwrap(), offset).unwrap();
    set("3600");
    let wrong = examine(&config).await;
    found(&wrong, Subject::Clock, Verdict::Critical, "behind");
    set("-5");
    found(&examine(&config).await, Subject::Clock, Verdict::Warning, "it is 5.0 s ahead");
    set("0");
    fine(&examine(&config).await, Subject::Clock);

    // One server with this clock, and the one with the machine's.
    let ours = local::single().setting("work_mem", "5MB").start().await.unwrap();
    let both = [&config, &ours.config()].map(|config| config.contact_points()[0].clone());
    let both = config.clone().with_contact_points(both).unwrap();
    fine(&examine(&both).await, Subject::Clock);
    set("30");
    let apart = examine(&both).await;
    let between = apart.findings().iter().find(|it| it.subject == Subject::Clock && it.node.is_none()).unwrap();
    assert_eq!(between.verdict, Verdict::Warning, "{apart}");
    println!("answer: {}", between.seen);
    assert_eq!(worst(&apart, Subject::Clock), Verdict::Warning);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_that_are_wrong_are_told() {
    let server = local::single().setting("log_min_messages", "fatal").start().await.unwrap();
    let answer = tokio::task::block_in_place(|| {
        with_a_clock("clocks_that_are_wrong_are_told", |environment| {
            let mut child = child::start(
                "doctor::clocks::child_with_a_clock_of_its_own",
                &server.url(),
                Path::new("/"),
                environment,
            );
            let answer = child::answer(&mut child);
            assert!(child.wait().unwrap().success());
            answer
        })
    });
    if let Some(answer) = answer {
        println!("DOCTOR clocks: {answer}");
        assert!(answer.contains("30.0 s ahead of"), "{answer}");
    }
}
