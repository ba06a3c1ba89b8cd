//! What fuzzing found worth keeping, through the same functions, without the fuzzer.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::print_stdout)]

include!("derives.rs");
mod attributes;
mod checker;
mod config;

use std::path::Path;

/// Each file of a target's corpus.
fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut count = 0;
    for file in folder.read_dir().unwrap() {
        let path = file.unwrap().path();
        let data = std::fs::read(&path).unwrap();
        // So that a failure tells which.
        println!("{}", path.display());
        run(&data);
        count += 1;
    }
    assert!(count >= 50, "the corpus of {target} has {count} files");
}

#[test]
fn checker_replays() {
    replay("checker", checker::run);
}

#[test]
fn config_replays() {
    replay("config", config::run);
}

#[test]
fn attributes_replay() {
    replay("attributes", attributes::run);
}
