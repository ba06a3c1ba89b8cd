//! One connection to Redis, whatever stands there.

use redis::aio::{ConnectionLike as _, MultiplexedConnection};
use redis::cluster_async::ClusterConnection;
use redis::{Cmd, ErrorKind, Pipeline, RedisError, RedisResult, ServerErrorKind, Value};

use crate::cache::place::hash;

/// A connection that many use at once, one command behind the other. It never leads to another server than it did: where it
/// breaks, it is over.
pub(super) enum Link {
    /// To one server, on this run of it.
    Server { connection: MultiplexedConnection, run: u64 },
    /// To a cluster, which leads elsewhere when a node is lost.
    Cluster(ClusterConnection),
}

impl Link {
    pub(super) async fn ask(&self, command: &Cmd) -> RedisResult<Value> {
        let answer = match self {
            Self::Server { connection, .. } => connection.clone().req_packed_command(command).await,
            Self::Cluster(connection) => connection.clone().req_packed_command(command).await,
        };
        // An error of the server's is an answer as well.
        answer.and_then(Value::extract_error)
    }

    /// Several commands about one family, in one round trip.
    pub(super) async fn ask_all(&self, commands: &Pipeline) -> RedisResult<Vec<Value>> {
        match self {
            Self::Server { connection, .. } => commands.query_async(&mut connection.clone()).await,
            Self::Cluster(connection) => commands.query_async(&mut connection.clone()).await,
        }
    }

    /// The run of the server, where there is one server.
    pub(super) fn run(&self) -> Option<u64> {
        match self {
            Self::Server { run, .. } => Some(*run),
            Self::Cluster(_) => None,
        }
    }
}

/// What stands for a run of a server: its `run_id`, cut short.
pub(super) fn run_of(id: &[u8]) -> u64 {
    hash(id)
}

/// Whether an error tells that the connection leads nowhere, or to a server that is no primary any more.
pub(super) fn is_over(error: &RedisError) -> bool {
    if error.is_connection_dropped() || error.is_connection_refusal() || error.is_unrecoverable_error() {
        return true;
    }
    matches!(
        error.kind(),
        ErrorKind::Io
            | ErrorKind::AuthenticationFailed
            | ErrorKind::ClusterConnectionNotFound
            | ErrorKind::Server(
                ServerErrorKind::ReadOnly
                    | ServerErrorKind::MasterDown
                    | ServerErrorKind::BusyLoading
                    | ServerErrorKind::ClusterDown
            )
    )
}
