//! What writers were told, kept outside of the database, and held against what is there.
//!
//! A write that is done twice shows in two ways: as a line that is there twice, for lines have no unique key of their writer's,
//! and as a counter that is higher than what was added to it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use shardwise::{Cluster, Entity, Error, Isolation, Schema, Tenant, Transaction, TransactionOptions, Uuid};
use tokio::time::Instant;

use crate::support;
use crate::support::model::Wallet;

/// A line of a journal. Nothing keeps a number from being there twice.
#[derive(Debug, Clone, PartialEq, Entity)]
#[entity(table = "lines", distributed_by = festival_id)]
pub struct Line {
    pub festival_id: Uuid,
    #[entity(key, generated)]
    pub serial: i64,
    pub number: i64,
}

/// The shared entities' tables, and the journal.
pub fn schema() -> Schema {
    support::schema().with::<Line>()
}

/// What a writer was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    Acknowledged,
    /// With an error whose outcome is known: it is not there.
    Refused,
    Unknown,
}

/// One write: all of its parts are there, or none is.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub tenant: Uuid,
    pub rows: [Option<Uuid>; 2],
    pub line: Option<i64>,
    /// The wallet whose balance it adds one to.
    pub counter: Option<Uuid>,
    pub told: Told,
    pub began: Instant,
    pub ended: Instant,
}

#[derive(Default)]
pub struct Ledger {
    pub entries: Vec<Entry>,
    /// The wallets that are counted in, by their tenant.
    pub counters: Vec<(Uuid, Uuid)>,
    /// How often each kind of error was met.
    pub errors: BTreeMap<String, u64>,
}

/// What is there of what writers were told.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Found {
    pub acknowledged: usize,
    pub lost: usize,
    pub doubled: usize,
    pub refused: usize,
    /// Of those that were refused.
    pub refused_but_there: usize,
    pub unknown: usize,
    /// Of those whose outcome is unknown.
    pub unknown_but_there: usize,
    /// There in parts.
    pub torn: usize,
}

impl Ledger {
    pub fn write_down(&mut self, entry: Entry, error: Option<&Error>) {
        if let Some(error) = error {
            let code = error.code().map_or_else(String::new, |code| format!(" {}", code.code()));
            *self.errors.entry(format!("{:?}{code}", error.kind())).or_default() += 1;
        }
        self.entries.push(entry);
    }

    pub fn count(&self, told: Told) -> usize {
        self.entries.iter().filter(|entry| entry.told == told).count()
    }

    /// How often errors were met whose kind or SQLSTATE is called so.
    pub fn errors_like(&self, name: &str) -> u64 {
        self.errors.iter().filter(|(error, _)| error.contains(name)).map(|(_, count)| count).sum()
    }

    /// How long it took from then until a write of each tenant was acknowledged that had begun since.
    pub fn recovered_after(&self, since: Instant) -> Duration {
        let mut first = BTreeMap::<Uuid, Instant>::new();
        for entry in self.entries.iter().filter(|entry| entry.told == Told::Acknowledged && entry.began >= since) {
            let first = first.entry(entry.tenant).or_insert(entry.ended);
            *first = entry.ended.min(*first);
        }
        assert!(!first.is_empty(), "nobody has recovered");
        first.values().max().map_or(Duration::ZERO, |last| *last - since)
    }

    /// Holds it against what is there: nothing acknowledged is lost, nothing is there twice or in parts, and nothing of which
    /// was said that it is not.
    pub async fn hold_against(&self, cluster: &Cluster) -> Found {
        let mut found = Found::default();
        let tenants: BTreeSet<Uuid> = self.counters.iter().map(|(tenant, _)| *tenant).collect();
        for tenant in tenants {
            self.hold_tenant(&cluster.tenant(tenant).await.unwrap(), &mut found).await;
        }
        assert!(found.is_kept(), "{found:?}, errors {:?}", self.errors);
        found
    }

    async fn hold_tenant(&self, tenant: &Tenant, found: &mut Found) {
        let (balances, lines) = read(tenant).await;
        let mut added: HashMap<Uuid, (i64, i64)> =
            self.counters.iter().filter(|(of, _)| of == tenant.key()).map(|(_, id)| (*id, (0, 0))).collect();
        for entry in self.entries.iter().filter(|entry| entry.tenant == *tenant.key()) {
            let rows = entry.rows.iter().flatten().map(|id| balances.contains_key(id));
            let copies = entry.line.map(|number| lines.get(&number).copied().unwrap_or(0));
            let line = copies.map(|copies| copies > 0);
            found.doubled += usize::from(copies.is_some_and(|copies| copies > 1));
            let parts: Vec<bool> = rows.chain(line).collect();
            let is_there = match entry.told {
                Told::Acknowledged => {
                    found.acknowledged += 1;
                    found.lost += usize::from(parts.contains(&false));
                    Some(true)
                }
                Told::Refused => {
                    found.refused += 1;
                    found.refused_but_there += usize::from(parts.contains(&true));
                    Some(false)
                }
                Told::Unknown => {
                    found.unknown += 1;
                    found.unknown_but_there += usize::from(parts.contains(&true));
                    found.torn += usize::from(parts.contains(&true) && parts.contains(&false));
                    parts.first().copied()
                }
            };
            if let Some(counter) = entry.counter {
                let (surely, perhaps) = added.get_mut(&counter).unwrap();
                match is_there {
                    Some(is_there) => *surely += i64::from(is_there),
                    None => *perhaps += 1,
                }
            }
        }
        for (counter, (surely, perhaps)) in added {
            let balance = balances[&counter];
            let (lacks, more) = ((surely - balance).max(0), (balance - surely - perhaps).max(0));
            if lacks + more > 0 {
                println!("a counter is at {balance}: {surely} were added for sure, and {perhaps} perhaps");
            }
            found.lost += usize::try_from(lacks).unwrap();
            found.doubled += usize::try_from(more).unwrap();
        }
    }
}

impl Found {
    pub fn is_kept(&self) -> bool {
        self.lost + self.doubled + self.refused_but_there + self.torn == 0
    }
}

impl std::ops::AddAssign<&Found> for Found {
    fn add_assign(&mut self, more: &Found) {
        let Found { acknowledged, lost, doubled, refused, refused_but_there, unknown, unknown_but_there, torn } = more;
        self.acknowledged += acknowledged;
        self.lost += lost;
        self.doubled += doubled;
        self.refused += refused;
        self.refused_but_there += refused_but_there;
        self.unknown += unknown;
        self.unknown_but_there += unknown_but_there;
        self.torn += torn;
    }
}

/// Balances by wallet, and how often each number is in the journal: all as it is at one moment.
async fn read(tenant: &Tenant) -> (HashMap<Uuid, i64>, HashMap<i64, usize>) {
    let options = TransactionOptions::new().isolation(Isolation::RepeatableRead).read_only();
    let (wallets, lines) = tenant
        .transaction_with(options, async |tx: Transaction| {
            Ok::<_, Error>((tx.select::<Wallet>().all().await?, tx.select::<Line>().all().await?))
        })
        .await
        .unwrap();
    let mut numbers = HashMap::new();
    for line in lines {
        *numbers.entry(line.number).or_default() += 1;
    }
    (wallets.iter().map(|wallet| (wallet.id, wallet.balance)).collect(), numbers)
}
