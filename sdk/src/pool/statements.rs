//! The statements of one connection: prepared once, or, where the server changes with each transaction, never.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use lru::LruCache;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error, Statement as Named};

use super::prepared::{Prepared, Types};
use crate::entity::Statement;

pub(super) struct Statements {
    // By the address of the entity's static statement: found without hashing its text. As many as the program has.
    fixed: RwLock<HashMap<usize, Named, BuildHasherDefault<ByAddress>>>,
    // By text, bounded: evicting one closes it on the server.
    texts: Mutex<LruCache<Box<str>, Named>>,
}

impl Statements {
    /// `capacity` is that of the texts.
    pub(super) fn new(capacity: usize) -> Self {
        Self { fixed: RwLock::default(), texts: Mutex::new(LruCache::new(at_least_one(capacity))) }
    }

    /// The prepared form of an entity's statement.
    pub(super) async fn fixed(&self, client: &Client, statement: &'static Statement) -> Result<Named, Error> {
        let address = std::ptr::from_ref(statement).addr();
        if let Some(prepared) = self.known(address) {
            return Ok(prepared);
        }
        // On a shared connection several may do it at once. None waits for another one, which nobody may poll.
        let prepared = client.prepare_typed(statement.sql, statement.params).await?;
        let mut fixed = self.fixed.write().unwrap_or_else(PoisonError::into_inner);
        Ok(fixed.entry(address).or_insert(prepared).clone())
    }

    fn known(&self, address: usize) -> Option<Named> {
        // Each change is one insert or one clear, so a panic leaves nothing half-done.
        self.fixed.read().unwrap_or_else(PoisonError::into_inner).get(&address).cloned()
    }

    /// The prepared form of a text. Without `types` the server infers them.
    pub(super) async fn text(&self, client: &Client, sql: &str, types: &[Type]) -> Result<Named, Error> {
        if let Some(prepared) = self.texts.lock().unwrap_or_else(PoisonError::into_inner).get(sql) {
            return Ok(prepared.clone());
        }
        let prepared = client.prepare_typed(sql, types).await?;
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(texts.get_or_insert(sql.into(), || prepared).clone())
    }

    pub(super) fn forget_all(&self) {
        self.fixed.write().unwrap_or_else(PoisonError::into_inner).clear();
        self.texts.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// What servers inferred of texts whose types nobody gave: of all connections to a node whose server changes with each
/// transaction, where nothing stays prepared.
pub(super) struct Inferred(Mutex<LruCache<Box<str>, Arc<[Type]>>>);

impl Inferred {
    pub(super) fn new(capacity: usize) -> Self {
        Self(Mutex::new(LruCache::new(at_least_one(capacity))))
    }

    /// The statement, if its types are known.
    pub(super) fn known<'a>(&self, sql: &'a str) -> Option<Prepared<'a>> {
        let types = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned()?;
        Some(Prepared::Typed { sql, types: Types::Learned(types) })
    }

    /// Has a server infer them. What this prepares is gone from the server when the next message is read there; `alone` says
    /// that no transaction is open, which it takes to stay with one server so long.
    pub(super) async fn learn<'a>(&self, client: &Client, sql: &'a str, alone: bool) -> Result<Prepared<'a>, Error> {
        if alone {
            client.batch_execute("BEGIN").await?;
        }
        let prepared = client.prepare(sql).await;
        let types = prepared.map(|prepared| Arc::<[Type]>::from(prepared.params()));
        if alone {
            client.batch_execute("ROLLBACK").await?;
        }
        let types = types?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).put(sql.into(), types.clone());
        Ok(Prepared::Typed { sql, types: Types::Learned(types) })
    }

    pub(super) fn forget_all(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn at_least_one(capacity: usize) -> NonZeroUsize {
    NonZeroUsize::new(capacity).unwrap_or(NonZeroUsize::MIN)
}

/// An address is as good as a hash, once its lowest bits, which are alike, don't decide.
#[derive(Default)]
struct ByAddress(u64);

impl Hasher for ByAddress {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(MIX);
        }
    }

    fn write_usize(&mut self, address: usize) {
        let address = u64::try_from(address).unwrap_or(u64::MAX);
        // The table looks at the highest bits and at the lowest ones.
        let mixed = address.wrapping_mul(MIX);
        self.0 = mixed ^ (mixed >> 32);
    }
}

/// 2^64 divided by the golden ratio: neighbours lie far apart.
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
