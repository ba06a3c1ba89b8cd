//! What the tables become: whose key is in which column, and which keys take which one's place. Pure.

use super::step::{Action, LockLevel};
use crate::admin::adopt::catalog::{Catalog, Column, Constraint, NOT_ENFORCED, Name, Reference, Table};
use crate::admin::adopt::classify::{Class, Link};
use crate::admin::adopt::inspection::{Inspected, Inspection};
use crate::schema::{names, quote_ident};

/// The tables on their way.
pub(super) struct Shape<'a> {
    pub(super) found: &'a Inspection,
    /// Those of tenants, the ones that others get their key from first.
    pub(super) tenants: Vec<Tenant<'a>>,
    /// Those of everybody, the ones that others point at first.
    pub(super) references: Vec<&'a Table>,
}

/// A table whose rows are tenants'.
pub(super) struct Tenant<'a> {
    pub(super) table: &'a Table,
    pub(super) inspected: &'a Inspected,
    /// The column that has, or gets, the key.
    pub(super) key: String,
    /// The foreign key by which rows get it, where the column is to be added, or is there and some rows lack it.
    pub(super) through: Option<&'a Link>,
}

/// What becomes of a foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// It stays as it is.
    Keeps,
    /// This one takes its place.
    Becomes(Composite),
    /// It goes, for this reason.
    Goes(String),
}

/// A foreign key with the tenant's key in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Composite {
    pub(super) columns: Vec<String>,
    pub(super) target_columns: Vec<String>,
    /// What Citus does not take of the old one: `ON DELETE SET NULL`
    pub(super) lost: Vec<String>,
}

impl<'a> Shape<'a> {
    pub(super) fn of(found: &'a Inspection) -> Self {
        let mut tenants: Vec<(usize, Tenant<'a>)> = Vec::new();
        for inspected in &found.tables {
            let one = &inspected.classified;
            let Some(table) = found.catalog.table(&one.table) else { continue };
            let (key, through) = match (one.class, &one.column, &one.through) {
                (Class::Root | Class::Keyed, Some(column), _) => (column.clone(), None),
                (Class::Chained, _, Some(link)) => (found.key.column.clone(), Some(link)),
                _ => continue,
            };
            tenants.push((one.chain.len(), Tenant { table, inspected, key, through }));
        }
        // The tenants' own table before all.
        tenants.sort_by_key(|(level, tenant)| (tenant.table.name != found.key.root, *level, tenant.table.name.clone()));
        let tenants = tenants.into_iter().map(|(_, tenant)| tenant).collect();
        Self { found, tenants, references: references(found) }
    }

    /// The tenants' own key.
    pub(super) fn root_key(&self) -> Option<&'a Column> {
        self.catalog().table(&self.found.key.root)?.column(&self.found.key.root_column)
    }

    /// The type of the key's column, as it is in the tenants' own table: with length, domain and collation.
    pub(super) fn key_type(&self) -> String {
        let Some(column) = self.root_key() else { return self.found.key.sql_type.clone() };
        let collation = column.collation.as_ref().map(|name| format!(" COLLATE {name}"));
        format!("{}{}", column.sql_type, collation.unwrap_or_default())
    }

    pub(super) fn catalog(&self) -> &'a Catalog {
        &self.found.catalog
    }

    pub(super) fn tenant(&self, reference: &Reference) -> Option<&Tenant<'a>> {
        let name = reference.name();
        self.tenants.iter().find(|tenant| tenant.table.name == name)
    }

    /// Whether foreign keys with the tenant's key in them point at it.
    pub(super) fn is_pointed_at(&self, target: &Tenant<'a>) -> bool {
        self.tenants.iter().any(|tenant| {
            tenant.table.foreign_keys().any(|(constraint, reference)| {
                reference.name() == target.table.name
                    && matches!(self.fate(tenant, constraint, reference), Fate::Becomes(_))
            })
        })
    }

    pub(super) fn is_reference(&self, table: &Name) -> bool {
        self.references.iter().any(|one| one.name == *table)
    }

    /// Those that are nobody's or everybody's.
    pub(super) fn others(&self) -> impl Iterator<Item = &'a Table> {
        let is_tenants = |table: &Table| self.tenants.iter().any(|one| one.table.name == table.name);
        self.catalog().tables.iter().filter(move |table| !table.is_partition && !is_tenants(table))
    }

    /// Its partitions, and theirs.
    pub(super) fn partitions(&self, table: &Table) -> Vec<&'a Table> {
        let is_of = |one: &&Table| {
            let parent = (&table.name.schema, &table.name.name);
            one.is_partition && one.parents.iter().any(|(schema, name)| (schema, name) == parent)
        };
        let own: Vec<&Table> = self.catalog().tables.iter().filter(is_of).collect();
        own.into_iter().flat_map(|one| [vec![one], self.partitions(one)].concat()).collect()
    }

    /// Adds a foreign key without looking at the rows, and looks at them afterwards; in one where that can't be, and writers wait.
    pub(super) fn add_foreign_key(
        &self,
        tenant: &Tenant<'_>,
        reference: &Reference,
        name: &str,
        clause: &str,
    ) -> (Action, Option<Action>) {
        let (at, name) = (tenant.at(), quote_ident(name));
        if clause.ends_with(NOT_ENFORCED) {
            let add = format!("ALTER TABLE {at} ADD CONSTRAINT {name} {clause}");
            return (tenant.change_foreign_key(reference, LockLevel::ShareRowExclusive, add), None);
        }
        // A partitioned table takes one that is not looked at from PostgreSQL 18 on.
        let is_online = !tenant.is_partitioned() || self.catalog().version >= 180_000;
        let not_valid = if is_online { " NOT VALID" } else { "" };
        let add = format!("ALTER TABLE {at} ADD CONSTRAINT {name} {clause}{not_valid}");
        let add = tenant.change_foreign_key(reference, LockLevel::ShareRowExclusive, add);
        let sql = format!("ALTER TABLE {at} VALIDATE CONSTRAINT {name}");
        (add, is_online.then_some(Action::Statement { sql, done: None }))
    }

    /// What becomes of a foreign key of a tenant's table.
    pub(super) fn fate(&self, own: &Tenant<'a>, constraint: &Constraint, reference: &Reference) -> Fate {
        let Some(target) = self.tenant(reference) else {
            return if self.is_reference(&reference.name()) {
                Fate::Keeps
            } else {
                Fate::Goes(format!("{} stays on one node, where rows on other nodes can't point at", reference.name()))
            };
        };
        if let Some(rows) = own.disagreeing(&constraint.name).filter(|rows| *rows > 0) {
            return Fate::Goes(format!("{rows} rows point at a row of another tenant's"));
        }
        let (mut columns, mut target_columns) = (constraint.columns.clone(), reference.columns.clone());
        match target_columns.iter().position(|column| *column == target.key) {
            Some(at) => columns[at].clone_from(&own.key),
            None => {
                columns.insert(0, own.key.clone());
                target_columns.insert(0, target.key.clone());
            }
        }
        let lost = refused_actions(reference);
        if columns == constraint.columns && lost.is_empty() {
            return Fate::Keeps;
        }
        Fate::Becomes(Composite { columns, target_columns, lost })
    }
}

impl Tenant<'_> {
    /// How many rows are another tenant's by this foreign key, where they were counted.
    fn disagreeing(&self, constraint: &str) -> Option<u64> {
        let others = self.inspected.classified.others.iter();
        let at = others.into_iter().position(|link| link.constraint.as_deref() == Some(constraint))?;
        self.inspected.evidence.as_ref()?.disagreeing.get(at).copied()
    }

    /// The name as SQL text.
    pub(super) fn at(&self) -> String {
        self.table.name.quoted()
    }

    /// Whether the column is there before the adoption.
    pub(super) fn has_column(&self) -> bool {
        self.table.column(&self.key).is_some()
    }

    /// Whether the column may be NULL before the adoption.
    pub(super) fn may_lack_key(&self) -> bool {
        !self.has_column() || self.may_be_null() && !self.is_checked()
    }

    /// Whether the column is not NOT NULL yet.
    pub(super) fn may_be_null(&self) -> bool {
        self.table.may_be_null(std::slice::from_ref(&self.key))
    }

    /// The name of the check that no row lacks its key.
    pub(super) fn check(&self) -> String {
        names::object(&format!("{}_{}", self.table.name.name, self.key), "adopted")
    }

    /// Before PostgreSQL 12, that check is what an adoption leaves.
    fn is_checked(&self) -> bool {
        let check = self.check();
        self.table.constraints.iter().any(|one| one.kind == "c" && one.is_validated && one.name == check)
    }

    /// Statements under this lock.
    pub(super) fn change(&self, lock: LockLevel, statements: Vec<String>) -> Action {
        Action::Change { targets: Vec::new(), own: (self.at(), lock), statements }
    }

    /// The same where the table that a foreign key points at is locked before it.
    pub(super) fn change_foreign_key(&self, reference: &Reference, lock: LockLevel, statement: String) -> Action {
        let targets = others_lock(self.table, reference, lock);
        Action::Change { targets, own: (self.at(), lock), statements: vec![statement] }
    }

    /// Those that get the key before them, or the same columns where it is among them.
    pub(super) fn with_key(&self, columns: &[String]) -> Vec<String> {
        if columns.contains(&self.key) {
            return columns.to_vec();
        }
        [std::slice::from_ref(&self.key), columns].concat()
    }

    pub(super) fn is_partitioned(&self) -> bool {
        self.table.kind == "p"
    }
}

/// The lock of what a foreign key points at, where that is another table.
pub(super) fn others_lock(table: &Table, reference: &Reference, lock: LockLevel) -> Vec<(String, LockLevel)> {
    if reference.name() == table.name { Vec::new() } else { vec![(reference.name().quoted(), lock)] }
}

/// What Citus refuses in foreign keys that have the distribution column in them.
fn refused_actions(reference: &Reference) -> Vec<String> {
    let action = |code: &str| match code {
        "c" => "CASCADE",
        "n" => "SET NULL",
        _ => "SET DEFAULT",
    };
    let on_delete = matches!(reference.on_delete.as_str(), "n" | "d");
    let on_update = matches!(reference.on_update.as_str(), "c" | "n" | "d");
    let on_delete = on_delete.then(|| format!("ON DELETE {}", action(&reference.on_delete)));
    let on_update = on_update.then(|| format!("ON UPDATE {}", action(&reference.on_update)));
    on_delete.into_iter().chain(on_update).collect()
}

/// Tables of everybody, each behind those that it points at.
fn references(found: &Inspection) -> Vec<&Table> {
    let of_class = found.tables.iter().filter(|table| table.classified.class == Class::Reference);
    let mut left: Vec<&Table> = of_class.filter_map(|table| found.catalog.table(&table.classified.table)).collect();
    let mut ordered: Vec<&Table> = Vec::new();
    while !left.is_empty() {
        let is_free = |table: &&Table| {
            !table.foreign_keys().any(|(_, reference)| {
                let name = reference.name();
                name != table.name && left.iter().any(|other| other.name == name)
            })
        };
        // Of those that point at each other in a circle, the first.
        let at = left.iter().position(is_free).unwrap_or(0);
        ordered.push(left.remove(at));
    }
    ordered
}
