//! A TCP proxy on the loopback: counts who comes through and how often they wait for an answer, and has all the faults of a
//! network. It can break connections, at any time or at one place of the protocol; swallow what it is given, in one direction
//! or in both; delay it; and leave one end of a connection alone without a word.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use shardwise::Config;
use shardwise::config::{Endpoint, NodeOverride};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::protocol::{Message, Reader};

pub struct Proxy {
    pub port: u16,
    state: Arc<State>,
}

/// At which moment of a message's way a connection is reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The server never gets it.
    Before,
    /// The server has it. Nobody hears of an answer.
    Sent,
    /// The server has answered, and so has done it.
    Answered,
    /// The client has half of the answer.
    HalfAnswered,
}

impl Moment {
    pub const ALL: [Self; 4] = [Self::Before, Self::Sent, Self::Answered, Self::HalfAnswered];
}

/// One end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Client,
    Server,
}

/// What goes through to nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hole {
    None,
    ToServer,
    ToClient,
    Both,
}

/// What became of all connections at once.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Closed,
    /// This end is not told that the other one is gone.
    LeftAlone(End),
}

struct State {
    target: AtomicU16,
    accepted: AtomicUsize,
    round_trips: AtomicUsize,
    open: AtomicBool,
    silent: AtomicBool,
    fate: watch::Sender<Fate>,
    hole: watch::Sender<Hole>,
    /// Up to so many milliseconds, for each piece in each direction.
    jitter: AtomicU64,
    delayed: AtomicUsize,
    cut: Mutex<Option<(Message, Moment)>>,
    resets: AtomicUsize,
}

impl Proxy {
    /// In front of this port of the loopback.
    pub async fn to(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            target: AtomicU16::new(target),
            accepted: AtomicUsize::new(0),
            round_trips: AtomicUsize::new(0),
            open: AtomicBool::new(true),
            silent: AtomicBool::new(false),
            fate: watch::Sender::new(Fate::Closed),
            hole: watch::Sender::new(Hole::None),
            jitter: AtomicU64::new(0),
            delayed: AtomicUsize::new(0),
            cut: Mutex::new(None),
            resets: AtomicUsize::new(0),
        });
        tokio::spawn(accept(listener, state.clone()));
        Self { port, state }
    }

    /// One in front of each of these nodes, by the node's port, and a configuration that goes through them.
    pub async fn before_all(nodes: Vec<Endpoint>, mut config: Config) -> (Config, BTreeMap<u16, Self>) {
        let mut proxies = BTreeMap::new();
        for known in nodes {
            let proxy = Self::to(known.port).await;
            config =
                config.with_node(known.clone(), NodeOverride { port: Some(proxy.port), ..NodeOverride::default() });
            proxies.insert(known.port, proxy);
        }
        (config, proxies)
    }

    /// Leads to this port from now on. What is open is closed.
    pub fn lead_to(&self, target: u16) {
        self.close();
        self.state.target.store(target, Ordering::SeqCst);
        self.open();
    }

    /// How many connections were tried.
    pub fn accepted(&self) -> usize {
        self.state.accepted.load(Ordering::SeqCst)
    }

    /// How often a client spoke after the server had, over all connections.
    pub fn round_trips(&self) -> usize {
        self.state.round_trips.load(Ordering::SeqCst)
    }

    /// Breaks all connections and lets no new one through.
    pub fn close(&self) {
        self.state.open.store(false, Ordering::SeqCst);
        self.state.fate.send_replace(Fate::Closed);
    }

    /// Takes new connections and never says a word.
    pub fn fall_silent(&self) {
        self.state.silent.store(true, Ordering::SeqCst);
    }

    /// Lets connections through again.
    pub fn open(&self) {
        self.state.open.store(true, Ordering::SeqCst);
    }

    /// Resets the next connection on which this message comes by, in that moment of its way.
    pub fn reset_at(&self, message: Message, moment: Moment) {
        *self.state.cut.lock().unwrap() = Some((message, moment));
    }

    /// How many connections were reset so.
    pub fn resets(&self) -> usize {
        self.state.resets.load(Ordering::SeqCst)
    }

    /// Closes one end of all connections. The other end hears nothing any more, until it goes or [`close`](Self::close) is
    /// called. New connections go through.
    pub fn leave_alone(&self, end: End) {
        self.state.fate.send_replace(Fate::LeftAlone(end));
    }

    /// Keeps what goes in these directions, also on new connections, until the hole is another one.
    pub fn swallow(&self, hole: Hole) {
        self.state.hole.send_replace(hole);
    }

    /// Delays each piece by a random time up to this; zero for none.
    pub fn delay_up_to(&self, limit: Duration) {
        self.state.jitter.store(limit.as_millis().try_into().unwrap(), Ordering::SeqCst);
    }

    /// How many pieces were delayed.
    pub fn delayed(&self) -> usize {
        self.state.delayed.load(Ordering::SeqCst)
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    while let Ok((mut near, _)) = listener.accept().await {
        state.accepted.fetch_add(1, Ordering::SeqCst);
        if !state.open.load(Ordering::SeqCst) {
            continue; // closed at once
        }
        let (state, mut fate) = (state.clone(), state.fate.subscribe());
        tokio::spawn(async move {
            if state.silent.load(Ordering::SeqCst) {
                drop(fate.changed().await);
                return;
            }
            let Ok(mut far) = TcpStream::connect(("127.0.0.1", state.target.load(Ordering::SeqCst))).await else {
                return;
            };
            near.set_nodelay(true).unwrap();
            far.set_nodelay(true).unwrap();
            let ended = relay(&mut near, &mut far, &state, &mut fate).await;
            match ended {
                Ended::ByItself | Ended::With(Fate::Closed) => {}
                Ended::Reset => {
                    state.resets.fetch_add(1, Ordering::SeqCst);
                    // An error means that it is gone already.
                    let _ = (near.set_zero_linger(), far.set_zero_linger());
                }
                Ended::With(Fate::LeftAlone(End::Client)) => {
                    drop(far);
                    left_alone(near, fate).await;
                }
                Ended::With(Fate::LeftAlone(End::Server)) => {
                    drop(near);
                    left_alone(far, fate).await;
                }
            }
        });
    }
}

/// How a connection came to its end.
enum Ended {
    ByItself,
    Reset,
    With(Fate),
}

/// What the two directions of a connection know of each other.
struct Both {
    /// Whether the server spoke last.
    answered: AtomicBool,
    /// The answer that is to be the last one.
    awaited: Mutex<Option<(Message, Moment)>>,
    opaque: AtomicBool,
}

async fn relay(near: &mut TcpStream, far: &mut TcpStream, state: &State, fate: &mut watch::Receiver<Fate>) -> Ended {
    let ((from_near, to_near), (from_far, to_far)) = (near.split(), far.split());
    let both = Both { answered: AtomicBool::new(true), awaited: Mutex::new(None), opaque: AtomicBool::new(false) };
    let ended = tokio::select! {
        ended = to_server(from_near, to_far, state, &both) => ended,
        ended = to_client(from_far, to_near, state, &both) => ended,
        _ = fate.changed() => Ended::With(*fate.borrow_and_update()),
    };
    let awaited = both.awaited.into_inner().unwrap();
    if let Some(cut) = awaited.filter(|_| !matches!(ended, Ended::Reset)) {
        // It went before its answer came: the reset is for another one.
        state.cut.lock().unwrap().get_or_insert(cut);
    }
    ended
}

async fn to_server(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, state: &State, both: &Both) -> Ended {
    let (mut buffer, mut reader) = (vec![0; 64 * 1024], Reader::of_client());
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if both.answered.swap(false, Ordering::SeqCst) {
            state.round_trips.fetch_add(1, Ordering::SeqCst);
        }
        state.hold_up(Hole::ToServer).await;
        let (mut passes, mut is_cut) = (Vec::new(), false);
        for (message, bytes) in reader.read(&buffer[..read]) {
            match state.strikes(message) {
                Some(Moment::Before) => is_cut = true,
                Some(Moment::Sent) => {
                    passes.extend(bytes);
                    is_cut = true;
                }
                Some(moment @ (Moment::Answered | Moment::HalfAnswered)) => {
                    *both.awaited.lock().unwrap() = Some((message, moment));
                    passes.extend(bytes);
                }
                None => passes.extend(bytes),
            }
            if is_cut {
                break;
            }
        }
        if reader.is_opaque() {
            both.opaque.store(true, Ordering::SeqCst);
        }
        if let Some(ended) = pass_on(&mut to, &passes, is_cut).await {
            return ended;
        }
    }
    Ended::ByItself
}

async fn to_client(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, state: &State, both: &Both) -> Ended {
    let (mut buffer, mut reader) = (vec![0; 64 * 1024], Reader::of_server());
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        both.answered.store(true, Ordering::SeqCst);
        state.hold_up(Hole::ToClient).await;
        if both.opaque.load(Ordering::SeqCst) {
            reader.give_up();
        }
        let (mut passes, mut is_cut) = (Vec::new(), false);
        for (_, bytes) in reader.read(&buffer[..read]) {
            let awaited = *both.awaited.lock().unwrap();
            let Some((_, moment)) = awaited.filter(|(message, _)| message.is_answered_by(&bytes)) else {
                passes.extend(bytes);
                continue;
            };
            if moment == Moment::HalfAnswered {
                passes.extend_from_slice(&bytes[..bytes.len() / 2]);
            }
            is_cut = true;
            break;
        }
        if let Some(ended) = pass_on(&mut to, &passes, is_cut).await {
            return ended;
        }
    }
    Ended::ByItself
}

/// Passes on what may pass, and tells how it has ended, if it has.
async fn pass_on(to: &mut WriteHalf<'_>, passes: &[u8], is_cut: bool) -> Option<Ended> {
    match (to.write_all(passes).await, is_cut) {
        (_, true) => Some(Ended::Reset),
        (Err(_), false) => Some(Ended::ByItself),
        (Ok(()), false) => None,
    }
}

/// Takes what this end says and tells it nothing.
async fn left_alone(mut end: TcpStream, mut fate: watch::Receiver<Fate>) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        tokio::select! {
            read = end.read(&mut buffer) => if !matches!(read, Ok(1..)) { return },
            _ = fate.changed() => if matches!(*fate.borrow_and_update(), Fate::Closed) { return },
        }
    }
}

impl State {
    /// The moment in which the connection is to be reset, if it is by this message. Once.
    fn strikes(&self, message: Message) -> Option<Moment> {
        let mut cut = self.cut.lock().unwrap();
        let struck = cut.take_if(|(at, _)| *at == message);
        struck.map(|(_, moment)| moment)
    }

    async fn hold_up(&self, direction: Hole) {
        let jitter = self.jitter.load(Ordering::SeqCst);
        if jitter > 0 {
            self.delayed.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(rand::random_range(0..=jitter))).await;
        }
        let passes = |hole: &Hole| *hole != direction && *hole != Hole::Both;
        // An error means that the proxy is gone.
        drop(self.hole.subscribe().wait_for(passes).await);
    }
}
