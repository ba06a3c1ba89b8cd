//! What holds for all commands.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Command;

use super::program::{Program, Ran};
use crate::support::place::{Place, on_one_thread};

#[test]
fn a_mistyped_word_ends_with_2_and_names_the_fix() {
    let program = Program::alone();
    assert!(program.message(&["plcement", "nodes"], 2).contains("placement"));
    assert!(program.message(&["tune", "--ram", "64GB"], 2).contains("--cpus"));
    assert!(program.message(&["tune", "--ram", "64", "--cpus", "4"], 2).contains("64GB"));
    let ran = program.on_a_terminal(&["plcement"], "");
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stdout.contains("a similar subcommand exists") && ran.stdout.contains("placement"), "{ran:?}");
    let ran = program.run(&["--output", "table", "plcement"]);
    assert!(ran.code == 2 && ran.stderr.starts_with("error: unrecognized subcommand"), "{ran:?}");
}

#[test]
fn help_and_the_version_go_to_standard_output_and_tell_the_exit_codes() {
    let program = Program::alone();
    let ran = program.run(&["--help"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    for code in ["  0  all is well", "  3  differences", "  4  it would change data", "130  it was interrupted"] {
        assert!(ran.stdout.contains(code), "{code}: {ran:?}");
    }
    assert_eq!(program.run(&["--version"]).stdout, format!("shardwise {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn what_needs_entities_says_so() {
    let program = Program::alone();
    for arguments in [&["schema", "plan"][..], &["partitions", "list"], &["placement", "audit"]] {
        let message = program.message(arguments, 2);
        assert!(message.contains("needs the entities") && message.contains("shardwise::cli::run(schema)"), "{message}");
    }
}

#[test]
fn a_bad_configuration_ends_with_6_and_a_lost_server_with_5() {
    let program = Program::alone();
    let missing = program.message(&["--config", "nowhere.toml", "placement", "nodes"], 6);
    assert!(missing.contains("nowhere.toml"), "{missing}");
    std::fs::write(program.folder.path().join("odd.toml"), "[default]\ndatabse = 'x'\n").unwrap();
    let unknown = program.message(&["--config", "odd.toml", "placement", "nodes"], 6);
    assert!(unknown.contains("databse") && unknown.contains("database"), "{unknown}");
    // Port 1 is nobody's.
    let config =
        "[default]\ncontact_points = ['127.0.0.1:1']\ndatabase = 'x'\nuser = 'x'\n[slow]\ntimeouts.connect = '1s'\n";
    std::fs::write(program.folder.path().join("lost.toml"), config).unwrap();
    let lost = program.refusal(&["--config", "lost.toml", "--profile", "slow", "placement", "nodes"], 5);
    assert_eq!(lost["kind"], "connect", "{lost}");
    let profile = program.message(&["--config", "lost.toml", "--profile", "other", "placement", "nodes"], 6);
    assert!(profile.contains("no profile `other`"), "{profile}");
}

#[test]
fn a_reader_who_has_had_enough_is_no_failure() {
    let program = Program::alone();
    for arguments in [&["tune", "--ram", "64GB", "--cpus", "16"][..], &["completions", "bash"], &["man"], &["--help"]] {
        let mut child = program.start(arguments);
        // Before anything is written.
        drop(child.stdout.take());
        let ran = Ran::of(child.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{arguments:?}");
    }
}

#[test]
fn what_is_a_file_stays_one_in_a_pipe() {
    let program = Program::alone();
    let machine =
        ["tune", "--ram", "64GB", "--cpus", "16", "--disk", "nvme", "--connections", "1000", "--workload", "oltp"];
    let file = program.run(&machine).stdout;
    assert!(file.contains("\nshared_buffers = "), "{file}");
    assert_eq!(program.on_a_terminal(&machine, "").stdout, file);
    let json = program.json(&[&machine[..], &["--output", "json"]].concat(), 0);
    let settings = json["settings"].as_array().unwrap();
    assert!(settings.iter().any(|setting| setting["name"] == "shared_buffers"), "{json}");
    let worker = program.run(&["tune", "--ram", "64GB", "--cpus", "16", "--role", "worker", "--workers", "4"]);
    assert!(worker.stdout.contains("shared_preload_libraries = 'citus'"), "{worker:?}");
    let impossible = program.message(&["tune", "--ram", "1GB", "--cpus", "1", "--connections", "90000"], 2);
    assert!(impossible.contains("connections"), "{impossible}");
    assert!(program.message(&["tune", "--ram", "1GB", "--cpus", "1", "--workers", "2"], 2).contains("--role"));
}

#[test]
fn shells_take_the_completions_and_man_takes_the_page() {
    let program = Program::alone();
    let script = program.folder.path().join("completions.bash");
    std::fs::write(&script, program.run(&["completions", "bash"]).stdout).unwrap();
    let completed = format!(
        "source {} && COMP_WORDS=(shardwise pla) COMP_CWORD=1 && _shardwise shardwise pla shardwise && echo \"${{COMPREPLY[@]}}\"",
        script.display()
    );
    let ran = Ran::of(Command::new("bash").args(["-c", &completed]).output().unwrap());
    assert_eq!((ran.code, ran.stdout.trim()), (0, "placement"), "{ran:?}");
    let page = program.run(&["man"]).stdout;
    assert!(page.contains(".SH SYNOPSIS") && page.contains("Exit codes"), "{page}");
    assert_eq!(program.run(&["man", "--folder", "pages"]).code, 0);
    assert!(program.folder.path().join("pages/shardwise-placement-relocate.1").exists());
}

#[test]
fn a_command_that_goes_on_ends_well_when_it_is_interrupted() {
    on_one_thread(async {
        let config = Place::Single.empty().await;
        for (signal, code, word) in [("INT", 130, "interrupted"), ("TERM", 143, "SIGTERM")] {
            let mut child = Program::alone().on(&config).start(&["placement", "nodes", "--watch", "50ms"]);
            let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
            for _ in 0..2 {
                let line: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
                assert_eq!(line[0]["node"]["role"], "single", "{line}");
            }
            let kill = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
            assert!(kill.success());
            let mut error = String::new();
            child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
            assert_eq!(child.wait().unwrap().code(), Some(code), "{error}");
            assert!(error.contains(word), "{error}");
        }
        // And when nobody reads any more.
        let mut child = Program::alone().on(&config).start(&["placement", "nodes", "--watch", "20ms"]);
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().code(), Some(0));
    });
}

#[test]
fn no_color_is_honoured() {
    let ran = Program::alone().on_a_terminal(&["placement", "nodes"], "");
    assert!(ran.code == 6 && ran.stdout.contains("\u{1b}["), "{ran:?}");
    let ran = Program::alone().with("NO_COLOR", "1").on_a_terminal(&["placement", "nodes"], "");
    assert!(ran.code == 6 && !ran.stdout.contains('\u{1b}'), "{ran:?}");
    let ran = Program::alone().run(&["--help"]);
    assert!(!ran.stdout.contains('\u{1b}'), "a pipe has no colours: {ran:?}");
}
