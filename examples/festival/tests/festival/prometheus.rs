//! A real Prometheus that scrapes the service, and what it says.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;
use shardwise::config::{Endpoint, Thresholds};
use shardwise::local::{self, Prometheus};
use shardwise::render::{RuleTimes, prometheus_rules_with};

/// How often it scrapes, and evaluates the rules. A scrape asks each node, which has a second to tell.
const INTERVAL: Duration = Duration::from_secs(2);

/// Alerts come and go in seconds where they would take minutes.
const TIMES: RuleTimes =
    RuleTimes { interval: Duration::from_secs(1), window: Duration::from_secs(10), pending: Duration::from_secs(1) };

/// How long an alert may take, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Watching {
    _prometheus: Prometheus,
    http: reqwest::Client,
    base: String,
}

impl Watching {
    /// It scrapes the service at this address.
    pub(crate) async fn start(service: &str, thresholds: &Thresholds) -> Self {
        let service: Endpoint = service.trim_start_matches("http://").parse().expect("an address");
        let rules = prometheus_rules_with(thresholds, &TIMES);
        let prometheus = local::prometheus([service], &rules, INTERVAL).await.expect("Prometheus: see ci/setup");
        let base = format!("http://{}", prometheus.endpoint());
        let watching = Self { _prometheus: prometheus, http: reqwest::Client::new(), base };
        watching.until("it has scraped", async |it| !it.query("shardwise_node_up == 1").await.is_empty()).await;
        watching
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let answer = self.http.get(format!("{}{path}?{}", self.base, query.join("&"))).send().await;
        let answer: Value = answer.expect("an answer").json().await.expect("JSON");
        assert_eq!(answer["status"], "success", "{path} {query:?}: {answer}");
        answer["data"].clone()
    }

    /// What an expression gives now.
    pub(crate) async fn query(&self, expr: &str) -> Vec<Value> {
        self.get("/api/v1/query", &[("query", expr)]).await["result"].as_array().expect("a vector").clone()
    }

    /// The alerts that fire: name and severity.
    pub(crate) async fn firing(&self) -> BTreeSet<(String, String)> {
        let alerts = self.get("/api/v1/alerts", &[]).await;
        let alerts = alerts["alerts"].as_array().expect("alerts").clone();
        let firing = alerts.into_iter().filter(|alert| alert["state"] == "firing");
        let label = |alert: &Value, name: &str| alert["labels"][name].as_str().expect("a label").to_owned();
        firing.map(|alert| (label(&alert, "alertname"), label(&alert, "severity"))).collect()
    }

    /// Waits until all of these fire.
    pub(crate) async fn until_they_fire(&self, alerts: &[(&str, &str)]) {
        let began = Instant::now();
        let wanted: BTreeSet<_> =
            alerts.iter().map(|(name, severity)| ((*name).to_owned(), (*severity).to_owned())).collect();
        // One may be over when the next one begins.
        let mut seen = BTreeSet::new();
        while !wanted.is_subset(&seen) {
            assert!(began.elapsed() < PATIENCE, "{:?} don't fire", wanted.difference(&seen).collect::<Vec<_>>());
            seen.extend(self.firing().await);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        println!("ALERT {alerts:?}: fired after {:.1?}", began.elapsed());
    }

    /// Waits until none of these fires.
    pub(crate) async fn until_they_clear(&self, names: &[&str]) {
        let began = Instant::now();
        self.until(&format!("{names:?} clear"), async |it| {
            !it.firing().await.iter().any(|(name, _)| names.contains(&name.as_str()))
        })
        .await;
        println!("ALERT {names:?}: cleared after {:.1?}", began.elapsed());
    }

    pub(crate) async fn until(&self, what: &str, is_so: impl AsyncFn(&Self) -> bool) {
        let began = Instant::now();
        while !is_so(self).await {
            assert!(began.elapsed() < PATIENCE, "waited in vain: {what}; firing: {:?}", self.firing().await);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

/// As it stands in an address.
fn encoded(text: &str) -> String {
    let letter =
        |byte: u8| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(letter).collect()
}
