//! Of many tasks that want one entry at once, one looks it up.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::memory::Generation;
use super::place::Place;

/// Who looks up what. Who asks after a write has begun a new generation, and so waits for nobody who began before it.
pub(super) struct Flights<T>(Mutex<HashMap<Key, watch::Receiver<Option<T>>>>);

type Key = (Arc<Place>, Generation);

/// What a task is to do.
pub(super) enum Part<'a, T> {
    /// Look it up, and tell.
    Lead(Lead<'a, T>),
    /// Wait for somebody who does.
    Wait(watch::Receiver<Option<T>>),
}

/// Somebody who looks something up. Dropped without a word, those who wait look for themselves.
pub(super) struct Lead<'a, T> {
    flights: &'a Flights<T>,
    key: Key,
    tell: watch::Sender<Option<T>>,
}

impl<T> Flights<T> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }

    pub(super) fn join(&self, place: &Arc<Place>, generation: Generation) -> Part<'_, T> {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match flights.entry((place.clone(), generation)) {
            Slot::Occupied(slot) => Part::Wait(slot.get().clone()),
            Slot::Vacant(slot) => {
                let (tell, told) = watch::channel(None);
                let key = slot.key().clone();
                slot.insert(told);
                Part::Lead(Lead { flights: self, key, tell })
            }
        }
    }
}

impl<T> Lead<'_, T> {
    /// Tells those who wait.
    pub(super) fn tell(self, outcome: T) {
        self.tell.send_replace(Some(outcome));
    }
}

impl<T> Drop for Lead<'_, T> {
    fn drop(&mut self) {
        self.flights.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// What the one who looks tells; `None` where it went without a word.
pub(super) async fn told<T: Clone>(mut waits: watch::Receiver<Option<T>>) -> Option<T> {
    waits.wait_for(Option::is_some).await.ok()?.clone()
}
