//! Programs that a test starts itself, as the user of the servers. They end with the test, however that ends.

use std::fs::Permissions;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use shardwise::local::Server;
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

/// A folder of the servers' user, and the programs of PostgreSQL.
pub struct Workshop {
    binaries: PathBuf,
    owner: (u32, u32),
    folder: TempDir,
}

impl Workshop {
    /// With the programs of this server, and its user.
    pub async fn beside(server: &Server) -> Self {
        let client = connect(server).await;
        let ask = "SELECT current_setting('data_directory'), (SELECT setting FROM pg_config WHERE name = 'BINDIR')";
        let row = client.query_one(ask, &[]).await.unwrap();
        let (data, binaries): (String, String) = (row.get(0), row.get(1));
        let of_data = std::fs::metadata(data).unwrap();
        let (folder, owner) = (tempfile::tempdir().unwrap(), (of_data.uid(), of_data.gid()));
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let workshop = Self { binaries: binaries.into(), owner, folder };
        workshop.give(workshop.folder.path());
        workshop
    }

    /// Where a file of this name is, or could be.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file that only the servers' user can read.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        self.give(&path);
        path
    }

    fn give(&self, path: &Path) {
        if std::fs::metadata(path).unwrap().uid() != self.owner.0 {
            chown(path, Some(self.owner.0), Some(self.owner.1)).unwrap();
        }
    }

    /// A program of PostgreSQL, or one that is in the path.
    fn program(&self, name: &str) -> PathBuf {
        let found =
            [self.binaries.as_path(), Path::new("/usr/sbin"), Path::new("/usr/bin"), Path::new("/usr/local/sbin")];
        let found = found.map(|folder| folder.join(name)).into_iter().find(|path| path.is_file());
        found.unwrap_or_else(|| panic!("{name} is not installed"))
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/").env("HOME", self.folder.path());
        if self.owner.0 != std::fs::metadata("/proc/self").unwrap().uid() {
            command.uid(self.owner.0).gid(self.owner.1);
        }
        command
    }

    /// Runs a program to its end.
    pub fn run(&self, command: &[String]) -> Output {
        self.command(&self.program(&command[0])).args(&command[1..]).output().unwrap()
    }

    /// The same, where it has to go well.
    pub fn succeed(&self, command: &[String]) -> String {
        let Output { status, stdout, stderr } = self.run(command);
        assert!(status.success(), "{command:?}: {}", String::from_utf8_lossy(&stderr));
        String::from_utf8(stdout).unwrap()
    }

    /// Starts one that goes on. A shell ends it when the pipe closes that only this process holds.
    pub fn start(&self, name: &str, command: &[String]) -> Running {
        const SHELL: &str = "log=$1; shift; \"$@\" </dev/null >>\"$log\" 2>&1 & read -r word; kill -QUIT $! 2>/dev/null; \
                             kill -TERM $! 2>/dev/null; wait";
        let log = self.path(name);
        let mut shell = self.command(Path::new("/bin/sh"));
        shell.args(["-c", SHELL, "test"]).arg(&log).arg(self.program(&command[0])).args(&command[1..]);
        Running { shell: shell.stdin(Stdio::piped()).spawn().unwrap(), log }
    }
}

/// A program that runs.
pub struct Running {
    shell: Child,
    log: PathBuf,
}

impl Running {
    /// What it has written.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut pipe) = self.shell.stdin.take() {
            let _ended_already = pipe.write_all(b"end\n");
        }
        self.shell.wait().unwrap();
    }
}

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// A session on a server without TLS, with its password; a standby has one as well.
pub async fn connect(server: &Server) -> Client {
    session(&server.url()).await.unwrap()
}

pub async fn session(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}
