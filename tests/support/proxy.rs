//! A TCP proxy on the loopback: counts who comes through and how often they wait for an answer, can be cut, and can fall
//! silent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub struct Proxy {
    pub port: u16,
    accepted: Arc<AtomicUsize>,
    round_trips: Arc<AtomicUsize>,
    open: Arc<AtomicBool>,
    silent: Arc<AtomicBool>,
    cut: watch::Sender<u32>,
}

impl Proxy {
    /// In front of this port of the loopback.
    pub async fn to(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (accepted, open) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(true)));
        let (silent, round_trips) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let trips = round_trips.clone();
        let cut = watch::Sender::new(0);
        let (count, is_open, is_silent, cuts) = (accepted.clone(), open.clone(), silent.clone(), cut.clone());
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                if !is_open.load(Ordering::SeqCst) {
                    continue; // closed at once
                }
                let mut cut = cuts.subscribe();
                if is_silent.load(Ordering::SeqCst) {
                    tokio::spawn(async move {
                        drop(cut.changed().await);
                        drop(near);
                    });
                    continue;
                }
                let trips = trips.clone();
                tokio::spawn(async move {
                    let Ok(mut far) = TcpStream::connect(("127.0.0.1", target)).await else { return };
                    near.set_nodelay(true).unwrap();
                    far.set_nodelay(true).unwrap();
                    let ((from_near, to_near), (from_far, to_far)) = (near.split(), far.split());
                    // Whether the server spoke last.
                    let answered = AtomicBool::new(true);
                    let there = pass_on(from_near, to_far, || {
                        if answered.swap(false, Ordering::SeqCst) {
                            trips.fetch_add(1, Ordering::SeqCst);
                        }
                    });
                    let back = pass_on(from_far, to_near, || answered.store(true, Ordering::SeqCst));
                    tokio::select! {
                        () = there => {}
                        () = back => {}
                        _ = cut.changed() => {}
                    }
                });
            }
        });
        Self { port, accepted, round_trips, open, silent, cut }
    }

    /// How many connections were tried.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// How often a client spoke after the server had, over all connections.
    pub fn round_trips(&self) -> usize {
        self.round_trips.load(Ordering::SeqCst)
    }

    /// Breaks all connections and lets no new one through.
    pub fn close(&self) {
        self.open.store(false, Ordering::SeqCst);
        self.cut.send_modify(|cuts| *cuts += 1);
    }

    /// Takes new connections and never says a word.
    pub fn fall_silent(&self) {
        self.silent.store(true, Ordering::SeqCst);
    }

    /// Lets connections through again.
    pub fn open(&self) {
        self.open.store(true, Ordering::SeqCst);
    }
}

async fn pass_on(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, mut passes: impl FnMut()) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        passes();
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
