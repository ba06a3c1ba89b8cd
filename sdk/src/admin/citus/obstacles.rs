//! Why Citus would refuse to distribute a live table, and what can be done about it. Pure.

use std::collections::BTreeSet;

use super::layout::Layout;
use super::state::{LiveKey, LiveUnique, State, TableState};
use crate::admin::consent::Permission;
use crate::admin::plan::Refusal;
use crate::admin::wanted::{Wanted, WantedTable};

/// Table and name of constraints, foreign keys and indexes.
pub(super) type Names = BTreeSet<(String, String)>;

/// All that stands in the way of a table that is to be moved, but for its foreign keys.
pub(super) fn of_table(table: &WantedTable, live: &TableState, dropped: &Names) -> Vec<Refusal> {
    let label = &table.label;
    let mut found = Vec::new();
    let mut refuse = |title: String, fix: String| found.push(Refusal { title, fix });
    if let Some(owner) = &live.foreign_owner {
        refuse(
            format!("{label} can't be distributed: it belongs to the role {owner}"),
            format!("apply as {owner}, or give the table to this role with ALTER TABLE … OWNER TO"),
        );
    }
    if live.inherits {
        refuse(
            format!("{label} can't be distributed: it inherits from a table, or one inherits from it"),
            "detach it with ALTER TABLE … NO INHERIT or DETACH PARTITION".to_owned(),
        );
    }
    if !live.triggers.is_empty() {
        refuse(
            format!("{label} can't be distributed: it has triggers ({})", live.triggers.join(", ")),
            "drop them, and do their work in the service or in a default".to_owned(),
        );
    }
    if !live.policies.is_empty() {
        refuse(
            format!("{label} can't be distributed: its policies ask other tables ({})", live.policies.join(", ")),
            "drop them, or write them without a subquery".to_owned(),
        );
    }
    if let Some(column) = table.table.distribution_column() {
        let lacks = |key: &&LiveUnique| !key.columns.iter().any(|known| known == column);
        let stays = |key: &&LiveUnique| !dropped.contains(&(label.clone(), key.name.clone()));
        // A primary key that the entity wants otherwise is refused as such.
        for key in live.keys.iter().filter(lacks).filter(stays).filter(|key| !key.primary) {
            let what = if key.constraint { "constraint" } else { "unique index" };
            let title =
                format!("{label} can't be distributed: the {what} {} lacks the distribution column {column}", key.name);
            let permission = match key.constraint {
                true => Permission::DropConstraint(label.clone(), key.name.clone()),
                false => Permission::DropIndex(label.clone(), key.name.clone()),
            };
            let fix = match &key.partition {
                Some(partition) => format!("drop it from the partition {partition}"),
                None => format!("allow to drop it with {}", permission.call()),
            };
            refuse(title, fix);
        }
    }
    found
}

/// What stands in the way of a foreign key that one of its tables takes along when it moves.
pub(super) fn of_foreign_key(layout: &Layout<'_>, wanted: &Wanted, key: &LiveKey) -> Option<Refusal> {
    let name = &key.name;
    let Some(source) = wanted.at(&key.schema, &key.table) else {
        let (table, target) = (format!("{}.{}", key.schema, key.table), &key.target);
        return Some(Refusal {
            title: format!("{target} can't be distributed: {table}, which is no entity's, points at it by {name}"),
            fix: format!("drop that key with ALTER TABLE {table} DROP CONSTRAINT {name}, or make the table an entity"),
        });
    };
    let target = wanted.at(&key.target_schema, &key.target);
    let refused = |why: &str| Refusal {
        title: format!("{} can't be distributed with its foreign key {name}: {why}", source.label),
        fix: format!("allow to drop it with {}", Permission::DropConstraint(source.label.clone(), name.clone()).call()),
    };
    let distribution = source.table.distribution_column();
    let carries_key = distribution.is_some_and(|column| key.columns.iter().any(|known| known == column));
    if carries_key && key.overwrites {
        return Some(refused("it may write into the distribution column"));
    }
    match (target, target.map(|target| target.table.distribution_column())) {
        (Some(_), Some(None)) => None,
        (None, _) if key.target_is_reference => None,
        (Some(target), Some(Some(theirs))) => match distribution {
            None => Some(refused("a reference table can't point at a distributed one")),
            Some(_) if !layout.are_co_located(source, target) => Some(refused("the two tables are not co-located")),
            Some(ours) => {
                let mut pairs = key.columns.iter().zip(&key.target_columns);
                let pairs_keys = pairs.any(|(column, target)| column == ours && target == theirs);
                (!pairs_keys).then(|| refused("it does not pair the distribution columns"))
            }
        },
        _ => Some(refused(&format!("{} is no entity's, and local", key.target))),
    }
}

/// Why the coordinator can't follow the changes of a table.
pub(in crate::admin) fn to_following(
    wal_level: &str,
    output_plugins: Option<&str>,
    has_coordinator: bool,
) -> Option<String> {
    if wal_level != "logical" {
        return Some(format!("`wal_level` of the coordinator is {wal_level}, not logical"));
    }
    let offers = |plugins: &str| plugins.split(',').map(str::trim).any(|plugin| plugin == "citus");
    if output_plugins.is_some_and(|plugins| !offers(plugins)) {
        let told = "`output_plugin_libraries` of the coordinator does not list citus: ALTER SYSTEM SET output_plugin_libraries = …, citus, without \
                    quotes around the list, and reload";
        return Some(told.to_owned());
    }
    (!has_coordinator).then(|| "the coordinator is not among the nodes (citus_set_coordinator_host)".to_owned())
}

/// Why a table can't be distributed while others write it. `kept` are its foreign keys, as the plan leaves them.
pub(super) fn to_concurrency(
    state: &State,
    live: &TableState,
    kept: &[&LiveKey],
    is_reference: impl Fn(&LiveKey) -> bool,
    must_change: impl Fn(&LiveKey) -> bool,
) -> Option<String> {
    let settings = &state.settings;
    let of_server = to_following(&settings.wal_level, settings.output_plugins.as_deref(), settings.has_coordinator);
    if of_server.is_some() {
        return of_server;
    }
    if settings.replication_factor != 1 {
        return Some("`citus.shard_replication_factor` is not 1".to_owned());
    }
    if !live.logged {
        return Some("it is unlogged, so its changes can't be followed".to_owned());
    }
    if !live.identifies_rows {
        return Some("it has no primary key, so its changes can't be followed".to_owned());
    }
    let is_own = |key: &&LiveKey| (&key.schema, &key.table) == (&key.target_schema, &key.target);
    if let Some(key) = kept.iter().find(|key| !is_own(key) && !is_reference(key)) {
        return Some(format!("the foreign key {} joins it to a table that is no reference table", key.name));
    }
    let changes = kept.iter().find(|key| must_change(key))?;
    Some(format!("the foreign key {} must change first", changes.name))
}
