//! What the databases that we made on a cluster's servers cost, and how that ends.

use futures_util::future::{join_all, try_join_all};
use tokio_postgres::types::Type;

use super::databases;
use super::metadata::execute;
use super::server::Server;
use crate::error::{Error, Result};
use crate::pool::Connection;

/// The databases in which somebody has a session on this node; those that Citus has of its own don't count.
pub(super) async fn used(session: &Connection) -> Result<Vec<String>> {
    const USED: &str = "SELECT DISTINCT datname::text FROM pg_catalog.pg_stat_activity WHERE backend_type = \
                        'client backend' AND NOT pg_catalog.starts_with(application_name, 'citus_')";
    let rows = session.client().query_typed(USED, &[]).await.map_err(Error::postgres)?;
    rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>().map_err(Error::postgres)
}

/// Ends the daemons of databases that nobody uses any more.
///
/// Citus starts one for each database on each node, and each of them keeps a connection to each node and looks for
/// deadlocks all the time: after a hundred tests that is most of the servers' connections, and much of the machine. The
/// next session in such a database starts it again.
pub(super) async fn rest(session: &Connection, used: &[String]) -> Result<()> {
    const REST: &str = "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity \
                        WHERE application_name = 'Citus Maintenance Daemon' AND backend_start < pg_catalog.now() - \
                        interval '10 s' AND pg_catalog.starts_with(datname::text, $1) AND datname::text <> ALL ($2)";
    let parameters = [(&databases::PREFIX as _, Type::TEXT), (&used as _, Type::TEXT_ARRAY)];
    session.client().query_typed(REST, &parameters).await.map_err(Error::postgres)?;
    Ok(())
}

/// Drops what earlier runs left on servers that are not ours. There the daemons of each node are connected to all the
/// others, so it takes force, and care that nobody else is there.
pub(super) async fn drop_old(primaries: &[&Server]) -> Result<()> {
    let session = async |server: &&Server| server.session(server.config().database()).await;
    let sessions = try_join_all(primaries.iter().map(session)).await?;
    let used = try_join_all(sessions.iter().map(used)).await?.concat();
    let drops = sessions.iter().map(async |session| {
        for name in databases::old(session).await?.iter().filter(|name| !used.contains(name)) {
            // One that another run drops at this moment is no failure of ours.
            if let Err(error) = execute(session, &format!("DROP DATABASE {name} WITH (FORCE)")).await {
                tracing::debug!(%error, name, "an old database stays");
            }
        }
        Ok(())
    });
    join_all(drops).await.into_iter().collect()
}
