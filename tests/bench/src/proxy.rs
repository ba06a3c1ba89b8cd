//! An ocean between two regions: a TCP proxy on the loopback that hands on each byte a while after it came.

use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// Takes connections for a port of the loopback, and delays what goes through, each way by so much. It is there as long as the
/// process. Returns its own port.
///
/// # Errors
/// When no port is free.
pub async fn ocean(target: u16, each_way: Duration) -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            tokio::spawn(connect(near, target, each_way));
        }
    });
    Ok(port)
}

async fn connect(near: TcpStream, target: u16, each_way: Duration) -> Result<()> {
    let far = TcpStream::connect(("127.0.0.1", target)).await?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
    tokio::spawn(hand_on(from_near, to_far, each_way));
    tokio::spawn(hand_on(from_far, to_near, each_way));
    Ok(())
}

/// Reads on while what came before is still under way: it is a long line, and not a narrow one.
async fn hand_on(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: Duration) {
    let (under_way, mut arriving) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let arrivals = tokio::spawn(async move {
        while let Some((at, bytes)) = arriving.recv().await {
            sleep_until(at).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
        // The end arrives last, as it should.
        drop(to.shutdown().await);
    });
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        if under_way.send((Instant::now() + delay, bytes[..read].to_vec())).is_err() {
            break;
        }
    }
    drop(under_way);
    drop(arrivals.await);
}
