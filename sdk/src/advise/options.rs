//! By what advice is given.

use std::time::Duration;

/// By what advice is given: what only its caller knows, and the bounds from which on something is worth a word.
///
/// ```
/// use std::time::Duration;
/// use shardwise::advise::AdviceOptions;
///
/// let options = AdviceOptions { users: Some(25_000), unused_after: Duration::from_secs(90 * 86_400), ..AdviceOptions::default() };
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct AdviceOptions {
    /// How many users are there at the same time, now or at the peak that is planned for. No server tells it; where it is `None`, the
    /// level is judged by what servers tell.
    pub users: Option<u32>,
    /// How many statements a user sends per second. 0.3 where nothing is said: a page every ten seconds, of three statements.
    pub statements_per_user: f64,
    /// From so many rows on a table wants partitions: 100 million.
    pub big_rows: u64,
    /// A table that will have [`big_rows`](Self::big_rows) within this time is told of: two years.
    pub horizon: Duration,
    /// Tables of fewer rows are read as fast without an index: 10,000.
    pub few_rows: u64,
    /// A sequential scan of this many rows, on average, is one too many: 10,000.
    pub scanned_rows: u64,
    /// … where there were so many of them: 10.
    pub scans: u64,
    /// An index that was not used for this time is not needed: 30 days.
    pub unused_after: Duration,
    /// Smaller tables and indexes are not looked at for what they waste: 10 MB.
    pub small_bytes: u64,
    /// How much of a table, in percent, may be dead rows or free space: 30.
    pub bloat: f64,
    /// Whether tables that seem bloated are measured, where the extension pgstattuple is: it reads all pages that VACUUM has left
    /// something in. `false`: it is the one thing here that reads tables.
    pub measures_bloat: bool,
    /// How long a statement may take on average: 100 ms.
    pub slow: Duration,
    /// How long a transaction may be open without a statement: a minute.
    pub idle_transaction: Duration,
    /// Counters that are younger tell no growth and no rate, for they are those of whatever set the server up: an hour.
    pub settled: Duration,
    /// How many times as much as the average of its group a node or shard may have: twice.
    pub skew: f64,
    /// … where a group has so many bytes at least: 1 GB.
    pub skew_bytes: u64,
    /// How much of all tenants' statements, in percent, one may have: 20.
    pub hot: f64,
    /// How long the rate of statements is watched, which this takes: 2 s; not at all where it is zero.
    pub watch: Duration,
    /// How long one node may take to answer one question: 5 s.
    pub patience: Duration,
}

impl Default for AdviceOptions {
    fn default() -> Self {
        const DAY: u64 = 86_400;
        let (days, seconds) = (|days: u64| Duration::from_secs(days * DAY), Duration::from_secs);
        Self {
            users: None,
            statements_per_user: 0.3,
            big_rows: 100_000_000,
            horizon: days(730),
            few_rows: 10_000,
            scanned_rows: 10_000,
            scans: 10,
            unused_after: days(30),
            small_bytes: 10 << 20,
            bloat: 30.0,
            measures_bloat: false,
            slow: Duration::from_millis(100),
            idle_transaction: seconds(60),
            settled: seconds(3_600),
            skew: 2.0,
            skew_bytes: 1 << 30,
            hot: 20.0,
            watch: seconds(2),
            patience: seconds(5),
        }
    }
}

impl AdviceOptions {
    /// For so many concurrent users.
    #[must_use]
    pub fn for_users(users: u32) -> Self {
        Self { users: Some(users), ..Self::default() }
    }

    /// What contradicts itself.
    pub(crate) fn check(&self) -> Result<(), String> {
        let shares = [("bloat", self.bloat), ("hot", self.hot)];
        if let Some((name, share)) = shares.into_iter().find(|(_, share)| !(*share > 0.0 && *share <= 100.0)) {
            return Err(format!("`{name}` is {share}: write a share in percent, more than 0 and up to 100"));
        }
        if !(self.statements_per_user > 0.0 && self.statements_per_user.is_finite()) {
            return Err(format!("`statements_per_user` is {}: write more than 0", self.statements_per_user));
        }
        if !(self.skew > 1.0 && self.skew.is_finite()) {
            return Err(format!("`skew` is {}: write more than 1, for the average itself is 1", self.skew));
        }
        if self.patience.is_zero() || self.big_rows == 0 {
            return Err("`patience` and `big_rows` have to be more than nothing".to_owned());
        }
        Ok(())
    }
}
