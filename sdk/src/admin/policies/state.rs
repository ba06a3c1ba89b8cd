//! What the database has of roles, rights and policies.

use serde::Deserialize;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::admin::inspect::only_row;
use crate::admin::target::{Aim, Target};
use crate::config::Policy;
use crate::entity::Json;
use crate::error::{Error, Result};

/// It, and the roles that it is read for.
#[derive(Debug)]
pub(in crate::admin) struct State {
    pub(super) application_role: String,
    pub(super) analytics_role: Option<String>,
    pub(super) is_citus: bool,
    pub(super) found: Found,
}

#[derive(Debug, Deserialize)]
pub(super) struct Found {
    /// The role that plans and applies.
    pub(super) runner: Runner,
    pub(super) roles: Vec<Role>,
    pub(super) schemas: Vec<SchemaRights>,
    /// The managed tables and their partitions, each table before its partitions.
    pub(super) pieces: Vec<Piece>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Runner {
    pub(super) name: String,
    pub(super) is_superuser: bool,
    /// Whether it may make roles.
    pub(super) makes_roles: bool,
    /// Whether no policy holds it.
    pub(super) bypasses: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Role {
    pub(super) name: String,
    /// The attributes that it should not have.
    pub(super) excess: Vec<String>,
    /// The roles whose rights it has besides.
    pub(super) memberships: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct SchemaRights {
    pub(super) name: String,
    /// Those of the two roles that may use it.
    pub(super) users: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Piece {
    root_schema: String,
    root: String,
    pub(super) schema: String,
    pub(super) name: String,
    pub(super) owner: String,
    pub(super) owner_bypasses: bool,
    pub(super) enabled: bool,
    pub(super) forced: bool,
    pub(super) policies: Vec<LivePolicy>,
    pub(super) rights: Vec<Right>,
    pub(super) sequences: Vec<Sequence>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct LivePolicy {
    pub(super) name: String,
    pub(super) permissive: bool,
    /// A letter of `pg_policy.polcmd`: `*` is all.
    pub(super) command: String,
    /// `None` among them is everybody.
    pub(super) roles: Vec<Option<String>>,
    pub(super) using: Option<String>,
    pub(super) check: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Right {
    /// `None` is everybody.
    pub(super) grantee: Option<String>,
    pub(super) right: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Sequence {
    pub(super) schema: String,
    pub(super) name: String,
    /// Whether the application role may draw from it.
    pub(super) usable: bool,
}

impl State {
    /// Reads it; `None` where the database is not asked to keep tenants apart.
    pub(in crate::admin) async fn read(client: &Client, aim: &Aim, named: &[(String, String)]) -> Result<Option<Self>> {
        let Policy::RowLevelSecurity { application_role, analytics_role } = &aim.policy else { return Ok(None) };
        let (schemas, names): (Vec<&str>, Vec<&str>) =
            named.iter().map(|(schema, name)| (schema.as_str(), name.as_str())).unzip();
        let row = only_row(
            client,
            include_str!("state.sql"),
            &[
                (&schemas, Type::TEXT_ARRAY),
                (&names, Type::TEXT_ARRAY),
                (application_role, Type::TEXT),
                (analytics_role, Type::TEXT),
            ],
        )
        .await?;
        let Json(found) = row.try_get(0).map_err(Error::postgres)?;
        let (application_role, analytics_role) = (application_role.clone(), analytics_role.clone());
        let is_citus = matches!(aim.target, Target::Citus { .. });
        Ok(Some(Self { application_role, analytics_role, is_citus, found }))
    }

    /// The two roles, and what each may do with a table's rows.
    pub(super) fn roles(&self) -> impl Iterator<Item = (&str, &'static [&'static str])> {
        let application: (_, &'static [_]) =
            (self.application_role.as_str(), &["SELECT", "INSERT", "UPDATE", "DELETE"]);
        let analytics = self.analytics_role.as_deref().map(|role| -> (_, &'static [_]) { (role, &["SELECT"]) });
        [application].into_iter().chain(analytics)
    }
}

impl Piece {
    pub(super) fn is_of(&self, schema: &str, table: &str) -> bool {
        self.root_schema == schema && self.root == table
    }

    /// Whether it is the table itself.
    pub(super) fn is_root(&self) -> bool {
        (&self.root_schema, &self.root) == (&self.schema, &self.name)
    }

    pub(super) fn policy(&self, name: &str) -> Option<&LivePolicy> {
        self.policies.iter().find(|policy| policy.name == name)
    }

    /// What this role may do by a grant to itself; everybody where none is named.
    pub(super) fn rights(&self, role: Option<&str>) -> impl Iterator<Item = &str> {
        self.rights.iter().filter(move |right| right.grantee.as_deref() == role).map(|right| right.right.as_str())
    }
}

impl LivePolicy {
    /// Whether it may let rows through for this role.
    pub(super) fn opens_to(&self, role: &str) -> bool {
        self.permissive && self.roles.iter().any(|one| one.as_deref().is_none_or(|one| one == role))
    }
}
