//! A PgBouncer in session mode, with its file of settings. It ends with us.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use shardwise::Config;
use shardwise::config::Endpoint;
use tempfile::TempDir;
use tokio::net::TcpStream;

/// A running PgBouncer.
pub struct PgBouncer {
    /// How to connect through it.
    pub config: Config,
    shell: Child,
    folder: TempDir,
}

impl PgBouncer {
    /// In front of this server, with as many connections to it as clients may have.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub async fn start(server: &Config) -> Result<Self> {
        let at = server.contact_points().first().context("the server has no address")?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let folder = TempDir::new()?;
        // Root's PgBouncer gives up being root, and still has to read these.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
        fs::write(folder.path().join("users"), format!("\"{}\" \"\"\n", server.user()))?;
        let settings = folder.path().join("pgbouncer.ini");
        fs::write(&settings, ini(at, port, folder.path()))?;
        let shell = launch(&settings, folder.path())?;
        let config = server.clone().with_contact_points([Endpoint { host: "127.0.0.1".to_owned(), port }])?;
        let bouncer = Self { config, shell, folder };
        bouncer.answers(port).await?;
        Ok(bouncer)
    }

    async fn answers(&self, port: u16) -> Result<()> {
        const POLL: Duration = Duration::from_millis(20);
        const POLLS: usize = 500;
        for _ in 0..POLLS {
            if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
        bail!("PgBouncer does not answer: {}", fs::read_to_string(self.folder.path().join("log"))?)
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        // The shell sees the end of its input, and ends PgBouncer.
        drop(self.shell.stdin.take());
        drop(self.shell.wait());
    }
}

fn ini(server: &Endpoint, port: u16, folder: &Path) -> String {
    let Endpoint { host, port: of_server } = server;
    let folder = folder.display();
    format!(
        "[databases]\n\
         * = host={host} port={of_server}\n\
         [pgbouncer]\n\
         listen_addr = 127.0.0.1\n\
         listen_port = {port}\n\
         unix_socket_dir =\n\
         auth_type = trust\n\
         auth_file = {folder}/users\n\
         pool_mode = session\n\
         default_pool_size = 100\n\
         max_client_conn = 200\n\
         ; What clients set when they log in, and PgBouncer knows nothing of.\n\
         ignore_startup_parameters = extra_float_digits,options\n\
         log_connections = 0\n\
         log_disconnections = 0\n\
         stats_period = 3600\n"
    )
}

/// Starts it by a shell that waits for the end of its input, which comes when we end, in whatever way.
fn launch(settings: &Path, folder: &Path) -> Result<Child> {
    const SCRIPT: &str = r#"PATH="$PATH:/usr/sbin"
as_user=""
if [ "$(id -u)" -eq 0 ]; then as_user="--user=nobody"; fi
pgbouncer $as_user "$1" 2>"$2" &
bouncer=$!
read -r _
kill "$bouncer"
wait "$bouncer""#;
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(SCRIPT).arg("sh").arg(settings).arg(folder.join("log"));
    shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(shell.spawn()?)
}
