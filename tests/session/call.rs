//! What holds for each call of a handle: its deadline, whether it may be run twice, and how many tries the servers are asked to
//! bear.

use std::time::{Duration, Instant};

use shardwise::{Advice, Cluster, Error, ErrorKind, Limit, Tenant, Transaction, Uuid};

use crate::support::activity::{end_an_active, idle};
use crate::support::model::{Label, Wallet};
use crate::support::place::{Place, in_both_modes};
use crate::support::{pooler, unchecked};

in_both_modes![@on_two_threads:
    a_deadline_ends_what_is_under_way,
    after_its_deadline_a_handle_sends_nothing,
    an_idempotent_statement_is_run_again_when_its_answer_is_lost,
    tries_of_what_was_sent_are_bounded_by_a_budget,
    errors_say_what_to_do,
];

fn soon(tenant: &Tenant) -> Tenant {
    tenant.clone().with_deadline(Instant::now() + Duration::from_millis(300))
}

async fn a_deadline_ends_what_is_under_way(place: Place) {
    let name = format!("deadline_{}", Uuid::new_v4().simple());
    let (cluster, fest) = place.named_tenant(&name).await;
    let sleep = || unchecked("SELECT pg_sleep(600)");
    let began = Instant::now();
    let error = soon(&fest).execute(sleep()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(Limit::Deadline), "{error}");

    let brief = soon(&fest);
    let outcome = brief.transaction(async |tx: Transaction| {
        tx.insert(&Wallet::new(*fest.key(), 1)).await?;
        tx.execute(sleep()).await
    });
    let error = outcome.await.unwrap_err();
    // Whose limit it was that ended it, the statement's or the transaction's, is a matter of microseconds.
    assert!(matches!(error.kind(), ErrorKind::Timeout(_)) && !error.is_outcome_unknown(), "{error}");
    assert_eq!(error.advice(), Advice::RestartTransaction);

    let sleep = sleep();
    let error = soon(&fest).pipeline().execute(&sleep).commit().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Timeout(_)), "{error}");
    assert!(began.elapsed() < Duration::from_secs(60), "it does not end by itself for ten minutes");
    // Nothing goes on at the server.
    if !pooler::is_there("nothing is cancelled through it") {
        idle(&cluster, &name).await;
    }
    assert_eq!(fest.count::<Wallet>().await.unwrap(), 0);
}

async fn after_its_deadline_a_handle_sends_nothing(place: Place) {
    let (cluster, fest) = place.tenant().await;
    let late = fest.clone().with_deadline(Instant::now());
    let before = cluster.metrics().routes;
    let wallet = Wallet::new(*fest.key(), 1);
    let errors: [Error; 5] = [
        late.insert(&wallet).await.unwrap_err(),
        late.get::<Wallet>(wallet.id).await.unwrap_err(),
        late.transaction(async |tx: Transaction| tx.insert(&wallet).await).await.unwrap_err(),
        late.pipeline().insert(&wallet).commit().await.unwrap_err(),
        late.copy_in::<Wallet>().await.map(drop).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Timeout(Limit::Deadline), "{error}");
        assert!(!error.is_outcome_unknown(), "{error}");
    }
    assert_eq!(cluster.metrics().routes, before);

    // What was begun in time is not stored after it, and certainly so.
    let brief = soon(&fest);
    let mut copy = brief.copy_in::<Wallet>().await.unwrap();
    copy.send(&wallet).await.unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    let errors = [
        copy.finish().await.unwrap_err(),
        soon(&fest)
            .transaction(async |tx: Transaction| {
                tx.insert(&wallet).await?;
                // No statement of it takes long.
                tokio::task::block_in_place(|| std::thread::sleep(Duration::from_millis(400)));
                Ok::<_, Error>(())
            })
            .await
            .unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Timeout(Limit::Deadline), "{error}");
        assert!(!error.is_outcome_unknown(), "{error}");
    }
    assert_eq!(fest.count::<Wallet>().await.unwrap(), 0);
}

async fn an_idempotent_statement_is_run_again_when_its_answer_is_lost(place: Place) {
    let config = place.prepared().await;
    let cluster = Cluster::connect(config.clone()).await.unwrap();
    let fest = cluster.tenant(Uuid::new_v4()).await.unwrap();
    let killer = Cluster::connect(config).await.unwrap();
    let idempotent = fest.clone().idempotent();
    assert_eq!(ended_once(&killer, &idempotent, "first").await.unwrap(), 1);
    assert_eq!(cluster.metrics().retries, 1);

    // The handle that it was made from is as before.
    let error = ended_once(&killer, &fest, "second").await.unwrap_err();
    assert!(error.is_outcome_unknown() || error.code().is_some_and(|code| code.code() == "57P01"), "{error:?}");
    assert_eq!(cluster.metrics().retries, 1);
}

/// Inserts a label, and ends the session that does: the same row in another's open transaction keeps it from being done before.
async fn ended_once(killer: &Cluster, fest: &Tenant, name: &'static str) -> Result<u64, Error> {
    let (is_there, mut seen) = tokio::sync::watch::channel(false);
    let holder = killer.tenant(name.to_owned()).await.unwrap();
    let held = holder.transaction(async |tx: Transaction<String>| {
        tx.insert(&Label { tenant: name.to_owned(), name: "more".to_owned() }).await?;
        is_there.send_replace(true);
        end_an_active(killer).await;
        // So that it is rolled back.
        Err::<(), _>(tx.get::<Label>("no such label".to_owned()).await.unwrap_err())
    });
    let inserted = async {
        seen.wait_for(|is_there| *is_there).await.unwrap();
        fest.execute(unchecked("INSERT INTO labels SELECT :name::text, 'more'").bind("name", name)).await
    };
    let (held, inserted) = tokio::join!(held, inserted);
    assert!(held.unwrap_err().is_not_found());
    inserted
}

async fn tries_of_what_was_sent_are_bounded_by_a_budget(place: Place) {
    if pooler::is_there("it hides that a server's session has ended") {
        return;
    }
    let (cluster, fest) = place.tenant().await;
    let fest = fest.idempotent();
    for _ in 0..130 {
        fest.execute(unchecked("SELECT pg_terminate_backend(pg_backend_pid())")).await.unwrap_err();
    }
    let metrics = cluster.metrics();
    assert_eq!((metrics.retries, metrics.retries_denied), (100, 30));
    // What goes well earns new ones.
    for _ in 0..20 {
        fest.count::<Wallet>().await.unwrap();
    }
    fest.execute(unchecked("SELECT pg_terminate_backend(pg_backend_pid())")).await.unwrap_err();
    let metrics = cluster.metrics();
    assert_eq!((metrics.retries, metrics.retries_denied), (101, 30));
}

async fn errors_say_what_to_do(place: Place) {
    let (_, fest) = place.tenant().await;
    let wallet = Wallet::new(*fest.key(), 1);
    fest.insert(&wallet).await.unwrap();
    let error = fest.insert(&wallet).await.unwrap_err();
    assert_eq!(error.advice(), Advice::Stop);
    assert!(error.to_string().ends_with(']'), "{error}");

    let end = "SELECT pg_terminate_backend(pg_backend_pid())";
    let error = fest.execute(unchecked(end)).await.unwrap_err();
    assert!(matches!(error.advice(), Advice::Rerun | Advice::OutcomeUnknown), "{error}");
    assert!(error.to_string().ends_with(&format!("; {}", error.advice())), "{error}");

    let error = fest
        .transaction(async |tx: Transaction| {
            tx.count::<Wallet>().await?;
            tx.execute(unchecked(end)).await
        })
        .await
        .unwrap_err();
    assert_eq!(error.advice(), Advice::RestartTransaction);
    assert!(error.to_string().ends_with("; restart the transaction"), "{error}");
}
