//! One connection with its prepared statements.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Statement as Prepared};

use crate::entity::Statement;

/// A connection to one server.
pub(crate) struct Connection {
    client: Client,
    // The number among all that were opened to the node.
    number: usize,
    cache: Mutex<Cache>,
    // Of which schema its statements are, as the pool counts.
    schema: AtomicUsize,
    condemned: AtomicBool,
    forwards: Option<Arc<AtomicUsize>>,
}

struct Cache {
    // By the address of the entity's static statement: found without hashing its text. As many as the program has.
    entity: HashMap<usize, Prepared>,
    // By text, bounded: evicting one closes it on the server.
    text: LruCache<Box<str>, Prepared>,
}

impl Connection {
    pub(super) fn new(
        client: Client,
        number: usize,
        statement_cache: usize,
        forwards: Option<Arc<AtomicUsize>>,
    ) -> Self {
        let capacity = NonZeroUsize::new(statement_cache).unwrap_or(NonZeroUsize::MIN);
        let cache = Mutex::new(Cache { entity: HashMap::new(), text: LruCache::new(capacity) });
        let (schema, condemned) = (AtomicUsize::new(0), AtomicBool::new(false));
        Self { client, number, cache, schema, condemned, forwards }
    }

    pub(super) fn number(&self) -> usize {
        self.number
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// For what tokio-postgres wants exclusively: its own transactions.
    pub(crate) fn client_mut(&mut self) -> &mut Client {
        &mut self.client
    }

    /// How many commands the server has sent to other nodes on behalf of this connection; `None` where it is not watched.
    pub(crate) fn forwards(&self) -> Option<usize> {
        self.forwards.as_ref().map(|forwards| forwards.load(Ordering::Acquire))
    }

    /// Nobody may use it any more: the pool closes it.
    pub(super) fn condemn(&self) {
        self.condemned.store(true, Ordering::Relaxed);
    }

    /// Whether it is closed, or has to be.
    pub(super) fn is_unusable(&self) -> bool {
        self.client.is_closed() || self.condemned.load(Ordering::Relaxed)
    }

    /// The prepared form of an entity's statement.
    pub(crate) async fn prepare_static(
        &self,
        statement: &'static Statement,
    ) -> Result<Prepared, tokio_postgres::Error> {
        let address = std::ptr::from_ref(statement).addr();
        if let Some(prepared) = self.cache().entity.get(&address) {
            return Ok(prepared.clone());
        }
        let prepared = self.client.prepare_typed(statement.sql, statement.params).await?;
        self.cache().entity.insert(address, prepared.clone());
        Ok(prepared)
    }

    /// The prepared form of a text. Without `types` the server infers them.
    pub(crate) async fn prepare_text(&self, sql: &str, types: &[Type]) -> Result<Prepared, tokio_postgres::Error> {
        if let Some(prepared) = self.cache().text.get(sql) {
            return Ok(prepared.clone());
        }
        let prepared = self.client.prepare_typed(sql, types).await?;
        self.cache().text.put(sql.into(), prepared.clone());
        Ok(prepared)
    }

    /// Of which schema its statements are.
    pub(super) fn schema(&self) -> usize {
        self.schema.load(Ordering::Relaxed)
    }

    /// Forgets all statements that were prepared under an earlier schema than this.
    pub(super) fn is_under(&self, schema: usize) {
        if self.schema() != schema {
            self.schema.store(schema, Ordering::Relaxed);
            self.forget_statements();
        }
    }

    fn forget_statements(&self) {
        let mut cache = self.cache();
        cache.entity.clear();
        cache.text.clear();
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        // Each change is one insert or one clear, so a panic leaves nothing half-done.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
