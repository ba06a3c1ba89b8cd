//! What writes make old in the cache, and when everybody comes to know: when they are committed, before the caller does.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::cached::{is_exact, place};
use super::executor::Executor;
use super::{In, Pooled, Scope, Session};
use crate::cache::{Cache, Family, Marks, Place, Target};
use crate::cluster::Core;
use crate::entity::{Distributed, DistributionKey as _, Entity};
use crate::error::{Error, Result};
use crate::routing::Intent;
use crate::schema::{CacheWay, Caching, OnDelete, Table};
use crate::scope::Listed;

/// Of more rows of one entity all of the tenant's are forgotten.
const MOST_ROWS: usize = 256;

/// What a mark outlives a call by.
const LATER: Duration = Duration::from_secs(1);

/// What one write makes old. Dropped before its outcome is known, it may have been done: then it is forgotten in the background.
#[must_use = "what was written is forgotten by `done`"]
pub(super) struct Touch(Option<Box<Open>>);

struct Open {
    cache: Arc<Cache>,
    targets: Vec<Target>,
    longest: Duration,
    /// By when the server is done with the write, whatever becomes of the call.
    last: Duration,
    marks: Marks,
}

impl Touch {
    /// The outcome, when everybody knows what it made old.
    pub(super) async fn done<T>(mut self, outcome: Result<T>) -> Result<T> {
        if let Some(open) = self.0.take() {
            Box::pin(open.done(outcome.as_ref().err())).await;
        }
        outcome
    }
}

impl Open {
    async fn done(self, error: Option<&Error>) {
        let Self { cache, targets, longest, last, marks } = self;
        match error {
            None => cache.forget(targets, longest).await,
            // What the server has refused was not done.
            Some(error) if error.code().is_some() && !error.is_outcome_unknown() => cache.unmark(&marks).await,
            Some(_) => cache.forget_doubtful(targets, longest, last).await,
        }
    }
}

impl Drop for Touch {
    fn drop(&mut self) {
        if let Some(Open { cache, targets, longest, last, .. }) = self.0.take().map(|open| *open) {
            cache.forget_doubtful_later(targets, longest, last);
        }
    }
}

/// What the writes of a transaction make old. Shared by its sessions.
pub struct Touched {
    cache: Arc<Cache>,
    last: Duration,
    all: Mutex<Collected>,
}

#[derive(Default)]
struct Collected {
    targets: Vec<Target>,
    longest: Duration,
    marks: Marks,
}

impl Touched {
    pub(super) fn of(executor: &Pooled) -> Option<Arc<Self>> {
        let cache = executor.core().cache.clone()?;
        let all = Mutex::new(Collected { marks: Marks::new(), ..Collected::default() });
        Some(Arc::new(Self { cache, last: longest_write(executor.core()), all }))
    }

    fn all(&self) -> MutexGuard<'_, Collected> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, targets: Vec<Target>, longest: Duration) {
        let mut all = self.all();
        all.longest = all.longest.max(longest);
        for target in targets {
            if !all.targets.contains(&target) {
                all.targets.push(target);
            }
        }
    }

    async fn mark(&self, places: Vec<Place>, longest: Duration) {
        // Not held while Redis is asked. Two at once is not what a transaction does; the marks of one would be taken for its last.
        let mut marks = std::mem::take(&mut self.all().marks);
        self.cache.mark(&mut marks, places, longest).await;
        self.all().marks = marks;
    }

    fn take(&self) -> (Vec<Target>, Duration, Marks) {
        let all = std::mem::take(&mut *self.all());
        (all.targets, all.longest, all.marks)
    }

    /// Has everybody forget what was committed.
    pub(super) async fn forget(&self) {
        let (targets, longest, _) = self.take();
        if !targets.is_empty() {
            self.cache.forget(targets, longest).await;
        }
    }
}

/// Ends what a transaction touched: dropped, in the background.
pub(super) struct Settles {
    touched: Arc<Touched>,
    committing: Arc<AtomicBool>,
}

impl Settles {
    pub(super) fn new(touched: Arc<Touched>, committing: Arc<AtomicBool>) -> Self {
        Self { touched, committing }
    }

    /// Where COMMIT was sent, what was written may be there; where that went well, it is.
    pub(super) async fn settle(self, is_well: bool) {
        let Touched { cache, last, .. } = &*self.touched;
        let (targets, longest, marks) = self.touched.take();
        if !self.committing.load(Ordering::Relaxed) {
            cache.unmark(&marks).await;
        } else if is_well && !targets.is_empty() {
            cache.forget(targets, longest).await;
        } else if !targets.is_empty() {
            cache.forget_doubtful(targets, longest, *last).await;
        }
    }
}

impl Drop for Settles {
    fn drop(&mut self) {
        let (targets, longest, _) = self.touched.take();
        if self.committing.load(Ordering::Relaxed) && !targets.is_empty() {
            self.touched.cache.forget_doubtful_later(targets, longest, self.touched.last);
        }
    }
}

/// How long a write is under way at most.
fn longest_write(core: &Core) -> Duration {
    core.config().timeouts().call + LATER
}

/// What a write is about to make old.
pub(super) struct Touching {
    caching: Caching,
    places: Vec<Place>,
    families: Vec<Family>,
}

/// The tenants whose rows of one entity a COPY writes.
#[derive(Default)]
pub(super) struct TouchedTenants {
    families: HashSet<Family>,
    longest: Duration,
}

impl TouchedTenants {
    pub(super) fn add<E: Distributed>(&mut self, core: &Core, tenant: &E::DistributionKey) {
        let (Some(caching), Some(cache)) = (E::CACHING, &core.cache) else { return };
        self.longest = caching.ttl;
        self.families.insert(cache.family(E::table(), &tenant.key_ref().text()));
    }

    /// Has everybody forget what they had, which may be that they had nothing.
    pub(super) async fn forget(self, core: &Core) {
        if let Some(cache) = core.cache.as_ref().filter(|_| !self.families.is_empty()) {
            cache.forget(self.families.into_iter().map(Target::Family).collect(), self.longest).await;
        }
    }
}

impl<S: Scope, X: Executor> Session<S, X> {
    /// A write of the row with this key.
    pub(super) fn touching_row<E: In<S>>(&self, key: impl FnOnce() -> E::Key) -> Option<Touching> {
        if E::CACHING.is_none() { None } else { self.touching_rows::<E>([key()]) }
    }

    /// The same of some rows.
    pub(super) fn touching_rows<E: In<S>>(&self, keys: impl IntoIterator<Item = E::Key>) -> Option<Touching> {
        let (cache, caching) = self.cache_of::<E>()?;
        let (table, family) = (E::table(), cache.family(E::table(), &self.scope.kept_as()));
        let places = keys.into_iter().take(MOST_ROWS + 1).map(|key| place::<E>(&family, &key));
        let places: Result<Vec<Place>> = places.collect();
        // A key that the server makes is known to nobody before.
        let is_generated =
            table.key.iter().any(|name| table.column(name).is_some_and(|column| column.generated.is_some()));
        Some(match places {
            Ok(places) if places.len() <= MOST_ROWS && !is_generated => {
                Touching { caching, places, families: Vec::new() }
            }
            _ => Touching { caching, places: Vec::new(), families: vec![family] },
        })
    }

    /// A delete of this row, and of what goes with it as far as this process knows of it.
    pub(super) fn touching_deleted<E: In<S>>(&self, key: &E::Key) -> Option<Touching> {
        let cache = self.executor.core().cache.as_deref()?;
        let (families, longest) = deleted_with(cache, E::table(), &self.scope.kept_as());
        match self.touching_row::<E>(|| key.clone()) {
            Some(mut touching) => {
                touching.families.extend(families);
                touching.caching.ttl = touching.caching.ttl.max(longest);
                Some(touching)
            }
            None => Touching::families(families, longest),
        }
    }

    /// A write of any of an entity's rows that are in the scope.
    pub(super) fn touching_all<E: In<S>>(&self) -> Option<Touching> {
        let (cache, caching) = self.cache_of::<E>()?;
        Touching::families(vec![cache.family(E::table(), &self.scope.kept_as())], caching.ttl)
    }

    /// A write by a statement that names these entities. Which of them it writes is not known.
    pub(super) fn touching_listed(&self, listed: &[Listed]) -> Option<Touching> {
        let cache = self.executor.core().cache.as_deref().filter(|_| !listed.is_empty())?;
        let (tenant, is_tenant) = (self.scope.kept_as(), self.executor.target().intent == Intent::Tenant);
        let (mut families, mut longest) = (Vec::new(), Duration::ZERO);
        // A tenant's statement writes no rows that are everybody's.
        for listed in listed.iter().filter(|listed| (listed.key)().is_some() == is_tenant) {
            let table = (listed.table)();
            if let Some(caching) = listed.caching {
                families.push(cache.family(table, &tenant));
                longest = longest.max(caching.ttl);
            }
            let (more, at_most) = deleted_with(cache, table, &tenant);
            longest = longest.max(at_most);
            families.extend(more);
        }
        Touching::families(families, longest)
    }

    fn cache_of<E: Entity>(&self) -> Option<(&Cache, Caching)> {
        let caching = E::CACHING?;
        let cache = self.executor.core().cache.as_deref()?;
        cache.knows(E::table(), caching);
        is_exact(E::table()).then_some((cache, caching))
    }

    /// Begins a write. Where the entity is written through the cache, Redis is told now; in a transaction everything else is done
    /// at its end.
    pub(super) async fn touch(&self, touching: Option<Touching>) -> Touch {
        let (Some(Touching { caching, places, families }), Some(cache)) = (touching, &self.executor.core().cache)
        else {
            return Touch(None);
        };
        let marked = if caching.way == CacheWay::WriteThrough { places.clone() } else { Vec::new() };
        let last = longest_write(self.executor.core());
        let targets = places.into_iter().map(Target::Row).chain(families.into_iter().map(Target::Family)).collect();
        if let Some(touched) = self.executor.touched() {
            touched.add(targets, caching.ttl);
            if !marked.is_empty() {
                Box::pin(touched.mark(marked, last)).await;
            }
            return Touch(None);
        }
        let mut open =
            Box::new(Open { cache: cache.clone(), targets, longest: caching.ttl, last, marks: Marks::new() });
        if !marked.is_empty() {
            Box::pin(cache.mark(&mut open.marks, marked, last)).await;
        }
        Touch(Some(open))
    }
}

impl Touching {
    fn families(families: Vec<Family>, longest: Duration) -> Option<Self> {
        let caching = Caching { way: CacheWay::ReadThrough, ttl: longest, negative: None };
        (!families.is_empty()).then_some(Self { caching, places: Vec::new(), families })
    }
}

/// The families of what is changed with a deleted row: the rows that reference it, of the entities that this process has
/// met, if they go or change with it; and those that go with them. And for how long any of it is kept.
fn deleted_with(cache: &Cache, table: &'static Table, tenant: &str) -> (Vec<Family>, Duration) {
    let known = cache.known();
    let (mut gone, mut families, mut longest) = (vec![table], Vec::new(), Duration::ZERO);
    let mut at = 0;
    while let Some(&deleted) = gone.get(at) {
        at += 1;
        for &(other, caching) in known.iter() {
            let follows = other.foreign_keys.iter().any(|key| {
                std::ptr::eq((key.target)(), deleted) && matches!(key.on_delete, OnDelete::Cascade | OnDelete::SetNull)
            });
            // Rows of a tenant that reference everybody's are too many tenants' to name them.
            let is_reachable = other.distribution_column().is_some() == deleted.distribution_column().is_some();
            if follows && is_reachable && !gone.iter().any(|known| std::ptr::eq(*known, other)) {
                gone.push(other);
                families.push(cache.family(other, tenant));
                longest = longest.max(caching.ttl);
            }
        }
    }
    (families, longest)
}
