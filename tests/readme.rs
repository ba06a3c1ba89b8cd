//! The README's first page, as a reader would paste it: a new crate outside the workspace, compiled and run.

use std::fs;
use std::path::Path;
use std::process::Command;

const README: &str = include_str!("../README.md");

/// The first code block in this language.
fn block(language: &str) -> &'static str {
    let (_, rest) = README.split_once(&format!("\n```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

#[test]
fn the_first_page_compiles_and_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let sdk = root.join("sdk").display().to_string();
    let dependencies = block("toml").replace("../shardwise/sdk", &sdk);
    assert!(dependencies.contains(&sdk), "{dependencies}");
    let package = "[package]\nname = \"first-page\"\nedition = \"2024\"\n[workspace]\n";
    fs::write(folder.path().join("Cargo.toml"), format!("{package}{dependencies}")).unwrap();
    // The versions that are downloaded already.
    fs::copy(root.join("Cargo.lock"), folder.path().join("Cargo.lock")).unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    fs::write(folder.path().join("src/main.rs"), block("rust")).unwrap();

    // Into the folder of our own build, where most of it lies compiled already. The test binary is in its `deps`.
    let own = std::env::current_exe().unwrap();
    let target = own.ancestors().nth(3).unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--offline", "--target-dir"])
        .arg(target)
        .current_dir(folder.path())
        .output()
        .unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stderr}");
    assert!(!stderr.contains("warning"), "{stderr}");
    assert!(stdout.contains("balance: 7500") && stdout.ends_with("2 wallets at open-air hold 10500\n"), "{stdout}");
}
