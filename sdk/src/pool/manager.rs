//! Our `bb8::ManageConnection`: bb8-postgres probes at every checkout, drops the reason of a broken connection and has
//! no statement cache.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use tokio_postgres::error::SqlState;

use super::connect::Connector;
use super::connection::Connection;
use crate::error::{Error, Result};

/// Opens connections for bb8, and remembers why the last one could not be opened.
#[derive(Clone)]
pub(super) struct Manager(Arc<Inner>);

struct Inner {
    connector: Connector,
    last_failure: Mutex<Option<Error>>,
    // Counts failures, and those among them that no second try can mend.
    failures: watch::Sender<Failures>,
}

#[derive(Clone, Copy, Default)]
struct Failures {
    all: u64,
    hopeless: u64,
}

impl Manager {
    pub(super) fn new(connector: Connector) -> Self {
        Self(Arc::new(Inner { connector, last_failure: Mutex::new(None), failures: watch::Sender::default() }))
    }

    /// Waits for the next connection that can't be opened, from this call on. With `patience` only one counts that fails
    /// for good, by a wrong password or an unknown database: waiting longer is no use then.
    pub(super) fn failure(&self, patience: bool) -> impl Future<Output = Error> + Send + '_ {
        let mut failures = self.0.failures.subscribe();
        let counted = move |failures: &Failures| if patience { failures.hopeless } else { failures.all };
        let before = counted(&failures.borrow_and_update());
        async move {
            loop {
                // The sender lives as long as we do.
                if failures.wait_for(|now| counted(now) > before).await.is_ok()
                    && let Some(error) = self.last_failure()
                {
                    return error;
                }
            }
        }
    }

    /// Whether a connection that lay idle can be used.
    pub(super) fn is_usable(&self, connection: &Connection) -> bool {
        !connection.is_unusable() && self.0.connector.trusts(connection)
    }

    /// Why the last connection could not be opened; None if it could.
    pub(super) fn last_failure(&self) -> Option<Error> {
        self.slot().as_ref().cloned()
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<Error>> {
        self.0.last_failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl bb8::ManageConnection for Manager {
    type Connection = Connection;
    type Error = Error;

    async fn connect(&self) -> Result<Connection> {
        match self.0.connector.connect().await {
            Ok(connection) => {
                *self.slot() = None;
                Ok(connection)
            }
            Err(error) => {
                *self.slot() = Some(error.clone());
                let hopeless = u64::from(is_hopeless(&error));
                self.0.failures.send_modify(|failures| {
                    failures.all += 1;
                    failures.hopeless += hopeless;
                });
                Err(error)
            }
        }
    }

    async fn is_valid(&self, connection: &mut Connection) -> Result<()> {
        connection.client().check_connection().await.map_err(Error::postgres)
    }

    fn has_broken(&self, connection: &mut Connection) -> bool {
        !self.is_usable(connection)
    }
}

/// SQLSTATE classes 28 (bad log-in) and 3D (no such database).
pub(super) fn is_hopeless(error: &Error) -> bool {
    error.code().map(SqlState::code).is_some_and(|code| code.starts_with("28") || code.starts_with("3D"))
}
