//! What the tables are that statements name, once they are distributed. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use shardwise_scope::{Analysis, TableFacts};

use crate::admin::adopt::catalog::{Name, Table, View};
use crate::admin::adopt::classify::{Class, Key, guesses};
use crate::admin::adopt::inspection::Inspection;

/// What a table or view is to a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Its rows are tenants'.
    Tenants,
    /// Its rows are everybody's, with a copy on each node.
    Shared,
    /// It stays where it is.
    Local,
    /// A person has to say.
    Undecided,
    /// A view whose query reads tenants' rows.
    View,
}

/// A table or view.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) name: Name,
    pub(super) role: Role,
    /// The column with the tenant's key, of tenants' rows.
    pub(super) key: Option<String>,
    /// Whether that column is yet to come.
    pub(super) key_is_new: bool,
    /// Whether it is the table of the tenants.
    pub(super) is_root: bool,
    /// All columns that it has today.
    pub(super) columns: Vec<String>,
    /// The columns by which one row is found, and those that point at a tenant's row.
    pub(super) identifying: Vec<Vec<String>>,
}

impl Known {
    /// Whether it has this column when its rows are distributed.
    pub(super) fn will_have(&self, column: &str) -> bool {
        self.has(column) || self.key.as_deref() == Some(column)
    }

    pub(super) fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|one| one == column)
    }
}

/// All tables and views.
#[derive(Debug)]
pub(super) struct Tables {
    all: Vec<Known>,
    by_name: HashMap<(Option<String>, String), usize>,
    pub(super) key: Key,
}

impl Tables {
    pub(super) fn of(inspection: &Inspection) -> Self {
        let classes: BTreeMap<&Name, &_> =
            inspection.tables.iter().map(|table| (&table.classified.table, &table.classified)).collect();
        let whole = |name: &Name| -> Name {
            let mut name = name.clone();
            // A partition is what its table is, however far up that is.
            for _ in 0..16 {
                let table = inspection.catalog.table(&name).filter(|table| table.is_partition);
                let Some((schema, parent)) = table.and_then(|table| table.parents.first()) else { break };
                name = Name { schema: schema.clone(), name: parent.clone() };
            }
            name
        };
        let mut all = Vec::new();
        for table in &inspection.catalog.tables {
            let Some(classified) = classes.get(&whole(&table.name)) else { continue };
            let role = match classified.class {
                Class::Root | Class::Keyed | Class::Chained => Role::Tenants,
                Class::Reference => Role::Shared,
                Class::Local | Class::Partition => Role::Local,
                Class::Undecided => Role::Undecided,
            };
            let key = classified.column.clone().filter(|_| role == Role::Tenants);
            let is_tenants = |name: &Name| {
                classes.get(name).is_some_and(|one| matches!(one.class, Class::Root | Class::Keyed | Class::Chained))
            };
            let is_found_by = key.is_some() && classified.class != Class::Root;
            let undeclared = guesses(&inspection.catalog, table).into_iter().filter(|link| is_tenants(&link.target));
            let undeclared: Vec<Vec<String>> = undeclared.map(|link| link.columns).collect();
            all.push(Known {
                name: table.name.clone(),
                role,
                key_is_new: key.as_ref().is_some_and(|key| table.column(key).is_none()),
                is_root: classified.class == Class::Root,
                columns: table.columns.iter().map(|column| column.name.clone()).collect(),
                identifying: match is_found_by {
                    true => [identifying(table, is_tenants), undeclared]
                        .concat()
                        .into_iter()
                        .filter(|columns| columns.iter().ne(&key))
                        .collect(),
                    false => Vec::new(),
                },
                key,
            });
        }
        let roles: BTreeMap<Name, Role> = all.iter().map(|table| (table.name.clone(), table.role)).collect();
        let views: BTreeMap<Name, &View> =
            inspection.catalog.views.iter().map(|view| (view.name.clone(), view)).collect();
        for name in views.keys() {
            all.push(Known {
                name: name.clone(),
                role: role_of_view(name, &views, &roles),
                key: None,
                key_is_new: false,
                is_root: false,
                columns: Vec::new(),
                identifying: Vec::new(),
            });
        }
        Self { by_name: by_name(&all, &inspection.catalog.current_schema), all, key: inspection.key.clone() }
    }

    pub(super) fn find(&self, schema: Option<&str>, name: &str) -> Option<&Known> {
        let at = self.by_name.get(&(schema.map(str::to_owned), name.to_owned()))?;
        self.all.get(*at)
    }

    /// The one that a statement names so.
    pub(super) fn written(&self, name: &str) -> Option<&Known> {
        let parts: Vec<String> = name.split('.').map(|part| folded(part.trim())).collect();
        match parts.as_slice() {
            [name] => self.find(None, name),
            [schema, name] => self.find(Some(schema), name),
            _ => None,
        }
    }

    /// Whether a table or view is called so, in whichever schema.
    pub(super) fn is_named(&self, name: &str) -> bool {
        self.all.iter().any(|known| known.name.name == name)
    }

    /// Those whose rows are tenants', views of them included.
    pub(super) fn of_tenants(&self) -> impl Iterator<Item = &Known> {
        self.all.iter().filter(|known| matches!(known.role, Role::Tenants | Role::View))
    }

    /// Holds a statement against the tables that it names. The column with the key has one name in all of
    /// them here: that of [`Key::column`]; and so has the parameter with the tenant's key.
    ///
    /// # Errors
    /// What the checker has against it.
    pub(super) fn hold(&self, analysis: &Analysis, tenant: &str) -> Result<(), String> {
        let renamed = self.renamed(analysis, tenant);
        let names: BTreeSet<(Option<&str>, &str)> =
            renamed.relations.iter().map(|one| (one.schema.as_deref(), one.name.as_str())).collect();
        let lists: Vec<(Option<&str>, &Known, Vec<&str>)> = names
            .into_iter()
            .filter_map(|(schema, name)| {
                let known = self.find(schema, name)?;
                let own = known.columns.iter().map(String::as_str).chain([self.key.column.as_str()]);
                // What columns a view has is not read: those that are used.
                let of_view =
                    renamed.columns.iter().filter(|_| known.columns.is_empty()).map(|column| column.name.as_str());
                Some((schema, known, own.chain(of_view).collect()))
            })
            .collect();
        let facts: Vec<TableFacts<'_>> = lists
            .iter()
            .map(|(schema, known, columns)| TableFacts {
                schema: *schema,
                name: &known.name.name,
                key: known.key.as_ref().map(|_| self.key.column.as_str()),
                key_type: &self.key.sql_type,
                group: "tenants",
                columns,
            })
            .collect();
        let given: Vec<&str> =
            renamed.params.iter().map(String::as_str).filter(|name| *name != self.key.column).collect();
        renamed.verify(&given, &facts).map_err(|refusal| refusal.message)
    }

    fn renamed(&self, analysis: &Analysis, tenant: &str) -> Analysis {
        use shardwise_scope::{Value, WriteKind};
        let mut renamed = analysis.clone();
        let column_of = |name: &str, known: Option<&Known>| -> String {
            match known.and_then(|known| known.key.as_deref()) {
                Some(key) if key == name => self.key.column.clone(),
                // Another column that is called as the key of other tables.
                _ if name == self.key.column => format!("{name} "),
                _ => name.to_owned(),
            }
        };
        let param_of = |name: &str| if name == tenant { self.key.column.clone() } else { name.to_owned() };
        for param in &mut renamed.params {
            *param = param_of(param);
        }
        let known: Vec<Option<&Known>> =
            analysis.relations.iter().map(|one| self.find(one.schema.as_deref(), &one.name)).collect();
        for (relation, known) in renamed.relations.iter_mut().zip(&known) {
            for pin in &mut relation.pins {
                (pin.column, pin.param) = (column_of(&pin.column, *known), param_of(&pin.param));
            }
        }
        for write in &mut renamed.writes {
            let known = known.get(write.relation).copied().flatten();
            if let WriteKind::Insert(values) | WriteKind::Set(values) = &mut write.kind {
                for (column, value) in values {
                    *column = column_of(column, known);
                    if let Value::Param(param) | Value::Pinned(param) = value {
                        *param = param_of(param);
                    }
                }
            }
        }
        renamed
    }
}

/// A name as the server reads it.
pub(super) fn folded(name: &str) -> String {
    match name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => name.to_ascii_lowercase(),
    }
}

/// Keys, uniques and foreign keys to tenants' rows.
fn identifying(table: &Table, is_tenants: impl Fn(&Name) -> bool) -> Vec<Vec<String>> {
    let unique =
        table.constraints.iter().filter(|one| matches!(one.kind.as_str(), "p" | "u")).map(|one| one.columns.clone());
    let foreign = table.foreign_keys().filter(|(_, to)| is_tenants(&to.name())).map(|(key, _)| key.columns.clone());
    let indexes = table.indexes.iter().filter(|index| index.is_unique && !index.is_partial);
    let indexes = indexes.filter_map(|index| index.columns.iter().cloned().collect::<Option<Vec<_>>>());
    unique.chain(foreign).chain(indexes).filter(|columns| !columns.is_empty()).collect()
}

/// By all that a view reads, directly or by way of other views.
fn role_of_view(name: &Name, views: &BTreeMap<Name, &View>, roles: &BTreeMap<Name, Role>) -> Role {
    let (mut open, mut seen, mut role) = (vec![name.clone()], BTreeSet::new(), Role::Shared);
    while let Some(name) = open.pop() {
        let Some(view) = views.get(&name).filter(|_| seen.insert(name.clone())) else { continue };
        for (schema, read) in &view.reads {
            let read = Name { schema: schema.clone(), name: read.clone() };
            match roles.get(&read) {
                Some(Role::Tenants | Role::View) => return Role::View,
                Some(Role::Undecided) => role = Role::Undecided,
                Some(Role::Local) if role == Role::Shared => role = Role::Local,
                Some(_) => {}
                None => open.push(read),
            }
        }
    }
    role
}

/// With the schema and, where that is the current one or no other has such a table, without.
fn by_name(all: &[Known], current: &str) -> HashMap<(Option<String>, String), usize> {
    let mut names = HashMap::new();
    for (at, known) in all.iter().enumerate() {
        names.insert((Some(known.name.schema.clone()), known.name.name.clone()), at);
        let is_only = all.iter().filter(|other| other.name.name == known.name.name).count() == 1;
        if known.name.schema == current || is_only {
            names.insert((None, known.name.name.clone()), at);
        }
    }
    names
}
