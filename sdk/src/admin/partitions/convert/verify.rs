//! Compares the source and the shadow.

use super::source::Source;
use crate::admin::partitions::ground::{Ground, Parent, refused};
use crate::admin::wire::{column, only};
use crate::error::Result;
use crate::schema::quote_ident;

/// Both in one statement. Each writer's transaction keeps both equal, so in one snapshot they are; on Citus each shard has its
/// own, and within a shard they are. Returns the number of rows.
///
/// # Errors
/// Where they differ; the message tells of how many tenants.
pub(super) async fn verify(ground: &Ground, parent: &Parent, source: &Source, shadow: &str) -> Result<u64> {
    let key = parent.def.distribution_column().map(quote_ident).unwrap_or_default();
    let columns: Vec<String> = parent.def.columns.iter().map(|column| quote_ident(column.name)).collect();
    let side = |number: u8, table: &str| {
        format!(
            "SELECT {number} AS side, {key}, pg_catalog.hashtextextended(ROW({})::text, 0)::numeric AS hash FROM {table}",
            columns.join(", ")
        )
    };
    let both = format!("{} UNION ALL {}", side(0, &source.at), side(1, shadow));
    // One row per side; a side without rows has none.
    let sums = format!("SELECT side, count(*), sum(hash)::text FROM ({both}) rows GROUP BY side ORDER BY side");
    let (mut counts, mut hashes) = ([0_i64; 2], [None::<String>, None]);
    for row in ground.ask(&sums).await? {
        let side = usize::try_from(column::<i32>(&row, 0)?).unwrap_or_default();
        counts[side] = column(&row, 1)?;
        hashes[side] = column(&row, 2)?;
    }
    if counts[0] == counts[1] && hashes[0] == hashes[1] {
        return Ok(counts[0].unsigned_abs());
    }
    let differing = format!(
        "SELECT count(*) FROM (SELECT {key} FROM ({both}) rows GROUP BY {key} \
         HAVING sum(CASE side WHEN 0 THEN hash ELSE -hash END) <> 0 OR sum(CASE side WHEN 0 THEN 1 ELSE -1 END) <> 0) t"
    );
    let tenants: i64 = column(only(&ground.ask(&differing).await?)?, 0)?;
    Err(refused(format!(
        "{} and its copy differ: {} and {} rows, and those of {tenants} tenants differ. Somebody wrote past the triggers \
         (session_replication_role = replica), or changed the copy: drop the schema {} with CASCADE, and run it again",
        source.at,
        counts[0],
        counts[1],
        super::NEW
    )))
}
