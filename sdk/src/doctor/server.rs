//! One server by itself.

use tokio_postgres::Client;

use super::compare::Chart;
use super::facts::{Facts, column};
use super::patient::Patient;
use super::{Finding, Subject};
use crate::admin;
use crate::cluster;
use crate::config::{Config, Mode};
use crate::entity::Schema;
use crate::error::{Error, Result};
use crate::pool::Connection;
use crate::status::bytes;
use crate::topology::Role;

/// Looks at one that has let us in.
pub(super) async fn look(config: &Config, patient: &Patient) -> Option<Result<(Chart, Vec<Finding>)>> {
    let client = patient.session.as_ref()?.client();
    let looked = async {
        let facts = Facts::read(client).await?;
        let name = patient.name();
        let mut findings = vec![role(patient, &facts), limits(config, patient, &facts), libraries(&name, &facts)];
        findings.extend(encrypted(config, &name, &facts));
        findings.extend(collation(&name, &facts));
        if !facts.is_standby {
            findings.extend(slots(client, &name).await?);
            findings.extend(standbys(client, &name, &facts).await?);
        }
        if facts.citus.is_some() && patient.node.role != Role::Replica {
            findings.push(decoding(&name, &facts));
        }
        Ok((Chart { name, facts }, findings))
    };
    Some(
        tokio::time::timeout(config.timeouts.statement, looked)
            .await
            .unwrap_or_else(|_| Err(Error::timed_out(crate::error::Limit::Statement, config.timeouts.statement))),
    )
}

/// Whether it is what it is taken for. Of several that take writes one alone is the primary, and what others are given is lost.
fn role(patient: &Patient, facts: &Facts) -> Finding {
    let (name, tried) = (patient.name(), "whether it follows another server");
    match (patient.node.role, facts.is_standby) {
        (Role::Replica, true) => Finding::fine(Subject::Role, Some(&name), tried, "it is a standby"),
        (Role::Replica, false) => Finding::critical(
            Subject::Role,
            Some(&name),
            tried,
            "it is taken for a standby, and takes writes: another one is the primary, and what is written here is lost",
            "stop it and make a standby of it (pg_rewind, pg_basebackup); or take it out of the configuration, or of pg_dist_node",
        ),
        (_, true) => Finding::critical(
            Subject::Role,
            Some(&name),
            tried,
            "it is taken for a primary, and is a standby, which takes no writes",
            "name the primary in `contact_points` and this one in `replicas`; or promote it, if the primary is lost",
        ),
        (_, false) => Finding::fine(Subject::Role, Some(&name), tried, "it takes writes"),
    }
}

/// What this process alone may take.
fn limits(config: &Config, patient: &Patient, facts: &Facts) -> Finding {
    let mut ours = i64::from(config.pool.max_connections);
    // Besides: the layout, how it is, how far it is.
    ours += 3;
    if matches!(patient.node.role, Role::Single | Role::Coordinator) && config.analytics.endpoint.is_none() {
        ours += i64::from(config.analytics.max_connections);
    }
    let (name, free) = (patient.name(), facts.max_connections - facts.reserved);
    let tried = "what this process may open there at most, against `max_connections` of the server";
    let seen = format!("{ours} of {free} that are not for superusers");
    let fix = "lower `pool.max_connections`, raise `max_connections` of the server, or put PgBouncer before it";
    let percent = ours.saturating_mul(100) / free.max(1);
    let bounds = config.health.thresholds.connections;
    match percent {
        percent if percent >= i64::from(bounds.critical) => {
            Finding::critical(Subject::Limits, Some(&name), tried, seen, fix)
        }
        percent if percent >= i64::from(bounds.warning) => {
            Finding::warning(Subject::Limits, Some(&name), tried, seen, fix)
        }
        _ => Finding::fine(Subject::Limits, Some(&name), tried, seen),
    }
}

/// Whether an update was done half.
fn libraries(name: &str, facts: &Facts) -> Finding {
    let tried = "its versions";
    let postgres = format!("PostgreSQL {}", facts.version);
    match (&facts.citus, &facts.citus_library) {
        (None, _) => Finding::fine(Subject::Versions, Some(name), tried, postgres),
        (Some(extension), Some(library)) if extension != library => Finding::warning(
            Subject::Versions,
            Some(name),
            tried,
            format!("{postgres}; the extension citus is {extension}, and its library {library}"),
            "run `ALTER EXTENSION citus UPDATE` on the node",
        ),
        (Some(extension), _) => {
            Finding::fine(Subject::Versions, Some(name), tried, format!("{postgres}, Citus {extension}"))
        }
    }
}

/// That the server sees it too: a proxy may have ended TLS before it.
fn encrypted(config: &Config, name: &str, facts: &Facts) -> Option<Finding> {
    config.tls.as_ref()?;
    let tried = "whether the server sees the session encrypted";
    Some(match &facts.tls {
        Some(version) => Finding::fine(Subject::Tls, Some(name), tried, format!("{version} up to the server")),
        None => Finding::warning(
            Subject::Tls,
            Some(name),
            tried,
            "it is not: something in between ends TLS, and goes on without",
            "have the pooler or proxy speak TLS to the server as well (`server_tls_sslmode` of PgBouncer)",
        ),
    })
}

/// Text is sorted by the operating system: an update of that makes indexes wrong.
fn collation(name: &str, facts: &Facts) -> Option<Finding> {
    let (made_with, now) = facts.collation_versions.as_ref()?;
    let tried = "the version of the database's collation against that of the operating system";
    Some(if made_with == now {
        Finding::fine(Subject::Locale, Some(name), tried, format!("both are {now}"))
    } else {
        Finding::critical(
            Subject::Locale,
            Some(name),
            tried,
            format!(
                "indexes were made with {made_with}, and the system now sorts by {now}: they may not find what is there"
            ),
            "run `REINDEX DATABASE` there, then `ALTER DATABASE … REFRESH COLLATION VERSION`",
        )
    })
}

/// Whether shards can be moved and split from there.
fn decoding(name: &str, facts: &Facts) -> Finding {
    let tried = "`wal_level` and `output_plugin_libraries`, by which shards are moved and split";
    if facts.wal_level != "logical" {
        let seen = format!("`wal_level` is {}: no shard can be moved away while it is written", facts.wal_level);
        let fix = "ALTER SYSTEM SET wal_level = 'logical', and restart the server";
        return Finding::warning(Subject::Decoding, Some(name), tried, seen, fix);
    }
    let allows = |list: &str| list.split(',').any(|library| library.trim().trim_matches('"') == "citus");
    match &facts.decoders {
        Some(list) if !allows(list) => Finding::warning(
            Subject::Decoding,
            Some(name),
            tried,
            format!("`output_plugin_libraries` is {list:?}: no shard can be split, as for a tenant that is relocated"),
            "add citus to it (ALTER SYSTEM SET output_plugin_libraries = …, citus), and reload the server",
        ),
        _ => Finding::fine(Subject::Decoding, Some(name), tried, "shards can be moved and split"),
    }
}

const SLOTS: &str = "\
    SELECT slot_name::text, coalesce(pg_catalog.to_jsonb(s) ->> 'wal_status', ''), \
    coalesce(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), restart_lsn), 0)::int8 \
    FROM pg_catalog.pg_replication_slots s WHERE NOT active ORDER BY 1";

/// Slots that nobody uses keep the log, until the disk is full.
async fn slots(client: &Client, name: &str) -> Result<Vec<Finding>> {
    let tried = "replication slots";
    let rows = client.query_typed(SLOTS, &[]).await.map_err(Error::postgres)?;
    if rows.is_empty() {
        return Ok(vec![Finding::fine(Subject::Slots, Some(name), tried, "each is in use")]);
    }
    let finding = |row: &tokio_postgres::Row| {
        let (slot, state, kept): (String, String, i64) = (column(row, 0)?, column(row, 1)?, column(row, 2)?);
        let kept = bytes(u64::try_from(kept).unwrap_or_default());
        let fix = format!(
            "start its standby again; or, if there is none any more, SELECT pg_drop_replication_slot('{slot}')"
        );
        Ok(match state.as_str() {
            "lost" => Finding::critical(
                Subject::Slots,
                Some(name),
                tried,
                format!("what the standby of {slot} lacks is gone from the log"),
                "make the standby anew (pg_basebackup), with a larger `max_slot_wal_keep_size`",
            ),
            _ => Finding::warning(
                Subject::Slots,
                Some(name),
                tried,
                format!("nobody uses {slot}, which keeps {kept} of the log"),
                &fix,
            ),
        })
    };
    rows.iter().map(finding).collect()
}

const STANDBYS: &str = "\
    SELECT coalesce(application_name, '') FROM pg_catalog.pg_stat_replication r WHERE NOT EXISTS \
    (SELECT FROM pg_catalog.pg_replication_slots s WHERE s.active_pid = r.pid) AND state = 'streaming' ORDER BY 1";

/// One without a slot is lost when it is away for longer than the log is kept.
async fn standbys(client: &Client, name: &str, facts: &Facts) -> Result<Vec<Finding>> {
    if facts.wal_keeps {
        return Ok(Vec::new());
    }
    let rows = client.query_typed(STANDBYS, &[]).await.map_err(Error::postgres)?;
    let finding = |row: &tokio_postgres::Row| {
        let standby: String = column(row, 0)?;
        Ok(Finding::warning(
            Subject::Slots,
            Some(name),
            "standbys and their slots",
            format!("{standby:?} streams without a slot, and `wal_keep_size` is 0: away for a while, it can't go on"),
            "give it a slot (`primary_slot_name`), or set `wal_keep_size`",
        ))
    };
    rows.iter().map(finding).collect()
}

/// What the policies make of the role.
pub(super) async fn row_security(config: &Config, session: &Connection, name: &str) -> Vec<Finding> {
    let tried = format!("the role {} against the policies, for statements of tenants", config.user);
    match cluster::standing(session.client(), &config.policy).await {
        Ok(()) if config.policy.is_on() => {
            vec![Finding::fine(Subject::RowSecurity, Some(name), &tried, "they hold it to one tenant")]
        }
        Ok(()) => Vec::new(),
        Err(error) => {
            let fix = "the message names what to grant, or what to write into the configuration";
            vec![Finding::critical(Subject::RowSecurity, Some(name), &tried, error.to_string(), fix)]
        }
    }
}

/// The entities against the database.
pub(super) async fn schema(
    config: &Config,
    schema: &Schema,
    mode: Mode,
    session: &mut Connection,
    name: &str,
) -> Finding {
    let tried = "the entities against the database, as `diff` does";
    match admin::difference(session.client_mut(), config, mode, schema.tables()).await {
        Ok(diff) if diff.is_empty() => Finding::fine(Subject::Schema, Some(name), tried, "no difference"),
        Ok(diff) => {
            let lines: Vec<String> = diff.differences().iter().take(5).map(ToString::to_string).collect();
            let more = diff.differences().len() - lines.len();
            let more = if more > 0 { format!("; and {more} more") } else { String::new() };
            let fix = "look at `plan`, and run `apply`";
            Finding::warning(Subject::Schema, Some(name), tried, format!("{}{more}", lines.join("; ")), fix)
        }
        Err(error) => Finding::failed(Subject::Schema, name, &error),
    }
}
