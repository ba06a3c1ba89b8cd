//! Gives a tenant a shard of its own, while it and its neighbours are written to.

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::TenantKey;
use super::layout::Held;
use crate::admin::desk::Desk;
use crate::admin::splits::{self, LAST_ID, New};
use crate::admin::wire::{column, only};
use crate::error::Result;

/// Isolates the tenant; `source` is a connection to the node that has its shard. Within a transaction of the caller's.
pub(super) async fn isolate(desk: &Desk, source: &Client, held: &Held, key: &TenantKey) -> Result<i64> {
    let split = format!(
        "SELECT pg_catalog.isolate_tenant_to_new_shard($1::text::regclass, $2::text::{}, 'CASCADE', 'auto')",
        held.group.key_type
    );
    let last_id = column(only(&desk.query(LAST_ID, &[]).await?)?, 0)?;
    let tables =
        format!("SELECT logicalrelid FROM pg_catalog.pg_dist_partition WHERE colocationid = {}", held.group.colocation);
    let text = key.to_string();
    let params = [(&held.group.table as _, Type::TEXT), (&text as _, Type::TEXT)];
    let split = async { column(only(&desk.query(&split, &params).await?)?, 0) };
    splits::follow(source, &New { tables, last_id }, split, async || desk.interrupt().await).await
}
