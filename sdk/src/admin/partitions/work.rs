//! What there is to do with a table.

use std::time::Duration;

use super::changes::Change;
use super::ground::{Ground, Parent};
use super::retire::{self, Fate};
use super::{attach, create, default};
use crate::error::Result;
use crate::schema::Bounds;

/// One of the commands.
#[derive(Debug, Clone, Copy)]
pub(super) enum Work<'a> {
    /// The current partition and so many more.
    CreateFuture(usize),
    FillGaps,
    CreateDefault,
    DrainDefault,
    /// What is older than this.
    Retire(Duration, Fate),
    /// The partition of this name.
    Detach(&'a str),
    /// What was broken off.
    FinishDetaching,
    /// The default partition, where it has no rows.
    DropEmptyDefault,
    /// The table of this name, for these bounds or those of its rows.
    Attach(&'a str, Option<Bounds>),
}

/// What is left after that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    Nothing,
    /// The default partition has become another one, so that all that was read is not so any more: once more.
    Again,
}

impl Work<'_> {
    pub(super) async fn on(&self, ground: &Ground, parent: &Parent, changes: &mut Vec<Change>) -> Result<Rest> {
        let done = match *self {
            Self::CreateFuture(ahead) => return create::future(ground, parent, ahead, changes).await,
            Self::FillGaps => return create::gaps(ground, parent, changes).await,
            Self::DrainDefault => return default::drain(ground, parent, changes).await,
            Self::CreateDefault => default::create(ground, parent, changes).await,
            Self::Retire(age, fate) => retire::older_than(ground, parent, age, fate, changes).await,
            Self::Detach(partition) => retire::detach_one(ground, parent, partition, changes).await,
            Self::DropEmptyDefault => default::drop_empty(ground, parent, changes).await,
            Self::FinishDetaching => retire::finish(ground, parent, changes).await,
            Self::Attach(table, bounds) => attach::one(ground, parent, table, bounds, changes).await,
        };
        done.map(|()| Rest::Nothing)
    }
}
