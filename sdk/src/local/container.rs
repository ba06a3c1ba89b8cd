//! Servers in containers, where only Docker has PostgreSQL with Citus.
//!
//! The same shell supervises them, inside the container. It is spoken to through two connections instead of two pipes, and
//! ends in the same way when this process does; the container removes itself after that. The network is the host's: so the
//! servers have the same addresses for each other and for us.

use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::time::Duration;

use testcontainers::bollard::Docker;
use testcontainers::runners::AsyncRunner as _;
use testcontainers::{ContainerAsync, GenericImage, ImageExt as _};
use tokio::net::TcpListener;

use super::failed;
use super::supervisor::{SCRIPT, Supervisor};
use crate::error::{Error, Result};

const USUAL_IMAGE: &str = "citusdata/citus:13";
const WRAPPER: &str = include_str!("container.sh");

/// How long Docker may take to answer that it is there.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often we look whether a container that says nothing still runs.
const LOOK: Duration = Duration::from_millis(500);
/// For parallel queries; Docker's own 64 MiB are too little.
const SHARED_MEMORY: u64 = 1 << 30;

/// Whether Docker can be used.
pub(super) async fn docker_answers() -> bool {
    let Ok(docker) = Docker::connect_with_defaults() else { return false };
    matches!(tokio::time::timeout(PATIENCE, docker.ping()).await, Ok(Ok(_)))
}

/// Starts a container that makes its data with this command and runs this server when it is told to.
pub(super) async fn start(folder: &str, prepare: &[String], server: &[String]) -> Result<Supervisor> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(unheard)?;
    let port = listener.local_addr().map_err(unheard)?.port().to_string();
    let count = prepare.len().to_string();
    let arguments = ["-c", WRAPPER, "shardwise-container", &port, folder, &count].map(str::to_owned);
    let image = std::env::var("SHARDWISE_CITUS_IMAGE").unwrap_or_else(|_| USUAL_IMAGE.to_owned());
    let (name, tag) = split(&image);
    let container = GenericImage::new(name, tag)
        .with_entrypoint("bash")
        .with_cmd(arguments.iter().chain(prepare).chain(server))
        .with_env_var("SUPERVISOR", SCRIPT)
        .with_network("host")
        .with_user("postgres")
        .with_shm_size(SHARED_MEMORY)
        .with_host_config_modifier(|host| host.auto_remove = Some(true))
        .start()
        .await
        .map_err(|error| failed(format!("no container of the image {image} starts")).caused_by(error))?;
    let (commands, answers) =
        (connection(&listener, &container, &image).await?, connection(&listener, &container, &image).await?);
    // Its own way to end needs a runtime, which whoever drops a server may not have, and a process that is not killed. Ours
    // doesn't.
    std::mem::forget(container);
    Ok(Supervisor::spoken_to(commands, answers, || {}))
}

/// The next connection that the container makes to us.
async fn connection(listener: &TcpListener, container: &ContainerAsync<GenericImage>, image: &str) -> Result<OwnedFd> {
    loop {
        if let Ok(accepted) = tokio::time::timeout(LOOK, listener.accept()).await {
            let (stream, _) = accepted.map_err(unheard)?;
            let stream = stream.into_std().map_err(unheard)?;
            stream.set_nonblocking(false).map_err(unheard)?;
            return Ok(stream.into());
        }
        if !container.is_running().await.unwrap_or(false) {
            return Err(failed(format!(
                "a container of the image {image} ended at once: has it bash, a user `postgres`, and PostgreSQL with Citus?"
            )));
        }
    }
}

fn unheard(error: std::io::Error) -> Error {
    failed("a container can't tell us anything: is the loopback up?").caused_by(error)
}

/// The name and the tag of an image; a port of its registry is no tag.
fn split(image: &str) -> (&str, &str) {
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (image, "latest"),
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn an_image_has_a_name_and_a_tag() {
        assert_eq!(split("citusdata/citus:13"), ("citusdata/citus", "13"));
        assert_eq!(split("localhost:5000/citus"), ("localhost:5000/citus", "latest"));
        assert_eq!(split("localhost:5000/citus:13"), ("localhost:5000/citus", "13"));
    }
}
