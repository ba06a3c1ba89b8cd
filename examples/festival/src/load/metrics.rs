//! What the service counts.

use std::collections::BTreeMap;

use anyhow::Context;
use serde::de::DeserializeOwned;

use super::client::{Client, Request};

/// One of the service's counters.
///
/// # Errors
/// When the service does not answer, or has no such counter.
pub async fn metric<T: DeserializeOwned>(client: &Client, name: &str) -> anyhow::Result<T> {
    let metrics = client.once(&Request::get("/counters")).await.context("counters")?.body;
    serde_json::from_value(metrics[name].clone()).with_context(|| format!("the counter {name}"))
}

/// Statements by route, as they were counted since an earlier count.
#[must_use]
pub fn since(before: &BTreeMap<String, u64>, mut now: BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    for (route, count) in before {
        now.entry(route.clone()).and_modify(|total| *total -= count);
    }
    now.retain(|_, count| *count > 0);
    now
}

/// The share of statements that went straight to the owner of their rows, to four decimals and never rounded up; None
/// without statements.
#[must_use]
pub fn share_of_owner(routes: &BTreeMap<String, u64>) -> Option<f64> {
    let count = |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    let (owner, all) = (routes.get("owner").copied().unwrap_or(0), routes.values().sum());
    (all > 0).then(|| (count(owner) / count(all) * 10_000.0).floor() / 10_000.0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{share_of_owner, since};

    fn routes(of: &[(&str, u64)]) -> BTreeMap<String, u64> {
        of.iter().map(|&(route, count)| (route.to_owned(), count)).collect()
    }

    #[test]
    fn earlier_statements_don_t_count() {
        let (before, now) =
            (routes(&[("owner", 7), ("nearest", 2)]), routes(&[("owner", 9), ("nearest", 2), ("single", 1)]));
        assert_eq!(since(&before, now), routes(&[("owner", 2), ("single", 1)]));
    }

    #[test]
    fn the_owners_share_is_never_rounded_up() {
        let share = |owner, forwarded| share_of_owner(&routes(&[("owner", owner), ("forwarded", forwarded)]));
        assert_eq!((share(98_999, 1_001), share(99, 1), share(7, 0)), (Some(0.9899), Some(0.99), Some(1.0)));
        assert_eq!((share_of_owner(&routes(&[("coordinator", 3)])), share(0, 0)), (Some(0.0), None));
    }
}
