//! What a statement is sent on: a connection of its own, that of its transaction, or a shared one.

use std::pin::Pin;
use std::sync::Arc;

use tokio::time::Instant;

use super::Connection;
use super::connect::Connector;
use super::lease::{InFlight, Lease};
use super::pace::PaceKey;
use super::shared::Share;
use crate::error::Error;
use crate::metrics::Meters;
use crate::topology::Node;

// Moved once per statement: cheaper than an allocation.
#[allow(clippy::large_enum_variant)]
pub enum Line {
    Own(Lease),
    OfTransaction(Arc<Lease>),
    Shared(Share),
}

impl Line {
    pub(crate) fn connection(&self) -> &Connection {
        match self {
            Self::Own(lease) => lease.connection(),
            Self::OfTransaction(lease) => lease.connection(),
            Self::Shared(share) => share.connection(),
        }
    }

    /// The node it leads to.
    pub(crate) fn node(&self) -> &Node {
        self.connector().node()
    }

    /// What is counted and timed of the node.
    pub(crate) fn meters(&self) -> &Arc<Meters> {
        self.connector().meters()
    }

    /// An error that was met on it, with what this knows of it: see [`Lease::explain`].
    pub(crate) fn explain(&self, error: Error) -> Error {
        self.connection().explain(error).on(self.node())
    }

    fn connector(&self) -> &Connector {
        match self {
            Self::Own(lease) => lease.connector(),
            Self::OfTransaction(lease) => lease.connector(),
            Self::Shared(share) => share.connector(),
        }
    }

    /// The connection that nobody else uses now; `None` for a shared one.
    pub(crate) fn lease(&self) -> Option<&Lease> {
        match self {
            Self::Own(lease) => Some(lease),
            Self::OfTransaction(lease) => Some(lease),
            Self::Shared(_) => None,
        }
    }

    /// The place on a shared connection.
    pub(crate) fn share(&self) -> Option<&Share> {
        match self {
            Self::Own(_) | Self::OfTransaction(_) => None,
            Self::Shared(share) => Some(share),
        }
    }

    /// Says that a statement starts. Whoever drops the mark before [`UnderWay::done`] has left it running.
    pub(crate) fn start(&self) -> UnderWay<'_> {
        let mark = match self {
            Self::Own(lease) => Mark::Own(lease.start()),
            Self::OfTransaction(lease) => Mark::Own(lease.start()),
            Self::Shared(share) => {
                share.start();
                Mark::Shared(share)
            }
        };
        UnderWay { mark, connector: self.connector(), sent: None }
    }

    /// Does all that this sends when it is first polled without anybody else's statement in between. Pinned by the caller, for
    /// each function that is given a future by value makes those around it larger by its size, and moves it.
    pub(crate) async fn in_one_go<F: Future>(&self, work: Pin<&mut F>) -> F::Output {
        match self {
            Self::Own(_) | Self::OfTransaction(_) => work.await,
            Self::Shared(share) => share.in_one_go(work).await,
        }
    }

    /// Sends one statement, when this is first polled, among those of others.
    pub(crate) async fn among_others<F: Future>(&self, work: Pin<&mut F>) -> F::Output {
        match self {
            Self::Own(_) | Self::OfTransaction(_) => work.await,
            Self::Shared(share) => share.among_others(work).await,
        }
    }

    /// Says that a reply will not be read to its end.
    pub(crate) fn abandon(&self) {
        self.lease().into_iter().for_each(Lease::abandon);
    }

    /// Says that the connection is in a transaction from now on, until [`ended`](Self::ended). On a shared one that is never
    /// so for longer than one message.
    pub(crate) fn began(&self) {
        self.lease().into_iter().for_each(Lease::began);
    }

    /// Has the connection closed in place of given back: see [`Lease::condemn`].
    pub(crate) fn condemn(&self) {
        self.lease().into_iter().for_each(Lease::condemn);
    }

    /// Says that the server has ended the transaction.
    pub(crate) fn ended(&self) {
        self.lease().into_iter().for_each(Lease::ended);
    }

    /// Says that a statement ran which may have changed the server's session: it is reset before its next user.
    pub(crate) fn may_have_session_state(&self) {
        self.lease().into_iter().for_each(Lease::may_have_session_state);
    }

    /// Says that the connection was ended from the other side.
    pub(crate) fn was_ended(&self) {
        self.connector().distrust(self.connection());
    }

    /// Says that the prepared statements are of no use any more.
    pub(crate) fn has_stale_statements(&self) {
        // Others on a shared connection may have said so before.
        let under = self.share().map_or_else(|| self.connection().schema(), Share::schema);
        self.connector().outdate_statements(self.connection(), under);
    }
}

/// A statement under way.
#[must_use = "dropping it means that the statement was left running"]
pub(crate) struct UnderWay<'a> {
    mark: Mark<'a>,
    connector: &'a Connector,
    sent: Option<Instant>,
}

enum Mark<'a> {
    Own(InFlight<'a>),
    Shared(&'a Share),
}

impl UnderWay<'_> {
    /// It is prepared, and sent now: what it takes from here on tells of its speed.
    pub(crate) fn sent(&mut self) {
        self.sent = Some(Instant::now());
    }

    /// The server's whole answer was read. `key` is that of a statement whose speed is worth knowing.
    pub(crate) fn done(self, key: Option<PaceKey>) {
        let sent = self.sent.unwrap_or_else(Instant::now);
        let time = match self.mark {
            Mark::Own(mark) => {
                mark.done();
                sent.elapsed()
            }
            Mark::Shared(share) => share.done(sent),
        };
        if let Some(key) = key.filter(|_| self.sent.is_some()) {
            self.connector.paces().took(key, time);
        }
    }
}
