//! Servers and clients at their limits: no connection left, sessions ended as fast as they come, transactions that sit idle, and
//! ten times the load.

use std::time::Duration;

use tokio::time::Instant;

use super::stage::{CONNECTIONS, Stage, UnderLoad, WRITERS, on_own_servers};
use super::writers::Pace;
use crate::support::direct::connect;

on_own_servers![PLAIN: sessions_are_ended_as_fast_as_they_come, transactions_sit_idle_for_too_long, the_load_is_tenfold];

const END_THE_CLIENTS: &str =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'faults'";

/// Ends all sessions of the client's: it connects anew.
pub async fn end_sessions(stage: &Stage) {
    for server in stage.servers.primaries() {
        stage.session(server).await.query(END_THE_CLIENTS, &[]).await.unwrap();
    }
}

/// Ends all sessions of the client's, and those by which nodes speak to each other, again and again for so long.
pub async fn terminate(stage: &Stage, load: &UnderLoad, time: Duration) -> Instant {
    const END: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'faults' OR \
                       starts_with(application_name, 'citus_internal')";
    let (end, before, mut ended) = (Instant::now() + time, load.writers.errors(), 0);
    let mut sessions = Vec::new();
    for server in stage.servers.primaries() {
        sessions.push(stage.session(server).await);
    }
    while Instant::now() < end {
        for session in &sessions {
            ended += session.query(END, &[]).await.unwrap().len();
        }
        tokio::time::sleep(Duration::from_millis(rand::random_range(0..20))).await;
    }
    assert!(ended > 20 && load.writers.errors() > before, "{ended} were ended, and nobody noticed");
    Instant::now()
}

/// Takes every connection of the owner's that is to be had, for so long.
pub async fn take_all_connections(stage: &Stage, load: &UnderLoad, time: Duration) -> Instant {
    let (owner, database) = (stage.servers.owner(), stage.straight.database());
    let (mut taken, refused) = (vec![stage.session(owner).await], || load.writers.errors_like("53300"));
    let (end, before) = (Instant::now() + time, refused());
    while Instant::now() < end || refused() == before {
        match connect(owner, database).await {
            Ok(session) => taken.push(session),
            // All are taken. Those of the client's are now made to need new ones.
            Err(error) if error.code().is_some_and(|code| code.code() == "53300") => {
                taken[0].query(END_THE_CLIENTS, &[]).await.unwrap();
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    Instant::now()
}

/// Ten times the load for so long. The servers see no more connections by that.
pub async fn overload(stage: &Stage, load: &UnderLoad, time: Duration) -> Instant {
    // Beside the pools' there are those that ask each server how it is.
    let (primaries, all) = (stage.servers.primaries().len(), stage.servers.all().len());
    let most = i64::from(CONNECTIONS) * i64::try_from(primaries).unwrap() + 2 * i64::try_from(all).unwrap();
    let watch = async {
        loop {
            let open = stage.sessions().await.open;
            assert!(open <= most, "{open} connections, where {most} are allowed");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let before = load.writers.acknowledged();
    tokio::select! {
        () = load.writers.more(9 * WRITERS, time) => {}
        never = watch => never,
    }
    assert!(load.writers.acknowledged() > before, "nobody was served");
    Instant::now()
}

async fn sessions_are_ended_as_fast_as_they_come(stage: Stage) {
    let strike = async |load: &UnderLoad| terminate(&stage, load, Duration::from_secs(3)).await;
    stage.strike("storm of pg_terminate_backend", Pace::default(), strike).await;
}

/// Longer than the servers let a transaction sit idle.
pub const IDLING: Pace = Pace { between: Duration::from_millis(1), within: Duration::from_millis(150) };

/// Whoever connects from now on may let a transaction sit idle for so many milliseconds; 0 for ever.
pub async fn limit_idling(stage: &Stage, milliseconds: u32) {
    let database = stage.straight.database();
    let limit = format!("ALTER DATABASE {database} SET idle_in_transaction_session_timeout = {milliseconds}");
    stage.on_all(&limit).await;
}

/// Waits until transactions that idle were ended, and allows it again.
pub async fn idle(stage: &Stage, load: &UnderLoad) -> Instant {
    let before = load.writers.errors();
    load.writers.until(|| load.writers.errors() > before + 50).await;
    limit_idling(stage, 0).await;
    Instant::now()
}

async fn transactions_sit_idle_for_too_long(stage: Stage) {
    limit_idling(&stage, 50).await;
    let strike = async |load: &UnderLoad| idle(&stage, load).await;
    let figures = stage.strike("idle in transaction", IDLING, strike).await;
    assert_eq!(figures.found.unknown, 0, "what was never committed is not there: {figures}");
}

async fn the_load_is_tenfold(stage: Stage) {
    let strike = async |load: &UnderLoad| overload(&stage, load, Duration::from_secs(10)).await;
    let figures = stage.strike("ten times the load", Pace::default(), strike).await;
    assert!(figures.errors.contains_key("Overloaded"), "that is no overload: {figures}");
}

async fn all_connections_are_taken(stage: Stage) {
    let stage = stage.without_proxies();
    let strike = async |load: &UnderLoad| take_all_connections(&stage, load, Duration::from_secs(2)).await;
    stage.strike("max_connections", Pace::default(), strike).await;
}

mod few_connections {
    use super::all_connections_are_taken;
    use crate::faults::stage::on_own_servers;

    on_own_servers![SMALL: all_connections_are_taken];
}
