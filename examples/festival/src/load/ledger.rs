//! What the service told its clients: the other half of a double-entry bookkeeping. What was acknowledged must be in
//! the database, once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use shardwise::Uuid;

/// All that was acknowledged, shared by everything that plays.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Acknowledged>);

/// All that was acknowledged.
#[derive(Debug, Clone, Default)]
pub struct Acknowledged {
    /// Registered users.
    pub users: Vec<Uuid>,
    /// What each festival has, by the festival's id.
    pub festivals: HashMap<Uuid, AtFestival>,
    /// Transactions by their id.
    pub transactions: HashMap<Uuid, Entry>,
    /// What two answers said that can't both be true.
    pub contradictions: Vec<String>,
    /// Rows of other festivals that were shown.
    pub strangers: usize,
}

/// What one festival has.
#[derive(Debug, Clone, Default)]
pub struct AtFestival {
    /// The name in addresses.
    pub slug: String,
    /// Ids of its stands.
    pub stands: Vec<Uuid>,
    /// Ids of its wallets.
    pub wallets: Vec<Uuid>,
    /// Ids of its orders.
    pub orders: Vec<Uuid>,
    /// Ids of its tickets, and how often a scan of it succeeded.
    pub tickets: HashMap<Uuid, u32>,
}

/// A movement of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The festival.
    pub festival_id: Uuid,
    /// The wallet.
    pub wallet_id: Uuid,
    /// What the wallet gained, in cents.
    pub amount: i64,
}

impl Ledger {
    /// Notes something down.
    pub fn note(&self, write: impl FnOnce(&mut Acknowledged)) {
        write(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// All that was noted down.
    #[must_use]
    pub fn acknowledged(&self) -> Acknowledged {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Acknowledged {
    /// The festival with this id.
    pub fn festival(&mut self, id: Uuid) -> &mut AtFestival {
        self.festivals.entry(id).or_default()
    }

    /// Money moved. Two operations never share one transaction.
    pub fn moved(&mut self, transaction_id: Uuid, entry: Entry) {
        if self.transactions.insert(transaction_id, entry).is_some() {
            self.contradictions.push(format!("transaction {transaction_id} was acknowledged for two operations"));
        }
    }

    /// Someone came in with a ticket.
    pub fn scanned(&mut self, festival_id: Uuid, ticket_id: Uuid) {
        let scans = self.festival(festival_id).tickets.entry(ticket_id).or_default();
        *scans += 1;
        let scans = *scans;
        if scans > 1 {
            self.contradictions.push(format!("ticket {ticket_id} let {scans} people in"));
        }
    }
}
