//! What must not compile, and what the compiler then says: one case per mistake in `ui/<kind of mistake>/`, each with the
//! whole message that its author reads. Statements in SQL are many to a file, a function each: the compiler takes a second
//! per file. `ui/pass/` holds what must compile and run, however unusual it looks.
//!
//! The wording is the compiler's, and changes between its versions: the messages in the tree are those of [`COMPILER`].
//! With another version they are skipped aloud. `TRYBUILD=overwrite` writes them anew; read the difference as the user who
//! made the mistake.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stderr)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The compiler whose words the messages are.
const COMPILER: &str = "rustc 1.95.";
const PASS: &str = "pass";

#[test]
fn mistakes_are_explained() {
    let cases = trybuild::TestCases::new();
    cases.pass(format!("ui/{PASS}/*.rs"));
    if !is_the_compiler() {
        eprintln!("SKIPPED: the messages of the mistakes are those of {COMPILER}x, this is another version");
        return;
    }
    for folder in mistakes() {
        cases.compile_fail(folder.join("*.rs"));
    }
}

/// A case without a message would only be written down, and pass.
#[test]
fn every_mistake_has_its_message() {
    let files = mistakes().into_iter().flat_map(|folder| entries(&folder));
    let (cases, messages): (Vec<_>, Vec<_>) = files.partition(|file| file.extension().unwrap() == "rs");
    let silent: Vec<_> = cases.iter().filter(|case| !messages.contains(&case.with_extension("stderr"))).collect();
    let orphans: Vec<_> = messages.iter().filter(|message| !cases.contains(&message.with_extension("rs"))).collect();
    assert!(silent.is_empty(), "these lack their message: {silent:?}");
    assert!(orphans.is_empty(), "these belong to no case: {orphans:?}");
    assert!(cases.len() > 100, "{} cases", cases.len());
}

fn is_the_compiler() -> bool {
    let version = Command::new(env::var_os("RUSTC").unwrap_or("rustc".into())).arg("--version").output();
    String::from_utf8(version.unwrap().stdout).unwrap().starts_with(COMPILER)
}

/// The folders of `ui/`, each a kind of mistake.
fn mistakes() -> Vec<PathBuf> {
    entries(Path::new("ui")).into_iter().filter(|folder| folder.is_dir() && !folder.ends_with(PASS)).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
