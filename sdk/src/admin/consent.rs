//! What a person has allowed by name.

use std::collections::BTreeSet;

use crate::error::{Error, ErrorKind, Result};

/// The destructive changes that are allowed, each by its name. Without one nothing is dropped and no type is changed.
///
/// A consent that nothing needs is harmless: it may stay in the code after the change.
///
/// Tables are named as in the entity; one outside of the connection's own schema as `schema.table`.
///
/// ```
/// use shardwise::admin::Consent;
///
/// let consent = Consent::none().drop_column("wallets", "note").change_type("wallets", "balance");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Consent(BTreeSet<Permission>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Permission {
    DropTable(String),
    DropColumn(String, String),
    DropConstraint(String, String),
    DropIndex(String, String),
    DropDefault(String, String),
    ChangeType(String, String),
    Redistribute(String),
    DropPolicy(String, String),
    DropTrigger(String, String),
    Overwrite(String),
}

impl Consent {
    /// Allows nothing.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Drops a table that is no entity's, with its rows. Not what depends on it: a view or a foreign key that does
    /// stops the whole apply.
    #[must_use]
    pub fn drop_table(self, table: &str) -> Self {
        self.with(Permission::DropTable(table.to_owned()))
    }

    /// Drops a column that the entity does not have, with its values; or drops and makes anew a column whose generation
    /// expression has changed.
    #[must_use]
    pub fn drop_column(self, table: &str, column: &str) -> Self {
        self.with(Permission::DropColumn(table.to_owned(), column.to_owned()))
    }

    /// Drops a constraint that the entity does not have, or replaces a primary key that has changed.
    #[must_use]
    pub fn drop_constraint(self, table: &str, constraint: &str) -> Self {
        self.with(Permission::DropConstraint(table.to_owned(), constraint.to_owned()))
    }

    /// Drops an index that the entity does not have.
    #[must_use]
    pub fn drop_index(self, table: &str, index: &str) -> Self {
        self.with(Permission::DropIndex(table.to_owned(), index.to_owned()))
    }

    /// Drops a column's default that the entity does not have.
    #[must_use]
    pub fn drop_default(self, table: &str, column: &str) -> Self {
        self.with(Permission::DropDefault(table.to_owned(), column.to_owned()))
    }

    /// Changes a column's type to the entity's by a cast. It rewrites the table while nobody else can use it, and a
    /// cast can lose digits.
    #[must_use]
    pub fn change_type(self, table: &str, column: &str) -> Self {
        self.with(Permission::ChangeType(table.to_owned(), column.to_owned()))
    }

    /// Moves all rows of a table to other shards on Citus, or takes them back to the coordinator and distributes them
    /// again: when it has the wrong distribution column, is not co-located with its group, is distributed and should be a
    /// reference table or the reverse, or must change in a way in which Citus changes no distributed table. Nobody can
    /// use it meanwhile. Its grants, policies and views stay, Citus loses its comments.
    #[must_use]
    pub fn redistribute(self, table: &str) -> Self {
        self.with(Permission::Redistribute(table.to_owned()))
    }

    /// Drops a policy of row level security that the SDK does not know, and by which the application role may reach more
    /// than its tenant's rows.
    #[must_use]
    pub fn drop_policy(self, table: &str, policy: &str) -> Self {
        self.with(Permission::DropPolicy(table.to_owned(), policy.to_owned()))
    }

    /// Drops a trigger of the SDK's that keeps columns of this table which no entity has denormalised any more.
    #[must_use]
    pub fn drop_trigger(self, table: &str, trigger: &str) -> Self {
        self.with(Permission::DropTrigger(table.to_owned(), trigger.to_owned()))
    }

    /// Puts what denormalised columns follow in the place of what they had before they were denormalised.
    #[must_use]
    pub fn overwrite(self, table: &str) -> Self {
        self.with(Permission::Overwrite(table.to_owned()))
    }

    /// Allows what a text names as [`Withheld::consent`](super::Withheld::consent) has it; quotes and the dot before it may be
    /// left out.
    ///
    /// ```
    /// use shardwise::admin::Consent;
    ///
    /// let consent = Consent::none().allow("drop_column(wallets, note)")?;
    /// assert_eq!(consent, Consent::none().allow(r#".drop_column("wallets", "note")"#)?);
    /// # Ok::<(), shardwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for a text that names no consent: the message lists those that there are.
    pub fn allow(self, text: &str) -> Result<Self> {
        let permission = Permission::parse(text).ok_or_else(|| {
            let message = format!(
                "{text:?} is no consent: write one of drop_table(TABLE), drop_column(TABLE, COLUMN), drop_constraint(TABLE, NAME), \
                 drop_index(TABLE, NAME), drop_default(TABLE, COLUMN), change_type(TABLE, COLUMN), redistribute(TABLE), \
                 drop_policy(TABLE, NAME), drop_trigger(TABLE, NAME), overwrite(TABLE)"
            );
            Error::new(ErrorKind::Usage, message)
        })?;
        Ok(self.with(permission))
    }

    /// Whether nothing is allowed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn with(mut self, permission: Permission) -> Self {
        self.0.insert(permission);
        self
    }

    pub(super) fn allows(&self, permission: &Permission) -> bool {
        self.0.contains(permission)
    }

    /// The tables to drop.
    pub(super) fn tables(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|permission| match permission {
            Permission::DropTable(table) => Some(table.as_str()),
            _ => None,
        })
    }
}

impl Permission {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (call, arguments) = text.strip_prefix('.').unwrap_or(text).strip_suffix(')')?.split_once('(')?;
        let arguments: Vec<String> = match arguments.contains('"') {
            true => serde_json::from_str(&format!("[{arguments}]")).ok()?,
            false => arguments.split(',').map(|argument| argument.trim().to_owned()).collect(),
        };
        let mut arguments = arguments.into_iter();
        let (first, second, rest) =
            (arguments.next().filter(|name| !name.is_empty())?, arguments.next(), arguments.next());
        Some(match (call.trim(), second.filter(|name| !name.is_empty()), rest) {
            ("drop_table", None, None) => Self::DropTable(first),
            ("redistribute", None, None) => Self::Redistribute(first),
            ("overwrite", None, None) => Self::Overwrite(first),
            ("drop_column", Some(name), None) => Self::DropColumn(first, name),
            ("drop_constraint", Some(name), None) => Self::DropConstraint(first, name),
            ("drop_index", Some(name), None) => Self::DropIndex(first, name),
            ("drop_default", Some(name), None) => Self::DropDefault(first, name),
            ("change_type", Some(name), None) => Self::ChangeType(first, name),
            ("drop_policy", Some(name), None) => Self::DropPolicy(first, name),
            ("drop_trigger", Some(name), None) => Self::DropTrigger(first, name),
            _ => return None,
        })
    }

    /// The call that gives it.
    pub(super) fn call(&self) -> String {
        match self {
            Self::DropTable(table) => format!(".drop_table({table:?})"),
            Self::DropColumn(table, column) => format!(".drop_column({table:?}, {column:?})"),
            Self::DropConstraint(table, name) => format!(".drop_constraint({table:?}, {name:?})"),
            Self::DropIndex(table, name) => format!(".drop_index({table:?}, {name:?})"),
            Self::DropDefault(table, column) => format!(".drop_default({table:?}, {column:?})"),
            Self::ChangeType(table, column) => format!(".change_type({table:?}, {column:?})"),
            Self::Redistribute(table) => format!(".redistribute({table:?})"),
            Self::DropPolicy(table, policy) => format!(".drop_policy({table:?}, {policy:?})"),
            Self::Overwrite(table) => format!(".overwrite({table:?})"),
            Self::DropTrigger(table, trigger) => format!(".drop_trigger({table:?}, {trigger:?})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Consent, Permission};

    #[test]
    fn each_consent_is_read_as_it_is_written() {
        let two = |kind: fn(String, String) -> Permission| kind("a.b".to_owned(), "it's \"x\", y".to_owned());
        for permission in [
            Permission::DropTable("old, \"odd\"".to_owned()),
            Permission::Redistribute("wallets".to_owned()),
            Permission::Overwrite("orders".to_owned()),
            two(Permission::DropColumn),
            two(Permission::DropConstraint),
            two(Permission::DropIndex),
            two(Permission::DropDefault),
            two(Permission::ChangeType),
            two(Permission::DropPolicy),
            two(Permission::DropTrigger),
        ] {
            assert_eq!(Permission::parse(&permission.call()), Some(permission.clone()), "{permission:?}");
        }
    }

    #[test]
    fn what_is_no_consent_is_refused_with_those_that_there_are() {
        for text in [
            "",
            "drop_column",
            "drop_column(wallets)",
            "drop_column(a, b, c)",
            "drop_table()",
            "drop(a)",
            "drop_table(a, b)",
        ] {
            let error = Consent::none().allow(text).expect_err(text).to_string();
            assert!(error.contains("drop_column(TABLE, COLUMN)"), "{error}");
        }
    }
}
