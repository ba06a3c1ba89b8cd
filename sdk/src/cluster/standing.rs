//! What the policies of row level security make of the role that we log in as: which of its statements would be held to no
//! tenant, and which would read nothing and take that for the answer. Both are refused before anything is sent.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio_postgres::Client;

use crate::config::Policy;
use crate::error::{Error, ErrorKind, Result};
use crate::routing::Intent;
use crate::schema::policy;

/// For which purposes the role was found fit. What was refused is asked anew each time, for somebody may have mended it; and so
/// is what no policy says anything of yet.
#[derive(Default)]
pub(super) struct Vetted {
    tenants: AtomicBool,
    coordinator: AtomicBool,
    analytics: AtomicBool,
}

impl Vetted {
    fn of(&self, intent: Intent) -> &AtomicBool {
        match intent {
            Intent::Tenant | Intent::Reference => &self.tenants,
            Intent::Coordinator => &self.coordinator,
            Intent::Analytics => &self.analytics,
        }
    }

    pub(super) fn has(&self, intent: Intent) -> bool {
        self.of(intent).load(Ordering::Acquire)
    }

    /// Asks on the connection that is to be used, and remembers an answer that allows it.
    pub(super) async fn vet(&self, client: &Client, policy: &Policy, intent: Intent) -> Result<()> {
        let standing = Standing::read(client, policy).await?;
        standing.check(policy, intent)?;
        self.of(intent).store(standing.tables > 0, Ordering::Release);
        Ok(())
    }
}

/// The role of a connection, as the policies of its database see it.
pub(super) struct Standing {
    role: String,
    /// It is a superuser, or has BYPASSRLS.
    bypasses: bool,
    /// It is the application role, or a member of it.
    belongs: bool,
    /// How many tables hold roles to a tenant.
    tables: i64,
    /// One of them that holds nobody now, for its row level security is off.
    off: Option<String>,
    /// One whose rows this role sees whoever the tenant is: a policy says so, or it is the owner.
    open: Option<String>,
    /// One that hides its rows from this role unless a tenant is named.
    hidden: Option<String>,
}

/// The application role as `$1`. Where that is NULL, it is whichever role the tenants' policies name.
const STANDING: &str = "\
    WITH me AS (SELECT oid, rolname, rolsuper OR rolbypassrls AS bypasses FROM pg_catalog.pg_roles \
        WHERE rolname = current_user), \
    held AS (SELECT p.polrelid AS relation, p.polroles AS roles FROM pg_catalog.pg_policy p WHERE p.polname = $2 \
        AND ($1::text IS NULL OR (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $1) = ANY (p.polroles))), \
    shown AS (SELECT p.polrelid AS relation FROM pg_catalog.pg_policy p JOIN held ON held.relation = p.polrelid \
        WHERE p.polpermissive AND p.polcmd IN ('*', 'r') AND pg_catalog.pg_get_expr(p.polqual, p.polrelid) = 'true' \
        AND EXISTS (SELECT FROM unnest(p.polroles) r WHERE r = 0 OR pg_catalog.pg_has_role(r, 'USAGE')) \
        UNION SELECT c.oid FROM pg_catalog.pg_class c JOIN held ON held.relation = c.oid \
        WHERE NOT c.relforcerowsecurity AND pg_catalog.pg_has_role(c.relowner, 'USAGE')) \
    SELECT me.rolname::text, me.bypasses, \
    CASE WHEN $1::text IS NULL \
        THEN EXISTS (SELECT FROM held, unnest(held.roles) r WHERE r = 0 OR pg_catalog.pg_has_role(r, 'USAGE')) \
        ELSE coalesce((SELECT pg_catalog.pg_has_role(oid, 'USAGE') FROM pg_catalog.pg_roles WHERE rolname = $1), false) END, \
    (SELECT count(*) FROM held), \
    (SELECT min(c.oid::regclass::text) FROM held JOIN pg_catalog.pg_class c ON c.oid = held.relation \
        WHERE NOT c.relrowsecurity), \
    (SELECT min(relation::regclass::text) FROM shown), \
    (SELECT min(held.relation::regclass::text) FROM held \
        WHERE NOT EXISTS (SELECT FROM shown WHERE shown.relation = held.relation)) \
    FROM me";

impl Standing {
    /// Reads it on the connection that is to be used.
    pub(super) async fn read(client: &Client, policy: &Policy) -> Result<Self> {
        use tokio_postgres::types::Type;
        let role = match policy {
            Policy::RowLevelSecurity { application_role, .. } => Some(application_role),
            Policy::None => None,
        };
        let row = client.query_typed_one(STANDING, &[(&role, Type::TEXT), (&policy::TENANT, Type::NAME)]).await;
        let row = row.map_err(Error::postgres)?;
        let column = Error::postgres;
        Ok(Self {
            role: row.try_get(0).map_err(column)?,
            bypasses: row.try_get(1).map_err(column)?,
            belongs: row.try_get(2).map_err(column)?,
            tables: row.try_get(3).map_err(column)?,
            off: row.try_get(4).map_err(column)?,
            open: row.try_get(5).map_err(column)?,
            hidden: row.try_get(6).map_err(column)?,
        })
    }

    /// Whether the role may be used for this.
    pub(super) fn check(&self, policy: &Policy, intent: Intent) -> Result<()> {
        match (policy, intent) {
            (Policy::RowLevelSecurity { application_role, .. }, Intent::Tenant | Intent::Reference) => {
                self.check_tenants(application_role)
            }
            (Policy::RowLevelSecurity { analytics_role, .. }, Intent::Coordinator | Intent::Analytics) => {
                self.check_all_rows(analytics_role.as_deref(), intent)
            }
            (Policy::None, _) => self.check_without(),
        }
    }

    /// For statements that have to be held to one tenant.
    fn check_tenants(&self, application_role: &str) -> Result<()> {
        let Self { role, .. } = self;
        let fix = format!(
            "log in as a role without such rights (GRANT \"{application_role}\" TO it), and keep this one for `apply`"
        );
        if self.bypasses {
            return Err(config(format!(
                "row level security does not hold the role {role}, which is a superuser or has BYPASSRLS: {fix}"
            )));
        }
        if self.tables == 0 {
            return Err(config(
                "`policy` is row_level_security, and no table of this database has the policy: apply the schema once, as the \
                 owner of the tables",
            ));
        }
        if let Some(table) = &self.open {
            return Err(config(format!(
                "row level security does not hold the role {role}, which a policy, or being the owner, shows all rows of \
                 {table}: {fix}"
            )));
        }
        if !self.belongs {
            return Err(config(format!(
                "the role {role} is no member of `application_role`: run GRANT \"{application_role}\" TO \"{role}\""
            )));
        }
        if let Some(table) = &self.off {
            return Err(config(format!(
                "row level security of {table} is off: apply the schema, as the owner of the tables"
            )));
        }
        Ok(())
    }

    /// For statements about the rows of all tenants.
    fn check_all_rows(&self, analytics_role: Option<&str>, intent: Intent) -> Result<()> {
        let (Self { role, .. }, Some(table)) = (self, self.hidden.as_ref().filter(|_| !self.bypasses)) else {
            return Ok(());
        };
        let fix = match (intent, analytics_role) {
            (Intent::Analytics, Some(analytics)) => {
                format!("set `analytics.user` to a member of the role {analytics}")
            }
            (Intent::Analytics, None) => {
                "name an `analytics_role`, apply the schema, and set `analytics.user` to a member of it".to_owned()
            }
            _ => "use `cluster.across_shards(…)`, or log in as the owner of the tables for what needs it".to_owned(),
        };
        Err(config(format!(
            "row level security shows the role {role} no rows of {table} outside of a tenant's session, so it would read \
             nothing; nothing was sent: {fix}"
        )))
    }

    /// For a client that is not told of row level security, and would read no rows at all.
    fn check_without(&self) -> Result<()> {
        match &self.hidden {
            Some(table) if self.belongs && !self.bypasses => Err(config(format!(
                "row level security holds the role {} to one tenant's rows of {table}, and `policy` is not set: write `policy = \
                 \"row_level_security\"` and `application_role`",
                self.role
            ))),
            _ => Ok(()),
        }
    }
}

fn config(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, message)
}
