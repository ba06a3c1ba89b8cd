//! Rollups: what the derive says of one, and the SQL that keeps it.
//!
//! A group has several rows in the table behind the view, its parts, which the view adds up. A writer adds to a part that no
//! other open transaction has: so many who write one group don't wait for each other, and none waits for a rollup at all.

use std::fmt;

use super::trigger::{self, Server};
use super::{Table, literal, names, quote_ident};

/// The column that tells the parts of a group apart.
pub(crate) const PART: &str = "part";
/// The column with the number of the source's rows: a group without any is not shown.
pub(crate) const ROWS: &str = "rows";

/// How many parts of a group writers share. Whoever finds all of them taken, and whoever works on a snapshot of its whole
/// transaction, which can't add to what came after, makes a part of its own.
const SHARED: u32 = 256;

/// What an entity adds up of another one's rows. The derive writes it.
pub struct Rollup {
    /// The view by which it is read.
    pub view: &'static Table,
    /// The table behind it.
    pub parts: &'static Table,
    /// The entity whose rows are added up.
    pub of: fn() -> &'static Table,
    /// The columns of the group, the distribution column among them.
    pub groups: &'static [GroupColumn],
    /// What is added up per group.
    pub aggregates: &'static [Aggregate],
}

/// A column of the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupColumn {
    /// The rollup's column.
    pub column: &'static str,
    /// The source's column.
    pub source: &'static str,
    /// The time that its values are cut to; `None` takes them as they are.
    pub period: Option<Period>,
}

/// A time to which moments are cut, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// An ISO week: by its Monday.
    Week,
    /// A month: by its first day.
    Month,
    /// A year: by its first day.
    Year,
}

/// What is added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aggregate {
    /// The rollup's column.
    pub column: &'static str,
    /// The source's column whose values are added up; `None` counts rows.
    pub source: Option<&'static str>,
    /// The condition of the rows that count, as SQL over the source's columns.
    pub filter: Option<&'static str>,
}

// The table and its rollup point at each other.
impl fmt::Debug for Rollup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rollup")
            .field("view", &self.view.name)
            .field("of", &(self.of)().name)
            .field("groups", &self.groups)
            .field("aggregates", &self.aggregates)
            .finish()
    }
}

impl Period {
    /// Its name in SQL.
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }
}

/// A rollup in a database: where its table and its source are, as SQL text.
#[derive(Debug, Clone)]
pub(crate) struct Placed<'a> {
    pub(crate) rollup: &'a Rollup,
    /// The schema of the table and the view.
    pub(crate) schema: String,
    pub(crate) parts: String,
    pub(crate) view: String,
    pub(crate) source: String,
}

impl Rollup {
    /// The name of the function that the triggers call.
    pub(crate) fn function_name(&self) -> String {
        names::object(self.view.name, "rollup")
    }

    /// The triggers on the source: name, and what stands behind `CREATE TRIGGER name`, up to the table and behind it.
    pub(crate) fn triggers(&self) -> [Trigger; 4] {
        [
            Trigger::new(self, "insert", "AFTER INSERT", "REFERENCING NEW TABLE AS shardwise_new "),
            Trigger::new(
                self,
                "update",
                "AFTER UPDATE",
                "REFERENCING OLD TABLE AS shardwise_old NEW TABLE AS shardwise_new ",
            ),
            Trigger::new(self, "delete", "AFTER DELETE", "REFERENCING OLD TABLE AS shardwise_old "),
            Trigger::new(self, "truncate", "BEFORE TRUNCATE", ""),
        ]
    }

    /// The group that tells in which partition of the source its rows lie, where the source is partitioned.
    pub(crate) fn by_time(&self) -> Option<&'static GroupColumn> {
        let column = (self.of)().partition?.column;
        self.groups.iter().find(|group| group.source == column)
    }

    /// What is computed of a row of the source, by the rollup's columns.
    pub(crate) fn expressions(&self) -> impl Iterator<Item = (&'static str, String)> {
        let groups = self.groups.iter().map(|group| (group.column, self.group_value(group)));
        groups.chain(self.aggregates.iter().map(|aggregate| (aggregate.column, Sum::Of(aggregate).of_row())))
    }

    /// The columns that are added up, the number of rows first.
    fn sums(&self) -> impl Iterator<Item = Sum<'_>> {
        [Sum::Rows].into_iter().chain(self.aggregates.iter().map(Sum::Of))
    }

    fn group_names(&self) -> Vec<String> {
        self.groups.iter().map(|group| quote_ident(group.column)).collect()
    }

    /// The value of a group's column for a row of the source.
    fn group_value(&self, group: &GroupColumn) -> String {
        let (source, column) = ((self.of)(), quote_ident(group.source));
        let Some(period) = group.period else { return column };
        let is = |table: &Table, name: &str, sql_type: &str| {
            table.column(name).is_some_and(|column| column.wire.name() == sql_type)
        };
        let to_date = is(self.view, group.column, "date");
        let has_zone = is(source, group.source, "timestamptz");
        let local = if has_zone { format!("{column} AT TIME ZONE 'UTC'") } else { format!("{column}::timestamp") };
        let cut = format!("date_trunc('{}', {local})", period.unit());
        match (to_date, has_zone) {
            (true, _) => format!("({cut})::date"),
            (false, true) => format!("({cut} AT TIME ZONE 'UTC')"),
            (false, false) => cut,
        }
    }
}

enum Sum<'a> {
    Rows,
    Of(&'a Aggregate),
}

impl Sum<'_> {
    fn name(&self) -> String {
        quote_ident(match self {
            Self::Rows => ROWS,
            Self::Of(aggregate) => aggregate.column,
        })
    }

    /// What a row of the source adds. As `numeric`: a difference of two numbers must not overflow where their sum does not.
    fn of_row(&self) -> String {
        let (source, filter) = match self {
            Self::Rows => (None, None),
            Self::Of(aggregate) => (aggregate.source, aggregate.filter),
        };
        let value = source.map_or_else(|| "1".to_owned(), |source| format!("{}::numeric", quote_ident(source)));
        match (filter, source) {
            (None, None) => "1::numeric".to_owned(),
            (None, Some(_)) => format!("coalesce({value}, 0)"),
            (Some(filter), _) => format!("coalesce(CASE WHEN ({filter}) THEN {value} END, 0)::numeric"),
        }
    }
}

/// A trigger of a rollup's.
#[derive(Debug)]
pub(crate) struct Trigger {
    pub(crate) name: String,
    pub(crate) event: &'static str,
    referencing: &'static str,
}

/// What the comments of the tables behind rollups begin with.
pub(crate) const MARK: &str = "shardwise: rollup, ";

/// What the names of all triggers of rollups begin with.
pub(crate) const TRIGGERS: &str = "shardwise_rollup_";

impl Trigger {
    fn new(rollup: &Rollup, event_name: &str, event: &'static str, referencing: &'static str) -> Self {
        Self { name: names::object(&format!("{TRIGGERS}{}", rollup.view.name), event_name), event, referencing }
    }

    /// `table` and `function` are SQL text.
    pub(crate) fn create(&self, table: &str, function: &str) -> String {
        format!(
            "CREATE TRIGGER {} {} ON {table} {}FOR EACH STATEMENT EXECUTE FUNCTION {function}()",
            quote_ident(&self.name),
            self.event,
            self.referencing
        )
    }

    pub(crate) fn drop(&self, table: &str) -> String {
        format!("DROP TRIGGER {} ON {table}", quote_ident(&self.name))
    }
}

impl Placed<'_> {
    /// The name of the function, as SQL text.
    pub(crate) fn function(&self) -> String {
        super::quote_qualified(Some(&self.schema), &self.rollup.function_name())
    }

    /// What the view shows.
    pub(crate) fn select(&self) -> String {
        let rollup = self.rollup;
        let list: Vec<String> = rollup
            .view
            .columns
            .iter()
            .map(|column| {
                let name = quote_ident(column.name);
                match rollup.aggregates.iter().any(|aggregate| aggregate.column == column.name) {
                    true => format!("sum({name})::{} AS {name}", column.sql_type),
                    false => name,
                }
            })
            .collect();
        format!(
            "SELECT {} FROM {} GROUP BY {} HAVING sum({ROWS}) <> 0",
            list.join(", "),
            self.parts,
            rollup.group_names().join(", ")
        )
    }

    /// `as_reader` has the rights and policies of whoever reads it count, and not those of its owner.
    pub(crate) fn create_view(&self, as_reader: bool) -> String {
        let with = if as_reader { " WITH (security_invoker = true)" } else { "" };
        format!("CREATE VIEW {}{with} AS {}", self.view, self.select())
    }

    /// Makes the function, or makes it anew.
    pub(crate) fn create_function(&self, server: Server) -> [String; 2] {
        trigger::create_function(&self.function(), &self.function_body(), server)
    }

    /// The writer's rights are enough for the source; those of the function's owner are for the rollup.
    pub(crate) fn function_body(&self) -> String {
        let (new, old) = (
            "SELECT 1 AS shardwise_sign, shardwise_new.* FROM shardwise_new",
            "SELECT -1 AS shardwise_sign, shardwise_old.* FROM shardwise_old",
        );
        let refusal = format!(
            "shardwise: {} can not be truncated, for its rollup {} would not notice: delete the rows, or drop the trigger, \
             truncate, and repair the rollup",
            self.source.replace('%', "%%"),
            self.view.replace('%', "%%"),
        );
        format!(
            "\n#variable_conflict use_column\nDECLARE\n    shardwise_row record;\n    shardwise_part bigint;\nBEGIN\n\
             IF TG_OP = 'INSERT' THEN\n{}\
             ELSIF TG_OP = 'DELETE' THEN\n{}\
             ELSIF TG_OP = 'UPDATE' THEN\n{}\
             ELSE\n    RAISE EXCEPTION {} USING ERRCODE = 'feature_not_supported';\n\
             END IF;\nRETURN NULL;\nEND\n",
            self.add(new),
            self.add(old),
            self.add(&format!("{new} UNION ALL {old}")),
            literal(&refusal),
        )
    }

    /// Adds what these rows change.
    fn add(&self, rows: &str) -> String {
        let rollup = self.rollup;
        let groups: Vec<String> = rollup
            .groups
            .iter()
            .map(|group| format!("{} AS {}", rollup.group_value(group), quote_ident(group.column)))
            .collect();
        let total = |sum: &Sum<'_>| format!("sum(shardwise_sign * {})", sum.of_row());
        let sums: Vec<String> = rollup.sums().map(|sum| format!("{} AS {}", total(&sum), sum.name())).collect();
        let changed: Vec<String> = rollup.sums().map(|sum| format!("{} <> 0", total(&sum))).collect();
        // By number: a rollup's column may be called as one of the source's.
        let numbers: Vec<String> = (1..=groups.len()).map(|number| number.to_string()).collect();
        format!(
            "    FOR shardwise_row IN SELECT {groups}, {sums}\n        FROM ({rows}) shardwise_rows\n        \
             GROUP BY {numbers} HAVING {changed}\n    LOOP\n{claim}{insert}    END LOOP;\n",
            groups = groups.join(", "),
            sums = sums.join(", "),
            numbers = numbers.join(", "),
            changed = changed.join(" OR "),
            claim = self.claim(),
            insert = self.insert(),
        )
    }

    /// Finds a part that nobody else adds to. Whoever tries to have a lock of this kind does not wait for it.
    fn claim(&self) -> String {
        let tenant = self.rollup.parts.distribution_column().map(quote_ident).unwrap_or_default();
        format!(
            "        shardwise_part := 0;\n        \
             IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN\n            \
                 shardwise_part := {SHARED};\n        \
             END IF;\n        \
             WHILE shardwise_part < {SHARED} AND NOT pg_try_advisory_xact_lock(TG_RELID::int4, \
                 (shardwise_part + 1024 * (hashtext(shardwise_row.{tenant}::text) & 31))::int4) LOOP\n            \
                 shardwise_part := shardwise_part + 1;\n        \
             END LOOP;\n        \
             IF shardwise_part = {SHARED} THEN\n            \
                 shardwise_part := {SHARED} + txid_current();\n        \
             END IF;\n"
        )
    }

    fn insert(&self) -> String {
        let rollup = self.rollup;
        let groups = rollup.group_names();
        let sums: Vec<String> = rollup.sums().map(|sum| sum.name()).collect();
        let of_row = |name: &String| format!("shardwise_row.{name}");
        let values: Vec<String> = groups.iter().chain(&sums).map(of_row).collect();
        format!(
            "        INSERT INTO {} AS shardwise_parts ({}, {}, {PART}) VALUES ({}, shardwise_part)\n        {};\n",
            self.parts,
            groups.join(", "),
            sums.join(", "),
            values.join(", "),
            self.on_conflict(),
        )
    }

    fn on_conflict(&self) -> String {
        let added: Vec<String> = self
            .rollup
            .sums()
            .map(|sum| sum.name())
            .map(|name| format!("{name} = shardwise_parts.{name} + excluded.{name}"))
            .collect();
        let keys: Vec<String> = self.rollup.parts.primary_key.iter().map(|column| quote_ident(column)).collect();
        format!("ON CONFLICT ({}) DO UPDATE SET {}", keys.join(", "), added.join(", "))
    }

    /// By how much the rollup is off, group by group, in one snapshot: what its parts lack of what the source has. Of one
    /// tenant where there is an expression for its key; where `covered`, a condition on the group's columns, holds.
    ///
    /// Each writer's transaction changes both alike. So whatever is being written, the difference stays the same.
    pub(crate) fn differences(&self, tenant: Option<&str>, covered: Option<&str>) -> String {
        let rollup = self.rollup;
        let (groups, names): (Vec<String>, Vec<String>) =
            (rollup.group_names(), rollup.sums().map(|sum| sum.name()).collect());
        let of_source: Vec<String> = rollup
            .groups
            .iter()
            .map(|group| format!("{} AS {}", rollup.group_value(group), quote_ident(group.column)))
            .chain(rollup.sums().map(|sum| format!("{} AS {}", sum.of_row(), sum.name())))
            .collect();
        let of_parts: Vec<String> =
            groups.iter().cloned().chain(names.iter().map(|name| format!("-{name}::numeric"))).collect();
        let filter = |condition: Option<&str>| condition.map_or_else(String::new, |text| format!(" WHERE {text}"));
        let of_tenant = |column: Option<&str>| match (tenant, column) {
            (Some(tenant), Some(column)) => format!(" WHERE {} = {tenant}", quote_ident(column)),
            _ => String::new(),
        };
        let sums: Vec<String> = names.iter().map(|name| format!("sum({name}) AS {name}")).collect();
        let differs: Vec<String> = names.iter().map(|name| format!("sum({name}) <> 0")).collect();
        format!(
            "SELECT {groups}, {sums} FROM (SELECT {} FROM {}{} UNION ALL SELECT {} FROM {}{}) shardwise_both{} \
             GROUP BY {groups} HAVING {}",
            of_source.join(", "),
            self.source,
            of_tenant((rollup.of)().distribution_column()),
            of_parts.join(", "),
            self.parts,
            of_tenant(rollup.parts.distribution_column()),
            filter(covered),
            differs.join(" OR "),
            groups = groups.join(", "),
            sums = sums.join(", "),
        )
    }

    /// Adds what [`differences`](Self::differences) finds, as a part that no writer has.
    pub(crate) fn correct(&self, tenant: Option<&str>, covered: Option<&str>) -> String {
        let rollup = self.rollup;
        let names: Vec<String> = rollup.group_names().into_iter().chain(rollup.sums().map(|sum| sum.name())).collect();
        let names = names.join(", ");
        format!(
            "INSERT INTO {} AS shardwise_parts ({names}, {PART}) SELECT {names}, -txid_current() FROM ({}) shardwise_difference {}",
            self.parts,
            self.differences(tenant, covered),
            self.on_conflict()
        )
    }
}
