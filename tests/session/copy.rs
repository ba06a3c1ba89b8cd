//! COPY in and out.

use futures_util::TryStreamExt as _;
use shardwise::{ErrorKind, Uuid};

use super::types::everything;
use crate::support::model::{Country, Everything, Wallet};
use crate::support::place::{Place, in_both_modes};

in_both_modes![
    rows_of_every_type_go_in_and_come_out,
    only_the_tenants_rows_come_out,
    a_row_that_the_server_refuses_leaves_nothing,
    what_the_commit_refuses_is_told_and_leaves_nothing,
    a_row_of_another_tenant_is_refused_and_ends_the_copy,
    inside_a_transaction_it_is_part_of_it,
    reference_entities,
];

async fn rows_of_every_type_go_in_and_come_out(place: Place) {
    let (_, fest) = place.tenant().await;
    let rows: Vec<Everything> = (0..500).map(|id| everything(*fest.key(), id)).collect();
    let mut copy = fest.copy_in::<Everything>().await.unwrap();
    for row in &rows {
        copy.send(row).await.unwrap();
    }
    assert_eq!(copy.finish().await.unwrap(), 500);
    let mut out: Vec<Everything> = fest.copy_out().await.unwrap().try_collect().await.unwrap();
    out.sort_by_key(|row| row.id);
    assert_eq!(out.len(), 500);
    for (row, sent) in out.iter().zip(&rows) {
        // What the server made of it: the generated columns.
        assert_eq!(*row, Everything { doubled: sent.medium.wrapping_mul(2), serial: row.serial, ..sent.clone() });
    }
}

async fn only_the_tenants_rows_come_out(place: Place) {
    let (cluster, fest) = place.tenant().await;
    let other = cluster.tenant(Uuid::new_v4()).await.unwrap();
    fest.insert(&Wallet::new(*fest.key(), 1)).await.unwrap();
    other.insert(&Wallet::new(*other.key(), 2)).await.unwrap();
    let out: Vec<Wallet> = fest.copy_out().await.unwrap().try_collect().await.unwrap();
    assert_eq!(out.iter().map(|wallet| wallet.balance).collect::<Vec<_>>(), [1]);
}

async fn a_row_that_the_server_refuses_leaves_nothing(place: Place) {
    let (_, fest) = place.tenant().await;
    let wallet = Wallet::new(*fest.key(), 1);
    let mut copy = fest.copy_in::<Wallet>().await.unwrap();
    copy.send(&Wallet::new(*fest.key(), 2)).await.unwrap();
    copy.send(&wallet).await.unwrap();
    copy.send(&wallet).await.unwrap();
    let error = copy.finish().await.unwrap_err();
    // Citus passes the reason of a failed COPY on without its SQLSTATE.
    assert!(error.is_unique_violation() || place.is_citus(), "{error:?}");
    assert!(error.to_string().contains("duplicate key value violates unique constraint"), "{error}");
    assert_eq!(error.entity(), Some("Wallet"));
    assert_eq!(fest.count::<Wallet>().await.unwrap(), 0);
}

async fn what_the_commit_refuses_is_told_and_leaves_nothing(place: Place) {
    let cluster = place.cluster_that_looks_late().await;
    let fest = cluster.tenant(Uuid::new_v4()).await.unwrap();
    for balances in [[1, 1], [1, 2]] {
        let mut copy = fest.copy_in::<Wallet>().await.unwrap();
        for balance in balances {
            copy.send(&Wallet::new(*fest.key(), balance)).await.unwrap();
        }
        let outcome = copy.finish().await;
        if balances == [1, 2] {
            assert_eq!(outcome.unwrap(), 2);
        } else {
            let error = outcome.unwrap_err();
            assert!(error.is_unique_violation() && !error.is_outcome_unknown(), "{error:?}");
            assert_eq!((error.constraint(), error.entity()), (Some("one_of_a_balance"), Some("Wallet")));
            assert_eq!(fest.count::<Wallet>().await.unwrap(), 0);
        }
    }
    // Once it says that it is done, everybody sees it.
    assert_eq!(fest.count::<Wallet>().await.unwrap(), 2);
}

async fn a_row_of_another_tenant_is_refused_and_ends_the_copy(place: Place) {
    let (_, fest) = place.tenant().await;
    let mut copy = fest.copy_in::<Wallet>().await.unwrap();
    copy.send(&Wallet::new(*fest.key(), 1)).await.unwrap();
    let error = copy.send(&Wallet::new(Uuid::new_v4(), 1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongTenant);
    drop(copy);
    assert_eq!(fest.count::<Wallet>().await.unwrap(), 0);
}

async fn inside_a_transaction_it_is_part_of_it(place: Place) {
    let (_, fest) = place.tenant().await;
    let key = *fest.key();
    let outcome = fest
        .transaction(move |tx| async move {
            let mut copy = tx.copy_in::<Wallet>().await?;
            copy.send(&Wallet::new(key, 1)).await?;
            assert_eq!(copy.finish().await?, 1);
            assert_eq!(tx.count::<Wallet>().await?, 1);
            tx.get::<Wallet>(Uuid::nil()).await
        })
        .await;
    assert!(outcome.unwrap_err().is_not_found());
    assert_eq!(fest.count::<Wallet>().await.unwrap(), 0);
}

async fn reference_entities(place: Place) {
    let cluster = place.cluster().await;
    let mut copy = cluster.reference().copy_in::<Country>().await.unwrap();
    for code in ["AT", "CH", "DE"] {
        copy.send(&Country { code: code.to_owned(), name: format!("tab\t, newline\n and \\ of {code}") })
            .await
            .unwrap();
    }
    assert_eq!(copy.finish().await.unwrap(), 3);
    let mut out: Vec<Country> = cluster.reference().copy_out().await.unwrap().try_collect().await.unwrap();
    out.sort_by(|one, other| one.code.cmp(&other.code));
    assert_eq!(out[2].name, "tab\t, newline\n and \\ of DE");
}
