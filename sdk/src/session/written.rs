//! What a session has written, and how its later reads come to see that: read-your-writes from standbys.
//!
//! Right behind each write, and behind the COMMIT of each transaction, the server is asked how far its log has come; the answer
//! comes with theirs. A standby that has replayed so much has what was written. Whether it really has is asked of the standby
//! itself, right before the read and in its round trip: so nothing depends on what was known of it a moment ago.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::join;
use tokio_postgres::types::Type;

use super::executor::Hold;
use super::{Pooled, Scope, Session};
use crate::config::Consistency;
use crate::entity::Statement;
use crate::error::{Error, ErrorKind, Result};
use crate::pool::{Connection, Prepared};
use crate::route::Route;
use crate::topology::{Node, Position};

/// Where the next record begins.
static WRITTEN: Statement = Statement { sql: crate::cluster::WRITTEN, params: &[] };

/// Whether a standby has come so far.
static HAS_REPLAYED: Statement = Statement {
    sql: "SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_last_wal_replay_lsn(), '0/0') >= $1",
    params: &[Type::INT8],
};

/// How far a session has written. Shared by the clones of its handle.
#[derive(Clone, Default)]
pub struct Written(Arc<Mutex<Option<Position>>>);

impl Written {
    pub(super) fn get(&self) -> Option<Position> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Also so far. Writes to several nodes have no place in common: then the primaries alone are sure to have them.
    pub(super) fn add(&self, new: Position) {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *place = match *place {
            None => Some(new),
            Some(old) if old.group == new.group && old != Position::SOMEWHERE => {
                Some(Position { lsn: old.lsn.max(new.lsn), ..old })
            }
            Some(_) => Some(Position::SOMEWHERE),
        };
    }

    /// Keeps what a node told after a write. A node that passed it on tells of its own log alone.
    pub(super) fn keep(&self, told: Result<u64>, node: &Node, route: Route) {
        self.add(match (told, route) {
            (Ok(lsn), Route::Owner | Route::Single) => Position { group: node.group, lsn },
            _ => Position::SOMEWHERE,
        });
    }
}

/// A write on its way. Dropped before its outcome is known, it may have been done: then the primaries alone are sure to have it.
pub(super) struct Unknown(Option<Written>);

impl Unknown {
    pub(super) fn new(written: &Written) -> Self {
        Self(Some(written.clone()))
    }

    pub(super) fn known(mut self) {
        self.0 = None;
    }
}

impl Drop for Unknown {
    fn drop(&mut self) {
        self.0.iter().for_each(|written| written.add(Position::SOMEWHERE));
    }
}

/// Asks how far the log has come. What was sent before on the connection is in it.
pub(super) async fn place(connection: &Connection) -> Result<u64> {
    // Prepared before, where it must not wait.
    let statement = connection.prepare_static(&WRITTEN).await.map_err(Error::postgres)?;
    let rows = statement.query(connection.client(), &[]).await.map_err(Error::postgres)?;
    let row = rows.first().ok_or_else(|| Error::new(ErrorKind::Codec, "the server returned no row"))?;
    let number = |at| row.try_get::<_, i64>(at).map_err(Error::postgres);
    let (next, page, segment) = (number(0)?, number(1)?, number(2)?);
    let beyond = |_| Error::new(ErrorKind::Unsupported, "the server's log is longer than this version can count");
    let [next, page, segment] = [next, page, segment].map(|number| u64::try_from(number).map_err(beyond));
    Ok(Position::last_end(next?, page?, segment?))
}

/// The timeline that the server writes to, of which each promotion begins a new one.
static TIMELINE: Statement = Statement {
    sql: "SELECT ('x' || pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 8))::bit(32)::int8",
    params: &[],
};

/// How far a node's log had come.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(feature = "cache"), allow(dead_code, reason = "nobody keeps what was read"))]
pub struct Reached {
    pub(super) lsn: u64,
    pub(super) timeline: u32,
}

/// How far the log has come, ready to be asked right before a statement.
pub(super) struct Before(Prepared<'static>);

impl Before {
    pub(super) async fn prepared(connection: &Connection) -> Result<Self> {
        prepare(connection).await?;
        connection.prepare_static(&TIMELINE).await.map(Self).map_err(Error::postgres)
    }

    pub(super) async fn ask(&self, connection: &Connection) -> Result<Reached> {
        let timeline = async { self.0.query(connection.client(), &[]).await.map_err(Error::postgres) };
        let (rows, lsn) = join(timeline, place(connection)).await;
        let timeline = super::row::scalar::<i64>(&rows?)?;
        let beyond = |_| Error::new(ErrorKind::Codec, "the server told no timeline");
        Ok(Reached { lsn: lsn?, timeline: u32::try_from(timeline).map_err(beyond)? })
    }
}

/// Has the connection know the question, so that it can be sent right behind a statement.
pub(super) async fn prepare(connection: &Connection) -> Result<()> {
    connection.prepare_static(&WRITTEN).await.map(drop).map_err(Error::postgres)
}

/// Makes sure that a standby has what a read has to see; nothing on other routes. To be sent right before the read.
pub(super) struct Seen {
    statement: Option<Prepared<'static>>,
    lsn: i64,
}

impl Seen {
    pub(super) async fn prepared(connection: &Connection, route: Route, after: Option<Position>) -> Result<Self> {
        let after = after.filter(|_| route == Route::Replica);
        let statement = match after {
            Some(_) => Some(connection.prepare_static(&HAS_REPLAYED).await.map_err(Error::postgres)?),
            None => None,
        };
        let lsn = after.map_or(0, |position| i64::try_from(position.lsn).unwrap_or(i64::MAX));
        Ok(Self { statement, lsn })
    }

    /// Asks it on the connection that is held.
    pub(super) async fn ask(hold: &Hold) -> Result<()> {
        let (mark, connection) = (hold.start(), hold.connection());
        let seen = async { Self::prepared(connection, hold.route, hold.after).await?.check(connection).await }.await;
        mark.done(None);
        seen
    }

    /// # Errors
    /// [`ErrorKind::NoReplica`] where it has not.
    pub(super) async fn check(&self, connection: &Connection) -> Result<()> {
        let Some(statement) = &self.statement else { return Ok(()) };
        let rows = statement.query(connection.client(), &[&self.lsn]).await.map_err(Error::postgres)?;
        match super::row::scalar(&rows)? {
            Some(true) => Ok(()),
            Some(false) | None => {
                Err(Error::new(ErrorKind::NoReplica, "the standby does not have what the session wrote any more"))
            }
        }
    }
}

impl<S: Scope> Session<S, Pooled> {
    /// From where this handle's reads may come, in place of what the configuration says. With
    /// [`Consistency::Session`] a new session begins: what is written through this handle and its clones from now on is seen by
    /// their reads.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use shardwise::config::{Consistency, Otherwise};
    /// # use shardwise::{Entity, Tenant, Uuid};
    /// # #[derive(Entity)]
    /// # #[entity(table = "wallets", distributed_by = festival_id)]
    /// # struct Wallet { festival_id: Uuid, #[entity(key)] id: Uuid, balance: i64 }
    ///
    /// # async fn f(fest: Tenant, id: Uuid) -> shardwise::Result<()> {
    /// // For a board that may lag by a second.
    /// let board = fest.clone().with_consistency(Consistency::replica_ok(Duration::from_secs(1), Otherwise::Primary));
    /// let wallets = board.select::<Wallet>().all().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_consistency(mut self, consistency: Consistency) -> Self {
        self.executor = self.executor.reading(consistency);
        self
    }

    /// How far this session has written, for one that goes on elsewhere: in the next request, in another process. `None` where
    /// it has written nothing, or is none: see [`Consistency::Session`].
    ///
    /// ```
    /// # use shardwise::config::Consistency;
    /// # use shardwise::{Cluster, Entity, Position, Tenant, Uuid};
    /// # #[derive(Entity)]
    /// # #[entity(table = "wallets", distributed_by = festival_id)]
    /// # struct Wallet { festival_id: Uuid, #[entity(key)] id: Uuid, balance: i64 }
    /// # async fn f(cluster: Cluster, festival_id: Uuid, wallet: Wallet) -> shardwise::Result<()> {
    /// let fest = cluster.tenant(festival_id).await?.with_consistency(Consistency::Session);
    /// fest.insert(&wallet).await?;
    /// let cookie = fest.position().map(|position| position.to_string());
    ///
    /// // In the next request:
    /// let mut fest = cluster.tenant(festival_id).await?.with_consistency(Consistency::Session);
    /// if let Some(Ok(position)) = cookie.map(|cookie| cookie.parse::<Position>()) {
    ///     fest = fest.after(position);
    /// }
    /// let wallet = fest.get::<Wallet>(wallet.id).await?; // sees it, wherever it is read
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        self.executor.written.as_ref()?.get()
    }

    /// Has this session's reads see what was written up to there as well. It is one from now on.
    #[must_use]
    pub fn after(self, position: Position) -> Self {
        let session = if self.executor.written.is_some() { self } else { self.with_consistency(Consistency::Session) };
        session.executor.written.iter().for_each(|written| written.add(position));
        session
    }
}

#[cfg(test)]
mod tests {
    use super::Written;
    use crate::topology::Position;

    #[test]
    fn the_farthest_place_on_one_node_counts_and_several_nodes_have_none() {
        let written = Written::default();
        for (group, lsn, kept) in [(1, 20, (1, 20)), (1, 10, (1, 20)), (1, 30, (1, 30))] {
            written.add(Position { group, lsn });
            assert_eq!(written.get(), Some(Position { group: kept.0, lsn: kept.1 }));
        }
        written.add(Position { group: 2, lsn: 5 });
        assert_eq!(written.get(), Some(Position::SOMEWHERE));
        written.add(Position { group: 2, lsn: 6 });
        assert_eq!(written.get(), Some(Position::SOMEWHERE));
    }
}
