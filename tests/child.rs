//! Runs one test of this binary in a process of its own, with an environment and a folder of its own.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Tells a test that it is the child. The value is for the test.
pub const MARK: &str = "TEST_CHILD";

/// What the parent told the child; `None` in the parent.
pub fn told() -> Option<String> {
    std::env::var(MARK).ok()
}

/// Starts the test with this full name as a child.
pub fn start(test: &str, told: &str, folder: &Path, environment: &[(&str, &str)]) -> Child {
    start_inside(&["env"], test, told, folder, environment)
}

/// The same by a program that runs what its last arguments say.
pub fn start_inside(way: &[&str], test: &str, told: &str, folder: &Path, environment: &[(&str, &str)]) -> Child {
    let mut command = Command::new(way[0]);
    command.args(&way[1..]).arg(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).current_dir(folder);
    // The image is where the servers come from, like PGBIN, and no setting.
    let is_setting = |name: &str| name.starts_with("SHARDWISE_") && name != "SHARDWISE_CITUS_IMAGE";
    for (name, _) in std::env::vars().filter(|(name, _)| is_setting(name)) {
        command.env_remove(name);
    }
    command.env(MARK, told).envs(environment.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap()
}

/// The next line of the child that begins with `answer: `.
pub fn answer(child: &mut Child) -> String {
    answers(child, 1).remove(0)
}

/// The next lines of this kind, which must come from one call: what was read ahead is lost.
pub fn answers(child: &mut Child, count: usize) -> Vec<String> {
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    let answers = lines.map_while(Result::ok).filter_map(|line| Some(line.split_once("answer: ")?.1.to_owned()));
    let answers: Vec<String> = answers.take(count).collect();
    assert_eq!(answers.len(), count, "the child says too little: {answers:?}");
    answers
}
