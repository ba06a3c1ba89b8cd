//! Keyset pages: nothing lost, nothing twice.

use shardwise::{Cursor, ErrorKind, Tenant};

use crate::support::model::Wallet;
use crate::support::place::{Place, in_both_modes};

in_both_modes![
    pages_of_any_size_and_direction_hold_every_row_once_in_order,
    rows_written_between_pages_move_nothing,
    a_page_that_makes_no_sense_is_refused,
];

/// Twenty-five wallets with only five different balances.
async fn ties(fest: &Tenant) -> Vec<Wallet> {
    let wallets: Vec<_> = (0..25).map(|i| Wallet::new(*fest.key(), i % 5)).collect();
    fest.insert_many(&wallets).await.unwrap();
    wallets
}

async fn all_pages(fest: &Tenant, order: impl Fn(Select) -> Select, size: u32) -> Vec<Wallet> {
    let (mut rows, mut after) = (Vec::new(), None::<Cursor>);
    loop {
        let page = order(fest.select::<Wallet>()).page(size, after.as_ref()).await.unwrap();
        assert!(page.items.len() <= size as usize);
        rows.extend(page.items);
        match page.next {
            // Through its text, as a client would send it back.
            Some(next) => after = Some(next.to_string().parse().unwrap()),
            None => return rows,
        }
    }
}

type Select =
    shardwise::session::Select<shardwise::session::TenantScope<shardwise::Uuid>, shardwise::session::Pooled, (Wallet,)>;

async fn pages_of_any_size_and_direction_hold_every_row_once_in_order(place: Place) {
    let (_, fest) = place.tenant().await;
    let mut wallets = ties(&fest).await;
    for size in [1, 4, 5, 24, 25, 26] {
        let rows = all_pages(&fest, |select| select.order_by(Wallet::BALANCE.asc()), size).await;
        wallets.sort_by_key(|wallet| (wallet.balance, wallet.id));
        assert_eq!(rows, wallets, "size {size}");

        let rows = all_pages(&fest, |select| select.order_by(Wallet::BALANCE.desc()), size).await;
        wallets.reverse();
        assert_eq!(rows, wallets, "size {size}");

        let mixed = |select: Select| select.order_by(Wallet::BALANCE.desc()).order_by(Wallet::TAG.asc());
        let rows = all_pages(&fest, mixed, size).await;
        wallets.sort_by(|a, b| b.balance.cmp(&a.balance).then_with(|| a.tag.cmp(&b.tag)));
        assert_eq!(rows, wallets, "size {size}");
    }
}

async fn rows_written_between_pages_move_nothing(place: Place) {
    let (_, fest) = place.tenant().await;
    let wallets = ties(&fest).await;
    let first = fest.select::<Wallet>().order_by(Wallet::BALANCE.desc()).page(10, None).await.unwrap();
    fest.insert(&Wallet::new(*fest.key(), 99)).await.unwrap();
    let select = fest.select::<Wallet>().order_by(Wallet::BALANCE.desc());
    let second = select.page(100, first.next.as_ref()).await.unwrap();
    assert_eq!(first.items.len() + second.items.len(), wallets.len());
    assert!(second.items.iter().all(|wallet| !first.items.contains(wallet) && wallet.balance < 99));
    assert_eq!(second.next, None);
}

async fn a_page_that_makes_no_sense_is_refused(place: Place) {
    let (_, fest) = place.tenant().await;
    ties(&fest).await;
    let by_balance = fest.select::<Wallet>().order_by(Wallet::BALANCE.asc()).page(3, None).await.unwrap();
    let cursor = by_balance.next.unwrap();
    assert_eq!(format!("{cursor:?}"), "Cursor");
    let other = fest.select::<Wallet>().order_by(Wallet::BALANCE.desc()).page(3, Some(&cursor)).await.unwrap_err();
    let nullable = fest.select::<Wallet>().order_by(Wallet::NOTE.asc()).page(3, None).await.unwrap_err();
    let limited = fest.select::<Wallet>().limit(3).page(3, None).await.unwrap_err();
    for (error, words) in [(other, "another order"), (nullable, "`note` can be NULL"), (limited, "leave `limit`")] {
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().contains(words), "{error}");
    }
}
