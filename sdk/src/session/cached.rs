//! Reads by key that go through the cache.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::timeout_at;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::call::{Call, End};
use super::executor::{Executor, Hold};
use super::get::{row_by_key, rows_by_keys, unreadable};
use super::written::{Reached, Written};
use super::{In, Pooled, Scope, Session};
use crate::cache::{Answer, Ask, Cache, Entry, Family, Kept, Loaded, Place, ReadAt, ToKeep, write_row};
use crate::cluster::Core;
use crate::entity::{Entity, EntityKey as _, Params, bytes_of};
use crate::error::{Error, Result};
use crate::pool::ForStatement;
use crate::retry::Progress;
use crate::route::Route;
use crate::routing::{Access, Need, Target};
use crate::schema::{CacheWay, Caching, ColumnDef, Table};
use crate::topology::Position;

/// Reads of the primary that tell how far the node's log had come before.
#[derive(Clone)]
pub(super) struct Filling {
    pooled: Pooled,
    read_at: Arc<Mutex<Option<ReadAt>>>,
}

impl Filling {
    fn new(pooled: &Pooled) -> Self {
        Self { pooled: pooled.clone(), read_at: Arc::default() }
    }

    fn read_at(&self) -> Option<ReadAt> {
        *self.read_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Executor for Filling {
    async fn hold(&self, need: Need, statement: Option<ForStatement>) -> Result<Hold> {
        // What a standby lacks would be kept for everybody.
        self.pooled.hold(Need { at_primary: true, ..need }, statement).await
    }

    fn route(&self) -> Result<Route> {
        self.pooled.route()
    }

    fn core(&self) -> &Arc<Core> {
        self.pooled.core()
    }

    fn target(&self) -> &Target {
        self.pooled.target()
    }

    fn written(&self) -> Option<&Written> {
        self.pooled.written()
    }

    fn call(&self) -> Call {
        self.pooled.call()
    }

    async fn again(&self, error: Error, attempt: &mut u32, progress: Progress, idempotent: bool) -> Result<()> {
        self.pooled.again(error, attempt, progress, idempotent).await
    }

    fn pooled(&self) -> &Pooled {
        &self.pooled
    }

    fn reached(&self, reached: Reached, hold: &Hold) {
        // A node that passed the read on tells of its own log alone.
        let is_own = matches!(hold.route, Route::Owner | Route::Single);
        let Reached { lsn, timeline } = reached;
        let read_at = is_own.then(|| ReadAt { group: hold.node().group, timeline, lsn });
        *self.read_at.lock().unwrap_or_else(PoisonError::into_inner) = read_at;
    }

    const STANDALONE: bool = true;
    const FILLS: bool = true;
}

/// A read that goes through the cache.
struct Through<'a> {
    cache: &'a Cache,
    family: Family,
    caching: Caching,
    after: Option<Position>,
}

impl<S: Scope, X: Executor> Session<S, X> {
    /// The row with this key, through the cache; `None` where this read is not for it.
    pub(super) async fn find_cached<E: In<S>>(
        &self,
        operation: &'static str,
        key: &E::Key,
    ) -> Option<Result<Option<E>>> {
        let through = self.through::<E>(&[CacheWay::ReadThrough, CacheWay::WriteThrough])?;
        Some(
            self.find_through(through, operation, key)
                .await
                .map_err(|error| error.of(operation, Some(E::table().entity))),
        )
    }

    /// The same of an entity that is cached by hand alone.
    pub(super) async fn find_by_hand<E: In<S>>(&self, operation: &'static str, key: &E::Key) -> Result<Option<E>> {
        match self.through::<E>(&[CacheWay::ReadThrough, CacheWay::WriteThrough, CacheWay::Aside]) {
            Some(through) => Box::pin(self.find_through(through, operation, key)).await,
            None => self.find_uncached(operation, key).await,
        }
    }

    async fn find_through<E: In<S>>(
        &self,
        through: Through<'_>,
        operation: &'static str,
        key: &E::Key,
    ) -> Result<Option<E>> {
        let Through { cache, family, caching, after } = through;
        let (end, pooled) = (End::of(&self.executor, None)?, self.executor.pooled());
        let ask = Ask { place: Arc::new(place::<E>(&family, key)?), caching, after };
        let load = async {
            let filling = Filling::new(pooled);
            let row = row_by_key::<E, S>(&self.scope, &filling, operation, key).await?;
            self.hold_own::<E>(operation, row.as_slice())?;
            let read = |row: &Row| E::read(row, 0).map_err(|error| unreadable::<E>(operation, error));
            let value = row.as_ref().map(read).transpose()?;
            Ok(Loaded { value, row: to_keep::<E>(row.as_ref()), read_at: filling.read_at() })
        };
        let answer = timeout_at(end.at(), cache.read(&ask, load)).await;
        let answer = answer.unwrap_or_else(|_| Err(end.error()))?;
        let is_hit = matches!(answer, Answer::Kept(_));
        pooled.core().metrics.cache(E::table().entity, usize::from(is_hit), usize::from(!is_hit));
        match answer {
            Answer::Fresh(value) => Ok(value),
            Answer::Kept(entry) => match self.kept::<E>(&entry) {
                Some(value) => Ok(value),
                None => {
                    // It is read as it is, and whoever reads next fills the place with what can be read.
                    cache.refused();
                    cache.forget_later(vec![crate::cache::Target::Row((*ask.place).clone())], caching.ttl);
                    self.find_uncached(operation, key).await
                }
            },
        }
    }

    /// The rows with these keys, through the cache; `None` where this read is not for it.
    pub(super) async fn get_many_cached<E: In<S>>(&self, keys: &[E::Key]) -> Option<Result<Vec<E>>> {
        let through = self.through::<E>(&[CacheWay::ReadThrough, CacheWay::WriteThrough])?;
        Some(self.get_many_through(through, keys).await.map_err(|error| error.of("get_many", Some(E::table().entity))))
    }

    async fn get_many_through<E: In<S>>(&self, through: Through<'_>, keys: &[E::Key]) -> Result<Vec<E>> {
        let Through { cache, family, caching, after } = through;
        // Each row once, however often it is asked for.
        let mut places: Vec<Arc<Place>> = Vec::with_capacity(keys.len());
        let mut wanted: Vec<&E::Key> = Vec::with_capacity(keys.len());
        let mut seen = std::collections::HashMap::with_capacity(keys.len());
        for key in keys {
            let place = Arc::new(place::<E>(&family, key)?);
            seen.entry(place.clone()).or_insert_with(|| {
                places.push(place);
                wanted.push(key);
                places.len() - 1
            });
        }
        let (found, missing) = cache.look_for(&places, caching, after).await;
        self.executor.core().metrics.cache(E::table().entity, found.len(), missing.numbers.len());
        let mut rows = Vec::with_capacity(keys.len());
        let mut unread: Vec<E::Key> = missing.numbers.iter().map(|&number| wanted[number].clone()).collect();
        for (number, entry) in found {
            match self.kept::<E>(&entry) {
                Some(row) => rows.extend(row),
                None => {
                    cache.refused();
                    unread.push(wanted[number].clone());
                }
            }
        }
        let filling = Filling::new(self.executor.pooled());
        let read = rows_by_keys::<E, S>(&self.scope, &filling, &unread).await?;
        self.hold_own::<E>("get_many", &read)?;
        let at_of: std::collections::HashMap<usize, usize> =
            missing.numbers.iter().enumerate().map(|(at, number)| (*number, at)).collect();
        let mut is_absent = vec![true; missing.numbers.len()];
        let mut to_be_kept = Vec::with_capacity(read.len());
        for row in &read {
            let value = E::read(row, 0).map_err(|error| unreadable::<E>("get_many", error))?;
            let at = seen.get(&place::<E>(&family, &value.key())?).and_then(|number| at_of.get(number));
            if let Some(&at) = at {
                is_absent[at] = false;
                to_be_kept.push((at, to_keep::<E>(Some(row))));
            }
            rows.push(value);
        }
        to_be_kept.extend((0..is_absent.len()).filter(|&at| is_absent[at]).map(|at| (at, ToKeep::Absence)));
        // One of many statements has its own place in the log, and an answer in several pieces has none.
        let read_at = filling.read_at().filter(|_| E::statements().get_many.is_some());
        cache.keep_all(&places, &missing, caching, to_be_kept, read_at).await;
        Ok(rows)
    }

    /// What was kept, if it can be read as a row of this scope; `Some(None)` where there is no such row.
    fn kept<E: In<S>>(&self, entry: &Entry) -> Option<Option<E>> {
        let Some(bytes) = &entry.row else { return Some(None) };
        let row = Kept::read(E::table(), bytes).and_then(|row| E::read(&row, 0)).ok()?;
        row.is_in(&self.scope).then_some(Some(row))
    }

    /// How this session's reads of an entity go through the cache, if they do.
    fn through<E: In<S>>(&self, ways: &[CacheWay]) -> Option<Through<'_>> {
        let caching = E::CACHING.filter(|caching| ways.contains(&caching.way))?;
        let (core, table) = (self.executor.core(), E::table());
        let cache = core.cache.as_deref()?;
        cache.knows(table, caching);
        let need = Need::new(Some(table), Access::Read);
        let after = self.executor.pooled().after(need).after;
        // Inside a transaction the rows are its own. What must stay in a region is vouched for by the node that has it.
        let is_apart = !X::STANDALONE || after == Some(Position::SOMEWHERE) || !is_exact(table);
        if is_apart || !matches!(core.bound(*self.executor.target(), need), Ok(None)) {
            cache.bypassed();
            return None;
        }
        Some(Through { cache, family: cache.family(table, &self.scope.kept_as()), caching, after })
    }
}

/// The place of the row with this key.
pub(super) fn place<E: Entity>(family: &Family, key: &E::Key) -> Result<Place> {
    let table = E::table();
    let mut params = Params::new();
    key.bind(&mut params);
    let wires: Vec<Type> =
        table.key.iter().filter_map(|name| table.column(name)).map(|column| column.wire.clone()).collect();
    Ok(family.place(&bytes_of(&wires, &params)?))
}

/// Whether two keys that are the same to the database are the same bytes. Where they need not be, a write would not find what was
/// kept under another spelling: such an entity is not cached.
pub(super) fn is_exact(table: &Table) -> bool {
    let column = |name: &str| table.column(name).is_some_and(is_exact_column);
    table.key.iter().copied().chain(table.distribution_column()).all(column)
}

fn is_exact_column(column: &ColumnDef) -> bool {
    match column.wire {
        Type::UUID | Type::INT2 | Type::INT4 | Type::INT8 | Type::BOOL | Type::BYTEA | Type::DATE => true,
        Type::TIMESTAMP | Type::TIMESTAMPTZ => true,
        // `citext`, `char(n)` and collations of one's own find other spellings as well.
        Type::TEXT | Type::VARCHAR => {
            let sql_type = column.sql_type.to_ascii_lowercase();
            let is_sized =
                |name: &str| sql_type.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('('));
            column.enumeration.is_some() || is_sized("text") || is_sized("varchar")
        }
        _ => false,
    }
}

/// What of an answer is kept.
fn to_keep<E: Entity>(row: Option<&Row>) -> ToKeep {
    match row {
        None => ToKeep::Absence,
        Some(row) => write_row(E::table(), row).map_or(ToKeep::Nothing, ToKeep::Row),
    }
}
