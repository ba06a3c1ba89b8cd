//! What these tests share: a database with many rows of one tenant, and bounds that these few thousand rows reach.

use std::time::Duration;

use shardwise::advise::{Advice, AdviceOptions, Finding, FindingKind};
use shardwise::{Cluster, Config, Schema, Uuid};

use crate::support::direct::connect_at;
use crate::support::place::Place;

/// So many wallets has the tenant of a stage.
pub const ROWS: u64 = 3_000;

/// Bounds that a test's rows reach, and no time that anybody has to wait for.
pub fn options() -> AdviceOptions {
    AdviceOptions {
        few_rows: 100,
        scanned_rows: 20,
        scans: 3,
        unused_after: Duration::ZERO,
        small_bytes: 16_384,
        skew_bytes: 1 << 20,
        settled: Duration::ZERO,
        watch: Duration::ZERO,
        patience: Duration::from_secs(30),
        ..AdviceOptions::default()
    }
}

pub struct Stage {
    pub cluster: Cluster,
    pub config: Config,
    pub schema: Schema,
    /// A session of nobody's on the coordinator.
    pub by_hand: tokio_postgres::Client,
    pub tenant: Uuid,
}

impl Stage {
    pub async fn new(place: Place) -> Self {
        Self::with(place, crate::support::schema()).await
    }

    pub async fn with(place: Place, schema: Schema) -> Self {
        let config = place.empty().await;
        let cluster = Cluster::connect(config.clone()).await.unwrap();
        cluster.admin().apply(&schema).await.unwrap();
        let by_hand = connect_at(&config.contact_points()[0], &config, config.database()).await.unwrap();
        Self { cluster, config, schema, by_hand, tenant: Uuid::new_v4() }
    }

    /// The same with wallets.
    pub async fn filled(place: Place) -> Self {
        let stage = Self::new(place).await;
        stage.fill(stage.tenant, ROWS).await;
        stage.run("ANALYZE wallets").await;
        stage
    }

    /// So many wallets of a tenant.
    pub async fn fill(&self, tenant: Uuid, rows: u64) {
        let sql = format!(
            "INSERT INTO wallets (festival_id, id, balance, tag, note) \
             SELECT '{tenant}', gen_random_uuid(), n, gen_random_uuid(), 'note ' || n FROM generate_series(1, {rows}) n"
        );
        self.run(&sql).await;
    }

    pub async fn run(&self, sql: &str) {
        self.by_hand.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// On all nodes of this database.
    pub async fn everywhere(&self, sql: &str) {
        for node in self.cluster.topology().nodes() {
            let at = shardwise::config::Endpoint { host: node.host.clone(), port: node.port };
            let there = connect_at(&at, &self.config, self.config.database()).await.unwrap();
            there.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        }
    }

    pub async fn advice(&self) -> Advice {
        self.advice_by(&options()).await
    }

    pub async fn advice_by(&self, options: &AdviceOptions) -> Advice {
        self.cluster.admin().advise(&self.schema, options).await.unwrap()
    }

    /// Writes the wallets anew until it is so: what an older transaction may still see is not removed.
    pub async fn compacted_until(&self, options: &AdviceOptions, is_so: impl Fn(&Advice) -> bool) {
        let wait = async {
            loop {
                for sql in ["VACUUM FULL wallets", "ANALYZE wallets"] {
                    self.run(sql).await;
                }
                if is_so(&self.advice_by(options).await) {
                    return;
                }
            }
        };
        let so = tokio::time::timeout(Duration::from_secs(90), wait).await;
        assert!(so.is_ok(), "it never came true:\n{}", self.advice_by(options).await);
    }

    pub async fn until(&self, is_so: impl Fn(&Advice) -> bool) -> Advice {
        self.until_by(&options(), is_so).await
    }

    /// Waits until it is so: sessions tell what they did once a second.
    pub async fn until_by(&self, options: &AdviceOptions, is_so: impl Fn(&Advice) -> bool) -> Advice {
        until(&self.cluster, &self.schema, options, is_so).await
    }
}

pub async fn until(
    cluster: &Cluster,
    schema: &Schema,
    options: &AdviceOptions,
    is_so: impl Fn(&Advice) -> bool,
) -> Advice {
    let latest = std::sync::Mutex::new(None);
    let wait = async {
        loop {
            let advice = cluster.admin().advise(schema, options).await.unwrap();
            if is_so(&advice) {
                return advice;
            }
            *latest.lock().unwrap() = Some(advice);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    match tokio::time::timeout(Duration::from_secs(90), wait).await {
        Ok(advice) => advice,
        Err(_) => panic!("it never came true:\n{}", latest.lock().unwrap().as_ref().unwrap()),
    }
}

/// What was found of this kind about this.
pub fn found<'a>(advice: &'a Advice, kind: FindingKind, subject: &str) -> Option<&'a Finding> {
    advice.found(kind).find(|finding| finding.subject == subject)
}

/// The statement that an action begins with.
pub fn statement(finding: &Finding) -> &str {
    let action = &finding.actions[0];
    action.split_once(';').unwrap_or_else(|| panic!("{action} is no statement")).0
}
