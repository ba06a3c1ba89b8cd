//! Sockets to a server.

use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::AsyncRead;
use tokio::net::{TcpStream, UnixStream};

use crate::config::Endpoint;
use crate::error::{Error, ErrorKind, Result};

/// How long a connection may be silent towards us before it counts as broken, about.
const SILENCE: Duration = Duration::from_secs(10);

pub(super) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// A new one.
pub(super) async fn open(Endpoint { host, port }: &Endpoint) -> Result<Socket> {
    let unreachable = |error: std::io::Error| {
        Error::new(ErrorKind::Connect, "no connection: is the node up, and the address right?").caused_by(error)
    };
    if host.starts_with('/') {
        let path = format!("{host}/.s.PGSQL.{port}");
        return UnixStream::connect(path).await.map(Socket::Unix).map_err(unreachable);
    }
    let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(unreachable)?;
    // Statements are small and latency counts.
    stream.set_nodelay(true).map_err(unreachable)?;
    notice_silence(&stream).map_err(unreachable)?;
    Ok(Socket::Tcp(stream))
}

/// A peer that vanishes without a word is noticed: while nothing is under way by probes, else by what it does not confirm.
fn notice_silence(stream: &TcpStream) -> std::io::Result<()> {
    let socket = SockRef::from(stream);
    let probes = TcpKeepalive::new().with_time(SILENCE).with_interval(SILENCE / 4).with_retries(4);
    socket.set_tcp_keepalive(&probes)?;
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    socket.set_tcp_user_timeout(Some(SILENCE))?;
    Ok(())
}

/// A second handle of the same socket: the first one is consumed by the driver.
pub(super) fn twin(stream: TcpStream) -> std::io::Result<(TcpStream, TcpStream)> {
    let stream = stream.into_std()?;
    let other = stream.try_clone()?;
    Ok((TcpStream::from_std(stream)?, TcpStream::from_std(other)?))
}

/// Reads until the server closes. An error ends it as well: then it is closed too.
pub(super) async fn end_of(stream: &mut (impl AsyncRead + Unpin)) {
    use tokio::io::AsyncReadExt as _;
    let mut rest = [0; 64];
    while matches!(stream.read(&mut rest).await, Ok(1..)) {}
}
