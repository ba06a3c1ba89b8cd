//! In place of what writes make old in the cache, where there is none: nothing.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::executor::Executor;
use super::{In, Pooled, Scope, Session};
use crate::cluster::Core;
use crate::entity::Distributed;
use crate::error::Result;
use crate::scope::Listed;

#[must_use = "what was written is forgotten by `done`"]
pub(super) struct Touch;

impl Touch {
    pub(super) async fn done<T>(self, outcome: Result<T>) -> Result<T> {
        outcome
    }
}

/// Nobody makes one.
pub enum Touched {}

impl Touched {
    pub(super) fn of(_: &Pooled) -> Option<Arc<Self>> {
        None
    }

    pub(super) async fn forget(&self) {
        match *self {}
    }
}

pub(super) enum Settles {}

impl Settles {
    pub(super) fn new(touched: Arc<Touched>, _: Arc<AtomicBool>) -> Self {
        match *touched {}
    }

    pub(super) async fn settle(self, _: bool) {
        match self {}
    }
}

pub(super) enum Touching {}

#[derive(Default)]
pub(super) struct TouchedTenants(());

impl TouchedTenants {
    pub(super) fn add<E: Distributed>(&mut self, _: &Core, _: &E::DistributionKey) {}

    pub(super) async fn forget(self, _: &Core) {}
}

impl<S: Scope, X: Executor> Session<S, X> {
    pub(super) fn touching_row<E: In<S>>(&self, _: impl FnOnce() -> E::Key) -> Option<Touching> {
        None
    }

    pub(super) fn touching_rows<E: In<S>>(&self, _: impl IntoIterator<Item = E::Key>) -> Option<Touching> {
        None
    }

    pub(super) fn touching_deleted<E: In<S>>(&self, _: &E::Key) -> Option<Touching> {
        None
    }

    #[expect(clippy::extra_unused_type_parameters, reason = "where there is a cache, it is of an entity")]
    pub(super) fn touching_all<E: In<S>>(&self) -> Option<Touching> {
        None
    }

    pub(super) fn touching_listed(&self, _: &[Listed]) -> Option<Touching> {
        None
    }

    pub(super) async fn touch(&self, _: Option<Touching>) -> Touch {
        Touch
    }
}
