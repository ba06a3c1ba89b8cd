//! Runs the commands as a shell does: the real program, in a folder and an environment of its own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use serde_json::Value;
use shardwise::{Config, Mode};
use tempfile::TempDir;

use crate::support::secrets;

/// A program, and the cluster that it is configured for.
pub struct Program {
    path: &'static str,
    environment: Vec<(&'static str, String)>,
    /// Where it runs; files of a command go there.
    pub folder: TempDir,
}

/// What a command has come to.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Program {
    /// `shardwise`, with no configuration.
    pub fn alone() -> Self {
        Self::at(env!("CARGO_BIN_EXE_cli-without-entities"))
    }

    /// The program of a service with the example's entities, with no configuration.
    pub fn with_entities() -> Self {
        Self::at(env!("CARGO_BIN_EXE_cli-with-entities"))
    }

    /// The program of a service whose entities' rows are cached.
    pub fn with_cache() -> Self {
        Self::at(env!("CARGO_BIN_EXE_cli-with-cache"))
    }

    fn at(path: &'static str) -> Self {
        Self { path, environment: Vec::new(), folder: tempfile::tempdir().unwrap() }
    }

    /// With this variable.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// Configured for this database by variables.
    pub fn on(self, config: &Config) -> Self {
        let points: Vec<_> = config.contact_points().iter().map(ToString::to_string).collect();
        let mode = match config.mode() {
            Mode::Single => "single",
            Mode::Citus => "citus",
            Mode::Auto => "auto",
        };
        // No server of the tests asks for it: it is there to be looked for in what is printed.
        self.with("SHARDWISE_PASSWORD", secrets::PASSWORD)
            .with("SHARDWISE_CONTACT_POINTS", points.join(","))
            .with("SHARDWISE_DATABASE", config.database())
            .with("SHARDWISE_USER", config.user())
            .with("SHARDWISE_MODE", mode)
    }

    /// The command, with pipes in place of a terminal.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.path);
        command.args(arguments);
        self.surround(&mut command);
        command
    }

    fn surround(&self, command: &mut Command) {
        let is_setting = |name: &str| name.starts_with("SHARDWISE_") || name.starts_with("PG") || name == "NO_COLOR";
        for (name, _) in std::env::vars().filter(|(name, _)| is_setting(name)) {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().map(|(name, value)| (*name, value))).current_dir(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    }

    /// Runs a command in a pipe.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    /// Runs a command that has to end with this code, and returns its one JSON document.
    pub fn json(&self, arguments: &[&str], code: i32) -> Value {
        let ran = self.run(arguments);
        assert_eq!(ran.code, code, "{arguments:?}: {ran:?}");
        assert_eq!(ran.stdout.lines().count(), 1, "{arguments:?}: {ran:?}");
        serde_json::from_str(&ran.stdout).unwrap()
    }

    /// Runs a command that has to fail with this code, and returns its error.
    pub fn refusal(&self, arguments: &[&str], code: i32) -> Value {
        let ran = self.run(arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{arguments:?}: {ran:?}");
        let error: Value = serde_json::from_str(&ran.stderr).unwrap_or_else(|_| panic!("{arguments:?}: {ran:?}"));
        assert_eq!(error["error"]["exit_code"], code, "{error}");
        error["error"].clone()
    }

    /// The message of the same.
    pub fn message(&self, arguments: &[&str], code: i32) -> String {
        self.refusal(arguments, code)["message"].as_str().unwrap().to_owned()
    }

    /// Runs a command on a terminal of 100 columns, with what is typed there. Both outputs come as one.
    pub fn on_a_terminal(&self, arguments: &[&str], typed: &str) -> Ran {
        let words = std::iter::once(self.path).chain(arguments.iter().copied());
        let quoted: Vec<_> = words.map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect();
        let mut command = Command::new("script");
        command.args(["--quiet", "--return", "--echo", "never", "--command"]);
        command.arg(format!("stty cols 100 rows 40; exec {}", quoted.join(" "))).arg("/dev/null");
        self.surround(&mut command);
        let mut child = command.env("TERM", "xterm").stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.as_mut().unwrap().write_all(typed.as_bytes()).unwrap();
        let mut ran = Ran::of(child.wait_with_output().unwrap());
        ran.stdout = ran.stdout.replace("\r\n", "\n");
        ran
    }

    /// Runs a command that goes on, and interrupts it when it has told so many lines.
    pub fn interrupted_after(&self, arguments: &[&str], lines: usize) -> Ran {
        const PATIENCE: Duration = Duration::from_secs(60);
        let mut child = self.start(arguments);
        let (told, pipe) = (Arc::new(Mutex::new(String::new())), child.stdout.take().unwrap());
        let (done, is_done) = mpsc::channel();
        let telling = told.clone();
        std::thread::spawn(move || {
            let mut first = BufReader::new(pipe);
            for _ in 0..lines {
                let mut line = String::new();
                first.read_line(&mut line).unwrap();
                *telling.lock().unwrap() += &line;
            }
            // With the pipe, which is open until then.
            drop(done.send(first));
        });
        let in_time = is_done.recv_timeout(PATIENCE);
        assert!(Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap().success());
        let stdout = told.lock().unwrap().clone();
        assert!(in_time.is_ok(), "{arguments:?} has told no more than {stdout:?}");
        let ran = Ran::of(child.wait_with_output().unwrap());
        Ran { stdout, ..ran }
    }

    /// Starts a command that goes on.
    pub fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }
}

impl Ran {
    pub fn of(Output { status, stdout, stderr }: Output) -> Self {
        use std::os::unix::process::ExitStatusExt as _;
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let code = status.code().unwrap_or_else(|| -status.signal().unwrap());
        let ran = Self { code, stdout: text(stdout), stderr: text(stderr) };
        assert!(!format!("{ran:?}").contains(secrets::PASSWORD), "the password is printed");
        ran
    }
}
