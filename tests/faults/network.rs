//! Networks that fail: connections that are reset at every place of the protocol, packets that go nowhere or come late, and
//! ends that are not told that the other one is gone.

use std::time::Duration;

use tokio::time::Instant;

use super::ledger::Found;
use super::stage::{Stage, UnderLoad, on_own_servers};
use super::writers::Pace;
use crate::citus::stage::until;
use crate::support::protocol::Message;
use crate::support::proxy::{End, Hole, Moment, Proxy};

on_own_servers![PLAIN:
    connections_are_reset_at_every_place_of_the_protocol,
    a_black_hole_opens,
    packets_come_up_to_200_ms_late,
    sockets_are_half_open,
];

/// Longer than a statement may take.
const OUTAGE: Duration = Duration::from_millis(2_500);

/// Has one connection to the owner reset at this place, and returns how often it was met.
pub async fn reset(stage: &Stage, load: &UnderLoad, message: Message, moment: Moment) -> usize {
    let proxy = stage.proxy_of(stage.servers.owner());
    let before = proxy.resets();
    proxy.reset_at(message, moment);
    let mut looks = 0_u32;
    until(async || {
        // Only who has no connection, or a new one, logs in and prepares; and that takes its time on a busy machine.
        if looks.is_multiple_of(400) && matches!(message, Message::LogIn | Message::Parse) {
            proxy.close();
            proxy.open();
        }
        looks += 1;
        proxy.resets() > before
    })
    .await;
    load.writers.until_more(3).await;
    proxy.resets() - before
}

pub async fn black_hole(stage: &Stage, load: &UnderLoad, hole: Hole) -> Instant {
    let before = load.writers.errors_like("Timeout");
    stage.proxies().for_each(|proxy| proxy.swallow(hole));
    tokio::time::sleep(OUTAGE).await;
    load.writers.until(|| load.writers.errors_like("Timeout") > before).await;
    stage.proxies().for_each(|proxy| proxy.swallow(Hole::None));
    Instant::now()
}

pub async fn jitter(stage: &Stage, load: &UnderLoad) -> Instant {
    let delayed = || stage.proxies().map(Proxy::delayed).sum::<usize>();
    let before = delayed();
    stage.proxies().for_each(|proxy| proxy.delay_up_to(Duration::from_millis(200)));
    load.writers.until_more(60).await;
    stage.proxies().for_each(|proxy| proxy.delay_up_to(Duration::ZERO));
    assert!(delayed() > before + 100, "hardly anything was late");
    Instant::now()
}

/// Leaves this end of all connections alone. A session that is left keeps its locks, until the server hears of it.
pub async fn half_open(stage: &Stage, load: &UnderLoad, end: End) -> Instant {
    let before = load.writers.errors();
    let proxy = stage.proxy_of(stage.servers.owner());
    // Who was between two writes, or is done again from its start, has no error to tell: then it is somebody else's turn.
    for _ in 0..20 {
        proxy.leave_alone(end);
        tokio::time::sleep(OUTAGE).await;
        if load.writers.errors() > before {
            break;
        }
    }
    assert!(load.writers.errors() > before, "nobody was left alone");
    if end == End::Server {
        proxy.close();
        proxy.open();
    }
    Instant::now()
}

async fn connections_are_reset_at_every_place_of_the_protocol(stage: Stage) {
    let strike = async |load: &UnderLoad| {
        for message in Message::ALL {
            for moment in Moment::ALL {
                assert_eq!(reset(&stage, load, message, moment).await, 1, "{message:?} {moment:?}");
            }
        }
        // What decides between done and not done is met more than once, by each way to write.
        for moment in Moment::ALL.into_iter().cycle().take(40) {
            reset(&stage, load, Message::Commit, moment).await;
            reset(&stage, load, Message::Execute, moment).await;
        }
        Instant::now()
    };
    let figures = stage.strike("resets at every place of the protocol", Pace::default(), strike).await;
    let Found { unknown, unknown_but_there, .. } = figures.found;
    assert!(unknown > 10, "nobody was in doubt: {figures}");
    assert!((1..unknown).contains(&unknown_but_there), "doubts that have one answer are none: {figures}");
}

async fn a_black_hole_opens(stage: Stage) {
    let mut found = Found::default();
    for hole in [Hole::Both, Hole::ToClient, Hole::ToServer] {
        let strike = async |load: &UnderLoad| black_hole(&stage, load, hole).await;
        found += &stage.strike(&format!("black hole {hole:?}"), Pace::default(), strike).await.found;
    }
    assert!(found.unknown > 0, "nobody was in doubt: {found:?}");
}

async fn packets_come_up_to_200_ms_late(stage: Stage) {
    let strike = async |load: &UnderLoad| jitter(&stage, load).await;
    stage.strike("200 ms jitter", Pace::default(), strike).await;
}

async fn sockets_are_half_open(stage: Stage) {
    for end in [End::Client, End::Server] {
        let strike = async |load: &UnderLoad| half_open(&stage, load, end).await;
        let figures = stage.strike(&format!("half-open, {end:?} left"), Pace::default(), strike).await;
        assert!(!figures.errors.is_empty());
    }
}
