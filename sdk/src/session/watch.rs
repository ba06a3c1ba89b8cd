//! A call as its caller sees it: how long it took in the end, and how it ended.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::cluster::Core;
use crate::error::{Error, ErrorKind};
use crate::metrics::{Call, Meters, Outcome};
use crate::pool::Line;
use crate::route::Route;

/// A call under way. What becomes of it is told once; where its future is dropped, that is what.
pub(super) struct Watch<'a> {
    core: &'a Core,
    operation: &'static str,
    entity: Option<&'static str>,
    began: Instant,
    is_told: AtomicBool,
    // Where the last try failed.
    place: Mutex<Option<Place>>,
}

/// A node, and the way there.
pub(super) type Place = (Arc<Meters>, Route);

impl<'a> Watch<'a> {
    pub(super) fn new(core: &'a Core, operation: &'static str, entity: Option<&'static str>) -> Self {
        let (began, is_told, place) = (Instant::now(), AtomicBool::new(false), Mutex::new(None));
        Self { core, operation, entity, began, is_told, place }
    }

    /// It ended well, there.
    pub(super) fn done(&self, meters: &Meters, route: Route) {
        if !self.is_told.swap(true, Ordering::Relaxed) {
            meters.ended(self.call(route, Outcome::Ok), self.began);
        }
    }

    /// It was there. What ends without a word of where, ended there.
    pub(super) fn came_to(&self, line: &Line, route: Route) {
        self.came_to_place((line.meters().clone(), route));
    }

    pub(super) fn came_to_place(&self, place: Place) {
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
    }

    /// It ended well, where it came to last.
    pub(super) fn is_done(&self) {
        self.end(Outcome::Ok);
    }

    /// It failed.
    pub(super) fn failed(&self, error: &Error) {
        self.core.metrics.error(self.operation, self.entity, error.kind().as_str());
        refused(self.core, error);
        self.end(Outcome::Error);
    }

    /// It was given up by its caller, with an error that is not ours.
    pub(super) fn is_given_up(&self) {
        self.end(Outcome::Error);
    }

    /// It has begun well, and goes on for as long as its caller wants.
    pub(super) fn goes_on(self) -> Timed {
        self.is_told.store(true, Ordering::Relaxed);
        Timed { operation: self.operation, entity: self.entity, began: self.began }
    }

    fn end(&self, outcome: Outcome) {
        if self.is_told.swap(true, Ordering::Relaxed) {
            return;
        }
        match &*self.place.lock().unwrap_or_else(PoisonError::into_inner) {
            Some((meters, route)) => meters.ended(self.call(*route, outcome), self.began),
            None => self.core.metrics.ended_nowhere(self.operation, self.entity, outcome, self.began),
        }
    }

    fn call(&self, route: Route, outcome: Outcome) -> Call {
        Call { operation: self.operation, entity: self.entity, route: Some(route), outcome }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.end(Outcome::Dropped);
    }
}

/// A call whose end is somewhere else than its beginning.
pub(super) struct Timed {
    operation: &'static str,
    entity: Option<&'static str>,
    began: Instant,
}

impl Timed {
    pub(super) fn ended(&self, meters: &Meters, route: Route, outcome: Outcome) {
        let Self { operation, entity, began } = *self;
        meters.ended(Call { operation, entity, route: Some(route), outcome }, began);
    }
}

/// Counts what was refused for the sake of residency.
pub(super) fn refused(core: &Core, error: &Error) {
    if error.kind() == ErrorKind::Residency {
        core.metrics.refusal(error.code().is_some());
    }
}
