//! What may cross threads and outlive its maker, as the compiler sees it.

use std::future::Future;
use std::time::Duration;

use shardwise::admin::Consent;
use shardwise::{
    Cluster, Config, CoordinatorSession, Cursor, Error, ReferenceSession, Row, Schema, Tenant, Transaction,
    TransactionOptions, Uuid, sql, unscoped_sql,
};

use crate::support::model::{Country, User, Wallet};

fn value<T: Send + Sync + 'static>() {}
fn cheap<T: Clone + Send + Sync + 'static>() {}
fn send<F: Future + Send>(_: F) {}

#[test]
fn sessions_and_values_go_anywhere() {
    cheap::<Cluster>();
    cheap::<Config>();
    cheap::<Tenant>();
    cheap::<Tenant<String>>();
    cheap::<Transaction>();
    cheap::<ReferenceSession>();
    cheap::<CoordinatorSession>();
    cheap::<Cursor>();
    cheap::<Schema>();
    cheap::<Error>();
    value::<Row>();
    value::<shardwise::local::Server>();
}

/// Never run: that it compiles is the test.
#[allow(dead_code)]
fn every_future_is_send(cluster: &Cluster, fest: &Tenant, tx: &Transaction, wallet: &Wallet, config: Config) {
    send(Cluster::connect(config));
    send(cluster.tenant(Uuid::nil()));
    send(cluster.health());
    send(cluster.close(Duration::ZERO));
    let schema = Schema::new();
    send(cluster.admin().plan(&schema));
    send(cluster.admin().apply(&schema));
    send(cluster.admin().apply_with(&schema, &Consent::none(), |_| {}));
    send(cluster.admin().diff(&schema));
    send(cluster.reference().get::<Country>(String::new()));
    send(cluster.coordinator().query(unscoped_sql!("SELECT 1")));
    send(shardwise::local::single().start());

    let id = wallet.id;
    send(fest.get::<Wallet>(id));
    send(fest.find::<Wallet>(id));
    send(fest.get_many::<Wallet>(&[]));
    send(fest.exists::<Wallet>(id));
    send(fest.count::<Wallet>());
    send(fest.insert(wallet));
    send(fest.insert_returning(wallet));
    send(fest.insert_many::<Wallet>(&[]));
    send(fest.upsert(wallet));
    send(fest.update(wallet));
    send(fest.delete::<Wallet>(id));
    send(fest.update_columns::<Wallet>(id).add(Wallet::BALANCE, 1).run());
    send(fest.update_columns::<Wallet>(id).add(Wallet::BALANCE, 1).returning());
    let select = || fest.select::<Wallet>().filter(Wallet::BALANCE.gt(1));
    send(select().all());
    send(select().one());
    send(select().first());
    send(select().count());
    send(select().exists());
    send(select().sum(Wallet::BALANCE));
    send(select().page(1, None));
    send(select().stream());
    send(select().left_join(Wallet::USER_ID.on(User::ID)).all());
    send(fest.query_as::<(i64,)>(sql!("SELECT :x", x = 1_i64)));
    send(fest.query_stream(sql!("SELECT 1")));
    send(fest.execute(sql!("SELECT 1")));
    send(fest.copy_in::<Wallet>());
    send(fest.copy_out::<Wallet>());
    send(fest.transaction(|tx| async move { tx.count::<Wallet>().await }));
    send(fest.transaction_with(TransactionOptions::new(), async |tx| tx.count::<Wallet>().await));
    send(tx.savepoint(|tx| async move { tx.count::<Wallet>().await }));
}
