//! `Debug` of what holds passwords and values.

use futures_util::StreamExt as _;
use shardwise::{Uuid, sql, unscoped_sql};

use super::assert_nothing_secret;
use crate::support::model::{User, Wallet};
use crate::support::place::{Place, in_both_modes};
use crate::support::secrets::{PASSWORD, VALUE};

in_both_modes![what_is_made_of_values_does_not_show_them,];

async fn what_is_made_of_values_does_not_show_them(place: Place) {
    let config = place.prepared().await.with_password(Some(PASSWORD));
    let cluster = shardwise::Cluster::connect(config.clone()).await.unwrap();
    let fest = cluster.tenant(Uuid::new_v4()).await.unwrap();
    let row = |tag: &str| Wallet { tag: format!("{VALUE}{tag}"), ..Wallet::new(*fest.key(), 1) };
    fest.insert_many(&[row("1"), row("2")]).await.unwrap();

    let filter = || Wallet::TAG.like(format!("{VALUE}%")).and(Wallet::NOTE.ne(VALUE)).or(!Wallet::TAG.eq(VALUE));
    let select = || fest.select::<Wallet>().filter(filter()).order_by(Wallet::TAG.asc());
    let update = || {
        let update = fest.update_columns::<Wallet>(Uuid::nil()).set(Wallet::TAG, VALUE.to_owned());
        update.expect(Wallet::NOTE, VALUE).only_if(Wallet::TAG.ne(VALUE))
    };
    let page = select().page(1, None).await.unwrap();
    let raw =
        sql!("SELECT tag FROM wallets WHERE tag = :tag AND festival_id = :festival_id", entities(Wallet), tag = VALUE);
    let rows = cluster.coordinator().query(unscoped_sql!("SELECT :tag::text", tag = VALUE)).await.unwrap();
    let mut stream = select().stream().await.unwrap();
    stream.next().await.unwrap().unwrap();
    let directory = cluster.directory::<User>();
    directory.find_by(User::EMAIL, VALUE.to_owned()).await.unwrap();

    for shown in [
        format!("{config:?} {config:#?}"),
        format!("{cluster:?} {:?} {:?} {:?}", cluster.admin(), cluster.topology(), cluster.metrics()),
        format!("{fest:?} {:?} {:?}", cluster.reference(), cluster.coordinator()),
        format!("{:?} {:?}", filter(), Wallet::TAG),
        format!("{:?}", select()),
        format!("{:?}", update()),
        format!("{:?}", page.next),
        format!("{raw:?} {rows:?}"),
        format!("{stream:?} {directory:?}"),
    ] {
        assert!(!shown.is_empty());
        assert_nothing_secret(&shown);
    }
}
