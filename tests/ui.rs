//! What must not compile, with the message that its author gets; and what must, however odd.
//!
//! The messages are those of [`COMPILER`]. Other versions word some of them in another way, and there the cases are
//! skipped aloud. `TRYBUILD=overwrite` writes new messages; read them as the author of the mistake.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// The version of rustc whose words the `.stderr` files hold.
const COMPILER: &str = "rustc 1.95.";

#[test]
fn compile_errors() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui/pass/*.rs");
    if is_the_compiler() {
        cases.compile_fail("ui/[!p]*/*.rs");
        cases.compile_fail("ui/partitions/*.rs");
    } else {
        eprintln!("SKIPPED: the messages of the compile errors are those of {COMPILER}x, this is another version");
    }
}

/// A case without its message would be written anew at every run, and pass.
#[test]
fn every_mistake_has_its_message() {
    let cases = files(Path::new("ui"), "rs");
    let (passing, failing): (Vec<_>, Vec<_>) = cases.into_iter().partition(|case| case.starts_with("ui/pass"));
    assert!(passing.len() >= 5 && failing.len() >= 25, "{} pass, {} fail", passing.len(), failing.len());
    let without: Vec<_> = failing.iter().filter(|case| !case.with_extension("stderr").exists()).collect();
    assert!(without.is_empty(), "no .stderr next to {without:?}");
    let orphans: Vec<_> =
        files(Path::new("ui"), "stderr").into_iter().filter(|file| !file.with_extension("rs").exists()).collect();
    assert!(orphans.is_empty(), "no .rs next to {orphans:?}");
}

fn is_the_compiler() -> bool {
    let version = Command::new(std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned())).arg("--version").output();
    String::from_utf8(version.unwrap().stdout).unwrap().starts_with(COMPILER)
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|own| own == extension) {
            found.push(path);
        }
    }
    found
}
