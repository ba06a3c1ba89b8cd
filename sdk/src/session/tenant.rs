//! What has to be known of a tenant before its first statement: the hash of its key, and its home region.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::execute::run;
use super::job::{Answer, Effect, Job, Text};
use super::terms::HeldTo;
use super::{Pooled, Session, Tenant, TenantScope, watch};
use crate::cluster::{Core, REFUSAL_AGE};
use crate::entity::{DistributionKey, Params, bytes_of};
use crate::error::{Error, ErrorKind, Result};
use crate::routing::{Intent, Need, Target};
use crate::schema::{quote_ident, quote_qualified};
use crate::topology::hash::hash;
use crate::topology::{Hashing, Region, Residency, ShardMap};

/// The verb, as errors and spans name it.
const OPERATION: &str = "tenant";

/// The tenant with this key.
pub(crate) async fn tenant<K: DistributionKey>(core: Arc<Core>, key: K) -> Result<Tenant<K>> {
    let target = target(&core, &key).await.inspect_err(|error| watch::refused(&core, error))?;
    let tenant = HeldTo::new(&core, key.key_ref()).map_err(|error| error.of(OPERATION, None))?;
    if core.must_vet(Intent::Tenant) {
        Box::pin(vet(&core)).await.map_err(|error| error.of(OPERATION, None))?;
    }
    Ok(Session { scope: TenantScope { key }, executor: Pooled::new(core, target).held_to(tenant) })
}

/// What the router has to know of the tenant with this key.
pub(super) async fn target<K: DistributionKey>(core: &Arc<Core>, key: &K) -> Result<Target> {
    let (residency, key_ref) = (core.residency(), key.key_ref());
    let hash = match core.topology().usual_map(key_ref.key_type()).map(ShardMap::hashing) {
        // On the heap, for few wait for the server.
        Some(Hashing::Server(expression)) => Box::pin(hash_by_server(core, key, expression)).await?,
        Some(Hashing::Client) | None => hash(key_ref),
    };
    let key_type = key_ref.key_type();
    let consistency = core.config().reads.consistency;
    let target = Target { key: Some((key_type, Some(hash))), residency, consistency, ..Target::new(Intent::Tenant) };
    at_home(core, key, target).await
}

/// Makes sure that the database would hold the role that is logged in.
async fn vet(core: &Arc<Core>) -> Result<()> {
    let way = core.way(core.reference_target(), Need::ANY).await?;
    core.vet(&way.line, Intent::Tenant).await
}

/// The target with the tenant's home region, where its residency asks for one.
///
/// # Errors
/// [`ErrorKind::Residency`] where the tenant's data lie elsewhere than they have to.
pub(super) async fn at_home<K: DistributionKey>(core: &Arc<Core>, key: &K, mut target: Target) -> Result<Target> {
    if target.residency != Residency::Off {
        target.home = home_region(core, key, None).await?;
    }
    if let Err(refused) = core.check(target, Need::ANY) {
        if target.residency == Residency::Off {
            return Err(refused);
        }
        // It may have been relocated since these were read, each at a time of its own.
        core.refresh_if_old().await;
        target.home = home_region(core, key, Some(REFUSAL_AGE)).await?;
        core.check(target, Need::ANY)?;
    }
    Ok(target)
}

/// The hash of a key of a type that the server alone can hash.
async fn hash_by_server<K: DistributionKey>(core: &Arc<Core>, key: &K, expression: &str) -> Result<i32> {
    // Found under the name of no table: a key's hash never changes.
    let slot = core.directory.slot(None, Cow::Borrowed(""), Cow::Owned(expression.to_owned()), &key_bytes(key)?);
    let asked = async {
        let text = key.key_ref().text();
        let mut params = Params::new();
        params.push(&text);
        let row = ask_nearest(core, &format!("SELECT {expression}"), Type::TEXT, &params).await?;
        row.map(|row| row.try_get::<_, i32>(0).map_err(Error::postgres)).transpose()
    };
    let hash = core.directory.get(slot, asked).await?;
    hash.map(|hash| *hash).ok_or_else(|| Error::new(ErrorKind::Connect, "the server did not tell the key's hash"))
}

/// The home region that the directory has for this key, read not longer ago than `within`; `None` where it has no such row.
pub(super) async fn home_region<K: DistributionKey>(
    core: &Arc<Core>,
    key: &K,
    within: Option<Duration>,
) -> Result<Option<Region>> {
    let topology = core.topology();
    let Some(table) = topology.directory(key.key_ref().key_type()) else { return Ok(None) };
    if let Some(kept) = core.directory.home(table, key.key_ref(), within) {
        return Ok(kept);
    }
    let found = async {
        let sql = format!(
            "SELECT {}::text FROM {} WHERE {} = $1",
            quote_ident(&table.region_column),
            quote_qualified(Some(&table.schema), &table.table),
            quote_ident(&table.key_column)
        );
        let mut params = Params::new();
        params.push(key);
        let row = ask_nearest(core, &sql, K::WIRE, &params).await?;
        row.map(|row| row.try_get::<_, Region>(0).map_err(Error::postgres)).transpose()
    };
    // On the heap, for most tenants' are kept.
    let bytes = key_bytes(key)?;
    let region = Box::pin(core.directory.look_up_home(table, key.key_ref(), &bytes, found)).await;
    region.map_err(|error| error.during("the tenant's home region"))
}

/// The key as it is sent: what tells one from another.
fn key_bytes<K: DistributionKey>(key: &K) -> Result<Vec<u8>> {
    let mut params = Params::new();
    params.push(key);
    bytes_of(&[K::WIRE], &params).map_err(|error| error.of(OPERATION, None))
}

/// One row at most, from the nearest node.
async fn ask_nearest(core: &Arc<Core>, sql: &str, ty: Type, params: &Params<'_>) -> Result<Option<Row>> {
    let executor = Pooled::new(core.clone(), core.reference_target());
    let text = Text::Cached { sql, types: &[ty] };
    let job = Job { operation: OPERATION, table: None, text, params: params.as_slice(), effect: Effect::Reads };
    Ok(run::<Answer>(&executor, &job).await?.rows.into_iter().next())
}
