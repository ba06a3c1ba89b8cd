//! The table that rows come from, and what would be lost.

use serde::Deserialize;
use tokio_postgres::types::Type;

use crate::admin::inspect::Relation;
use crate::admin::partitions::ground::{Ground, Parent, refused};
use crate::admin::wire::{Param, column, only};
use crate::entity::Json;
use crate::error::Result;
use crate::schema::policy::{ANALYTICS, OWNER, TENANT};
use crate::schema::{Generated, quote_ident};

/// The table, or the default partition.
pub(super) struct Source {
    /// Its name as SQL text.
    pub(super) at: String,
    pub(super) schema: String,
    pub(super) name: String,
    pub(super) facts: Facts,
}

/// What `source.sql` tells.
#[derive(Debug, Deserialize)]
pub(super) struct Facts {
    pub(super) owner: String,
    pub(super) is_owned: bool,
    pub(super) estimate: i64,
    /// The columns of its primary key.
    pub(super) key: Vec<String>,
    uniques: Vec<String>,
    /// Constraints that its copy can't have, and why.
    unfit: Vec<(String, String)>,
    statistics: Vec<String>,
    storage: Vec<String>,
    is_unlogged: bool,
    has_replica_identity: bool,
    /// Sequences, as SQL text, that belong to a column, with its name. Those of identity columns are apart.
    pub(super) sequences: Vec<(String, String)>,
    views: Vec<String>,
    publications: Vec<String>,
    policies: Vec<String>,
    has_kin: bool,
    has_column_grants: bool,
    /// The triggers of rollups that follow it, and of denormalised columns.
    pub(super) followers: Vec<Follower>,
    /// `SELECT ON TABLE %s TO …`
    pub(super) grants: Vec<String>,
}

/// A trigger of the SDK's.
#[derive(Debug, Deserialize)]
pub(super) struct Follower {
    pub(super) trigger: String,
    /// `CREATE TRIGGER … ON %s …`
    pub(super) definition: String,
    pub(super) comment: Option<String>,
}

impl Source {
    pub(super) async fn read(ground: &Ground, parent: &Parent, schema: &str, name: &str, at: String) -> Result<Self> {
        let partition_column = parent.def.partition.map_or("", |partition| partition.column);
        let params: [Param<'_>; 2] = [(&at, Type::TEXT), (&partition_column, Type::TEXT)];
        let rows = ground.desk.query(include_str!("source.sql"), &params).await?;
        let Json(facts) = column(only(&rows)?, 0)?;
        Ok(Self { at, schema: schema.to_owned(), name: name.to_owned(), facts })
    }

    /// # Errors
    /// Where something would be lost, or would notice that its rows come from elsewhere.
    pub(super) fn check(&self, ground: &Ground, parent: &Parent) -> Result<()> {
        let (relation, facts) = (&parent.relation, &self.facts);
        let ours = [TENANT, OWNER, ANALYTICS];
        let foreign: Vec<&String> = facts.policies.iter().filter(|name| !ours.contains(&name.as_str())).collect();
        let numbered = parent.def.columns.iter().find(|column| column.generated == Some(Generated::Identity));
        let what = if !self.has_a_key(parent) {
            format!(
                "its primary key is ({}), and that of the entity, but for the partition column, ({}): rows are told apart by it",
                facts.key.join(", "),
                key_without_partition(parent).join(", ")
            )
        } else if let Some(unique) = facts.uniques.first() {
            format!("{unique} is unique without the partition column, which no partitioned table can promise: drop it")
        } else if let Some((constraint, why)) = facts.unfit.first() {
            format!("its constraint {constraint} {why}")
        } else if let Some(statistics) = facts.statistics.first() {
            format!("it has the extended statistics {statistics}: drop them, and make them again afterwards")
        } else if let Some(option) = facts.storage.first() {
            format!(
                "it has the storage option {option}, which only partitions can have: RESET it, and set it for each of them"
            )
        } else if let Some(table) = relation.referenced_by.first() {
            format!("a foreign key of {table} points at it, and would have to hold the partition column: drop it")
        } else if let Some(trigger) = foreign_trigger(relation) {
            format!("it has the trigger {trigger}: drop it, and make it again afterwards")
        } else if facts.is_unlogged {
            "it is UNLOGGED, which no partitioned table can be: make it LOGGED".to_owned()
        } else if facts.has_replica_identity {
            "it has a REPLICA IDENTITY, which each partition would have to have: set it to DEFAULT".to_owned()
        } else if let (true, Some((sequence, column))) = (ground.is_citus(), facts.sequences.first()) {
            format!("{column} is numbered by {sequence}, whose numbers on the workers can't be taken along")
        } else if let Some(view) = facts.views.first() {
            format!(
                "the view {view} reads it, and would go on reading the old table: drop it, and make it again afterwards"
            )
        } else if let Some(publication) = facts.publications.first() {
            format!("it is in the publication {publication}: take it out, and add it again afterwards")
        } else if let Some(policy) = foreign.first() {
            format!("it has the policy {policy}, which is not the SDK's: drop it, and make it again afterwards")
        } else if facts.has_kin {
            "it inherits from a table, or a table from it: end that with NO INHERIT".to_owned()
        } else if facts.has_column_grants {
            "roles have rights on single columns of it: revoke them, and grant them again afterwards".to_owned()
        } else if let (true, Some(numbered)) = (ground.is_citus(), numbered) {
            format!("{} is numbered by a sequence, whose numbers on the workers can't be taken along", numbered.name)
        } else {
            return Ok(());
        };
        Err(refused(format!("the rows of {} can't be put into partitions: {what}", self.at)))
    }

    fn has_a_key(&self, parent: &Parent) -> bool {
        self.facts.key == parent.def.primary_key || self.facts.key == key_without_partition(parent)
    }

    /// The columns of its key within the rows of a tenant, with their types.
    pub(super) fn rest_of_key(&self, parent: &Parent) -> Vec<(String, String)> {
        let distribution = parent.def.distribution_column();
        let rest = self.facts.key.iter().filter(|column| Some(column.as_str()) != distribution);
        rest.map(|name| (quote_ident(name), sql_type(parent, name))).collect()
    }
}

/// As the server has it.
pub(super) fn sql_type(parent: &Parent, column: &str) -> String {
    parent.relation.column(column).map_or_else(|| "text".to_owned(), |column| column.sql_type.clone())
}

fn key_without_partition(parent: &Parent) -> Vec<&'static str> {
    let partition = parent.def.partition.map(|partition| partition.column);
    parent.def.primary_key.iter().copied().filter(|column| Some(*column) != partition).collect()
}

fn foreign_trigger(relation: &Relation) -> Option<&String> {
    relation.triggers.iter().find(|name| !super::mirror::is_ours(name))
}
