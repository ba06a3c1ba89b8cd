//! How a cluster is judged, and the rules by which Prometheus alerts: the real promtool looks at them. (What is exported is scraped
//! from the example's service, by a real Prometheus: see its tests.)

mod health;
mod rules;
