//! Tables as values, made in a test: a drift is one call away from the table that it drifts from.

use shardwise::schema::{
    Check, Colocation, ColumnDef, Enumeration, ForeignKey, Generated, Index, IndexColumn, Interval, Kind, OnDelete,
    Partition, Table, Unique,
};
use tokio_postgres::types::Type;

/// A table that is being made. It leaks when it is done: a test's tables live as long as an entity's.
pub(crate) struct Build {
    schema: Option<&'static str>,
    name: &'static str,
    distribution: Option<&'static str>,
    colocation: Colocation,
    columns: Vec<ColumnDef>,
    key: Vec<&'static str>,
    uniques: Vec<Unique>,
    indexes: Vec<Index>,
    foreign_keys: Vec<ForeignKey>,
    checks: Vec<Check>,
    partition: Option<Partition>,
}

/// A reference table with a `uuid` key.
pub(crate) fn reference(name: &'static str) -> Build {
    let table = Build {
        schema: None,
        name,
        distribution: None,
        colocation: Colocation::Default,
        columns: Vec::new(),
        key: Vec::new(),
        uniques: Vec::new(),
        indexes: Vec::new(),
        foreign_keys: Vec::new(),
        checks: Vec::new(),
        partition: None,
    };
    table.column("id", "uuid").key(&["id"])
}

/// A table distributed by `festival_id`, with a `uuid` key besides.
pub(crate) fn distributed(name: &'static str) -> Build {
    let mut table = reference(name);
    table.distribution = Some("festival_id");
    table.columns.clear();
    table.column("festival_id", "uuid").column("id", "uuid").key(&["festival_id", "id"])
}

impl Build {
    pub(crate) fn schema(mut self, schema: &'static str) -> Self {
        self.schema = Some(schema);
        self
    }

    pub(crate) fn distributed_by(mut self, column: &'static str) -> Self {
        self.distribution = Some(column);
        self
    }

    /// The last column tells the region that a tenant lives in.
    pub(crate) fn region(self) -> Self {
        self.last(|column| column.is_region = true)
    }

    pub(crate) fn own_group(mut self) -> Self {
        self.colocation = Colocation::Own;
        self
    }

    pub(crate) fn with_group(mut self, table: fn() -> &'static Table) -> Self {
        self.colocation = Colocation::With(table);
        self
    }

    pub(crate) fn key(mut self, columns: &[&'static str]) -> Self {
        self.key = columns.to_vec();
        self
    }

    pub(crate) fn column(mut self, name: &'static str, sql_type: &'static str) -> Self {
        let wire = match sql_type {
            "timestamptz" => Type::TIMESTAMPTZ,
            "timestamp" => Type::TIMESTAMP,
            "date" => Type::DATE,
            "uuid" => Type::UUID,
            "bigint" => Type::INT8,
            _ => Type::TEXT,
        };
        self.columns.push(ColumnDef {
            field: name,
            name,
            sql_type,
            wire,
            bind: "",
            read: "",
            nullable: false,
            default: None,
            generated: None,
            enumeration: None,
            denormalized: None,
            is_region: false,
        });
        self
    }

    /// The last column may be NULL.
    pub(crate) fn nullable(self) -> Self {
        self.last(|column| column.nullable = true)
    }

    pub(crate) fn default(self, default: &'static str) -> Self {
        self.last(|column| column.default = Some(default))
    }

    pub(crate) fn generated(self, generated: Generated) -> Self {
        self.last(|column| column.generated = Some(generated))
    }

    pub(crate) fn labels(self, name: &'static str, labels: &[&'static str], native: bool) -> Self {
        let enumeration = Enumeration { name, labels: labels.to_vec().leak(), native };
        self.last(|column| column.enumeration = Some(Box::leak(Box::new(enumeration))))
    }

    fn last(mut self, change: impl FnOnce(&mut ColumnDef)) -> Self {
        change(self.columns.last_mut().unwrap());
        self
    }

    pub(crate) fn unique(mut self, name: Option<&'static str>, columns: &[&'static str]) -> Self {
        self.uniques.push(Unique { name, columns: columns.to_vec().leak() });
        self
    }

    /// A `-` before a column's name makes it descending.
    pub(crate) fn index(mut self, columns: &[&'static str], predicate: Option<&'static str>) -> Self {
        let column =
            |name: &&'static str| IndexColumn { name: name.trim_start_matches('-'), descending: name.starts_with('-') };
        let columns: Vec<IndexColumn> = columns.iter().map(column).collect();
        self.indexes.push(Index { name: None, columns: columns.leak(), predicate });
        self
    }

    pub(crate) fn references(
        mut self,
        column: &'static str,
        target: fn() -> &'static Table,
        on_delete: OnDelete,
    ) -> Self {
        self.foreign_keys.push(ForeignKey { column, target, on_delete });
        self
    }

    pub(crate) fn check(mut self, column: &'static str, expression: &'static str) -> Self {
        self.checks.push(Check { column, expression });
        self
    }

    pub(crate) fn partition(mut self, column: &'static str, interval: Interval) -> Self {
        self.partition = Some(Partition { column, interval });
        if !self.key.contains(&column) {
            self.key.push(column);
        }
        self
    }

    pub(crate) fn done(self) -> &'static Table {
        let kind = match self.distribution {
            Some(column) => Kind::Distributed { column, colocated_with: self.colocation },
            None => Kind::Reference,
        };
        let given = |name: &&'static str| Some(*name) != self.distribution;
        let key: Vec<&'static str> = self.key.iter().copied().filter(given).collect();
        Box::leak(Box::new(Table {
            entity: self.name,
            schema: self.schema,
            name: self.name,
            kind,
            columns: self.columns.leak(),
            key: key.leak(),
            primary_key: self.key.leak(),
            uniques: self.uniques.leak(),
            indexes: self.indexes.leak(),
            foreign_keys: self.foreign_keys.leak(),
            checks: self.checks.leak(),
            partition: self.partition,
            rollup: None,
            view: None,
        }))
    }
}
