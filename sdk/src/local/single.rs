//! One PostgreSQL server, as it is wanted.

use super::elsewhere;
use super::recipe::Recipe;
use super::server::Server;
use crate::config::Secret;
use crate::error::Result;

/// A throwaway server of plain PostgreSQL; [`start`](Single::start) starts it.
pub fn single() -> Single {
    Single::default()
}

/// What a server is to be like.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Single {
    recipe: Recipe,
    standbys: usize,
}

impl Single {
    /// Sets one of the server's parameters, such as `max_connections` or `shared_preload_libraries`.
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.recipe.settings.push((name.into(), value.into()));
        self
    }

    /// Has the server ask for this password (SCRAM), instead of trusting whoever reaches it.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.recipe.password = Some(Secret::new(password));
        self
    }

    /// Has the server take TLS and nothing else, with a certificate that is made out to the address `127.0.0.1` by a CA
    /// of its own.
    pub fn tls(mut self) -> Self {
        self.recipe.tls = true;
        self
    }

    /// Adds standbys that stream from it: [`Server::standbys`].
    pub fn standbys(mut self, standbys: usize) -> Self {
        self.standbys = standbys;
        self
    }

    /// Starts it, in about a second for the first one of a process and a tenth for the next. Where nothing special was
    /// asked for and `SHARDWISE_TEST_URL` names a server, that one is taken.
    ///
    /// # Errors
    /// [`ErrorKind::Local`](crate::ErrorKind::Local) where PostgreSQL is not installed or does not start, with the
    /// reason from its log.
    pub async fn start(self) -> Result<Server> {
        let is_plain = self.recipe.is_plain() && self.standbys == 0;
        match elsewhere::named()? {
            Some(config) if is_plain => Server::foreign(config).in_new_database().await,
            _ => self.recipe.primary().await?.with_standbys(self.standbys).await,
        }
    }
}
