//! Whether all nodes of a cluster know the same of it.

use tokio_postgres::Client;

use super::facts::column;
use super::patient::Patient;
use super::{Finding, Subject};
use crate::error::{Error, Result};
use crate::topology::Role;

/// As the coordinator has it.
const NODES: &str = "\
    SELECT nodename::text, nodeport, isactive, hasmetadata AND metadatasynced FROM pg_catalog.pg_dist_node \
    WHERE noderole = 'primary' AND groupid <> 0 ORDER BY nodeid";

/// Which shards there are and where, and which nodes.
const DIGEST: &str = "\
    SELECT (SELECT count(*) FROM pg_catalog.pg_dist_placement), pg_catalog.md5(pg_catalog.concat( \
    (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(',', shardid, groupid, shardstate), ';' ORDER BY placementid) \
        FROM pg_catalog.pg_dist_placement), '/', \
    (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(',', nodeid, groupid, nodename, nodeport, noderole, isactive), ';' ORDER BY nodeid) \
        FROM pg_catalog.pg_dist_node)))";

pub(super) async fn look(patients: &[Patient]) -> Vec<Finding> {
    let coordinator = patients.iter().find(|patient| patient.node.role == Role::Coordinator);
    let Some((coordinator, client)) = coordinator.and_then(|it| Some((it, it.session.as_ref()?.client()))) else {
        let fix = "see what was found of the coordinator";
        let seen = "the coordinator can't be asked";
        return vec![Finding::unknown(Subject::Metadata, None, "the metadata of all nodes", seen, fix)];
    };
    let name = coordinator.name();
    let mut findings = match synced(client).await {
        Ok(findings) => findings,
        Err(error) => vec![Finding::failed(Subject::Metadata, &name, &error)],
    };
    let theirs = match digest(client).await {
        Ok(digest) => digest,
        Err(error) => {
            findings.push(Finding::failed(Subject::Metadata, &name, &error));
            return findings;
        }
    };
    for worker in patients.iter().filter(|patient| patient.node.role == Role::Worker) {
        let Some(session) = &worker.session else { continue };
        findings.push(match digest(session.client()).await {
            Ok(ours) => same(&worker.name(), &ours, &theirs),
            Err(error) => Finding::failed(Subject::Metadata, &worker.name(), &error),
        });
    }
    findings
}

/// Which workers have the metadata, as the coordinator knows.
async fn synced(client: &Client) -> Result<Vec<Finding>> {
    let tried = "the coordinator's pg_dist_node: isactive, hasmetadata, metadatasynced";
    let rows = client.query_typed(NODES, &[]).await.map_err(Error::postgres)?;
    let finding = |row: &tokio_postgres::Row| {
        let (host, port): (String, i32) = (column(row, 0)?, column(row, 1)?);
        let (is_active, has_metadata): (bool, bool) = (column(row, 2)?, column(row, 3)?);
        let node = format!("{host}:{port}");
        Ok(match (is_active, has_metadata) {
            (true, true) => Finding::fine(Subject::Metadata, Some(&node), tried, "it is active, and has the metadata"),
            (false, _) => Finding::critical(
                Subject::Metadata,
                Some(&node),
                tried,
                "it is not active: its shards can't be reached",
                &format!("SELECT citus_activate_node('{host}', {port}) on the coordinator"),
            ),
            (true, false) => Finding::warning(
                Subject::Metadata,
                Some(&node),
                tried,
                "it does not have the metadata: statements for its shards go by way of other nodes",
                &format!("SELECT start_metadata_sync_to_node('{host}', {port}) on the coordinator"),
            ),
        })
    };
    rows.iter().map(finding).collect()
}

fn same(name: &str, ours: &(i64, String), theirs: &(i64, String)) -> Finding {
    let tried = "its placements and nodes against those that the coordinator has";
    if ours == theirs {
        return Finding::fine(Subject::Metadata, Some(name), tried, format!("{} placements, all the same", ours.0));
    }
    let seen =
        format!("{} placements against {}, and not the same: it sends statements to the wrong place", ours.0, theirs.0);
    let fix = "SELECT start_metadata_sync_to_node(nodename, nodeport) FROM pg_dist_node, for this node, on the coordinator; \
               if a move is under way, look again when it is over";
    Finding::critical(Subject::Metadata, Some(name), tried, seen, fix)
}

async fn digest(client: &Client) -> Result<(i64, String)> {
    let row = client.query_typed_one(DIGEST, &[]).await.map_err(Error::postgres)?;
    Ok((column(&row, 0)?, column(&row, 1)?))
}
