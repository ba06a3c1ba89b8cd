//! Row level security and the rights of roles, as text. `at` is always the table's name as SQL text.
//!
//! The policies compare the key with a setting of the transaction. Where it is not set, or empty as a setting is that an
//! earlier transaction of the session had, nothing equals NULL, and there are no rows.

use super::{ColumnDef, quote_ident};

/// What tells the server whose rows a transaction is about.
pub(crate) const SETTING: &str = "shardwise.tenant";

/// The policy that holds the application role to one tenant.
pub(crate) const TENANT: &str = "shardwise_tenant";

/// The policy that lets a table's owner work on all rows, where row level security is forced on owners: a table that is given
/// to another role then opens for nobody by that.
pub(crate) const OWNER: &str = "shardwise_owner";

/// The policy that lets the role for analytics read all rows.
pub(crate) const ANALYTICS: &str = "shardwise_analytics";

/// What a policy lets through.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Through<'a> {
    /// The rows of the transaction's tenant.
    Tenant(&'a ColumnDef),
    /// All rows, to read and to write.
    All,
    /// All rows, to read.
    AllToRead,
}

/// A policy for one role; for everybody where none is named.
pub(crate) fn create(name: &str, at: &str, role: Option<&str>, through: Through<'_>) -> String {
    let to = role.map_or_else(|| "PUBLIC".to_owned(), quote_ident);
    let (command, condition) = match through {
        Through::Tenant(column) => {
            let condition = of_tenant(column);
            ("ALL", format!("USING ({condition}) WITH CHECK ({condition})"))
        }
        Through::All => ("ALL", "USING (true) WITH CHECK (true)".to_owned()),
        Through::AllToRead => ("SELECT", "USING (true)".to_owned()),
    };
    format!("CREATE POLICY {} ON {at} FOR {command} TO {to} {condition}", quote_ident(name))
}

pub(crate) fn drop(name: &str, at: &str) -> String {
    format!("DROP POLICY {} ON {at}", quote_ident(name))
}

pub(crate) fn enable(at: &str) -> String {
    format!("ALTER TABLE {at} ENABLE ROW LEVEL SECURITY")
}

/// On its owner too, or not.
pub(crate) fn force(at: &str, forced: bool) -> String {
    format!("ALTER TABLE {at} {}FORCE ROW LEVEL SECURITY", if forced { "" } else { "NO " })
}

/// For a table that is no tenant's any more.
pub(crate) fn disable(at: &str) -> String {
    format!("ALTER TABLE {at} DISABLE ROW LEVEL SECURITY")
}

/// Whether a row is the transaction's tenant's.
fn of_tenant(column: &ColumnDef) -> String {
    format!(
        "{} = nullif(pg_catalog.current_setting('{SETTING}', true), '')::{}",
        quote_ident(column.name),
        type_of_key(column.sql_type)
    )
}

/// The type that the setting is read as: the column's, but never with a length. A cast to `varchar(8)` cuts a key off, and
/// what is left may be another tenant's.
fn type_of_key(sql_type: &str) -> String {
    let bare = sql_type.split('(').next().unwrap_or_default().trim().to_ascii_lowercase();
    match bare.as_str() {
        "char" | "character" | "bpchar" => "bpchar".to_owned(),
        "varchar" | "character varying" | "text" => "text".to_owned(),
        _ if sql_type.contains('(') => bare,
        _ => sql_type.to_owned(),
    }
}

/// Makes a role that may nothing, and can't log in. Roles are shared by all databases of a server, where another apply may
/// make the same one at this moment.
pub(crate) fn create_role(name: &str) -> String {
    let role = quote_ident(name);
    let body = format!(
        "BEGIN CREATE ROLE {role} NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION; \
         EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END"
    );
    // A tag that the body does not hold.
    let tag = (0..).map(|nth| format!("$role{nth}$")).find(|tag| !body.contains(tag)).unwrap_or_default();
    format!("DO {tag} {body} {tag}")
}

/// `attributes` are those to take away: `NOSUPERUSER`.
pub(crate) fn alter_role(name: &str, attributes: &[&str]) -> String {
    format!("ALTER ROLE {} {}", quote_ident(name), attributes.join(" "))
}

pub(crate) fn leave_role(name: &str, of: &str) -> String {
    format!("REVOKE {} FROM {}", quote_ident(of), quote_ident(name))
}

/// `on` is what the rights are on, as SQL text: `SCHEMA "public"`, `TABLE "wallets"`.
pub(crate) fn grant(rights: &[&str], on: &str, role: &str) -> String {
    format!("GRANT {} ON {on} TO {}", rights.join(", "), quote_ident(role))
}

/// Of everybody where no role is named.
pub(crate) fn revoke(rights: &[&str], on: &str, role: Option<&str>) -> String {
    let from = role.map_or_else(|| "PUBLIC".to_owned(), quote_ident);
    format!("REVOKE {} ON {on} FROM {from}", rights.join(", "))
}

#[cfg(test)]
mod tests {
    use tokio_postgres::types::Type;

    use super::*;

    fn column(name: &'static str, sql_type: &'static str) -> ColumnDef {
        ColumnDef {
            field: name,
            name,
            sql_type,
            wire: Type::TEXT,
            bind: "",
            read: "",
            nullable: false,
            default: None,
            generated: None,
            enumeration: None,
            denormalized: None,
            is_region: false,
        }
    }

    #[test]
    fn a_policy_names_its_role_and_compares_the_key() {
        let sql = create(TENANT, "\"w\"", Some("the \"app\""), Through::Tenant(&column("Key", "uuid")));
        let condition = "\"Key\" = nullif(pg_catalog.current_setting('shardwise.tenant', true), '')::uuid";
        assert_eq!(
            sql,
            format!(
                "CREATE POLICY \"shardwise_tenant\" ON \"w\" FOR ALL TO \"the \"\"app\"\"\" USING ({condition}) \
                 WITH CHECK ({condition})"
            )
        );
        assert_eq!(
            create(ANALYTICS, "\"w\"", None, Through::AllToRead),
            "CREATE POLICY \"shardwise_analytics\" ON \"w\" FOR SELECT TO PUBLIC USING (true)"
        );
    }

    #[test]
    fn no_cast_cuts_a_key_off() {
        let types = ["varchar(8)", "CHARACTER VARYING ( 8 )", "text", "char(3)", "character(3)", "bigint", "uuid"];
        let cast = ["text", "text", "text", "bpchar", "bpchar", "bigint", "uuid"];
        assert_eq!(types.map(type_of_key), cast);
    }

    #[test]
    fn a_role_can_not_leave_its_quotes() {
        let sql = create_role("a\"; DROP TABLE x; $role0$");
        assert!(sql.starts_with("DO $role1$ BEGIN CREATE ROLE \"a\"\"; DROP TABLE x; $role0$\" NOLOGIN"), "{sql}");
        assert!(sql.ends_with("END $role1$"), "{sql}");
        assert_eq!(revoke(&["TRUNCATE"], "TABLE \"w\"", None), "REVOKE TRUNCATE ON TABLE \"w\" FROM PUBLIC");
    }
}
