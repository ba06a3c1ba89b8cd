//! A service on an empty database of its own, and a festival to try it on; on each kind of server.

use std::time::Duration;

use festival::load::client::{Answer, Client, Request};
use festival::model::schema;
use festival::service::{self, App};
use serde_json::{Value, json};
use shardwise::local::{CitusCluster, Server};
use shardwise::{Cluster, Config, Uuid};
use tokio::net::TcpListener;
use tokio::sync::{OnceCell, oneshot};
use tokio::task::JoinHandle;

/// On Citus, few, so that tests are fast; more than there are workers.
const SHARDS: u32 = 4;

/// On which kind of server a test runs.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    Single,
    Citus(&'static CitusCluster),
}

impl Place {
    /// One of two, by the kind of server.
    pub(crate) fn pick<T>(self, single: T, citus: T) -> T {
        match self {
            Self::Single => single,
            Self::Citus(_) => citus,
        }
    }

    /// How to connect to an empty database of the test's own; the servers are the same for all tests.
    pub(crate) async fn database(self) -> Config {
        static SERVER: OnceCell<Server> = OnceCell::const_new();
        match self {
            Self::Single => {
                let start = async || shardwise::local::single().start().await.expect("a PostgreSQL server");
                SERVER.get_or_init(start).await.fresh_database().await.expect("an empty database")
            }
            Self::Citus(cluster) => {
                let config = cluster.fresh_database().await.expect("an empty database");
                config.with_shard_count(Some(SHARDS)).expect("a good number")
            }
        }
    }
}

/// Makes of each of these functions a test on one PostgreSQL server, and one on Citus where that is there.
macro_rules! in_both_modes {
    ($($test:ident),+ $(,)?) => {
        mod single {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $test() {
                    super::$test($crate::support::Place::Single).await;
                }
            )+
        }

        mod citus {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $test() {
                    let name = concat!(module_path!(), "::", stringify!($test));
                    if let Some(cluster) = $crate::citus::shared(name).await {
                        super::$test($crate::support::Place::Citus(cluster)).await;
                    }
                }
            )+
        }
    };
}

pub(crate) use in_both_modes;

/// A running service.
pub(crate) struct Stage {
    pub(crate) client: Client,
    pub(crate) cluster: Cluster,
    pub(crate) base: String,
    stop: oneshot::Sender<()>,
    server: JoinHandle<anyhow::Result<()>>,
}

impl Stage {
    pub(crate) async fn open(place: Place) -> Self {
        Self::open_with(place, Duration::from_secs(10)).await
    }

    pub(crate) async fn open_with(place: Place, request_timeout: Duration) -> Self {
        let config = place.database().await;
        let cluster = Cluster::connect(config.clone()).await.expect("a connection");
        cluster.admin().apply(&schema()).await.expect("the tables");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let (stop, stopped) = oneshot::channel();
        let app = App::new(Cluster::connect(config).await.expect("a connection"), request_timeout);
        let server = tokio::spawn(service::run(listener, app, Duration::from_secs(10), async {
            // A test that ends without stopping the service stops it by dropping the sender.
            let _ = stopped.await;
        }));
        Self { client: Client::new(&*base).expect("a client"), cluster, base, stop, server }
    }

    /// Tells the service to stop; the handle ends when it has.
    pub(crate) fn stop(self) -> JoinHandle<anyhow::Result<()>> {
        self.stop.send(()).expect("the service runs");
        self.server
    }

    pub(crate) async fn get(&self, path: impl Into<String>) -> Answer {
        self.client.once(&Request::get(path)).await.expect("an answer")
    }

    /// Posts with a key of its own.
    pub(crate) async fn post(&self, path: impl Into<String>, body: Value) -> Answer {
        self.post_as(Uuid::new_v4(), path, body).await
    }

    pub(crate) async fn post_as(&self, key: impl std::fmt::Display, path: impl Into<String>, body: Value) -> Answer {
        self.client.once(&Request::post(path, body).keyed(key)).await.expect("an answer")
    }

    /// A festival with this slug.
    pub(crate) async fn festival(&self, slug: &str) -> Uuid {
        let body = json!({"slug": slug, "name": slug, "city": "Town", "country": "DE", "region": "eu"});
        created(&self.post("/festivals", body).await)
    }

    pub(crate) async fn user(&self) -> Uuid {
        let email = format!("{}@example.org", Uuid::new_v4());
        created(&self.post("/users", json!({"email": email, "name": "Ada"})).await)
    }

    pub(crate) async fn stand(&self, slug: &str) -> Uuid {
        let body = json!({"name": Uuid::new_v4().to_string()});
        created(&self.post(format!("/festivals/{slug}/stands"), body).await)
    }

    pub(crate) async fn ticket(&self, slug: &str) -> Uuid {
        let body = json!({"user_id": self.user().await});
        created(&self.post(format!("/festivals/{slug}/tickets"), body).await)
    }

    /// A wallet with so much in it.
    pub(crate) async fn wallet(&self, slug: &str, balance: i64) -> Uuid {
        let body = json!({"user_id": self.user().await});
        let wallet = created(&self.post(format!("/festivals/{slug}/wallets"), body).await);
        if balance > 0 {
            let answer =
                self.post(format!("/festivals/{slug}/wallets/{wallet}/top-ups"), json!({"amount": balance})).await;
            assert_eq!(answer.status, 201, "{answer:?}");
        }
        wallet
    }

    pub(crate) async fn balance(&self, slug: &str, wallet: Uuid) -> i64 {
        let answer = self.get(format!("/festivals/{slug}/wallets/{wallet}")).await;
        answer.body["balance"].as_i64().expect("a balance")
    }

    /// Pays and returns the order.
    pub(crate) async fn order(&self, slug: &str, wallet: Uuid, stand: Uuid, amount: i64) -> Uuid {
        let answer = self.post(format!("/festivals/{slug}/payments"), payment(wallet, stand, amount)).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        uuid(&answer.body["order_id"])
    }
}

pub(crate) fn payment(wallet: Uuid, stand: Uuid, amount: i64) -> Value {
    json!({"wallet_id": wallet, "stand_id": stand, "amount": amount})
}

pub(crate) fn uuid(value: &Value) -> Uuid {
    value.as_str().and_then(|text| text.parse().ok()).expect("a UUID")
}

fn created(answer: &Answer) -> Uuid {
    assert_eq!(answer.status, 201, "{answer:?}");
    uuid(&answer.body["id"])
}

/// The answer is this error, and its body is what every error's is.
pub(crate) fn assert_error(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status.as_u16(), answer.code()), (status, code), "{answer:?}");
    let error = &answer.body["error"];
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{answer:?}");
    assert_eq!(error["retryable"], status == 503, "{answer:?}");
}
